//! Before a command: its targets on GitHub, and what of them is about to be lost.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ID;
use super::cli::Gh;
use super::find::{self, Found};
use super::look::{self, Eyes};
use super::query::{self, Access};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Missing, StateRef, SystemId};
use crate::systems::CaptureCx;
use crate::systems::github::hands::shown;
use crate::systems::things::{Things, locator_of, names_of};

/// Stores the things that a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    let access = Access::of(locator);
    let gh = Gh::of(&access, limit(cx));
    let mut found = Found::default();
    match names_of(locator) {
        // The present of what an earlier capture covers: an undo is about to write it.
        Some(names) => {
            found.names = names.into_iter().collect();
            found.whole = found.names.iter().filter(|name| name.starts_with("label/")).cloned().collect();
        }
        None => {
            for ask in query::asks(locator)? {
                find::find(&gh, &ask, &mut found)?;
            }
        }
    }
    let mut things = Things::new(ID, place(&gh));
    let missing = found.missing.iter();
    let mut missing: Vec<Missing> =
        missing.map(|(what, why)| Missing { what: Bytes::from(what.as_str()), why: why.clone() }).collect();
    look::look(&eyes(&gh, cx, true), &found, &mut things, &mut missing)?;
    if things.is_empty() && missing.is_empty() {
        return Ok(Vec::new());
    }
    let state = things.store(cx.sink)?;
    let names: Vec<String> = things.names().map(shown).collect();
    let resource = match names.as_slice() {
        [] => effect.resource.clone(),
        few if few.len() <= 3 => Bytes::from(few.join(" ")),
        [first, ..] => Bytes::from(format!("{first} and {} more", names.len() - 1)),
    };
    let locator = locator_of(access.locator(), things.names());
    let (items, bytes) = (things.count(), things.bytes());
    Ok(vec![Capture { system: SystemId::new(ID), resource, locator, state, missing, items, bytes }])
}

/// The things of a capture as they are now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Things::load(&captured.state, cx.source)?;
    let gh = Gh::of(&Access::of(&captured.locator), limit(cx));
    same_place(&gh, &earlier)?;
    let mut now = Things::new(ID, earlier.place.clone());
    let eyes = eyes(&gh, cx, false);
    for name in earlier.names() {
        let seen = look::one(&eyes, name, earlier.get(name), None)?;
        now.note(name, seen.map(|seen| seen.thing));
    }
    now.store(cx.sink)
}

fn eyes<'a>(gh: &'a Gh, cx: &'a CaptureCx<'_>, contents: bool) -> Eyes<'a> {
    let left = Cell::new(cx.caps.github_bytes);
    Eyes { gh, sink: cx.sink, contents, left, scratch: cx.cache.clone() }
}

fn place(gh: &Gh) -> BTreeMap<String, String> {
    BTreeMap::from([("host".to_owned(), gh.host())])
}

/// Checks that it is the recorded host.
///
/// # Errors
/// Where the same words lead to another one.
pub fn same_place(gh: &Gh, recorded: &Things) -> Result<()> {
    if place(gh) == recorded.place {
        return Ok(());
    }
    Err(Error::failure("gh talks to another host now than at the time of the event")
        .hint("set GH_HOST back to the recorded one"))
}

fn limit(cx: &CaptureCx<'_>) -> Instant {
    let own = Instant::now() + Duration::from_secs(cx.caps.github_seconds);
    cx.deadline.map_or(own, |deadline| deadline.min(own))
}
