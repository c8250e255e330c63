//! Any text, any edit of the agent, any edit of a person after it: a merge keeps every line of the person and takes the
//! agent's out, or it is refused and nothing is written.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::env::TestEnv;

/// Edits: at which place (of a thousand), how many lines go, how many come.
type Edits = Vec<(usize, usize, usize)>;

fn edits() -> impl Strategy<Value = Edits> {
    proptest::collection::vec((0..1000usize, 0..3usize, 0..3usize), 1..4)
}

fn edited(lines: &[String], edits: &Edits, who: &str) -> Vec<String> {
    let mut lines = lines.to_vec();
    for (number, (place, gone, come)) in edits.iter().enumerate() {
        let at = place * (lines.len() + 1) / 1000;
        let end = (at + gone).min(lines.len());
        let new = (0..*come).map(|n| format!("{who} {number} {n}"));
        lines.splice(at..end, new.collect::<Vec<_>>());
    }
    lines
}

fn text(lines: &[String], ends: bool) -> String {
    let text = lines.join("\n");
    if ends && !text.is_empty() { text + "\n" } else { text }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(71),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn whatever_was_edited_since_is_merged_or_left_or_comes_back(
        length in 0..30usize,
        kinds in 1..20usize,
        agents in edits(),
        persons in edits(),
        ends in any::<(bool, bool, bool)>(),
    ) {
        let before: Vec<String> = (0..length).map(|n| format!("line {}", n % kinds)).collect();
        let after = edited(&before, &agents, "agent");
        let now = edited(&after, &persons, "person");
        let (old, left, mine) = (text(&before, ends.0), text(&after, ends.1), text(&now, ends.2));
        prop_assume!(old != left && mine != left && mine != old);
        let env = TestEnv::new();
        env.write("f.txt", &old);
        std::fs::write(env.root().join("left"), &left).unwrap();
        env.claude_runs("cat ../left > f.txt");
        env.write("f.txt", &mine);

        let merge = env.fr(&["undo", "1", "--yes", "--on-conflict", "merge"]);
        match merge.code {
            0 => {
                let merged = env.read("f.txt");
                for line in now.iter().filter(|l| l.starts_with("person")) {
                    prop_assert!(merged.lines().any(|l| l == line), "{line} is lost: {merged:?}");
                }
                prop_assert!(!merged.contains("agent") || mine.contains("agent") && old.contains("agent"), "{merged:?}");
                prop_assert!(!merged.contains("<<<<") && !merged.contains(">>>>"));
                env.fr(&["redo", "--yes"]).ok();
            }
            4 | 5 => {}
            _ => prop_assert!(false, "{merge:?}"),
        }
        prop_assert_eq!(env.read("f.txt"), mine.clone());

        let beside = env.fr(&["undo", "1", "--yes", "--on-conflict", "side-by-side"]);
        prop_assert_eq!(beside.code, 3, "{:?}", beside);
        prop_assert_eq!(env.read("f.txt"), mine.clone());
        prop_assert_eq!(env.read("f.txt.fr-undo-1"), old.clone());

        let force = env.fr(&["undo", "1", "--yes", "--on-conflict", "force"]);
        prop_assert_eq!(force.code, 0, "{:?}", force);
        prop_assert_eq!(env.read("f.txt"), old);
        env.fr(&["redo", "--yes"]).ok();
        prop_assert_eq!(env.read("f.txt"), mine);
    }
}
