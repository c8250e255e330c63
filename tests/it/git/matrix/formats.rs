//! Repositories of other formats, and tools that come with git or beside it.

use super::{picture, round_in, world};
use crate::env::TestEnv;

/// Runs a script that makes the project, then the rounds, each in a project of its own.
#[track_caller]
fn rounds(setup: &str, lines: &[&str]) {
    let mut failures = Vec::new();
    for line in lines {
        let env = TestEnv::new();
        env.sh(&format!("set -e\n{setup}")).ok();
        failures.extend(round_in(&env, line).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

const HISTORY: &str = "for n in 1 2 3 4; do echo $n >> a; echo $n > f$n; git add .; git commit -qm $n; done; git branch topic HEAD~1
    git tag -a v1 -m v1; echo x >> a; git stash -q; echo y >> a; git stash -q; echo s > staged; git add staged; echo z >> a";

const LINES: [&str; 9] = [
    "git branch -D topic",
    "git reset --hard HEAD~2",
    "git stash drop",
    "git stash clear; git tag -d v1; git checkout -f .",
    "git commit -qam more; git commit --amend -qm other",
    "git checkout -f -B topic HEAD~2",
    "git rm -rf f1 f2; git add -A",
    "git branch -qD topic; git stash clear; git reflog expire --expire=now --all; git gc -q --prune=now",
    "git rebase --autostash --onto HEAD~3 HEAD~1",
];

#[test]
fn sha256() {
    rounds(&format!("git init -q --object-format=sha256; {HISTORY}"), &LINES);
}

#[test]
fn a_split_index() {
    let setup =
        format!("git init -q; {HISTORY}; git update-index --split-index; echo new > new; git add new");
    rounds(&setup, &LINES);
    rounds(
        &setup,
        &[
            "git rm -q --cached f1; rm .git/index .git/sharedindex.*",
            "git -c splitIndex.maxPercentChange=0 -c core.splitIndex=true rm -q --cached f1 f2 f3; touch -d '1 year ago' .git/sharedindex.*; git -c splitIndex.sharedIndexExpire=now -c splitIndex.maxPercentChange=0 -c core.splitIndex=true add a",
        ],
    );
}

#[test]
fn an_index_of_version_4_with_untracked_cache() {
    rounds(
        &format!("git init -q; git config index.version 4; git config core.untrackedCache true; {HISTORY}"),
        &LINES,
    );
}

#[test]
fn a_sparse_index() {
    let setup = "git init -q; mkdir in out; echo i > in/i; echo o > out/o; echo a > a; git add .; git commit -qm 1; echo 2 > a
        git commit -qam 2; git branch topic HEAD~1; git sparse-checkout set --cone --sparse-index in; echo d >> in/i";
    rounds(
        setup,
        &[
            "git reset --hard HEAD~1",
            "git sparse-checkout disable",
            "git checkout -f topic",
            "git sparse-checkout set out",
        ],
    );
}

#[test]
fn a_shallow_clone() {
    let setup = format!(
        "git init -q ../up; cd ../up; {HISTORY}; cd ../project; git clone -q --depth 2 file://$PWD/../up . 2>/dev/null"
    );
    rounds(
        &setup,
        &[
            "git fetch -q --unshallow",
            "git reset --hard HEAD~1",
            "git fetch -q --depth=1",
            "git branch x; git reset -q --hard HEAD~1; git branch -D x; git reflog expire --expire=now --all; git gc -q --prune=now",
        ],
    );
}

#[test]
fn a_partial_clone() {
    let setup = format!(
        "git init -q ../up; cd ../up; git config uploadpack.allowFilter true; git config uploadpack.allowAnySHA1InWant true; {HISTORY}
         cd ../project; git clone -q --filter=blob:none file://$PWD/../up . ; echo mine > mine; git add .; git commit -qm mine"
    );
    rounds(
        &setup,
        &[
            "git reset --hard HEAD~1",
            "git reset -q --hard HEAD~1; git reflog expire --expire=now --all; git gc -q --prune=now",
            "git checkout -q -B x HEAD~2",
        ],
    );
}

#[test]
fn refs_in_tables() {
    for format in ["", "--object-format=sha256"] {
        rounds(&format!("git init -q --ref-format=reftable {format}; {HISTORY}"), &LINES);
    }
}

#[test]
fn the_old_refs_of_a_reftable_beside() {
    let env = TestEnv::new();
    env.sh(&format!("set -e; git init -q --ref-format=reftable; {HISTORY}")).ok();
    let topic = env.sh("git rev-parse topic").ok().stdout;
    env.fr(&[
        "exec",
        "-c",
        "git branch -D topic; git reflog expire --expire=now --all; git gc -q --prune=now",
    ])
    .ok();
    env.fr(&["restore", "1", "--to", "../aside"]).ok();
    let found = env.sh("for d in ../aside/*; do git -C $d rev-parse topic 2>/dev/null; done").stdout;
    assert!(found.contains(topic.trim()), "{found}");
}

/// git-lfs and git-filter-repo are not everywhere. Without them the test says so and proves nothing.
fn has(env: &TestEnv, tool: &str) -> bool {
    let found = env.sh(&format!("git {tool} --version")).code == 0;
    if !found {
        eprintln!("git {tool} is not installed: skipped");
    }
    found
}

#[test]
fn lfs() {
    let env = TestEnv::new();
    if !has(&env, "lfs") {
        return;
    }
    let setup = "git init -q; git lfs install --local >/dev/null; git lfs track '*.bin' >/dev/null; head -c 100000 /dev/urandom > a.bin
        git add .; git commit -qm 1; head -c 100000 /dev/urandom > a.bin; git commit -qam 2; git init -q --bare ../remote.git
        git remote add origin ../remote.git; git config lfs.fetchrecentrefsdays 0; git config lfs.fetchrecentcommitsdays 0; git config lfs.pruneoffsetdays 0
        git config lfs.concurrenttransfers 1; git push -q origin main 2>/dev/null; head -c 100000 /dev/urandom > b.bin; git add .
        cp -r .git/lfs ../lfs; rm -rf .git/lfs; mv ../lfs .git/lfs
        echo rm -rf .git > ../gone.sh; echo rm -rf .git/lfs a.bin > ../large.sh; echo 'git lfs prune --force; git checkout -qf' > ../prune.sh";
    rounds(
        setup,
        &[
            "git lfs prune --force",
            "rm a.bin b.bin",
            "git checkout -q HEAD~1 -- a.bin",
            "git reset -q --hard HEAD~1",
            "git rm -qf --cached b.bin; rm -rf .git/lfs/objects",
            "git lfs untrack '*.bin'",
            "git lfs migrate export --everything --include='*.bin' --yes",
            // What a script removes: all of it, the contents alone, those that were pushed.
            "sh ../gone.sh",
            "sh ../large.sh",
            "sh ../prune.sh",
            "sh ../gone.sh; git init -q",
        ],
    );
}

/// Where `lfs.storage` has them outside of the git directory, they are kept and come back there.
#[test]
fn lfs_elsewhere() {
    let env = TestEnv::new();
    if !has(&env, "lfs") {
        return;
    }
    env.sh("set -e; git init -q; git config lfs.storage $PWD/../big; git lfs install --local >/dev/null; git lfs track '*.bin' >/dev/null
        head -c 100000 /dev/urandom > a.bin; git add .; git commit -qm 1; git init -q --bare ../remote.git; git remote add origin ../remote.git
        for k in fetchrecentrefsdays fetchrecentcommitsdays pruneoffsetdays; do git config lfs.$k 0; done; git config lfs.concurrenttransfers 1
        git push -q origin main 2>/dev/null; git rm -q a.bin; git commit -qm 2; git push -q origin main 2>/dev/null")
        .ok();
    let large = "find ../big/objects -type f | xargs -r sha256sum";
    let before = env.sh(large).ok().stdout;
    assert!(before.contains("/big/objects/"), "{before}");
    env.claude_runs("git lfs prune --force");
    assert_eq!(env.sh(large).ok().stdout, "");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!((undo.code, env.sh(large).ok().stdout), (0, before), "{undo:?}");
}

#[test]
fn filter_repo() {
    let env = world();
    if !has(&env, "filter-repo") {
        return;
    }
    env.sh("git checkout -qf; git -C sub checkout -qf; rm -rf nested").ok();
    let before = picture(&env);
    round_in(&env, "git filter-repo --path secret --invert-paths --force").unwrap();
    let left = before.differences(&picture(&env));
    assert!(left.is_empty(), "{left:?}");
}

/// Objects that only the environment of the command leads to (`GIT_OBJECT_DIRECTORY`, a quarantine as servers use it) are kept
/// with the rest: the directory may be gone when the branch is wanted back.
#[test]
fn objects_elsewhere() {
    let env = TestEnv::new();
    let there = "GIT_OBJECT_DIRECTORY=$PWD/../odb GIT_ALTERNATE_OBJECT_DIRECTORIES=$PWD/.git/objects";
    env.sh(&format!("set -e\ngit init -q; {HISTORY}; mkdir ../odb; export {there}; git commit -q --allow-empty -m elsewhere; git branch kept"))
        .ok();
    let kept = env.sh("git rev-parse kept").ok().stdout;
    env.fr(&[
        "exec",
        "-c",
        &format!("{there} git branch -D kept; git reset -q --soft HEAD~1; rm -rf ../odb"),
    ]);
    env.sh("rm -rf ../odb").ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    let found = env.sh("git rev-parse kept; git cat-file -t kept");
    assert_eq!(found.stdout, format!("{kept}commit\n"), "{undo:?}");
}

/// A repository with 3,000 loose objects that nothing names, and scripts.
fn loose() -> TestEnv {
    let env = TestEnv::new();
    env.sh(&format!("git init -q; {HISTORY}; for n in $(seq 3000); do echo $n > ../x$n; echo $PWD/../x$n; done | git hash-object -w --stdin-paths >/dev/null"))
        .ok();
    env.sh("printf 'git branch -D topic; git commit -qam more; git repack -q\\n' > ../s.sh; printf 'git branch -D topic; git prune --expire=now\\n' > ../p.sh")
        .ok();
    env
}

/// Objects that nothing names are too many to keep before a script that may or may not touch the repository: the event
/// says so. After it their names tell that none of them went.
#[test]
fn loose_objects_that_were_not_kept_in_passing_are_all_there() {
    let env = loose();
    env.fr(&["exec", "-c", "sh ../s.sh"]).ok();
    let shown = env.fr(&["show", "1"]).ok().stdout;
    assert!(shown.contains("too many loose ones"), "{shown}");
    // What somebody prunes later is not the command's.
    env.sh("git prune --expire=now").ok();
    let undo = env.fr(&["undo", "1", "--yes"]).ok();
    assert!(undo.stdout.contains("undone and verified"), "{undo:?}");
    env.sh("git rev-parse topic").ok();
}

#[test]
fn loose_objects_that_a_script_pruned_are_named() {
    let env = loose();
    env.fr(&["exec", "-c", "sh ../p.sh"]).ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 3, "{undo:?}");
    assert!(undo.stdout.contains("too many loose ones"), "{undo:?}");
    env.sh("git rev-parse topic").ok();
    let both = loose();
    both.fr(&["exec", "-c", "sh ../s.sh"]).ok();
    both.fr(&["exec", "-c", "sh ../p.sh; git branch more"]);
    let undo = both.fr(&["undo", "1", "2", "--yes"]);
    assert_eq!(undo.code, 3, "{undo:?}");
}
