//! Commits and what rewrites them.

use super::Git;
use crate::model::{EffectClass as C, Word};
use crate::shell::options::{Options, Spec, read};

/// What the capture covers. Ending an operation also forgets what `git rerere` noted of its conflicts.
fn covered(found: &Options<'_>) -> &'static str {
    match found.has(&["--abort", "--skip", "--continue", "--quit"]) {
        true => "refs,index,worktree,rerere",
        false => "refs,index,worktree",
    }
}

/// `git commit`
pub fn commit(git: &mut Git<'_>) -> &'static str {
    let spec = Spec {
        short: "mFCctS",
        long: &[
            "--message",
            "--file",
            "--reuse-message",
            "--reedit-message",
            "--author",
            "--date",
            "--template",
            "--fixup",
            "--squash",
            "--cleanup",
            "--trailer",
            "--pathspec-from-file",
        ],
        flags: &[
            "--amend",
            "--all",
            "--dry-run",
            "--no-edit",
            "--allow-empty",
            "--no-verify",
            "--signoff",
            "--patch",
            "--include",
            "--only",
            "--short",
            "--porcelain",
            "--quiet",
            "--verbose",
            "--interactive",
            "--edit",
            "--reset-author",
        ],
        ..Spec::default()
    };
    // `-S` takes its key only attached.
    let spec = Spec { short: "mFCct", attached: "Su", ..spec };
    let args = git.args.clone();
    let found = read(&spec, &args);
    if found.has(&["--dry-run", "--short", "--porcelain"]) {
        return "";
    }
    let amends = found.has(&["--amend"]);
    git.local(if amends { C::Overwrite } else { C::Create }, "HEAD branch");
    if found.has(&["-a", "--all", "-p", "--patch", "-i", "--include"]) || !found.operands.is_empty() {
        // The index takes what is committed: nothing in it is replaced that the commit does not hold.
        git.add(C::Create, "git:index");
    }
    "refs,index"
}

/// `git merge`
pub fn merge(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            short: "msXF",
            attached: "S",
            long: &["--message", "--strategy", "--strategy-option", "--file", "--into-name"],
            flags: &[
                "--abort",
                "--continue",
                "--quit",
                "--squash",
                "--no-ff",
                "--ff-only",
                "--no-commit",
                "--ff",
                "--no-edit",
            ],
            ..Spec::default()
        },
        &args,
    );
    if found.has(&["--abort"]) {
        git.add(C::Overwrite, "git:index");
        git.add(C::Overwrite, "git:worktree");
    } else if found.has(&["--squash", "--no-commit"]) {
        git.add(C::Mutate, "git:index");
        git.add(C::Mutate, "git:worktree");
    } else if found.has(&["--quit"]) {
        git.local(C::Mutate, "HEAD");
    } else {
        git.local(C::Mutate, "HEAD branch");
        git.add(C::Mutate, "git:worktree");
    }
    covered(&found)
}

/// `git rebase`
pub fn rebase(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    if args.iter().any(|w| matches!(w.as_str(), Some("--show-current-patch"))) {
        return "";
    }
    if args.iter().any(|w| w.as_str() == Some("--quit")) {
        git.local(C::Mutate, "HEAD");
        return "refs,index,worktree,rerere";
    }
    if args.iter().any(|w| w.as_str() == Some("--edit-todo")) {
        git.add(C::Mutate, "git:rebase in progress");
        return "refs";
    }
    let spec = Spec {
        short: "sXCx",
        long: &["--onto", "--exec", "--strategy", "--strategy-option"],
        flags: &[
            "--interactive",
            "--abort",
            "--continue",
            "--skip",
            "--autostash",
            "--root",
            "--keep-base",
            "--autosquash",
        ],
        ..Spec::default()
    };
    let found = read(&spec, &args);
    // `git rebase [--onto n] upstream branch` switches to the branch first; `--root` has no upstream.
    let at = usize::from(!found.has(&["--root"]));
    match found.operands.get(at).filter(|w| !matches!(w.as_str(), Some("HEAD" | "@"))) {
        Some(branch) if branch.certain => {
            git.local(C::Overwrite, &format!("refs/heads/{}", branch.text.lossy()));
            git.local(C::Mutate, "HEAD");
        }
        Some(branch) => git.add(C::Overwrite, format!("dyn:{}", branch.text.lossy())),
        None => git.local(C::Overwrite, "HEAD branch"),
    }
    if found.has(&["-x", "--exec"]) {
        git.add(C::Opaque, "dyn:rebase --exec");
    }
    covered(&found)
}

/// `git cherry-pick`, `git revert`, `git am`
pub fn replay(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            short: "mXC",
            attached: "S",
            long: &["--mainline", "--strategy", "--strategy-option", "--directory"],
            flags: &[
                "--abort",
                "--continue",
                "--skip",
                "--quit",
                "--no-commit",
                "--show-current-patch",
                "--no-edit",
            ],
            ..Spec::default()
        },
        &args,
    );
    if found.has(&["--show-current-patch"]) {
        return "";
    }
    if found.has(&["--abort"]) {
        git.local(C::Overwrite, "HEAD branch");
        git.add(C::Overwrite, "git:index");
        git.add(C::Overwrite, "git:worktree");
    } else if found.has(&["-n", "--no-commit"]) {
        git.add(C::Mutate, "git:index");
        git.add(C::Mutate, "git:worktree");
    } else if found.has(&["--quit"]) {
        git.local(C::Mutate, "HEAD");
    } else {
        git.local(C::Create, "HEAD branch");
    }
    covered(&found)
}

/// What rewrites whole histories.
pub fn filter(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let asks = |names: &[&str]| args.iter().filter_map(Word::as_str).any(|w| names.contains(&w));
    match git.verb.as_str() {
        "filter-repo" => {
            if asks(&["--dry-run", "--analyze", "-h", "--version"]) {
                return "";
            }
            git.add(C::Overwrite, "dyn:all refs");
            git.add(C::Overwrite, "git:config remotes");
        }
        "filter-branch" => git.add(C::Overwrite, "dyn:all rewritten refs"),
        _ => git.add(C::Overwrite, "dyn:refs of the stream"),
    }
    "refs,index,worktree,stash,config,objects,modules"
}
