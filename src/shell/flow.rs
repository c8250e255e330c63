//! Compound commands: every branch and body is walked, and what is certain of a status or of a loop's words is used.

use std::rc::Rc;

use super::ast::{Compound, List};
use super::state::{Shell, Value};
use super::walk::{Status, Walker};
use super::{known, text};
use crate::model::Word;

/// The most rounds of one loop that are unrolled.
const MAX_ROUNDS: usize = 256;

impl Walker<'_> {
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
            if sh.stopped || self.given_up() {
                break;
            }
            let text = text::from_bytes(word.text.as_slice()).into_owned();
            // A glob that matched nothing now may match when the loop runs: its text is no name to rely on.
            let certain = word.certain && !word.glob;
            sh.set(name, Value { text, certain });
            if certain {
                self.list(sh, body);
            } else {
                self.repeated(sh, |w, sh| w.list(sh, body), body);
            }
        }
        Status::Unknown
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
