//! Which captures an event needs, and taking them: once per place, by the system that owns it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Config;
use super::wanted::{Wanted, wanted};

use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, EffectClass, ObjectSink, ObjectSource, StateRef, SystemId};
use crate::platform::home::Home;
use crate::systems::{self, Caps, CaptureCx, Saving, files, git};

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
    let config = Config::load(home).unwrap_or_else(|error| {
        taken.warnings.push(format!("the settings do not count, the defaults do: {error}"));
        Config::default()
    });
    let cx = CaptureCx { saving: &config.aws, ..capture_cx(store, store, home, &config.caps, true) };
    for Wanted { effect, destroys, spares_ignored } in wanted(effects) {
        match take(&effect, &cx) {
            Ok(captures) => {
                if destroys {
                    taken.lacking.extend(captures.iter().flat_map(|capture| lacks(capture, spares_ignored)));
                }
                taken.captures.extend(captures);
            }
            // What the line makes first has nothing to lose, and goes with what was made.
            Err(_) if is_in_a_repository_to_come(&effect, &taken.captures) => {}
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

/// A git command where no repository is yet: the captures before it are of the place where the line makes one (`git init && git
/// add . && git commit`).
fn is_in_a_repository_to_come(effect: &Effect, captures: &[Capture]) -> bool {
    let Some(place) = effect.locator.as_ref().filter(|_| effect.system.0 == "git") else { return false };
    let is_to_come =
        |dir: &Path| files::is_in_what_was_not_there(&Bytes::from(dir.join(".git")), captures.iter());
    git::is_nowhere(place) && place.at.as_path().ancestors().any(is_to_come)
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
    observe_since(capture, None, store, home, contents)
}

/// The same, to be compared with how the command left it.
pub fn observe_since<S: ObjectSink + ObjectSource>(
    capture: &Capture,
    left: Option<StateRef>,
    store: &S,
    home: &Home,
    contents: bool,
) -> Result<StateRef> {
    let caps = Config::load(home).map(|c| c.caps).unwrap_or_default();
    let cx = CaptureCx { left, ..capture_cx(store, store, home, &caps, contents) };
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
        saving: Saving::NONE,
        contents,
        cache: home.cache(),
        vault: home.vault(),
        store_home: home.root.clone(),
        deadline: Some(Instant::now() + LONGEST),
        left: None,
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

/// An effect that destroys something and that no system can capture.
fn is_uncovered(effect: &Effect) -> bool {
    let known = systems::by_id(&effect.system.0).is_some();
    let class = effect.class.is_destructive()
        || matches!(effect.class, EffectClass::Mutate | EffectClass::Access | EffectClass::Disrupt);
    class && !known
}
