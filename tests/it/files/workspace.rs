//! Snapshots of a working tree: what they hold, what they leave out, and that the stat cache never lies.

use std::sync::atomic::Ordering;

use fr::model::EffectClass::Opaque;
use fr::model::{Bytes, Capture, Effect, StepOutcome, StepVerdict};

use super::bench::{Bench, Recorded};

fn work_tree() -> Bench {
    let b = Bench::new();
    b.sh("git init -q . 2>/dev/null || mkdir .git; mkdir -p src/deep target/debug node_modules/x; \
          echo 'fn main' >src/main.rs; echo x >src/deep/a; echo obj >target/debug/o; echo js >node_modules/x/i.js; \
          printf 'target/\nnode_modules/\n*.log\n' >.gitignore; echo log >small.log; head -c 5M /dev/zero >big.log; \
          echo SECRET=1 >.env");
    b
}

fn opaque(b: &Bench, at: &str) -> Effect {
    b.effect(at, "workspace", Opaque)
}

fn snapshot(b: &Bench) -> Capture {
    b.capture(&[opaque(b, "src/deep")]).remove(0)
}

fn missing(capture: &Capture) -> Vec<String> {
    let root = capture.locator.at.0.len() + 1;
    let name =
        |m: &fr::model::Missing| String::from_utf8_lossy(m.what.0.get(root..).unwrap_or(b".")).into_owned();
    capture.missing.iter().map(name).collect()
}

#[test]
fn the_root_is_found_and_only_what_git_can_spare_is_left_out() {
    let b = work_tree();
    let capture = snapshot(&b);
    assert_eq!(capture.locator.at, Bytes::from(b.work()));
    assert_eq!(missing(&capture), ["big.log", "node_modules", "target"]);
    // Not ignored any more: then they are data like any other.
    b.sh("echo '*.log' >.gitignore");
    assert_eq!(missing(&snapshot(&b)), ["big.log"]);
    // A repository below is a place of its own only for what runs in it.
    b.sh("rm -rf .git");
    assert!(snapshot(&b).is_complete());
}

#[test]
fn a_script_is_undone_and_only_what_it_changed_is_touched() {
    let b = work_tree();
    b.sh("echo a >a; echo b >b; mkdir -p lib; echo l >lib/l; git status >/dev/null 2>&1 || true");
    let script = "echo agent >a; rm -r lib src/deep; mkdir out; echo o >out/o; chmod 700 src; rm -r target small.log; \
                  echo hook >.git/hooks/evil 2>/dev/null || true";
    let before = b.look();
    let recorded = b.record(&[opaque(&b, ".")], script);
    b.sh("echo human >b; echo human >new");
    let steps = b.plan(&recorded);
    let lost: Vec<_> = steps
        .iter()
        .filter(|s| matches!(s.verdict, StepVerdict::NotCaptured { .. }))
        .map(|s| &s.resource)
        .collect();
    assert_eq!(lost, [&Bytes([b"path:", Bytes::from(b.work().join("target")).as_slice()].concat())]);
    assert_eq!(b.apply(&steps[0]), StepOutcome::Done);
    let mut after = b.look();
    let mut expected = before;
    // Ignored and regenerable, so it was not kept; named when it was captured.
    expected.retain(|path, _| !path.starts_with("target") && !path.starts_with(".git"));
    after.retain(|path, _| !path.starts_with(".git"));
    assert_eq!(after.remove(std::path::Path::new("new")).unwrap().len, 6);
    assert_ne!(after.remove(std::path::Path::new("b")), expected.remove(std::path::Path::new("b")));
    // The root holds a name more than before, so its time is not that of before.
    after.remove(std::path::Path::new(""));
    expected.remove(std::path::Path::new(""));
    crate::fs_compare::assert_same(&expected, &after);
}

#[test]
fn the_second_snapshot_reads_nothing_and_a_change_reads_one_file() {
    let b = work_tree();
    b.sh("mkdir many; cd many; seq 1000 | split -l 1 -a 3 - f");
    std::thread::sleep(std::time::Duration::from_millis(20));
    let first = snapshot(&b);
    let put = b.store.blobs_put.swap(0, Ordering::Relaxed);
    assert!(put > 1000, "{put}");
    let second = snapshot(&b);
    assert_eq!(second.state.digest, first.state.digest);
    assert_eq!(b.entry(&second), b.entry(&first));
    assert_eq!(second.missing, first.missing);
    assert_eq!((second.items, second.bytes), (first.items, first.bytes));
    assert_eq!(b.store.blobs_put.swap(0, Ordering::Relaxed), 0);
    b.sh("echo changed >many/faaa");
    let third = snapshot(&b);
    assert_ne!(third.state.digest, first.state.digest);
    assert_eq!(b.store.blobs_put.swap(0, Ordering::Relaxed), 1);
    // What the cache gave is what a look without it gives.
    std::fs::remove_dir_all(b.tmp.path().join("home/cache")).unwrap();
    let fresh = snapshot(&b);
    assert_eq!(fresh.state.digest, third.state.digest);
    assert_eq!(b.entry(&fresh), b.entry(&third));
}

#[test]
fn a_change_that_keeps_size_and_time_is_still_seen() {
    let b = work_tree();
    b.sh("echo 111 >f; touch -d @1000 f");
    std::thread::sleep(std::time::Duration::from_millis(20));
    let first = snapshot(&b);
    b.sh("echo 222 >f; touch -d @1000 f");
    assert_ne!(snapshot(&b).state.digest, first.state.digest);
    // Written again and again within the clock's tick: no snapshot may show an older content.
    for round in 0..200 {
        std::fs::write(b.work().join("f"), format!("{round:03}\n")).unwrap();
        let with_cache = snapshot(&b);
        let fresh = b.observe_without_cache(&with_cache);
        assert_eq!(with_cache.state.digest, fresh.digest, "round {round}");
    }
}

#[test]
fn a_cache_whose_batch_was_not_committed_counts_for_nothing() {
    let b = work_tree();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let cx = b.cx(true);
    use fr::systems::System;
    fr::systems::files::Files.capture(&opaque(&b, "."), &cx).unwrap();
    fr::systems::files::discard_caches(&cx.cache);
    // The batch was lost, with all that was put.
    b.store.objects.lock().unwrap().clear();
    b.store.blobs_put.store(0, Ordering::Relaxed);
    snapshot(&b);
    assert!(b.store.blobs_put.swap(0, Ordering::Relaxed) > 3);
    snapshot(&b);
    assert_eq!(b.store.blobs_put.swap(0, Ordering::Relaxed), 0);
    // gc removed objects and said so.
    std::fs::write(b.tmp.path().join("home/generation"), "1\n").unwrap();
    snapshot(&b);
    assert!(b.store.blobs_put.swap(0, Ordering::Relaxed) > 3);
    // Somebody removed objects and did not say so: the root tree is missing, the cache is not believed.
    b.store.objects.lock().unwrap().clear();
    snapshot(&b);
    assert!(b.store.blobs_put.load(Ordering::Relaxed) > 3);
}

#[test]
fn observing_does_not_store_contents_and_does_not_touch_the_cache() {
    let b = work_tree();
    let capture = snapshot(&b);
    std::thread::sleep(std::time::Duration::from_millis(20));
    b.sh("echo new >src/new");
    b.store.blobs_put.store(0, Ordering::Relaxed);
    let after = b.observe(&capture);
    assert_ne!(after.digest, capture.state.digest);
    assert_eq!(b.store.blobs_put.load(Ordering::Relaxed), 0);
    let recorded = Recorded { captured: vec![fr::model::Captured { before: capture, after: Some(after) }] };
    b.undo(&recorded);
    assert!(!b.work().join("src/new").exists());
    // The content of `new` was hashed and never stored: the next snapshot must not think otherwise.
    b.sh("echo new >src/new");
    snapshot(&b);
    assert!(b.store.blobs_put.load(Ordering::Relaxed) >= 1);
}

#[test]
fn shared_roots_are_not_taken_whole() {
    let b = Bench::new();
    let effect = b.effect("/", "workspace", Opaque);
    let capture = b.capture(&[effect]).remove(0);
    assert!(!capture.is_complete());
    assert!(capture.items < 1000, "{} items", capture.items);
    assert!(capture.missing.iter().any(|m| m.why.contains("shared directory")), "{:?}", capture.missing);
    assert_eq!(b.observe(&capture).digest, capture.state.digest);
}
