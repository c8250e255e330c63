//! What the steps do.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::record::Log;
use crate::error::{Error, Result};
use crate::intake::{self, Ending, Request};
use crate::model::{Answers, Bytes, Capture, EventId, Outcome, PlaybookKind, PlaybookMode, Source, Whose};
use crate::platform::interrupt::Interrupt;
use crate::platform::task::{self, Done};
use crate::record as recorder;
use crate::respond::playbook::format::{ContainWhose, Step};
use crate::respond::playbook::scope::Scope;
use crate::respond::playbook::{allowed, duration, markdown, template, webhook};

/// How long a command may take where nothing is said.
const DEFAULT: Duration = Duration::from_secs(120);
/// How long an undo may take, or a wait, where nothing is said.
const LONG: Duration = Duration::from_secs(900);
/// How long until something is looked at again, where nothing is said.
const EVERY: Duration = Duration::from_secs(5);

/// What came of a step.
#[derive(Clone, Debug, Default)]
pub struct Did {
    pub ok: bool,
    pub code: Option<i32>,
    pub output: String,
    pub note: String,
    pub event: Option<EventId>,
    pub interrupted: bool,
    /// What was stored; the event of the step's end keeps it, and can be restored from.
    pub captures: Vec<Capture>,
}

/// What a step needs to be carried out.
pub struct Stage<'a> {
    pub log: &'a Log,
    pub scope: &'a Scope,
    pub interrupt: &'a Interrupt,
    pub webhook_hosts: &'a [String],
    /// How often the step was begun: part of its commands' call ids.
    pub attempt: usize,
}

/// A command with its values, ready to be run.
struct Ready {
    argv: Vec<Bytes>,
    stdin: Option<String>,
    env: Vec<(String, Bytes)>,
    cwd: Bytes,
    limit: Duration,
}

impl Stage<'_> {
    /// Why the step may not be run as its mode says; `None` where it may. Also what it says cannot be filled in.
    pub fn objection(&self, step: &Step) -> Result<Option<String>> {
        let kind = step.kind();
        let reads = match kind {
            Some(PlaybookKind::Verify) => step.mode() != PlaybookMode::Manual,
            Some(PlaybookKind::WaitUntil) => true,
            Some(PlaybookKind::Run) => step.mode() == PlaybookMode::Auto,
            Some(PlaybookKind::Undo) => {
                let shows = step.undo.as_ref().is_some_and(|undo| undo.dry_run);
                let alone = step.mode() == PlaybookMode::Auto && !shows;
                return Ok(alone.then(|| "an undo never runs by itself".to_owned()));
            }
            Some(PlaybookKind::Contain) => {
                let ends = step.contain.as_ref().is_some_and(|contain| contain.terminate);
                let alone = step.mode() == PlaybookMode::Auto && ends;
                return Ok(alone.then(|| "processes are never ended by themselves".to_owned()));
            }
            Some(PlaybookKind::Shell | PlaybookKind::Notify) if step.mode() == PlaybookMode::Auto => {
                return Ok(Some("it never runs by itself".to_owned()));
            }
            _ => false,
        };
        if !reads {
            return Ok(None);
        }
        let ready = self.ready(step, step.argv().unwrap_or_default())?;
        let env = self.env(&ready);
        Ok(allowed::objection(&ready.argv, ready.stdin.as_deref(), &ready.cwd, &env))
    }

    /// Carries it out.
    pub fn act(&self, step: &Step) -> Result<Did> {
        match step.kind() {
            Some(PlaybookKind::Run | PlaybookKind::Verify) => {
                let ready = self.ready(step, step.argv().unwrap_or_default())?;
                let done = self.command(step, ready)?;
                self.judged(step, done)
            }
            Some(PlaybookKind::Shell) => {
                let line = step.shell.clone().unwrap_or_default();
                let done = self.shell(step, &line)?;
                self.judged(step, done)
            }
            Some(PlaybookKind::WaitUntil) => self.wait(step),
            Some(PlaybookKind::Undo) => self.undo(step),
            Some(PlaybookKind::Capture) => self.capture(step),
            Some(PlaybookKind::Notify) => self.notify(step),
            Some(PlaybookKind::Contain) => self.contain(step),
            Some(PlaybookKind::Ask) | None => Ok(Did { ok: true, ..Did::default() }),
        }
    }

    fn ready(&self, step: &Step, argv: &[String]) -> Result<Ready> {
        let mut env = Vec::new();
        for (name, value) in &step.env {
            env.push((name.clone(), self.scope.for_env(value)?));
        }
        let cwd = match &step.cwd {
            Some(text) => template::fill(text, self.scope)?,
            None => self.scope.value("run.cwd")?,
        };
        let limit = step.timeout.as_deref().and_then(duration::parse).unwrap_or(DEFAULT);
        let argv = template::fill_argv(argv, self.scope)?;
        Ok(Ready { argv, stdin: step.stdin.clone(), env, cwd, limit })
    }

    fn env(&self, ready: &Ready) -> intake::Env {
        let mut env = intake::current_env();
        env.extend(ready.env.iter().cloned());
        env
    }

    /// Runs a command: through the recorder, unless it is known to read only or is `fr` itself.
    fn command(&self, step: &Step, ready: Ready) -> Result<(Done, Option<EventId>)> {
        if ready.argv.is_empty() {
            return Err(Error::failure("there is no program"));
        }
        let env = self.env(&ready);
        let reads = allowed::objection(&ready.argv, ready.stdin.as_deref(), &ready.cwd, &env).is_none();
        if reads || allowed::is_fr(&ready.argv) {
            return Ok((self.started(&ready)?, None));
        }
        let action = allowed::action(&ready.argv, ready.stdin.as_deref());
        self.recorded(step, action, &ready, env)
    }

    fn shell(&self, step: &Step, line: &str) -> Result<(Done, Option<EventId>)> {
        let argv = [crate::platform::runner::shell(), "-c", line].map(str::to_owned);
        let mut ready = self.ready(step, &argv)?;
        for (name, value) in &self.scope.vars {
            let name = name.to_ascii_uppercase().replace('-', "_");
            ready.env.push((format!("FR_VAR_{name}"), value.clone()));
        }
        let env = self.env(&ready);
        self.recorded(step, intake::Action::Shell(line.as_bytes().to_vec()), &ready, env)
    }

    fn recorded(
        &self,
        step: &Step,
        action: intake::Action,
        ready: &Ready,
        env: intake::Env,
    ) -> Result<(Done, Option<EventId>)> {
        let request = Request {
            session: self.log.session(),
            call: Some(format!("{}-{}", step.id, self.attempt)),
            actor: self.log.actor.clone(),
            source: Source::Exec,
            cwd: ready.cwd.clone(),
            background: false,
            answers: Answers::Nothing,
            action,
            env,
        };
        if let Some(why) = recorder::containment::held(&request, &self.log.home) {
            return Err(Error::failure(format!("not run: {why}")));
        }
        // What could not be recorded is not run: it could not be taken back.
        let recorded = recorder::before(&request, None, &self.log.home)?;
        let done = self.started(ready);
        let (outcome, took, note) = match &done {
            Ok(done) => (done.outcome, Some(done.took), None),
            Err(error) => (Outcome::Exited { code: 127 }, None, Some(error.what.clone().into_bytes())),
        };
        let mut ending = Ending::new(request.session, request.call, outcome);
        ending.duration_ms = took.and_then(|took| u64::try_from(took.as_millis()).ok());
        ending.note = note;
        recorder::after(&ending, None, &self.log.home)?;
        Ok((done?, recorded.map(|recorded| recorded.event)))
    }

    fn started(&self, ready: &Ready) -> Result<Done> {
        let mut argv: Vec<OsString> =
            ready.argv.iter().map(|word| OsString::from_vec(word.0.clone())).collect();
        if allowed::is_fr(&ready.argv)
            && let (Some(first), Ok(own)) = (argv.first_mut(), std::env::current_exe())
        {
            *first = own.into();
        }
        let mut env: Vec<(String, OsString)> = ready
            .env
            .iter()
            .map(|(name, value)| (name.clone(), OsString::from_vec(value.0.clone())))
            .collect();
        env.push((intake::exec::INSIDE.to_owned(), std::process::id().to_string().into()));
        let cwd = PathBuf::from(OsString::from_vec(ready.cwd.0.clone()));
        if !cwd.is_dir() {
            return Err(Error::failure(format!("the directory {} is not there", cwd.display())));
        }
        let stdin = ready.stdin.clone().unwrap_or_default();
        let stop = || self.interrupt.check().is_err();
        task::task(&argv, stdin.as_bytes(), &env, Some(&cwd), ready.limit, &stop)
    }

    fn wait(&self, step: &Step) -> Result<Did> {
        let wait = step.wait_until.as_ref().ok_or_else(|| Error::failure("there is nothing to wait for"))?;
        let every = wait.every.as_deref().and_then(duration::parse).unwrap_or(EVERY);
        let limit = step.timeout.as_deref().and_then(duration::parse).unwrap_or(LONG);
        let end = Instant::now() + limit;
        loop {
            let mut ready = self.ready(step, &wait.run)?;
            ready.limit =
                ready.limit.min(end.saturating_duration_since(Instant::now()).max(Duration::from_secs(1)));
            let mut did = self.judged(step, (self.started(&ready)?, None))?;
            if did.ok || did.interrupted {
                return Ok(did);
            }
            if Instant::now() + every > end {
                did.note = format!("not so within {} s; the last time: {}", limit.as_secs(), did.note);
                return Ok(did);
            }
            let next = Instant::now() + every;
            while Instant::now() < next {
                self.interrupt.check()?;
                std::thread::sleep(Duration::from_millis(50).min(every));
            }
        }
    }

    fn undo(&self, step: &Step) -> Result<Did> {
        let undo = step.undo.as_ref().ok_or_else(|| Error::failure("there is nothing to undo"))?;
        let mut argv = markdown::undo_argv(undo);
        if !undo.dry_run {
            argv.push("--json".to_owned());
        }
        let mut ready = self.ready(step, &argv)?;
        ready.limit = step.timeout.as_deref().and_then(duration::parse).unwrap_or(LONG);
        let done = self.started(&ready)?;
        let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        let event = told.get("event").and_then(serde_json::Value::as_u64).map(EventId);
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        // It is back already: what the step is for is so.
        let nothing_left =
            done.code() == 5 && (stderr.contains("nothing to do:") || stderr.contains("is undone already"));
        let mut did = self.judged(step, (done, event))?;
        if nothing_left {
            (did.ok, did.note) = (true, stderr.lines().next().unwrap_or_default().replace("error: ", ""));
        }
        if !undo.dry_run {
            did.output = summary(&told).unwrap_or(did.output);
        }
        Ok(did)
    }

    /// Stores what a command would destroy, without running it.
    fn capture(&self, step: &Step) -> Result<Did> {
        let ready = self.ready(step, step.argv().unwrap_or_default())?;
        let env = self.env(&ready);
        let reading = recorder::read(&allowed::action(&ready.argv, None), &ready.cwd, &env);
        let store = crate::store::Store::open_or_create(&self.log.home)?;
        let batch = store.batch();
        let taken = recorder::capture_all(&reading.effects, &batch, &self.log.home);
        batch.commit()?;
        let items: u64 = taken.captures.iter().map(|capture| capture.items).sum();
        let mut lacks: Vec<String> = taken.warnings.clone();
        lacks.extend(taken.lacking.iter().filter(|text| !taken.warnings.contains(text)).cloned());
        let stored = !taken.captures.is_empty();
        Ok(Did {
            ok: stored && lacks.is_empty(),
            output: if stored { format!("{items} items stored") } else { String::new() },
            note: if stored || !lacks.is_empty() {
                lacks.join("; ")
            } else {
                "there is nothing to store".to_owned()
            },
            captures: taken.captures,
            ..Did::default()
        })
    }

    fn notify(&self, step: &Step) -> Result<Did> {
        let notify = step.notify.as_ref().ok_or_else(|| Error::failure("nobody is told"))?;
        let text = template::fill(&notify.text, self.scope)?.lossy().into_owned();
        if let Some(argv) = &notify.run {
            let mut ready = self.ready(step, argv)?;
            ready.stdin = Some(text);
            let done = self.command(step, ready)?;
            return self.judged(step, done);
        }
        let url = self.scope.for_env(notify.webhook.as_deref().unwrap_or_default())?;
        let url = url.lossy().into_owned();
        webhook::host(&url, self.webhook_hosts)?;
        let body = serde_json::json!({"text": text}).to_string();
        let limit = step.timeout.as_deref().and_then(duration::parse).unwrap_or(Duration::from_secs(20));
        let ready = Ready {
            argv: ["curl", "-q", "--config", "-"].map(Bytes::from).to_vec(),
            stdin: Some(webhook::settings(&url, &body, limit.as_secs())),
            env: Vec::new(),
            cwd: Bytes::from("/"),
            limit: limit + Duration::from_secs(2),
        };
        self.judged(step, (self.started(&ready)?, None))
    }

    fn contain(&self, step: &Step) -> Result<Did> {
        let contain = step.contain.as_ref().ok_or_else(|| Error::failure("nobody is contained"))?;
        let fact = |fact: &str| match &contain.name {
            Some(text) => template::fill(text, self.scope),
            None => self.scope.value(&format!("event.{fact}")),
        };
        let whose = match contain.whose {
            ContainWhose::All => Whose::All,
            ContainWhose::Session => Whose::Session { session: fact("session")?.lossy().into_owned() },
            ContainWhose::Agent => Whose::Agent { agent: fact("agent")?.lossy().into_owned() },
        };
        let standing = recorder::Orders::load(&self.log.home)?;
        if !contain.terminate && standing.orders.iter().any(|one| one.order.whose == whose) {
            let note = format!("{} is contained already", whose.words());
            return Ok(Did { ok: true, note, ..Did::default() });
        }
        let reason = format!("playbook {}", self.log.playbook);
        let done = crate::respond::contain(
            whose,
            reason,
            contain.terminate,
            self.log.actor.clone(),
            &self.log.home,
        )?;
        let stopped = done.done.stopped.len();
        Ok(Did {
            ok: true,
            event: done.event,
            output: format!("{} contained, {stopped} processes stopped", done.done.order.whose.words()),
            note: done.done.left.join("; "),
            ..Did::default()
        })
    }
}

/// What an undo's report says, in one line for each step.
fn summary(told: &serde_json::Value) -> Option<String> {
    let text = |value: Option<&serde_json::Value>| match value? {
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let one = |step: &serde_json::Value| {
        let result = text(step.pointer("/verification/result")).or_else(|| text(step.get("outcome")));
        format!("{}: {}", text(step.get("resource")).unwrap_or_default(), result.unwrap_or_default())
    };
    let list = |value: &serde_json::Value, field: &str, words: &str| -> Vec<String> {
        let all = value.get(field).and_then(serde_json::Value::as_array).into_iter().flatten();
        all.filter_map(|line| Some(format!("{words}: {}", line.as_str()?))).collect()
    };
    let steps = told.get("steps")?.as_array()?;
    let mut lines: Vec<String> = steps.iter().map(one).collect();
    lines.extend(steps.iter().flat_map(|step| list(step, "not_restored", "not restored")));
    lines.extend(list(told, "residue", "not restored"));
    lines.extend(list(told, "passed_over", "not taken back"));
    lines.extend(list(told, "uncaptured", "not captured"));
    lines.extend(list(told, "skipped", "left as it is"));
    Some(lines.join("\n")).filter(|text| !text.is_empty())
}
