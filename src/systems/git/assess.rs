//! What git commands will do, from their words alone. Global options and aliases given on the command line are read
//! first; then each sub-command has its reader. One command is several effects, captured once: the first carries the
//! locator.

mod command;
mod history;
mod keep;
mod push;
mod refs;
mod stash;
mod switch;
mod tree;
mod verbs;
mod words;

pub use command::Git;
pub use words::{carried_shell_alias, unknown_verb};

use super::super::AssessCx;
use crate::model::{Bytes, Effect, Invocation, Locator, Word};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &["git", "git-filter-repo", "git-lfs", "hub"];

/// What the capture of a command covers that may do anything.
pub const ANYTHING: &str = "refs,index,worktree,stash,config,modules,rerere,lfs";

/// What an invocation of git does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some((mut git, mut locator)) = words::open(inv, cx) else { return Vec::new() };
    if git.verb.is_empty() || words::asks(&git) {
        return Vec::new();
    }
    if let Some(effects) = words::alias(&mut git) {
        git.effects = effects;
    }
    let what = verbs::dispatch(&mut git);
    note_push(&git, &mut locator);
    if !git.files.is_empty() {
        locator.opts.insert(FILES.to_owned(), Bytes(git.files.join(&0)));
    }
    let what = if what.is_empty() { ANYTHING } else { what };
    let what = if recurses(&git) { format!("{what},modules") } else { what.to_owned() };
    if let Some(first) = git.effects.first_mut() {
        locator.opts.insert("what".into(), Bytes::from(what));
        // Where the directory is not known there is nothing to find.
        first.locator = (!locator.at.is_empty()).then_some(locator);
    }
    git.effects
}

/// The command goes on into submodules.
fn recurses(git: &Git<'_>) -> bool {
    let asked = git.args.iter().filter_map(Word::as_str).any(|w| w.starts_with("--recurse-submodules"));
    let set = git.setting("submodule.recurse").is_some_and(|v| !matches!(v, "false" | "no" | "off" | "0"));
    (asked || set) && !matches!(git.verb.as_str(), "push" | "clone")
}

/// Option of a locator: paths that the files system captures for this command, separated by NUL. `new:` before one says
/// that it counts only where nothing is there yet; `$GIT/` at its start is the shared git directory, `$TOP/` the top of
/// the working tree.
pub const FILES: &str = "files";
/// Option of a locator: the push forces and deletes nothing, by its words.
pub const PUSH_PLAIN: &str = "push-plain";
/// Of a locator, unsaid, since a URL may hold a password: the remote of a push.
pub const PUSH_TO: &str = "push-to";
/// Of a locator, unsaid: the arguments of that push, normalised and separated by NUL, where all of them are certain.
pub const PUSH_ARGS: &str = "push-args";
/// Of a locator, unsaid: the words of the push leave open which refs it is about: [`OPEN_HEAD`] or [`OPEN_REFS`], and
/// [`OPEN_MOVED`] where something before it in its line may decide that anew.
pub const PUSH_OPEN: &str = "push-open";
/// It is about the branch that is checked out.
pub const OPEN_HEAD: &str = "head";
/// It is about the branches and tags that there are.
pub const OPEN_REFS: &str = "refs";
/// It is not known before the line runs.
pub const OPEN_MOVED: &str = "moved";
/// Of a locator, unsaid: the `-c` settings of that push, separated by NUL. They may hold a header with a token.
pub const SETTINGS: &str = "settings";

/// What the capture of a push's other side needs.
fn note_push(git: &Git<'_>, locator: &mut Locator) {
    if !matches!(git.verb.as_str(), "push" | "send-pack") || git.effects.is_empty() {
        return;
    }
    let Some((to, args)) = push::normalised(&git.args) else { return };
    locator.unsaid.insert(PUSH_TO.to_owned(), Bytes::from(to));
    if let Some(args) = args.filter(|_| git.dynamic.is_none()) {
        let open = match push::leaves_open(&args) {
            push::Open::Nothing => None,
            push::Open::Head => Some(OPEN_HEAD),
            push::Open::Refs => Some(OPEN_REFS),
        };
        locator.unsaid.extend(open.map(|open| (PUSH_OPEN.to_owned(), open.into())));
        locator.unsaid.insert(PUSH_ARGS.to_owned(), Bytes(args.join(&0)));
    }
    if !git.effects.iter().any(|e| e.class.is_destructive()) {
        locator.opts.insert(PUSH_PLAIN.to_owned(), "true".into());
    }
    if !git.settings.is_empty() {
        let settings: Vec<String> = git.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
        locator.unsaid.insert(SETTINGS.to_owned(), Bytes::from(settings.join("\0")));
    }
}
