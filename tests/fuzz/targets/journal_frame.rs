//! Whatever bytes a segment holds, reading it ends, and what is appended behind it is read back.
//! The first byte of an input says whether hashes and lengths are made right first: without that, nothing behind the
//! first checksum would ever be reached.
#![no_main]

use fr::journal::{Durability, Journal, Position};
use fr::model::{Gap, Record};
use fr::platform::home::Home;
use fr::store::Store;
use libfuzzer_sys::fuzz_target;

const HEADER: usize = 80;
const FOOTER: usize = 40;

fuzz_target!(|data: &[u8]| {
    let Some((mode, bytes)) = data.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if mode & 1 == 1 {
        make_right(&mut bytes);
    }
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let home = Home::at(dir.path());
    let store = Store::open_or_create(&home).unwrap();
    std::fs::write(home.journal().join("00000001.frj"), &bytes).unwrap();

    let journal = Journal::open(&home).unwrap();
    let whole = journal.frames(Position::default()).filter(Result::is_ok).count();
    fr::store::verify::verify(&store, &|_| {}).unwrap();

    let gap = Gap { at_ns: 7, reason: "appended by the fuzzer".to_owned(), count: 1, detail: None };
    match journal.append(&Record::Gap(gap.clone()), None, Durability::Buffered) {
        Ok(_) => {
            let frames: Vec<_> = journal.frames(Position::default()).filter_map(Result::ok).collect();
            assert_eq!(frames.last().map(|f| &f.record), Some(&Record::Gap(gap)));
            assert!(frames.len() > whole, "an append lost frames");
        }
        // A journal that a newer fr wrote is left alone, and so is one whose numbers have run out.
        Err(error) => assert!(!error.what.is_empty()),
    }
});

/// Gives every frame the length, chain and hash that it should have.
fn make_right(bytes: &mut [u8]) {
    let (mut at, mut before) = (0, [0u8; 32]);
    while let Some(frame) = bytes.get_mut(at..).filter(|rest| rest.len() >= HEADER + FOOTER) {
        let stored = u32::from_le_bytes(frame[8..12].try_into().unwrap()) as usize;
        if stored > frame.len() - HEADER - FOOTER {
            return;
        }
        let body = HEADER + stored;
        frame[..4].copy_from_slice(b"\xF7FRJ");
        frame[48..80].copy_from_slice(&before);
        before = *blake3::hash(&frame[..body]).as_bytes();
        frame[body..body + 32].copy_from_slice(&before);
        let total = u32::try_from(body + FOOTER).unwrap();
        frame[body + 32..body + 36].copy_from_slice(&total.to_le_bytes());
        frame[body + 36..body + 40].copy_from_slice(b"JRF\xF7");
        at += body + FOOTER;
    }
}
