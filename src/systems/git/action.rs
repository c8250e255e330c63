//! What a step of this system does, one thing at a time, each with the present it expects.

use serde::{Deserialize, Serialize};

use super::look::Area;
use super::state::{FileKind, IndexState};
use crate::model::{Bytes, ObjectId, StateRef};

/// The payload of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The state that comes back.
    pub before: StateRef,
    /// In the order in which they are done.
    pub actions: Vec<Action>,
    /// The repository itself is gone: its directory is made anew first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
    /// What stands in the way: with any of these nothing is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
}

/// One change, guarded by what must be there now. An action whose wanted state is there already does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// Adds the objects of a list that the repository does not have. Nothing can be in the way of that.
    Objects {
        /// The list: 20 bytes each.
        list: ObjectId,
        /// How many were missing when the plan was made.
        count: usize,
    },
    /// Puts contents of git-lfs back that are not there. Nothing can be in the way of that either.
    Lfs {
        /// The list: 32 bytes each.
        list: ObjectId,
        /// How many were missing when the plan was made.
        count: usize,
    },
    /// Gives a ref a value, or removes it.
    Ref {
        /// The full name.
        name: Bytes,
        /// The value now; `None`: it does not exist.
        expect: Option<Bytes>,
        /// The value to give; `None`: remove it with its reflog.
        want: Option<Bytes>,
    },
    /// Writes HEAD.
    Head {
        /// The value now.
        expect: Option<Bytes>,
        /// The file's content.
        want: Bytes,
    },
    /// Writes or removes the index.
    Index {
        /// The digest now.
        expect: Option<ObjectId>,
        /// The index to write; `None`: remove it.
        want: Option<IndexState>,
    },
    /// Moves the whole git directory: git has moved that of a submodule out of its work tree.
    Move {
        /// Where the capture found it.
        home: Bytes,
        /// Where it is now; `None`: at home.
        expect: Option<Bytes>,
        /// Where it is to be; `None`: at home.
        want: Option<Bytes>,
    },
    /// Writes or removes another file.
    File {
        /// Its key ([`super::state::RepoState::files`]).
        key: Bytes,
        /// Why it is part of the state.
        kind: FileKind,
        /// The pieces of its content now; `None`: it does not exist.
        expect: Option<Vec<ObjectId>>,
        /// What to write; `None`: remove it.
        want: Option<Target>,
    },
}

/// The content to write: stored pieces, then text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Permission bits.
    pub mode: u32,
    /// Stored pieces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<ObjectId>,
    /// Bytes after them.
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub then: Bytes,
}

impl Action {
    /// The place in the order: refs that go before those that come (a ref `a` may be in the way of `a/b`), HEAD, then
    /// logs, index and other files; the table of contents of a reftable after its tables.
    pub fn rank(&self) -> u8 {
        match self {
            Action::Objects { .. } | Action::Lfs { .. } | Action::Ref { want: None, .. } => 0,
            Action::Ref { .. } => 1,
            Action::Head { .. } => 2,
            Action::File { kind: FileKind::Log | FileKind::StashLog, .. } => 3,
            Action::Index { .. } => 4,
            // The index names it.
            Action::File { key, .. } if key.as_slice().starts_with(b"own/sharedindex.") => 3,
            Action::File { key, .. } if key.as_slice().ends_with(b"/tables.list") => 7,
            Action::File { kind: FileKind::Config, .. } => 6,
            Action::File { .. } => 5,
            // All else is written where it is now.
            Action::Move { .. } => 8,
        }
    }

    /// The part of a repository that it is about: a ref's name, `HEAD`, `index`, `objects`, `lfs`, `git-dir`, or the key of
    /// a file. No two
    /// parts have the same name.
    pub fn part(&self) -> Bytes {
        match self {
            Action::Objects { .. } => Bytes::from("objects"),
            Action::Lfs { .. } => Bytes::from("lfs"),
            Action::Move { .. } => Bytes::from("git-dir"),
            Action::Ref { name, .. } => name.clone(),
            Action::Head { .. } => Bytes::from("HEAD"),
            Action::Index { .. } => Bytes::from("index"),
            Action::File { key, .. } => key.clone(),
        }
    }

    /// The name of the file that it is about, where the repository keeps refs as files.
    pub fn file_name(&self) -> Option<&[u8]> {
        match self {
            Action::Objects { .. } | Action::Lfs { .. } | Action::Move { .. } => None,
            Action::Ref { name, .. } => Some(name.as_slice()),
            Action::Head { .. } => Some(b"HEAD"),
            Action::Index { .. } => Some(b"index"),
            Action::File { key, .. } => Area::split(key.as_slice()).map(|(_, name)| name),
        }
    }

    /// For people.
    pub fn describe(&self) -> String {
        match self {
            Action::Objects { count, .. } => format!("bring back {count} objects"),
            Action::Lfs { count, .. } => format!("bring back {count} LFS objects"),
            Action::Ref { name, want: None, .. } => format!("remove {}", name.lossy()),
            Action::Ref { name, expect: None, want: Some(value) } => {
                format!("bring back {} at {}", name.lossy(), short(value))
            }
            Action::Ref { name, want: Some(value), .. } => {
                format!("move {} back to {}", name.lossy(), short(value))
            }
            Action::Head { want, .. } => format!("point HEAD to {}", short(want)),
            Action::Index { want: Some(index), .. } => {
                format!("restore the index ({} entries)", index.entries)
            }
            Action::Index { want: None, .. } => "remove the index".to_owned(),
            Action::Move { home, want, .. } => {
                format!("move the git directory to {}", want.as_ref().unwrap_or(home).lossy())
            }
            Action::File { kind: FileKind::StashLog, .. } => "restore the stash list".to_owned(),
            Action::File { key, want, .. } => {
                let name = key.lossy();
                let name = name.split_once('/').map_or(name.as_ref(), |(_, n)| n);
                format!("{} {name}", if want.is_some() { "restore" } else { "remove" })
            }
        }
    }
}

/// A value for people: the first digits of an id, or the name that a symbolic one points to.
pub fn short(value: &Bytes) -> String {
    let text = value.lossy();
    let text = text.trim();
    match text.strip_prefix("ref:") {
        Some(target) => target.trim().to_owned(),
        None => text.chars().take(7).collect(),
    }
}
