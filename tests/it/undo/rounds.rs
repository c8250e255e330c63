//! A session that is taken back in rounds: what is older waits until what it is about is there again, and nothing else holds it up.

use super::project;
use crate::env::TestEnv;

fn undo(env: &TestEnv, args: &[&str]) -> crate::env::Output {
    env.fr(&[&["undo", "--yes"], args].concat())
}

/// A project with a database in it.
fn shop() -> TestEnv {
    let env = project();
    env.sh(
        "sqlite3 shop.db 'CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2)'",
    )
    .ok();
    env
}

/// What is in the database, and what git says.
fn says(env: &TestEnv) -> (String, String) {
    let of_git = env.sh("git for-each-ref; git stash list; git status --short").ok().stdout;
    (env.sh("sqlite3 shop.db .dump").ok().stdout, of_git)
}

/// The last thing that the agent did was to remove what it had moved away already. What it had done to the repository and the
/// database before is what matters, and must not be held up by it.
#[test]
fn a_last_command_that_did_nothing_does_not_end_the_undo_of_a_session() {
    let env = shop();
    let before = says(&env);
    env.claude_runs("sqlite3 shop.db 'DELETE FROM orders'");
    env.claude_runs("git branch -q -D topic");
    env.claude_runs("mv shop.db ../away.db");
    env.claude_runs("rm -rf .git");
    env.claude_runs("rm -f shop.db");
    let plan = env.fr(&["undo", "--session", "--dry-run"]).ok();
    assert!(plan.stdout.contains(".git"), "{plan:?}");
    let undone = undo(&env, &["--session"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(says(&env), before, "{undone:?}");
    assert!(!env.root().join("away.db").exists());
}

/// A stash took the database away with everything else that git does not know. The repository is where it was, all along.
#[test]
fn a_database_that_a_stash_took_away_is_no_conflict_of_the_repository() {
    let env = shop();
    let before = says(&env);
    env.claude_runs("sqlite3 shop.db 'DELETE FROM orders'");
    env.claude_runs("git stash push -q -u");
    let undone = undo(&env, &["--session"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(says(&env), before, "{undone:?}");
}
