//! The loop over the steps.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use super::act::{Did, Stage};
use super::consent::Consent;
use super::person::{Answer, Person, Prompt, Told};
use super::record::{Log, Said, is_harmless};
use super::replay::Standing;
use crate::error::{Error, ExitCode, Result};
use crate::model::{EventId, PlaybookMode, PlaybookMoment, Uid};
use crate::platform::interrupt::Interrupt;
use crate::respond::playbook::format::{Condition, Evidence, OnFailure, Playbook, Step};
use crate::respond::playbook::scope::{Scope, StepFacts};
use crate::respond::playbook::{markdown, template};

/// One step as it went.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its id.
    pub step: String,
    /// How it ended.
    pub moment: PlaybookMoment,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The event of what it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
}

/// How a run ended for now.
#[derive(Clone, Debug, Serialize)]
pub struct Ended {
    /// Its id.
    pub run: Uid,
    /// Its playbook.
    pub playbook: String,
    /// `finished`, `waiting` or `broken-off`.
    pub moment: PlaybookMoment,
    /// The steps that were carried out now.
    pub steps: Vec<Line>,
    /// The steps that failed and were passed over.
    pub failed: Vec<String>,
    /// The step that a person is waited for, or that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What a script says to go on: flags of `fr playbook resume`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The exit code.
    pub exit: u8,
}

/// A run on its way.
pub struct Carrier<'a> {
    pub playbook: &'a Playbook,
    pub log: Log,
    pub scope: Scope,
    pub standing: Standing,
    pub person: &'a mut dyn Person,
    pub interrupt: Interrupt,
    pub webhook_hosts: Vec<String>,
    pub began: Instant,
    pub lines: Vec<Line>,
    pub attempts: BTreeMap<String, usize>,
    /// The step at hand was begun before, and no end of it is on record.
    pub again: bool,
}

/// What follows a step.
enum Next {
    Step(usize),
    Stop(PlaybookMoment, String),
}

impl Carrier<'_> {
    /// On to the end, or to where a person is needed.
    pub fn carry(mut self) -> Result<Ended> {
        let playbook = self.playbook;
        let mut at = self.standing.next;
        while let Some(step) = playbook.steps.get(at) {
            match self.step(step, at)? {
                Next::Step(next) => at = next,
                Next::Stop(moment, why) => return self.stop(step, moment, why),
            }
        }
        let failed = self.standing.failed.clone();
        let note = match failed.len() {
            0 => String::new(),
            _ => format!("failed: {}", failed.join(", ")),
        };
        let took = Some(self.began.elapsed());
        self.log.mark(
            PlaybookMoment::Finished,
            None,
            Said { note: Some(note.clone()), took, ..Said::default() },
        )?;
        let exit = if failed.is_empty() { ExitCode::Ok } else { ExitCode::Partial };
        Ok(self.ended(PlaybookMoment::Finished, None, (note, Vec::new()), exit as u8))
    }

    fn ended(
        self,
        moment: PlaybookMoment,
        at: Option<String>,
        why: (String, Vec<String>),
        exit: u8,
    ) -> Ended {
        let (why, flags) = why;
        Ended {
            run: self.log.run,
            playbook: self.log.playbook,
            moment,
            steps: self.lines,
            failed: self.standing.failed,
            at,
            why,
            flags,
            exit,
        }
    }

    /// A person is needed, or something failed.
    fn stop(mut self, step: &Step, moment: PlaybookMoment, why: String) -> Result<Ended> {
        match moment {
            PlaybookMoment::Waiting => {
                // Once is enough, however often somebody looks.
                if !self.standing.waits || !self.lines.is_empty() {
                    self.log.mark(moment, Some(step), Said::note(why.clone()))?;
                }
            }
            _ => {
                self.compensate()?;
                self.log.mark(PlaybookMoment::BrokenOff, None, Said::note(format!("{}: {why}", step.id)))?;
            }
        }
        let exit = match moment {
            PlaybookMoment::Waiting if self.person.is_agent() => ExitCode::Failure,
            PlaybookMoment::Waiting => ExitCode::Partial,
            _ => ExitCode::Failure,
        };
        let flags = match moment {
            PlaybookMoment::Waiting if !self.person.is_agent() => self.flags(step),
            _ => Vec::new(),
        };
        let moment = if moment == PlaybookMoment::Waiting { moment } else { PlaybookMoment::BrokenOff };
        Ok(self.ended(moment, Some(step.id.clone()), (why, flags), exit as u8))
    }

    /// What a script says to go on at this step.
    fn flags(&self, step: &Step) -> Vec<String> {
        let id = &step.id;
        let agree = match (self.again, step.evidence) {
            (true, _) => vec![format!("--again {id}"), format!("--done {id}")],
            (false, Some(Evidence::Required)) => vec![format!("--answer {id}=TEXT")],
            (false, Some(Evidence::Optional)) => {
                vec![format!("--confirm {id}"), format!("--answer {id}=TEXT")]
            }
            (false, _) => vec![format!("--confirm {id}")],
        };
        agree.into_iter().chain([format!("--skip {id}")]).collect()
    }

    fn step(&mut self, step: &Step, at: usize) -> Result<Next> {
        self.interrupt.check().map_err(|e| self.interrupted(e))?;
        let does = self.filled(step);
        let (number, of) = (at + 1, self.playbook.steps.len());
        self.person.tell(&Told::Step { step, number, of, does: &does })?;
        if let Some(why) = self.does_not_apply(step)? {
            self.end(step, PlaybookMoment::StepSkipped, Said::note(why), "")?;
            return Ok(Next::Step(at + 1));
        }
        self.again = std::mem::take(&mut self.standing.begun) && !is_harmless(step);
        if let Some(why) = self.objection(step) {
            self.end(step, PlaybookMoment::StepRefused, Said::note(why.clone()), "")?;
            return Ok(Next::Stop(PlaybookMoment::StepRefused, why));
        }
        let agreed = match self.consent(step, &does)? {
            Consent::Go(agreed) => agreed,
            Consent::Past(moment, said) => {
                self.end(step, moment, said, "")?;
                return Ok(Next::Step(at + 1));
            }
            Consent::Wait(why) => return Ok(Next::Stop(PlaybookMoment::Waiting, why)),
        };
        self.log.mark(PlaybookMoment::StepBegun, Some(step), agreed.clone())?;
        let started = Instant::now();
        let did = self.act(step);
        if did.interrupted {
            // Nobody knows how far it came: it stays begun, and is asked about.
            let why = format!("interrupted at {}", step.id);
            self.log.mark(PlaybookMoment::BrokenOff, None, Said::note(why.clone()))?;
            return Err(self.interrupted(Error::new(ExitCode::Interrupted, why)));
        }
        let said = Said {
            evidence: Some(did.output.clone()),
            code: did.code,
            took: Some(started.elapsed()),
            event: did.event,
            note: Some(did.note.clone()),
            captures: did.captures,
            ..agreed
        };
        let moment = if did.ok { PlaybookMoment::StepDone } else { PlaybookMoment::StepFailed };
        self.end(step, moment, said, &did.output)?;
        Ok(if did.ok { Next::Step(at + 1) } else { self.after_failure(step, at, did.note) })
    }

    /// What follows a step that failed.
    fn after_failure(&self, step: &Step, at: usize, why: String) -> Next {
        let later =
            |id: &str| self.playbook.steps.iter().position(|step| step.id == id).filter(|to| *to > at);
        let next = match step.follows() {
            Some(OnFailure::Continue) => Some(at + 1),
            Some(OnFailure::Goto(id)) => later(&id),
            _ => None,
        };
        next.map_or(Next::Stop(PlaybookMoment::BrokenOff, why), Next::Step)
    }

    fn interrupted(&self, error: Error) -> Error {
        let run = self.log.run.to_string();
        Error { hints: Vec::new(), ..error }
            .hint(format!("`fr playbook resume {}` goes on", run.get(..12).unwrap_or(&run)))
    }

    fn stage(&self, step: &Step) -> Stage<'_> {
        Stage {
            log: &self.log,
            scope: &self.scope,
            interrupt: &self.interrupt,
            webhook_hosts: &self.webhook_hosts,
            attempt: self.attempts.get(&step.id).copied().unwrap_or(1),
        }
    }

    /// Why the step may not be carried out as it stands.
    fn objection(&self, step: &Step) -> Option<String> {
        match self.stage(step).objection(step) {
            Ok(None) => None,
            Ok(Some(why)) => Some(format!("it may not run like this: {why}")),
            Err(error) => Some(error.what),
        }
    }

    fn act(&mut self, step: &Step) -> Did {
        *self.attempts.entry(step.id.clone()).or_default() += 1;
        match self.stage(step).act(step) {
            Ok(did) => did,
            Err(error) => {
                Did { note: error.what, interrupted: self.interrupt.check().is_err(), ..Did::default() }
            }
        }
    }

    /// Writes the end of a step down, keeps it for later steps, and tells it.
    fn end(&mut self, step: &Step, moment: PlaybookMoment, said: Said, output: &str) -> Result<()> {
        let note = self.log.hidden(said.note.as_deref().unwrap_or_default());
        let text = said.evidence.as_deref().map(|text| self.log.hidden(text));
        let facts = StepFacts { outcome: Some(moment), code: said.code, text };
        let (code, mut event) = (said.code, said.event);
        let keeps = !said.captures.is_empty();
        let own = self.log.mark(moment, Some(step), said)?;
        if keeps {
            event = Some(own);
        }
        if moment != PlaybookMoment::StepRefused {
            self.scope.steps.insert(step.id.clone(), facts);
        }
        match moment {
            PlaybookMoment::StepFailed => {
                self.standing.failed.retain(|id| *id != step.id);
                self.standing.failed.push(step.id.clone());
            }
            // A person left it out, after it had failed.
            PlaybookMoment::StepSkipped => self.standing.failed.retain(|id| *id != step.id),
            PlaybookMoment::StepDone => {
                self.standing.failed.retain(|id| *id != step.id);
                self.standing.done.push(step.id.clone());
            }
            _ => {}
        }
        self.person.tell(&Told::Ended { moment, note: &note, output: &self.log.hidden(output) })?;
        self.lines.push(Line { step: step.id.clone(), moment, note, code, event });
        Ok(())
    }

    /// What the step does, with the values that are known.
    fn filled(&self, step: &Step) -> String {
        markdown::does(step, &|text| filled(text, &self.scope))
    }

    /// Why the step is left out: the first condition that is not so.
    fn does_not_apply(&self, step: &Step) -> Result<Option<String>> {
        for (condition, words) in step.when.iter().zip(markdown::conditions(step)) {
            if !holds(condition, &self.scope)? {
                return Ok(Some(format!("only where {}", words.replace('`', ""))));
            }
        }
        Ok(None)
    }

    /// Offers to take back what was done, the latest first.
    fn compensate(&mut self) -> Result<()> {
        let playbook = self.playbook;
        for id in self.standing.done.clone().into_iter().rev() {
            let Some(step) = playbook.steps.iter().find(|step| step.id == id) else { continue };
            let Some(argv) = &step.compensate else { continue };
            let as_step = Step {
                run: Some(argv.clone()),
                shell: None,
                undo: None,
                capture: None,
                verify: None,
                ask: None,
                wait_until: None,
                notify: None,
                contain: None,
                stdin: None,
                expect: None,
                said_mode: Some(PlaybookMode::Confirm),
                when: Vec::new(),
                ..step.clone()
            };
            let does = self.filled(&as_step);
            let prompt = Prompt { step, does: &does, again: false, enters: None, compensates: true };
            let answer = if self.person.is_agent() { Answer::Nobody } else { self.person.ask(&prompt)? };
            if !matches!(answer, Answer::Yes(_)) {
                self.person.tell(&Told::Note(&format!("to take {id} back: {does}")))?;
                continue;
            }
            let did = self.act(&as_step);
            let moment = if did.ok { PlaybookMoment::StepTakenBack } else { PlaybookMoment::StepFailed };
            let confirmed_by = Some(self.person.actor().name.clone());
            if did.ok {
                let said = Said { confirmed_by, code: did.code, event: did.event, ..Said::default() };
                self.log.mark(moment, Some(step), said)?;
            }
            self.person.tell(&Told::Ended { moment, note: &did.note, output: "" })?;
        }
        Ok(())
    }
}

/// A text with the values that are known; one that is not stays as it stands.
pub fn filled(text: &str, scope: &Scope) -> String {
    template::fill(text, scope).map_or_else(|_| text.to_owned(), |bytes| bytes.lossy().into_owned())
}

/// True where a condition is so. A value that nobody knows is empty.
pub fn holds(condition: &Condition, scope: &Scope) -> Result<bool> {
    let value = template::fill(&condition.value, scope).map(|value| value.lossy().into_owned());
    let set = value.as_ref().is_ok_and(|value| !value.is_empty());
    let value = value.unwrap_or_default();
    if let Some(wanted) = condition.is_set {
        return Ok(set == wanted);
    }
    if let Some(pattern) = &condition.matches {
        let regex = regex::Regex::new(pattern).map_err(|_| Error::failure("when: no regular expression"))?;
        return Ok(regex.is_match(&value));
    }
    Ok(condition.is.as_ref().is_none_or(|text| value == *text)
        && condition.is_not.as_ref().is_none_or(|text| value != *text)
        && condition.contains.as_ref().is_none_or(|text| value.contains(text.as_str()))
        && (condition.one_of.is_empty() || condition.one_of.contains(&value)))
}
