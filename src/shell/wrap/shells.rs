//! Shells and what starts one: `bash -c`, `su -c`, `ssh host`, `env -S`, busybox.

use super::super::state::Shell;
use super::super::text;
use super::super::walk::{Ready, Status, Walker};
use super::table;
use crate::model::{Stdin, Word};

impl Walker<'_> {
    /// `bash -c text`, `bash < text`, `bash script`.
    pub(super) fn shell(&mut self, sh: &mut Shell, base: &str, mut ready: Ready) -> Status {
        let (mut at, mut text_next, mut only_check, mut from_stdin) = (1, false, false, false);
        while let Some(word) = ready.argv.get(at) {
            let Some(option) = word.as_str() else { break };
            if option == "--" || option == "-" {
                at += 1;
                break;
            }
            if let Some(long) = option.strip_prefix("--") {
                match long {
                    "help" | "version" => return Status::Unknown,
                    "rcfile" | "init-file" => at += 1,
                    "command" if base == "fish" => text_next = true,
                    _ => {}
                }
                at += 1;
                continue;
            }
            if option.starts_with('+') && option.len() > 1 {
                at += if option.ends_with(['o', 'O']) { 2 } else { 1 };
                continue;
            }
            let Some(cluster) = option.strip_prefix('-').filter(|c| !c.is_empty()) else { break };
            text_next |= cluster.contains('c');
            from_stdin |= cluster.contains('s');
            only_check |= cluster.contains('n');
            at += if cluster.ends_with(['o', 'O']) { 2 } else { 1 };
        }
        if only_check {
            return Status::Unknown;
        }
        if text_next {
            let Some(script) = ready.argv.get(at).cloned() else { return Status::Unknown };
            let args = ready.argv.split_off((at + 1).min(ready.argv.len()));
            return self.inside(sh, base, ready.redirects, |w, sh| {
                sh.args = Some(if args.is_empty() { vec![Word::literal("sh")] } else { args });
                w.word_script(sh, &script)
            });
        }
        if at < ready.argv.len() && !from_stdin {
            // A script's file: what it holds is not known from the words.
            let is_fd = ready.argv.get(at).and_then(Word::as_str).is_some_and(|p| matches!(p, "/dev/stdin"));
            if !is_fd {
                self.push(sh, ready);
                return Status::Unknown;
            }
        }
        let redirects = ready.redirects.clone();
        if matches!(&sh.frame.stdin, Stdin::Text(w) if w.certain) {
            return self.inside(sh, base, redirects, |w, sh| w.stdin_script(sh).unwrap_or(Status::Unknown));
        }
        self.push(sh, ready);
        Status::Unknown
    }

    /// Runs the text that a word holds; a word that is not known may be anything.
    pub(super) fn word_script(&mut self, sh: &mut Shell, word: &Word) -> Status {
        // A text that only lacks the value of a variable is still a command that can be understood.
        let mut script = text::from_bytes(word.text.as_slice()).into_owned();
        if !word.certain {
            self.opaque("a text for a shell that is not fully known");
            script = text::unknowns_in_quotes(&script);
        }
        sh.functions = std::rc::Rc::default();
        self.script(sh, &script)
    }

    /// `su [user] -c text`
    pub(super) fn su(&mut self, sh: &mut Shell, base: &str, ready: Ready) -> Status {
        let mut script = None;
        let mut words = ready.argv.iter().enumerate().skip(1);
        while let Some((i, word)) = words.next() {
            let text = word.text.as_str().unwrap_or_default();
            if matches!(text, "-c" | "--command" | "--session-command") {
                script = ready.argv.get(i + 1).cloned();
            } else if let Some(inline) = text.strip_prefix("--command=") {
                script = Some(Word { text: inline.into(), ..word.clone() });
            } else if text == "--" || (base == "runuser" && text == "-u") {
                words.next();
                let rest: Vec<Word> = ready.argv.get(i + 2..).unwrap_or_default().to_vec();
                let rest: Vec<Word> = rest.into_iter().skip_while(|w| w.text.as_slice() == b"--").collect();
                if !rest.is_empty() && base == "runuser" {
                    return self.inside(sh, base, ready.redirects, |w, sh| w.program(sh, rest, Vec::new()));
                }
            } else if text.starts_with('-') && !text.starts_with("--") && text.ends_with('c') {
                script = ready.argv.get(i + 1).cloned();
            }
        }
        match script {
            Some(script) => self.inside(sh, base, ready.redirects, |w, sh| w.word_script(sh, &script)),
            None => {
                self.push(sh, ready);
                Status::Unknown
            }
        }
    }

    /// `ssh [options] host [command …]`
    pub(super) fn ssh(&mut self, sh: &mut Shell, ready: Ready) -> Status {
        const SSH: table::Wrapper = table::Wrapper {
            name: "ssh",
            short: "BbcDEeFIiJLlmOopPQRSWw",
            long: &[],
            quits: &[],
            operands: 1,
            assigns: false,
            joins: false,
            writes: &[],
        };
        let peeled = table::peel(&SSH, &ready.argv);
        if peeled.has(&["-V", "-Q", "-G"]) {
            return Status::Unknown;
        }
        let host = peeled.operands.first().map(|w| w.text.lossy().into_owned());
        let command = ready.argv.get(peeled.rest..).unwrap_or_default();
        let dashes = command.first().is_some_and(|w| w.as_str() == Some("--"));
        let command = command.get(usize::from(dashes)..).unwrap_or_default().to_vec();
        let Some(host) = host.filter(|_| !command.is_empty() || matches!(sh.frame.stdin, Stdin::Text(_)))
        else {
            self.push(sh, ready);
            return Status::Unknown;
        };
        self.remote(sh, "ssh", &format!("ssh:{host}"), ready.redirects, |w, sh| {
            if command.is_empty() {
                return w.stdin_script(sh).unwrap_or(Status::Unknown);
            }
            let text: Vec<_> = command.iter().map(|c| text::from_bytes(c.text.as_slice())).collect();
            let word = Word {
                text: text::to_bytes(&text.join(" ")),
                certain: command.iter().all(|w| w.certain),
                glob: false,
            };
            w.word_script(sh, &word)
        })
    }

    /// Runs `f` in a shell on another machine, of which nothing is known.
    pub(super) fn remote(
        &mut self,
        sh: &Shell,
        wrapper: &str,
        place: &str,
        redirects: Vec<crate::model::Redirect>,
        f: impl FnOnce(&mut Self, &mut Shell) -> Status,
    ) -> Status {
        self.inside(sh, wrapper, redirects, |w, sh| {
            sh.frame.remote = Some(match &sh.frame.remote {
                Some(outer) => format!("{outer}:{place}"),
                None => place.to_owned(),
            });
            sh.vars = std::rc::Rc::default();
            sh.functions = std::rc::Rc::default();
            // Relative names there are relative to a directory we do not know: they stay as written, as if they
            // were relative to where the line started.
            sh.cwd = Some(text::from_bytes(w.cx.cwd.as_slice()).into_owned());
            sh.oldpwd = None;
            f(w, sh)
        })
    }

    /// `env [options] [NAME=value …] command …`
    pub(super) fn env(&mut self, sh: &mut Shell, mut ready: Ready) -> Status {
        const ENV: table::Wrapper = table::Wrapper {
            name: "env",
            short: "uCS",
            long: &["--unset", "--chdir", "--split-string"],
            quits: &[],
            operands: 0,
            assigns: true,
            joins: false,
            writes: &[],
        };
        let split = ready.argv.iter().position(|w| {
            let t = w.text.as_slice();
            t.starts_with(b"-S")
                || t.starts_with(b"--split-string")
                || (t.starts_with(b"-") && t.ends_with(b"S"))
        });
        let first_operand = ready.argv.iter().skip(1).position(|w| !w.text.as_slice().starts_with(b"-"));
        if let Some(at) = split.filter(|at| *at <= first_operand.unwrap_or(usize::MAX).saturating_add(1)) {
            split_string(&mut ready.argv, at);
        }
        let peeled = table::peel(&ENV, &ready.argv);
        if peeled.has(&["--help", "--version"]) {
            return Status::Unknown;
        }
        let assigns: Vec<Word> = peeled.assigns.iter().map(|w| (*w).clone()).collect();
        let dir = peeled.value(&["-C", "--chdir"]).cloned();
        let command = ready.argv.split_off(peeled.rest);
        let redirects = ready.redirects;
        self.inside(sh, "env", Vec::new(), |w, sh| {
            if let Some(dir) = dir {
                let dir = dir.as_str().map(str::to_owned);
                sh.cwd = dir.and_then(|d| super::super::builtin::join(sh.cwd.as_deref(), &d));
            }
            w.take_assigns(sh, &assigns);
            if command.is_empty() {
                if !redirects.is_empty() {
                    w.push(sh, Ready { argv: Vec::new(), redirects });
                }
                return Status::True;
            }
            w.program(sh, command, redirects)
        })
    }

    /// `busybox rm …`
    pub(super) fn applet(&mut self, sh: &mut Shell, base: &str, mut ready: Ready) -> Status {
        let is_option = ready.argv.get(1).and_then(Word::as_str).is_none_or(|w| w.starts_with('-'));
        if is_option {
            return Status::Unknown;
        }
        ready.argv.remove(0);
        let argv = ready.argv;
        let redirects = ready.redirects;
        self.inside(sh, base, Vec::new(), |w, sh| w.program(sh, argv, redirects))
    }
}

/// Puts the words of `env -S 'a b'` in its place.
fn split_string(argv: &mut Vec<Word>, at: usize) {
    let Some(word) = argv.get(at).cloned() else { return };
    let text = word.text.as_str().unwrap_or_default();
    let (inline, taken) = match text.strip_prefix("--split-string") {
        Some(rest) => (rest.strip_prefix('='), 1),
        None => (text.find('S').and_then(|i| text.get(i + 1..)).filter(|t| !t.is_empty()), 1),
    };
    let (text, taken) = match inline {
        Some(text) => (text.to_owned(), taken),
        None => match argv.get(at + 1) {
            Some(next) => (next.text.lossy().into_owned(), 2),
            None => return,
        },
    };
    let words = text.split_whitespace().map(|w| Word { text: w.into(), certain: word.certain, glob: false });
    let words: Vec<Word> = words.collect();
    argv.splice(at..(at + taken).min(argv.len()), words);
}
