//! A run of a playbook has an event before and after each of its steps. That is for the record; a person who reads what
//! happened wants to know how it went, and what went wrong.

use std::collections::HashSet;

use crate::journal::index::Event;
use crate::model::{EventKind, PlaybookMark, PlaybookMoment, Uid};

/// How much of a run of a playbook is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// One line for a run, and one for each step that went wrong.
    Runs,
    /// One line for each step: a beginning whose end is listed is left out.
    Steps,
}

/// Where an event of a list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a line of its own.
    Stands,
    /// For the whole run of a playbook.
    Leads,
    /// Below the line of its run: something went wrong.
    Below,
    /// Nowhere: another line tells it.
    Folded,
}

/// Goes through a list of events, newest first.
pub struct Folding {
    fold: Fold,
    runs: HashSet<Uid>,
    ended: HashSet<(Uid, String)>,
}

impl Folding {
    /// At the newest event.
    pub fn new(fold: Fold) -> Folding {
        Folding { fold, runs: HashSet::new(), ended: HashSet::new() }
    }

    /// Where the next event stands.
    pub fn place(&mut self, event: &Event) -> Place {
        let Some(mark) = mark_of(event) else { return Place::Stands };
        let (leads, is_told) = match self.fold {
            Fold::Runs => (self.runs.insert(mark.run), !is_wrong(mark)),
            Fold::Steps => (false, self.is_told(mark)),
        };
        match (self.fold, is_told) {
            _ if leads => Place::Leads,
            (_, true) => Place::Folded,
            (Fold::Runs, false) => Place::Below,
            (Fold::Steps, false) => Place::Stands,
        }
    }

    /// The beginning of a step whose end was listed. One without an end is told: nobody knows whether it happened.
    fn is_told(&mut self, mark: &PlaybookMark) -> bool {
        let Some(step) = &mark.step else { return false };
        let step = (mark.run, step.id.clone());
        match mark.moment {
            PlaybookMoment::StepDone | PlaybookMoment::StepFailed => {
                self.ended.insert(step);
                false
            }
            PlaybookMoment::StepBegun => self.ended.remove(&step),
            _ => false,
        }
    }
}

/// What an event says of a run of a playbook.
pub fn mark_of(event: &Event) -> Option<&PlaybookMark> {
    match &event.before.kind {
        EventKind::Playbook { mark } => Some(mark),
        _ => None,
    }
}

/// True where something went wrong in this run.
pub fn is_wrong_in(event: &Event, run: Uid) -> bool {
    mark_of(event).is_some_and(|mark| mark.run == run && is_wrong(mark))
}

fn is_wrong(mark: &PlaybookMark) -> bool {
    matches!(
        mark.moment,
        PlaybookMoment::StepFailed | PlaybookMoment::StepRefused | PlaybookMoment::StepTakenBack
    )
}

/// How many of the first events of a list (newest first) have so many lines together; all of them where there are fewer.
pub fn first(events: &[Event], lines: usize, fold: Fold) -> Shown {
    let mut folding = Folding::new(fold);
    let mut shown = 0;
    for (at, event) in events.iter().enumerate() {
        let counts = folding.place(event) != Place::Folded;
        if counts && shown == lines {
            return Shown { events: at, lines: shown };
        }
        shown += usize::from(counts);
    }
    Shown { events: events.len(), lines: shown }
}

/// A beginning of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// So many events.
    pub events: usize,
    /// They have so many lines.
    pub lines: usize,
}
