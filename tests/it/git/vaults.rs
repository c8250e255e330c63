//! Vaults live as long as a capture needs them: `fr store gc` takes those that nothing needs any longer.

use crate::env::TestEnv;

fn vaults(env: &TestEnv) -> Vec<String> {
    let dir = env.fr_home.join("git").read_dir().unwrap();
    dir.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A repository whose branch an agent deleted and whose commits git then pruned: only the vault has them.
fn deleted_branch() -> TestEnv {
    let env = TestEnv::with_git();
    env.sh("set -e; git commit -q --allow-empty -m one; git checkout -q -b topic; echo x > x; git add x; \
            git commit -qm topic; git checkout -q -")
        .ok();
    env.claude_runs("git branch -D topic; git reflog expire --expire=now --all; git gc -q --prune=now");
    env
}

#[test]
fn gc_removes_a_vault_only_when_its_events_have_expired() {
    let env = deleted_branch();
    assert_eq!(vaults(&env).len(), 1);
    // Young events, and then an old one within the grace time, keep it.
    let young = env.fr(&["store", "gc", "--grace", "0s"]).ok();
    assert!(!young.stdout.contains("vault"), "{young:?}");
    let used = env.fr(&["store", "gc", "--keep-within", "0s"]).ok();
    assert!(!used.stdout.contains("vault"), "{used:?}");
    assert_eq!(vaults(&env).len(), 1);
    env.fr(&["store", "pin", "1"]).ok();
    env.fr(&["store", "gc", "--keep-within", "0s", "--grace", "0s"]).ok();
    assert_eq!(vaults(&env).len(), 1, "a pinned event needs it");
    env.fr(&["undo", "1", "--yes"]).ok();
    env.sh("git rev-parse topic^{tree}").ok();
}

#[test]
fn an_expired_vault_goes_and_the_next_capture_makes_a_new_one() {
    let env = deleted_branch();
    let dry = env.fr(&["store", "gc", "--keep-within", "0s", "--grace", "0s", "--dry-run"]).ok();
    assert!(
        dry.stdout.contains("would remove the git vault of ") && dry.stdout.contains("project/.git"),
        "{dry:?}"
    );
    assert_eq!(vaults(&env).len(), 1);
    let gone = env.fr(&["store", "gc", "--keep-within", "0s", "--grace", "0s"]).ok();
    assert!(gone.stdout.contains("removed the git vault of "), "{gone:?}");
    assert_eq!(vaults(&env), Vec::<String>::new());
    env.sh("git checkout -q -b other; git commit -q --allow-empty -m other; git checkout -q -").ok();
    env.claude_runs("git branch -D other; git reflog expire --expire=now --all; git gc -q --prune=now");
    assert_eq!(vaults(&env).len(), 1);
    env.fr(&["undo", "--yes"]).ok();
    env.sh("git rev-parse other").ok();
}

/// The vault has known the project for long. What a person amended since is named by a reflog only, and a script that removes
/// the repository takes it along with the rest.
#[test]
fn old_versions_of_commits_come_back_with_a_repository_that_a_script_removed() {
    let env = TestEnv::with_git();
    env.write("clean.py", "import shutil\nshutil.rmtree('.git')\n");
    env.claude_runs("git tag first");
    env.sh("git commit -q --allow-empty -m 'as I had it' && git commit -q --amend --allow-empty -m better")
        .ok();
    env.claude_runs("python3 clean.py; git init -q; git add -A; git commit -qm new");
    env.fr(&["undo", "2", "--yes"]).ok();
    assert_eq!(env.sh("git log -1 --format=%s HEAD@{1}").ok().stdout.trim(), "as I had it");
    let sound = env.sh("git fsck").ok();
    assert!(!sound.stderr.contains("invalid reflog entry"), "{sound:?}");
}
