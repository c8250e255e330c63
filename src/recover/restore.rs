//! An old state beside the present: the safe choice in a conflict, and for looking.

use std::path::Path;

use crate::error::{Error, Result};
use crate::journal::index::Event;
use crate::model::{Bytes, StepOutcome};
use crate::platform::home::Home;
use crate::store::Store;
use crate::systems::{self, ApplyCx};

/// Puts each capture of an event below `to`; the first alone goes to `to` itself. Returns what was put where.
pub fn restore_to(
    event: &Event,
    to: &Path,
    home: &Home,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<(Bytes, StepOutcome)>> {
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::failure(format!("{} is not empty", to.display()))
            .hint("name a directory that does not exist yet"));
    }
    let store = Store::open(home)?;
    let reader = store.reader();
    let cx =
        ApplyCx { source: &reader, vault: home.vault(), label: format!("restore-{}", event.id), progress };
    let captures = &event.before.captures;
    let mut done = Vec::new();
    for (i, capture) in captures.iter().enumerate() {
        let system = systems::by_id(&capture.system.0)
            .ok_or_else(|| Error::failure(format!("this fr knows no system {}", capture.system)))?;
        let place = if captures.len() == 1 {
            to.to_path_buf()
        } else {
            to.join(format!("{}-{}", i + 1, capture.system))
        };
        done.push((capture.resource.clone(), system.restore_to(capture, &place, &cx)?));
    }
    Ok(done)
}
