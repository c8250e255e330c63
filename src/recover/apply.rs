//! Applying a plan. The present is captured first, so that an undo can be undone; each step is journaled, so that a
//! crash is resumed; each target is read again, so that "undone" is only said of what was seen to be back.

use serde::Serialize;

use super::begin::begin;
use super::planning::{UndoPlan, plan_one};
use super::rest::rest_of;
use super::together::plan_net;
use crate::error::{Error, Result};
use crate::journal::index::Event;
use crate::journal::{Durability, Journal};
use crate::model::{
    Actor, After, Bytes, EventId, Lack, Outcome, Policy, Record, Step, StepMark, StepOutcome, StepPhase,
    StepVerdict, Verification,
};
use crate::platform::{clock, home::Home};
use crate::record::redact::{TagKey, redact};
use crate::record::{self, Config};
use crate::store::Store;
use crate::systems::{self, ApplyCx, Run};

/// How one step went.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// The target.
    pub resource: Bytes,
    /// What was done.
    pub action: String,
    /// How applying it ended.
    #[serde(flatten)]
    pub outcome: StepOutcome,
    /// What reading it again showed.
    pub verification: Verification,
    /// What did not come back although the step succeeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_restored: Vec<String>,
    /// The policy by which a conflict became this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// How an undo went (`schema/undo-report.schema.json`).
#[derive(Clone, Debug, Serialize)]
pub struct Applied {
    /// The undo's own event.
    pub event: EventId,
    /// What it took back, newest first.
    pub of: Vec<EventId>,
    /// The steps that wrote.
    pub steps: Vec<StepReport>,
    /// Targets that were skipped because somebody changed them.
    pub skipped: Vec<String>,
    /// What did not come back, by name.
    pub residue: Vec<String>,
    /// Events that were asked for too and that nothing can be taken back of: this undo is not about them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// What the captures left out, and why: whether it was changed is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncaptured: Vec<String>,
    /// What nobody saw, and "undone" is therefore not said of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// What was left out on purpose: the events count as undone in part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

impl Applied {
    /// Every target was seen to be back, and nothing is missing. What only lies beside the present is not back.
    pub fn is_complete(&self) -> bool {
        self.is_all_back() && self.uncaptured.is_empty()
    }

    /// All that was captured is back.
    pub fn is_all_back(&self) -> bool {
        let is_back = |s: &StepReport| s.is_verified() && s.policy != Some(Policy::SideBySide);
        self.residue.is_empty() && self.skipped.is_empty() && self.steps.iter().all(is_back)
    }
}

impl StepReport {
    /// The step was applied and its target was seen to be as recorded.
    pub fn is_verified(&self) -> bool {
        self.outcome == StepOutcome::Done
            && self.verification == Verification::Verified
            && self.not_restored.is_empty()
    }
}

/// Carries out a plan for these events. Conflicting steps are skipped: whoever does not want that does not call this.
pub fn apply(
    plan: &UndoPlan,
    events: &[Event],
    actor: Actor,
    home: &Home,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Applied> {
    let store = Store::open(home)?;
    let journal = Journal::open(home)?;
    let undo = begin(plan, events, actor, &store, &journal, home)?;
    carry_out(plan, events, undo, &Desk { store: &store, journal: &journal, home, progress })
}

/// Goes on with an undo that a crash interrupted: steps that are done already plan as such and are left alone. With `infra`
/// it also does what is only done on request.
pub fn resume(
    undo: &Event,
    of: &[Event],
    infra: bool,
    home: &Home,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Applied> {
    let store = Store::open(home)?;
    let journal = Journal::open(home)?;
    let mut plan = rest_of(undo, of, &store, home)?;
    if infra {
        plan.go_on_with_infra();
    }
    carry_out(&plan, of, undo.id, &Desk { store: &store, journal: &journal, home, progress })
}

/// Ends an interrupted undo where it stands: it counts as done in part, and can be taken back ([`super::plan_back`]).
pub fn end(undo: &Event, home: &Home) -> Result<()> {
    let given_up = Said { note: Some("given up: `fr undo --abort`".to_owned()), lacking: Vec::new() };
    close(undo.id, 3, given_up, &Journal::open(home)?, home)
}

/// Where an undo works.
struct Desk<'a> {
    store: &'a Store,
    journal: &'a Journal,
    home: &'a Home,
    progress: &'a (dyn Fn(u64) + Sync),
}

fn carry_out(plan: &UndoPlan, events: &[Event], undo: EventId, desk: &Desk<'_>) -> Result<Applied> {
    let reader = desk.store.reader();
    let (home, progress) = (desk.home, desk.progress);
    let label = format!("undo-{}", plan.after_undo.unwrap_or(undo));
    let cx = ApplyCx { source: &reader, vault: home.vault(), caps: Config::caps_of(home), label, progress };
    let mut outcomes = Vec::new();
    for (number, step) in plan.restoring() {
        mark(desk.journal, undo, number, StepPhase::Started, None)?;
        let outcome = apply_step(step, &cx);
        let (phase, note) = match &outcome {
            StepOutcome::Done => (StepPhase::Done, None),
            StepOutcome::Waiting { operation } => {
                (StepPhase::Failed, Some(format!("still waiting for {operation}")))
            }
            StepOutcome::Conflict { reason } | StepOutcome::Failed { reason } => {
                (StepPhase::Failed, Some(reason.clone()))
            }
        };
        mark(desk.journal, undo, number, phase, note)?;
        outcomes.push((step, outcome));
    }
    let left = left_to_do(plan, events, desk);
    let steps = verified(outcomes, &left, plan.net.is_empty(), &cx);
    let applied = Applied {
        event: undo,
        of: plan.events.clone(),
        steps,
        skipped: skipped(plan),
        residue: residue(plan),
        passed_over: plan.passed_over.clone(),
        uncaptured: plan.uncaptured.clone(),
        unseen: plan.unseen.clone(),
        left_out: plan.left_out.clone(),
    };
    ended(&applied, plan, undo, desk.journal, home)?;
    Ok(applied)
}

fn apply_step(step: &Step, cx: &ApplyCx<'_>) -> StepOutcome {
    let result = match systems::by_id(&step.system.0) {
        Some(system) => system.apply(step, cx),
        None => Err(Error::failure(format!("this fr knows no system {}", step.system))),
    };
    result.unwrap_or_else(|e| StepOutcome::Failed { reason: e.to_string() })
}

/// Reads every target again: planning once more against the world as it is now must find nothing left to do.
fn left_to_do(plan: &UndoPlan, events: &[Event], desk: &Desk<'_>) -> Result<Vec<Step>> {
    match events {
        [event] if plan.net.is_empty() => {
            let again = Event { undone_by: None, undone_in_part: false, ..event.clone() };
            Ok(plan_one(&again, desk.store, desk.home)?.steps)
        }
        _ => plan_net(plan, Run::First, desk.store, desk.home),
    }
}

fn verified(
    outcomes: Vec<(&Step, StepOutcome)>,
    left: &Result<Vec<Step>>,
    of_one: bool,
    cx: &ApplyCx<'_>,
) -> Vec<StepReport> {
    let report = |(step, outcome): (&Step, StepOutcome)| StepReport {
        resource: step.resource.clone(),
        action: step.action.clone(),
        verification: match (&outcome, step.policy) {
            (StepOutcome::Done, Some(Policy::Merge | Policy::SideBySide)) => verified_by_system(step, cx),
            // The net effect knows nothing of what was written over a conflict.
            (StepOutcome::Done, Some(Policy::Force)) if !of_one => verified_by_system(step, cx),
            _ => verification(step, &outcome, left),
        },
        outcome,
        not_restored: step
            .not_restored
            .iter()
            .filter(|what| !is_settled(step, what, left))
            .cloned()
            .collect(),
        policy: step.policy,
    };
    outcomes.into_iter().map(report).collect()
}

/// A directory that held what a killed undo had staged could not go by this step, and is gone by a later one.
fn is_settled(step: &Step, what: &str, left: &Result<Vec<Step>>) -> bool {
    let may_be = systems::by_id(&step.system.0).is_some_and(|system| system.may_be_settled(what));
    let is_named = |s: &Step| s.system == step.system && s.not_restored.iter().any(|again| again == what);
    may_be && left.as_ref().is_ok_and(|left| !left.iter().any(is_named))
}

/// Planning once more would find that the present is not as it was before: that is what these policies are for.
fn verified_by_system(step: &Step, cx: &ApplyCx<'_>) -> Verification {
    let seen = match systems::by_id(&step.system.0) {
        Some(system) => system.verify(step, cx),
        None => Err(Error::failure(format!("this fr knows no system {}", step.system))),
    };
    seen.unwrap_or_else(|e| Verification::NotVerified { reason: e.to_string() })
}

fn verification(step: &Step, outcome: &StepOutcome, left: &Result<Vec<Step>>) -> Verification {
    if let StepOutcome::Failed { reason } | StepOutcome::Conflict { reason } = outcome {
        return Verification::Failed { reason: reason.clone() };
    }
    let left = match left {
        Ok(left) => left,
        Err(e) => return Verification::NotVerified { reason: e.to_string() },
    };
    let mut same = left.iter().filter(|s| s.system == step.system && s.resource == step.resource).peekable();
    if same.peek().is_none() {
        return Verification::Verified;
    }
    // What was not captured stays, and is named as such; what was is back.
    let is_named =
        |s: &Step| matches!(s.verdict, StepVerdict::NotCaptured { .. }) && !s.not_restored.is_empty();
    match same.find(|s| s.verdict != StepVerdict::Already && !is_named(s)) {
        None => Verification::Verified,
        Some(other) => Verification::Failed { reason: format!("still to do: {}", other.action) },
    }
}

fn skipped(plan: &UndoPlan) -> Vec<String> {
    skips(plan).iter().map(Lack::said).collect()
}

/// What was left as it is, because somebody changed it.
fn skips(plan: &UndoPlan) -> Vec<Lack> {
    let beside = |s: &&Step| s.policy == Some(Policy::SideBySide) && s.verdict == StepVerdict::Already;
    let laid = plan.steps.iter().filter(beside);
    let in_conflict = plan.conflicts().filter_map(|s| match &s.verdict {
        StepVerdict::Conflict { reason } => Some(lack(s, reason)),
        _ => None,
    });
    in_conflict.chain(laid.map(|s| lack(s, "as it is now; its old version lies beside it already"))).collect()
}

fn residue(plan: &UndoPlan) -> Vec<String> {
    residues(plan).iter().map(Lack::said).collect()
}

/// What no step can bring back.
fn residues(plan: &UndoPlan) -> Vec<Lack> {
    let of_step = |s: &Step| match &s.verdict {
        StepVerdict::NotCaptured { reason } | StepVerdict::OnRequest { reason } => vec![lack(s, reason)],
        // Done before a crash: what it could not bring back is as true now.
        StepVerdict::Already => s.not_restored.iter().map(|what| lack(s, what)).collect(),
        _ => Vec::new(),
    };
    plan.residue.iter().map(|what| of_all(what)).chain(plan.steps.iter().flat_map(of_step)).collect()
}

fn lack(step: &Step, what: &str) -> Lack {
    let (system, target) = (Some(step.system.clone()), step.resource.clone());
    Lack { system, target, what: what.to_owned(), there: false }
}

/// Of which only the words are known.
fn of_all(what: &str) -> Lack {
    Lack { system: None, target: Bytes::default(), what: what.to_owned(), there: false }
}

fn mark(journal: &Journal, undo: EventId, step: usize, phase: StepPhase, note: Option<String>) -> Result<()> {
    let mark = StepMark { at_ns: clock::now_ns(), step, phase, note };
    journal.append(&Record::Step(mark), Some(undo), Durability::Durable)?;
    Ok(())
}

/// What is said at the end of an undo.
struct Said {
    note: Option<String>,
    lacking: Vec<Lack>,
}

/// Closes the undo event with the state that it left, so that it can be undone itself.
fn ended(applied: &Applied, plan: &UndoPlan, undo: EventId, journal: &Journal, home: &Home) -> Result<()> {
    let code = if applied.is_complete() && applied.left_out.is_empty() { 0 } else { 3 };
    let key = TagKey::load(home);
    let redacted = |text: &str| String::from_utf8_lossy(&redact(text.as_bytes(), &key)).into_owned();
    let lacking = lacking(applied, plan);
    let note = note(&lacking).map(|note| redacted(&note));
    let lacking = few(lacking).into_iter().map(|lack| Lack { what: redacted(&lack.what), ..lack }).collect();
    close(undo, code, Said { note, lacking }, journal, home)
}

/// How much of what is not back the record keeps by name.
const NOTE_CHARS: usize = 2000;
/// How many targets of it are kept apart, and how much is said of each.
const LACKING: usize = 200;
const LACK_CHARS: usize = 400;

/// What is not as it was, by name, for the record: whoever reads it later has not seen what the undo printed.
fn lacking(applied: &Applied, plan: &UndoPlan) -> Vec<Lack> {
    let of_step = |step: &StepReport, what: &str| {
        let system = plan.steps.iter().find(|s| s.resource == step.resource).map(|s| s.system.clone());
        Lack { system, target: step.resource.clone(), ..of_all(what) }
    };
    let mut all: Vec<Lack> =
        applied.steps.iter().filter_map(|step| Some(of_step(step, &failure(step)?))).collect();
    all.extend(residues(plan));
    all.extend(skips(plan));
    all.extend(applied.uncaptured.iter().chain(&applied.left_out).map(|what| of_all(what)));
    all.extend(
        applied.steps.iter().flat_map(|step| {
            step.not_restored.iter().map(|what| Lack { there: true, ..of_step(step, what) })
        }),
    );
    all.dedup();
    all
}

/// Why what a step wrote is not seen to be back.
fn failure(step: &StepReport) -> Option<String> {
    match (&step.outcome, &step.verification) {
        (StepOutcome::Conflict { reason } | StepOutcome::Failed { reason }, _) => Some(reason.clone()),
        (StepOutcome::Waiting { operation }, _) => Some(format!("still waiting for {operation}")),
        (StepOutcome::Done, Verification::NotVerified { reason } | Verification::Failed { reason }) => {
            Some(reason.clone())
        }
        (StepOutcome::Done, Verification::Verified) => None,
    }
}

/// The same in one line. It begins with `back without` where everything is there again, and only lacks something that nobody could
/// give it (its old id, what was on its disks).
fn note(lacking: &[Lack]) -> Option<String> {
    let word = if lacking.iter().all(|lack| lack.there) { "back without" } else { "not back" };
    let each: Vec<String> = lacking.iter().map(Lack::said).collect();
    let text: String = format!("{word}: {}", each.join("; ")).chars().take(NOTE_CHARS).collect();
    (!lacking.is_empty()).then_some(text)
}

/// As much of it as the record keeps.
fn few(mut lacking: Vec<Lack>) -> Vec<Lack> {
    let more = lacking.len().saturating_sub(LACKING);
    lacking.truncate(LACKING);
    for lack in &mut lacking {
        if lack.what.chars().count() > LACK_CHARS {
            lack.what = lack.what.chars().take(LACK_CHARS).chain(['…']).collect();
        }
    }
    lacking.extend((more > 0).then(|| of_all(&format!("{more} more"))));
    lacking
}

fn close(undo: EventId, code: i32, said: Said, journal: &Journal, home: &Home) -> Result<()> {
    let index = crate::journal::index::Index::open(home)?;
    let event =
        index.event(undo)?.ok_or_else(|| Error::failure(format!("event {undo} is not in the index")))?;
    let after = After {
        at_ns: clock::now_ns(),
        session: event.before.session.clone(),
        call: None,
        outcome: Outcome::Exited { code },
        duration_ms: u64::try_from((clock::now_ns() - event.before.at_ns) / 1_000_000).ok(),
        post: record::post_states(&event.before.captures, home)?,
        note: said.note,
        lacking: said.lacking,
    };
    journal.append(&Record::After(Box::new(after)), Some(undo), Durability::Durable)?;
    Ok(())
}
