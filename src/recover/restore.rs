//! An old state beside the present: the safe choice in a conflict, and for looking.

use std::path::Path;

use super::planning::captured_of;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Event;
use crate::model::{Bytes, Capture, StepOutcome};
use crate::platform::home::Home;
use crate::record::Config;
use crate::store::Store;
use crate::systems::{self, ApplyCx};

/// Captures of an event and of its parts, each place once.
pub struct Chosen(Vec<Capture>);

impl Chosen {
    /// Those of these targets; of all, where none is named. A target is named as `fr show` writes it, or by its path.
    pub fn of(event: &Event, targets: &[Bytes]) -> Result<Chosen> {
        let all: Vec<Capture> = captured_of(event).into_iter().map(|captured| captured.before).collect();
        if all.is_empty() {
            return Err(Error::new(
                ExitCode::NothingToUndo,
                format!("event {} has no captured state", event.id),
            ));
        }
        if let Some(unknown) = targets.iter().find(|target| !all.iter().any(|c| is_called(c, target))) {
            let known: Vec<String> = all.iter().map(|c| c.resource.lossy().into_owned()).collect();
            return Err(Error::new(
                ExitCode::Usage,
                format!("event {} has captured no target {}", event.id, unknown.lossy().escape_debug()),
            )
            .hint(format!("one of: {}", known.join(", ").escape_debug())));
        }
        let is_chosen = |c: &Capture| targets.is_empty() || targets.iter().any(|target| is_called(c, target));
        Ok(Chosen(all.into_iter().filter(is_chosen).collect()))
    }
}

fn is_called(capture: &Capture, target: &Bytes) -> bool {
    let path = target.as_slice().strip_prefix(b"path:").unwrap_or(target.as_slice());
    let absolute = std::path::absolute(Bytes::from(path).as_path()).map(Bytes::from);
    let is_at = capture.system.0 == "fs" && absolute.is_ok_and(|path| path == capture.locator.at);
    capture.resource == *target || is_at
}

/// Makes each capture anew in another place of its system, as `namespace:NAME`. Returns what was made, and what was left out.
pub fn restore_into(
    event: &Event,
    Chosen(captures): &Chosen,
    (kind, name): (&str, &str),
    home: &Home,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<(Bytes, StepOutcome, Vec<String>)>> {
    let store = Store::open(home)?;
    let reader = store.reader();
    let label = format!("restore-{}", event.id);
    let cx = ApplyCx { source: &reader, vault: home.vault(), caps: Config::caps_of(home), label, progress };
    let mut done = Vec::new();
    for capture in captures {
        let system = systems::by_id(&capture.system.0)
            .ok_or_else(|| Error::failure(format!("this fr knows no system {}", capture.system)))?;
        let (outcome, notes) = system.restore_into(capture, (kind, name), &cx)?;
        done.push((capture.resource.clone(), outcome, notes));
    }
    Ok(done)
}

/// Puts each capture below `to`; the first alone goes to `to` itself. Returns what was put where.
pub fn restore_to(
    event: &Event,
    Chosen(captures): &Chosen,
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
    let label = format!("restore-{}", event.id);
    let cx = ApplyCx { source: &reader, vault: home.vault(), caps: Config::caps_of(home), label, progress };
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
