//! Which events of a set wait for newer ones of it, because of what was dropped, removed or replaced in between: a file of one
//! system (a database) that a command of another one moved or removed, and what the systems themselves know.

use super::planning::captured_of;
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{Bytes, Captured, ObjectSource};
use crate::systems::{self, Taken, files};

/// The position of the first event, newest first, that can only be planned when those in front of it have been taken back. What
/// cannot be read is no reason: planning says why.
pub fn first_that_waits(events: &[Event], source: &dyn ObjectSource) -> Option<usize> {
    let all: Vec<Vec<Captured>> = events.iter().map(captured_of).collect();
    let of_systems = systems::all().iter().filter_map(|system| {
        let of_it = |captured: &&Captured| captured.before.system == system.id();
        let taken = events.iter().zip(&all).flat_map(|(event, captured)| {
            // As they are taken back: an event's last capture first.
            let captured = captured.iter().rev().filter(of_it);
            captured.map(|captured| Taken { event: event.id, captured: captured.clone() })
        });
        let waiting = system.waiting(&taken.collect::<Vec<_>>(), source).ok().flatten()?;
        events.iter().position(|event| event.id == waiting)
    });
    of_systems.chain(first_on_a_file(&all, source)).min()
}

/// A file that a system owns is left to it: where another event of the set moved, removed or wrote the file itself, the two are
/// taken back one after the other.
fn first_on_a_file(all: &[Vec<Captured>], source: &dyn ObjectSource) -> Option<usize> {
    let owned: Vec<Vec<Bytes>> = all.iter().map(|captured| owned_by(captured, source)).collect();
    if owned.iter().all(Vec::is_empty) {
        return None;
    }
    (1..all.len()).find(|at| {
        (0..*at).any(|newer| {
            let in_the_way = |files: &usize, owner: &usize| {
                let own = |path: &&Bytes| !owned[*files].contains(path);
                owned[*owner].iter().filter(own).any(|path| has_written(&all[*files], path, source))
            };
            in_the_way(at, &newer) || in_the_way(&newer, at)
        })
    })
}

fn owned_by(captured: &[Captured], source: &dyn ObjectSource) -> Vec<Bytes> {
    let of = |one: &Captured| -> Result<Vec<Bytes>> {
        systems::by_id(&one.before.system.0).map_or(Ok(Vec::new()), |system| system.owns(&one.before, source))
    };
    captured.iter().flat_map(|one| of(one).unwrap_or_default()).collect()
}

/// The event wrote or removed the file as a file.
fn has_written(captured: &[Captured], path: &Bytes, source: &dyn ObjectSource) -> bool {
    let of_files = captured.iter().filter(|one| one.before.system.0 == "fs");
    of_files.into_iter().any(|one| files::may_have_changed(one, path, source).unwrap_or(false))
}
