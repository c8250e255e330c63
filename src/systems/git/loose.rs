//! Did anything go? A repository with very many loose objects is not copied before every command that may or may not touch
//! it. Instead the names that are there are noted, as digests: after the command the same names, of files that are not
//! younger, must give the same digests, or objects have gone.

use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::state::put_new;
use super::vault::loose_estimate;
use crate::error::Result;
use crate::model::{ObjectId, ObjectSink, ObjectSource};
use crate::platform::clock;

/// More loose objects are not listed before a command either.
const MOST: usize = 200_000;
/// Bytes of one digest.
const LEN: usize = 16;

/// The names of loose objects and packs at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loose {
    /// When they were read, in nanoseconds since 1970.
    pub at_ns: i64,
    /// One digest for each of the 256 directories of loose objects and one for the packs.
    pub digests: ObjectId,
}

/// Notes the names; `None` where there are too many.
pub fn note(objects: &Path, sink: &dyn ObjectSink) -> Result<Option<Loose>> {
    if loose_estimate(objects) > MOST {
        return Ok(None);
    }
    let digests: Vec<u8> = dirs(objects).flat_map(|dir| digest(&dir, &|_| true)).collect();
    // Read last, and by the finer clock: no stamp of what is there is later (the kernel takes some from either clock). What a
    // command makes within the same tick may look older: then more counts as gone, never less.
    Ok(Some(Loose { at_ns: clock::now_ns(), digests: put_new(sink, &digests)? }))
}

/// The same of what was there already at an earlier moment. Only directories whose names differ are looked at closer.
pub fn note_again(
    objects: &Path,
    earlier: &Loose,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<Loose> {
    let old = source.get(&earlier.digests)?;
    let mut digests = Vec::with_capacity(old.len());
    for (dir, old) in dirs(objects).zip(old.chunks(LEN)) {
        let all = digest(&dir, &|_| true);
        match all == *old {
            true => digests.extend(all),
            false => digests.extend(digest(&dir, &|entry| born(entry).is_some_and(|at| at <= earlier.at_ns))),
        }
    }
    Ok(Loose { at_ns: earlier.at_ns, digests: put_new(sink, &digests)? })
}

fn dirs(objects: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let loose = (0..=255u8).map(|n| objects.join(format!("{n:02x}")));
    loose.chain([objects.join("pack")])
}

fn digest(dir: &Path, counts: &dyn Fn(&DirEntry) -> bool) -> [u8; LEN] {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_object = |entry: &DirEntry| {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        !name.starts_with(b"tmp_") && (!name.starts_with(b"pack-") || name.ends_with(b".pack"))
    };
    let kept = entries.filter(|entry| is_object(entry) && counts(entry));
    let mut names: Vec<Vec<u8>> = kept.map(|entry| entry.file_name().into_encoded_bytes()).collect();
    names.sort_unstable();
    let hash = blake3::hash(&names.join(&0));
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// When a file was made. `git` gives an object that it would write again a new time of change, so that counts only where
/// the file system keeps no other: then more looks as if it had gone, never less.
fn born(entry: &DirEntry) -> Option<i64> {
    let meta = entry.metadata().ok()?;
    let time: SystemTime = meta.created().or_else(|_| meta.modified()).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use super::*;
    use crate::error::Error;
    use crate::model::ObjectKind;

    #[derive(Default)]
    struct Memory(Mutex<HashMap<ObjectId, Vec<u8>>>);

    impl ObjectSink for Memory {
        fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
            let id = ObjectId::of(kind, content);
            self.0.lock().unwrap().insert(id, content.to_vec());
            Ok(id)
        }
        fn has(&self, id: &ObjectId) -> bool {
            self.0.lock().unwrap().contains_key(id)
        }
    }

    impl ObjectSource for Memory {
        fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
            self.0.lock().unwrap().get(id).cloned().ok_or_else(|| Error::failure("none"))
        }
    }

    #[test]
    fn what_is_made_since_does_not_hide_what_went() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["17/aa", "17/bb", "2c/cc", "pack/pack-1.pack", "pack/pack-1.idx"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let store = Memory::default();
        let before = note(dir.path(), &store).unwrap().unwrap();
        let again = || note_again(dir.path(), &before, &store, &store).unwrap();
        assert_eq!(again(), before);
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::create_dir(dir.path().join("9f")).unwrap();
        for new in ["17/dd", "9f/ee", "pack/pack-2.pack", "pack/tmp_pack_x"] {
            fs::write(dir.path().join(new), "new").unwrap();
        }
        assert_eq!(again(), before, "more than before is not less");
        fs::rename(dir.path().join("17/bb"), dir.path().join("bb")).unwrap();
        assert_ne!(again(), before);
        fs::rename(dir.path().join("bb"), dir.path().join("17/bb")).unwrap();
        assert_eq!(again(), before);
        fs::remove_file(dir.path().join("pack/pack-1.pack")).unwrap();
        assert_ne!(again(), before);
    }
}
