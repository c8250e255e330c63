//! What people have marked as production (`[production]` in the settings), and whether a command reaches it.

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use super::Config;
use super::alarm::{self, Reaction};
use crate::error::{Error, Result};
use crate::intake::Request;
use crate::model::{
    ActorKind, Alarm, Bytes, Capture, Context, ContextKind, Effect, EffectClass, Locator, SystemId, Verdict,
};
use crate::platform::home::Home;
use crate::systems;

/// Patterns, a list for each kind of place. `*` stands for anything but a slash, `**` for anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Production {
    /// Branches and tags of remote repositories: `main`, `release/*`, `origin/main`.
    pub branches: Vec<String>,
    /// Kubernetes contexts, and URLs of servers.
    pub clusters: Vec<String>,
    /// Accounts, projects and subscriptions of clouds, and profiles.
    pub accounts: Vec<String>,
    /// Databases, their servers, or `server/database`.
    pub databases: Vec<String>,
    /// Workspaces of terraform.
    pub workspaces: Vec<String>,
    /// Absolute paths: `/srv/**`.
    pub paths: Vec<String>,
    /// Machines whose container engine is spoken to.
    pub hosts: Vec<String>,
    /// What happens when an agent destroys something there.
    pub reaction: Reaction,
}

impl Default for Production {
    fn default() -> Production {
        let none = Vec::new;
        Production {
            branches: none(),
            clusters: none(),
            accounts: none(),
            databases: none(),
            workspaces: none(),
            paths: none(),
            hosts: none(),
            reaction: Reaction::Alert,
        }
    }
}

/// Why something counts as production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The resource.
    pub resource: String,
    /// Its place.
    pub context: Context,
    /// The pattern that the place matches.
    pub pattern: String,
}

impl Match {
    /// `cluster prod-eu`, for sentences.
    pub fn place(&self) -> String {
        self.context.words()
    }
}

impl Production {
    /// The patterns of a kind, and the name of their list.
    pub fn patterns(&self, kind: ContextKind) -> (&'static str, &[String]) {
        match kind {
            ContextKind::Branch | ContextKind::Tag => ("branches", &self.branches),
            ContextKind::Cluster => ("clusters", &self.clusters),
            ContextKind::Account => ("accounts", &self.accounts),
            ContextKind::Database => ("databases", &self.databases),
            ContextKind::Workspace => ("workspaces", &self.workspaces),
            ContextKind::Path => ("paths", &self.paths),
            ContextKind::Host => ("hosts", &self.hosts),
        }
    }

    /// True where nothing is marked.
    pub fn is_empty(&self) -> bool {
        KINDS.iter().all(|kind| self.patterns(*kind).1.is_empty())
    }

    /// Checks every pattern.
    ///
    /// # Errors
    /// Names the first one that is none.
    pub fn check(&self) -> Result<()> {
        for kind in KINDS {
            let (list, patterns) = self.patterns(kind);
            for pattern in patterns {
                Glob::new(pattern).map_err(|e| {
                    Error::failure(format!("production.{list}: {pattern:?} is no pattern: {}", e.kind()))
                })?;
                if kind == ContextKind::Path && !pattern.starts_with(['/', '*']) {
                    let what = format!("production.paths: {pattern:?} matches nothing");
                    return Err(Error::failure(what).hint("paths are absolute: `/srv/**`"));
                }
            }
        }
        Ok(())
    }

    /// The first place of a resource that is production.
    pub fn find(&self, system: &SystemId, resource: &Bytes, locator: Option<&Locator>) -> Option<Match> {
        if self.is_empty() {
            return None;
        }
        let contexts = systems::contexts(system, resource, locator);
        contexts.into_iter().find_map(|context| {
            let (_, patterns) = self.patterns(context.kind);
            let pattern = patterns.iter().find(|pattern| covers(pattern, &context))?;
            Some(Match { resource: resource.lossy().into_owned(), pattern: pattern.clone(), context })
        })
    }

    /// The pattern that marks a place.
    pub fn pattern_for(&self, context: &Context) -> Option<&str> {
        let (_, patterns) = self.patterns(context.kind);
        patterns.iter().find(|pattern| covers(pattern, context)).map(String::as_str)
    }

    /// The same of an effect: by its words, and by what was found out when it was captured.
    pub fn of_effect(&self, effect: &Effect, captures: &[Capture]) -> Option<Match> {
        let by_words = || self.find(&effect.system, &effect.resource, effect.locator.as_ref());
        let by_capture = || {
            let own = captures.iter().filter(|capture| capture.system == effect.system);
            own.into_iter().find_map(|c| self.find(&c.system, &c.resource, Some(&c.locator)))
        };
        by_words()
            .or_else(by_capture)
            .map(|found| Match { resource: effect.resource.lossy().into_owned(), ..found })
    }
}

/// Raises the alarm where an agent is about to destroy production, or to remove its safety net; what it is to be told.
pub(super) fn look(
    request: &Request,
    effects: &[Effect],
    captures: &[Capture],
    home: &Home,
) -> Option<Verdict> {
    let counts = |e: &&Effect| matches!(e.class, EffectClass::Destroy | EffectClass::Weaken);
    if request.actor.kind != ActorKind::Agent || !effects.iter().any(|effect| counts(&effect)) {
        return None;
    }
    let production = Config::load(home).ok()?.production;
    if production.reaction == Reaction::Off {
        return None;
    }
    let found = effects.iter().filter(counts).find_map(|effect| production.of_effect(effect, captures))?;
    let what = format!("{} ({})", found.resource, found.place());
    let alarm = Alarm {
        of: request.session.clone(),
        agent: request.actor.name.clone(),
        commands: 1,
        seconds: 0,
        reaction: production.reaction.as_str().to_owned(),
        production: Some(what.clone()),
    };
    let (list, _) = production.patterns(found.context.kind);
    let reason = format!("this destroys production: {what} [production.{list}: {}]", found.pattern);
    alarm::react(&alarm, &reason, production.reaction, true, request, home)
}

/// Every kind of place, in the order of the settings.
pub const KINDS: [ContextKind; 7] = [
    ContextKind::Branch,
    ContextKind::Cluster,
    ContextKind::Account,
    ContextKind::Database,
    ContextKind::Workspace,
    ContextKind::Path,
    ContextKind::Host,
];

fn covers(pattern: &str, context: &Context) -> bool {
    let is_match = |pattern: &str| matcher(pattern).is_some_and(|matcher| matcher.is_match(&context.name));
    // All that is in a directory is the directory: `/srv/app/**` is `/srv/app`, too.
    if is_match(pattern) || pattern.strip_suffix("/**").is_some_and(is_match) {
        return true;
    }
    // What holds production holds all of it: `rm -rf /srv` where `/srv/app/**` is marked.
    let fixed = pattern.split(['*', '?', '[', '{']).next().unwrap_or_default().trim_end_matches('/');
    context.kind == ContextKind::Path
        && !fixed.is_empty()
        && std::path::Path::new(fixed).starts_with(&context.name)
}

fn matcher(pattern: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(pattern).literal_separator(true).build().ok().map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contexts;

    #[test]
    fn patterns_match_whole_names() {
        let branch = |name: &str| contexts(ContextKind::Branch, [name]).remove(0);
        assert!(covers("main", &branch("main")) && covers("release/*", &branch("release/1.2")));
        assert!(!covers("main", &branch("maintenance")) && !covers("release/*", &branch("release/1/x")));
        assert!(covers("{main,prod}", &branch("prod")) && covers("**/main", &branch("origin/main")));
    }

    #[test]
    fn what_holds_production_is_production() {
        let path = |name: &str| contexts(ContextKind::Path, [name]).remove(0);
        assert!(covers("/srv/app/**", &path("/srv/app/a/b")) && covers("/srv/app/**", &path("/srv")));
        assert!(covers("/srv/app", &path("/")) && !covers("/srv/app/**", &path("/srv/other")));
        assert!(!covers("**/secret", &path("/srv")));
        assert!(covers("**/build/**", &path("/work/build")) && !covers("**/build/**", &path("/work/builds")));
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        let broken = Production { branches: vec!["ma[in".into()], ..Production::default() };
        assert!(broken.check().unwrap_err().what.contains("production.branches"));
        let relative = Production { paths: vec!["srv/**".into()], ..Production::default() };
        assert!(relative.check().unwrap_err().what.contains("matches nothing"));
        assert!(Production::default().check().is_ok());
    }
}
