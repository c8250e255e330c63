//! Captured events that await their after-half: one small file each, named by session and call, so that the
//! after-hook finds its captures without a database, and the after-hook of a harmless command costs one failed open.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Capture, EventId};
use crate::platform::home::Home;

/// What the after-half needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenEvent {
    /// The event.
    pub event: EventId,
    /// Its session, to close what is left when the session ends.
    pub session: String,
    /// Its call.
    pub call: String,
    /// What to look at again.
    pub captures: Vec<Capture>,
}

fn path_of(home: &Home, session: &str, call: &str) -> PathBuf {
    let mut hasher = blake3::Hasher::new();
    hasher.update(session.as_bytes());
    hasher.update(&[0]);
    hasher.update(call.as_bytes());
    home.open_events().join(&hasher.finalize().to_hex()[..32])
}

/// Leaves word for the after-half. Not synced: without it the event is closed as "not known", which is true then.
pub fn put(home: &Home, open: &OpenEvent) -> Result<()> {
    let path = path_of(home, &open.session, &open.call);
    let text =
        serde_json::to_vec(open).map_err(|e| Error::failure(format!("cannot encode an open event: {e}")))?;
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = match options.open(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(home.open_events())?;
                options.open(&path)?
            }
            other => other?,
        };
        file.write_all(&text)
    };
    write().map_err(|e| Error::io("write", &path, &e))
}

/// Takes the word back: the event's after-half is being written. `None` where nothing was captured.
pub fn take(home: &Home, session: &str, call: &str) -> Option<OpenEvent> {
    let path = path_of(home, session, call);
    let text = fs::read(&path).ok()?;
    // A leftover that cannot be removed is closed again at the session's end; the index takes the first after-half.
    let _ = fs::remove_file(&path);
    serde_json::from_slice(&text).ok()
}

/// Takes back everything that a session left open.
pub fn take_session(home: &Home, session: &str) -> Vec<OpenEvent> {
    let Ok(entries) = fs::read_dir(home.open_events()) else { return Vec::new() };
    let mut left = Vec::new();
    for entry in entries.flatten() {
        let open =
            fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<OpenEvent>(&text).ok());
        if let Some(open) = open.filter(|o| o.session == session) {
            let _ = fs::remove_file(entry.path());
            left.push(open);
        }
    }
    left.sort_by_key(|o| o.event);
    left
}
