//! What captures left out. Of a target that was named it is known to be gone; of what only lay in a captured work tree
//! nobody knows whether the command changed it, and an undo must say neither "undone" nor "lost".

use crate::journal::index::Event;
use crate::model::{EventKind, Missing, Step, StepVerdict, SystemId};

/// Of what a capture of an event left out, what the event may have changed. An undo writes over nothing that it could not read
/// first, so what was left out of its own capture is as it was.
pub fn left_out(event: &Event, system: &SystemId, missing: Vec<Missing>) -> Vec<(SystemId, Missing)> {
    let knows_what_it_wrote = matches!(event.before.kind, EventKind::Undo(_) | EventKind::Redo(_));
    if knows_what_it_wrote && system.0 == "fs" {
        return Vec::new();
    }
    missing.into_iter().map(|missing| (system.clone(), missing)).collect()
}

/// In words for people: what may have been changed. What is gone for certain has a step that says so, and what other
/// systems left out (the other side of a push) goes into `residue`.
pub fn told_apart(
    missing: Vec<(SystemId, Missing)>,
    steps: &[Step],
    residue: &mut Vec<String>,
) -> Vec<String> {
    let is_gone = |one: &Missing| {
        let of_it =
            |step: &&Step| step.resource.as_slice().strip_prefix(b"path:") == Some(one.what.as_slice());
        steps.iter().filter(of_it).any(|step| matches!(step.verdict, StepVerdict::NotCaptured { .. }))
    };
    let mut unknown = Vec::new();
    for (system, one) in missing {
        let text = format!("{}: {}", one.what.lossy(), one.why);
        match system.0.as_ref() {
            "fs" if is_gone(&one) => {}
            "fs" => unknown.push(text),
            _ => residue.push(text),
        }
    }
    unknown.sort();
    unknown.dedup();
    unknown
}
