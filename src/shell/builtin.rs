//! Builtins that change what comes after them in the line: directories, variables, texts that are run.

use super::state::{Shell, Value};
use super::walk::{Ready, Status, Walker};
use super::{text, word_is_name};
use crate::model::{Stdin, Word};

impl Walker<'_> {
    /// Runs a command that is no function of the line.
    pub fn builtin(&mut self, sh: &mut Shell, name: &str, ready: Ready) -> Status {
        match name {
            "cd" | "chdir" => self.cd(sh, &ready.argv),
            "pushd" => {
                sh.dirs.push(sh.cwd.clone());
                self.cd(sh, &ready.argv);
            }
            "popd" => (sh.cwd, sh.astray, sh.instead) = (sh.dirs.pop().flatten(), false, None),
            "true" | ":" => {
                self.push(sh, ready);
                return Status::True;
            }
            "false" => {
                self.push(sh, ready);
                return Status::False;
            }
            "exit" | "return" | "break" | "continue" => {
                self.push(sh, ready);
                sh.stopped |= sh.maybe == 0 && name == "exit";
                return Status::Unknown;
            }
            "eval" => return self.eval(sh, ready),
            "exec" => return self.exec(sh, ready),
            "command" | "builtin" => return self.command_builtin(sh, ready),
            "trap" => self.trap(sh, &ready),
            "export" | "declare" | "typeset" | "local" | "readonly" => self.export(sh, name, &ready.argv),
            "unset" => names(&ready.argv).for_each(|n| {
                sh.set(&n, Value { text: String::new(), certain: true });
            }),
            "read" | "mapfile" | "readarray" | "getopts" | "let" => {
                names(&ready.argv).for_each(|n| sh.forget(&n));
                if name == "read" {
                    sh.forget("REPLY");
                }
            }
            "printf" if ready.argv.get(1).and_then(Word::as_str) == Some("-v") => {
                names(&ready.argv).take(1).for_each(|n| sh.forget(&n));
            }
            "shift" => {
                if let Some(args) = sh.args.as_mut().filter(|a| a.len() > 1) {
                    args.remove(1);
                }
            }
            "set" => self.set_builtin(sh, &ready.argv),
            _ => return self.wrapped(sh, name, ready),
        }
        self.push(sh, ready);
        Status::Unknown
    }

    fn cd(&mut self, sh: &mut Shell, argv: &[Word]) {
        let mut target = None;
        let mut options = true;
        for word in argv.iter().skip(1) {
            match word.text.as_slice() {
                b"--" if options => options = false,
                b"-P" | b"-L" | b"-e" | b"-@" | b"-LP" if options => {}
                _ => {
                    target = Some(word);
                    break;
                }
            }
        }
        let from = sh.cwd.take();
        sh.cwd = match target {
            None => self.variable(sh, "HOME").filter(|v| v.certain).map(|v| v.text),
            Some(word) if !word.certain => None,
            Some(word) if word.text.as_slice() == b"-" => sh.oldpwd.take(),
            Some(word) => {
                let dir = text::from_bytes(word.text.as_slice());
                if dir.is_empty() { from.clone() } else { join(from.as_deref(), &dir) }
            }
        };
        let local = !sh.errexit && self.cx.globs && sh.frame.remote.is_none() && !self.changed();
        let missing = |dir: &String| !text::to_bytes(dir).as_path().is_dir();
        let misses = local && sh.cwd.as_ref().is_some_and(missing);
        if sh.astray {
            let there = target.filter(|word| word.certain).map(|word| text::from_bytes(word.text.as_slice()));
            let really = sh.instead.take().zip(there).and_then(|(stayed, dir)| join(Some(&stayed), &dir));
            sh.astray = sh.cwd.as_ref().is_none_or(missing);
            sh.instead = really.filter(|_| sh.astray);
        } else {
            self.cd_missed = from.clone().filter(|_| misses);
            sh.astray = misses;
            sh.instead = None;
        }
        sh.oldpwd = from;
    }

    fn eval(&mut self, sh: &mut Shell, ready: Ready) -> Status {
        let words = ready.argv.get(1..).unwrap_or_default();
        if !words.iter().all(|w| w.certain) {
            self.push(sh, ready);
            return Status::Unknown;
        }
        if !ready.redirects.is_empty() {
            self.push(sh, Ready { argv: Vec::new(), redirects: ready.redirects });
        }
        let line = words.iter().map(|w| text::from_bytes(w.text.as_slice())).collect::<Vec<_>>().join(" ");
        self.script(sh, &line)
    }

    fn exec(&mut self, sh: &mut Shell, mut ready: Ready) -> Status {
        if ready.argv.len() == 1 {
            if !ready.redirects.is_empty() {
                self.push(sh, Ready { argv: Vec::new(), redirects: ready.redirects });
            }
            return Status::True;
        }
        let mut at = 1;
        while let Some(option) = ready.argv.get(at).and_then(Word::as_str).filter(|w| w.starts_with('-')) {
            at += if option.ends_with('a') { 2 } else { 1 };
        }
        ready.argv.drain(..at.min(ready.argv.len()));
        if ready.argv.is_empty() {
            return Status::Unknown;
        }
        let status = self.outside(sh, "exec", ready);
        sh.stopped |= sh.maybe == 0;
        status
    }

    /// `command` and `builtin`: functions are passed over; `command -v` only looks.
    fn command_builtin(&mut self, sh: &mut Shell, mut ready: Ready) -> Status {
        let mut at = 1;
        while let Some(option) = ready.argv.get(at).and_then(Word::as_str).filter(|w| w.starts_with('-')) {
            if option.contains(['v', 'V']) {
                return Status::Unknown;
            }
            at += 1;
        }
        ready.argv.drain(..at.min(ready.argv.len()));
        if ready.argv.is_empty() { Status::True } else { self.outside(sh, "command", ready) }
    }

    /// Runs a command behind a wrapper that keeps the shell but passes over functions.
    fn outside(&mut self, sh: &mut Shell, wrapper: &str, ready: Ready) -> Status {
        let outer = sh.frame.wrappers.len();
        sh.frame.wrappers.push(wrapper.to_owned());
        let status = match ready.argv.first().and_then(Word::as_str).map(str::to_owned) {
            Some(name) => self.builtin(sh, &name, ready),
            None => {
                self.push(sh, ready);
                Status::Unknown
            }
        };
        sh.frame.wrappers.truncate(outer);
        status
    }

    /// A trap's text runs at some later time: it is walked as if it ran.
    fn trap(&mut self, sh: &mut Shell, ready: &Ready) {
        let words: Vec<&Word> = ready.argv.iter().skip(1).filter(|w| w.text.as_slice() != b"--").collect();
        let [action, _signal, ..] = words.as_slice() else { return };
        match action.as_str() {
            Some("-" | "" | "-l" | "-p") => {}
            // A function that may be defined later in the line.
            Some(name) if word_is_name(name) && !sh.functions.contains_key(name) => {
                self.traps.push(name.to_owned())
            }
            known => {
                let mut script = text::from_bytes(action.text.as_slice()).into_owned();
                if known.is_none() {
                    self.opaque("a trap whose text is not fully known");
                    script = text::unknowns_in_quotes(&script);
                }
                let mut inner = sh.clone();
                inner.maybe += 1;
                self.script(&mut inner, &script);
            }
        }
    }

    fn export(&mut self, sh: &mut Shell, name: &str, argv: &[Word]) {
        let flagged = argv.iter().filter_map(Word::as_str).any(|w| w.starts_with('-') && w.contains('x'));
        if name != "export" && !flagged {
            return;
        }
        for word in argv.iter().skip(1) {
            let Some(text) = word.text.as_str() else { continue };
            let var = text.split('=').next().unwrap_or(text);
            if !word_is_name(var) {
                continue;
            }
            if !sh.vars.contains_key(var) {
                match self.variable(sh, var) {
                    Some(value) => sh.set(var, value),
                    None => sh.forget(var),
                }
            }
            if let Some(var) = std::rc::Rc::make_mut(&mut sh.vars).get_mut(var) {
                var.exported = true;
            }
        }
    }

    /// `set -- a b` sets the positional parameters.
    fn set_builtin(&mut self, sh: &mut Shell, argv: &[Word]) {
        if let Some(at) = argv.iter().position(|w| w.text.as_slice() == b"--") {
            let mut args = vec![Word::literal("sh")];
            args.extend(argv.iter().skip(at + 1).cloned());
            sh.args = Some(args);
            return;
        }
        // Under `set -e` a `cd` that fails ends the shell.
        for (at, word) in argv.iter().enumerate().skip(1) {
            let Some(option) = word.as_str() else { continue };
            let long = matches!(argv.get(at + 1).and_then(Word::as_str), Some("errexit"));
            let names = |sign: char| {
                let letters = option.strip_prefix(sign);
                letters.is_some_and(|l| l.contains('e') || l.ends_with('o') && long)
            };
            sh.errexit = (sh.errexit || names('-')) && !names('+');
        }
    }

    /// A text that a shell reads from its standard input, if it is known.
    pub fn stdin_script(&mut self, sh: &mut Shell) -> Option<Status> {
        match sh.frame.stdin.clone() {
            Stdin::Text(word) if word.certain => {
                let script = text::from_bytes(word.text.as_slice()).into_owned();
                sh.frame.stdin = Stdin::Inherited;
                Some(self.script(sh, &script))
            }
            _ => None,
        }
    }
}

fn names(argv: &[Word]) -> impl Iterator<Item = String> + '_ {
    argv.iter().skip(1).filter_map(Word::as_str).filter(|w| word_is_name(w)).map(str::to_owned)
}

/// A directory below another, with `.` and `..` resolved as `cd -L` does.
pub fn join(base: Option<&str>, dir: &str) -> Option<String> {
    let full = if dir.starts_with('/') { dir.to_owned() } else { format!("{}/{dir}", base?) };
    let mut parts: Vec<&str> = Vec::new();
    for part in full.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            p => parts.push(p),
        }
    }
    Some(format!("/{}", parts.join("/")))
}
