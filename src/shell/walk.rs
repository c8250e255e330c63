//! The walk through a syntax tree: every branch is taken, directories and variables are followed, and each simple
//! command becomes an invocation.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::ast::{AndOr, Arg, Command, Compound, Join, List, Pipeline, Redir};
use super::readers::is_reader;
use super::state::{Shell, Value};
use super::{ShellCx, Understood, parse, salvage, text, word};
use crate::model::{Invocation, Redirect, Stdin, Word};

/// The most invocations one line may become.
const MAX_INVOCATIONS: usize = 2048;
/// The most commands that are looked at, loops unrolled.
const MAX_STEPS: usize = 10_000;
/// The deepest nesting of texts in texts (`sh -c "sh -c …"`), functions and substitutions.
pub const MAX_DEPTH: usize = 24;

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
    pub said: Option<Word>,
    /// Names that traps run, to be looked up when the line was walked.
    pub traps: Vec<String>,
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
            traps: Vec::new(),
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
        shell.maybe = 0;
        shell.stopped = false;
        for name in std::mem::take(&mut self.traps) {
            self.script(&mut shell, &name);
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
                self.depth += 1;
                sh.maybe += 1;
                for list in salvage::pieces(text) {
                    self.list(sh, &list);
                }
                sh.maybe -= 1;
                self.depth -= 1;
                Status::Unknown
            }
        }
    }

    /// True where the walk must end.
    pub fn spent(&mut self) -> bool {
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
                match self.cd_missed.take() {
                    // `cd nowhere; rm -rf *` goes on where it was.
                    Some(stayed) if and_or.rest.is_empty() => {
                        (sh.cwd, sh.astray) = (Some(stayed), false);
                    }
                    // So does `cd nowhere && make; rm -rf *`, but there the directory is meant.
                    Some(stayed) => sh.instead = Some(stayed),
                    None => {}
                }
            }
        }
        status
    }

    pub fn and_or(&mut self, sh: &mut Shell, list: &AndOr) -> Status {
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
            // What is behind `cd nowhere &&` does not run, what is behind its `||` does, and where it was.
            let is_missed = self.cd_missed.is_some();
            if is_missed {
                sh.instead = self.cd_missed.clone().filter(|_| *join == Join::Or);
            }
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
                    sh.merge(&before);
                }
            }
            // `cd nowhere || exit` goes on nowhere.
            if is_missed && *join == Join::Or && leaves(pipeline) {
                (self.cd_missed, sh.instead) = (None, None);
            }
        }
        status
    }

    pub fn pipeline(&mut self, sh: &mut Shell, pipeline: &Pipeline) -> Status {
        let mut status = Status::Unknown;
        if let [only] = pipeline.commands.as_slice() {
            status = self.command(sh, only);
        } else {
            let mut said: Option<Word> = None;
            for (i, command) in pipeline.commands.iter().enumerate() {
                let mut inner = sh.clone();
                if i > 0 {
                    inner.frame.stdin = said.take().map_or(Stdin::Pipe, Stdin::Text);
                    inner.frame.piped = pipeline.commands.first().filter(|_| i == 1).and_then(written);
                }
                self.said = None;
                self.command(&mut inner, command);
                // The last word of a compound command is not all that it says.
                said = self.said.take().filter(|_| matches!(command, Command::Simple(_)));
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
        let simple = |p: &Pipeline| matches!(p.commands.as_slice(), [Command::Simple(_)]);
        let alone =
            matches!(list.as_slice(), [(AndOr { first, rest }, false)] if rest.is_empty() && simple(first));
        match self.said.take().filter(|_| alone) {
            Some(word) => {
                let text = text::from_bytes(word.text.as_slice()).trim_end_matches('\n').to_owned();
                Value { text, certain: true }
            }
            None => word::unknown(&written),
        }
    }

    pub fn command(&mut self, sh: &mut Shell, command: &Command) -> Status {
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
    pub fn with_redirs(
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
            user: sh.frame.user.clone(),
            remote: sh.frame.remote.clone(),
            dynamic_args: sh.frame.dynamic.clone(),
            dynamic_from: sh.frame.dynamic_from.clone(),
            dynamic_roots: sh.frame.roots.clone(),
            stale_risk: self.changed,
            astray: sh.astray,
            instead: sh.instead.as_deref().map(text::to_bytes),
        };
        let harmless = invocation.redirects.is_empty() && invocation.program().is_some_and(is_reader);
        self.changed |= !harmless;
        self.out.invocations.push(invocation);
    }
}

/// The last thing that it does is to leave the shell or the function.
fn leaves(pipeline: &Pipeline) -> bool {
    match pipeline.commands.as_slice() {
        [Command::Simple(simple)] => {
            matches!(simple.words.first(), Some(Arg::Word(word)) if matches!(word.as_str(), "exit" | "return"))
        }
        [Command::Compound(Compound::Group(list), _)] => list.last().is_some_and(|(and_or, background)| {
            !background && leaves(and_or.rest.last().map_or(&and_or.first, |(_, last)| last))
        }),
        _ => false,
    }
}

/// A simple command without redirections and assignments, as it is written.
fn written(command: &Command) -> Option<String> {
    let Command::Simple(simple) = command else { return None };
    let words = simple.words.iter().map(|word| match word {
        Arg::Word(text) | Arg::Assign(_, text) => Some(text.as_str()),
        Arg::Process(_) => None,
    });
    let words: Vec<&str> = words.collect::<Option<_>>()?;
    let plain = simple.redirs.is_empty() && simple.assigns.is_empty();
    plain.then(|| words.join(" "))
}
