//! What earlier commands of a line decide about which refs a later push of it is about: `git checkout topic && git push`, `git tag
//! v2 && git push --tags`, `npm version patch && git push --follow-tags`. When the line is read none of that has happened yet.

use crate::model::{Effect, EffectClass, Invocation};
use crate::systems::git::assess::{OPEN_HEAD, OPEN_MOVED, OPEN_REFS, PUSH_OPEN};

/// Verbs of git after which the same branch is checked out, and there are the same branches and tags.
const STEADY: &[&str] = &[
    "add",
    "am",
    "apply",
    "cherry-pick",
    "clean",
    "commit",
    "describe",
    "diff",
    "gc",
    "log",
    "ls-files",
    "ls-remote",
    "merge",
    "mv",
    "push",
    "remote",
    "reset",
    "restore",
    "rev-list",
    "rev-parse",
    "revert",
    "rm",
    "show",
    "stash",
    "status",
];

/// Verbs that may bring branches or tags, and leave the one that is checked out.
const BRINGING: &[&str] = &["fetch", "pull", "tag"];

/// The command lines of forges: `gh pr checkout 12` changes to a branch.
const FORGES: &[&str] = &["gh", "glab", "hub"];

/// What stands of what a push goes by, so far in the line.
pub struct Aims {
    head: bool,
    refs: bool,
}

impl Aims {
    /// Before the line's first command: all of it, unless the line has parts that cannot be read (`eval "$X" && git push`).
    pub fn new(is_readable: bool) -> Aims {
        Aims { head: is_readable, refs: is_readable }
    }

    /// Marks a push that goes by something which no longer stands.
    pub fn mark(&self, effects: &mut [Effect]) {
        for locator in effects.iter_mut().filter_map(|effect| effect.locator.as_mut()) {
            let open = locator.unsaid.get(PUSH_OPEN).and_then(|open| open.as_str());
            let stands = match open {
                Some(OPEN_HEAD) => self.head,
                Some(OPEN_REFS) => self.refs,
                _ => continue,
            };
            match stands {
                true => drop(locator.unsaid.remove(PUSH_OPEN)),
                false => drop(locator.unsaid.insert(PUSH_OPEN.to_owned(), OPEN_MOVED.into())),
            }
        }
    }

    /// Takes in what a command may have decided.
    pub fn learn(&mut self, inv: &Invocation, effects: &[Effect]) {
        let has = |word: &str| inv.args().iter().filter_map(|arg| arg.as_str()).any(|arg| arg == word);
        let program = inv.program().unwrap_or_default();
        if program != "git" {
            // What nobody knows may do anything to the repository.
            let is_opaque = effects.iter().any(|effect| effect.class == EffectClass::Opaque);
            let checks_out = FORGES.contains(&program) && (has("checkout") || has("co") || has("sync"));
            let stands = !is_opaque && !checks_out;
            (self.head, self.refs) = (self.head && stands, self.refs && stands);
            return;
        }
        // A command that changes nothing decides nothing.
        if effects.iter().all(|effect| effect.class == EffectClass::None) {
            return;
        }
        let verb = inv.args().iter().filter_map(|word| word.as_str()).find(|word| is_verb(word));
        match verb {
            Some("stash") if has("branch") => (self.head, self.refs) = (false, false),
            Some(verb) if STEADY.contains(&verb) => {}
            Some(verb) if BRINGING.contains(&verb) => self.refs = false,
            // Files, not a branch.
            Some("checkout") if has("--") => {}
            _ => (self.head, self.refs) = (false, false),
        }
    }
}

/// A word that can be one: what stands before it are options and their values.
fn is_verb(word: &str) -> bool {
    !word.starts_with('-') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}
