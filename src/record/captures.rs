//! Which captures an event needs, and taking them: once per place, by the system that owns it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Config;

use crate::error::{Error, Result};
use crate::model::{
    Bytes, Capture, Effect, EffectClass, Locator, ObjectSink, ObjectSource, StateRef, SystemId,
};
use crate::platform::home::Home;
use crate::systems::{self, Caps, CaptureCx, git};

/// The longest that a capture may take before it ends as a partial one. It is less than what `fr install` asks agents to
/// wait (300 s, [`crate::intake::install::agents::PATIENCE`]), so that the recorder answers before the agent stops waiting
/// and runs the command unrecorded. The bounds that normally end a capture are those of work, [`Caps`].
pub const LONGEST: Duration = Duration::from_secs(200);

/// What was captured, and what could not be.
#[derive(Debug, Default)]
pub struct Capturing {
    /// The captures, complete or partial.
    pub captures: Vec<Capture>,
    /// Why something was not captured at all, in words for people.
    pub warnings: Vec<String>,
}

/// Takes every capture that `effects` ask for into `store`. A system that fails costs its own capture only.
pub fn capture_all<S: ObjectSink + ObjectSource>(effects: &[Effect], store: &S, home: &Home) -> Capturing {
    let mut taken = Capturing::default();
    let caps = Config::load(home).map(|c| c.caps).unwrap_or_else(|error| {
        taken.warnings.push(format!("the settings do not count, the defaults do: {error}"));
        Caps::default()
    });
    let cx = capture_cx(store, store, home, &caps, true);
    for effect in wanted(effects) {
        match take(&effect, &cx) {
            Ok(captures) => taken.captures.extend(captures),
            Err(error) => {
                taken.warnings.push(format!("{} was not captured: {error}", effect.resource.lossy()))
            }
        }
    }
    for effect in effects.iter().filter(|e| is_uncovered(e)) {
        let class = effect.class;
        taken.warnings.push(format!(
            "{} ({class}) was not captured: fr does not capture {} yet",
            effect.resource.lossy(),
            effect.system
        ));
    }
    taken
}

/// The state now of what a capture covers.
pub fn observe<S: ObjectSink + ObjectSource>(
    capture: &Capture,
    store: &S,
    home: &Home,
    contents: bool,
) -> Result<StateRef> {
    let caps = Config::load(home).map(|c| c.caps).unwrap_or_default();
    let cx = capture_cx(store, store, home, &caps, contents);
    system_of(&capture.system)?.observe(capture, &cx)
}

fn capture_cx<'a>(
    sink: &'a dyn ObjectSink,
    source: &'a dyn ObjectSource,
    home: &Home,
    caps: &'a Caps,
    contents: bool,
) -> CaptureCx<'a> {
    CaptureCx {
        sink,
        source,
        caps,
        contents,
        cache: home.cache(),
        vault: home.vault(),
        store_home: home.root.clone(),
        deadline: Some(Instant::now() + LONGEST),
    }
}

fn take(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    system_of(&effect.system)?.capture(effect, cx)
}

fn system_of(id: &SystemId) -> Result<&'static dyn systems::System> {
    systems::by_id(&id.0).ok_or_else(|| {
        Error::failure(format!("this fr knows no system {id:?}"))
            .hint("the event may have been recorded by a newer fr")
    })
}

/// The effects to capture: one per system and place. A git command that touches the work tree also needs the
/// files there, which are the `fs` system's.
fn wanted(effects: &[Effect]) -> Vec<Effect> {
    let mut wanted: Vec<Effect> = Vec::new();
    for effect in effects.iter().filter(|e| e.class.changes_state()) {
        let Some(locator) = &effect.locator else { continue };
        if systems::by_id(&effect.system.0).is_none() {
            continue;
        }
        let what = locator.opts.get("what").and_then(Bytes::as_str).unwrap_or_default();
        let parts: BTreeSet<&str> = what.split(',').collect();
        let (effect, files) = without_files(effect);
        if !parts.contains("files") {
            add(&mut wanted, effect.clone());
        }
        files.into_iter().for_each(|file| add(&mut wanted, file));
        if parts.contains("nested") {
            let inside = git::nested(locator).into_iter().map(|dir| tree(&effect, Bytes::from(dir)));
            inside.for_each(|repository| add(&mut wanted, repository));
        }
        if is_opaque_work(&effect) {
            repository_of(&effect).into_iter().for_each(|repository| add(&mut wanted, repository));
        }
        if parts.contains("worktree") || parts.contains("ignored") {
            add(&mut wanted, work_tree_of(&effect, locator, parts.contains("ignored")));
        }
    }
    wanted
}

/// The effect, and what else it asks the files system for ([`git::assess::FILES`]).
fn without_files(effect: &Effect) -> (Effect, Vec<Effect>) {
    let mut rest = effect.clone();
    let listed = rest.locator.as_mut().and_then(|locator| locator.opts.remove(git::assess::FILES));
    let Some(listed) = listed else { return (rest, Vec::new()) };
    let place = rest.locator.clone().unwrap_or_default();
    let shared = std::cell::LazyCell::new(|| git::directory(&place));
    let path = |word: &[u8]| -> Option<Bytes> {
        let (new, path) = word.strip_prefix(b"new:").map_or((false, word), |path| (true, path));
        let path = match path.strip_prefix(b"$GIT/") {
            Some(below) => Bytes::from(shared.as_deref()?).join(below),
            None => Bytes::from(path),
        };
        let is_there = new && path.as_path().symlink_metadata().is_ok();
        (!is_there).then_some(path)
    };
    let files = listed.as_slice().split(|b| *b == 0).filter_map(path).map(|path| tree(&rest, path)).collect();
    (rest, files)
}

/// A path, captured with all below it.
fn tree(effect: &Effect, path: Bytes) -> Effect {
    let resource = Bytes([b"path:", path.as_slice()].concat());
    let mut place = systems::locator(path);
    place.opts.insert("scope".to_owned(), Bytes::from("tree"));
    Effect { system: SystemId::new("fs"), resource, locator: Some(place), ..effect.clone() }
}

/// A command of which nothing is known but where it runs.
fn is_opaque_work(effect: &Effect) -> bool {
    let scope = effect.locator.as_ref().and_then(|l| l.opts.get("scope")).and_then(Bytes::as_str);
    effect.system == SystemId::new("fs") && effect.class == EffectClass::Opaque && scope == Some("workspace")
}

/// What an opaque command may do to the repository that it runs in: a script with `git reset --hard` in it is not seen
/// from outside.
fn repository_of(effect: &Effect) -> Option<Effect> {
    let mut place = systems::locator(effect.locator.as_ref()?.at.clone());
    git::directory(&place)?;
    let parts = git::assess::ANYTHING.split(',').filter(|part| *part != "worktree").collect::<Vec<_>>();
    place.opts.insert("what".to_owned(), Bytes::from(parts.join(",")));
    Some(Effect { system: SystemId::new("git"), locator: Some(place), ..effect.clone() })
}

/// Adds an effect unless its place is there already; places of one git repository are united.
fn add(wanted: &mut Vec<Effect>, effect: Effect) {
    let key = |l: &Locator| {
        let mut opts = l.opts.clone();
        opts.remove("what");
        (l.at.clone(), opts)
    };
    let Some(place) = effect.locator.as_ref().map(key) else { return };
    let known = wanted
        .iter_mut()
        .find(|w| w.system == effect.system && w.locator.as_ref().map(key).as_ref() == Some(&place));
    match known {
        Some(known) => unite(known, &effect),
        None => wanted.push(effect),
    }
}

fn unite(known: &mut Effect, other: &Effect) {
    let what = |e: &Effect| {
        e.locator.as_ref().and_then(|l| l.opts.get("what")).and_then(|w| w.as_str().map(str::to_owned))
    };
    let (Some(a), Some(b)) = (what(known), what(other)) else { return };
    let united: BTreeSet<&str> = a.split(',').chain(b.split(',')).filter(|w| !w.is_empty()).collect();
    let united = united.into_iter().collect::<Vec<_>>().join(",");
    if let Some(locator) = known.locator.as_mut() {
        locator.opts.insert("what".to_owned(), Bytes::from(united));
    }
}

fn work_tree_of(effect: &Effect, locator: &Locator, ignored: bool) -> Effect {
    let mut place =
        systems::locator(locator.opts.get("work-tree").cloned().unwrap_or_else(|| locator.at.clone()));
    place.opts.insert("scope".to_owned(), Bytes::from("workspace"));
    if ignored {
        place.opts.insert("ignored".to_owned(), Bytes::from("all"));
    }
    Effect { system: SystemId::new("fs"), class: EffectClass::Opaque, locator: Some(place), ..effect.clone() }
}

/// An effect that destroys something and that no system can capture.
fn is_uncovered(effect: &Effect) -> bool {
    let known = systems::by_id(&effect.system.0).is_some();
    let class = effect.class.is_destructive()
        || matches!(effect.class, EffectClass::Mutate | EffectClass::Access | EffectClass::Disrupt);
    class && !known
}
