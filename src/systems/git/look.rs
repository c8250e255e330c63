//! Reads the present state of a repository, file by file. Nothing is locked and nothing is changed.

use std::collections::BTreeSet;

use git2::Oid;

use super::capture::names_objects;
use super::dir::Root;
use super::objects::parse_oid;
use super::place::{Place, Roots};
use super::refs;
use super::reftable::{Kept, Table, Tables, kept_as};
use super::state::{FileKind, FileState, IndexState, RepoState, put_new};
use super::what::What;
use crate::error::Result;
use crate::model::{Bytes, Missing, ObjectId, ObjectKind, ObjectSink};
use crate::systems::git_index::Index;

/// Files of an operation in progress, directly in the working tree's git directory.
const PROGRESS_FILES: [&str; 18] = [
    "MERGE_HEAD",
    "MERGE_MSG",
    "MERGE_MODE",
    "MERGE_RR",
    "MERGE_AUTOSTASH",
    "AUTO_MERGE",
    "SQUASH_MSG",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "BISECT_LOG",
    "BISECT_NAMES",
    "BISECT_TERMS",
    "BISECT_RUN",
    "BISECT_START",
    "BISECT_EXPECTED_REV",
    "BISECT_ANCESTORS_OK",
    "BISECT_FIRST_PARENT",
];
/// Directories of an operation in progress.
const PROGRESS_DIRS: [&str; 3] = ["rebase-merge", "rebase-apply", "sequencer"];
/// Rewritten by nearly every command.
const NOTES: [&str; 3] = ["ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG"];
/// Shared configuration.
const CONFIG_FILES: [&str; 6] =
    ["config", "shallow", "info/exclude", "info/attributes", "info/grafts", "description"];
/// Configuration of one working tree.
const OWN_CONFIG_FILES: [&str; 2] = ["config.worktree", "info/sparse-checkout"];
/// The permission bits of what would be a file and is in a table.
const FILE_MODE: u32 = 0o644;

/// The present, with what pinning needs of it.
pub struct Seen {
    /// The document.
    pub state: RepoState,
    /// The parsed index; `None` where there is none or it could not be parsed.
    pub index: Option<Index>,
    /// Objects that other files than refs and index name: stash entries, operations in progress.
    pub named: BTreeSet<Oid>,
    /// Objects that reflogs name: old versions of commits, which only the repository's own directory holds.
    pub logged: BTreeSet<Oid>,
    /// What could not be read.
    pub missing: Vec<Missing>,
}

/// Reads the present. The index's bytes are put only with `contents`; everything else is small and always put.
pub fn look(place: &Place, sink: &dyn ObjectSink, contents: bool, what: What) -> Result<Seen> {
    let roots = place.open()?;
    let mut look = Look {
        place,
        roots: &roots,
        sink,
        seen: Seen {
            state: RepoState::new(),
            index: None,
            named: BTreeSet::new(),
            logged: BTreeSet::new(),
            missing: Vec::new(),
        },
    };
    look.formats()?;
    look.files()?;
    if what.rerere {
        look.below(Area::Common, b"rr-cache", FileKind::Config)?;
    }
    match roots.tables {
        true => look.tables()?,
        false => look.head_and_refs()?,
    }
    look.index(contents)?;
    Ok(look.seen)
}

struct Look<'a> {
    place: &'a Place,
    roots: &'a Roots,
    sink: &'a dyn ObjectSink,
    seen: Seen,
}

impl Look<'_> {
    fn files(&mut self) -> Result<()> {
        let (own, common) = (Area::Own, Area::Common);
        CONFIG_FILES.iter().try_for_each(|n| self.file(common, n.as_bytes(), FileKind::Config))?;
        OWN_CONFIG_FILES.iter().try_for_each(|n| self.file(own, n.as_bytes(), FileKind::Config))?;
        NOTES.iter().try_for_each(|n| self.file(own, n.as_bytes(), FileKind::Note))?;
        PROGRESS_FILES.iter().try_for_each(|n| self.file(own, n.as_bytes(), FileKind::Progress))?;
        PROGRESS_DIRS.iter().try_for_each(|n| self.below(own, n.as_bytes(), FileKind::Progress))?;
        self.below(common, b"hooks", FileKind::Config)?;
        if !self.roots.tables {
            self.file(own, b"logs/HEAD", FileKind::Log)?;
            self.below(common, b"logs/refs", FileKind::Log)?;
        }
        let others = self.roots.common.dirs_in(b"worktrees");
        for name in self.or_missing(common, b"worktrees", others) {
            let dir = [b"worktrees/", name.as_slice()].concat();
            if self.place.git_dir != self.roots.common.path_of(&dir) {
                self.below(common, &dir, FileKind::Worktree)?;
            }
        }
        Ok(())
    }

    fn below(&mut self, area: Area, dir: &[u8], kind: FileKind) -> Result<()> {
        let mut odd = Vec::new();
        let found = area.root(self.roots).files_below(dir, &mut odd);
        for name in self.or_missing(area, dir, found) {
            let inert = name.ends_with(b".lock") || (dir == b"hooks" && name.ends_with(b".sample"));
            if !inert {
                self.file(area, &name, kind)?;
            }
        }
        self.note_odd(area, odd);
        Ok(())
    }

    fn file(&mut self, area: Area, name: &[u8], kind: FileKind) -> Result<()> {
        match area.root(self.roots).read(name) {
            Ok(Some(content)) => self.content(area, name, kind, content.mode, &content.bytes)?,
            Ok(None) => {}
            Err(e) => self.seen.missing.push(Missing { what: area.key(name), why: e.to_string() }),
        }
        Ok(())
    }

    fn content(&mut self, area: Area, name: &[u8], kind: FileKind, mode: u32, bytes: &[u8]) -> Result<()> {
        let kind = if name == b"logs/refs/stash" { FileKind::StashLog } else { kind };
        if kind == FileKind::Worktree {
            self.seen.named.extend(staged_in(name, bytes));
        }
        if names_objects(kind, name) {
            let words = bytes.split(|b| b.is_ascii_whitespace());
            self.seen.named.extend(words.filter_map(parse_oid));
        }
        if kind == FileKind::Log {
            // The value before, the value after, who and when (gitformat: reflogs are one line an entry).
            let values = bytes.split(|b| *b == b'\n').flat_map(|line| line.splitn(3, |b| *b == b' ').take(2));
            self.seen.logged.extend(values.filter_map(parse_oid).filter(|id| !id.is_zero()));
        }
        let file = FileState::store(kind, mode, bytes, self.sink)?;
        self.seen.state.files.insert(area.key(name), file);
        Ok(())
    }

    /// What could not be read is named, and the rest still captured.
    fn or_missing<T: Default>(&mut self, area: Area, name: &[u8], result: Result<T>) -> T {
        result.unwrap_or_else(|e| {
            self.seen.missing.push(Missing { what: area.key(name), why: e.to_string() });
            T::default()
        })
    }

    fn note_odd(&mut self, area: Area, odd: Vec<Vec<u8>>) {
        for name in odd {
            let why = "not a regular file with a valid content".to_owned();
            self.seen.missing.push(Missing { what: area.key(&name), why });
        }
    }

    /// `extensions.*` decides how the rest is read ([`Place::open`]).
    fn formats(&mut self) -> Result<()> {
        let config = self.roots.common.read(b"config").ok().flatten().map(|c| c.bytes).unwrap_or_default();
        let extension = |key: &str| super::config_text::value(&config, "extensions", key);
        let state = &mut self.seen.state;
        state.object_format = extension("objectformat").unwrap_or_else(|| "sha1".to_owned());
        state.ref_storage = extension("refstorage").unwrap_or_else(|| "files".to_owned());
        Ok(())
    }

    /// What the tables keep, as the files that it would be. Tables that cannot be read cost refs and logs, not the rest.
    fn tables(&mut self) -> Result<()> {
        let tables = match Tables::read(self.roots) {
            Ok(tables) => tables,
            Err(e) => {
                self.note_refs(&e.to_string());
                return Ok(());
            }
        };
        self.seen.state.refs = tables.refs();
        self.seen.state.peeled = tables.peeled();
        self.seen.state.head = tables.content(Kept::Ref(b"HEAD")).map(Bytes);
        self.seen.named.extend(tables.elsewhere().and_then(|value| parse_oid(value.as_slice())));
        for (area, name) in tables.files() {
            let Some(kept) = kept_as(&name) else { continue };
            let kind = match kept {
                Kept::Log(_) => FileKind::Log,
                Kept::Ref(name) if NOTES.iter().any(|note| note.as_bytes() == name) => FileKind::Note,
                Kept::Ref(_) => FileKind::Progress,
            };
            let content = tables.content(kept).unwrap_or_default();
            self.content(area, &name, kind, FILE_MODE, &content)?;
        }
        Ok(())
    }

    fn head_and_refs(&mut self) -> Result<()> {
        if self.place.is_linked() {
            // The main working tree's HEAD is its own affair; what it has checked out must not be lost.
            let head = self.roots.common.read(b"HEAD").ok().flatten();
            self.seen.named.extend(head.and_then(|c| parse_oid(c.bytes.trim_ascii_end())));
        }
        match self.roots.own.read(b"HEAD") {
            Ok(content) => self.seen.state.head = content.map(|c| Bytes(c.bytes)),
            Err(e) => self.seen.missing.push(Missing { what: Bytes::from("HEAD"), why: e.to_string() }),
        }
        let mut odd = Vec::new();
        let refs = refs::read_all(self.place, self.roots, &mut odd);
        self.seen.state.refs = self.or_missing(Area::Common, b"refs", refs);
        if self.seen.state.ref_storage != "files" {
            self.note_refs(&format!(
                "refs are kept as \"{}\", which fr cannot read",
                self.seen.state.ref_storage
            ));
        }
        self.note_odd(Area::Common, odd);
        Ok(())
    }

    fn index(&mut self, contents: bool) -> Result<()> {
        let content = match self.roots.own.read(b"index") {
            Ok(Some(content)) => content,
            Ok(None) => return Ok(()),
            Err(e) => {
                self.seen.missing.push(Missing { what: Bytes::from("index"), why: e.to_string() });
                return Ok(());
            }
        };
        let oid_len = if self.seen.state.object_format == "sha256" { 32 } else { 20 };
        let blob = if contents {
            put_new(self.sink, &content.bytes)?
        } else {
            ObjectId::of(ObjectKind::Blob, &content.bytes)
        };
        let parsed = Index::parse(&content.bytes, oid_len);
        let (digest, entries) = match &parsed {
            Ok(index) => (index.digest(), index.entries.len() as u64),
            Err(_) => (blob, 0),
        };
        if let Err(e) = &parsed {
            self.note_index(&format!("{e}; kept byte for byte, its blobs are not pinned"));
        }
        self.seen.state.index = Some(IndexState {
            blob,
            digest,
            entries,
            size: content.bytes.len() as u64,
            mode: content.mode,
            mtime: content.mtime,
        });
        self.seen.index = parsed.ok();
        self.shared_index(oid_len)
    }

    /// The shared part of a split index: git removes one that no index has named for two weeks.
    fn shared_index(&mut self, oid_len: usize) -> Result<()> {
        let Some(name) = self.seen.index.as_ref().and_then(|index| index.shared_name(oid_len)) else {
            return Ok(());
        };
        match self.roots.own.read(&name) {
            Ok(Some(content)) => self.seen.named.extend(blobs_in(&content.bytes)),
            Ok(None) => self.note_index("split index: its shared part is not there"),
            Err(e) => self.note_index(&format!("split index: {e}")),
        }
        self.file(Area::Own, &name, FileKind::Note)
    }

    fn note_refs(&mut self, why: &str) {
        for what in ["HEAD", "common/refs", "own/refs", "common/logs", "own/logs"].map(Bytes::from) {
            self.seen.missing.push(Missing { what, why: why.to_owned() });
        }
    }

    fn note_index(&mut self, why: &str) {
        self.seen.missing.push(Missing { what: Bytes::from("index"), why: why.to_owned() });
    }
}

/// What another working tree has staged, and what its tables of refs name: removing it must not lose that.
pub fn staged_in(name: &[u8], bytes: &[u8]) -> Vec<Oid> {
    if name.ends_with(b".ref") {
        let table = Table::parse(bytes).unwrap_or_default();
        return table.ids().iter().filter_map(|id| Oid::from_bytes(id).ok()).collect();
    }
    if name.ends_with(b"/index") { blobs_in(bytes) } else { Vec::new() }
}

fn blobs_in(index: &[u8]) -> Vec<Oid> {
    let entries = Index::parse(index, 20).map(|index| index.entries).unwrap_or_default();
    let blobs = entries.iter().filter(|e| e.mode != 0o160_000);
    blobs.filter_map(|e| Oid::from_bytes(&e.oid).ok()).filter(|id| !id.is_zero()).collect()
}

/// Which of the two directories a file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The working tree's own git directory.
    Own,
    /// The shared one.
    Common,
}

impl Area {
    /// The open directory.
    pub fn root(self, roots: &Roots) -> &Root {
        match self {
            Area::Own => &roots.own,
            Area::Common => &roots.common,
        }
    }

    /// The key of a file in [`RepoState::files`].
    pub fn key(self, name: &[u8]) -> Bytes {
        let prefix: &[u8] = match self {
            Area::Own => b"own/",
            Area::Common => b"common/",
        };
        Bytes([prefix, name].concat())
    }

    /// The directory and the name of a key.
    pub fn split(key: &[u8]) -> Option<(Area, &[u8])> {
        let own = key.strip_prefix(b"own/").map(|name| (Area::Own, name));
        own.or_else(|| key.strip_prefix(b"common/").map(|name| (Area::Common, name)))
    }
}
