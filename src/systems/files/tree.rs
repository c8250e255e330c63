//! The bytes of our objects: directories, chunk lists, captured states (`docs/systems/files.md`, section "Objects").
//! All are a version byte (states: a magic first) and then postcard. What is read is checked as if a stranger had
//! written it: a name that could lead out of its directory is corruption, not a name.

use serde::{Deserialize, Serialize};

use super::entry::{Content, Entry, Kind};
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectId, ObjectKind};
use crate::platform::fs::is_name;

const TREE_VERSION: u8 = 1;
const CHUNKS_VERSION: u8 = 1;
/// State objects of several systems share one kind, so ours begin with this; the last byte is the version.
const STATE_MAGIC: &[u8; 4] = b"fs:\x01";

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name, one component.
    pub name: Bytes,
    /// What it is.
    pub entry: Entry,
}

/// One captured path: the object behind a `StateRef`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The absolute path, free of symbolic links when it was captured.
    pub path: Bytes,
    /// The existing directories above it, topmost first, without `/` itself.
    pub parents: Vec<Parent>,
    /// What was there; `None` where nothing was.
    pub entry: Option<Entry>,
}

/// A directory above a captured path: enough to make it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification, nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// The object of a directory whose entries are sorted by name.
pub fn encode_tree(entries: &[Named]) -> Result<Vec<u8>> {
    encode(vec![TREE_VERSION], entries, "directory")
}

/// The entries of a directory object.
pub fn decode_tree(bytes: &[u8]) -> Result<Vec<Named>> {
    let entries: Vec<Named> = decode(bytes, &[TREE_VERSION], "directory")?;
    if let Some(bad) = entries.iter().find(|e| !is_name(e.name.as_slice())) {
        return Err(Error::corrupt(format!("a stored directory holds the impossible name {:?}", bad.name)));
    }
    if !entries.is_sorted_by(|a, b| a.name < b.name) {
        return Err(Error::corrupt("a stored directory is not sorted by name"));
    }
    Ok(entries)
}

/// Equality of all that is in a directory, without times.
pub fn digest_of(entries: &[Named]) -> ObjectId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"fr directory");
    for Named { name, entry } in entries {
        hasher.update(&(name.0.len() as u64).to_le_bytes());
        hasher.update(&name.0);
        entry.normal_form(&mut hasher);
    }
    ObjectId(*hasher.finalize().as_bytes())
}

/// The digest of a directory whose names were not asked for.
pub fn digest_unlisted() -> ObjectId {
    ObjectId(*blake3::hash(b"fr directory, not listed").as_bytes())
}

/// The digest of a directory that could not be listed.
pub fn digest_unreadable() -> ObjectId {
    ObjectId(*blake3::hash(b"fr directory, not readable").as_bytes())
}

/// The object of a chunk list: ids and lengths in order.
pub fn encode_chunks(chunks: &[(ObjectId, u32)]) -> Result<Vec<u8>> {
    encode(vec![CHUNKS_VERSION], chunks, "chunk list")
}

/// The chunks of a list object.
pub fn decode_chunks(bytes: &[u8]) -> Result<Vec<(ObjectId, u32)>> {
    decode(bytes, &[CHUNKS_VERSION], "chunk list")
}

/// The object of a captured path.
pub fn encode_state(state: &State) -> Result<Vec<u8>> {
    encode(STATE_MAGIC.to_vec(), state, "file state")
}

/// The captured path of a state object.
pub fn decode_state(bytes: &[u8]) -> Result<State> {
    let state: State = decode(bytes, STATE_MAGIC, "file state")?;
    let relative = state.path.as_slice().strip_prefix(b"/");
    let fine = relative.is_some_and(|r| r.is_empty() || r.split(|b| *b == b'/').all(is_name));
    if fine {
        Ok(state)
    } else {
        Err(Error::corrupt(format!("a stored file state names the impossible path {:?}", state.path)))
    }
}

/// What `StateRef.digest` is for a path.
pub fn digest_state(entry: Option<&Entry>) -> ObjectId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"fr path");
    match entry {
        Some(entry) => entry.normal_form(&mut hasher),
        None => {
            hasher.update(b"absent");
        }
    }
    ObjectId(*hasher.finalize().as_bytes())
}

/// The objects that an object of ours needs, for gc. Empty for blobs and for states of other systems.
pub fn references(kind: ObjectKind, bytes: &[u8]) -> Result<Vec<ObjectId>> {
    let mut found = Vec::new();
    match kind {
        ObjectKind::Tree => {
            for named in decode_tree(bytes)? {
                entry_references(&named.entry, &mut found);
            }
        }
        ObjectKind::Chunks => found.extend(decode_chunks(bytes)?.into_iter().map(|(id, _)| id)),
        ObjectKind::State if bytes.starts_with(STATE_MAGIC) => {
            if let Some(entry) = decode_state(bytes)?.entry {
                entry_references(&entry, &mut found);
            }
        }
        ObjectKind::State | ObjectKind::Blob | ObjectKind::Argv => {}
    }
    Ok(found)
}

fn entry_references(entry: &Entry, found: &mut Vec<ObjectId>) {
    match &entry.kind {
        Kind::Dir { tree: Some(tree), .. } => found.push(*tree),
        Kind::File { content } => content_references(content, found),
        _ => {}
    }
}

fn content_references(content: &Content, found: &mut Vec<ObjectId>) {
    match content {
        Content::Unread => {}
        Content::Whole { id, .. } | Content::GitIndex { id, .. } => found.push(*id),
        Content::Chunked { list, .. } => found.push(*list),
        Content::Sparse { extents, .. } => {
            for extent in extents {
                // One level only: a forged sparse-in-sparse must not recurse.
                if !matches!(extent.content, Content::Sparse { .. }) {
                    content_references(&extent.content, found);
                }
            }
        }
    }
}

fn encode<T: Serialize + ?Sized>(prefix: Vec<u8>, value: &T, what: &str) -> Result<Vec<u8>> {
    postcard::to_extend(value, prefix).map_err(|e| Error::failure(format!("cannot encode a {what}: {e}")))
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], prefix: &[u8], what: &str) -> Result<T> {
    let body = bytes
        .strip_prefix(prefix)
        .ok_or_else(|| Error::corrupt(format!("a stored {what} has an unknown version")))?;
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(Error::corrupt(format!("a stored {what} has bytes after its end"))),
        Err(e) => Err(Error::corrupt(format!("a stored {what} is damaged: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &[u8]) -> Named {
        let id = ObjectId::of(ObjectKind::Blob, b"x");
        let content = Content::Whole { id, len: 1 };
        let entry = Entry { kind: Kind::File { content }, meta: Default::default(), links: None };
        Named { name: name.into(), entry }
    }

    #[test]
    fn trees_round_trip_and_name_what_they_need() {
        let entries = [file(b"a\n"), file(b"b\xff")];
        let bytes = encode_tree(&entries).unwrap();
        assert_eq!(decode_tree(&bytes).unwrap(), entries);
        let id = ObjectId::of(ObjectKind::Blob, b"x");
        assert_eq!(references(ObjectKind::Tree, &bytes).unwrap(), [id, id]);
        assert!(references(ObjectKind::State, b"git:anything").unwrap().is_empty());
    }

    #[test]
    fn forged_names_versions_and_tails_are_refused() {
        for bad in [&b".."[..], b".", b"", b"/etc/passwd", b"a/b", b"a\0b", &[b'n'; 256]] {
            assert!(decode_tree(&encode_tree(&[file(bad)]).unwrap()).is_err(), "{bad:?}");
        }
        assert!(decode_tree(&encode_tree(&[file(b"b"), file(b"a")]).unwrap()).is_err());
        assert!(decode_tree(&encode_tree(&[file(b"a"), file(b"a")]).unwrap()).is_err());
        let mut bytes = encode_tree(&[file(b"a")]).unwrap();
        bytes.push(0);
        assert!(decode_tree(&bytes).is_err());
        bytes.pop();
        bytes[0] = 2;
        assert!(decode_tree(&bytes).is_err());
        for bad in ["/a/../b", "a", "/a//b", "/a/"] {
            let state = State { path: bad.into(), parents: vec![], entry: None };
            assert!(decode_state(&encode_state(&state).unwrap()).is_err(), "{bad}");
        }
    }
}
