//! Packs: putting, committing, getting, and what damage does.

use fr::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};
use fr::platform::home::Home;
use fr::store::Store;
use tempfile::TempDir;

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(&Home::at(dir.path().join("fr"))).unwrap();
    (dir, store)
}

/// Bytes that zstd can do nothing with.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut out = vec![0u8; len];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut out);
    out
}

/// Whether another batch would rely on the store for an object.
fn sees(store: &Store, id: &ObjectId) -> bool {
    let other = Store::open(store.home()).unwrap();
    let batch = other.batch();
    (0..100).filter(|_| batch.has(id)).count() > 0
}

#[test]
fn objects_come_back_after_commit_and_not_before() {
    let (_dir, store) = store();
    let contents: Vec<Vec<u8>> =
        (0..300u64).map(|n| noise(n, (n * n % 9000) as usize)).chain([noise(1, 3 << 20)]).collect();
    let batch = store.batch();
    let ids: Vec<ObjectId> = contents.iter().map(|c| batch.put(ObjectKind::Blob, c).unwrap()).collect();
    for (id, content) in ids.iter().zip(&contents) {
        assert_eq!(&batch.get(id).unwrap(), content);
        assert!(batch.has(id));
    }
    assert!(!sees(&store, &ids[9]), "nobody may rely on what is not committed");
    let receipt = batch.commit().unwrap();
    assert_eq!(receipt.objects, 301);
    assert!(sees(&store, &ids[9]));
    let fresh = Store::open(store.home()).unwrap();
    for (id, content) in ids.iter().zip(&contents) {
        assert_eq!(&store.reader().get(id).unwrap(), content);
        assert_eq!(&fresh.reader().get(id).unwrap(), content);
    }
    let again = store.batch();
    for content in &contents {
        again.put(ObjectKind::Blob, content).unwrap();
    }
    let receipt = again.commit().unwrap();
    assert!(receipt.raw_bytes < 300 << 10, "{receipt:?}");
}

#[test]
fn a_dropped_batch_leaves_nothing() {
    let (_dir, store) = store();
    let batch = store.batch();
    let id = batch.put(ObjectKind::Blob, &noise(9, 5 << 20)).unwrap();
    drop(batch);
    assert!(store.reader().get(&id).is_err());
    assert_eq!(std::fs::read_dir(store.home().packs()).unwrap().count(), 0);
}
