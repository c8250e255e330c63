//! What changes the index and the working tree.

use super::Git;
use super::switch::is_pathlike;
use crate::model::EffectClass as C;
use crate::shell::options::{Spec, read};

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
    if let Some(list) = found.value(&["--pathspec-from-file"]) {
        git.add(C::Destroy, format!("dyn:paths listed in {}", list.text.lossy()));
    }
    git.add(C::Mutate, "git:index");
    // git moves the repository of a submodule that has it in its work tree.
    "index,worktree,embedded"
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
            long: &["--prefix", "--stage"],
            flags: &["--all", "--force", "--reset", "--dry-run", "--empty"],
            ..Spec::default()
        },
        &args,
    );
    match git.verb.as_str() {
        "checkout-index" => {
            let class = if found.has(&["-f", "--force"]) { C::Overwrite } else { C::Create };
            let prefix = found.value(&["--prefix"]).filter(|word| word.text.as_slice().ends_with(b"/"));
            if let Some(prefix) = prefix {
                git.tree(class, prefix, false);
            } else if found.has(&["-a", "--all", "--stdin"]) || found.operands.is_empty() {
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
