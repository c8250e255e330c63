//! Branches, tags and other refs.

use super::Git;
use crate::model::{EffectClass as C, Word};
use crate::shell::options::{Spec, read};

fn text(word: &Word) -> String {
    word.text.lossy().into_owned()
}

fn each(git: &mut Git<'_>, class: C, words: &[&Word], prefix: &str) {
    for word in words {
        if word.certain {
            git.local(class, &format!("{prefix}{}", text(word)));
        } else {
            git.add(class, format!("dyn:{}", text(word)));
        }
    }
    if let Some(source) = git.dynamic {
        git.add(class, format!("dyn:{source}"));
    }
}

/// `git branch`
pub fn branch(git: &mut Git<'_>) -> &'static str {
    let spec = Spec {
        short: "u",
        long: &["--set-upstream-to", "--sort", "--format", "--points-at"],
        flags: &[
            "--delete",
            "--force",
            "--move",
            "--copy",
            "--list",
            "--all",
            "--remotes",
            "--verbose",
            "--show-current",
            "--edit-description",
            "--unset-upstream",
            "--contains",
            "--no-contains",
            "--merged",
            "--no-merged",
            "--track",
            "--no-track",
            "--column",
            "--abbrev",
            "--color",
            "--ignore-case",
            "--quiet",
        ],
        ..Spec::default()
    };
    let args = git.args.clone();
    let found = read(&spec, &args);
    let forced = found.has(&["-f", "--force"]);
    let prefix = if found.has(&["-r", "--remotes"]) { "refs/remotes/" } else { "refs/heads/" };
    if found.has(&["-d", "-D", "--delete"]) {
        each(git, C::Destroy, &found.operands, prefix);
        return "refs,config";
    }
    if found.has(&["-m", "-M", "--move"]) {
        let class = if forced || found.has(&["-M"]) { C::Overwrite } else { C::Mutate };
        if found.operands.len() == 1 {
            git.local(class, "HEAD branch");
        }
        each(git, class, &found.operands, "refs/heads/");
        return "refs,config";
    }
    if found.has(&["-c", "-C", "--copy"]) {
        let class = if forced || found.has(&["-C"]) { C::Overwrite } else { C::Create };
        let to: Vec<&Word> = found.operands.last().copied().into_iter().collect();
        each(git, class, &to, "refs/heads/");
        return "refs,config";
    }
    if found.has(&["-u", "--set-upstream-to", "--unset-upstream", "--edit-description"]) {
        let name = found.operands.first().map_or_else(|| "HEAD branch".to_owned(), |w| text(w));
        git.add(C::Mutate, format!("git:config branch.{name}"));
        return "config";
    }
    let lists = found.has(&[
        "-l",
        "--list",
        "-a",
        "--all",
        "-r",
        "--remotes",
        "--show-current",
        "--contains",
        "--no-contains",
        "--merged",
        "--no-merged",
        "--points-at",
        "--sort",
        "--format",
        "--column",
    ]);
    if lists || found.operands.is_empty() || found.has(&["-v", "--verbose"]) {
        return "";
    }
    let class = if forced { C::Overwrite } else { C::Create };
    let name: Vec<&Word> = found.operands.first().copied().into_iter().collect();
    each(git, class, &name, "refs/heads/");
    "refs,config"
}

/// `git tag`
pub fn tag(git: &mut Git<'_>) -> &'static str {
    let spec = Spec {
        short: "mFu",
        attached: "n",
        long: &["--message", "--file", "--local-user", "--sort", "--format", "--points-at", "--cleanup"],
        flags: &[
            "--delete",
            "--force",
            "--list",
            "--verify",
            "--annotate",
            "--sign",
            "--contains",
            "--no-contains",
            "--merged",
            "--no-merged",
            "--column",
        ],
        ..Spec::default()
    };
    let args = git.args.clone();
    let found = read(&spec, &args);
    if found.has(&["-d", "--delete"]) {
        each(git, C::Destroy, &found.operands, "refs/tags/");
        return "refs";
    }
    let lists = found.has(&[
        "-l",
        "--list",
        "-n",
        "-v",
        "--verify",
        "--contains",
        "--no-contains",
        "--merged",
        "--no-merged",
        "--points-at",
        "--sort",
        "--format",
    ]);
    let Some(name) = found.operands.first().filter(|_| !lists) else { return "" };
    let class = if found.has(&["-f", "--force"]) { C::Overwrite } else { C::Create };
    each(git, class, &[name], "refs/tags/");
    "refs"
}

/// `git update-ref`
pub fn update_ref(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec { short: "m", flags: &["--stdin", "--no-deref", "--create-reflog"], ..Spec::default() },
        &args,
    );
    if found.has(&["--stdin"]) {
        git.add(C::Overwrite, "dyn:refs named on standard input");
    } else if let Some(name) = found.operands.first() {
        let class = if found.has(&["-d"]) { C::Destroy } else { C::Overwrite };
        each(git, class, &[name], "");
    } else if let Some(source) = git.dynamic {
        let class = if found.has(&["-d"]) { C::Destroy } else { C::Overwrite };
        git.add(class, format!("dyn:{source}"));
    }
    "refs"
}

/// `git symbolic-ref`
pub fn symbolic_ref(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found =
        read(&Spec { short: "m", flags: &["--delete", "--quiet", "--short"], ..Spec::default() }, &args);
    match (found.operands.as_slice(), found.has(&["-d", "--delete"])) {
        ([name, ..], true) => each(git, C::Destroy, &[name], ""),
        ([name, _, ..], false) => each(git, C::Mutate, &[name], ""),
        _ => return "",
    }
    "refs"
}

/// `git notes`
pub fn notes(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            short: "mFCc",
            long: &["--message", "--file", "--ref", "--reuse-message"],
            flags: &["--force", "--dry-run"],
            ..Spec::default()
        },
        &args,
    );
    let name = found.value(&["--ref"]).map_or_else(|| "commits".to_owned(), text);
    let name = format!("refs/notes/{}", name.trim_start_matches("refs/notes/"));
    let class = match found.operands.first().and_then(|w| w.as_str()) {
        Some("remove") => C::Destroy,
        Some("prune") if found.has(&["-n", "--dry-run"]) => return "",
        Some("prune") => C::Destroy,
        Some("add" | "copy") if found.has(&["-f", "--force"]) => C::Overwrite,
        Some("add" | "copy" | "append" | "merge") => C::Create,
        Some("edit") => C::Mutate,
        _ => return "",
    };
    git.local(class, &name);
    "refs"
}

/// `git replace`
pub fn replace(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec { flags: &["--delete", "--force", "--list", "--edit", "--graft"], ..Spec::default() },
        &args,
    );
    let Some(name) = found.operands.first().filter(|_| !found.has(&["-l", "--list"])) else { return "" };
    let class = if found.has(&["-d", "--delete"]) { C::Destroy } else { C::Create };
    each(git, class, &[name], "refs/replace/");
    "refs"
}

/// `git bisect`
pub fn bisect(git: &mut Git<'_>) -> &'static str {
    match git.args.first().and_then(Word::as_str) {
        Some("log" | "view" | "visualize" | "terms" | "help") | None => return "",
        Some("run") => git.add(C::Opaque, "dyn:git bisect run"),
        Some(_) => git.local(C::Mutate, "HEAD"),
    }
    "refs,index,worktree"
}
