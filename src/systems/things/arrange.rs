//! The steps of several captures of one line: what makes way goes first, what others need comes back first, and what two of them
//! captured is done once.

use std::cmp::Reverse;

use super::plan::{Hands, Job, Verb};
use crate::model::{Step, StepVerdict};

/// Puts steps in order. Of two that do the same to one thing, the one whose capture has more of it is done.
pub fn arrange(steps: &mut [Step], hands: &dyn Hands) {
    let jobs: Vec<Option<Job>> = steps.iter().map(|step| Job::of(step).ok()).collect();
    let writes = |at: usize| steps.get(at).is_some_and(|step| step.verdict == StepVerdict::Restore);
    let job = |at: usize| jobs.get(at).and_then(Option::as_ref).filter(|_| writes(at));
    let is_twice = |at: usize| {
        let Some(own) = job(at).filter(|own| own.verb != Verb::Change) else { return false };
        let is_better = |other: usize| {
            job(other).is_some_and(|one| {
                one.verb == own.verb
                    && one.name == own.name
                    && (one.parts, Reverse(other)) > (own.parts, Reverse(at))
            })
        };
        (0..jobs.len()).any(|other| other != at && is_better(other))
    };
    let twice: Vec<usize> = (0..jobs.len()).filter(|at| is_twice(*at)).collect();
    for at in twice {
        if let Some(step) = steps.get_mut(at) {
            step.action = "is done by another step".to_owned();
            step.verdict = StepVerdict::Already;
            step.not_restored.clear();
        }
    }
    steps.sort_by_key(|step| {
        let Ok(job) = Job::of(step) else { return (4, 0) };
        let rank = i64::from(hands.rank(&job.name));
        match job.verb {
            Verb::Remove if job.makes_way => (0, -rank),
            Verb::Anew => (1, rank),
            Verb::Change => (2, rank),
            Verb::Remove => (3, -rank),
        }
    });
}
