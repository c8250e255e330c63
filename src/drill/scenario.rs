//! What can be rehearsed: the table.

use super::look::Look;
use super::rehearse::Ground;
use super::scene::{Given, Scene, missing_tool};
use super::{
    Server, aws, docker, files, git, git_remote, kubernetes, mysql, postgres, redis, sqlite, terraform,
};
use crate::error::{Error, ExitCode, Result};

/// A command that destroys something, and why it hurts.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// What happens, for people.
    pub why: &'static str,
    /// The line of shell, run in the scene's project. In the scene of a cluster `CONTEXT` and `NAMESPACE` stand for those of
    /// the scene.
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
    /// Its targets lie outside of the drill's directory: it is rehearsed only where somebody names it.
    pub asked: bool,
    /// It works in a namespace of a cluster, which somebody has to name: never in one that happens to be current.
    pub in_cluster: bool,
    /// What its scene needs of what the user named.
    pub given: Option<fn(&Ground<'_>) -> Result<Given>>,
    /// Makes the target in the scene's project.
    pub build: fn(&Scene) -> Result<()>,
    /// What destroys it, each from the state that `build` left.
    pub incidents: &'static [Incident],
    /// What destroys it so that it comes back as something new, run after the others: all is there again but identities,
    /// and undo, which is asked to change infrastructure, says what is not what it was (exit code 3).
    pub anew: &'static [Incident],
    /// Looks at the target by other means than `fr`'s own.
    pub look: fn(&Scene) -> Result<Look>,
    /// Removes what it made outside of the scene's directory, however the rehearsal went.
    pub clear: Option<fn(&Scene) -> Result<()>>,
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
pub const SCENARIOS: &[Scenario] = &[
    files::SCENARIO,
    git::SCENARIO,
    git_remote::SCENARIO,
    terraform::SCENARIO,
    sqlite::SCENARIO,
    postgres::SCENARIO,
    mysql::SCENARIO,
    redis::SCENARIO,
    docker::SCENARIO,
    aws::SCENARIO,
    kubernetes::SCENARIO,
];

/// Their names.
pub fn systems() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|s| s.system)
}

/// Those with these names, in the order of the table; where none is named, all that can be rehearsed here or should be.
/// Those that work in a cluster only where its context is named; those of a server that is named always.
///
/// # Errors
/// Where a context is wanted and not named, or the other way round.
pub fn by_systems(
    names: &[String],
    context: Option<&str>,
    servers: &[Server],
) -> Result<Vec<&'static Scenario>> {
    let is_named = |s: &&Scenario| names.iter().any(|name| name == s.system);
    let clustered: Vec<&Scenario> = SCENARIOS.iter().filter(|s| s.in_cluster).collect();
    if context.is_none()
        && let Some(one) = clustered.iter().find(|s| is_named(s))
    {
        return Err(Error::new(ExitCode::Usage, format!("the drill of {} needs a cluster to work in", one.system))
            .hint("--context NAME names a context of your kubeconfig; a namespace of its own is made there and deleted"));
    }
    if context.is_some() && !names.is_empty() && !clustered.iter().any(is_named) {
        let why = "--context is for the drill of kubernetes, which is not among these systems";
        return Err(Error::new(ExitCode::Usage, why));
    }
    let is_served = |s: &Scenario| servers.iter().any(|server| server.system == s.system);
    if !names.is_empty()
        && let Some(server) = servers.iter().find(|server| !names.iter().any(|name| name == server.system))
    {
        let why = format!(
            "--server {} is for the drill of {}, which is not among these systems",
            server.url, server.system
        );
        return Err(Error::new(ExitCode::Usage, why));
    }
    let is_here = |s: &&Scenario| match s.in_cluster {
        true => context.is_some(),
        false if is_served(s) => true,
        false => !s.asked && (!s.optional || missing_tool(s.needs).is_none()),
    };
    let wanted = |s: &&Scenario| (names.is_empty() && is_here(s)) || is_named(s);
    Ok(SCENARIOS.iter().filter(wanted).collect())
}
