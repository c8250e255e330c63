//! The person who works with the runner, as the runner sees one.

use super::super::format::Step;
use crate::error::Result;
use crate::model::{Actor, ActorKind, PlaybookMoment};

/// What a person is asked.
#[derive(Clone, Debug)]
pub struct Prompt<'a> {
    /// For which step.
    pub step: &'a Step,
    /// What it would do, as a command, or the question.
    pub does: &'a str,
    /// It was begun, and nobody knows whether it ended.
    pub again: bool,
    /// Something is to be entered; `Some(true)` where it has to be.
    pub enters: Option<bool>,
    /// It takes back a step that is done.
    pub compensates: bool,
}

/// What a person answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on with it; what was entered.
    Yes(String),
    /// Leave it out.
    Skip,
    /// It is done already.
    Done,
    /// Stop here; it is gone on with later.
    Stop,
    /// There is nobody to ask.
    Nobody,
}

/// What the runner tells.
#[derive(Clone, Debug)]
pub enum Told<'a> {
    /// A step comes.
    Step {
        /// Which.
        step: &'a Step,
        /// Its number, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// What it does.
        does: &'a str,
    },
    /// A step has ended.
    Ended {
        /// How.
        moment: PlaybookMoment,
        /// Why, or what of it is worth saying.
        note: &'a str,
        /// What its command answered.
        output: &'a str,
    },
    /// Something worth saying.
    Note(&'a str),
}

/// Somebody, or nobody.
pub trait Person {
    /// Who it is, as the record names them.
    fn actor(&self) -> &Actor;

    /// Asks.
    ///
    /// # Errors
    /// Where the terminal fails.
    fn ask(&mut self, prompt: &Prompt<'_>) -> Result<Answer>;

    /// Tells.
    ///
    /// # Errors
    /// Where the terminal fails.
    fn tell(&mut self, told: &Told<'_>) -> Result<()>;

    /// They said beforehand that this step is to be left out.
    fn leaves_out(&self, step: &Step) -> bool;

    /// An agent may look and contain; it agrees to nothing.
    fn is_agent(&self) -> bool {
        self.actor().kind == ActorKind::Agent
    }
}
