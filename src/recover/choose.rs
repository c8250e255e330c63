//! A policy chosen for the conflicts of a plan: each conflicting step becomes what its way says, or stays one.

use std::collections::BTreeSet;

use super::planning::UndoPlan;
use crate::journal::index::Event;
use crate::model::{Bytes, Capture, Policy, Step, StepVerdict, Way};
use crate::platform::home::Home;
use crate::record;
use crate::store::{Scratch, Store};

impl UndoPlan {
    /// Goes the policy's way wherever a conflict has one. What has none stays a conflict, with the reason.
    pub fn choose(&mut self, policy: Policy) {
        self.policy = policy;
        self.steps.iter_mut().for_each(|step| take(step, policy));
    }

    /// Also does what is only done on request.
    pub fn ask_for_infra(&mut self) {
        let on_request = |step: &&mut Step| matches!(step.verdict, StepVerdict::OnRequest { .. });
        self.steps.iter_mut().filter(on_request).for_each(|step| step.verdict = StepVerdict::Restore);
    }

    /// The same where an undo was interrupted: a part of it may be there by now, and looks like somebody's. What is there
    /// stays, and the rest is done.
    pub fn go_on_with_infra(&mut self) {
        let makes_the_rest = |step: &Step| {
            let is_one = |way: &Way| {
                way.policy == Policy::Merge && matches!(way.verdict, StepVerdict::OnRequest { .. })
            };
            step.ways.iter().any(is_one)
        };
        self.steps.iter_mut().filter(|step| makes_the_rest(step)).for_each(|step| take(step, Policy::Merge));
        self.ask_for_infra();
    }

    /// There is something that is only done on request.
    pub fn waits_for_request(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.verdict, StepVerdict::OnRequest { .. }))
    }

    /// Keeps these steps, by their positions, of all that would write; the others are named as left out.
    pub fn keep_steps(&mut self, chosen: &BTreeSet<usize>) {
        let writes = |step: &Step| step.verdict == StepVerdict::Restore;
        let (mut kept, mut position) = (Vec::new(), 0);
        for step in std::mem::take(&mut self.steps) {
            match !writes(&step) || chosen.contains(&position) {
                true => kept.push(step),
                false => self.left_out.push(format!("{}: not chosen", step.resource.lossy())),
            }
            position += 1;
        }
        self.only = kept.iter().filter(|step| writes(step)).map(|step| step.resource.clone()).collect();
        self.steps = kept;
    }

    /// The same, where an undo whose steps were chosen is gone on with.
    pub fn keep_targets(&mut self, only: &[Bytes]) {
        if !only.is_empty() {
            let is_chosen =
                |step: &Step| step.verdict != StepVerdict::Restore || only.contains(&step.resource);
            self.steps.retain(is_chosen);
            self.left_out.push("the steps that were not chosen".to_owned());
        }
    }

    /// With this policy, conflicts that remain are left alone and the rest is restored: neither writes over anything.
    pub fn leaves_conflicts_alone(&self) -> bool {
        matches!(self.policy, Policy::Skip | Policy::SideBySide)
    }

    /// An undo that is gone on with has captured the present before the crash. What was changed since then is not in
    /// that capture, so no policy writes over it any more.
    pub fn leave_what_moved_on(&mut self, undo: &Event, store: &Store, home: &Home) {
        let reader = store.reader();
        let scratch = Scratch::over(&reader);
        let is_captured = |capture: &Capture| {
            record::observe(capture, &scratch, home, false)
                .is_ok_and(|now| now.digest == capture.state.digest)
        };
        let chosen =
            self.steps.iter_mut().filter(|s| s.policy.is_some() && s.verdict == StepVerdict::Restore);
        for step in chosen {
            let of_it = |c: &&Capture| c.system == step.system && c.locator.at == step.locator.at;
            if !undo.before.captures.iter().filter(of_it).any(is_captured) {
                let reason = "it was changed since the undo was interrupted".to_owned();
                step.verdict = StepVerdict::Conflict { reason };
            }
        }
    }

    /// The steps that write over what somebody changed since.
    pub fn forced(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| s.policy == Some(Policy::Force) && s.verdict == StepVerdict::Restore)
    }
}

fn take(step: &mut Step, policy: Policy) {
    let StepVerdict::Conflict { reason } = &step.verdict else { return };
    let Some(way) = step.ways.iter().find(|way| way.policy == policy).cloned() else { return };
    if let StepVerdict::Conflict { reason: why } = &way.verdict {
        let reason = format!("{reason}; {} is not possible: {why}", policy.word());
        step.verdict = StepVerdict::Conflict { reason };
        return;
    }
    step.policy = Some(policy);
    step.action = way.action;
    step.verdict = way.verdict;
    step.payload = way.payload;
    step.locator = way.locator.unwrap_or_else(|| step.locator.clone());
}
