//! Simple commands: words, assignments and redirections are expanded; then a function, a builtin, a wrapper or a
//! program is called.

use super::ast::{Arg, Assign, Redir, Simple, Value as AssignValue};
use super::state::{Function, Shell, Value};
use super::walk::{MAX_DEPTH, Ready, Status, Walker};
use super::{known, text, word};
use crate::model::{Redirect, RedirectMode, Stdin, Word};

impl Walker<'_> {
    /// Expands the words and redirections of a simple command; tells its standard input where it is redirected.
    fn ready(&mut self, sh: &mut Shell, simple: &Simple) -> (Ready, Option<Stdin>) {
        let mut argv = Vec::new();
        for arg in &simple.words {
            match arg {
                Arg::Word(raw) => argv.extend(self.fields(sh, raw)),
                Arg::Assign(_, raw) => argv.push(self.single(sh, raw)),
                Arg::Process(list) => {
                    let mut inner = sh.clone();
                    inner.frame.stdin = Stdin::Pipe;
                    self.list(&mut inner, list);
                    argv.push(Word { text: "/dev/fd/63".into(), certain: true, glob: false });
                }
            }
        }
        let (redirects, stdin) = self.redirs(sh, &simple.redirs);
        (Ready { argv, redirects }, stdin)
    }

    pub fn simple(&mut self, sh: &mut Shell, simple: &Simple) -> Status {
        let (ready, stdin) = self.ready(sh, simple);
        if ready.argv.is_empty() {
            for assign in &simple.assigns {
                self.assign(sh, assign);
            }
            if !ready.redirects.is_empty() {
                self.push(sh, ready);
            }
            return if simple.assigns.is_empty() { Status::True } else { Status::Unknown };
        }
        let outer = sh.frame.clone();
        for assign in &simple.assigns {
            if let AssignValue::Scalar(raw) = &assign.value {
                let word = self.single(sh, raw);
                let value = word.certain.then_some(word.text);
                sh.frame.env.push((assign.name.clone(), value));
            }
        }
        if let Some(stdin) = stdin {
            sh.frame.stdin = stdin;
        }
        let bare = simple.words.iter().find_map(|a| match a {
            Arg::Assign(a, _) => Some(a),
            _ => None,
        });
        let away = simple.redirs.iter().any(|r| matches!(r, Redir::Away));
        let function = |sh: &Shell, name: &str| sh.functions.contains_key(name);
        let own = ready.argv.first().and_then(Word::as_str).is_some_and(|name| function(sh, name));
        let said =
            if away || own { None } else { known::output(&ready.argv, &sh.frame.stdin, sh.cwd.as_deref()) };
        let status = match ready.argv.first().and_then(Word::as_str) {
            Some("export" | "declare" | "local" | "readonly" | "typeset") if bare.is_some() => {
                for arg in &simple.words {
                    if let Arg::Assign(assign, _) = arg {
                        self.assign(sh, assign);
                    }
                }
                self.dispatch(sh, ready)
            }
            _ => self.dispatch(sh, ready),
        };
        sh.frame = outer;
        self.said = said;
        status
    }

    fn assign(&mut self, sh: &mut Shell, assign: &Assign) {
        let values: Vec<Value> = match &assign.value {
            AssignValue::Scalar(raw) => {
                let word = self.single(sh, raw);
                vec![Value {
                    text: text::from_bytes(word.text.as_slice()).into_owned(),
                    certain: word.certain,
                }]
            }
            AssignValue::Array(raw) => {
                let words = raw.iter().flat_map(|r| self.fields(sh, r));
                // A glob that matches nothing now may match when the command runs.
                words
                    .map(|w| Value {
                        text: text::from_bytes(w.text.as_slice()).into_owned(),
                        certain: w.certain && !w.glob,
                    })
                    .collect()
            }
        };
        let array = matches!(assign.value, AssignValue::Array(_));
        if assign.element {
            sh.forget(&assign.name);
        } else if !assign.append {
            sh.set_all(&assign.name, values, array);
        } else if array {
            let mut all = sh.vars.get(&assign.name).map(|v| v.values.clone()).unwrap_or_default();
            all.extend(values);
            sh.set_all(&assign.name, all, true);
        } else {
            let old = self.variable(sh, &assign.name);
            let old = old.unwrap_or_else(|| word::unknown(&format!("${}", assign.name)));
            let new = values.into_iter().next().unwrap_or(Value { text: String::new(), certain: true });
            let certain = old.certain && new.certain;
            sh.set(&assign.name, Value { text: old.text + &new.text, certain });
        }
    }

    /// The redirections that write, and the standard input where one redirects it.
    pub fn redirs(&mut self, sh: &mut Shell, redirs: &[Redir]) -> (Vec<Redirect>, Option<Stdin>) {
        let (mut writes, mut stdin) = (Vec::new(), None);
        for redir in redirs {
            match redir {
                Redir::Write(raw, append) => {
                    let mode = if *append { RedirectMode::Append } else { RedirectMode::Truncate };
                    let target = self.target(sh, raw);
                    writes.push(Redirect { mode, target });
                }
                Redir::ReadWrite(raw) => {
                    let target = self.target(sh, raw);
                    writes.push(Redirect { mode: RedirectMode::ReadWrite, target });
                }
                Redir::Dup(raw) => {
                    let target = self.target(sh, raw);
                    let number = target.text.as_slice();
                    let is_fd = number.strip_suffix(b"-").unwrap_or(number).iter().all(u8::is_ascii_digit);
                    if !is_fd {
                        writes.push(Redirect { mode: RedirectMode::Truncate, target });
                    }
                }
                Redir::Away => {}
                Redir::Read(0, raw) => stdin = Some(Stdin::File(self.target(sh, raw))),
                Redir::Read(_, raw) => {
                    self.target(sh, raw);
                }
                Redir::Here(body, expand) => {
                    let word =
                        if *expand { self.here(sh, body) } else { Word::literal(text::to_bytes(body)) };
                    stdin = Some(Stdin::Text(word));
                }
                Redir::HereString(raw) => stdin = Some(Stdin::Text(self.single(sh, raw))),
                Redir::Process(list) => {
                    let mut inner = sh.clone();
                    self.list(&mut inner, list);
                    stdin = Some(Stdin::Pipe);
                }
            }
        }
        writes.retain(|r| !is_device(&r.target));
        (writes, stdin)
    }

    /// Runs an expanded command: a function of the line, a builtin, a wrapper, or a program.
    pub fn dispatch(&mut self, sh: &mut Shell, ready: Ready) -> Status {
        if self.depth >= MAX_DEPTH || self.spent() {
            self.opaque("commands nested too deeply");
            return Status::Unknown;
        }
        self.depth += 1;
        let status = self.dispatch_inner(sh, ready);
        self.depth -= 1;
        status
    }

    fn dispatch_inner(&mut self, sh: &mut Shell, ready: Ready) -> Status {
        let Some(name) = ready.argv.first().and_then(Word::as_str).map(str::to_owned) else {
            self.push(sh, ready);
            return Status::Unknown;
        };
        if let Some(body) = sh.functions.get(&name).cloned() {
            return self.call(sh, &body, ready);
        }
        self.builtin(sh, &name, ready)
    }

    fn call(&mut self, sh: &mut Shell, body: &Function, ready: Ready) -> Status {
        if !ready.redirects.is_empty() {
            self.push(sh, Ready { argv: Vec::new(), redirects: ready.redirects });
        }
        let outer = sh.args.replace(ready.argv);
        let (compound, redirs) = &**body;
        let status = self.with_redirs(sh, redirs, |w, sh| w.compound(sh, compound));
        sh.args = outer;
        status
    }
}

/// Devices that swallow or are the terminal: writing to them is no write.
fn is_device(target: &Word) -> bool {
    let Some(path) = target.as_str() else { return false };
    // bash makes connections of the last two; no file of that name is opened.
    ["/dev/fd/", "/dev/tcp/", "/dev/udp/"].iter().any(|front| path.starts_with(front))
        || matches!(
            path,
            "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/stdin" | "/dev/tty" | "/dev/full"
        )
}
