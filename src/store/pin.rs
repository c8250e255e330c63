//! Pins: events whose captures gc keeps for ever. One empty file per event, `pins/<number>`, so that pinning needs no
//! lock and survives a rebuild of everything else.

use std::path::PathBuf;

use super::{file, format};
use crate::error::{Error, Result};
use crate::model::EventId;
use crate::platform::home::Home;

fn dir(home: &Home) -> PathBuf {
    home.root.join("pins")
}

/// Pins an event; durable when it returns. Pinning twice is harmless.
pub fn pin(home: &Home, event: EventId) -> Result<()> {
    let dir = dir(home);
    format::make_dir(&dir)?;
    let path = dir.join(event.to_string());
    file::open_write(&path, true).map_err(|e| Error::io("create", &path, &e))?;
    file::sync_dir(&home.root)?;
    file::sync_dir(&dir)
}

/// Takes a pin away; true where there was one.
pub fn unpin(home: &Home, event: EventId) -> Result<bool> {
    let path = dir(home).join(event.to_string());
    match std::fs::remove_file(&path) {
        Ok(()) => file::sync_dir(&dir(home)).map(|()| true),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::io("remove", &path, &e)),
    }
}

/// The pinned events, ascending.
pub fn pinned(home: &Home) -> Result<Vec<EventId>> {
    let dir = dir(home);
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("list", &dir, &e)),
    };
    let mut events = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", &dir, &e))?;
        events.extend(entry.file_name().to_str().and_then(|n| n.parse().ok()).map(EventId));
    }
    events.sort_unstable();
    Ok(events)
}
