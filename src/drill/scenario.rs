//! What can be rehearsed: the table.

use super::look::Look;
use super::scene::{Scene, missing_tool};
use super::{aws, files, git, git_remote, sqlite, terraform};
use crate::error::Result;

/// A command that destroys something, and why it hurts.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// What happens, for people.
    pub why: &'static str,
    /// The line of shell, run in the scene's project.
    pub line: &'static str,
}

/// A target that is made, destroyed and taken back.
pub struct Scenario {
    /// Its name, which is what `--system` takes.
    pub system: &'static str,
    /// What it is about, for people.
    pub title: &'static str,
    /// The programs without which it cannot be rehearsed.
    pub needs: &'static [&'static str],
    /// Where its programs are missing it is left out unless somebody names it: most machines have no need of them.
    pub optional: bool,
    /// Makes the target in the scene's project.
    pub build: fn(&Scene) -> Result<()>,
    /// What destroys it, each from the state that `build` left.
    pub incidents: &'static [Incident],
    /// What destroys it so that it comes back as something new, run after the others: all is there again but identities,
    /// and undo, which is asked to change infrastructure, says what is not what it was (exit code 3).
    pub anew: &'static [Incident],
    /// Looks at the target by other means than `fr`'s own.
    pub look: fn(&Scene) -> Result<Look>,
}

impl Scenario {
    /// All its commands, and what their undo promises.
    pub fn rounds(&self) -> impl Iterator<Item = (&'static Incident, Promise)> {
        let same = self.incidents.iter().map(|incident| (incident, Promise::Same));
        same.chain(self.anew.iter().map(|incident| (incident, Promise::Anew)))
    }
}

/// What a target is after an undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// What it was.
    Same,
    /// Something new in its place: identities differ.
    Anew,
}

/// All scenarios. A new one is a line here.
pub const SCENARIOS: &[Scenario] =
    &[files::SCENARIO, git::SCENARIO, git_remote::SCENARIO, terraform::SCENARIO, sqlite::SCENARIO];

/// Those that reach further than this machine: only where somebody names them.
const ONLY_NAMED: &[Scenario] = &[aws::SCENARIO];

/// Their names.
pub fn systems() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().chain(ONLY_NAMED).map(|s| s.system)
}

/// Those with these names, in the order of the table; where none is named, all that can be rehearsed here or should be.
pub fn by_systems(names: &[String]) -> Vec<&'static Scenario> {
    let is_here = |s: &&Scenario| !s.optional || missing_tool(s.needs).is_none();
    let wanted =
        |s: &&Scenario| (names.is_empty() && is_here(s)) || names.iter().any(|name| name == s.system);
    let named = ONLY_NAMED.iter().filter(|s| names.iter().any(|name| name == s.system));
    SCENARIOS.iter().filter(wanted).chain(named).collect()
}
