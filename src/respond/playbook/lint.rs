//! What is wrong with a playbook, all of it at once: it is looked for in peace, not at three in the morning.

use std::collections::BTreeSet;

use serde::Serialize;

use super::format::{ContainWhose, Evidence, OnFailure, Playbook, Step, Trigger, VERSION, Var};
use super::scope::{FACTS, OF_STEP};
use super::{allowed, duration, library, template};
use crate::intake::{self, Env};
use crate::model::{Bytes, PlaybookKind, PlaybookMode};
use crate::systems;

/// The most steps, and the most arguments of one.
const MOST: usize = 200;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In which step; `None` where it is the whole playbook's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What, for people.
    pub what: String,
}

/// Looks through a playbook; empty where nothing is wrong.
pub fn lint(playbook: &Playbook) -> Vec<Finding> {
    let mut lint = Lint { playbook, found: Vec::new(), step: None, earlier: BTreeSet::new() };
    lint.head();
    for (at, step) in playbook.steps.iter().enumerate() {
        lint.step = Some(step.id.clone());
        lint.step(step, at);
        lint.earlier.insert(&step.id);
    }
    lint.found
}

struct Lint<'p> {
    playbook: &'p Playbook,
    found: Vec<Finding>,
    step: Option<String>,
    earlier: BTreeSet<&'p str>,
}

impl<'p> Lint<'p> {
    fn say(&mut self, what: impl Into<String>) {
        self.found.push(Finding { step: self.step.clone(), what: what.into() });
    }

    fn must(&mut self, is_so: bool, what: &str) {
        if !is_so {
            self.say(what);
        }
    }

    fn head(&mut self) {
        let playbook = self.playbook;
        self.must(playbook.api_version == VERSION, &format!("apiVersion is not {VERSION}"));
        self.must(library::is_name(&playbook.name), "a name has small letters, digits and \"-\", 64 at most");
        self.must(!playbook.title.trim().is_empty(), "it has no title");
        self.must(
            (1..=MOST).contains(&playbook.steps.len()),
            &format!("it has no steps, or more than {MOST}"),
        );
        playbook.trigger.iter().for_each(|trigger| self.trigger(trigger));
        playbook.vars.iter().for_each(|(name, var)| self.var(name, var));
    }

    fn trigger(&mut self, trigger: &Trigger) {
        for system in &trigger.system {
            let known =
                systems::by_id(system).is_some() || systems::all().iter().any(|s| s.id().0 == *system);
            self.must(
                known || system == "registry" || system == "cloud",
                &format!("no system is called {system}"),
            );
        }
        for regex in trigger.command.iter() {
            self.regex(regex);
        }
        for glob in trigger.resource.iter().chain(&trigger.except) {
            self.must(globset::Glob::new(glob).is_ok(), "the trigger's resource is no pattern");
        }
        self.must(*trigger != Trigger::default(), "an empty trigger fits everything");
    }

    fn var(&mut self, name: &str, var: &Var) {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        self.must(
            !name.is_empty() && name.bytes().all(plain),
            &format!("the variable {name:?} has an odd name"),
        );
        self.must(!var.about.trim().is_empty(), &format!("the variable {name} says not what it is about"));
        let is_plain = var.default.is_none() && var.from.is_none() && var.take.is_none();
        self.must(
            var.secret.is_none() || is_plain,
            &format!("{name} is a secret: it has no default and no source"),
        );
        if let Some(from) = &var.from {
            let fact = from.strip_prefix("event.").is_some_and(|fact| FACTS.contains(&fact));
            self.must(fact, &format!("{name} is taken from {from}, which is no fact of an event"));
        }
        if let Some(take) = &var.take {
            let groups = regex::bytes::Regex::new(take).map(|regex| regex.captures_len());
            self.must(
                groups.is_ok_and(|groups| groups > 1),
                &format!("{name}: take has to be a regular expression with a group"),
            );
            self.must(var.from.is_some(), &format!("{name}: take needs from"));
        }
    }

    fn regex(&mut self, regex: &str) {
        if let Err(error) = regex::RegexBuilder::new(regex).size_limit(1 << 20).build() {
            let why = error.to_string();
            self.say(format!("no regular expression: {}", why.lines().last().unwrap_or_default()));
        }
    }

    fn step(&mut self, step: &'p Step, at: usize) {
        self.must(library::is_name(&step.id), "an id has small letters, digits and \"-\", 64 at most");
        self.must(!self.earlier.contains(step.id.as_str()), "another step has this id");
        self.must(!step.title.trim().is_empty(), "it has no title");
        let Some(kind) = step.kind() else {
            self.say("it has to do exactly one of run, shell, undo, capture, verify, ask, wait-until, notify, contain");
            return;
        };
        self.texts(step);
        self.words(step, kind);
        self.follows(step, at);
        self.mode(step, kind);
    }

    /// Names stand only where values may stand, and only for what is known by then.
    fn texts(&mut self, step: &Step) {
        let mut plain: Vec<&str> = Vec::new();
        plain.extend(step.ask.iter().chain(&step.cwd).map(String::as_str));
        plain.extend(
            step.argv().into_iter().flatten().chain(step.compensate.iter().flatten()).map(String::as_str),
        );
        plain.extend(step.undo.iter().map(|undo| undo.event.as_str()));
        plain.extend(step.contain.iter().filter_map(|contain| contain.name.as_deref()));
        plain.extend(step.notify.iter().map(|notify| notify.text.as_str()));
        plain.extend(step.when.iter().map(|condition| condition.value.as_str()));
        let expect = step.expect.iter().flat_map(|e| [&e.stdout_contains, &e.stdout_lacks]);
        plain.extend(expect.flatten().map(String::as_str));
        plain.into_iter().for_each(|text| self.text(text, false));
        let secretly =
            step.env.values().chain(step.notify.iter().filter_map(|notify| notify.webhook.as_ref()));
        secretly.for_each(|text| self.text(text, true));
        for (what, text) in [("shell", &step.shell), ("stdin", &step.stdin)] {
            let clean = text.as_ref().is_none_or(|text| !text.contains("${{"));
            self.must(clean, &format!("no variable is put into {what}: a value could become a command"));
        }
    }

    fn text(&mut self, text: &str, secrets: bool) {
        if let Err(error) = template::pieces(text) {
            self.say(error.what);
        }
        for name in template::names(text) {
            let words: Vec<&str> = name.split('.').collect();
            let var = |name: &str| self.playbook.vars.get(name);
            let known = match words.as_slice() {
                ["vars", name] => var(name).is_some_and(|var| var.secret.is_none()),
                ["secret", name] => secrets && var(name).is_some_and(|var| var.secret.is_some()),
                ["event", fact] => FACTS.contains(fact),
                ["steps", id, what] => self.earlier.contains(id) && OF_STEP.contains(what),
                ["run" | "incident", "id"] | ["run", "cwd"] => true,
                _ => false,
            };
            if !known && words.first() == Some(&"secret") && !secrets {
                self.say(format!("{name} is a secret: it may stand in env and in the URL of a webhook only"));
            } else if !known {
                self.say(format!("{name} is no name that has a value here"));
            }
        }
    }

    fn words(&mut self, step: &Step, kind: PlaybookKind) {
        let argvs = step.argv().into_iter().chain(step.compensate.as_deref());
        for argv in argvs {
            self.must(!argv.is_empty() && argv.len() <= MOST, "it has no program, or too many arguments");
            if let Some(why) = allowed::becomes_code(argv) {
                self.say(format!("a value could become code: {why}"));
            }
            self.must(!argv.iter().any(|word| word.contains('\0')), "an argument holds a NUL");
        }
        let has_command = matches!(
            kind,
            PlaybookKind::Run
                | PlaybookKind::Shell
                | PlaybookKind::Verify
                | PlaybookKind::WaitUntil
                | PlaybookKind::Undo
        );
        self.must(step.expect.is_none() || has_command, "expect is for what runs a command");
        let feeds = matches!(kind, PlaybookKind::Run | PlaybookKind::Verify | PlaybookKind::WaitUntil);
        self.must(step.stdin.is_none() || feeds, "stdin is for run, verify and wait-until");
        for regex in step.expect.iter().flat_map(|e| [&e.stdout_matches, &e.stderr_matches]).flatten() {
            self.regex(regex);
        }
        for name in step.env.keys() {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            self.must(
                !name.is_empty() && name.bytes().all(plain),
                "a variable of the environment has an odd name",
            );
            let loads =
                name.starts_with("LD_") || matches!(name.as_str(), "PATH" | "BASH_ENV" | "ENV" | "IFS");
            self.must(!loads, &format!("{name} would change which programs run"));
        }
        for condition in &step.when {
            let said = [
                condition.is.is_some(),
                condition.is_not.is_some(),
                !condition.one_of.is_empty(),
                condition.contains.is_some(),
                condition.matches.is_some(),
                condition.is_set.is_some(),
            ];
            self.must(
                said.iter().filter(|said| **said).count() == 1,
                "a condition says exactly one thing of its value",
            );
            condition.matches.iter().for_each(|regex| self.regex(regex));
        }
        if let Some(notify) = &step.notify {
            self.must(
                notify.run.is_some() != notify.webhook.is_some(),
                "notify has to be a command or a webhook",
            );
            self.must(!notify.text.trim().is_empty(), "it says nothing");
        }
        if let Some(contain) = &step.contain {
            let needless = contain.whose == ContainWhose::All && contain.name.is_some();
            self.must(!needless, "every agent is meant: a name says nothing");
        }
        let entered = step.evidence.is_none_or(|evidence| evidence == Evidence::None);
        let by_person = kind == PlaybookKind::Ask || step.mode() == PlaybookMode::Manual;
        self.must(entered || by_person, "evidence is for ask, and for what a person does");
    }

    fn follows(&mut self, step: &Step, at: usize) {
        let times = step.timeout.iter().chain(step.wait_until.iter().filter_map(|wait| wait.every.as_ref()));
        for time in times {
            self.must(duration::parse(time).is_some(), "a time is like 30s, 5m, 2h, and a day at most");
        }
        match step.follows() {
            None => self.say("on-failure is continue, abort, or goto:STEP"),
            Some(OnFailure::Goto(id)) => {
                let later = self.playbook.steps.iter().skip(at + 1).any(|step| step.id == id);
                self.must(later, "goto names no later step");
            }
            Some(_) => {}
        }
    }

    /// What runs by itself only reads or contains.
    fn mode(&mut self, step: &Step, kind: PlaybookKind) {
        let auto = step.mode() == PlaybookMode::Auto;
        match kind {
            PlaybookKind::Ask => {
                self.must(step.mode() == PlaybookMode::Manual, "a person answers: mode is manual");
            }
            PlaybookKind::Shell | PlaybookKind::Notify => {
                self.must(!auto, &format!("{} never runs by itself", kind.as_str()));
            }
            PlaybookKind::Undo => {
                let shows = step.undo.as_ref().is_some_and(|undo| undo.dry_run);
                self.must(!auto || shows, "an undo never runs by itself, only its dry run");
            }
            PlaybookKind::Contain => {
                let ends = step.contain.as_ref().is_some_and(|contain| contain.terminate);
                self.must(!auto || !ends, "processes are never ended by themselves, only stopped");
            }
            PlaybookKind::Capture => {}
            PlaybookKind::Run if !auto => {}
            PlaybookKind::Verify if step.mode() == PlaybookMode::Manual => {}
            PlaybookKind::Run | PlaybookKind::Verify | PlaybookKind::WaitUntil => {
                let argv = step.argv().unwrap_or_default();
                let argv: Vec<Bytes> = argv.iter().map(|word| stood_in(word)).collect();
                let env: Env = intake::current_env();
                if let Some(why) = allowed::objection(&argv, step.stdin.as_deref(), &Bytes::from("/"), &env) {
                    self.say(format!("what runs by itself, verify and wait-until only read: {why}"));
                }
            }
        }
    }
}

/// A word with something harmless in place of its values.
fn stood_in(word: &str) -> Bytes {
    let pieces = template::pieces(word).unwrap_or_default();
    let text: String = pieces
        .into_iter()
        .map(|piece| match piece {
            template::Piece::Text(text) => text,
            template::Piece::Name(_) => "x".to_owned(),
        })
        .collect();
    Bytes::from(text)
}
