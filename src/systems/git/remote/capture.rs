//! Before and after a push: the remote's refs that it changes, and the objects that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::time::{Duration, Instant};

use super::SIDE;
use super::dry_run::{Changes, Old, dry_run};
use super::names::note_tags;
use super::pin::pin;
use super::shadow::Shadow;
use super::state::RemoteState;
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Locator, Missing, ObjectId, StateRef, SystemId};
use crate::systems::CaptureCx;
use crate::systems::git::assess::{OPEN_MOVED, PUSH_ARGS, PUSH_OPEN, PUSH_PLAIN, PUSH_TO, SETTINGS};
use crate::systems::git::objects::{Objects, parse_oid};
use crate::systems::git::place::Place;
use crate::systems::git::vault::Vault;

/// Option of a capture's locator: its own stored state, which knows the URL. The record is no place for that: it may
/// hold a password.
pub const STATE: &str = "state";
/// How long both conversations of a push that forces nothing may take together, before it; and the one after it.
const PLAIN_LIMIT: Duration = Duration::from_secs(5);
/// The most refs that are captured one by one.
const MOST: usize = 100_000;

/// Refs that forges make for requests and builds; they refuse pushes to them.
const OF_FORGES: [&str; 6] = [
    "refs/pull/",
    "refs/merge-requests/",
    "refs/changes/",
    "refs/keep-around/",
    "refs/environments/",
    "refs/pipelines/",
];

/// True where the words of a push are known well enough for its remote to be captured.
pub fn is_captured(locator: &Locator) -> bool {
    locator.unsaid.contains_key(PUSH_TO)
}

/// Stores the refs that a push is about to change on its remotes, one capture for each.
///
/// # Errors
/// Where a remote cannot be asked: the reason, for people.
pub fn capture(place: &Place, locator: &Locator, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let vault = Vault::at(&cx.vault, &Vault::name(place));
    let shadow = Shadow::make(Some(place), &vault, &cx.vault, patience(locator, cx))?
        .with(settings(locator).into_iter())
        .seen_from(locator);
    let named = locator.unsaid.get(PUSH_TO).map(|name| name.lossy().into_owned());
    let is_moved = locator.unsaid.get(PUSH_OPEN).is_some_and(|open| open.as_slice() == OPEN_MOVED.as_bytes());
    let own = named.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| shadow.own_remote());
    let dry = match locator.unsaid.get(PUSH_ARGS).map(|args| dry_run(&shadow, args)).transpose() {
        Err(refused) if leads_nowhere(&shadow, &own, &refused) => return Ok(Vec::new()),
        // What it is about is not there yet. A remote that cannot be asked is found out below.
        Err(_) if is_moved => Some(Vec::new()),
        dry => dry?,
    };
    let mut captures = capture_one(&own, dry, is_moved, (place, &vault, &shadow), locator, cx)?;
    // Which branch it is, and so which remote, the line itself decides.
    if is_moved && named.is_none_or(|name| name.is_empty()) {
        for other in shadow.remotes_of_branches().into_iter().filter(|other| *other != own) {
            let seen = (place, &vault, &shadow);
            captures.extend(capture_one(&other, Some(Vec::new()), true, seen, locator, cx)?);
        }
    }
    Ok(captures)
}

/// The same for one remote, with what a dry run says. What the line itself decides (`is_moved`) may be about any of its refs.
fn capture_one(
    name: &str,
    dry: Option<Vec<Changes>>,
    is_moved: bool,
    (place, vault, shadow): (&Place, &Vault, &Shadow),
    locator: &Locator,
    cx: &CaptureCx<'_>,
) -> Result<Vec<Capture>> {
    let urls = urls(shadow, name)?;
    let dry = dry.map(|dry| one_for_each(dry, urls.len()));
    let mut captures = Vec::new();
    for (at, url) in urls.into_iter().enumerate() {
        let mut state = RemoteState::new(name, &shadow.absolute(&url));
        state.settings = settings(locator);
        state.forces = !locator.opts.contains_key(PUSH_PLAIN);
        state.refs = values(shadow, &state.url, at, dry.as_deref())?;
        if is_moved {
            let sure: BTreeSet<String> = state.refs.keys().cloned().collect();
            state.refs.extend(ask(shadow, &state.url, None)?);
            state = state.with_sure(sure);
        } else if state.refs.is_empty() {
            continue;
        }
        let missing = if cx.contents { pin(shadow, Some(place), vault, &state, cx) } else { Vec::new() };
        captures.push(finished(&state, resource_of(&state), locator_of(place, locator), missing, cx)?);
    }
    Ok(captures)
}

/// The ref, where it is one; else the remote: how the words of a push name it, so that a thing has one name in the record.
fn resource_of(state: &RemoteState) -> Bytes {
    if state.sure.is_some() {
        return Bytes::from(format!("git:{}", state.remote));
    }
    let mut names = state.refs.keys();
    Bytes::from(match (names.next(), names.next()) {
        (Some(only), None) => format!("git:{}/{only}", state.remote),
        _ => format!("git:{}", state.remote),
    })
}

/// The changes for each place. Where some place did not answer it is not clear whose changes these are: then every
/// name counts for all of them, and each is asked.
fn one_for_each(dry: Vec<Changes>, places: usize) -> Vec<Changes> {
    if dry.len() == places {
        return dry;
    }
    let all: Changes = dry.into_iter().flatten().map(|(name, _)| (name, Old::Unknown)).collect();
    vec![all; places]
}

/// How long the remote is waited for. A push that forces and deletes nothing is an everyday thing: it must not become
/// slow where the remote is.
fn patience(locator: &Locator, cx: &CaptureCx<'_>) -> Option<Instant> {
    let short = locator.opts.contains_key(PUSH_PLAIN).then(|| Instant::now() + PLAIN_LIMIT);
    short.into_iter().chain(cx.deadline).min()
}

/// The captured refs of a remote now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let before = RemoteState::expect(&captured.state, cx.source)?;
    let place = Place::find(&captured.locator).ok();
    let vault = Vault::of(&cx.vault, &captured.locator)?;
    let shadow = Shadow::make(place.as_ref(), &vault, &cx.vault, patience(&captured.locator, cx))?;
    let shadow = shadow.with(before.settings.clone().into_iter());
    now(&shadow, place.as_ref(), before)?.store(cx.sink)
}

/// Captures the present of what an earlier capture covers: an undo is about to write it.
///
/// # Errors
/// Where the remote cannot be asked. The repository may be gone: then all is fetched into its vault.
pub fn capture_again(resource: &Bytes, locator: &Locator, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let id = locator.opts.get(STATE).and_then(Bytes::as_str).and_then(|hex| hex.parse::<ObjectId>().ok());
    let id = id.ok_or_else(|| Error::corrupt("a capture of a remote that does not say where it is"))?;
    let earlier = RemoteState::expect(&StateRef { digest: id, object: Some(id) }, cx.source)?;
    let place = Place::find_if_there(locator)?;
    let vault = Vault::of(&cx.vault, locator)?;
    let shadow = Shadow::make(place.as_ref(), &vault, &cx.vault, cx.deadline)?
        .with(earlier.settings.clone().into_iter());
    let state = now(&shadow, place.as_ref(), earlier.clone())?;
    let state = match earlier.sure {
        Some(_) => changed_since(&earlier, state),
        None => state,
    };
    let missing = if cx.contents { pin(&shadow, place.as_ref(), &vault, &state, cx) } else { Vec::new() };
    Ok(vec![finished(&state, resource.clone(), locator.clone(), missing, cx)?])
}

fn now(shadow: &Shadow, place: Option<&Place>, earlier: RemoteState) -> Result<RemoteState> {
    let names: BTreeSet<String> = earlier.refs.keys().cloned().collect();
    if earlier.sure.is_none() {
        let refs = ask(shadow, &earlier.url, Some(&names))?;
        return Ok(RemoteState { refs, ..earlier });
    }
    let mut refs = ask(shadow, &earlier.url, None)?;
    for name in names {
        refs.entry(name).or_insert(None);
    }
    let is_changed = |name: &&String| refs.get(*name).and_then(Option::as_deref) != earlier.value(name);
    let objects = place.map(|place| Objects::open(&place.all_objects())).transpose()?;
    // What is gone only a push that forces or prunes can have removed. The vault does not count as our side: it has what others
    // pushed before.
    let is_ours = |name: &&String| match (refs.get(*name).and_then(Option::as_deref), &objects) {
        (Some(id), Some(objects)) => match parse_oid(id.as_bytes()) {
            Some(id) => objects.odb().is_ok_and(|odb| odb.exists(id)),
            None => shadow.ask(&["cat-file", "-e", id].map(OsStr::new)).is_ok(),
        },
        (Some(_), None) => true,
        (None, _) => earlier.forces,
    };
    let ours = refs.keys().filter(is_changed).filter(is_ours).cloned().collect();
    Ok(RemoteState { refs, ours, ..earlier })
}

/// What an undo of the push may write: the refs that are not as they were.
fn changed_since(earlier: &RemoteState, mut now: RemoteState) -> RemoteState {
    now.refs.retain(|name, value| value.as_deref() != earlier.value(name));
    RemoteState { sure: None, ours: BTreeSet::new(), version: 1, ..now }
}

fn finished(
    state: &RemoteState,
    resource: Bytes,
    mut locator: Locator,
    missing: Vec<Missing>,
    cx: &CaptureCx<'_>,
) -> Result<Capture> {
    let stored = state.store(cx.sink)?;
    if let Some(id) = stored.object {
        locator.opts.insert(STATE.to_owned(), Bytes::from(id.to_string()));
    }
    note_tags(state, &mut locator);
    let items = state.refs.len() as u64;
    Ok(Capture { system: SystemId::new("git"), resource, locator, items, bytes: 0, state: stored, missing })
}

/// A capture is not taken again by pushing again: takes the push out of a locator, and the remote too where it has a
/// capture of its own, or nothing that the push could change.
pub fn forget_push(locator: &mut Locator, remote_is_known: bool) {
    locator.opts.remove(PUSH_PLAIN);
    locator.unsaid.clear();
    if remote_is_known && let Some(what) = locator.opts.get_mut("what") {
        let parts: Vec<String> =
            what.lossy().split(',').filter(|w| *w != "remote").map(str::to_owned).collect();
        *what = Bytes::from(parts.join(","));
    }
}

fn locator_of(place: &Place, from: &Locator) -> Locator {
    let mut locator = place.locator(from);
    locator.unsaid.clear();
    locator.opts.insert("vault".to_owned(), Bytes::from(Vault::name(place)));
    locator.opts.insert(SIDE.to_owned(), "remote".into());
    locator
}

/// The `-c` settings of the command.
fn settings(locator: &Locator) -> Vec<(String, String)> {
    let text = locator.unsaid.get(SETTINGS).map(|s| s.lossy().into_owned()).unwrap_or_default();
    let pairs = text.split('\0').filter_map(|s| s.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Where a remote's pushes go. What is no remote is a URL or path itself.
fn urls(shadow: &Shadow, name: &str) -> Result<Vec<String>> {
    let args = ["remote", "get-url", "--push", "--all", "--", name].map(OsString::from);
    let done = shadow.git(&args)?;
    if done.code == 0 {
        let text = String::from_utf8_lossy(&done.stdout);
        return Ok(text.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect());
    }
    // git knows it from there as well, but does not list it (measured, git 2.47.3).
    if let Some(url) = shadow.carried_url(name) {
        return Ok(vec![url.to_owned()]);
    }
    let is_place = name.contains(['/', ':']) || Bytes::from(shadow.absolute(name)).as_path().exists();
    if is_place {
        Ok(vec![name.to_owned()])
    } else {
        Err(Error::failure(format!("no remote is called {name}")))
    }
}

/// git refused the push since nothing is called so, no remote and no place on this machine: then it has nothing to destroy. What
/// git calls the place it has worked out itself, so a name that its configuration makes a URL of is not taken for one. A
/// remote whose place is gone may be a disk that is about to be mounted.
fn leads_nowhere(shadow: &Shadow, name: &str, refused: &Error) -> bool {
    let is_refused =
        refused.to_string().contains(&format!("'{name}' does not appear to be a git repository"));
    is_refused && !name.contains(['/', ':']) && urls(shadow, name).is_err()
}

/// The refs that a push would change at the nth of its places, with their values now. `None`: its words are not known.
fn values(
    shadow: &Shadow,
    url: &str,
    at: usize,
    dry: Option<&[Changes]>,
) -> Result<BTreeMap<String, Option<String>>> {
    let Some(dry) = dry else { return ask(shadow, url, None) };
    let Some(changes) = dry.get(at) else { return Ok(BTreeMap::new()) };
    let own = own_values(shadow, changes);
    let is_unknown = |old: &Old| match old {
        Old::As(from) => !own.contains_key(from),
        old => *old == Old::Unknown,
    };
    let unknown: BTreeSet<String> =
        changes.iter().filter(|(_, old)| is_unknown(old)).map(|(name, _)| name.clone()).collect();
    let mut found = ask(shadow, url, Some(&unknown))?;
    for (name, old) in changes {
        match old {
            Old::As(from) => own.get(from).and_then(|id| found.insert(name.clone(), Some(id.clone()))),
            Old::At(id) => found.insert(name.clone(), Some(id.clone())),
            Old::Absent => found.insert(name.clone(), None),
            Old::Unknown => None,
        };
    }
    Ok(found)
}

/// The values of names on our side.
fn own_values(shadow: &Shadow, changes: &Changes) -> BTreeMap<String, String> {
    let names = changes.values().filter_map(|old| if let Old::As(from) = old { Some(from) } else { None });
    let names: Vec<&String> = names.collect::<BTreeSet<_>>().into_iter().collect();
    let mut found = BTreeMap::new();
    // As many as a command line can hold.
    for some in names.chunks(500) {
        let args = std::iter::once("rev-parse").chain(some.iter().map(|name| name.as_str()));
        let answer = shadow.ask(&args.map(OsStr::new).collect::<Vec<_>>()).unwrap_or_default();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let ids: Vec<&str> = text.lines().collect();
        if ids.len() == some.len() {
            found.extend(some.iter().zip(ids).map(|(name, id)| ((*name).clone(), id.to_owned())));
        }
    }
    found
}

/// Asks a remote for refs: those that are named, else all that can be pushed to.
fn ask(
    shadow: &Shadow,
    url: &str,
    names: Option<&BTreeSet<String>>,
) -> Result<BTreeMap<String, Option<String>>> {
    if names.is_some_and(BTreeSet::is_empty) {
        return Ok(BTreeMap::new());
    }
    let mut args: Vec<&OsStr> = ["ls-remote", "--refs", "--quiet", "--", url].map(OsStr::new).to_vec();
    // A few names are asked for; of many, all are listed, or the command line would be too long.
    if let Some(names) = names.filter(|names| names.len() <= 100) {
        args.extend(names.iter().map(OsStr::new));
    }
    let answer = shadow.ask(&args)?;
    let text = String::from_utf8_lossy(&answer);
    let found: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once('\t')).map(|(id, name)| (name, id)).collect();
    if found.len() > MOST {
        return Err(Error::failure(format!("it has more than {MOST} refs")));
    }
    Ok(match names {
        Some(names) => {
            names.iter().map(|n| (n.clone(), found.get(n.as_str()).map(|id| (*id).to_owned()))).collect()
        }
        None => {
            let may_be_pushed = |name: &&str| !OF_FORGES.iter().any(|kept| name.starts_with(kept));
            let found = found.into_iter().filter(|(name, _)| may_be_pushed(name));
            found.map(|(name, id)| (name.to_owned(), Some(id.to_owned()))).collect()
        }
    })
}
