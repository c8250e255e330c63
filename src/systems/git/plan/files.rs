//! The files of a repository in the plan: logs, configuration, operations in progress, other working trees.

use std::collections::BTreeSet;

use super::{Case, Planner, case};
use crate::error::Result;
use crate::model::Bytes;
use crate::systems::git::action::{Action, Target};
use crate::systems::git::config_text;
use crate::systems::git::state::{FileKind, FileState, RepoState, is_worktree_setting};
use crate::systems::git_index;

impl Planner<'_> {
    /// All of them.
    pub(super) fn files(&mut self) -> Result<()> {
        let all = [Some(self.before), self.after, self.now_if_after_unknown()];
        let mut keys: BTreeSet<&Bytes> = all.into_iter().flatten().flat_map(|s| s.files.keys()).collect();
        keys.extend(self.now.files.keys().filter(|key| self.goes_with_its_tree(key)));
        for key in keys {
            if self.not_captured(key) || (!self.rerere && key.as_slice().starts_with(b"common/rr-cache/")) {
                continue;
            }
            let states = [Some(self.before), self.after, Some(self.now)];
            let kind = states.iter().flatten().find_map(|s| s.files.get(key)).map(|f| f.kind);
            match kind {
                Some(FileKind::Log) => self.log(key)?,
                Some(FileKind::Worktree) => self.worktree_file(key)?,
                Some(kind) => self.file(key, kind)?,
                None => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, key: &Bytes, kind: FileKind) -> Result<()> {
        let (b, n) = (self.before.files.get(key), self.now.files.get(key));
        let a = self.after.map(|a| a.files.get(key));
        match case(b.map(Same), a.map(|a| a.map(Same)), n.map(Same)) {
            Case::Untouched => {}
            Case::Already => drop(self.already.insert(key.clone())),
            // Another index may name it, and git clears up by itself.
            Case::Restore if b.is_none() && is_shared_index(key) => {}
            Case::Restore => self.put(key, kind, n, b.map(stored)),
            Case::Moved if kind == FileKind::Note => {}
            Case::Moved => match self.merged_config(key, b, a.flatten(), n)? {
                Some(target) => self.put(key, kind, n, Some(target)),
                None => {
                    let what = match kind {
                        FileKind::StashLog => "the stash list".to_owned(),
                        _ => name_of(key),
                    };
                    let force = file_action(key, kind, n, b.map(stored));
                    self.clash(key.clone(), format!("{what} was changed since"), Some(force));
                }
            },
        }
        Ok(())
    }

    fn put(&mut self, key: &Bytes, kind: FileKind, now: Option<&FileState>, want: Option<Target>) {
        self.actions.push(file_action(key, kind, now, want));
    }

    /// Sections that the command took out of a configuration which was edited since.
    fn merged_config(
        &self,
        key: &Bytes,
        before: Option<&FileState>,
        after: Option<&FileState>,
        now: Option<&FileState>,
    ) -> Result<Option<Target>> {
        let (Some(b), Some(a), Some(n)) = (before, after, now) else { return Ok(None) };
        if key.as_slice() != b"common/config" {
            return Ok(None);
        }
        let (b, a, text) = (b.load(self.source)?, a.load(self.source)?, n.load(self.source)?);
        let merged = config_text::with_removed_sections(&b, &a, &text);
        Ok(merged.map(|text| Target { mode: n.mode, pieces: Vec::new(), then: Bytes(text) }))
    }

    /// A log that the command only appended to stays: it tells what happened. One that it removed, expired or
    /// replaced comes back, with what was appended since.
    fn log(&mut self, key: &Bytes) -> Result<()> {
        let (Some(b), n) = (self.before.files.get(key), self.now.files.get(key)) else { return Ok(()) };
        let Some(n) = n else {
            if self.after.is_none_or(|a| !a.files.contains_key(key)) {
                self.put(key, FileKind::Log, None, Some(stored(b)));
            } else {
                self.leave(key, format!("{} was removed since", name_of(key)));
            }
            return Ok(());
        };
        if n.blobs == b.blobs {
            return Ok(());
        }
        let (old, text) = (b.load(self.source)?, n.load(self.source)?);
        if text.starts_with(&old) {
            return Ok(());
        }
        let after = self.after.and_then(|a| a.files.get(key));
        let after = after.map(|a| a.load(self.source)).transpose()?;
        match after.and_then(|after| text.strip_prefix(after.as_slice()).map(<[u8]>::to_vec)) {
            Some(since) => {
                let target = Target { then: Bytes(since), ..stored(b) };
                self.put(key, FileKind::Log, Some(n), Some(target));
            }
            None => self.leave(key, format!("{} was rewritten since and stays as it is", name_of(key))),
        }
        Ok(())
    }

    /// Something that came later into the directory of a working tree that the command made, and that goes.
    fn goes_with_its_tree(&self, key: &Bytes) -> bool {
        if self.now.files.get(key).is_none_or(|file| file.kind != FileKind::Worktree) {
            return false;
        }
        let gitdir = gitdir_key(key);
        let has = |state: &RepoState| state.files.contains_key(&gitdir);
        !has(self.before) && self.after.is_some_and(has)
    }

    /// In the directory of a working tree whose HEAD is as the command left it: a log that has grown, by work that was taken
    /// back since, or a note of git's to itself.
    fn only_tells_what_happened(&self, key: &Bytes) -> Result<bool> {
        let Some(top) = gitdir_key(key).as_slice().strip_suffix(b"gitdir").map(<[u8]>::to_vec) else {
            return Ok(false);
        };
        let head = Bytes([top.as_slice(), b"HEAD"].concat());
        let value = |state: &RepoState| state.files.get(&head).map(|file| file.blobs.clone());
        if self.after.map(value) != Some(value(self.now)) {
            return Ok(false);
        }
        let name = key.as_slice().strip_prefix(top.as_slice()).unwrap_or_default();
        let (a, n) = (self.after.and_then(|a| a.files.get(key)), self.now.files.get(key));
        Ok(match (name, a, n) {
            (b"ORIG_HEAD" | b"FETCH_HEAD" | b"COMMIT_EDITMSG", ..) => true,
            (b"logs/HEAD", Some(a), Some(n)) => n.load(self.source)?.starts_with(&a.load(self.source)?),
            _ => false,
        })
    }

    /// Another working tree's directory is restored or removed as a whole; what happens inside it is its own affair.
    /// Where it is, its lock and its reflog are the repository's to keep.
    fn worktree_file(&mut self, key: &Bytes) -> Result<()> {
        let gitdir = gitdir_key(key);
        let has = |s: &RepoState| s.files.contains_key(&gitdir);
        let (was, is) = (has(self.before), has(self.now));
        let Some(after) = self.after.map(has) else { return Ok(()) };
        let (b, n) = (self.before.files.get(key), self.now.files.get(key));
        match (was, after, is) {
            (true, false, false) => self.put(key, FileKind::Worktree, n, b.map(stored)),
            (true, false, true) if b.map(Same) == n.map(Same) => drop(self.already.insert(key.clone())),
            (false, true, false) => drop(self.already.insert(key.clone())),
            (true, false, true) if gitdir == *key => {
                self.clash(key.clone(), format!("{} was made again since", name_of(key)), None);
            }
            (false, true, true) => {
                let a = self.after.and_then(|a| a.files.get(key));
                if a.map(|f| &f.blobs) == n.map(|f| &f.blobs) || self.only_tells_what_happened(key)? {
                    self.put(key, FileKind::Worktree, n, None);
                } else if !key.as_slice().ends_with(b"/index") {
                    self.clash(key.clone(), format!("{} was changed since", name_of(key)), None);
                }
            }
            (true, true, true) if is_worktree_setting(key.as_slice()) => {
                self.file(key, FileKind::Worktree)?
            }
            (true, true, true) if key.as_slice().ends_with(b"/logs/HEAD") => self.log(key)?,
            (true, true, true) if key.as_slice().ends_with(b"/reftable/tables.list") => {
                let a = self.after.and_then(|a| a.files.get(key));
                if a.map(Same) != b.map(Same) {
                    let tree = name_of(&gitdir_key(key));
                    let tree = tree.trim_start_matches("worktrees/").trim_end_matches("/gitdir");
                    self.leave(
                        key,
                        format!("refs and logs of the working tree {tree}: kept in tables of its own"),
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Files are equal by content and executable bit.
struct Same<'a>(&'a FileState);

impl PartialEq for Same<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(other.0)
    }
}

fn file_action(key: &Bytes, kind: FileKind, now: Option<&FileState>, want: Option<Target>) -> Action {
    Action::File { key: key.clone(), kind, expect: now.map(|f| f.blobs.clone()), want }
}

fn stored(file: &FileState) -> Target {
    Target { mode: file.mode, pieces: file.blobs.clone(), then: Bytes::default() }
}

fn name_of(key: &Bytes) -> String {
    let text = key.lossy();
    text.split_once('/').map_or(text.as_ref(), |(_, name)| name).to_owned()
}

/// `common/worktrees/x/gitdir` for any file below `common/worktrees/x/`.
fn gitdir_key(key: &Bytes) -> Bytes {
    let parts: Vec<&[u8]> = key.as_slice().splitn(4, |b| *b == b'/').take(3).collect();
    Bytes([parts.join(&b'/').as_slice(), b"/gitdir"].concat())
}

/// The shared part of a split index.
fn is_shared_index(key: &Bytes) -> bool {
    key.as_slice().strip_prefix(b"own/").is_some_and(|name| name.starts_with(git_index::SHARED))
}
