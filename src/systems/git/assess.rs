//! What git commands will do, from their words alone. Global options and aliases given on the command line are read
//! first; then each sub-command has its reader. One command is several effects, captured once: the first carries the
//! locator.

mod history;
mod keep;
mod push;
mod refs;
mod tree;

use super::super::AssessCx;
use super::place::OBJECTS;
use crate::model::{Bytes, Effect, EffectClass, Invocation, Locator, Reversibility, SystemId, Word};
use crate::shell::options::{Options, Spec, read};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &["git", "git-filter-repo", "git-lfs", "hub"];

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
    "interpret-trailers",
    "column",
    "fmt-merge-msg",
    "request-pull",
    "diagnose",
    "gitk",
    "fast-export",
];

/// What the capture of a command covers that may do anything.
pub const ANYTHING: &str = "refs,index,worktree,stash,config,modules,rerere";

/// A git command being read.
pub struct Git<'a> {
    /// The sub-command.
    pub verb: String,
    /// Its arguments.
    pub args: Vec<Word>,
    /// `-c` settings.
    pub settings: Vec<(String, String)>,
    /// Arguments arrive at run time.
    pub dynamic: Option<&'a str>,
    /// The directory of `-C`, as written.
    dir: String,
    /// Where git runs; empty where it is not known.
    at: Bytes,
    /// The user's home.
    home: Option<std::path::PathBuf>,
    /// Trees outside of what the repository's own captures cover ([`FILES`]).
    files: Vec<Vec<u8>>,
    effects: Vec<Effect>,
}

impl Git<'_> {
    /// Adds an effect on a resource.
    pub fn add(&mut self, class: EffectClass, resource: impl Into<Vec<u8>>) {
        let resource = Bytes(resource.into());
        let certain = !resource.as_slice().starts_with(b"dyn:");
        self.effects.push(Effect {
            system: SystemId::new("git"),
            class,
            resource,
            reversibility: Reversibility::Exact,
            certain,
            locator: None,
        });
    }

    /// Adds an effect on a ref of this repository.
    pub fn local(&mut self, class: EffectClass, name: &str) {
        self.add(class, format!("git:local/{name}"));
    }

    /// Adds an effect on a path, as written, seen from where the command was typed.
    pub fn path(&mut self, class: EffectClass, word: &Word) {
        if !word.certain {
            let how = if word.glob { "glob " } else { "" };
            self.add(class, format!("dyn:{how}{}", word.text.lossy()));
            return;
        }
        let text = word.text.as_slice();
        if self.dir.is_empty() || text.starts_with(b"/") {
            self.add(class, [b"path:", text].concat());
        } else {
            self.add(class, [b"path:", self.dir.as_bytes(), b"/", text].concat());
        }
    }

    /// Adds an effect on a path that neither the repository nor its working tree covers, and has it captured as a file
    /// or tree. With `new`, only where nothing is there: a capture of what is made, not of what happens in it.
    pub fn tree(&mut self, class: EffectClass, word: &Word, new: bool) {
        self.path(class, word);
        if word.certain {
            self.also(word.text.as_slice(), new);
        }
    }

    /// Has a path captured as a file or tree; `~/` is the user's home, `$GIT/` the shared git directory.
    pub fn also(&mut self, path: &[u8], new: bool) {
        let full = match path.strip_prefix(b"~/") {
            Some(rest) => self.home.as_ref().map(|home| Bytes::from(home.as_path()).join(rest).0),
            None if path.starts_with(b"/") || path.starts_with(b"$GIT/") => Some(path.to_vec()),
            None => (!self.at.is_empty()).then(|| self.at.join(path).0),
        };
        let mark: &[u8] = if new { b"new:" } else { b"" };
        self.files.extend(full.map(|full| [mark, &full].concat()));
    }

    /// Paths of which `.` and pathspecs stand for whatever is modified below them.
    pub fn paths(&mut self, class: EffectClass, words: &[&Word], what: &str) {
        for word in words {
            match word.as_str() {
                Some(".") | Some("./") => self.add(class, format!("dyn:{what} under .")),
                Some(spec) if spec.starts_with(':') || spec.contains('*') => {
                    self.add(class, format!("dyn:{what} matching {spec}"))
                }
                _ => self.path(class, word),
            }
        }
    }

    /// Reads the sub-command's options.
    pub fn options(&self, spec: &Spec) -> Options<'_> {
        read(spec, &self.args)
    }

    /// A `-c` setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().rev().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What an invocation of git does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some((mut git, mut locator)) = open(inv, cx) else { return Vec::new() };
    if git.verb.is_empty() || asks(&git) {
        return Vec::new();
    }
    if let Some(effects) = alias(&mut git) {
        git.effects = effects;
    }
    let what = dispatch(&mut git);
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

/// The sub-command of an invocation and its place in the argv, where it is none of git's own: an alias, perhaps.
pub fn unknown_verb(inv: &Invocation) -> Option<(usize, String)> {
    let empty = std::collections::BTreeMap::new();
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
    let empty = std::collections::BTreeMap::new();
    let (git, _) = open(inv, &AssessCx { env: &empty, home: None })?;
    let at = inv.argv.len().checked_sub(git.args.len() + 1).filter(|at| *at > 0)?;
    let text = git.setting(&format!("alias.{}", git.verb))?.strip_prefix('!')?.to_owned();
    Some((at, text))
}

/// `git push --help` shows a page.
fn asks(git: &Git<'_>) -> bool {
    let before = git.args.iter().take_while(|w| w.as_str() != Some("--"));
    before.filter_map(Word::as_str).any(|w| w == "--help")
        || matches!(git.args.as_slice(), [w] if w.as_str() == Some("-h"))
}

/// Reads the global options: the sub-command and where it runs.
fn open<'a>(inv: &'a Invocation, cx: &AssessCx<'_>) -> Option<(Git<'a>, Locator)> {
    let mut at = inv.cwd.clone().unwrap_or_default();
    let mut dir = String::new();
    let mut opts: Vec<(&str, Bytes)> = Vec::new();
    let mut settings = Vec::new();
    let env = |name: &str| inv.env_value(name).or_else(|| cx.env.get(name)).cloned();
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

fn setting(text: &str) -> Option<(String, String)> {
    Some(match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text.to_owned(), "true".to_owned()),
    })
}

/// Replaces an alias that `-c alias.x=…` defines. A shell alias may do anything.
fn alias(git: &mut Git<'_>) -> Option<Vec<Effect>> {
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

/// Calls the reader of the sub-command; tells what its capture must cover.
fn dispatch(git: &mut Git<'_>) -> &'static str {
    let verb = git.verb.clone();
    match verb.as_str() {
        "push" | "send-pack" => push::push(git),
        "fetch" => push::fetch(git),
        "pull" => push::pull(git),
        "remote" => push::remote(git),
        "clone" => push::clone(git),
        "reset" => tree::reset(git),
        "checkout" => tree::checkout(git),
        "switch" => tree::switch(git),
        "restore" => tree::restore(git),
        "clean" => tree::clean(git),
        "rm" => tree::rm(git),
        "mv" => tree::mv(git),
        "add" | "stage" => tree::add(git),
        "apply" => tree::apply(git),
        "checkout-index" | "read-tree" | "update-index" | "write-tree" | "sparse-checkout" => {
            tree::plumbing(git)
        }
        "stash" => tree::stash(git),
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
        "worktree" => keep::worktree(git),
        "submodule" => keep::submodule(git),
        "config" => keep::config(git),
        "init" | "archive" | "bundle" | "format-patch" | "hash-object" | "commit-tree" | "mktree"
        | "unpack-objects" | "index-pack" | "mktag" => keep::made(git),
        "merge-file" | "send-email" | "imap-send" | "credential" => keep::others(git),
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
