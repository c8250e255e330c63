//! What changes the index and the working tree.

use super::Git;
use crate::model::{EffectClass as C, Word};
use crate::shell::options::{Options, Spec, read};

fn is_pathlike(word: &Word) -> bool {
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

/// `git reset`
pub fn reset(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            long: &["--pathspec-from-file"],
            flags: &[
                "--hard",
                "--soft",
                "--mixed",
                "--merge",
                "--keep",
                "--patch",
                "--quiet",
                "--intent-to-add",
                "--no-refresh",
            ],
            ..Spec::default()
        },
        &args,
    );
    let mode = found.last(&["--hard", "--soft", "--mixed", "--merge", "--keep"]);
    let rev = found.operands.first().filter(|_| found.before_dashes > 0 && found.operands.len() == 1);
    let moves = rev.is_some_and(|w| !matches!(w.as_str(), Some("HEAD" | "@")) && !is_pathlike(w));
    match mode {
        Some("--hard") => {
            if moves {
                git.local(C::Overwrite, "HEAD branch");
            }
            git.add(C::Overwrite, "git:index");
            git.add(C::Overwrite, "dyn:tracked files that differ");
        }
        Some("--merge" | "--keep") => {
            if moves {
                git.local(C::Overwrite, "HEAD branch");
            }
            git.add(C::Overwrite, "git:index");
            git.add(C::Overwrite, "dyn:files differing index vs HEAD");
        }
        Some("--soft") => git.local(C::Overwrite, "HEAD branch"),
        _ => {
            if moves {
                git.local(C::Overwrite, "HEAD branch");
            }
            git.add(C::Mutate, "git:index");
        }
    }
    "refs,index,worktree"
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

/// `git clean`: without `-f` it refuses, unless the configuration says otherwise.
pub fn clean(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            short: "e",
            long: &["--exclude"],
            flags: &["--force", "--dry-run", "--interactive", "--quiet"],
            ..Spec::default()
        },
        &args,
    );
    if found.has(&["-n", "--dry-run"]) {
        return "";
    }
    let allowed =
        git.setting("clean.requireForce").is_some_and(|v| matches!(v, "false" | "no" | "off" | "0"));
    if !found.has(&["-f", "--force", "-i", "--interactive"]) && !allowed {
        return "";
    }
    let ignored = found.has(&["-x", "-X"]);
    let nested = found.options.iter().filter(|(n, _)| n == "-f" || n == "--force").count() > 1;
    let mut what = if found.has(&["-X"]) {
        "ignored files"
    } else if ignored {
        "untracked and ignored files"
    } else {
        "untracked files"
    }
    .to_owned();
    if nested {
        what.push_str(", nested repositories");
    }
    git.add(C::Destroy, format!("dyn:{what}, as git clean -n lists them"));
    match (ignored, nested) {
        (true, true) => "worktree,ignored,nested",
        (true, false) => "worktree,ignored",
        (false, true) => "worktree,nested",
        (false, false) => "worktree",
    }
}

/// `git rm`
pub fn rm(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            long: &["--pathspec-from-file"],
            flags: &["--cached", "--dry-run", "--force", "--ignore-unmatch", "--quiet", "--sparse"],
            ..Spec::default()
        },
        &args,
    );
    if found.has(&["-n", "--dry-run"]) {
        return "";
    }
    if found.has(&["--cached"]) {
        git.add(C::Mutate, "git:index");
        return "index";
    }
    git.paths(C::Destroy, &found.operands, "tracked files");
    if let Some(source) = git.dynamic {
        git.add(C::Destroy, format!("dyn:{source}"));
    }
    git.add(C::Mutate, "git:index");
    "index,worktree"
}

/// `git mv`
pub fn mv(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(&Spec { flags: &["--dry-run", "--force", "--verbose"], ..Spec::default() }, &args);
    if found.has(&["-n", "--dry-run"]) {
        return "";
    }
    let class = if found.has(&["-f", "--force"]) { C::Overwrite } else { C::Mutate };
    git.paths(class, &found.operands, "tracked files");
    git.add(C::Mutate, "git:index");
    "index,worktree"
}

/// `git add`
pub fn add(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            long: &["--chmod", "--pathspec-from-file"],
            flags: &["--dry-run", "--all", "--update", "--force", "--intent-to-add", "--patch", "--refresh"],
            ..Spec::default()
        },
        &args,
    );
    if !found.has(&["-n", "--dry-run"]) {
        git.add(C::Mutate, "git:index");
    }
    "index"
}

/// `git apply`
pub fn apply(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            short: "pC",
            long: &["--directory", "--exclude", "--include", "--whitespace", "--build-fake-ancestor"],
            flags: &[
                "--check",
                "--stat",
                "--numstat",
                "--summary",
                "--index",
                "--cached",
                "--reverse",
                "--3way",
                "--reject",
                "--apply",
                "--verbose",
            ],
            ..Spec::default()
        },
        &args,
    );
    if found.has(&["--check", "--stat", "--numstat", "--summary"]) && !found.has(&["--apply"]) {
        return "";
    }
    if !found.has(&["--cached"]) {
        git.add(C::Overwrite, "dyn:files named in the patch");
    }
    if found.has(&["--index", "--cached", "-3", "--3way"]) {
        git.add(C::Mutate, "git:index");
    }
    "index,worktree"
}

/// Plumbing of index and working tree.
pub fn plumbing(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            attached: "m",
            flags: &["--all", "--force", "--reset", "--dry-run", "--empty"],
            ..Spec::default()
        },
        &args,
    );
    match git.verb.as_str() {
        "checkout-index" => {
            let class = if found.has(&["-f", "--force"]) { C::Overwrite } else { C::Create };
            if found.has(&["-a", "--all", "--stdin"]) || found.operands.is_empty() {
                git.add(class, "dyn:tracked files");
            } else {
                git.paths(class, &found.operands, "tracked files");
            }
        }
        "read-tree" => {
            if found.has(&["-n", "--dry-run"]) {
                return "";
            }
            git.add(C::Overwrite, "git:index");
            if found.has(&["-u"]) {
                git.add(C::Overwrite, "dyn:tracked files that differ");
            }
        }
        "sparse-checkout" => {
            if matches!(found.operands.first().and_then(|w| w.as_str()), Some("list" | "check-rules") | None)
            {
                return "";
            }
            git.add(C::Mutate, "git:config core.sparseCheckout");
            git.add(C::Overwrite, "dyn:files outside the sparse set");
        }
        "write-tree" => return "",
        _ => git.add(C::Mutate, "git:index"),
    }
    "index,worktree,config"
}

/// `git stash`
pub fn stash(git: &mut Git<'_>) -> &'static str {
    const WHAT: &str = "stash,index,worktree";
    let args = git.args.clone();
    let (verb, rest) = match args.split_first() {
        Some((first, rest)) if !first.text.as_slice().starts_with(b"-") => {
            (first.text.lossy().into_owned(), rest)
        }
        _ => ("push".to_owned(), args.as_slice()),
    };
    let entry = rest.iter().filter_map(Word::as_str).find(|w| !w.starts_with('-'));
    let entry = match entry {
        None => "stash@{0}".to_owned(),
        Some(n) if n.bytes().all(|c| c.is_ascii_digit()) => format!("stash@{{{n}}}"),
        Some(name) => name.to_owned(),
    };
    match verb.as_str() {
        "list" | "show" | "create" => return "",
        "drop" => git.add(C::Destroy, format!("git:{entry}")),
        "clear" => git.add(C::Destroy, "git:stash"),
        "pop" => {
            git.add(C::Mutate, format!("git:{entry}"));
            git.add(C::Mutate, "git:worktree");
        }
        "apply" => git.add(C::Mutate, "git:worktree"),
        "branch" => {
            let name = rest.first().map_or_else(String::new, |w| w.text.lossy().into_owned());
            git.local(C::Create, &format!("refs/heads/{name}"));
            git.local(C::Create, "HEAD");
            git.add(C::Mutate, "git:stash@{0}");
            return "refs,stash,index,worktree";
        }
        "store" => git.add(C::Create, "git:stash"),
        "push" | "save" => {
            for part in ["git:stash", "git:worktree", "git:index"] {
                git.add(C::Mutate, part);
            }
        }
        _ => git.add(C::Opaque, format!("dyn:git stash {verb}")),
    }
    WHAT
}
