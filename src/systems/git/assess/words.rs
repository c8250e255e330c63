//! The words of a git command up to its sub-command: global options, the environment, aliases that the command line
//! defines.

use std::collections::BTreeMap;

use super::super::super::AssessCx;
use super::super::place::OBJECTS;
use super::Git;
use super::verbs::dispatch;
use crate::model::{Bytes, Effect, Invocation, Locator, Word};

/// Reads the global options: the sub-command and where it runs.
pub fn open<'a>(inv: &'a Invocation, cx: &AssessCx<'_>) -> Option<(Git<'a>, Locator)> {
    let mut at = inv.cwd.clone().unwrap_or_default();
    let mut dir = String::new();
    let mut opts: Vec<(&str, Bytes)> = Vec::new();
    let env = |name: &str| inv.env_value(name).or_else(|| cx.env.get(name)).cloned();
    let mut settings = settings_of(&env);
    for (name, key) in [("GIT_DIR", "git-dir"), ("GIT_WORK_TREE", "work-tree")] {
        opts.extend(env(name).map(|v| (key, v)));
    }
    let files = env("GIT_INDEX_FILE").map(|file| index_elsewhere(&file)).into_iter().collect();
    let objects = object_dirs(env("GIT_OBJECT_DIRECTORY"), env("GIT_ALTERNATE_OBJECT_DIRECTORIES"));
    opts.extend(objects.map(|dirs| (OBJECTS, dirs)));
    let mut words = inv.args().iter();
    let mut verb = String::new();
    while let Some(word) = words.next() {
        let text = word.text.lossy().into_owned();
        match text.as_str() {
            "-C" => {
                let to = words.next()?;
                if !to.certain {
                    at = Bytes::default();
                    continue;
                }
                at = if at.is_empty() && !to.text.as_slice().starts_with(b"/") {
                    at
                } else {
                    at.join(to.text.as_slice())
                };
                let to = to.text.lossy();
                dir = if dir.is_empty() || to.starts_with('/') {
                    to.into_owned()
                } else {
                    format!("{dir}/{to}")
                };
            }
            "-c" => settings.extend(setting(&words.next()?.text.lossy())),
            "--git-dir" => opts.push(("git-dir", words.next()?.text.clone())),
            "--work-tree" => opts.push(("work-tree", words.next()?.text.clone())),
            "--namespace" | "--super-prefix" | "--config-env" | "--attr-source" | "--list-cmds"
            | "--exec-path"
                if !text.contains('=') =>
            {
                if text != "--exec-path" {
                    words.next();
                }
            }
            "--version" | "--help" | "-h" | "-v" | "--html-path" | "--man-path" | "--info-path" => {
                return None;
            }
            _ => match text.split_once('=') {
                Some(("--git-dir", v)) => opts.push(("git-dir", v.into())),
                Some(("--work-tree", v)) => opts.push(("work-tree", v.into())),
                _ if text.starts_with('-') => {}
                _ => {
                    verb = if word.certain { text } else { "dyn".to_owned() };
                    break;
                }
            },
        }
    }
    let mut locator = Locator { at, ..Locator::default() };
    for (key, value) in opts {
        let full =
            if locator.at.is_empty() || key == OBJECTS { value } else { locator.at.join(value.as_slice()) };
        locator.opts.insert(key.to_owned(), full);
    }
    let mut args: Vec<Word> = words.cloned().collect();
    let program = inv.program().unwrap_or("git");
    if let Some(own) = program.strip_prefix("git-") {
        args.insert(0, Word::literal(verb.as_str()));
        args.retain(|w| !w.text.is_empty());
        if own == "filter-repo" {
            args = inv.args().to_vec();
        }
        verb = own.to_owned();
    }
    let dynamic = inv.dynamic_args.as_deref().filter(|_| inv.argv.iter().all(|w| w.certain));
    let (at, home) = (locator.at.clone(), cx.home.map(std::path::Path::to_path_buf));
    let git = Git { verb, args, settings, dynamic, dir, at, home, files, effects: Vec::new() };
    Some((git, locator))
}

/// Another index than the repository's own is a file to the recorder. A relative name is seen from the top of the working
/// tree (measured, git 2.47.3).
fn index_elsewhere(name: &Bytes) -> Vec<u8> {
    let top: &[u8] = if name.as_slice().starts_with(b"/") { b"" } else { b"$TOP/" };
    [top, name.as_slice()].concat()
}

/// The directories of objects that the environment names, separated by NUL. The list of alternates has colons between
/// them; one that is quoted (git(1)) is left out.
fn object_dirs(own: Option<Bytes>, more: Option<Bytes>) -> Option<Bytes> {
    let more = more.unwrap_or_default();
    let more = more.as_slice().split(|b| *b == b':').filter(|dir| !dir.is_empty() && !dir.starts_with(b"\""));
    let dirs: Vec<&[u8]> = own.iter().map(Bytes::as_slice).chain(more).collect();
    (!dirs.is_empty()).then(|| Bytes(dirs.join(&0)))
}

/// Settings in the environment (git-config(1), `GIT_CONFIG_COUNT`); those of the command line come after them and win.
fn settings_of(env: &impl Fn(&str) -> Option<Bytes>) -> Vec<(String, String)> {
    const MOST: usize = 100;
    let text = |name: String| env(&name).map(|value| value.lossy().into_owned());
    let count = text("GIT_CONFIG_COUNT".to_owned()).and_then(|n| n.parse().ok()).unwrap_or(0);
    let pair =
        |n: usize| Some((text(format!("GIT_CONFIG_KEY_{n}"))?, text(format!("GIT_CONFIG_VALUE_{n}"))?));
    (0..MOST.min(count)).filter_map(pair).collect()
}

fn setting(text: &str) -> Option<(String, String)> {
    Some(match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text.to_owned(), "true".to_owned()),
    })
}

/// Replaces an alias that `-c alias.x=…` defines. A shell alias may do anything.
pub fn alias(git: &mut Git<'_>) -> Option<Vec<Effect>> {
    let value = git.setting(&format!("alias.{}", git.verb))?.to_owned();
    if value.starts_with('!') {
        git.verb = "dyn".to_owned();
        return None;
    }
    let mut words = value.split_whitespace();
    git.verb = words.next()?.to_owned();
    let words: Vec<Word> = words.map(Word::literal).collect();
    git.args.splice(0..0, words);
    None
}

/// The sub-command of an invocation and its place in the argv, where it is none of git's own: an alias, perhaps.
pub fn unknown_verb(inv: &Invocation) -> Option<(usize, String)> {
    let empty = BTreeMap::new();
    let (mut git, _) = open(inv, &AssessCx { env: &empty, home: None })?;
    let at = inv.argv.len().checked_sub(git.args.len() + 1).filter(|at| *at > 0)?;
    let verb = git.verb.clone();
    git.args.clear();
    dispatch(&mut git);
    let unknown = git.effects.iter().any(|e| e.resource.as_slice() == format!("dyn:git {verb}").as_bytes());
    (unknown && git.setting(&format!("alias.{verb}")).is_none()).then_some((at, verb))
}

/// The text of a shell alias that `-c alias.x='!…'` gives an invocation, and its place in the argv.
pub fn carried_shell_alias(inv: &Invocation) -> Option<(usize, String)> {
    let empty = BTreeMap::new();
    let (git, _) = open(inv, &AssessCx { env: &empty, home: None })?;
    let at = inv.argv.len().checked_sub(git.args.len() + 1).filter(|at| *at > 0)?;
    let text = git.setting(&format!("alias.{}", git.verb))?.strip_prefix('!')?.to_owned();
    Some((at, text))
}

/// `git push --help` shows a page.
pub fn asks(git: &Git<'_>) -> bool {
    let before = git.args.iter().take_while(|w| w.as_str() != Some("--"));
    before.filter_map(Word::as_str).any(|w| w == "--help")
        || matches!(git.args.as_slice(), [w] if w.as_str() == Some("-h"))
}
