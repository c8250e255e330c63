//! Which captures an event needs, and taking them: once per place, by the system that owns it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Config;

use crate::error::{Error, Result};
use crate::model::{
    Bytes, Capture, Effect, EffectClass, Locator, ObjectSink, ObjectSource, StateRef, SystemId,
};
use crate::platform::home::Home;
use crate::systems::{self, Caps, CaptureCx, files};

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
    /// What is to be destroyed or overwritten and is not in the store, in words for people.
    pub lacking: Vec<String>,
}

/// Takes every capture that `effects` ask for into `store`. A system that fails costs its own capture only.
pub fn capture_all<S: ObjectSink + ObjectSource>(effects: &[Effect], store: &S, home: &Home) -> Capturing {
    let mut taken = Capturing::default();
    let caps = Config::load(home).map(|c| c.caps).unwrap_or_else(|error| {
        taken.warnings.push(format!("the settings do not count, the defaults do: {error}"));
        Caps::default()
    });
    let cx = capture_cx(store, store, home, &caps, true);
    for Wanted { effect, destroys, spares_ignored } in wanted(effects) {
        match take(&effect, &cx) {
            Ok(captures) => {
                if destroys {
                    taken.lacking.extend(captures.iter().flat_map(|capture| lacks(capture, spares_ignored)));
                }
                taken.captures.extend(captures);
            }
            Err(error) => {
                let warning = format!("{} was not captured: {error}", effect.resource.lossy());
                taken.lacking.extend(destroys.then(|| warning.clone()));
                taken.warnings.push(warning);
            }
        }
    }
    for effect in effects.iter().filter(|e| is_uncovered(e)) {
        let (what, class, system) = (effect.resource.lossy(), effect.class, &effect.system);
        let warning = format!("{what} ({class}) was not captured: fr does not capture {system} yet");
        taken.lacking.extend(class.is_destructive().then(|| warning.clone()));
        taken.warnings.push(warning);
    }
    taken
}

/// What a capture of something that is to be destroyed left out.
fn lacks(capture: &Capture, spares_ignored: bool) -> Vec<String> {
    let missing = capture.missing.iter().filter(|m| !(spares_ignored && files::is_ignored_by_git(m)));
    missing.map(|m| format!("{}: {}", m.what.lossy(), m.why)).collect()
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

/// Looks with what a capture works with.
pub fn observing<S: ObjectSink + ObjectSource, T>(
    store: &S,
    home: &Home,
    look: impl FnOnce(&CaptureCx<'_>) -> Result<T>,
) -> Result<T> {
    let caps = Config::load(home).map(|c| c.caps).unwrap_or_default();
    look(&capture_cx(store, store, home, &caps, true))
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

/// An effect to capture.
struct Wanted {
    effect: Effect,
    /// It destroys or overwrites what is there.
    destroys: bool,
    /// A git command that does not touch what git ignores.
    spares_ignored: bool,
}

/// The effects to capture: one per system and place. A git command that touches the work tree also needs the
/// files there, which are the `fs` system's.
fn wanted(effects: &[Effect]) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for effect in effects.iter().filter(|e| e.class.changes_state()) {
        let Some(locator) = &effect.locator else { continue };
        if systems::by_id(&effect.system.0).is_none() {
            continue;
        }
        let destroys = effect.class.is_destructive();
        add(&mut wanted, Wanted { effect: effect.clone(), destroys, spares_ignored: false });
        let what = locator.opts.get("what").and_then(Bytes::as_str).unwrap_or_default();
        let parts: BTreeSet<&str> = what.split(',').collect();
        if parts.contains("worktree") || parts.contains("ignored") {
            let ignored = parts.contains("ignored");
            let effect = work_tree_of(effect, locator, ignored);
            add(&mut wanted, Wanted { effect, destroys, spares_ignored: !ignored });
        }
    }
    wanted
}

/// Adds an effect unless its place is there already; places of one git repository are united.
fn add(wanted: &mut Vec<Wanted>, new: Wanted) {
    let key = |l: &Locator| {
        let mut opts = l.opts.clone();
        opts.remove("what");
        (l.at.clone(), opts)
    };
    let Some(place) = new.effect.locator.as_ref().map(key) else { return };
    let same = |known: &Effect| {
        known.system == new.effect.system && known.locator.as_ref().map(key).as_ref() == Some(&place)
    };
    let known = wanted.iter_mut().find(|known| same(&known.effect));
    match known {
        Some(known) => {
            unite(&mut known.effect, &new.effect);
            known.destroys |= new.destroys;
            known.spares_ignored &= new.spares_ignored;
        }
        None => wanted.push(new),
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
