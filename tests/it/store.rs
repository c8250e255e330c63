//! Packs: putting, committing, getting, and what damage does.

use std::time::Duration;

use fr::journal::{Durability, Journal, Position};
use fr::model::{
    Capture, EventId, Locator, ObjectId, ObjectKind, ObjectSink, ObjectSource, Record, StateRef, SystemId,
};
use fr::platform::home::Home;
use fr::store::gc::{self, GcOptions};
use fr::store::verify::{Report, Severity, verify};
use fr::store::{Store, pin, stats};
use tempfile::TempDir;

use crate::samples::{before, record};

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

fn put_all(store: &Store, contents: &[Vec<u8>]) -> Vec<ObjectId> {
    let batch = store.batch();
    let ids = contents.iter().map(|c| batch.put(ObjectKind::Blob, c).unwrap()).collect();
    batch.commit().unwrap();
    ids
}

fn only_pack(store: &Store) -> std::path::PathBuf {
    let packs = std::fs::read_dir(store.home().packs()).unwrap().map(|e| e.unwrap().path());
    let mut packs: Vec<_> = packs.filter(|p| p.extension().is_some_and(|e| e == "frp")).collect();
    assert_eq!(packs.len(), 1);
    packs.pop().unwrap()
}

fn checked(store: &Store) -> Report {
    verify(store, &|_| ()).unwrap()
}

/// The same when nobody holds a pack's lock. A child that another test is starting has it until it becomes its program, and
/// the end of a pack that somebody writes is not looked at.
fn settled(store: &Store) -> Report {
    let looks = std::iter::repeat_with(|| checked(store)).take(100);
    let mut looks = looks.inspect(|report| {
        if report.worst() == Some(Severity::Note) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    looks.find(|report| report.worst() != Some(Severity::Note)).unwrap_or_else(|| checked(store))
}

#[test]
fn every_flipped_bit_of_a_pack_is_found_and_never_read_as_something_else() {
    let (_dir, store) = store();
    let one = put_all(&store, &[b"hello hello hello hello hello".to_vec(), noise(1, 90)]);
    let two = put_all(&store, &[b"world".repeat(20)]);
    let ids: Vec<_> = one.into_iter().chain(two).collect();
    let path = only_pack(&store);
    let whole = std::fs::read(&path).unwrap();
    assert!(checked(&store).findings.is_empty());
    let (mut readable, mut total) = (0, 0);
    for bit in 0..whole.len() * 8 {
        let mut bad = whole.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bad).unwrap();
        let report = checked(&store);
        let found: Vec<_> = report.findings.iter().filter(|f| f.severity == Severity::Damaged).collect();
        assert!(!found.is_empty(), "bit {bit}: {:?}", report.findings);
        assert!(found.iter().any(|f| f.file == path && f.offset <= bit as u64 / 8), "bit {bit}: {found:?}");
        let fresh = Store::open(store.home()).unwrap();
        for id in &ids {
            total += 1;
            if let Ok(content) = fresh.reader().get(id) {
                assert_eq!(ObjectId::of(ObjectKind::Blob, &content), *id, "bit {bit}");
                readable += 1;
            }
        }
        // What cannot be read is named.
        let lost: std::collections::BTreeSet<_> = found.iter().flat_map(|f| &f.objects).collect();
        for id in &ids {
            assert!(
                fresh.reader().get(id).is_ok() || lost.contains(id),
                "bit {bit}: {id} is lost and not named"
            );
        }
    }
    assert!(readable * 10 > total * 7, "{readable} of {total}: damage loses more than what it hits");
}

#[test]
fn a_torn_batch_of_any_length_is_not_there_and_nobody_writes_behind_it() {
    let (_dir, store) = store();
    let kept = put_all(&store, &[noise(1, 50)])[0];
    let path = only_pack(&store);
    let before = std::fs::read(&path).unwrap().len();
    let torn = put_all(&store, &[noise(2, 60), noise(3, 70)]);
    let whole = std::fs::read(&path).unwrap();
    for cut in before + 1..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        for id in &torn {
            assert!(!sees(&store, id), "cut at {cut}");
        }
        assert!(sees(&store, &kept));
        let fresh = Store::open(store.home()).unwrap();
        assert_eq!(fresh.reader().get(&kept).unwrap(), noise(1, 50));
        for (id, content) in torn.iter().zip([noise(2, 60), noise(3, 70)]) {
            if let Ok(got) = fresh.reader().get(id) {
                assert_eq!(got, content);
            }
        }
        assert_eq!(settled(&fresh).worst(), Some(Severity::Torn), "cut at {cut}");
        let again = fresh.batch();
        let id = again.put(ObjectKind::Blob, &noise(4, 80)).unwrap();
        again.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), &whole[..cut], "the torn pack is left alone");
        assert_eq!(fresh.reader().get(&id).unwrap(), noise(4, 80));
        for entry in std::fs::read_dir(store.home().packs()).unwrap() {
            let other = entry.unwrap().path();
            if other != path {
                std::fs::remove_file(other).unwrap();
            }
        }
    }
}

#[test]
fn large_and_small_objects_fill_packs_and_packs_are_taken_again() {
    let (_dir, store) = store();
    let big: Vec<Vec<u8>> = (0..20).map(|n| noise(n, 8 << 20)).collect();
    let ids = put_all(&store, &big);
    for (id, content) in ids.iter().zip(&big) {
        assert_eq!(&store.reader().get(id).unwrap(), content);
    }
    let packs = || std::fs::read_dir(store.home().packs()).unwrap().count();
    let full = packs();
    assert!(full >= 3, "{full}");
    for n in 0..20u64 {
        put_all(&store, &[noise(1000 + n, 500)]);
    }
    // Twenty batches in the packs that have room. Another test of this process that is just starting a program may hold
    // a copy of a pack's lock for a moment (until its child has executed): then a writer rightly takes another pack.
    assert!(
        packs() <= full + 2,
        "small batches go into the pack that has room: {full} packs became {}",
        packs()
    );
    assert!(checked(&store).findings.is_empty());
    let batch = store.batch();
    for content in &big {
        batch.put(ObjectKind::Blob, content).unwrap();
    }
    // The first is put blindly only where it fits below the threshold; these do not.
    assert_eq!(batch.commit().unwrap().objects, 0);
}

#[test]
fn threads_put_into_one_batch_and_batches_commit_at_once() {
    let (_dir, store) = store();
    let batch = store.batch();
    std::thread::scope(|scope| {
        for t in 0..4u64 {
            let batch = &batch;
            scope.spawn(move || {
                for n in 0..400u64 {
                    let content = noise(n * 2 + t % 2, 1000 + (n * 37 % 5000) as usize);
                    let id = batch.put(ObjectKind::Blob, &content).unwrap();
                    if n % 50 == 0 {
                        assert_eq!(batch.get(&id).unwrap(), content);
                    }
                }
            });
        }
    });
    assert_eq!(batch.commit().unwrap().objects, 800, "each object once");
    std::thread::scope(|scope| {
        for t in 0..8u64 {
            let store = Store::open(store.home()).unwrap();
            scope.spawn(move || {
                for n in 0..20u64 {
                    let ids = put_all(&store, &[noise(t << 32 | n, 700), noise(n, 900)]);
                    assert_eq!(store.reader().get(&ids[0]).unwrap(), noise(t << 32 | n, 700));
                }
            });
        }
    });
    assert!(checked(&store).findings.is_empty(), "{:?}", checked(&store).findings);
}

/// An event whose capture is one object.
fn event(store: &Store, n: u64, root: ObjectId) -> EventId {
    let mut before = before(n, "s", "rm -rf x");
    before.captures = vec![Capture {
        system: SystemId::new("fs"),
        resource: "path:x".into(),
        locator: Locator::default(),
        state: StateRef { digest: root, object: Some(root) },
        missing: Vec::new(),
        items: 1,
        bytes: 10,
    }];
    let journal = Journal::open(store.home()).unwrap();
    journal.append(&record(before), None, Durability::Durable).unwrap().event
}

/// Trees of these tests are ids in a row.
fn references(kind: ObjectKind, content: &[u8]) -> Option<Vec<ObjectId>> {
    assert_ne!(kind, ObjectKind::Blob);
    Some(content.chunks(32).map(|c| ObjectId(c.try_into().unwrap())).collect())
}

fn tree(store: &Store, leaves: &[Vec<u8>]) -> ObjectId {
    let batch = store.batch();
    let mut ids = Vec::new();
    for leaf in leaves {
        ids.extend_from_slice(&batch.put(ObjectKind::Blob, leaf).unwrap().0);
    }
    let tree = batch.put(ObjectKind::Tree, &ids).unwrap();
    batch.commit().unwrap();
    tree
}

const NOW: GcOptions = GcOptions { keep_within: Duration::ZERO, grace: Duration::ZERO };

#[test]
fn gc_removes_what_has_expired_and_keeps_what_is_pinned_or_young() {
    let (_dir, store) = store();
    let leaves: Vec<_> = (0..50).map(|n| noise(n, 3000)).collect();
    let old = tree(&store, &leaves[..40]);
    let pinned = tree(&store, &leaves[30..]);
    event(&store, 1, old);
    let second = event(&store, 2, pinned);
    pin::pin(store.home(), second).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    // The journal's last frame is what "now" is measured against.
    let last = event(&store, 3, pinned);

    let young = GcOptions { keep_within: Duration::from_secs(3600), grace: Duration::ZERO };
    let kept = gc::run(&store, &young, &references).unwrap();
    assert_eq!((kept.condemned, kept.removed), (0, 0), "{kept:?}");

    let planned = gc::plan(&store, &NOW, &references).unwrap();
    assert_eq!(planned.packs[0].action, gc::Action::Condemn, "{planned:?}");
    assert_eq!(gc::run(&store, &NOW, &references).unwrap().condemned, 1);
    assert!(!sees(&store, &old), "nobody relies on a condemned pack");
    assert!(store.reader().get(&old).is_ok(), "but it can be read");
    let swept = gc::run(&store, &NOW, &references).unwrap();
    assert_eq!((swept.removed, swept.left.len()), (1, 0), "{swept:?}");
    assert_eq!(swept.copied_objects, 21);

    assert!(Store::open(store.home()).unwrap().reader().get(&old).is_err());
    let content = store.reader().get(&pinned).unwrap();
    for id in references(ObjectKind::Tree, &content).unwrap() {
        store.reader().get(&id).unwrap();
    }
    let report = checked(&store);
    assert!(report.is_sound(), "what expired is not damage: {:?}", report.findings);
    assert_eq!(pin::pinned(store.home()).unwrap(), [second]);
    assert!(pin::unpin(store.home(), second).unwrap());
    let _ = last;
}

#[test]
fn gc_never_touches_what_is_within_its_grace_time() {
    let (_dir, store) = store();
    tree(&store, &[noise(1, 5000)]);
    let options = GcOptions { keep_within: Duration::ZERO, grace: Duration::from_secs(60) };
    event(&store, 1, put_all(&store, &[noise(2, 10)])[0]);
    let report = gc::run(&store, &options, &references).unwrap();
    assert_eq!((report.condemned, report.removed), (0, 0));
    assert!(report.plan.packs.iter().all(|p| p.action == gc::Action::Keep));
}

#[test]
fn a_writer_that_relied_on_a_pack_that_gc_then_condemned_stores_its_own_copy() {
    let (_dir, store) = store();
    let content = noise(7, 200_000);
    let shared = put_all(&store, std::slice::from_ref(&content))[0];
    event(&store, 1, put_all(&store, &[noise(8, 10)])[0]);
    let writer = Store::open(store.home()).unwrap();
    let batch = writer.batch();
    batch.put(ObjectKind::Blob, &noise(9, 300_000)).unwrap();
    assert_eq!(batch.put(ObjectKind::Blob, &content).unwrap(), shared);
    assert!(batch.has(&shared));
    std::thread::sleep(Duration::from_millis(20));
    let report = gc::run(&store, &NOW, &references).unwrap();
    assert!(report.condemned >= 1, "{report:?}");
    let receipt = batch.commit().unwrap();
    assert_eq!(receipt.objects, 2, "the shared object is written again");
    event(&writer, 2, shared);
    let old_pins = GcOptions { keep_within: Duration::from_secs(3600), grace: Duration::ZERO };
    gc::run(&store, &old_pins, &references).unwrap();
    gc::run(&store, &old_pins, &references).unwrap();
    assert_eq!(store.reader().get(&shared).unwrap(), content);
    assert!(checked(&store).is_sound(), "{:?}", checked(&store).findings);
}

#[test]
fn gc_beside_writers_loses_nothing_that_an_event_names() {
    let (_dir, store) = store();
    let done = std::sync::atomic::AtomicBool::new(false);
    let options = GcOptions { keep_within: Duration::from_secs(3600), grace: Duration::from_millis(300) };
    // Packs full of what the writers will put again and no event names yet: gc goes for them while writers rely on them.
    let seeds: Vec<_> = (9..12u64)
        .chain(0..9)
        .map(|n| {
            let batch = store.batch();
            batch.put(ObjectKind::Blob, &noise(n, 300_000)).unwrap();
            batch
        })
        .collect();
    for batch in seeds {
        batch.commit().unwrap();
    }
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3u64)
            .map(|t| {
                let store = Store::open(store.home()).unwrap();
                scope.spawn(move || {
                    for n in 0..40u64 {
                        // Shared leaves between batches, large enough that the store is asked; some are orphans.
                        let leaves: Vec<_> = (0..6).map(|k| noise((n / 4 + k) % 9, 300_000)).collect();
                        let root = tree(&store, &leaves);
                        std::thread::sleep(Duration::from_millis(60));
                        if n % 3 != 0 {
                            event(&store, t * 1000 + n, root);
                        }
                    }
                })
            })
            .collect();
        let collector = Store::open(store.home()).unwrap();
        let done = &done;
        let gc = scope.spawn(move || {
            let mut removed = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                removed += gc::run(&collector, &options, &references).unwrap().removed;
                std::thread::sleep(Duration::from_millis(30));
            }
            removed
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        let removed = gc.join().unwrap();
        eprintln!("gc removed {removed} packs beside three writers");
        assert!(removed > 0, "gc had nothing to do: this test shows nothing");
    });
    let report = checked(&store);
    assert!(report.is_sound(), "{:?}", report.findings);
    for frame in Journal::open(store.home()).unwrap().frames(Position::START) {
        let Record::Before(before) = frame.unwrap().record else { continue };
        let root = before.captures[0].state.object.unwrap();
        for id in references(ObjectKind::Tree, &store.reader().get(&root).unwrap()).unwrap() {
            store.reader().get(&id).unwrap();
        }
    }
}

#[test]
fn stats_count_what_is_there() {
    let (_dir, store) = store();
    let root = tree(&store, &[b"x".repeat(10_000), noise(1, 100)]);
    event(&store, 1, root);
    let stats = stats::stats(&store).unwrap();
    assert_eq!((stats.packs, stats.objects, stats.raw_bytes), (1, 3, 10_164));
    assert_eq!((stats.events, stats.captured_events, stats.captured_bytes), (1, 1, 10));
    assert!(stats.stored_bytes < 1000 && stats.journal_bytes > 300, "{stats:?}");
}

/// A tmpfs of this size, mounted in a namespace of its own by a child; not a test of its own.
#[test]
fn helper_fills_the_disk() {
    let Some(root) = std::env::var_os("FR_TEST_FULL") else { return };
    let home = Home::at(std::path::Path::new(&root).join("fr"));
    let store = Store::open_or_create(&home).unwrap();
    let mut acknowledged = Vec::new();
    let mut failures = 0;
    for n in 0..400u64 {
        let batch = store.batch();
        let put = batch.put(ObjectKind::Blob, &noise(n, 3000 + n as usize * 13));
        let stored = put.and_then(|id| batch.commit().map(|_| id));
        let recorded = stored.and_then(|id| {
            let one = record(before(n, "s", &"x".repeat(500)));
            Journal::open(&home)?.append(&one, None, Durability::Durable).map(|a| (id, a.event))
        });
        match recorded {
            Ok(both) => acknowledged.push((n, both)),
            Err(e) => {
                failures += 1;
                assert!(e.to_string().contains("No space"), "{e}");
            }
        }
    }
    assert!(failures > 0 && acknowledged.len() > 20, "{failures} failures, {} stored", acknowledged.len());
    let store = Store::open(&home).unwrap();
    for (n, (id, _)) in &acknowledged {
        assert_eq!(store.reader().get(id).unwrap(), noise(*n, 3000 + *n as usize * 13));
    }
    let events: Vec<_> =
        Journal::open(&home).unwrap().frames(Position::START).map(|f| f.unwrap().event).collect();
    for (_, (_, event)) in &acknowledged {
        assert!(events.contains(event));
    }
    let report = checked(&store);
    assert!(report.is_sound(), "{:?}", report.findings);
    println!("full-disk: {} stored, {failures} refused", acknowledged.len());
}

#[test]
fn a_full_disk_harms_nothing_that_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let me = std::env::current_exe().unwrap();
    let script = "mount -t tmpfs -o size=1m none \"$1\" && FR_TEST_FULL=\"$1\" \
                  exec \"$2\" store::helper_fills_the_disk --exact --nocapture";
    let mut run = std::process::Command::new("unshare");
    run.args(["-Urm", "sh", "-c", script, "sh"]).arg(dir.path()).arg(me);
    let Ok(out) = run.output() else {
        eprintln!("SKIPPED a_full_disk_harms_nothing_that_is_stored: no unshare(1) here");
        return;
    };
    let text = String::from_utf8_lossy(&out.stdout);
    let talk = String::from_utf8_lossy(&out.stderr);
    if !out.status.success() && (talk.contains("unshare") || talk.contains("mount:")) {
        eprintln!("SKIPPED a_full_disk_harms_nothing_that_is_stored: {talk}");
        return;
    }
    assert!(out.status.success() && text.contains("full-disk: "), "{text}{talk}");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]
    #[test]
    fn any_objects_come_back(
        batches in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60_000), 0..12),
            1..4,
        ),
    ) {
        let (_dir, store) = store();
        let mut all = Vec::new();
        for contents in batches {
            let ids = put_all(&store, &contents);
            all.extend(ids.into_iter().zip(contents));
        }
        let fresh = Store::open(store.home()).unwrap();
        for (id, content) in &all {
            proptest::prop_assert_eq!(&fresh.reader().get(id).unwrap(), content);
        }
        proptest::prop_assert!(checked(&fresh).findings.is_empty());
    }
}

/// One batch into an existing store, under strace; not a test of its own.
#[test]
fn helper_commits_once() {
    let Some(root) = std::env::var_os("FR_TEST_SYNC") else { return };
    let store = Store::open(&Home::at(root)).unwrap();
    let batch = store.batch();
    batch.put(ObjectKind::Blob, &noise(5, 400_000)).unwrap();
    let id = batch.put(ObjectKind::Blob, &noise(6, 4000)).unwrap();
    match batch.commit() {
        Ok(receipt) => println!("committed {} {id}", receipt.pack),
        Err(e) => println!("refused: {e}"),
    }
}

#[test]
fn a_failed_sync_is_not_trusted_but_done_once_more_in_a_new_pack() {
    for (when, committed) in [("1", true), ("1+", false)] {
        let (_dir, store) = store();
        let before = put_all(&store, &[noise(1, 100)])[0];
        let old = only_pack(&store);
        let length = std::fs::metadata(&old).unwrap().len();
        let inject = format!("inject=fdatasync:error=EIO:when={when}");
        let run = std::process::Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &inject])
            .arg(std::env::current_exe().unwrap())
            .args(["store::helper_commits_once", "--exact", "--nocapture"])
            .env("FR_TEST_SYNC", store.home().path())
            .output();
        let text = match &run {
            Ok(out) if out.status.success() => String::from_utf8_lossy(&out.stdout).into_owned(),
            other => {
                eprintln!("SKIPPED a_failed_sync_is_not_trusted…: strace does not work here: {other:?}");
                return;
            }
        };
        assert_eq!(std::fs::metadata(&old).unwrap().len(), length, "the pack whose sync failed is as before");
        let id = ObjectId::of(ObjectKind::Blob, &noise(6, 4000));
        assert_eq!(text.contains("committed 0002-"), committed, "{text}");
        assert_eq!(text.contains("refused"), !committed, "{text}");
        assert_eq!(store.reader().get(&id).is_ok(), committed);
        assert_eq!(store.reader().get(&before).unwrap(), noise(1, 100));
        assert!(checked(&store).findings.is_empty());
    }
}
