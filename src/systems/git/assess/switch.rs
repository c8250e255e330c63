//! What moves HEAD or overwrites files with what a commit has: checkout, switch, restore.

use super::Git;
use crate::model::{EffectClass as C, Word};
use crate::shell::options::{Options, Spec, read};

/// True where a word that could be a revision is rather a path.
pub fn is_pathlike(word: &Word) -> bool {
    let text = word.text.lossy();
    if text == "."
        || text.ends_with('/')
        || text.starts_with("./")
        || text.starts_with("../")
        || text.starts_with(':')
        || word.glob
    {
        return true;
    }
    let last = text.rsplit('/').next().unwrap_or_default();
    let extension = last.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, e)| e);
    let version = last.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    !version
        && !text.contains("..")
        && extension
            .is_some_and(|e| !e.is_empty() && e.len() <= 6 && e.bytes().all(|c| c.is_ascii_alphanumeric()))
}

/// `git checkout`
pub fn checkout(git: &mut Git<'_>) -> &'static str {
    const WHAT: &str = "refs,index,worktree,config";
    let args = git.args.clone();
    let spec = Spec {
        short: "bB",
        long: &["--orphan", "--conflict", "--pathspec-from-file"],
        flags: &[
            "--force",
            "--detach",
            "--ours",
            "--theirs",
            "--merge",
            "--patch",
            "--track",
            "--no-track",
            "--quiet",
            "--guess",
            "--no-guess",
            "--overlay",
            "--no-overlay",
            "--recurse-submodules",
            "--ignore-other-worktrees",
            "--progress",
        ],
        ..Spec::default()
    };
    let found = read(&spec, &args);
    let force = found.has(&["-f", "--force"]);
    for (option, class) in [("-b", C::Create), ("-B", C::Overwrite), ("--orphan", C::Create)] {
        if let Some(name) = found.value(&[option]) {
            new_branch(git, class, name, force);
            return WHAT;
        }
    }
    if let Some(file) = found.value(&["--pathspec-from-file"]) {
        git.add(C::Overwrite, format!("dyn:paths listed in {}", file.text.lossy()));
        return WHAT;
    }
    if found.has(&["-p", "--patch"]) {
        git.add(C::Overwrite, "dyn:hunks chosen at the terminal");
        return WHAT;
    }
    if paths_of_checkout(git, &found) {
        return WHAT;
    }
    if force {
        if !found.operands.is_empty() {
            git.local(C::Overwrite, "HEAD");
        }
        git.add(C::Overwrite, "dyn:dirty files");
        return WHAT;
    }
    tracking_branch(git, &found);
    if !found.operands.is_empty() || found.has(&["--detach", "-d"]) {
        git.local(C::Mutate, "HEAD");
    }
    WHAT
}

/// The forms of checkout that overwrite files; false where it switches branches.
fn paths_of_checkout(git: &mut Git<'_>, found: &Options<'_>) -> bool {
    let (before, after) = found.operands.split_at(found.before_dashes.min(found.operands.len()));
    let (tree, paths): (Option<&Word>, Vec<&Word>) = if found.dashes {
        (before.first().copied(), after.to_vec())
    } else {
        match before {
            [first, second, ..] if is_pathlike(first) && is_pathlike(second) => (None, before.to_vec()),
            [first, rest @ ..] if !rest.is_empty() => (Some(first), rest.to_vec()),
            [only] if is_pathlike(only) || found.has(&["--ours", "--theirs"]) => (None, before.to_vec()),
            _ => return false,
        }
    };
    if paths.is_empty() && git.dynamic.is_none() {
        return false;
    }
    git.paths(C::Overwrite, &paths, "modified tracked files");
    if let Some(source) = git.dynamic {
        git.add(C::Overwrite, format!("dyn:{source}"));
    }
    if tree.is_some() {
        git.add(C::Overwrite, "git:index");
    }
    true
}

/// `--track origin/dev` without a name makes `dev` (git-checkout(1)).
fn tracking_branch(git: &mut Git<'_>, found: &Options<'_>) {
    let from =
        found.operands.first().filter(|_| found.has(&["-t", "--track"])).and_then(|word| word.as_str());
    let from = from.map(|name| name.trim_start_matches("refs/").trim_start_matches("remotes/").to_owned());
    if let Some((_, name)) = from.as_deref().and_then(|name| name.split_once('/')) {
        git.local(C::Create, &format!("refs/heads/{name}"));
    }
}

fn new_branch(git: &mut Git<'_>, class: C, name: &Word, force: bool) {
    if name.certain {
        git.local(class, &format!("refs/heads/{}", name.text.lossy()));
    } else {
        git.add(class, format!("dyn:{}", name.text.lossy()));
    }
    git.local(class, "HEAD");
    if force {
        git.add(C::Overwrite, "dyn:dirty files");
    }
}

/// `git switch`
pub fn switch(git: &mut Git<'_>) -> &'static str {
    const WHAT: &str = "refs,index,worktree,config";
    let args = git.args.clone();
    let spec = Spec {
        short: "cC",
        long: &["--create", "--force-create", "--orphan", "--conflict"],
        flags: &[
            "--discard-changes",
            "--force",
            "--detach",
            "--merge",
            "--track",
            "--no-track",
            "--guess",
            "--no-guess",
            "--quiet",
        ],
        ..Spec::default()
    };
    let found = read(&spec, &args);
    let force = found.has(&["-f", "--force", "--discard-changes"]);
    if let Some(name) = found.value(&["-C", "--force-create"]) {
        new_branch(git, C::Overwrite, name, force);
    } else if let Some(name) = found.value(&["-c", "--create", "--orphan"]) {
        new_branch(git, C::Create, name, force);
    } else if force {
        git.local(C::Overwrite, "HEAD");
        git.add(C::Overwrite, "dyn:dirty files");
    } else {
        tracking_branch(git, &found);
        git.local(C::Mutate, "HEAD");
    }
    WHAT
}

/// `git restore`
pub fn restore(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let spec = Spec {
        short: "s",
        long: &["--source", "--conflict", "--pathspec-from-file"],
        flags: &[
            "--staged",
            "--worktree",
            "--patch",
            "--ours",
            "--theirs",
            "--merge",
            "--quiet",
            "--overlay",
            "--no-overlay",
        ],
        ..Spec::default()
    };
    let found = read(&spec, &args);
    let staged = found.has(&["-S", "--staged"]);
    let worktree = found.has(&["-W", "--worktree"]) || !staged;
    if worktree {
        git.paths(C::Overwrite, &found.operands, "modified tracked files");
        if let Some(source) = git.dynamic {
            git.add(C::Overwrite, format!("dyn:{source}"));
        }
        let asked = found.has(&["-p", "--patch"]) && found.operands.is_empty();
        if asked || found.has(&["--pathspec-from-file"]) {
            git.add(C::Overwrite, "dyn:paths chosen at run time");
        }
    }
    if staged {
        git.add(if worktree { C::Overwrite } else { C::Mutate }, "git:index");
    }
    "index,worktree"
}
