//! The state of a repository as a stored document, and what equality of two states means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::loose::Loose;
use super::refs::Refs;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};

/// The version of [`RepoState`]. A reader refuses what is newer.
const VERSION: u32 = 1;

/// Logs only grow at their end: in pieces of this many bytes an unchanged beginning is stored once.
const LOG_PIECE: usize = 64 << 10;

/// Why a file is part of the state; decides how it is compared and put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Configuration: `config`, `info/*`, `shallow`, hooks.
    Config,
    /// An operation in progress: `MERGE_HEAD`, `rebase-merge/*` …
    Progress,
    /// A reflog.
    Log,
    /// The stash's reflog, which is the stash itself.
    StashLog,
    /// Written by nearly every command: `ORIG_HEAD`, `FETCH_HEAD`, `COMMIT_EDITMSG`.
    Note,
    /// The files of a reftable database, in captures of an earlier `fr`.
    RefTable,
    /// The directory of another working tree.
    Worktree,
}

/// A file of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Why it is here.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// Its content, in pieces.
    pub blobs: Vec<ObjectId>,
}

/// The index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexState {
    /// The file, byte for byte.
    pub blob: ObjectId,
    /// What it says, without stat data: [`crate::systems::git_index::Index::digest`].
    pub digest: ObjectId,
    /// Number of entries.
    pub entries: u64,
    /// Bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Modification time. git compares it with those of the files to find racy entries, so it comes back too.
    pub mtime: (i64, i64),
}

/// A repository at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoState {
    /// Format of this document.
    pub version: u32,
    /// `sha1` or `sha256`.
    pub object_format: String,
    /// `files` or `reftable`.
    pub ref_storage: String,
    /// The content of HEAD, byte for byte.
    pub head: Option<Bytes>,
    /// All refs.
    #[serde(with = "pairs")]
    pub refs: Refs,
    /// What tag objects lead to, where refs are kept in tables: these note it beside the value. Not part of equality.
    #[serde(with = "pairs", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub peeled: BTreeMap<Bytes, Bytes>,
    /// The index; `None` where there is none.
    pub index: Option<IndexState>,
    /// The ids of all objects there are, reachable or not, as a sorted list of 20-byte ids: only for commands that
    /// prune. Not part of equality, as objects come and go without meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<ObjectId>,
    /// The names of the contents that git-lfs keeps here, as a sorted list of 32 bytes each. Not part of equality: which of
    /// them are here says nothing about the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lfs: Option<ObjectId>,
    /// The names of loose objects and packs, where they were not pinned. Not part of equality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loose: Option<Loose>,
    /// Where the git directory is, if git has moved it away from where the capture found it (`submodule absorbgitdirs`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Bytes>,
    /// Other files, by key: `own/` or `common/` and the path below that directory.
    #[serde(with = "pairs")]
    pub files: BTreeMap<Bytes, FileState>,
}

impl RepoState {
    /// An empty state of the current format version.
    pub fn new() -> RepoState {
        RepoState { version: VERSION, ..RepoState::default() }
    }

    /// Stores the document.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<StateRef> {
        let text = serde_json::to_vec(self)
            .map_err(|e| Error::failure(format!("cannot encode the state of a repository: {e}")))?;
        Ok(StateRef { digest: self.digest()?, object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads a stored document.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<Option<RepoState>> {
        let Some(id) = &state.object else { return Ok(None) };
        let parsed: RepoState = serde_json::from_slice(&source.get(id)?)
            .map_err(|e| Error::corrupt(format!("object {} is no state of a repository: {e}", id.short())))?;
        if parsed.version > VERSION {
            return Err(Error::new(
                crate::error::ExitCode::NewerStore,
                format!("the repository's state has format {}, this fr knows {VERSION}", parsed.version),
            ));
        }
        Ok(Some(parsed))
    }

    /// The digest of a repository that is not there.
    pub fn absent() -> StateRef {
        StateRef { digest: ObjectId::of(ObjectKind::State, b"git: no repository"), object: None }
    }

    /// Equality: HEAD, refs, what the index says, configuration, operations in progress, the stash list, and which
    /// other working trees there are. Left out: other reflogs, notes, the index's stat data, what other working
    /// trees have checked out.
    fn digest(&self) -> Result<ObjectId> {
        let files: Vec<_> = self
            .files
            .iter()
            .filter(|(key, file)| match file.kind {
                FileKind::Log | FileKind::Note => false,
                FileKind::Worktree => is_worktree_setting(key.as_slice()),
                FileKind::Config | FileKind::Progress | FileKind::StashLog | FileKind::RefTable => true,
            })
            .map(|(key, file)| (key, file.mode & 0o111 != 0, &file.blobs))
            .collect();
        let head = self.head.as_ref().map(|h| h.as_slice().trim_ascii_end());
        let refs: Vec<_> = self.refs.iter().collect();
        let index = self.index.as_ref().map(|i| i.digest);
        let text = match &self.moved {
            None => serde_json::to_vec(&(head, refs, index, files)),
            Some(to) => serde_json::to_vec(&(head, refs, index, files, to)),
        };
        let text = text.map_err(|e| Error::failure(format!("cannot compare states of a repository: {e}")))?;
        Ok(ObjectId::of(ObjectKind::State, &text))
    }

    /// Its refs are kept in a way that is known here.
    pub fn knows_refs(&self) -> bool {
        matches!(self.ref_storage.as_str(), "files" | "reftable")
    }

    /// HEAD as a value: `ref: <name>` or an object id.
    pub fn head_value(&self) -> Option<Bytes> {
        super::refs::value_of(self.head.as_ref()?.as_slice())
    }

    /// The reflogs, the stash's among them.
    pub fn logs(&self) -> impl Iterator<Item = (&Bytes, &FileState)> {
        let is_log = |file: &FileState| matches!(file.kind, FileKind::Log | FileKind::StashLog);
        self.files.iter().filter(move |(_, file)| is_log(file))
    }

    /// How many things it holds.
    pub fn items(&self) -> u64 {
        (self.refs.len() + self.files.len() + usize::from(self.head.is_some())) as u64
            + u64::from(self.index.is_some())
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|f| f.size).sum::<u64>() + self.index.as_ref().map_or(0, |i| i.size)
    }
}

impl FileState {
    /// Puts a file's content.
    pub fn store(kind: FileKind, mode: u32, bytes: &[u8], sink: &dyn ObjectSink) -> Result<FileState> {
        let blobs = pieces(kind, bytes).map(|p| put_new(sink, p)).collect::<Result<_>>()?;
        Ok(FileState { kind, mode, size: bytes.len() as u64, blobs })
    }

    /// Reads the content back.
    pub fn load(&self, source: &dyn ObjectSource) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0).min(1 << 24));
        for id in &self.blobs {
            bytes.extend_from_slice(&source.get(id)?);
        }
        Ok(bytes)
    }

    /// The same content and the same executable bit.
    pub fn same(&self, other: &FileState) -> bool {
        self.blobs == other.blobs && (self.mode & 0o111 != 0) == (other.mode & 0o111 != 0)
    }
}

fn pieces(kind: FileKind, bytes: &[u8]) -> std::slice::Chunks<'_, u8> {
    match kind {
        FileKind::Log | FileKind::StashLog => bytes.chunks(LOG_PIECE),
        _ => bytes.chunks(bytes.len().max(1)),
    }
}

/// True where a file of this kind with this content has these pieces.
pub fn has_pieces(kind: FileKind, bytes: &[u8], ids: &[ObjectId]) -> bool {
    pieces(kind, bytes).map(|p| ObjectId::of(ObjectKind::Blob, p)).eq(ids.iter().copied())
}

/// Puts a blob unless it is certainly there.
pub fn put_new(sink: &dyn ObjectSink, bytes: &[u8]) -> Result<ObjectId> {
    let id = ObjectId::of(ObjectKind::Blob, bytes);
    if sink.has(&id) { Ok(id) } else { sink.put(ObjectKind::Blob, bytes) }
}

/// True for the key of a file that says where another working tree is and how it is kept; all else in its directory is
/// that tree's own affair.
pub fn is_worktree_setting(key: &[u8]) -> bool {
    let below = key.strip_prefix(b"common/worktrees/");
    let name = below.and_then(|rest| rest.iter().position(|b| *b == b'/').and_then(|at| rest.get(at + 1..)));
    matches!(name, Some(b"gitdir" | b"locked" | b"config.worktree"))
}

/// The objects that a stored document names.
pub fn references(text: &[u8]) -> Result<Vec<ObjectId>> {
    let state: RepoState = serde_json::from_slice(text)
        .map_err(|e| Error::corrupt(format!("the state of a repository cannot be read: {e}")))?;
    let lists = [state.objects, state.lfs, state.loose.map(|loose| loose.digests)];
    let files = state.files.into_values().flat_map(|file| file.blobs);
    let index = state.index.map(|index| index.blob);
    Ok(index.into_iter().chain(lists.into_iter().flatten()).chain(files).collect())
}

/// Maps with byte-string keys as lists of pairs: JSON has only text keys, and names are bytes.
mod pairs {
    use std::collections::BTreeMap;

    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    use crate::model::Bytes;

    pub fn serialize<V: Serialize, S: Serializer>(map: &BTreeMap<Bytes, V>, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(map)
    }

    pub fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
        d: D,
    ) -> Result<BTreeMap<Bytes, V>, D::Error> {
        Ok(Vec::<(Bytes, V)>::deserialize(d)?.into_iter().collect())
    }
}
