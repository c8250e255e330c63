//! Who agrees to a step: its mode, an agent that may not, a person, or nobody.

use super::carry::Carrier;
use super::person::{Answer, Prompt};
use super::record::Said;
use crate::error::Result;
use crate::model::{PlaybookKind, PlaybookMode, PlaybookMoment};
use crate::respond::playbook::format::{Evidence, Step};

/// What became of it.
pub enum Consent {
    /// It is carried out; who agreed.
    Go(Said),
    /// It has ended already: a person did it, had done it, or left it out.
    Past(PlaybookMoment, Said),
    /// A person is waited for.
    Wait(String),
}

impl Carrier<'_> {
    /// Asks for it, where its mode needs that, or where it was begun and has no end on record.
    pub fn consent(&mut self, step: &Step, does: &str) -> Result<Consent> {
        let name = self.person.actor().name.clone();
        let left_out = || Said::note(format!("left out by {name}"));
        // A look that fails, and would fail again, must not hold up what comes after it.
        if !self.person.is_agent() && self.person.leaves_out(step) {
            return Ok(Consent::Past(PlaybookMoment::StepSkipped, left_out()));
        }
        if step.mode() == PlaybookMode::Auto && !self.again {
            return Ok(Consent::Go(Said::default()));
        }
        if self.person.is_agent() {
            return Ok(Consent::Wait(format!("{name} is an agent: only a person agrees to {}", step.id)));
        }
        let enters = match step.evidence {
            Some(Evidence::Required) => Some(true),
            Some(Evidence::Optional) => Some(false),
            _ => None,
        };
        let prompt = Prompt { step, does, again: self.again, enters, compensates: false };
        let by = |note: Option<String>, evidence: Option<String>| Said {
            confirmed_by: Some(name.clone()),
            note,
            evidence,
            ..Said::default()
        };
        Ok(match self.person.ask(&prompt)? {
            Answer::Yes(text) if step.mode() == PlaybookMode::Manual => {
                Consent::Past(PlaybookMoment::StepDone, by(None, Some(text)))
            }
            Answer::Yes(_) => Consent::Go(by(None, None)),
            Answer::Done => {
                Consent::Past(PlaybookMoment::StepDone, by(Some("it was done already".to_owned()), None))
            }
            Answer::Skip => Consent::Past(PlaybookMoment::StepSkipped, left_out()),
            Answer::Stop => Consent::Wait("stopped by a person".to_owned()),
            Answer::Nobody => Consent::Wait(self.nobody(step).to_owned()),
        })
    }

    fn nobody(&self, step: &Step) -> &'static str {
        match (self.again, step.kind(), step.mode()) {
            (true, ..) => "it was begun, and nobody knows whether it ended",
            (false, Some(PlaybookKind::Ask), _) => "a person has to answer",
            (false, _, PlaybookMode::Manual) => "a person has to do it",
            _ => "a person has to agree",
        }
    }
}
