//! Any sequence of changes, undone: the state is what it was, or a path is in conflict and untouched.

use proptest::prelude::*;

use fr::model::EffectClass::Mutate;
use fr::model::{StepOutcome, StepVerdict};

use super::bench::Bench;
use crate::fs_compare::{Tree, assert_same};

const NAMES: [&str; 6] = ["a", "b", "c", "d/x", "d/y", "d/e/z"];

/// One change by real commands; those that cannot be done now do nothing.
fn change() -> impl Strategy<Value = String> {
    let name = || proptest::sample::select(&NAMES[..]);
    prop_oneof![
        (name(), 0..1000u32).prop_map(|(n, v)| format!("echo {v} >{n}")),
        (name(), 0..1000u32).prop_map(|(n, v)| format!("echo {v} >>{n}")),
        name().prop_map(|n| format!("rm -rf {n}")),
        Just("rm -rf d".to_owned()),
        Just("mkdir -p d/e".to_owned()),
        name().prop_map(|n| format!("mkdir {n}")),
        (name(), name()).prop_map(|(n, m)| format!("mv {n} {m}")),
        (name(), name()).prop_map(|(n, m)| format!("cp -a {n} {m}")),
        (name(), name()).prop_map(|(n, m)| format!("ln {n} {m}")),
        (name(), name()).prop_map(|(n, m)| format!("ln -sfn {n} {m}")),
        (name(), 0..8u32).prop_map(|(n, v)| format!("chmod u=rwx,g={v},o={v} {n} || chmod 75{v} {n}")),
        name().prop_map(|n| format!("touch {n}")),
        (name(), 1..9000u32).prop_map(|(n, v)| format!("truncate -s {v} {n}")),
        name().prop_map(|n| format!("mkfifo {n}")),
    ]
}

fn run(b: &Bench, changes: &[String]) {
    let line = |change: &String| format!("( cd w && {change} ) </dev/null 2>/dev/null || true\n");
    let script: String = changes.iter().map(line).collect();
    std::fs::write(b.tmp.path().join("script"), script).unwrap();
    // Nothing may wait for long at a FIFO that an earlier change made.
    b.sh("timeout 1 bash ../script || true");
}

/// What a person would miss: not times, and not that a file got a second name since. The other name keeps the content
/// when the first goes back to the old one.
fn substance(tree: &Tree) -> Tree {
    let mut tree = tree.clone();
    for seen in tree.values_mut() {
        (seen.mtime_ns, seen.same_as) = (0, None);
    }
    tree
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undo_of_any_changes_is_exact(
        first in proptest::collection::vec(change(), 0..8),
        second in proptest::collection::vec(change(), 1..8),
    ) {
        let b = Bench::new();
        b.sh("mkdir -p w/d/e; cd w; echo a >a; echo x >d/x; echo z >d/e/z; ln a d/hard");
        run(&b, &first);
        let before = b.look();
        let captures = b.capture(&[b.effect("w", "tree", Mutate)]);
        run(&b, &second);
        let recorded = b.finish(captures);
        let nothing_but_times =
            recorded.captured.iter().all(|c| c.after.is_some_and(|after| after.digest == c.before.state.digest));
        b.undo(&recorded);
        if nothing_but_times {
            // What was changed and changed back again is no difference to undo; equality of states leaves times out.
            assert_same(&substance(&before), &substance(&b.look()));
        } else {
            assert_same(&before, &b.look());
        }
    }

    #[test]
    fn with_a_human_in_between_nothing_of_hers_is_lost(
        agent in proptest::collection::vec(change(), 1..6),
        human in proptest::collection::vec(change(), 1..4),
    ) {
        let b = Bench::new();
        b.sh("mkdir -p w/d/e; cd w; echo a >a; echo x >d/x; echo z >d/e/z; echo c >c");
        let before = b.look();
        let captures = b.capture(&[b.effect("w", "tree", Mutate)]);
        run(&b, &agent);
        let after = b.look();
        let recorded = b.finish(captures);
        run(&b, &human);
        let now = b.look();
        let steps = b.plan(&recorded);
        for step in &steps {
            let outcome = b.apply(step);
            if matches!(step.verdict, StepVerdict::Conflict { .. }) {
                let refused = matches!(outcome, StepOutcome::Conflict { .. });
                prop_assert!(refused);
            }
        }
        let (before, after, now, last) =
            (substance(&before), substance(&after), substance(&now), substance(&b.look()));
        for (path, seen) in &now {
            // Every file that is neither as the agent left it nor as it was is still there, to the byte.
            let theirs = after.get(path) != Some(seen) && before.get(path) != Some(seen);
            if theirs && seen.kind == "file" {
                let hash = last.get(path).and_then(|l| l.hash.clone());
                prop_assert_eq!(&hash, &seen.hash, "{:?} was lost; plan {:?}", path, steps);
            }
        }
    }
}
