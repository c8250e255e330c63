//! What a command was to leave, where its own text says it to the byte and nobody reported its end: Codex applies a patch
//! that stands in a command by itself (agents.md 4.2). What is there now and is just that, is the command's.

use std::collections::BTreeMap;

use crate::intake::Action;
use crate::journal::index::Event;
use crate::model::{Bytes, Captured, EventKind, ObjectSource, Outcome, Patched, StateRef, patched};
use crate::record;
use crate::systems::files::{self, Entry, State};

/// The files that a patch in an event's command writes.
pub struct Promised {
    files: Vec<(Bytes, Option<Bytes>, Patched)>,
}

impl Promised {
    /// Nothing, unless the event's end is not known and its command holds a patch.
    pub fn of(event: &Event, source: &dyn ObjectSource) -> Promised {
        let silent = matches!(event.outcome(), None | Some(Outcome::Unknown));
        let exact = event.before.command.exact.filter(|_| silent && event.before.kind == EventKind::Command);
        let line = exact.and_then(|id| source.get(&id).ok()).filter(|line| is_patch(line));
        let Some(line) = line else { return Promised { files: Vec::new() } };
        let reading = record::read(&Action::Shell(line), &event.before.cwd, &BTreeMap::new());
        let mut files = Vec::new();
        for inv in &reading.understood.invocations {
            let (Some(text), Some(cwd)) = (files::assess::patch_text(inv), &inv.cwd) else { continue };
            for file in patched(text) {
                let from = file.from.as_ref().map(|from| cwd.join(from.as_slice()));
                files.push((cwd.join(file.path.as_slice()), from, file));
            }
        }
        Promised { files }
    }

    /// Whether a patch is about this place, and nobody has told what it left.
    pub fn says_of(&self, captured: &Captured) -> bool {
        captured.after.is_none() && self.files.iter().any(|(path, _, _)| *path == captured.before.locator.at)
    }

    /// The capture with its post-state, where that can be told now.
    pub fn kept(
        &self,
        captured: &Captured,
        all: &[Captured],
        now: &StateRef,
        source: &dyn ObjectSource,
    ) -> Captured {
        let after = captured.after.or_else(|| self.is_kept(captured, all, now, source).then_some(*now));
        Captured { before: captured.before.clone(), after }
    }

    fn is_kept(
        &self,
        captured: &Captured,
        all: &[Captured],
        now: &StateRef,
        source: &dyn ObjectSource,
    ) -> bool {
        let at = &captured.before.locator.at;
        // A file that a patch names twice is too much for so simple a look.
        let mut named = self.files.iter().filter(|(path, _, _)| path == at);
        let (Some((_, from, file)), None) = (named.next(), named.next()) else { return false };
        let old = match from {
            None => None,
            Some(from) => {
                let origin = all.iter().find(|other| other.before.locator.at == *from);
                origin.and_then(|origin| entry(&origin.before.state, source))
            }
        };
        let text = old.as_ref().and_then(|entry| files::small_text(entry, source));
        let (Some(now), Some(left)) = (entry(now, source), file.apply(text.as_deref())) else { return false };
        // Codex writes into the file that is there: its mode and owner stay.
        let same_meta = |old: &Entry| {
            (old.meta.mode, old.meta.uid, old.meta.gid) == (now.meta.mode, now.meta.uid, now.meta.gid)
        };
        let written_over = from.as_ref() == Some(at);
        files::holds(&now, &left) && (!written_over || old.as_ref().is_some_and(same_meta))
    }
}

fn is_patch(line: &[u8]) -> bool {
    memchr::memmem::find(line, b"*** Begin Patch").is_some()
}

fn entry(state: &StateRef, source: &dyn ObjectSource) -> Option<Entry> {
    let State { entry, .. } = files::decode_state(&source.get(&state.object?).ok()?).ok()?;
    entry
}
