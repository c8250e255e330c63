//! What git says about a repository: by git itself, which writes nothing here (`--no-optional-locks`).

use std::ffi::{OsStr, OsString};

use super::look::Look;
use super::scene::{Scene, tail};
use crate::error::{Error, Result};

/// What must come back: refs, index, status, stash, reflog of HEAD, settings.
const QUESTIONS: &[&[&str]] = &[
    &["for-each-ref", "--format=%(refname) %(objectname) %(symref) %(upstream)"],
    &["symbolic-ref", "HEAD"],
    &["ls-files", "--stage", "-t"],
    &["status", "--porcelain=v2", "--branch", "--ignored"],
    &["diff", "--cached"],
    &["diff"],
    &["stash", "list", "--format=%gd %H %gs"],
    &["config", "--local", "--list"],
];

/// The work tree's files by system calls, and the repository by git's own word.
pub fn git_look(scene: &Scene) -> Result<Look> {
    let mut look = Look::default();
    look.add_files(&scene.project, Some(OsStr::new(".git")))
        .map_err(|e| Error::io("read", &scene.project, &e))?;
    for question in QUESTIONS {
        ask(scene, question, &mut look)?;
    }
    Ok(look)
}

/// Adds git's answer. That it answers with an error is an answer, too: where a drill destroys the repository it must.
pub(super) fn ask(scene: &Scene, question: &[&str], look: &mut Look) -> Result<()> {
    let argv = ["git", "--no-optional-locks"].iter().chain(question).map(OsString::from);
    let answer = scene.run(&argv.collect::<Vec<_>>(), b"")?;
    let name = format!("git {}", question.join(" "));
    if answer.code == 0 {
        look.add_lines(&name, &answer.stdout);
    } else {
        look.add(name, format!("exit code {}: {}", answer.code, tail(&answer.stderr)));
    }
    Ok(())
}
