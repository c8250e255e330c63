//! Before and after a push: the remote's refs that it changes, and the objects that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::time::{Duration, Instant};

use super::SIDE;
use super::dry_run::{Changes, Old, dry_run};
use super::names::note_tags;
use super::shadow::Shadow;
use super::state::RemoteState;
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Locator, Missing, ObjectId, StateRef, SystemId};
use crate::systems::CaptureCx;
use crate::systems::git::assess::{PUSH_ARGS, PUSH_PLAIN, PUSH_TO, SETTINGS};
use crate::systems::git::objects::{Objects, holds, parse_oid};
use crate::systems::git::place::Place;
use crate::systems::git::vault::{Limits, Vault, Wanted};

/// Option of a capture's locator: its own stored state, which knows the URL. The record is no place for that: it may
/// hold a password.
pub const STATE: &str = "state";
/// How long both conversations of a push that forces nothing may take together, before it; and the one after it.
const PLAIN_LIMIT: Duration = Duration::from_secs(5);
/// The most refs that are captured one by one.
const MOST: usize = 100_000;

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
    let name = named.filter(|name| !name.is_empty()).unwrap_or_else(|| shadow.own_remote());
    let dry = match locator.unsaid.get(PUSH_ARGS).map(|args| dry_run(&shadow, args)).transpose() {
        Err(refused) if leads_nowhere(&shadow, &name, &refused) => return Ok(Vec::new()),
        dry => dry?,
    };
    let urls = urls(&shadow, &name)?;
    let dry = dry.map(|dry| one_for_each(dry, urls.len()));
    let mut captures = Vec::new();
    for (at, url) in urls.into_iter().enumerate() {
        let mut state = RemoteState::new(&name, &shadow.absolute(&url));
        state.refs = values(&shadow, &state.url, at, dry.as_deref())?;
        state.settings = settings(locator);
        state.forces = !locator.opts.contains_key(PUSH_PLAIN);
        if state.refs.is_empty() {
            continue;
        }
        let missing = if cx.contents { pin(&shadow, Some(place), &vault, &state, cx) } else { Vec::new() };
        captures.push(finished(&state, resource_of(&state), locator_of(place, locator), missing, cx)?);
    }
    Ok(captures)
}

/// The ref, where it is one; else the remote: how the words of a push name it, so that a thing has one name in the record.
fn resource_of(state: &RemoteState) -> Bytes {
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
    now(&shadow, before)?.store(cx.sink)
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
    let state = now(&shadow, earlier)?;
    let missing = if cx.contents { pin(&shadow, place.as_ref(), &vault, &state, cx) } else { Vec::new() };
    Ok(vec![finished(&state, resource.clone(), locator.clone(), missing, cx)?])
}

fn now(shadow: &Shadow, earlier: RemoteState) -> Result<RemoteState> {
    let names = earlier.refs.keys().cloned().collect();
    let refs = ask(shadow, &earlier.url, Some(&names))?;
    Ok(RemoteState { refs, ..earlier })
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

/// Asks a remote for refs: those that are named, else all branches and tags.
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
            let ours = |name: &&str| name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
            let found = found.into_iter().filter(|(name, _)| ours(name));
            found.map(|(name, id)| (name.to_owned(), Some(id.to_owned()))).collect()
        }
    })
}

/// Pins what the remote's refs name: from the repository where it has it, else fetched.
fn pin(
    shadow: &Shadow,
    place: Option<&Place>,
    vault: &Vault,
    state: &RemoteState,
    cx: &CaptureCx<'_>,
) -> Vec<Missing> {
    let values: BTreeMap<&String, &String> =
        state.refs.iter().filter_map(|(name, id)| Some((name, id.as_ref()?))).collect();
    let tips: BTreeSet<git2::Oid> = values.values().filter_map(|id| parse_oid(id.as_bytes())).collect();
    // What the repository has is walked from there; the rest is fetched, with all that it points to.
    let wanted = Wanted {
        only_if_cheap: false,
        tips: &BTreeSet::new(),
        optional: &tips,
        logged: &BTreeSet::new(),
        // Its objects cannot be walked.
        everything: values.values().any(|id| id.len() == 64),
        limits: Limits { bytes: cx.caps.tree_bytes, until: cx.deadline },
        has_holes: true,
    };
    let mut missing = Vec::new();
    if let Some(Err(e)) = place.map(|place| vault.pin(place, &wanted)) {
        missing.push(Missing { what: Bytes::from(state.remote.as_str()), why: e.to_string() });
    }
    let absent = |vault: &Vault| -> Result<Vec<&String>> {
        if wanted.everything {
            let lacks = |id: &String| shadow.ask(&["cat-file", "-e", id].map(OsStr::new)).is_err();
            return Ok(values.iter().filter(|(_, id)| lacks(id)).map(|(name, _)| *name).collect());
        }
        let objects = Objects::open(&[&vault.objects()])?;
        let odb = objects.odb()?;
        let lacks = |id: &String| parse_oid(id.as_bytes()).is_none_or(|oid| !holds(&odb, oid));
        Ok(values.iter().filter(|(_, id)| lacks(id)).map(|(name, _)| *name).collect())
    };
    let left = absent(vault).and_then(|names| {
        fetch(shadow, &state.url, &names)?;
        absent(vault)
    });
    match left {
        Ok(names) => missing.extend(names.into_iter().map(|name| Missing {
            what: Bytes::from(format!("{} {name}", state.remote)),
            why: "its objects could not be fetched before the push".to_owned(),
        })),
        Err(e) => missing
            .push(Missing { what: Bytes::from(format!("objects of {}", state.remote)), why: e.to_string() }),
    }
    missing
}

/// Fetches refs into the vault. They are given names in the shadow only, which is thrown away.
fn fetch(shadow: &Shadow, url: &str, names: &[&String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let options = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--",
        url,
    ];
    let specs: Vec<String> =
        names.iter().enumerate().map(|(n, name)| format!("+{name}:refs/fr/{n}")).collect();
    let args: Vec<&OsStr> = options.iter().map(OsStr::new).chain(specs.iter().map(OsStr::new)).collect();
    shadow.ask(&args).map(|_| ())
}
