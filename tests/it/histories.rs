//! Any sequence of commands on files and git through the real hook. All of it taken back gives the first picture. One
//! out of the middle comes back, or is in conflict and nothing is written, or names what is missing: never a silent
//! difference.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use crate::env::TestEnv;
use crate::fs_compare::Seen;
use crate::undo::{Picture, picture};

const NAMES: [&str; 7] =
    ["src/main.rs", "src", "docs/guide.md", "config.yml", "new.txt", "made", "staged.txt"];
const REFS: [&str; 3] = ["main", "topic", "HEAD~1"];

/// One command. Many fail where the ones before left nothing to do; a failed command is recorded and taken back, too.
fn command() -> impl Strategy<Value = String> {
    let name = || proptest::sample::select(&NAMES[..]);
    let at = || proptest::sample::select(&REFS[..]);
    let number = || 0..1000u32;
    prop_oneof![
        name().prop_map(|n| format!("rm -rf {n}")),
        (name(), name()).prop_map(|(n, m)| format!("mv {n} {m}")),
        (name(), name()).prop_map(|(n, m)| format!("cp -r {n} {m}")),
        (name(), number()).prop_map(|(n, v)| format!("echo {v} > {n}")),
        (name(), number()).prop_map(|(n, v)| format!("echo {v} >> {n}")),
        name().prop_map(|n| format!("mkdir -p {n}/deep && touch {n}/deep/leaf")),
        (name(), 0..8u32).prop_map(|(n, v)| format!("chmod 7{v}0 {n}")),
        (name(), name()).prop_map(|(n, m)| format!("ln -sfn {n} {m}")),
        name().prop_map(|n| format!("sed -i s/1/2/ {n}")),
        Just("find . -name '*.md' -not -path './.git/*' -delete".to_owned()),
        Just("git add -A".to_owned()),
        number().prop_map(|v| format!("git commit -q -a -m work{v}")),
        number().prop_map(|v| format!("git commit -q --allow-empty -m empty{v}")),
        at().prop_map(|r| format!("git reset -q --hard {r}")),
        at().prop_map(|r| format!("git reset -q {r}")),
        at().prop_map(|r| format!("git checkout -q {r}")),
        at().prop_map(|r| format!("git checkout -q -f {r}")),
        Just("git checkout -q .".to_owned()),
        Just("git branch -D topic".to_owned()),
        at().prop_map(|r| format!("git branch -f topic {r}")),
        Just("git stash push -q -u".to_owned()),
        Just("git stash pop -q".to_owned()),
        Just("git stash drop -q".to_owned()),
        Just("git clean -fdxq".to_owned()),
        at().prop_map(|r| format!("git merge -q --no-edit {r}")),
        name().prop_map(|n| format!("git rm -rq --cached {n}")),
    ]
}

fn project() -> TestEnv {
    let env = TestEnv::new();
    let setup = r#"
        set -e; git init -q; mkdir -p src docs
        printf '1\n' > src/main.rs; printf 'guide\n' > docs/guide.md; printf 'a=1\n' > config.yml
        printf '.env\n' > .gitignore; git add .; git commit -qm one
        printf '2\n' >> src/main.rs; git commit -qam two; git branch topic; git checkout -q topic
        printf 'x\n' > topic.txt; git add .; git commit -qm three; git checkout -q main
        printf 'stashed\n' >> docs/guide.md; git stash -q
        printf 'dirty\n' >> src/main.rs; printf 'staged\n' > staged.txt; git add staged.txt; printf 'S=1\n' > .env
    "#;
    env.sh(setup).ok();
    env
}

/// Runs all commands; the pictures before each of them, and the last.
fn run_all(env: &TestEnv, commands: &[String]) -> Vec<Picture> {
    let mut pictures = vec![picture(env)];
    for command in commands {
        env.claude_runs(command);
        pictures.push(picture(env));
    }
    pictures
}

fn event(env: &TestEnv, id: usize) -> Value {
    env.fr(&["show", &id.to_string(), "--json"]).ok().json()
}

/// Something of the event was not captured, and the event says so.
fn is_partial(event: &Value) -> bool {
    let some = |v: &Value| v.as_array().is_some_and(|a| !a.is_empty());
    some(&event["warnings"])
        || event["captures"].as_array().is_some_and(|c| c.iter().any(|c| some(&c["missing"])))
}

/// What the event had changed is as it was before it; everything else is as it was before the undo.
fn silent_differences(before: &Picture, after: &Picture, last: &Picture, now: &Picture) -> Vec<String> {
    let same = |a: Option<&Seen>, b: Option<&Seen>| {
        let seen = |s: &Seen| (s.kind, s.mode, s.hash.clone(), s.target.clone());
        a.map(seen) == b.map(seen)
    };
    let all = [before, after, last, now].into_iter().flat_map(|p| p.files.keys());
    let paths: BTreeSet<&PathBuf> = all.collect();
    let changed: BTreeSet<&PathBuf> =
        paths.iter().filter(|p| !same(before.files.get(**p), after.files.get(**p))).copied().collect();
    let mut wrong = Vec::new();
    for path in paths {
        let (should, is) = match changed.contains(path) {
            true => (before.files.get(path), now.files.get(path)),
            false => (last.files.get(path), now.files.get(path)),
        };
        // A directory that is needed above what came back.
        let above = should.is_none() && changed.iter().any(|c| c.starts_with(path));
        if !same(should, is) && !above {
            wrong.push(format!("{}: should be {should:?}, is {is:?}", path.display()));
        }
    }
    wrong
}

/// The same few cases in each normal run; with `FR_EXHAUSTIVE` many new ones.
fn cases(normal: u32) -> ProptestConfig {
    let (cases, rng_seed) = match std::env::var_os("FR_EXHAUSTIVE") {
        Some(_) => (200, RngSeed::Random),
        None => (normal, RngSeed::Fixed(1)),
    };
    ProptestConfig {
        cases,
        rng_seed,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn all_of_it_taken_back_is_the_first_picture(commands in proptest::collection::vec(command(), 3..9)) {
        let env = project();
        let pictures = run_all(&env, &commands);
        for id in (1..=commands.len()).rev() {
            let (before, after) = (&pictures[id - 1], &pictures[id]);
            let undo = env.fr(&["undo", &id.to_string(), "--yes"]);
            let (event, now) = (event(&env, id), picture(&env));
            let what = format!("{commands:#?}\nevent {id}: {undo:?}");
            match undo.code {
                0 => {}
                // It changed nothing.
                5 => prop_assert!(before == after, "{}: {:#?}", what, after.difference(before)),
                // What was not captured was named when it was recorded.
                3 if is_partial(&event) => return Ok(()),
                _ => prop_assert!(false, "{what}\n{event}"),
            }
            prop_assert!(now == *before, "{}: {:#?}", what, before.difference(&now));
        }
    }

    #[test]
    fn one_of_them_comes_back_or_says_why_not(
        commands in proptest::collection::vec(command(), 3..9),
        which in any::<proptest::sample::Index>(),
    ) {
        let env = project();
        let pictures = run_all(&env, &commands);
        let id = which.index(commands.len()) + 1;
        let last = &pictures[commands.len()];
        let undo = env.fr(&["undo", &id.to_string(), "--yes"]);
        let now = picture(&env);
        let what = format!("{commands:#?}\nevent {id}: {undo:?}");
        match undo.code {
            0 => {
                prop_assert!(undo.stdout.contains("undone and verified"), "{what}");
                let wrong = silent_differences(&pictures[id - 1], &pictures[id], last, &now);
                prop_assert!(wrong.is_empty(), "{}: {:#?}", what, wrong);
            }
            3 => prop_assert!(undo.stdout.contains("undone in part"), "{what}"),
            4 => {
                prop_assert!(undo.stderr.contains("nothing was written"), "{what}");
                prop_assert!(now == *last, "{}: {:#?}", what, last.difference(&now));
            }
            5 => prop_assert!(now == *last, "{}: {:#?}", what, last.difference(&now)),
            _ => prop_assert!(false, "{what}"),
        }
    }

    /// Net effect: the same as one after the other, newest first, without the states in between.
    #[test]
    fn a_set_taken_back_at_once_is_as_if_one_by_one(
        commands in proptest::collection::vec(command(), 3..9),
        left_out in proptest::collection::vec(any::<bool>(), 9),
    ) {
        let ids: Vec<String> =
            (1..=commands.len()).filter(|id| !left_out[*id]).map(|id| id.to_string()).collect();
        prop_assume!(ids.len() > 1);
        let (one_by_one, at_once) = (project(), project());
        let other = run_all(&one_by_one, &commands).pop().unwrap();
        let last = run_all(&at_once, &commands).pop().unwrap();
        // What `cp -r src src` copies depends on the order in which a directory is read.
        prop_assume!(other.without_times() == last.clone().without_times());
        let undone = ids.iter().rev().map(|id| (id, one_by_one.fr(&["undo", id, "--yes"])));
        let undone: Vec<_> = undone.filter(|(_, undo)| undo.code != 5).collect();
        let what = format!("{commands:#?}\n{undone:#?}");
        // Events without a change are named in vain; ranges pass over them.
        let ranges: Vec<String> = ids.iter().map(|id| format!("{id}..{id}")).collect();
        let args: Vec<&str> = ["undo", "--yes"].into_iter().chain(ranges.iter().map(String::as_str)).collect();
        let undo = at_once.fr(&args);
        let is_clean = undone.iter().all(|(_, undo)| undo.code == 0);
        let bare = |env: &TestEnv| picture(env).without_times();
        match undo.code {
            0 => prop_assert!(
                bare(&one_by_one) == bare(&at_once),
                "{}\n{:?}\n{:#?}", what, undo, bare(&one_by_one).difference(&bare(&at_once))
            ),
            5 => prop_assert!(undone.is_empty() || !is_clean, "{what}\n{undo:?}"),
            4 => {
                prop_assert!(!is_clean, "{what}\n{undo:?}");
                prop_assert!(picture(&at_once) == last, "{what}\n{undo:?}");
            }
            3 => prop_assert!(undo.stdout.contains("undone in part"), "{what}\n{undo:?}"),
            _ => prop_assert!(false, "{what}\n{undo:?}"),
        }
    }

    /// People work in between and afterwards. Whatever is taken back, and however: each line that a person wrote and that
    /// was there is there, or beside, or in the undo's own capture; and redo gives exactly what was there before.
    #[test]
    fn what_people_wrote_in_between_is_never_lost(
        steps in proptest::collection::vec((command(), proptest::option::of(human())), 2..7),
        which in any::<proptest::sample::Index>(),
        together in any::<bool>(),
        policy in proptest::sample::select(&["abort", "skip", "merge", "side-by-side", "force"][..]),
    ) {
        let env = project();
        for (number, (command, human)) in steps.iter().enumerate() {
            env.claude_runs(command);
            if let Some((path, how)) = human {
                env.sh(&format!("printf 'human {number}\\n' {how} {path}"));
            }
        }
        let before = picture(&env);
        let written = human_lines(&env.project);
        let id = (which.index(steps.len()) + 1).to_string();
        let range = format!("{id}..{}", steps.len());
        let target = if together { &range } else { &id };
        let undo = env.fr(&["undo", target, "--yes", "--on-conflict", policy]);
        let what = format!("{steps:#?}\nundo {target} --on-conflict {policy}: {undo:?}");
        prop_assert!([0, 3, 4, 5].contains(&undo.code), "{what}");
        if undo.code >= 4 {
            prop_assert!(picture(&env) == before, "{}: {:#?}", what, before.difference(&picture(&env)));
            return Ok(());
        }
        let report = env.fr(&["timeline", "--json", "--limit", "1"]).ok().json();
        let aside = env.root().join("aside");
        env.fr(&["restore", &report[0]["id"].to_string(), "--to", aside.to_str().unwrap()]);
        let mut there = human_lines(&env.project);
        there.extend(human_lines(&aside));
        let lost: Vec<&String> = written.iter().filter(|line| !there.contains(*line)).collect();
        prop_assert!(lost.is_empty(), "{what}\nlost: {lost:?}");
        let redo = env.fr(&["redo", "--yes"]);
        let (now, was) = (picture(&env).without_directory_times(), before.without_directory_times());
        // An undo that only gave ORIG_HEAD back has nothing that redo could look at.
        prop_assert!([0, 5].contains(&redo.code) && now == was, "{}\n{:?}: {:#?}", what, redo, was.difference(&now));
    }
}

/// A person writes a line into a file, over what is there or at its end.
fn human() -> impl Strategy<Value = (&'static str, &'static str)> {
    (proptest::sample::select(&NAMES[..]), proptest::sample::select(&[">", ">>"][..]))
}

/// The lines that people wrote, in all files below a directory.
fn human_lines(dir: &std::path::Path) -> BTreeSet<String> {
    let files = walkdir(dir);
    let text = files.iter().filter_map(|file| std::fs::read(file).ok());
    let lines = text
        .flat_map(|text| String::from_utf8_lossy(&text).lines().map(str::to_owned).collect::<Vec<String>>());
    lines.filter(|line| line.starts_with("human ")).collect()
}

fn walkdir(dir: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && entry.file_name() != ".git" => found.extend(walkdir(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}
