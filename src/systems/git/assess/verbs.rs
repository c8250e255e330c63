//! Which reader knows which sub-command.

use super::{ANYTHING, Git, history, keep, push, refs, stash, switch, tree};
use crate::model::{EffectClass, Word};

/// Sub-commands that change nothing, whatever their options are (`--output` of diff and log is looked at first).
const READERS: &[&str] = &[
    "status",
    "log",
    "diff",
    "show",
    "grep",
    "ls-files",
    "ls-tree",
    "ls-remote",
    "rev-parse",
    "rev-list",
    "blame",
    "annotate",
    "describe",
    "shortlog",
    "cat-file",
    "for-each-ref",
    "show-ref",
    "name-rev",
    "merge-base",
    "var",
    "version",
    "help",
    "whatchanged",
    "count-objects",
    "fsck",
    "check-ignore",
    "check-attr",
    "check-ref-format",
    "check-mailmap",
    "cherry",
    "range-diff",
    "diff-tree",
    "diff-index",
    "diff-files",
    "verify-commit",
    "verify-tag",
    "verify-pack",
    "show-branch",
    "show-index",
    "get-tar-commit-id",
    "merge-tree",
    "patch-id",
    "stripspace",
    "column",
    "fmt-merge-msg",
    "request-pull",
    "diagnose",
    "gitk",
    "fast-export",
    "last-modified",
    "survey",
];

/// Calls the reader of the sub-command; tells what its capture must cover.
pub fn dispatch(git: &mut Git<'_>) -> &'static str {
    let verb = git.verb.clone();
    match verb.as_str() {
        "push" | "send-pack" => push::push(git),
        "fetch" => push::fetch(git),
        "pull" => push::pull(git),
        "remote" => push::remote(git),
        "clone" => push::clone(git),
        "reset" => tree::reset(git),
        "checkout" => switch::checkout(git),
        "switch" => switch::switch(git),
        "restore" => switch::restore(git),
        "clean" => tree::clean(git),
        "rm" => tree::rm(git),
        "mv" => tree::mv(git),
        "add" | "stage" => tree::add(git),
        "apply" => tree::apply(git),
        "checkout-index" | "read-tree" | "update-index" | "write-tree" | "sparse-checkout" => {
            tree::plumbing(git)
        }
        "stash" => stash::stash(git),
        "branch" => refs::branch(git),
        "tag" => refs::tag(git),
        "update-ref" => refs::update_ref(git),
        "symbolic-ref" => refs::symbolic_ref(git),
        "notes" => refs::notes(git),
        "replace" => refs::replace(git),
        "bisect" => refs::bisect(git),
        "commit" => history::commit(git),
        "merge" => history::merge(git),
        "rebase" => history::rebase(git),
        "cherry-pick" | "revert" | "am" => history::replay(git),
        "filter-branch" | "filter-repo" | "fast-import" => history::filter(git),
        "gc" | "prune" | "repack" | "maintenance" | "reflog" | "lfs" | "pack-refs" | "rerere"
        | "prune-packed" | "pack-objects" | "commit-graph" | "multi-pack-index" => keep::keep(git),
        "refs" | "repo" if asks_only(git) => "",
        "worktree" => keep::worktree(git),
        "submodule" => keep::submodule(git),
        "config" => keep::config(git),
        "init" | "archive" | "bundle" | "format-patch" | "hash-object" | "commit-tree" | "mktree"
        | "unpack-objects" | "index-pack" | "mktag" => keep::made(git),
        "interpret-trailers" | "merge-file" | "send-email" | "imap-send" | "credential" => keep::others(git),
        "difftool" | "mergetool"
            if git.args.iter().any(|w| w.as_str().is_some_and(|t| t == "--tool-help")) =>
        {
            ""
        }
        reader if READERS.contains(&reader) => {
            if reader == "fsck" && git.args.iter().any(|w| w.as_str() == Some("--lost-found")) {
                git.path(EffectClass::Create, &Word::literal(".git/lost-found"));
            }
            let out = git
                .args
                .iter()
                .filter_map(Word::as_str)
                .find_map(|w| w.strip_prefix("--output="))
                .map(Word::literal);
            if let Some(out) = out {
                git.path(EffectClass::Overwrite, &out);
            }
            "worktree"
        }
        // An alias of the configuration or a program `git-…` on the path: not knowable here.
        _ => {
            git.add(EffectClass::Opaque, format!("dyn:git {verb}"));
            ANYTHING
        }
    }
}

/// `git refs` and `git repo` with a verb that changes nothing.
fn asks_only(git: &Git<'_>) -> bool {
    let verb = git.args.first().and_then(Word::as_str);
    matches!(verb, Some("list" | "exists" | "verify" | "info" | "structure"))
}
