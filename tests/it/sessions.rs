//! Whole agent sessions drawn at random: lines of several commands on files, git, remotes, further working trees, submodules and
//! clones. The session taken back is the first picture, what is taken back again the last one. A conflict writes nothing, what
//! does not come back is named: never a silent difference. `histories` does the same with single commands and people's edits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::env::{Output, TestEnv};
use crate::fs_compare::tree;

const NAMES: [&str; 11] = [
    "src/main.rs",
    "src",
    "docs/guide.md",
    "config.yml",
    "new.txt",
    "made",
    "staged.txt",
    "build",
    "../outside/o.txt",
    ".env",
    "'a b\"c.txt'",
];
const REFS: [&str; 5] = ["main", "topic", "HEAD~1", "origin/main", "v1"];

/// Commands without a choice in them.
const PLAIN: &[&str] = &[
    "find . -name '*.md' -not -path './.git/*' -delete",
    "git add -A",
    "git commit -q --amend --no-edit -a",
    "git checkout -q .",
    "git branch -D topic",
    "git rebase --abort",
    "git push -q --all -f",
    "git push -q --mirror origin",
    "git remote add backup ../backup.git && git push -q backup --all",
    "git remote remove origin",
    "git remote rename origin up",
    "git fetch -q -p",
    "git pull -q --rebase",
    "git tag -d v1",
    "git tag -f v1",
    "git stash push -q -u",
    "git stash pop -q",
    "git stash drop -q",
    "git stash clear",
    "git clean -fdxq",
    "git clean -fdq src",
    "git gc -q --prune=now",
    "git reflog expire --expire=now --all",
    "git config user.name Agent",
    "git clone -q ../lib lib",
    "rm -rf lib",
    "cd lib && echo w >> lib.c && git commit -qam w",
    "git -C lib commit -q --allow-empty -m w",
    "git init -q nest && cd nest && echo 1 > f && git add . && git commit -qm n",
    "git worktree add -q ../wt -b wtb",
    "cd ../wt && echo w > w.txt && git add . && git commit -qm w",
    "git worktree remove -f ../wt",
    "rm -rf ../wt && git worktree prune",
    "git submodule -q add ../lib sub && git commit -qm sub",
    "git submodule deinit -f --all -q",
    "rm -rf .git",
    "git init -q",
    "rm -rf .git && git init -q && git add -A && git commit -qm initial",
    "python3 -c \"import os;os.remove('config.yml')\"",
    "tar cf made.tar src docs && rm -rf src docs",
    "tar xf made.tar",
    "git bundle create -q b.bundle --all",
    "git update-ref -d refs/heads/topic",
    "git symbolic-ref HEAD refs/heads/topic",
    "git notes add -f -m n HEAD",
    "git format-patch -q -1 -o p && git reset -q --hard HEAD~1",
    "git am -q p/*.patch",
    "git apply p/*.patch",
    "git filter-branch -f --msg-filter cat HEAD >/dev/null 2>&1",
    "printf 'node_modules/\\n' >> .gitignore",
    "mkdir -p node_modules/a && echo n > node_modules/a/index.js",
];

/// One command. Many fail where the ones before left nothing to do; a failed command is recorded and taken back, too.
fn command() -> impl Strategy<Value = String> {
    let name = || proptest::sample::select(&NAMES[..]);
    let at = || proptest::sample::select(&REFS[..]);
    let number = || 0..1000u32;
    let pushed = ["HEAD", "main", "topic", "HEAD:main", "HEAD:topic", "+main~1:main", "v1"];
    prop_oneof![
        // As often as if each were a line of its own here.
        48 => proptest::sample::select(PLAIN).prop_map(str::to_owned),
        1 => name().prop_map(|n| format!("rm -rf {n}")),
        1 => (name(), name()).prop_map(|(n, m)| format!("mv {n} {m}")),
        1 => (name(), name()).prop_map(|(n, m)| format!("cp -r {n} {m}")),
        1 => (name(), number()).prop_map(|(n, v)| format!("echo {v} > {n}")),
        1 => (name(), number()).prop_map(|(n, v)| format!("echo {v} >> {n}")),
        1 => name().prop_map(|n| format!("mkdir -p {n}/deep && touch {n}/deep/leaf")),
        1 => (name(), name()).prop_map(|(n, m)| format!("ln -sfn {n} {m}")),
        1 => name().prop_map(|n| format!("sed -i s/1/2/ {n}")),
        1 => (name(), 0..8u32).prop_map(|(n, v)| format!("chmod 7{v}0 {n}")),
        1 => number().prop_map(|v| format!("git commit -q -a -m work{v}")),
        1 => number().prop_map(|v| format!("git commit -q --allow-empty -m empty{v}")),
        1 => number().prop_map(|v| format!("python3 -c \"open('new.txt','a').write('{v}')\"")),
        1 => at().prop_map(|r| format!("git reset -q --hard {r}")),
        1 => at().prop_map(|r| format!("git reset -q {r}")),
        1 => at().prop_map(|r| format!("git checkout -q -f {r}")),
        1 => (0..3u32).prop_map(|v| format!("git switch -q -c b{v}")),
        1 => at().prop_map(|r| format!("git rebase -q {r}")),
        1 => at().prop_map(|r| format!("git cherry-pick {r}")),
        1 => at().prop_map(|r| format!("git merge -q --no-edit {r}")),
        1 => proptest::sample::select(pushed.to_vec()).prop_map(|r| format!("git push -q -f origin {r}")),
        1 => at().prop_map(|r| format!("git push -q origin --delete {r}")),
        1 => name().prop_map(|n| format!("git rm -rq --cached {n}")),
        1 => name().prop_map(|n| format!("git rm -rqf {n}")),
    ]
}

/// Commands joined as agents join them.
fn line() -> impl Strategy<Value = String> {
    let joined = || (proptest::sample::select(&[" && ", " ; ", " || "][..]), command());
    let more = prop_oneof![3 => 0..1usize, 2 => 1..2usize, 1 => 2..3usize];
    (command(), more.prop_flat_map(move |n| proptest::collection::vec(joined(), n)))
        .prop_map(|(first, more)| more.into_iter().fold(first, |line, (by, next)| line + by + &next))
}

/// A project with work of all kinds in it, a remote and a further one, another repository beside it, a file outside.
fn project() -> TestEnv {
    let mut env = TestEnv::new();
    env.project = env.root().join("w/proj");
    std::fs::create_dir_all(&env.project).unwrap();
    let setup = r#"
        set -e; git init -q --bare ../origin.git; git init -q --bare ../backup.git
        git init -q; git remote add origin ../origin.git
        mkdir -p src docs; printf '1\n' > src/main.rs; printf 'guide\n' > docs/guide.md; printf 'a=1\n' > config.yml
        printf '.env\nbuild/\n' > .gitignore; git add .; git commit -qm one
        printf '2\n' >> src/main.rs; git commit -qam two; git branch topic; git checkout -q topic
        printf 'x\n' > topic.txt; git add .; git commit -qm three; git checkout -q main; git tag v1; git tag -a -m t v2
        git push -q -u origin main topic --tags
        printf 'stashed\n' >> docs/guide.md; git stash -q
        printf 'dirty\n' >> src/main.rs; printf 'staged\n' > staged.txt; git add staged.txt; printf 'S=1\n' > .env
        mkdir build; echo b > build/out; printf 'odd' > 'a b"c.txt'
        mkdir -p ../lib; (cd ../lib; git init -q; echo lib > lib.c; git add .; git commit -qm lib)
        mkdir -p ../outside; echo o > ../outside/o.txt
    "#;
    env.sh(setup).ok();
    env
}

/// All files outside of repositories, and what git says of each repository, by name.
type Shot = BTreeMap<PathBuf, String>;

/// What git says of a repository at a place, in its own words.
const LOOKS: [&str; 8] = [
    "for-each-ref --format='%(refname) %(objectname) %(symref)'",
    "symbolic-ref -q HEAD; git rev-parse -q --verify HEAD",
    "config --local --list | sort",
    "ls-files -s",
    "status --porcelain -z --ignored",
    "stash list --format=%H",
    "worktree list --porcelain",
    "fsck --connectivity-only 2>&1 | grep -Ev '^(dangling|notice|Checking)|unborn'",
];

fn shot(env: &TestEnv) -> Shot {
    let world = env.root().join("w");
    let is_git = |path: &Path| path.components().any(|c| c.as_os_str().to_string_lossy().ends_with(".git"));
    let mut shot = Shot::new();
    for (path, seen) in tree(&world) {
        // A directory's time is nobody's data, and git's own files speak through git.
        if !is_git(&path) {
            let time = if seen.kind == "file" { seen.mtime_ns } else { 0 };
            let text = format!("{} {:o} {:?} {:?} {time}", seen.kind, seen.mode, seen.hash, seen.target);
            shot.insert(path, text);
        }
    }
    let places = ["proj", "origin.git", "backup.git", "lib", "wt", "proj/lib", "proj/nest", "proj/sub"];
    for place in places.map(|place| world.join(place)) {
        if place.join(".git").symlink_metadata().is_err() && !place.join("HEAD").exists() {
            continue;
        }
        for look in LOOKS {
            let said = env.sh(&format!("cd '{}' && git {look}", place.display()));
            shot.insert(place.join(look), said.stdout);
        }
    }
    shot
}

fn difference(should: &Shot, is: &Shot) -> Vec<String> {
    let keys = should.keys().chain(is.keys().filter(|key| !should.contains_key(*key)));
    let differs = keys.filter(|key| should.get(*key) != is.get(*key));
    differs
        .map(|key| format!("{}: should be {:?}, is {:?}", key.display(), should.get(key), is.get(key)))
        .collect()
}

/// The numbers of the undos that an undo says it is recorded as.
fn recorded_as(undo: &Output) -> Vec<String> {
    let marks = undo.stdout.match_indices("this undo is event ");
    let number = |(at, mark): (usize, &str)| {
        undo.stdout[at + mark.len()..].chars().take_while(char::is_ascii_digit).collect()
    };
    marks.map(number).collect()
}

/// Takes events back and compares: as it should be, or nothing written, or what is missing is named. Their numbers, where there
/// is something to take back again.
fn takes_back(
    env: &TestEnv,
    which: &[&str],
    should: &Shot,
    lines: &[String],
) -> Result<Vec<String>, TestCaseError> {
    let before = shot(env);
    let undo = env.fr(&[&["undo", "--yes"], which].concat());
    let now = shot(env);
    let what = format!("{lines:#?}\nundo {which:?}: {undo:#?}");
    let (wrong, written) = (difference(should, &now), difference(&before, &now));
    match undo.code {
        0 => prop_assert!(wrong.is_empty(), "{what}\n{wrong:#?}"),
        3 => prop_assert!(wrong.is_empty() || names_what_is_missing(&undo), "{what}\n{wrong:#?}"),
        // A part may have been taken back before: then it is exit code 3.
        4 => prop_assert!(written.is_empty(), "{what}\n{written:#?}"),
        5 => prop_assert!(wrong.is_empty() && written.is_empty(), "{what}\n{wrong:#?}"),
        _ => prop_assert!(false, "{what}"),
    }
    if std::env::var_os("FR_EXHAUSTIVE").is_some() && undo.code != 0 && undo.code != 5 {
        eprintln!("exit code {}: {what}\n{wrong:#?}", undo.code);
    }
    Ok(if matches!(undo.code, 0 | 3) { recorded_as(&undo) } else { Vec::new() })
}

fn names_what_is_missing(undo: &Output) -> bool {
    let all = format!("{}{}", undo.stdout, undo.stderr);
    ["not come back", "not restored", "not captured", "but not", "still to do"]
        .iter()
        .any(|words| all.contains(words))
}

/// The same few sessions in each normal run; with `FR_EXHAUSTIVE` many new ones.
fn cases() -> ProptestConfig {
    let (cases, rng_seed) = match std::env::var_os("FR_EXHAUSTIVE") {
        Some(_) => (200, RngSeed::Random),
        None => (8, RngSeed::Fixed(4)),
    };
    ProptestConfig {
        cases,
        rng_seed,
        max_shrink_iters: 30,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_session_taken_back_is_the_first_picture(lines in proptest::collection::vec(line(), 2..7)) {
        let env = project();
        let first = shot(&env);
        for line in &lines {
            env.claude_runs(line);
        }
        let last = shot(&env);
        let undos = takes_back(&env, &["--session"], &first, &lines)?;
        // What an undo in part leaves is the picture to come back to.
        let undone = shot(&env);
        if undos.is_empty() {
            return Ok(());
        }
        let undos: Vec<&str> = undos.iter().map(String::as_str).collect();
        let redos = takes_back(&env, &undos, &last, &lines)?;
        if !redos.is_empty() {
            let redos: Vec<&str> = redos.iter().map(String::as_str).collect();
            takes_back(&env, &redos, &undone, &lines)?;
        }
    }
}
