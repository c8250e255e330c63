//! Whatever bytes a pack holds, reading it ends, never returns content that is not what its address says, and does not
//! keep a writer from storing something new. The first byte of an input says whether checksums are made right first.
#![no_main]

use fr::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};
use fr::platform::home::Home;
use fr::store::Store;
use libfuzzer_sys::fuzz_target;

const ENTRY: usize = 37;
/// The most ids that are looked up: each one that is damaged costs a walk over the whole pack.
const IDS: usize = 4;

fuzz_target!(|data: &[u8]| {
    let Some((mode, bytes)) = data.split_first() else { return };
    let mut bytes = bytes.to_vec();
    let mut ids = Vec::new();
    walk(&mut bytes, mode & 1 == 1, &mut ids);

    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let home = Home::at(dir.path());
    let store = Store::open_or_create(&home).unwrap();
    std::fs::write(home.packs().join("0001-00000001.frp"), &bytes).unwrap();

    fr::store::verify::verify(&store, &|_| {}).unwrap();
    let reader = store.reader();
    ids.push(ObjectId([0x5a; 32]));
    for id in &ids {
        if let Ok(content) = reader.get(id) {
            let right =
                (0..=u8::MAX).filter_map(ObjectKind::from_u8).any(|k| ObjectId::of(k, &content) == *id);
            assert!(right, "content that is not what its address says");
        }
    }
    let batch = store.batch();
    let id = batch.put(ObjectKind::Blob, b"stored beside it").unwrap();
    batch.commit().unwrap();
    assert_eq!(Store::open(&home).unwrap().reader().get(&id).unwrap(), b"stored beside it");
});

/// Collects the ids that blocks name and, where asked, gives header, blocks and trailers the sums they should have.
fn walk(bytes: &mut [u8], make_right: bool, ids: &mut Vec<ObjectId>) {
    let u32_at = |b: &[u8], at: usize| u32::from_le_bytes(b[at..at + 4].try_into().unwrap()) as usize;
    let sum = |b: &[u8]| <[u8; 16]>::try_from(&blake3::hash(b).as_bytes()[..16]).unwrap();
    if bytes.len() < 64 {
        return;
    }
    if make_right {
        let header = sum(&bytes[..48]);
        bytes[48..64].copy_from_slice(&header);
    }
    let mut at = 64;
    while let Some(rest) = bytes.get_mut(at..).filter(|rest| rest.len() >= 80) {
        let (objects, stored) = (u32_at(rest, 8), u32_at(rest, 16));
        let (blocks, entries) = (u32_at(rest, 32), u32_at(rest, 36));
        if rest.starts_with(b"\xF7FRB") && objects < rest.len() && stored < rest.len() {
            let table = 40 + objects * ENTRY;
            if table + 16 + stored > rest.len() {
                return;
            }
            let named = rest[40..table].chunks_exact(ENTRY).take(IDS - ids.len().min(IDS));
            ids.extend(named.map(|e| ObjectId(e[..32].try_into().unwrap())));
            if make_right {
                let content = sum(&rest[table + 16..table + 16 + stored]);
                rest[24..40].copy_from_slice(&content);
                let head = sum(&rest[..table]);
                rest[table..table + 16].copy_from_slice(&head);
            }
            at += table + 16 + stored;
        } else if rest.starts_with(b"\xF7FRT") && blocks < rest.len() && entries < rest.len() {
            let body = 40 + blocks * 24 + entries * ENTRY;
            if body + 40 > rest.len() {
                return;
            }
            if make_right {
                let all = *blake3::hash(&rest[..body]).as_bytes();
                rest[body..body + 32].copy_from_slice(&all);
                let total = u32::try_from(body + 40).unwrap();
                rest[body + 32..body + 36].copy_from_slice(&total.to_le_bytes());
                rest[body + 36..body + 40].copy_from_slice(b"TRF\xF7");
            }
            at += body + 40;
        } else {
            at += 1;
        }
    }
}
