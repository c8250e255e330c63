//! The journal and its index.

use fr::error::ExitCode;
use fr::journal::index::{Filter, Index};
use fr::journal::{Durability, Journal, Position};
use fr::model::{ActorKind, EffectClass, EventId, EventKind, Record, Reversal};
use fr::platform::home::Home;
use fr::store::Store;
use fr::store::verify::{Severity, verify};
use tempfile::TempDir;

use crate::samples::{actor, after, before, effect, record};

fn home() -> (TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("fr"));
    Store::open_or_create(&home).unwrap();
    (dir, home)
}

#[test]
fn what_is_appended_is_read_back_in_order() {
    let (_dir, home) = home();
    let journal = Journal::open(&home).unwrap();
    let mut written = Vec::new();
    for n in 1..=20u64 {
        let line = "x".repeat(n as usize * 3000);
        let first = record(before(n, "s", &line));
        let got = journal.append(&first, None, Durability::Buffered).unwrap();
        assert_eq!(got.event, EventId(n));
        let second = Record::After(Box::new(after(n, "s", 0)));
        journal.append(&second, Some(got.event), Durability::Durable).unwrap();
        written.extend([first, second]);
    }
    let frames: Vec<_> = journal.frames(Position::START).map(Result::unwrap).collect();
    assert_eq!(frames.iter().map(|f| f.seq).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    assert_eq!(frames.into_iter().map(|f| f.record).collect::<Vec<_>>(), written);
}

#[test]
fn the_index_joins_filters_and_sums_up() {
    let (_dir, home) = home();
    let journal = Journal::open(&home).unwrap();
    let append = |r: &Record, e| journal.append(r, e, Durability::Buffered).unwrap();
    for n in 1..=50u64 {
        let mut b = before(n, if n % 2 == 0 { "even" } else { "odd" }, &format!("echo {n}"));
        if n % 10 == 0 {
            b.effects = vec![effect(EffectClass::Destroy, &format!("/srv/f{n}"))];
        }
        if n == 7 {
            b.actor = actor(ActorKind::Human, "eve");
        }
        append(&record(b), None);
        let a = after(n, if n % 2 == 0 { "even" } else { "odd" }, i32::from(n == 13));
        append(&Record::After(Box::new(a)), None);
    }
    let mut undo = before(51, "me", "fr undo 20");
    undo.kind = EventKind::Undo(Reversal::of([EventId(20)]));
    let id = append(&record(undo), None).event;
    append(&Record::After(Box::new(after(51, "me", 0))), Some(id));

    let index = Index::open(&home).unwrap();
    let ids = |f: &Filter| index.timeline(f).unwrap().iter().map(|e| e.id.0).collect::<Vec<_>>();
    assert_eq!(ids(&Filter { limit: 3, ..Filter::default() }), [51, 50, 49]);
    assert_eq!(ids(&Filter { changes: true, ..Filter::default() }), [50, 40, 30, 20, 10]);
    assert_eq!(ids(&Filter { effect: Some(EffectClass::Destroy), limit: 1, ..Filter::default() }), [50]);
    assert_eq!(ids(&Filter { failed: true, ..Filter::default() }), [13]);
    assert_eq!(ids(&Filter { actor: Some("human".into()), ..Filter::default() }), [7]);
    assert_eq!(ids(&Filter { grep: Some(b"echo 33".to_vec()), ..Filter::default() }), [33]);
    assert_eq!(ids(&Filter { path: Some(b"/srv/f3".to_vec()), ..Filter::default() }), [30]);
    assert_eq!(ids(&Filter { system: Some("fs".into()), limit: 2, ..Filter::default() }), [50, 40]);
    assert_eq!(ids(&Filter { session: Some("od".into()), limit: 2, ..Filter::default() }), [49, 47]);
    let event = index.event(EventId(20)).unwrap().unwrap();
    assert_eq!(event.undone_by, Some(EventId(51)));
    assert_eq!(event.after.unwrap().call.as_deref(), Some("call-20"));
    assert_eq!(index.find("20").unwrap().id, EventId(20));
    let uid = event.before.uid.to_string();
    assert_eq!(index.find(&uid[..28]).unwrap().id, EventId(20));
    let sessions = index.sessions().unwrap();
    let odd = sessions.iter().find(|s| s.session == "odd").unwrap();
    assert_eq!((odd.events, odd.failed, odd.destructive), (25, 1, 0));
}

fn first_segment(home: &Home) -> std::path::PathBuf {
    home.journal().join("00000001.frj")
}

fn filled(home: &Home, n: u64) -> Journal {
    let journal = Journal::open(home).unwrap();
    for n in 1..=n {
        journal.append(&record(before(n, "s", "rm -rf x")), None, Durability::Buffered).unwrap();
    }
    journal
}

fn lines(journal: &Journal) -> Vec<u64> {
    let frames = journal.frames(Position::START).filter_map(Result::ok);
    frames.filter(|f| matches!(f.record, Record::Before(_))).map(|f| f.event.0).collect()
}

#[test]
fn a_torn_tail_of_any_length_is_kept_aside_and_nothing_before_it_is_lost() {
    let (_dir, home) = home();
    filled(&home, 3);
    let path = first_segment(&home);
    let whole = std::fs::read(&path).unwrap();
    let last = whole.len() - whole.len() / 3;
    for cut in last + 1..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let torn = home.journal().join("torn");
        let _ = std::fs::remove_dir_all(&torn);
        let journal = Journal::open(&home).unwrap();
        let seen: Vec<_> = journal.frames(Position::START).collect();
        assert_eq!(seen.len(), 2, "cut at {cut}: the torn end is the end");
        assert!(seen.iter().all(Result::is_ok));
        let report = verify(&Store::open(&home).unwrap(), &|_| ()).unwrap();
        assert_eq!(report.worst(), Some(Severity::Torn), "cut at {cut}");
        let got = journal.append(&record(before(9, "s", "ls")), None, Durability::Buffered).unwrap();
        assert!(got.event.0 >= 3, "{got:?}");
        let records: Vec<_> = journal.frames(Position::START).map(|f| f.unwrap().record).collect();
        assert_eq!(records.len(), 4);
        assert!(matches!(&records[2], Record::Gap(g) if g.reason.contains("torn")), "{:?}", records[2]);
        let kept = std::fs::read_dir(&torn).unwrap().next().unwrap().unwrap();
        assert_eq!(std::fs::read(kept.path()).unwrap(), &whole[last..cut]);
        let report = verify(&Store::open(&home).unwrap(), &|_| ()).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
    }
}

#[test]
fn every_flipped_bit_of_the_journal_is_found_and_never_read_as_something_else() {
    let (_dir, home) = home();
    let journal = filled(&home, 3);
    let path = first_segment(&home);
    let whole = std::fs::read(&path).unwrap();
    let records: Vec<_> = journal.frames(Position::START).map(|f| f.unwrap().record).collect();
    let store = Store::open(&home).unwrap();
    assert!(verify(&store, &|_| ()).unwrap().findings.is_empty());
    for bit in 0..whole.len() * 8 {
        let mut bad = whole.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bad).unwrap();
        let report = verify(&store, &|_| ()).unwrap();
        let found: Vec<_> = report.findings.iter().filter(|f| f.severity == Severity::Damaged).collect();
        assert!(!found.is_empty(), "bit {bit}: {:?}", report.findings);
        assert!(found.iter().any(|f| f.file == path && f.offset <= bit as u64 / 8), "bit {bit}: {found:?}");
        for frame in journal.frames(Position::START).flatten() {
            assert!(records.contains(&frame.record), "bit {bit}");
        }
    }
}

#[test]
fn frames_that_are_removed_swapped_or_zeroed_are_found() {
    let (_dir, home) = home();
    filled(&home, 5);
    let path = first_segment(&home);
    let whole = std::fs::read(&path).unwrap();
    let store = Store::open(&home).unwrap();
    let len = whole.len() / 5;
    assert_eq!(len * 5, whole.len(), "frames of one length");
    let frame = |n: usize| &whole[n * len..(n + 1) * len];
    let zeros = vec![0u8; len];
    let cases: [(&str, Vec<&[u8]>); 5] = [
        ("removed", vec![frame(0), frame(1), frame(3), frame(4)]),
        ("first removed", vec![frame(1), frame(2), frame(3), frame(4)]),
        ("swapped", vec![frame(0), frame(2), frame(1), frame(3), frame(4)]),
        ("zeroed", vec![frame(0), &zeros, frame(2), frame(3), frame(4)]),
        ("doubled", vec![frame(0), frame(1), frame(1), frame(2), frame(3), frame(4)]),
    ];
    for (name, frames) in cases {
        std::fs::write(&path, frames.concat()).unwrap();
        let report = verify(&store, &|_| ()).unwrap();
        assert_eq!(report.worst(), Some(Severity::Damaged), "{name}");
    }
}

#[test]
fn damage_in_the_middle_loses_only_what_it_hits() {
    let (_dir, home) = home();
    let journal = filled(&home, 5);
    let path = first_segment(&home);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(lines(&journal), [1, 2, 4, 5]);
    assert_eq!(journal.frames(Position::START).filter(Result::is_err).count(), 1);
    let got = journal.append(&record(before(6, "s", "ls")), None, Durability::Buffered).unwrap();
    assert_eq!(got.event, EventId(6));
    let index = Index::open(&home).unwrap();
    let ids: Vec<_> = index.timeline(&Filter::default()).unwrap().iter().map(|e| e.id.0).collect();
    assert_eq!(ids, [6, 5, 4, 2, 1]);
}

#[test]
fn segments_follow_each_other_without_a_break() {
    let (_dir, home) = home();
    let journal = Journal::open(&home).unwrap().with_segment_bytes(2000);
    for n in 1..=40 {
        journal.append(&record(before(n, "s", "ls -la")), None, Durability::Buffered).unwrap();
    }
    assert!(std::fs::read_dir(home.journal()).unwrap().count() >= 5);
    assert_eq!(lines(&journal), (1..=40).collect::<Vec<_>>());
    let report = verify(&Store::open(&home).unwrap(), &|_| ()).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let index = Index::open(&home).unwrap();
    assert_eq!(index.timeline(&Filter { limit: 100, ..Filter::default() }).unwrap().len(), 40);
    std::fs::remove_file(home.journal().join("00000003.frj")).unwrap();
    let report = verify(&Store::open(&home).unwrap(), &|_| ()).unwrap();
    assert_eq!(report.worst(), Some(Severity::Damaged));
}

/// Not a test of its own: what `fifty_processes_at_once` runs as its children.
#[test]
fn helper_appends() {
    let Some(root) = std::env::var_os("FR_TEST_APPEND") else { return };
    let journal = Journal::open(&Home::at(root)).unwrap();
    let me = std::process::id();
    let mut worst = std::time::Duration::ZERO;
    for n in 0..200u64 {
        let line = if n % 20 == 0 { "x".repeat(100_000) } else { "y".repeat(300) };
        let one = record(before(u64::from(me) * 1000 + n, &format!("p{me}"), &line));
        let start = std::time::Instant::now();
        journal.append(&one, None, Durability::Durable).unwrap();
        worst = worst.max(start.elapsed());
    }
    println!("worst-ms={}", worst.as_millis());
}

#[test]
fn fifty_processes_at_once_lose_nothing_and_wait_little() {
    let (_dir, home) = home();
    let me = std::env::current_exe().unwrap();
    let children: Vec<_> = (0..50)
        .map(|_| {
            std::process::Command::new(&me)
                .args(["journal::helper_appends", "--exact", "--nocapture"])
                .env("FR_TEST_APPEND", home.path())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut worst = 0u64;
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success());
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let ms = text.split("worst-ms=").nth(1).unwrap().split_whitespace().next().unwrap();
        worst = worst.max(ms.parse().unwrap());
    }
    eprintln!("50 processes x 200 durable appends: the slowest took {worst} ms");
    let journal = Journal::open(&home).unwrap();
    assert_eq!(lines(&journal), (1..=10_000).collect::<Vec<_>>());
    let report = verify(&Store::open(&home).unwrap(), &|_| ()).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(worst < 2000, "an append took {worst} ms");
}

#[test]
fn a_rebuilt_index_equals_the_one_that_grew() {
    let (_dir, home) = home();
    let journal = Journal::open(&home).unwrap();
    for n in 1..=30u64 {
        let mut b = before(n, if n % 3 == 0 { "a" } else { "b" }, "rm x");
        b.effects = vec![effect(EffectClass::Destroy, &format!("/x/{}", n % 7))];
        journal.append(&record(b), None, Durability::Buffered).unwrap();
        if n % 4 != 0 {
            let a = Record::After(Box::new(after(n, if n % 3 == 0 { "a" } else { "b" }, 0)));
            journal.append(&a, None, Durability::Buffered).unwrap();
        }
        if n % 5 == 0 {
            Index::open(&home).unwrap();
        }
    }
    let all = Filter { limit: 1000, ..Filter::default() };
    let (grown, sessions) = {
        let index = Index::open(&home).unwrap();
        (index.timeline(&all).unwrap(), index.sessions().unwrap())
    };
    let store = Store::open(&home).unwrap();
    assert!(verify(&store, &|_| ()).unwrap().findings.is_empty(), "verify compares every table");
    let index = Index::rebuild(&home).unwrap();
    assert_eq!(index.timeline(&all).unwrap(), grown);
    assert_eq!(index.sessions().unwrap(), sessions);
    drop(index);

    // A changed row is found, and repaired by a rebuild; a file of rubbish is replaced when it is opened.
    let db = rusqlite::Connection::open(home.index()).unwrap();
    db.execute("UPDATE event SET line = 'echo harmless' WHERE id = 7", []).unwrap();
    drop(db);
    let report = verify(&store, &|_| ()).unwrap();
    assert_eq!(report.worst(), Some(Severity::Repairable), "{:?}", report.findings);
    drop(Index::rebuild(&home).unwrap());
    assert!(verify(&store, &|_| ()).unwrap().findings.is_empty());
    std::fs::write(home.index(), vec![7u8; 20_000]).unwrap();
    assert_eq!(Index::open(&home).unwrap().timeline(&all).unwrap(), grown);
}

#[test]
fn an_index_of_another_journal_is_not_believed() {
    let (_dir, home) = home();
    filled(&home, 5);
    drop(Index::open(&home).unwrap());
    // The journal is replaced, as by a restored backup: same place, other frames.
    std::fs::remove_file(first_segment(&home)).unwrap();
    let journal = Journal::open(&home).unwrap();
    for n in 1..=8 {
        journal.append(&record(before(100 + n, "other", "ls")), None, Durability::Buffered).unwrap();
    }
    let index = Index::open(&home).unwrap();
    let events = index.timeline(&Filter::default()).unwrap();
    assert_eq!(events.len(), 8);
    assert!(events.iter().all(|e| e.before.session == "other"));
}

#[test]
fn an_undo_of_an_undo_leaves_the_first_event_standing() {
    let (_dir, home) = home();
    let journal = Journal::open(&home).unwrap();
    let mut n = 0;
    let mut event = |kind: EventKind, code: i32| {
        n += 1;
        let mut b = before(n, "s", "x");
        b.kind = kind;
        let id = journal.append(&record(b), None, Durability::Buffered).unwrap().event;
        let a = Record::After(Box::new(after(n, "s", code)));
        journal.append(&a, Some(id), Durability::Buffered).unwrap();
        id
    };
    let undone = |id| Index::open(&home).unwrap().event(id).unwrap().unwrap().undone_by;
    let first = event(EventKind::Command, 0);
    let failed = event(EventKind::Undo(Reversal::of([first])), 4);
    assert_eq!(undone(first), None, "a conflict takes nothing back");
    let undo = event(EventKind::Undo(Reversal::of([first])), 0);
    assert_eq!(undone(first), Some(undo));
    let redo = event(EventKind::Redo(Reversal::of([undo])), 0);
    assert_eq!((undone(first), undone(undo)), (None, Some(redo)));
    let again = event(EventKind::Undo(Reversal::of([redo])), 3);
    assert_eq!((undone(first), undone(undo), undone(redo)), (Some(undo), None, Some(again)));
    assert_eq!(undone(failed), None);
}

#[test]
fn a_newer_store_is_refused_with_its_exit_code() {
    let (_dir, home) = home();
    filled(&home, 1);
    std::fs::write(home.format_file(), "fr store 2.0\n").unwrap();
    assert_eq!(Journal::open(&home).unwrap_err().code, ExitCode::NewerStore);
    assert_eq!(Store::open(&home).err().unwrap().code, ExitCode::NewerStore);
    assert_eq!(Store::open_or_create(&home).err().unwrap().code, ExitCode::NewerStore);
    assert_eq!(Index::open(&home).err().unwrap().code, ExitCode::NewerStore);
    let nowhere = Home::at(home.root.join("nowhere"));
    assert_eq!(Journal::open(&nowhere).unwrap_err().code, ExitCode::NoStore);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 64, ..Default::default() })]
    #[test]
    fn any_record_comes_back_as_it_was(
        lines in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40_000), 1..6),
    ) {
        let (_dir, home) = home();
        let journal = Journal::open(&home).unwrap().with_segment_bytes(30_000);
        let mut written = Vec::new();
        for (n, line) in lines.into_iter().enumerate() {
            let mut b = before(n as u64, "s", "");
            b.command.line = line.into();
            let one = record(b);
            journal.append(&one, None, Durability::Buffered).unwrap();
            written.push(one);
        }
        let read: Vec<_> = journal.frames(Position::START).map(|f| f.unwrap().record).collect();
        proptest::prop_assert_eq!(read, written);
    }

    #[test]
    fn rubbish_in_a_segment_never_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000)) {
        let (_dir, home) = home();
        std::fs::write(first_segment(&home), &bytes).unwrap();
        let journal = Journal::open(&home).unwrap();
        proptest::prop_assert_eq!(lines(&journal), Vec::<u64>::new());
        journal.append(&record(before(1, "s", "ls")), None, Durability::Buffered).unwrap();
        proptest::prop_assert_eq!(lines(&journal), vec![1]);
    }
}
