//! Commands that run another command: their own options are stepped over by table, the rest is walked again.

mod exec;
mod runners;
mod shells;
mod table;
mod terminal;

pub use exec::{find_starts, find_values};

use super::state::{Shell, Value};
use super::walk::{Ready, Status, Walker};
use crate::model::{Redirect, RedirectMode, Word};

/// What was found behind a wrapper's own words.
pub(super) struct Peeled<'a> {
    /// The wrapper's options and their values, in order: (`-u`, Some(`root`)).
    pub options: Vec<(String, Option<Word>)>,
    /// Its own operands.
    pub operands: Vec<&'a Word>,
    /// `NAME=value` words before the command.
    pub assigns: Vec<&'a Word>,
    /// Where the command begins.
    pub rest: usize,
}

impl Peeled<'_> {
    /// True where one of the options is given.
    pub fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(n, _)| names.contains(&n.as_str()))
    }

    /// The last value of one of the options.
    pub fn value(&self, names: &[&str]) -> Option<&Word> {
        self.options.iter().rev().find(|(n, _)| names.contains(&n.as_str())).and_then(|(_, v)| v.as_ref())
    }
}

/// `. venv/bin/activate` chooses the Python of the rest of the line.
fn activated(sh: &mut Shell, script: &Word) {
    let text = script.text.lossy().into_owned();
    let Some(dir) = text.strip_suffix("/bin/activate") else { return };
    let path = match (&sh.cwd, dir.starts_with('/')) {
        (_, true) => Some(dir.to_owned()),
        (Some(cwd), false) => Some(format!("{}/{dir}", cwd.trim_end_matches('/'))),
        (None, false) => None,
    };
    match path.filter(|_| script.certain && !dir.starts_with('~')) {
        Some(text) => sh.set("VIRTUAL_ENV", Value { text, certain: true }),
        None => sh.forget("VIRTUAL_ENV"),
    }
    if let Some(var) = std::rc::Rc::make_mut(&mut sh.vars).get_mut("VIRTUAL_ENV") {
        var.exported = true;
    }
}

impl Walker<'_> {
    /// Runs a command by its base name: a wrapper, a shell, or a program.
    pub fn wrapped(&mut self, sh: &mut Shell, name: &str, ready: Ready) -> Status {
        let base = name.rsplit('/').next().unwrap_or(name).to_owned();
        if self.runner(sh, &base, &ready) {
            return Status::Unknown;
        }
        match base.as_str() {
            "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" | "mksh" | "rbash" | "fish" => {
                self.shell(sh, &base, ready)
            }
            "source" | "." => {
                if ready.argv.len() > 1 {
                    let script = ready.argv.get(1).cloned();
                    self.push(sh, ready);
                    if let Some(script) = script {
                        activated(sh, &script);
                    }
                }
                Status::Unknown
            }
            "xargs" => self.xargs(sh, ready),
            "parallel" => self.parallel(sh, ready),
            "find" => self.find(sh, ready),
            "fd" | "fdfind" => self.fd(sh, ready),
            "ssh" | "mosh" => self.ssh(sh, ready),
            "docker" | "podman" | "kubectl" | "k" | "oc" | "docker-compose" | "podman-compose" => {
                self.container(sh, &base, ready)
            }
            "su" | "runuser" => self.su(sh, &base, ready),
            "env" => self.env(sh, ready),
            "script" => self.script_wrapper(sh, ready),
            "screen" => self.screen(sh, ready),
            "tmux" => self.tmux(sh, ready),
            "busybox" | "toybox" => self.applet(sh, &base, ready),
            _ => match table::wrapper(&base) {
                Some(wrapper) => self.simple_wrapper(sh, wrapper, ready),
                None => {
                    self.push(sh, ready);
                    Status::Unknown
                }
            },
        }
    }

    /// A wrapper of which only options and operands must be stepped over.
    fn simple_wrapper(&mut self, sh: &mut Shell, wrapper: &table::Wrapper, mut ready: Ready) -> Status {
        let peeled = table::peel(wrapper, &ready.argv);
        if peeled.has(&["--help", "--version"]) || wrapper.quits.iter().any(|q| peeled.has(&[q])) {
            return Status::Unknown;
        }
        let assigns: Vec<Word> = peeled.assigns.iter().map(|w| (*w).clone()).collect();
        let dir = peeled.value(&["-D", "--chdir", "--working-directory"]).cloned();
        let user = peeled.value(&["-u", "--user"]).cloned();
        let user = user.filter(|_| matches!(wrapper.name, "sudo" | "doas" | "pkexec"));
        let login = wrapper.name == "sudo" && peeled.has(&["-s", "-i", "--shell", "--login"]);
        let edits = wrapper.name == "sudo" && peeled.has(&["-e", "--edit"]);
        let script = (wrapper.name == "flock").then(|| peeled.value(&["-c", "--command"]).cloned()).flatten();
        let rest = peeled.rest;
        if let Some(file) = peeled.value(wrapper.writes).cloned() {
            let redirect = Redirect { mode: RedirectMode::Truncate, target: file };
            self.push(sh, Ready { argv: Vec::new(), redirects: vec![redirect] });
        }
        let after_file = wrapper.name == "flock" && ready.argv.get(rest).and_then(Word::as_str) == Some("-c");
        let script = if after_file { ready.argv.get(rest + 1).cloned() } else { script };
        if edits {
            ready.argv.drain(1..rest.min(ready.argv.len()));
            if let Some(first) = ready.argv.first_mut() {
                *first = Word::literal("sudoedit");
            }
            self.push(sh, ready);
            return Status::Unknown;
        }
        if let Some(script) = script {
            return self.inside(sh, wrapper.name, ready.redirects, |w, sh| w.word_script(sh, &script));
        }
        if rest >= ready.argv.len() {
            if login || wrapper.name == "watch" {
                self.push(sh, ready);
            } else if !ready.redirects.is_empty() {
                self.push(sh, Ready { argv: Vec::new(), redirects: ready.redirects });
            }
            return Status::Unknown;
        }
        let root = peeled_root(wrapper.name, &ready.argv, rest);
        ready.argv.drain(..rest);
        let redirects = std::mem::take(&mut ready.redirects);
        if let Some(root) = root {
            let argv = ready.argv;
            return self.remote(sh, wrapper.name, &root, redirects, |w, sh| w.program(sh, argv, Vec::new()));
        }
        self.inside(sh, wrapper.name, Vec::new(), |w, sh| {
            if user.is_some() {
                sh.frame.user = user;
            }
            if let Some(dir) = dir {
                sh.cwd = dir.as_str().and_then(|d| super::builtin::join(sh.cwd.as_deref(), d));
            }
            w.take_assigns(sh, &assigns);
            if wrapper.joins && ready.argv.len() == 1 {
                let word = ready.argv.remove(0);
                if !redirects.is_empty() {
                    w.push(sh, Ready { argv: Vec::new(), redirects });
                }
                return w.word_script(sh, &word);
            }
            w.program(sh, ready.argv, redirects)
        })
    }

    /// Runs `f` in a shell of its own behind a wrapper, under the wrapper's redirections.
    pub(super) fn inside(
        &mut self,
        sh: &Shell,
        wrapper: &str,
        redirects: Vec<Redirect>,
        f: impl FnOnce(&mut Self, &mut Shell) -> Status,
    ) -> Status {
        let mut inner = sh.clone();
        if !redirects.is_empty() {
            self.push(&inner, Ready { argv: Vec::new(), redirects });
        }
        inner.frame.wrappers.push(wrapper.to_owned());
        f(self, &mut inner)
    }

    /// Runs an argv as a program: functions and builtins of the shell are not seen by it.
    pub(super) fn program(&mut self, sh: &mut Shell, argv: Vec<Word>, redirects: Vec<Redirect>) -> Status {
        let ready = Ready { argv, redirects };
        match ready.argv.first().and_then(Word::as_str).map(str::to_owned) {
            Some(name) if matches!(name.as_str(), "true" | "false" | "command" | "exec" | "eval") => {
                self.builtin(sh, &name, ready)
            }
            Some(name) => {
                if self.depth >= 24 {
                    self.opaque("wrappers nested too deeply");
                    return Status::Unknown;
                }
                self.depth += 1;
                let status = self.wrapped(sh, &name, ready);
                self.depth -= 1;
                status
            }
            None => {
                self.push(sh, ready);
                Status::Unknown
            }
        }
    }

    /// `NAME=value` words of `env` and `sudo`.
    pub(super) fn take_assigns(&mut self, sh: &mut Shell, assigns: &[Word]) {
        for word in assigns {
            let Some((name, value)) = word.text.as_str().and_then(|t| t.split_once('=')) else { continue };
            let value = word.certain.then(|| value.into());
            sh.frame.env.push((name.to_owned(), value));
        }
    }
}

/// Behind `chroot` names mean something else: they are another place's.
fn peeled_root(wrapper: &str, argv: &[Word], rest: usize) -> Option<String> {
    let root = argv.get(rest.checked_sub(1)?)?;
    (wrapper == "chroot").then(|| format!("chroot:{}", root.text.lossy()))
}
