//! The journal and its index.

use fr::journal::index::{Filter, Index};
use fr::journal::{Durability, Journal, Position};
use fr::model::{ActorKind, EffectClass, EventId, EventKind, Record};
use fr::platform::home::Home;
use fr::store::Store;
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
    undo.kind = EventKind::Undo { of: vec![EventId(20)] };
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
