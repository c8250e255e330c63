//! What docker, podman and compose commands will do, from their words alone, and what has to be read before they may run.

mod compose;
mod inside;
mod listed;
mod place;
mod verbs;

use super::query::{self, Ask, Kind, Loss};
use crate::model::{Bytes, Effect, EffectClass as C, Invocation, Reversibility as R, SystemId, Word};
use crate::systems::words::{Reader, Words};
use crate::systems::{AssessCx, locator};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &["docker", "podman", "docker-compose", "podman-compose", "nerdctl"];

/// Global options that take the next word (`docker --help`, `podman --help`).
const GLOBAL: &[&str] = &[
    "-H",
    "--host",
    "-c",
    "--context",
    "--config",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "--connection",
    "--url",
    "--identity",
    "--root",
    "--runroot",
    "--storage-driver",
    "--storage-opt",
    "--namespace",
    "-n",
    "--address",
    "-a",
    "--cgroup-manager",
    "--conmon",
    "--events-backend",
    "--runtime",
    "--network-cmd-path",
    "--tmpdir",
    "--ssh",
    "--module",
    "--network-config-dir",
    "--hooks-dir",
    "--out",
];

/// The words after docker's own options that begin a group of commands.
const GROUPS: &[&str] = &[
    "container",
    "image",
    "volume",
    "network",
    "system",
    "builder",
    "buildx",
    "context",
    "swarm",
    "service",
    "stack",
    "node",
    "secret",
    "config",
    "pod",
    "machine",
    "manifest",
    "plugin",
    "trust",
    "checkpoint",
    "kube",
    "farm",
    "artifact",
];

/// A command that is being read.
pub struct Asking<'a> {
    out: Reader<'a>,
    asks: Vec<Ask>,
    not_kept: Option<String>,
    podman: bool,
    login: Option<Bytes>,
}

impl<'a> Asking<'a> {
    fn add(&mut self, class: C, resource: impl Into<String>, back: R) {
        self.out.add(class, resource, back);
    }

    /// Effects on named things, and the question for them.
    fn each(&mut self, class: C, kind: Kind, words: &[&Word], back: R, loss: Loss) {
        self.out.each(class, &format!("docker:{}:", kind.word()), words, back);
        self.ask(kind, words, loss);
    }

    fn ask(&mut self, kind: Kind, words: &[&Word], loss: Loss) {
        let program = self.out.inv.program().unwrap_or_default().to_owned();
        let mut names = Vec::new();
        for word in words {
            match (word.as_str(), listed::asked(word, &program, loss)) {
                (Some(name), _) => names.push(name.to_owned()),
                (None, Some(list)) => self.asks.push(list),
                (None, None) => return self.not_kept("its targets are not known before it runs"),
            }
        }
        if !names.is_empty() {
            self.asks.push(Ask::Named { kind, names, loss });
        }
    }

    fn not_kept(&mut self, why: &str) {
        self.not_kept.get_or_insert_with(|| why.to_owned());
    }

    /// A file of this machine that the command writes: the files system's.
    fn local_file(&mut self, class: C, word: &Word) {
        let text = word.text.lossy();
        if matches!(text.as_ref(), "-" | "/dev/null" | "/dev/stdout") {
            return;
        }
        let at = self.out.inv.cwd.as_ref().filter(|_| word.certain);
        let mut place = at.map(|cwd| locator(cwd.join(word.text.as_slice())));
        if let Some(place) = place.as_mut() {
            place.opts.insert("scope".to_owned(), "tree".into());
        }
        self.out.word(class, "path:", word, R::Exact);
        if let Some(effect) = self.out.effects.last_mut() {
            effect.system = SystemId::new("fs");
            effect.locator = place;
        }
    }

    /// Where a login is kept, unless it is in a keyring.
    fn login_file(&mut self) {
        self.out.word(C::Access, "path:", &Word::literal("~/.docker/config.json"), R::Exact);
        let dir = self.login.clone();
        if let Some(effect) = self.out.effects.last_mut() {
            effect.system = SystemId::new("fs");
            effect.locator = dir.map(|dir| {
                let mut place = locator(dir.join(b"config.json"));
                place.opts.insert("scope".to_owned(), "node".into());
                place
            });
        }
    }

    fn finish(mut self, program: &str, flags: Result<Vec<String>, String>, cx: &AssessCx<'_>) -> Vec<Effect> {
        let inv = self.out.inv;
        if inv.dynamic_args.is_some() {
            self.not_kept("its targets are named when it runs");
        }
        let access = flags.and_then(|flags| place::read(program, flags, inv, cx));
        let at = inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
        let place = match (self.not_kept, access) {
            (Some(why), _) | (None, Err(why)) => Some(query::not_kept(at, &why)),
            (None, Ok(access)) if !self.asks.is_empty() => Some(query::locator(&access, &self.asks)),
            (None, Ok(_)) => None,
        };
        let nothing =
            || query::not_kept(inv.cwd.clone().unwrap_or_default(), "fr does not read this before it runs");
        for effect in &mut self.out.effects {
            // What an opaque command may change is only read where the words name it.
            let is_unread =
                effect.class == C::Opaque && !effect.resource.as_slice().starts_with(b"docker:volume:");
            if effect.system.0 != super::ID || is_unread {
                continue;
            }
            effect.locator = match &place {
                Some(place) => Some(place.clone()),
                None => effect.class.is_destructive().then(nothing),
            };
        }
        self.out.effects
    }
}

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let listed = listed::named(inv);
    let inv = listed.as_ref().unwrap_or(inv);
    let Some(program) = inv.program() else { return Vec::new() };
    if asks_only(inv.args()) {
        return Vec::new();
    }
    let podman = program.starts_with("podman");
    let home = cx.home.map(|home| Bytes::from(home.join(".docker").as_path()));
    let login = inv.env_value("DOCKER_CONFIG").or_else(|| cx.env.get("DOCKER_CONFIG")).cloned().or(home);
    let login = login.filter(|_| !podman);
    let mut asking =
        Asking { out: Reader::new(inv, super::ID), asks: Vec::new(), not_kept: None, podman, login };
    let args = inv.args();
    if program.ends_with("-compose") {
        compose::read(args, &mut asking);
        return asking.finish(if podman { "podman" } else { "docker" }, Ok(Vec::new()), cx);
    }
    let (at, flags) = globals(args);
    let noun = args.get(at).and_then(Word::as_str).unwrap_or_default();
    let rest = args.get(at + 1..).unwrap_or_default();
    if noun == "compose" {
        compose::read(rest, &mut asking);
    } else if GROUPS.contains(&noun) {
        let verb = rest.iter().filter_map(Word::as_str).find(|w| !w.starts_with('-')).unwrap_or_default();
        let skip = rest.iter().position(|w| w.as_str() == Some(verb)).map_or(0, |i| i + 1);
        verbs::read(noun, verb, rest.get(skip..).unwrap_or_default(), &mut asking);
    } else {
        let kind = match noun {
            "rmi" | "build" | "pull" | "push" | "tag" | "untag" | "load" | "save" | "import" | "images"
            | "history" | "commit" => "image",
            _ => "container",
        };
        let verb = if noun == "rmi" { "rm" } else { noun };
        verbs::read(kind, verb, rest, &mut asking);
    }
    asking.finish(program, flags, cx)
}

pub use inside::removed;

/// Help and version change nothing.
fn asks_only(args: &[Word]) -> bool {
    let before = args.iter().take_while(|w| w.as_str() != Some("--"));
    let help = before.filter_map(Word::as_str).any(|w| w == "--help" || w == "-help");
    help || matches!(args, [w] if matches!(w.as_str(), Some("help" | "version" | "--version" | "-v")))
        || args.first().and_then(Word::as_str) == Some("help")
}

/// Where the command begins, and the options before it, as given; they choose the engine.
fn globals(args: &[Word]) -> (usize, Result<Vec<String>, String>) {
    let (mut at, mut flags) = (0, Ok(Vec::new()));
    while let Some(word) = args.get(at).filter(|w| w.text.as_slice().starts_with(b"-")) {
        let text = word.text.lossy();
        let takes = GLOBAL.contains(&text.as_ref());
        let given = args.get(at..=at + usize::from(takes)).unwrap_or_default();
        at += 1 + usize::from(takes);
        if matches!(text.as_ref(), "-D" | "--debug" | "--tls=false") {
            continue;
        }
        match (&mut flags, given.iter().all(|w| w.certain)) {
            (Ok(flags), true) => flags.extend(given.iter().map(|w| w.text.lossy().into_owned())),
            _ => flags = Err("which engine it means is not known before it runs".to_owned()),
        }
    }
    (at, flags)
}

/// True where one of several flags is given with a true value.
fn on(words: &Words<'_>, names: &[&str]) -> bool {
    let is_true = |values: &[Word]| values.first().is_none_or(|v| v.as_str() != Some("false"));
    words.options.iter().any(|(name, values)| names.contains(&name.as_str()) && is_true(values))
}
