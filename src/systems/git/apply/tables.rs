//! The part of a step that is kept in tables: refs, HEAD and logs change together, in one table for each directory.

use super::{Found, Job};
use crate::error::Result;
use crate::model::Bytes;
use crate::systems::git::action::Action;
use crate::systems::git::look::Area;
use crate::systems::git::objects::parse_hex;
use crate::systems::git::reflog;
use crate::systems::git::reftable::{Change, Kept, LIST, Tables, kept_as};

/// What an action changes in the tables of a repository that has some.
pub fn kept(action: &Action) -> Option<Kept<'_>> {
    match action {
        Action::Ref { name, .. } => Some(Kept::Ref(name.as_slice())),
        Action::Head { .. } => Some(Kept::Ref(b"HEAD")),
        // Another working tree comes back as a whole, with its own tables as files.
        Action::File { key, .. } if key.as_slice().starts_with(b"common/worktrees/") => None,
        Action::File { .. } => action.file_name().and_then(kept_as),
        Action::Index { .. } | Action::Objects { .. } | Action::Lfs { .. } | Action::Move { .. } => None,
    }
}

impl Job<'_> {
    /// Does all that is kept in tables, the shared ones first: HEAD leads there.
    pub(super) fn write_tables(&self, head_was: Option<&Bytes>) -> Result<Found> {
        for area in [Area::Common, Area::Own].into_iter().take(1 + usize::from(self.roots.linked)) {
            if let Found::Other(reason) = self.write_area(area, head_was)? {
                return Ok(Found::Other(reason));
            }
        }
        Ok(Found::Wanted)
    }

    fn write_area(&self, area: Area, head_was: Option<&Bytes>) -> Result<Found> {
        let root = area.root(&self.roots);
        let lock = Change::lock(root)?;
        let tables = Tables::read(&self.roots)?;
        let mut change = Change { peeled: self.before.peeled.clone(), ..Change::default() };
        for action in &self.payload.actions {
            let Some(kept) = kept(action).filter(|kept| tables.area_of(name_of(*kept)) == area) else {
                continue;
            };
            match self.look_at(action, Some(&tables))? {
                Found::Wanted => {}
                Found::Expected => self.put(action, kept, &tables, &mut change)?,
                Found::Other(reason) => return Ok(Found::Other(reason)),
            }
        }
        if let Some(reason) = change.obstacle(tables.stack(area)) {
            return Ok(Found::Other(reason));
        }
        self.note_in_tables(area, head_was, &tables, &mut change);
        let hash_len = if self.before.object_format == "sha256" { 32 } else { 20 };
        change.commit(root, lock, tables.stack(area), hash_len)?;
        Ok(Found::Wanted)
    }

    fn put(&self, action: &Action, kept: Kept<'_>, tables: &Tables, change: &mut Change) -> Result<()> {
        let value = match action {
            Action::Ref { want, .. } => want.clone(),
            Action::Head { want, .. } => Some(want.clone()),
            Action::File { want, .. } => want.as_ref().map(|t| self.content(t).map(Bytes)).transpose()?,
            Action::Index { .. } | Action::Objects { .. } | Action::Lfs { .. } | Action::Move { .. } => {
                return Ok(());
            }
        };
        match kept {
            Kept::Log(name) => drop(change.logs.insert(name.to_vec(), value.map(|text| text.0))),
            Kept::Ref(name) => {
                // The log of a removed ref goes with it.
                if value.is_none() && tables.log(name).is_some() {
                    change.logs.entry(name.to_vec()).or_insert(None);
                }
                change.refs.insert(name.to_vec(), value);
            }
        }
        Ok(())
    }

    /// A line in the log of each ref that moved, and in HEAD's, as with logs that are files.
    fn note_in_tables(&self, area: Area, head_was: Option<&Bytes>, tables: &Tables, change: &mut Change) {
        for action in &self.payload.actions {
            if let Action::Ref { name, expect, want: Some(want) } = action
                && tables.area_of(name.as_slice()) == area
                && parse_hex(want.as_slice()).is_some()
            {
                self.note(name.as_slice(), expect.as_ref(), want, tables, change);
            }
        }
        if tables.area_of(b"HEAD") == area
            && let Some(to) = head_of(tables, change)
            && Some(&to) != head_was
        {
            self.note(b"HEAD", head_was, &to, tables, change);
        }
    }

    fn note(&self, name: &[u8], from: Option<&Bytes>, to: &Bytes, tables: &Tables, change: &mut Change) {
        let log = match change.logs.get(name) {
            Some(log) => log.clone(),
            None => tables.log(name),
        };
        let Some(mut log) = log else { return };
        if let Some(line) = reflog::line(&log, from.map(Bytes::as_slice), to.as_slice(), &self.message()) {
            log.extend(line);
            change.logs.insert(name.to_vec(), Some(log));
        }
    }

    /// What a killed undo of ours has left at the lock of the tables.
    pub(super) fn clear_dead_table_locks(&self) {
        for root in [&self.roots.common, &self.roots.own] {
            // Held by a living process: then it is not ours to clear.
            let _ = root.clear_dead_lock(LIST);
        }
    }
}

fn name_of(kept: Kept<'_>) -> &[u8] {
    match kept {
        Kept::Ref(name) | Kept::Log(name) => name,
    }
}

/// The object that HEAD will lead to.
fn head_of(tables: &Tables, change: &Change) -> Option<Bytes> {
    let value = |name: &[u8]| match change.refs.get(name) {
        Some(value) => value.clone(),
        None => tables.value(name),
    };
    let head = value(b"HEAD")?;
    match head.as_slice().trim_ascii_end().strip_prefix(b"ref: ") {
        Some(target) => value(target),
        None => Some(Bytes::from(head.as_slice().trim_ascii_end())),
    }
}
