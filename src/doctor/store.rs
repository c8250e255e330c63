//! The store at a glance: does it open, is the end of the journal whole, may others look in, how big is it.
//! `fr store verify` reads every byte; this reads a few hundred.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::report::StoreState;
use crate::error::ExitCode;
use crate::journal::Journal;
use crate::journal::index::SessionSummary;
use crate::model::Bytes;
use crate::platform::home::Home;
use crate::store::Store;

/// How many wrong files are named.
const NAMED: usize = 3;
/// How deep below the state directory files are counted: packs and vault repositories are the deepest.
const DEPTH: usize = 8;

/// Looks at the store. `sessions` are those of its index.
pub fn look(home: &Home, sessions: &[SessionSummary]) -> StoreState {
    let mut state = StoreState {
        root: Bytes::from(home.root.clone()),
        exists: home.exists(),
        format: format(home),
        bytes: 0,
        last_event_ns: sessions.iter().map(|s| s.last_ns).max(),
        last_shell_event_ns: sessions
            .iter()
            .filter(|s| s.session.starts_with("shell-"))
            .map(|s| s.last_ns)
            .max(),
        problems: Vec::new(),
    };
    match Store::open(home) {
        Err(error) if error.code == ExitCode::NoStore => return state,
        Err(error) => state.problems.push(error.what),
        Ok(_) => match Journal::open(home).and_then(|journal| journal.ends_whole()) {
            Ok(true) => {}
            Ok(false) => {
                state.problems.push("the end of the journal is torn; the next event mends it".to_string())
            }
            Err(error) => state.problems.push(error.what),
        },
    }
    let mut open = Vec::new();
    measure(home, &home.root, DEPTH, &mut state.bytes, &mut open);
    if !open.is_empty() {
        let names: Vec<&str> = open.iter().take(NAMED).map(String::as_str).collect();
        let more =
            if open.len() > NAMED { format!(" and {} more", open.len() - NAMED) } else { String::new() };
        state.problems.push(format!(
            "others may read it or it is not yours: {}{more}; `chmod -R go= {}` closes it",
            names.join(", "),
            home.root.display()
        ));
    }
    state
}

/// `1.0`, of `fr store 1.0 ids=blake3 …`.
fn format(home: &Home) -> Option<String> {
    let text = std::fs::read_to_string(home.format_file()).ok()?;
    text.split_whitespace().nth(2).map(str::to_string)
}

fn measure(home: &Home, path: &Path, depth: usize, bytes: &mut u64, open: &mut Vec<String>) {
    let Ok(meta) = path.symlink_metadata() else { return };
    let mine = meta.uid() == rustix::process::geteuid().as_raw();
    // A vault repository is as open as git makes it, behind a directory that is closed.
    let behind = path.starts_with(home.vault()) && path != home.vault();
    if !meta.is_symlink() && (!mine || (!behind && meta.permissions().mode() & 0o077 != 0)) {
        open.push(path.display().to_string());
    }
    if meta.is_file() {
        *bytes += meta.len();
    }
    if meta.is_dir() && depth > 0 {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            measure(home, &entry.path(), depth - 1, bytes, open);
        }
    }
}
