//! Objects come back before what names them: those that the restored state needs, and those of a list that were pruned.

use std::collections::BTreeSet;

use git2::Oid;

use super::Job;
use crate::error::{Error, Result};
use crate::model::Bytes;
use crate::systems::git::action::Action;
use crate::systems::git::lfs;
use crate::systems::git::look::staged_in;
use crate::systems::git::objects::{Objects, holds, listed, parse_oid};
use crate::systems::git::vault::{Limits, Vault, take_files};
use crate::systems::git::walk::missing_in;
use crate::systems::git_index::Index;

impl Job<'_> {
    /// Puts objects that the restored state needs and the repository lost back into it, from the vault. Returns how
    /// many pruned objects are nowhere.
    pub(super) fn bring_objects(&self) -> Result<usize> {
        let vault = Vault::of(&self.cx.vault, &self.locator)?.objects();
        let objects = self.place.objects();
        let pack = objects.join("pack");
        if !is_real_dir(&objects) || !is_real_dir(&pack) {
            return Err(Error::failure(format!("{} is not a directory of its own", pack.display())));
        }
        if self.payload.create || self.before.object_format != "sha1" || !self.before.knows_refs() {
            let mut missing = Vec::new();
            take_files(&vault, &objects, &mut Limits::none(), &mut missing)?;
            return match missing.first() {
                Some(m) => Err(Error::failure(format!("cannot bring back {}: {}", m.what.lossy(), m.why))),
                None => Ok(0),
            };
        }
        let wanted = self.wanted_objects()?;
        let source = Objects::open(&[&objects])?;
        let both = Objects::open(&[self.place.all_objects(), vec![vault]].concat())?;
        let (have, from) = (source.odb()?, both.odb()?);
        let lacking = |ids: &BTreeSet<Oid>| -> Vec<Oid> {
            ids.iter().copied().filter(|id| !holds(&have, *id)).collect()
        };
        let strict = missing_in(&have, &from, &lacking(&wanted.required), usize::MAX);
        let has_holes = self.before.files.contains_key(&Bytes::from("common/shallow"));
        let lost = |id: &&Oid| !has_holes || wanted.required.contains(id);
        if let Some(id) = strict.absent.iter().find(lost) {
            return Err(Error::failure(format!("object {id} is neither in the repository nor in the vault")));
        }
        let (found, gone): (Vec<Oid>, Vec<Oid>) =
            lacking(&wanted.optional).into_iter().partition(|id| holds(&from, *id));
        let loose_ends = missing_in(&have, &from, &found, usize::MAX);
        let needed: BTreeSet<Oid> = strict.needed.into_iter().chain(loose_ends.needed).collect();
        if !needed.is_empty() {
            both.pack_into(&needed.into_iter().collect::<Vec<_>>(), &pack)?;
        }
        Ok(gone.iter().filter(|id| wanted.listed.contains(*id)).count())
    }

    /// Puts contents of git-lfs back. Returns how many are nowhere.
    pub(super) fn bring_large_files(&self) -> Result<usize> {
        let mut lost = 0;
        for action in &self.payload.actions {
            let Action::Lfs { list, .. } = action else { continue };
            let names: Vec<[u8; 32]> = lfs::listed(&self.cx.source.get(list)?).collect();
            let vault = Vault::of(&self.cx.vault, &self.locator)?;
            lost += lfs::bring(&self.place.common_dir, &vault, &names)?;
        }
        Ok(lost)
    }

    fn wanted_objects(&self) -> Result<Wanted> {
        let mut wanted = Wanted::default();
        for action in &self.payload.actions {
            match action {
                Action::Objects { list, .. } => wanted.listed.extend(listed(&self.cx.source.get(list)?)),
                Action::Ref { want: Some(want), .. } => wanted.required.extend(parse_oid(want.as_slice())),
                Action::Head { want, .. } => {
                    wanted.required.extend(parse_oid(want.as_slice().trim_ascii_end()));
                }
                Action::Index { want: Some(index), .. } => {
                    let bytes = self.cx.source.get(&index.blob)?;
                    if let Ok(index) = Index::parse(&bytes, self.oid_len()) {
                        let blobs = index.entries.iter().filter(|e| e.mode != 0o160_000);
                        let ids = blobs.filter_map(|e| Oid::from_bytes(&e.oid).ok());
                        wanted.optional.extend(ids.filter(|id| !id.is_zero()));
                        wanted.optional.extend(index.tree.as_deref().and_then(|t| Oid::from_bytes(t).ok()));
                    }
                }
                Action::File { key, want: Some(target), .. } => {
                    let content = self.content(target)?;
                    if key.as_slice().starts_with(b"common/worktrees/") {
                        wanted.optional.extend(staged_in(key.as_slice(), &content));
                    }
                    let words = content.split(|b| b.is_ascii_whitespace());
                    wanted.optional.extend(words.filter_map(parse_oid));
                }
                _ => {}
            }
        }
        wanted.optional.extend(&wanted.listed);
        Ok(wanted)
    }
}

/// Objects that the actions of a step name.
#[derive(Default)]
struct Wanted {
    /// Values of refs and HEAD: with all that they point to, or nothing is written.
    required: BTreeSet<Oid>,
    /// What index, logs and other files name: as far as it exists.
    optional: BTreeSet<Oid>,
    /// What was pruned: those that are nowhere are counted and reported.
    listed: BTreeSet<Oid>,
}

fn is_real_dir(path: &std::path::Path) -> bool {
    path.symlink_metadata().is_ok_and(|m| m.is_dir())
}
