//! The walk through a syntax tree: every branch is taken, directories and variables are followed, and each simple
//! command becomes an invocation.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::ast::{
    AndOr, Arg, Assign, Command, Compound, Join, List, Pipeline, Redir, Simple, Value as AssignValue,
};
use super::readers::is_reader;
use super::state::{Shell, Value};
use super::{ShellCx, Understood, known, parse, text, word};
use crate::model::{Invocation, Redirect, RedirectMode, Stdin, Word};

/// The most invocations one line may become.
const MAX_INVOCATIONS: usize = 2048;
/// The most commands that are looked at, loops unrolled.
const MAX_STEPS: usize = 10_000;
/// The deepest nesting of texts in texts (`sh -c "sh -c …"`), functions and substitutions.
const MAX_DEPTH: usize = 24;
/// The most rounds of one loop that are unrolled.
const MAX_ROUNDS: usize = 256;

/// The longest that one line is followed, whatever the caller's deadline is.
const PATIENCE: Duration = Duration::from_millis(400);

/// How a command ended, where that is certain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// With 0.
    True,
    /// With something else.
    False,
    /// Not known.
    Unknown,
}

/// What an expanded simple command is made of, before wrappers are peeled.
#[derive(Default)]
pub struct Ready {
    /// Command word and arguments.
    pub argv: Vec<Word>,
    /// Redirections that write.
    pub redirects: Vec<Redirect>,
}

/// Collects the invocations of one line.
pub struct Walker<'a> {
    /// What is known of the shell.
    pub cx: &'a ShellCx<'a>,
    /// How deep texts, functions and substitutions are nested now.
    pub depth: usize,
    out: Understood,
    changed: bool,
    steps: usize,
    end: Instant,
    given_up: bool,
    /// What the last simple command certainly printed.
    said: Option<Word>,
    /// The directory that the last `cd` did not leave, because the one it names is not there.
    pub cd_missed: Option<String>,
}

impl<'a> Walker<'a> {
    /// Nothing collected yet.
    pub fn new(cx: &'a ShellCx<'a>) -> Walker<'a> {
        let out = Understood { cwd: cx.cwd.clone(), ..Understood::default() };
        let end = Instant::now() + PATIENCE;
        let end = cx.deadline.map_or(end, |d| d.min(end));
        Walker {
            end,
            given_up: false,
            cx,
            depth: 0,
            out,
            changed: false,
            steps: 0,
            said: None,
            cd_missed: None,
        }
    }

    /// What was collected.
    pub fn finish(self) -> Understood {
        self.out
    }

    /// Something that came earlier in the line may have changed the file system.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// The bounds were reached; nothing more is followed.
    pub fn given_up(&self) -> bool {
        self.given_up
    }

    /// Walks a whole line.
    pub fn line(&mut self, line: &[u8]) {
        let mut shell = Shell::new(text::from_bytes(self.cx.cwd.as_slice()).into_owned());
        if line.contains(&0) {
            self.opaque("NUL byte in the line");
            let kept: Vec<u8> = line.iter().copied().filter(|c| *c != 0).collect();
            self.script(&mut shell, &text::from_bytes(&kept));
        } else {
            self.script(&mut shell, &text::from_bytes(line));
        }
    }

    /// Walks an argv that no shell expands.
    pub fn argv(&mut self, argv: Vec<Word>) {
        let mut shell = Shell::new(text::from_bytes(self.cx.cwd.as_slice()).into_owned());
        self.dispatch(&mut shell, Ready { argv, redirects: Vec::new() });
    }

    /// Notes that something was not understood.
    pub fn opaque(&mut self, why: impl Into<String>) {
        let why = why.into();
        if self.out.opaque.len() < 16 && !self.out.opaque.contains(&why) {
            self.out.opaque.push(why);
        }
    }

    /// Parses and walks a text in `sh`.
    pub fn script(&mut self, sh: &mut Shell, text: &str) -> Status {
        if self.depth >= MAX_DEPTH || self.spent() {
            self.opaque("commands nested too deeply");
            return Status::Unknown;
        }
        match parse::parse(text) {
            Ok(list) => {
                self.depth += 1;
                let status = self.list(sh, &list);
                self.depth -= 1;
                status
            }
            Err(why) => {
                self.opaque(format!("cannot parse: {why}"));
                Status::Unknown
            }
        }
    }

    /// True where the walk must end.
    fn spent(&mut self) -> bool {
        self.steps += 1;
        let late = self.steps.is_multiple_of(16) && Instant::now() > self.end;
        if late || self.steps > MAX_STEPS || self.out.invocations.len() >= MAX_INVOCATIONS {
            self.given_up = true;
            self.opaque("too much to follow");
        }
        self.given_up
    }

    /// Walks commands in sequence.
    pub fn list(&mut self, sh: &mut Shell, list: &List) -> Status {
        let mut status = Status::True;
        for (and_or, background) in list {
            if sh.stopped || self.spent() {
                break;
            }
            self.cd_missed = None;
            if *background {
                let mut inner = sh.clone();
                self.and_or(&mut inner, and_or);
                status = Status::True;
            } else {
                status = self.and_or(sh, and_or);
                // `cd nowhere; rm -rf *` goes on where it was.
                if let Some(stayed) = self.cd_missed.take().filter(|_| and_or.rest.is_empty()) {
                    sh.cwd = Some(stayed);
                }
            }
        }
        status
    }

    fn and_or(&mut self, sh: &mut Shell, list: &AndOr) -> Status {
        let mut status = self.pipeline(sh, &list.first);
        for (join, pipeline) in &list.rest {
            if sh.stopped {
                break;
            }
            let runs = match (join, status) {
                (_, Status::Unknown) => None,
                (Join::And, s) => Some(s == Status::True),
                (Join::Or, s) => Some(s == Status::False),
            };
            match (runs, join) {
                (Some(false), _) => {}
                (Some(true), _) => status = self.pipeline(sh, pipeline),
                // What follows `&&` is what is meant to happen: its directory and variables count afterwards.
                (None, Join::And) => {
                    sh.maybe += 1;
                    self.pipeline(sh, pipeline);
                    sh.maybe -= 1;
                }
                (None, Join::Or) => {
                    let before = sh.clone();
                    sh.maybe += 1;
                    self.pipeline(sh, pipeline);
                    sh.maybe -= 1;
                    if sh.cwd != before.cwd {
                        sh.cwd = None;
                    }
                    sh.merge(&before);
                }
            }
        }
        status
    }

    fn pipeline(&mut self, sh: &mut Shell, pipeline: &Pipeline) -> Status {
        let mut status = Status::Unknown;
        if let [only] = pipeline.commands.as_slice() {
            status = self.command(sh, only);
        } else {
            let mut said: Option<Word> = None;
            for (i, command) in pipeline.commands.iter().enumerate() {
                let mut inner = sh.clone();
                if i > 0 {
                    inner.frame.stdin = said.take().map_or(Stdin::Pipe, Stdin::Text);
                }
                self.said = None;
                self.command(&mut inner, command);
                said = self.said.take();
            }
        }
        match (pipeline.bang, status) {
            (true, Status::True) => Status::False,
            (true, Status::False) => Status::True,
            (_, s) => s,
        }
    }

    /// The value of `$(…)`: its commands run too; what they print is known only where it is literal.
    pub fn substitute(&mut self, sh: &Shell, body: &str) -> Value {
        let written = format!("$({body})");
        if self.depth >= MAX_DEPTH || self.spent() {
            self.opaque("substitutions nested too deeply");
            return word::unknown(&written);
        }
        let list = match parse::parse(body) {
            Ok(list) => list,
            Err(why) => {
                self.opaque(format!("cannot parse: {why}"));
                return word::unknown(&written);
            }
        };
        self.depth += 1;
        let mut inner = sh.clone();
        inner.frame = super::state::Frame { remote: sh.frame.remote.clone(), ..Default::default() };
        self.said = None;
        self.list(&mut inner, &list);
        self.depth -= 1;
        let alone = matches!(list.as_slice(), [(AndOr { first, rest }, false)] if rest.is_empty() && first.commands.len() == 1);
        match self.said.take().filter(|_| alone) {
            Some(word) => {
                let text = text::from_bytes(word.text.as_slice()).trim_end_matches('\n').to_owned();
                Value { text, certain: true }
            }
            None => word::unknown(&written),
        }
    }

    fn command(&mut self, sh: &mut Shell, command: &Command) -> Status {
        if self.spent() {
            return Status::Unknown;
        }
        match command {
            Command::Simple(simple) => self.simple(sh, simple),
            Command::Compound(compound, redirs) => {
                self.with_redirs(sh, redirs, |w, sh| w.compound(sh, compound))
            }
            Command::Function(name, body) => {
                Rc::make_mut(&mut sh.functions).insert(name.clone(), Rc::clone(body));
                Status::True
            }
            Command::Test(words, redirs) => self.with_redirs(sh, redirs, |w, sh| {
                for raw in words {
                    w.single(sh, raw);
                }
                Status::Unknown
            }),
        }
    }

    /// Runs a compound command under its redirections.
    fn with_redirs(
        &mut self,
        sh: &mut Shell,
        redirs: &[Redir],
        run: impl FnOnce(&mut Self, &mut Shell) -> Status,
    ) -> Status {
        if redirs.is_empty() {
            return run(self, sh);
        }
        let (redirects, stdin) = self.redirs(sh, redirs);
        if !redirects.is_empty() {
            self.push(sh, Ready { argv: Vec::new(), redirects });
        }
        let outer = sh.frame.stdin.clone();
        if let Some(stdin) = stdin {
            sh.frame.stdin = stdin;
        }
        let status = run(self, sh);
        sh.frame.stdin = outer;
        status
    }

    /// Walks a compound command.
    pub fn compound(&mut self, sh: &mut Shell, compound: &Compound) -> Status {
        match compound {
            Compound::Arith(expr) => {
                self.arithmetic_words(sh, expr);
                Status::Unknown
            }
            Compound::Group(list) => self.list(sh, list),
            Compound::Subshell(list) => {
                let mut inner = sh.clone();
                self.list(&mut inner, list)
            }
            Compound::For(name, values, body) => self.for_loop(sh, name, values.as_deref(), body),
            Compound::ArithFor(exprs, body) => {
                exprs.iter().for_each(|e| self.arithmetic_words(sh, e));
                self.repeated(sh, |w, sh| w.list(sh, body), body);
                Status::Unknown
            }
            Compound::Case(value, arms) => {
                self.single(sh, value);
                let before = sh.clone();
                for (patterns, body) in arms {
                    let mut arm = before.clone();
                    arm.maybe += 1;
                    patterns.iter().for_each(|p| {
                        self.single(&mut arm, p);
                    });
                    self.list(&mut arm, body);
                    take(sh, arm, &before);
                }
                Status::Unknown
            }
            Compound::If(arms) => self.if_clause(sh, arms),
            Compound::While(until, condition, body) => self.while_loop(sh, *until, condition, body),
            Compound::Coproc(command) => {
                let mut inner = sh.clone();
                self.command(&mut inner, command);
                Status::True
            }
        }
    }

    /// Expressions run the substitutions in them and set variables we do not follow.
    fn arithmetic_words(&mut self, sh: &mut Shell, expr: &str) {
        if expr.contains(['$', '`']) {
            self.here(sh, expr);
        }
        let names: Vec<String> = sh.vars.keys().filter(|n| expr.contains(n.as_str())).cloned().collect();
        names.iter().for_each(|n| sh.forget(n));
    }

    fn if_clause(&mut self, sh: &mut Shell, arms: &[(Option<List>, List)]) -> Status {
        let mut before = sh.clone();
        for (condition, body) in arms {
            let status = match condition {
                Some(list) => self.list(&mut before, list),
                None => Status::True,
            };
            if status == Status::False {
                sh.clone_from(&before);
                continue;
            }
            let sure = status == Status::True && sh.maybe == before.maybe;
            let mut arm = before.clone();
            arm.maybe += u32::from(condition.is_some() && status != Status::True || before.maybe > sh.maybe);
            self.list(&mut arm, body);
            if sure && condition.is_some() {
                arm.maybe = sh.maybe;
                *sh = arm;
                return Status::Unknown;
            }
            take(sh, arm, &before);
            if status == Status::True {
                break;
            }
            before.maybe = sh.maybe + 1;
        }
        Status::Unknown
    }

    fn while_loop(&mut self, sh: &mut Shell, until: bool, condition: &List, body: &List) -> Status {
        let mut names = Vec::new();
        known::assigned(body, &mut names);
        known::assigned(condition, &mut names);
        names.iter().for_each(|n| sh.forget(n));
        let never = if until { Status::True } else { Status::False };
        if self.list(sh, condition) == never {
            return Status::True;
        }
        self.repeated(sh, |w, sh| w.list(sh, body), body);
        Status::Unknown
    }

    /// A body that runs an unknown number of times.
    fn repeated(&mut self, sh: &mut Shell, run: impl Fn(&mut Self, &mut Shell) -> Status, body: &List) {
        let mut names = Vec::new();
        known::assigned(body, &mut names);
        names.iter().for_each(|n| sh.forget(n));
        let before = sh.clone();
        sh.maybe += 1;
        run(self, sh);
        if sh.cwd != before.cwd {
            // The second round begins elsewhere.
            sh.cwd = None;
            run(self, sh);
        }
        sh.maybe = before.maybe;
        sh.stopped = before.stopped;
        sh.merge(&before);
    }

    fn for_loop(&mut self, sh: &mut Shell, name: &str, values: Option<&[String]>, body: &List) -> Status {
        let words: Vec<Word> = match values {
            Some(raw) => raw.iter().flat_map(|r| self.fields(sh, r)).collect(),
            None => match &sh.args {
                Some(args) => args.iter().skip(1).cloned().collect(),
                None => vec![Word { text: "$@".into(), certain: false, glob: false }],
            },
        };
        if words.len() > MAX_ROUNDS {
            self.opaque("a loop with too many rounds");
        }
        for word in words.into_iter().take(MAX_ROUNDS) {
            if sh.stopped || self.given_up {
                break;
            }
            let text = text::from_bytes(word.text.as_slice()).into_owned();
            sh.set(name, Value { text, certain: word.certain });
            if word.certain {
                self.list(sh, body);
            } else {
                self.repeated(sh, |w, sh| w.list(sh, body), body);
            }
        }
        Status::Unknown
    }

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

    fn simple(&mut self, sh: &mut Shell, simple: &Simple) -> Status {
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
        let said = if ready.redirects.is_empty() {
            known::output(&ready.argv, &sh.frame.stdin, sh.cwd.as_deref())
        } else {
            None
        };
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
                words
                    .map(|w| Value {
                        text: text::from_bytes(w.text.as_slice()).into_owned(),
                        certain: w.certain,
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
    fn redirs(&mut self, sh: &mut Shell, redirs: &[Redir]) -> (Vec<Redirect>, Option<Stdin>) {
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

    fn call(&mut self, sh: &mut Shell, body: &super::state::Function, ready: Ready) -> Status {
        if !ready.redirects.is_empty() {
            self.push(sh, Ready { argv: Vec::new(), redirects: ready.redirects });
        }
        let outer = sh.args.replace(ready.argv);
        let (compound, redirs) = &**body;
        let status = self.with_redirs(sh, redirs, |w, sh| w.compound(sh, compound));
        sh.args = outer;
        status
    }

    /// Keeps an invocation.
    pub fn push(&mut self, sh: &Shell, ready: Ready) {
        if self.out.invocations.len() >= MAX_INVOCATIONS {
            self.opaque("too much to follow");
            return;
        }
        let mut env: Vec<_> = Vec::new();
        for (name, var) in sh.vars.iter().filter(|(_, v)| v.exported) {
            let value = var.values.first().filter(|v| v.certain).map(|v| text::to_bytes(&v.text));
            env.push((name.clone(), value));
        }
        env.sort();
        env.extend(sh.frame.env.iter().cloned());
        let invocation = Invocation {
            argv: ready.argv,
            cwd: sh.cwd.as_deref().map(text::to_bytes),
            env,
            redirects: ready.redirects,
            stdin: sh.frame.stdin.clone(),
            wrappers: sh.frame.wrappers.clone(),
            remote: sh.frame.remote.clone(),
            dynamic_args: sh.frame.dynamic.clone(),
            stale_risk: self.changed,
        };
        let harmless = invocation.redirects.is_empty() && invocation.program().is_some_and(is_reader);
        self.changed |= !harmless;
        self.out.invocations.push(invocation);
    }
}

/// Joins the state after one branch into `sh`; an `exit` in a branch that may run ends nothing.
fn take(sh: &mut Shell, mut arm: Shell, before: &Shell) {
    arm.maybe = sh.maybe;
    arm.stopped = sh.stopped;
    let functions = Rc::clone(&arm.functions);
    arm.merge(before);
    if sh.cwd != arm.cwd {
        sh.cwd = None;
    }
    sh.vars = arm.vars;
    sh.functions = functions;
}

/// Devices that swallow or are the terminal: writing to them is no write.
fn is_device(target: &Word) -> bool {
    let Some(path) = target.as_str() else { return false };
    path.starts_with("/dev/fd/")
        || matches!(
            path,
            "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/stdin" | "/dev/tty" | "/dev/full"
        )
}
