//! The names of one directory: what they are and whether they are taken, and in the end the directory's object.

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;

use super::{DirNode, Finished, Shared, Slot, lock};
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectKind};
use crate::platform::fs::{FileKind, stat_at};
use crate::systems::files::cache::{Cache, CachedDir};
use crate::systems::files::entry::Entry;
use crate::systems::files::node::{in_words, is_absent};
use crate::systems::files::rules::Verdict;
use crate::systems::files::tree::{Named, decode_tree, digest_of, encode_tree};

impl Shared<'_> {
    /// `lstat` of every name, and the rules' word on it.
    pub(super) fn stat_all(&self, node: &DirNode, dir: BorrowedFd<'_>, names: Vec<Vec<u8>>) -> Vec<Slot> {
        let rules = self.walk.rules;
        let mut slots = Vec::with_capacity(names.len());
        let mut over = 0u64;
        let seen = self.items.load(Ordering::Relaxed);
        for name in names {
            let stat = match stat_at(dir, &name) {
                Ok(stat) => stat,
                // Gone between listing and looking: then it is not part of the state.
                Err(e) if is_absent(&e) => continue,
                Err(e) => {
                    let path = node.child_path(&name);
                    self.note(&path, &in_words(&e));
                    continue;
                }
            };
            let mut slot = Slot { name, stat, entry: None, clean: false, left_out: false };
            match rules.judge(dir, &node.path, &slot.name, &stat) {
                Verdict::Hide => continue,
                Verdict::Skip(why) => {
                    self.note(&node.child_path(&slot.name), &why);
                    slot.entry = Some(Entry::skipped(why));
                    slot.left_out = true;
                }
                Verdict::Take => {
                    let size = stat.size.min(stat.blocks.saturating_mul(512).max(4096));
                    let size = if stat.kind() == FileKind::File { size } else { 0 };
                    let bytes = self.bytes.fetch_add(size, Ordering::Relaxed);
                    let full = seen + slots.len() as u64 >= rules.max_files
                        || (self.walk.reading.contents && bytes + size > rules.max_bytes);
                    if full {
                        self.bytes.fetch_sub(size, Ordering::Relaxed);
                        over += 1;
                        slot.entry = Some(Entry::skipped("over the cap"));
                        slot.left_out = true;
                    }
                }
            }
            slots.push(slot);
        }
        if over > 0 {
            let why = format!("{over} of its names are over the cap ({} files)", rules.max_files);
            let why = why.replace(" files)", &format!(" files, {} bytes)", rules.max_bytes));
            self.note(&node.path, &why);
        }
        slots
    }

    /// The object of a directory of which everything is known.
    pub(super) fn assemble(&self, node: &DirNode) -> Result<Finished> {
        let mut inner = lock(&node.inner);
        let slots = std::mem::take(&mut inner.slots);
        let cached = inner.cached.take();
        if let Some(cached) = &cached
            && inner.same_names
            && slots.iter().all(|s| s.clean)
        {
            let done = Finished::Tree { tree: cached.tree, digest: cached.digest, unchanged: true };
            drop(inner);
            if self.walk.write_cache {
                lock(&self.carried).push((node.path.clone(), cached.clone()));
            }
            return Ok(done);
        }
        drop(inner);
        // Clean names of a directory that changed otherwise: their entries are in the earlier tree.
        let earlier = match &cached {
            Some(cached) if slots.iter().any(|s| s.entry.is_none()) => {
                decode_tree(&self.walk.source.get(&cached.tree)?)?
            }
            _ => Vec::new(),
        };
        let mut marks = Vec::with_capacity(slots.len());
        let mut entries = Vec::with_capacity(slots.len());
        for slot in slots {
            let entry = match slot.entry {
                Some(entry) => entry,
                None => {
                    let at = earlier.binary_search_by(|e| e.name.0.as_slice().cmp(&slot.name));
                    let found = at.ok().and_then(|at| earlier.get(at));
                    found
                        .ok_or_else(|| Error::corrupt("the stat cache does not match its tree"))?
                        .entry
                        .clone()
                }
            };
            let left_out = entry.why_skipped().is_some() || entry.is_unreadable_dir();
            marks.push((slot.stat, slot.left_out, left_out && !slot.left_out));
            entries.push(Named { name: Bytes(slot.name), entry });
        }
        let digest = digest_of(&entries);
        let tree = self.walk.reading.keep.put(ObjectKind::Tree, &encode_tree(&entries)?)?;
        if self.walk.write_cache {
            let names = entries
                .iter()
                .zip(&marks)
                .map(|(e, (stat, left_out, failed))| (e.name.as_slice(), stat, *left_out, *failed));
            lock(&self.writer).push(&node.path, tree, digest, names);
        }
        Ok(Finished::Tree { tree, digest, unchanged: false })
    }
}

/// Marks the slots that the cache vouches for; true where the names are the very same.
pub(super) fn mark_clean(slots: &mut [Slot], cached: &CachedDir, cache: &Cache) -> bool {
    let mut known = cache.names(cached).peekable();
    let mut same = true;
    for slot in slots.iter_mut() {
        while known.peek().is_some_and(|k| k.name < slot.name.as_slice()) {
            known.next();
            same = false;
        }
        match known.next_if(|k| k.name == slot.name.as_slice()) {
            Some(known) if slot.left_out => slot.clean = known.left_out,
            Some(known) => slot.clean = known.vouches_for(&slot.stat, cache.taken_ns()),
            None => same = false,
        }
    }
    same && known.next().is_none()
}
