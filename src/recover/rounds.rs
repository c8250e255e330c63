//! What cannot be planned at once: a repository that is gone has to be back before what was done in it can be compared.

use super::planning::captured_of;
use crate::journal::index::Event;
use crate::model::{Bytes, Capture};

/// The events that can be planned now, and the older ones that wait until those are taken back; newest first.
pub fn first_round(events: &[Event]) -> (&[Event], &[Event]) {
    for (position, event) in events.iter().enumerate() {
        let (now, older) = events.split_at(position + 1);
        let removed: Vec<Bytes> = captured_of(event)
            .into_iter()
            .filter(|captured| captured.before.system.0 == "fs" && captured.before.state.object.is_some())
            .map(|captured| captured.before.locator.at)
            .collect();
        let waits = |capture: &Capture| {
            place_of(capture).is_some_and(|place| {
                removed.iter().any(|top| is_within(&place, top)) && !place.as_path().exists()
            })
        };
        if older.iter().flat_map(captured_of).any(|captured| waits(&captured.before)) {
            return (now, older);
        }
    }
    (events, &[])
}

/// The directory of the file system that a capture of another system lives in.
fn place_of(capture: &Capture) -> Option<Bytes> {
    match capture.system.0.as_ref() {
        "fs" => None,
        _ => Some(capture.locator.opts.get("git-dir").unwrap_or(&capture.locator.at).clone()),
    }
}

fn is_within(path: &Bytes, top: &Bytes) -> bool {
    let rest = path.as_slice().strip_prefix(top.as_slice());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
