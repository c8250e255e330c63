//! The old version of one path beside its present, under a name that is free: `config.yml.fr-undo-42`.

use std::os::fd::AsFd;

use super::aside::write_below;
use super::clean::remove_staged;
use super::content::Keep;
use super::entry::{Content, Entry, Kind};
use super::node::{Reading, read_now};
use super::scope::{Above, exact};
use super::stage::temp_name;
use super::tree::decode_tree;
use crate::error::{Error, Result};
use crate::model::{Bytes, EventId, ObjectSource, StepOutcome};
use crate::platform::fs::{is_name, move_new, split_parent, sync_dir};
use crate::systems::ApplyCx;

/// How many names are tried.
const TRIES: u32 = 20;

/// A free name for the old version of `path`, or the one under which it lies already (then true).
pub fn free_name(
    path: &Bytes,
    before: &Entry,
    event: EventId,
    source: &dyn ObjectSource,
) -> std::result::Result<(Bytes, bool), String> {
    let name = split_parent(path.as_slice()).1;
    for n in 1..=TRIES {
        let mut new = [name, format!(".fr-undo-{event}").as_bytes()].concat();
        if n > 1 {
            new.extend_from_slice(format!("-{n}").as_bytes());
        }
        if !is_name(&new) {
            return Err("its name is too long for a second one beside it".to_owned());
        }
        let new = Bytes(new);
        let place = super::ways::sibling(path, &new);
        match exact(place.as_slice()).map_err(|e| e.to_string())?.above {
            Above::Open(_) => {}
            _ => return Err("its directory is not there any more".to_owned()),
        }
        if look(&place, Some(before)).map_err(|e| e.to_string())?.is_none() {
            return Ok((new, false));
        }
        if holds(&place, before, source).map_err(|e| e.to_string())? {
            return Ok((new, true));
        }
    }
    Err(format!("{TRIES} names beside it are taken"))
}

/// Puts `entry` beside `path`.
pub fn apply(path: &Bytes, name: &Bytes, entry: &Entry, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let place = exact(super::ways::sibling(path, name).as_slice())?;
    let Above::Open(dir) = &place.above else {
        return Ok(StepOutcome::Conflict { reason: "its directory is not there any more".to_owned() });
    };
    let failed = |e: std::io::Error| Error::io("write", Bytes::from(place.path.as_slice()).as_path(), &e);
    // As if it were a step about that name: the way back finds it.
    let temp = temp_name(&cx.label, name.as_slice());
    remove_staged(dir.as_fd(), &temp).map_err(failed)?;
    let built = match write_below(dir.as_fd(), temp.clone(), entry.clone(), cx) {
        Ok(outcome) => outcome,
        Err(e) => {
            let _found_again_by_its_name = remove_staged(dir.as_fd(), &temp);
            return Err(e);
        }
    };
    match move_new(dir.as_fd(), &temp, name.as_slice()) {
        Ok(()) => sync_dir(dir.as_fd()).map_err(failed)?,
        Err(e) => {
            let _found_again_by_its_name = remove_staged(dir.as_fd(), &temp);
            if e.kind() != std::io::ErrorKind::AlreadyExists {
                return Err(failed(e));
            }
            return Ok(match holds(&Bytes::from(place.path.as_slice()), entry, cx.source)? {
                true => StepOutcome::Done,
                false => {
                    let name = name.lossy();
                    StepOutcome::Conflict { reason: format!("{name} was taken a moment ago: undo again") }
                }
            });
        }
    }
    Ok(built)
}

/// What is at a path now, read as deeply as `like` was.
pub fn look(path: &Bytes, like: Option<&Entry>) -> Result<Option<Entry>> {
    let place = exact(path.as_slice())?;
    let contents = !like.is_some_and(|e| matches!(e.kind, Kind::File { content: Content::Unread }));
    match &place.above {
        Above::Open(dir) => {
            let reading = Reading { keep: Keep::Identity, contents };
            read_now(dir.as_fd(), place.name(), reading, &mut Vec::new())
        }
        Above::Absent => Ok(None),
        Above::Blocked(why) | Above::BehindLink(why) => Ok(Some(Entry::skipped(why))),
    }
}

/// What is at a path, with all below it, is what `entry` says.
pub fn holds(path: &Bytes, entry: &Entry, source: &dyn ObjectSource) -> Result<bool> {
    let mut stack = vec![(path.clone(), entry.clone())];
    while let Some((path, wanted)) = stack.pop() {
        let Some(found) = look(&path, Some(&wanted))? else { return Ok(false) };
        let same = match (found.is_dir(), wanted.is_dir()) {
            (true, true) => found.meta.same_but_time(&wanted.meta),
            _ => found.same_but_time(&wanted),
        };
        if !same {
            return Ok(false);
        }
        let Some(tree) = wanted.tree() else { continue };
        for named in decode_tree(&source.get(&tree)?)? {
            stack.push((path.join(named.name.as_slice()), named.entry));
        }
    }
    Ok(true)
}
