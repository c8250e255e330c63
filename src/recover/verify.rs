//! Is an event's capture all there, readable, unchanged? Answered by reading every object that it names.

use std::collections::HashSet;

use serde::Serialize;

use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{Bytes, ObjectId};
use crate::store::{Reader, Store};
use crate::systems;

/// The health of one capture.
#[derive(Clone, Debug, Serialize)]
pub struct CaptureHealth {
    /// What was captured.
    pub resource: Bytes,
    /// How many objects were read.
    pub objects: u64,
    /// What is missing or damaged; empty means that the capture is whole.
    pub damage: Vec<String>,
    /// What was left out at capture time.
    pub left_out: Vec<String>,
}

/// Reads every object that the captures of `event` name.
pub fn verify_event(event: &Event, store: &Store) -> Result<Vec<CaptureHealth>> {
    let reader = store.reader();
    let health = |capture: &crate::model::Capture| {
        let mut health = CaptureHealth {
            resource: capture.resource.clone(),
            objects: 0,
            damage: Vec::new(),
            left_out: capture.missing.iter().map(|m| format!("{}: {}", m.what.lossy(), m.why)).collect(),
        };
        if let Some(root) = capture.state.object {
            walk(root, &reader, &mut health);
        }
        health
    };
    let captures = std::iter::once(event).chain(&event.parts).flat_map(|e| &e.before.captures);
    Ok(captures.map(health).collect())
}

fn walk(root: ObjectId, reader: &Reader, health: &mut CaptureHealth) {
    let mut seen = HashSet::new();
    let mut todo = vec![root];
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        let read = reader.get_with_kind(&id).and_then(|(kind, content)| systems::references(kind, &content));
        match read {
            Ok(named) => {
                health.objects += 1;
                todo.extend(named);
            }
            Err(error) => health.damage.push(error.to_string()),
        }
    }
}
