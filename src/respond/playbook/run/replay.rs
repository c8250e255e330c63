//! Where a run stands, from the record alone.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{EventId, EventKind, PlaybookMark, PlaybookMoment, Uid};
use crate::respond::playbook::format::{OnFailure, Playbook};
use crate::respond::playbook::scope::StepFacts;

/// A run as the record has it.
#[derive(Clone, Debug, Serialize)]
pub struct RunState {
    /// Its id.
    pub run: Uid,
    /// Its playbook.
    pub playbook: String,
    /// When it began, nanoseconds since 1970.
    pub began_ns: i64,
    /// The last thing that happened.
    pub moment: PlaybookMoment,
    /// To which step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The events that it is about.
    pub about: Vec<EventId>,
    /// The incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<EventId>,
    /// What happened, the oldest first.
    #[serde(skip)]
    pub marks: Vec<(Event, PlaybookMark)>,
}

impl RunState {
    /// Every step is done.
    pub fn is_finished(&self) -> bool {
        self.moment == PlaybookMoment::Finished
    }
}

/// What became of the steps of a run, each by its last word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps that are done.
    pub done: usize,
    /// Steps that do not apply, or that a person left out.
    pub skipped: usize,
    /// Those that failed or were refused.
    pub failed: Vec<String>,
    /// Those that were taken back, after a later one failed.
    pub back: Vec<String>,
    /// The one that was begun and has no end on record.
    pub open: Option<String>,
}

impl RunState {
    /// What became of its steps.
    pub fn tally(&self) -> Tally {
        let mut last: BTreeMap<&str, PlaybookMoment> = BTreeMap::new();
        let mut order: Vec<&str> = Vec::new();
        for (_, mark) in &self.marks {
            // That somebody is waited for says nothing of the step.
            let Some(step) = mark.step.as_ref().filter(|_| mark.moment != PlaybookMoment::Waiting) else {
                continue;
            };
            if last.insert(&step.id, mark.moment).is_none() {
                order.push(&step.id);
            }
        }
        let mut tally = Tally::default();
        for (id, moment) in order.into_iter().filter_map(|id| Some((id, *last.get(id)?))) {
            match moment {
                PlaybookMoment::StepDone => tally.done += 1,
                PlaybookMoment::StepSkipped => tally.skipped += 1,
                PlaybookMoment::StepBegun => tally.open = Some(id.to_owned()),
                PlaybookMoment::StepTakenBack => tally.back.push(id.to_owned()),
                _ => tally.failed.push(id.to_owned()),
            }
        }
        tally
    }
}

/// All runs, the newest first.
///
/// # Errors
/// Where the index cannot be read.
pub fn runs(index: &Index) -> Result<Vec<RunState>> {
    let filter = Filter { playbooks: true, limit: usize::MAX, ..Filter::default() };
    told(index, &filter)
}

/// One run; `None` where nothing of it is on record.
///
/// # Errors
/// Where the index cannot be read.
pub fn run_of(index: &Index, run: Uid) -> Result<Option<RunState>> {
    let session = Some(PlaybookMark::session(run));
    let filter = Filter { playbooks: true, session, limit: usize::MAX, ..Filter::default() };
    Ok(told(index, &filter)?.into_iter().find(|state| state.run == run))
}

fn told(index: &Index, filter: &Filter) -> Result<Vec<RunState>> {
    let mut runs: BTreeMap<Uid, RunState> = BTreeMap::new();
    for event in index.timeline(filter)?.into_iter().rev() {
        let EventKind::Playbook { mark } = &event.before.kind else { continue };
        let mark = (**mark).clone();
        let state = runs.entry(mark.run).or_insert_with(|| RunState {
            run: mark.run,
            playbook: mark.playbook.clone(),
            began_ns: event.before.at_ns,
            moment: mark.moment,
            step: None,
            about: mark.about.clone(),
            incident: mark.incident,
            marks: Vec::new(),
        });
        state.moment = mark.moment;
        state.step = mark.step.as_ref().map(|step| step.id.clone());
        state.marks.push((event, mark));
    }
    let mut runs: Vec<RunState> = runs.into_values().collect();
    runs.sort_by_key(|state| std::cmp::Reverse(state.marks.first().map(|(event, _)| event.id)));
    Ok(runs)
}

/// The one run whose id begins like this; the latest unfinished one where nothing is said.
///
/// # Errors
/// Usage, where there is none, or more than one.
pub fn find_run(index: &Index, begins: Option<&str>) -> Result<RunState> {
    let mut all = runs(index)?;
    let listed = "`fr playbook list --runs` lists them";
    let Some(begins) = begins else {
        let open = all.into_iter().find(|run| !run.is_finished());
        return open.ok_or_else(|| {
            Error::new(ExitCode::NothingToUndo, "no run of a playbook is there to go on with").hint(listed)
        });
    };
    all.retain(|run| begins.len() >= 4 && run.run.to_string().starts_with(&begins.to_ascii_lowercase()));
    match (all.pop(), all.is_empty()) {
        (Some(run), true) => Ok(run),
        (None, _) => {
            Err(Error::new(ExitCode::Usage, format!("there is no run {}", begins.escape_debug()))
                .hint(listed))
        }
        _ => Err(Error::new(ExitCode::Usage, format!("more than one run begins with {begins}")).hint(listed)),
    }
}

/// What the marks of a run say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The step that comes next.
    pub next: usize,
    /// That step was begun, and no end of it is on record.
    pub begun: bool,
    /// The steps that failed and were passed over.
    pub failed: Vec<String>,
    /// What is known of the steps that have ended.
    pub facts: BTreeMap<String, StepFacts>,
    /// The last word was that a person is waited for, at the next step.
    pub waits: bool,
    /// The steps that are done, in order.
    pub done: Vec<String>,
}

/// Goes through the marks of a run.
pub fn standing(playbook: &Playbook, marks: &[(Event, PlaybookMark)]) -> Standing {
    let mut standing = Standing::default();
    for (_, mark) in marks {
        standing.waits = mark.moment == PlaybookMoment::Waiting;
        let Some(of) = &mark.step else { continue };
        let Some(at) = playbook.steps.iter().position(|step| step.id == of.id) else { continue };
        let step = playbook.steps.get(at);
        let ended = || StepFacts { outcome: Some(mark.moment), code: mark.code, text: mark.evidence.clone() };
        match mark.moment {
            PlaybookMoment::StepBegun => (standing.next, standing.begun) = (at, true),
            PlaybookMoment::StepDone | PlaybookMoment::StepSkipped => {
                (standing.next, standing.begun) = (at + 1, false);
                standing.failed.retain(|id| *id != of.id);
                if mark.moment == PlaybookMoment::StepDone {
                    standing.done.push(of.id.clone());
                }
                standing.facts.insert(of.id.clone(), ended());
            }
            PlaybookMoment::StepFailed => {
                standing.begun = false;
                standing.failed.retain(|id| *id != of.id);
                standing.failed.push(of.id.clone());
                standing.facts.insert(of.id.clone(), ended());
                standing.next = match step.and_then(|step| step.follows()) {
                    Some(OnFailure::Continue) => at + 1,
                    Some(OnFailure::Goto(id)) => {
                        playbook.steps.iter().position(|step| step.id == id).unwrap_or(at)
                    }
                    _ => at,
                };
            }
            PlaybookMoment::StepTakenBack => {
                standing.next = standing.next.min(at);
                standing.done.retain(|id| *id != of.id);
            }
            PlaybookMoment::StepRefused => (standing.next, standing.begun) = (at, false),
            _ => {}
        }
    }
    standing
}
