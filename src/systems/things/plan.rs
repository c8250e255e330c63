//! Steps: one for each thing that is made anew, given back its form, or removed again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::doc::{Thing, Things};
use super::standing::{Standing, standing};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, ObjectId, ObjectSource, Reversibility, StateRef, Step, StepOutcome, StepVerdict,
    SystemId,
};
use crate::systems::PlanCx;

/// What a system knows of its things.
pub trait Hands {
    /// Its id.
    fn system(&self) -> SystemId;

    /// The thing as a resource in the target grammar.
    fn resource(&self, name: &str) -> Bytes;

    /// Low ranks are made first and removed last.
    fn rank(&self, name: &str) -> u32;

    /// How one thing is brought back.
    fn back(&self, name: &str, how: How<'_>) -> Deed;

    /// What is there now is not the old thing in another form but another one, which has to make way.
    fn is_another(&self, _name: &str, _before: &Thing, _now: &Thing) -> bool {
        false
    }
}

/// What is to be done about a thing.
#[derive(Clone, Copy)]
pub enum How<'a> {
    /// It is gone.
    Anew(&'a Thing),
    /// It is changed.
    Changed(&'a Thing, &'a Thing),
    /// It was made by the command.
    Made(&'a Thing),
    /// It was put in the place of the old one, which is to come back.
    InTheWay(&'a Thing),
}

/// What a step will do, in words.
pub struct Deed {
    /// What is done.
    pub action: String,
    /// What that promises.
    pub reversibility: Reversibility,
    /// Whether it can be done.
    pub verdict: StepVerdict,
    /// What does not come back with it.
    pub not_restored: Vec<String>,
}

impl Deed {
    /// One that is done.
    pub fn new(action: impl Into<String>, reversibility: Reversibility) -> Deed {
        let verdict = StepVerdict::Restore;
        Deed { action: action.into(), reversibility, verdict, not_restored: Vec::new() }
    }

    /// One that the capture does not allow.
    pub fn impossible(action: impl Into<String>, reason: impl Into<String>) -> Deed {
        let verdict = StepVerdict::NotCaptured { reason: reason.into() };
        Deed { verdict, ..Deed::new(action, Reversibility::Irreversible) }
    }

    /// One that is done only where it is asked for.
    pub fn on_request(
        action: impl Into<String>,
        reversibility: Reversibility,
        reason: impl Into<String>,
    ) -> Deed {
        let verdict = StepVerdict::OnRequest { reason: reason.into() };
        Deed { verdict, ..Deed::new(action, reversibility) }
    }
}

/// What is done to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Made anew.
    Anew,
    /// Given back its form.
    Change,
    /// Removed.
    Remove,
}

/// What must be there when a step is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    digest: ObjectId,
    state: String,
    id: String,
}

impl Guard {
    fn of(thing: &Thing) -> Guard {
        Guard { digest: thing.digest, state: thing.state.clone(), id: thing.id.clone() }
    }
}

/// A step's instructions: names and identities only, since plans are printed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The state before the command.
    pub state: ObjectId,
    /// The thing.
    pub name: String,
    /// What is done.
    #[serde(rename = "do")]
    pub verb: Verb,
    /// How it must be now; `None`: it must not be there.
    pub now: Option<Guard>,
    /// It is removed because another one is to be made in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub makes_way: bool,
    /// How many contents were kept of it: of two captures the one with more of them counts.
    #[serde(default)]
    pub parts: usize,
    /// What of it no step on another thing writes, and what such a step does, as the plan saw them ([`ALONE`], [`SHARED`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<(String, String)>,
}

/// Fact of a thing of which a step on another thing writes a part (a user's groups are the groups' members): the identity of
/// the rest.
pub const ALONE: &str = "form-alone";
/// Fact: that part, with commas.
pub const SHARED: &str = "form-shared";

impl Job {
    /// A step's.
    pub fn of(step: &Step) -> Result<Job> {
        serde_json::from_value(step.payload.clone())
            .map_err(|e| Error::failure(format!("the plan's step cannot be read: {e}")))
    }

    /// The state before the command.
    pub fn before(&self, source: &dyn ObjectSource) -> Result<Things> {
        Things::load(&StateRef { digest: self.state, object: Some(self.state) }, source)
    }

    /// Whether it may be done, by what is there: nothing left to do, or a conflict, or `None`: go on.
    pub fn check(&self, before: Option<&Thing>, now: Option<&Thing>) -> Option<StepOutcome> {
        let done = match (before, now) {
            (Some(_), Some(now)) if self.makes_way && self.now.as_ref() == Some(&Guard::of(now)) => false,
            (Some(before), Some(now)) => before.looks_like(now),
            (None, None) => true,
            _ => false,
        };
        if done {
            return Some(StepOutcome::Done);
        }
        let (_, short) = self.name.split_once('/').unwrap_or(("", &self.name));
        let reason = match (&self.now, now) {
            (None, None) => return None,
            (Some(guard), Some(now)) if *guard == Guard::of(now) => return None,
            // What it does meanwhile (it has stopped by itself) is no reason to keep what the command made.
            (Some(guard), Some(now))
                if self.verb == Verb::Remove && guard.id == now.id && guard.digest == now.digest =>
            {
                return None;
            }
            (Some(_), Some(now)) if self.is_back_in_part(before, now) => return None,
            (None, Some(_)) => format!("somebody has made {short} just now"),
            (Some(_), None) => format!("somebody has removed {short} just now"),
            (Some(_), Some(_)) => format!("somebody has changed {short} just now"),
        };
        Some(StepOutcome::Conflict { reason })
    }

    /// Steps on other things have brought their parts back, and the rest is as the plan saw it.
    fn is_back_in_part(&self, before: Option<&Thing>, now: &Thing) -> bool {
        let (Some((alone, seen)), Some(before)) = (&self.seen, before) else { return false };
        let parts = |text: &str| -> BTreeSet<String> { text.split(',').map(str::to_owned).collect() };
        let (was, seen, is) = (parts(before.fact(SHARED)), parts(seen), parts(now.fact(SHARED)));
        let came_back = is.difference(&seen).all(|part| was.contains(part) || part.is_empty());
        let went_again = seen.difference(&is).all(|part| !was.contains(part) || part.is_empty());
        now.fact(ALONE) == alone && came_back && went_again
    }
}

/// Plans.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>, hands: &dyn Hands) -> Result<Vec<Step>> {
    let before = Things::load(&captured.before.state, cx.source)?;
    let after = captured.after.map(|after| Things::load(&after, cx.source)).transpose()?;
    let now = Things::load(now, cx.source)?;
    let state = captured.before.state.object;
    let state = state.ok_or_else(|| Error::corrupt("a capture without its state"))?;
    let mut steps: Vec<(i64, Step)> = Vec::new();
    for (name, b) in before.all() {
        let a = after.as_ref().map(|after| after.get(name));
        let n = now.get(name);
        let parts = b.map_or(0, |b| b.parts.len());
        let made = |deed: Deed, verb: Verb, now: Option<&Thing>, makes_way: bool| -> Result<Step> {
            let facts = |now: &Thing| Some((now.facts.get(ALONE)?.clone(), now.facts.get(SHARED)?.clone()));
            let seen = now.and_then(facts);
            let now = now.map(Guard::of);
            let job = Job { state, name: name.to_owned(), verb, now, makes_way, parts, seen };
            let payload = serde_json::to_value(&job)
                .map_err(|e| Error::failure(format!("cannot encode a step: {e}")))?;
            Ok(Step {
                system: hands.system(),
                resource: hands.resource(name),
                action: deed.action,
                reversibility: deed.reversibility,
                verdict: deed.verdict,
                not_restored: deed.not_restored,
                locator: captured.before.locator.clone(),
                payload,
                policy: None,
                ways: Vec::new(),
            })
        };
        let step = |deed: Deed, verb: Verb| made(deed, verb, n, false);
        let rank = i64::from(hands.rank(name));
        let mut stands = standing(b, a, n);
        if let (Some(b), Some(n)) = (b, n)
            && is_stand_in(name, b, a.flatten(), n, hands)
        {
            stands = Standing::Changed;
        }
        match (stands, b, n) {
            (Standing::Gone, Some(b), _) => {
                steps.push((rank, step(hands.back(name, How::Anew(b)), Verb::Anew)?));
            }
            (Standing::Changed, Some(b), Some(n)) if hands.is_another(name, b, n) => {
                let way = hands.back(name, How::InTheWay(n));
                steps.push((-rank, made(way, Verb::Remove, Some(n), true)?));
                steps.push((rank, made(hands.back(name, How::Anew(b)), Verb::Anew, None, false)?));
            }
            (Standing::Changed, Some(b), Some(n)) => {
                steps.push((1000 + rank, step(hands.back(name, How::Changed(b, n)), Verb::Change)?));
            }
            // It was there under another name.
            (Standing::Made, _, Some(n)) if before.knows(n) => {}
            (Standing::Made, _, Some(n)) => {
                steps.push((4000 - rank, step(hands.back(name, How::Made(n)), Verb::Remove)?));
            }
            (Standing::Back, ..) => {
                let deed =
                    Deed { verdict: StepVerdict::Already, ..Deed::new("is back", Reversibility::Exact) };
                steps.push((2000, step(deed, Verb::Change)?));
            }
            (Standing::Conflict(reason), ..) => {
                let verdict = StepVerdict::Conflict { reason: reason.to_owned() };
                let deed = Deed { verdict, ..Deed::new("leave it as it is", Reversibility::Exact) };
                steps.push((2000, step(deed, Verb::Change)?));
            }
            _ => {}
        }
    }
    steps.sort_by_key(|(rank, _)| *rank);
    Ok(steps.into_iter().map(|(_, step)| step).collect())
}

/// The command made another one of the same name and form in its place; what was kept of the old one is not in it.
fn is_stand_in(name: &str, before: &Thing, after: Option<&Thing>, now: &Thing, hands: &dyn Hands) -> bool {
    let is_of_command = after.is_some_and(|after| !after.id.is_empty() && after.is(now));
    is_of_command && !before.parts.is_empty() && before.id != now.id && hands.is_another(name, before, now)
}
