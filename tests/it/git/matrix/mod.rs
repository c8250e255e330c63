//! The table of git commands: each row is run through the built `fr` in a real repository with real remotes, taken back,
//! and everything is compared: refs, HEAD, reflogs, index, stash, configuration, working trees, submodules, objects and
//! the remotes' refs.

mod formats;
mod hostile;
mod local;
mod moved;
mod picture;
mod reftable;
mod remote;
mod sample;
mod variants;
mod world;

pub use picture::picture;
pub use world::{world, world_of_tables};

use crate::env::TestEnv;

/// A row: what happens before the recorder is there, and the recorded line.
pub struct Row {
    pub before: &'static str,
    pub line: &'static str,
}

/// Runs each row in a world of its own and panics with all that did not come back.
#[track_caller]
pub fn come_back(rows: &[Row]) {
    come_back_in(world, rows);
}

/// The same in copies of another world.
#[track_caller]
pub fn come_back_in(world: fn() -> TestEnv, rows: &[Row]) {
    let round = |row: &Row| {
        let env = world();
        env.sh(row.before);
        round_in(&env, row.line)
    };
    let failures: Vec<String> = rows.iter().filter_map(|row| round(row).err()).collect();
    assert!(failures.is_empty(), "{} of {} rows:\n{}", failures.len(), rows.len(), failures.join("\n\n"));
}

/// The line through `fr exec`, its undo, and the comparison.
pub fn round_in(env: &TestEnv, line: &str) -> Result<(), String> {
    let before = picture(env);
    let ran = env.fr(&["exec", "-c", line]);
    let destroyed = picture(env);
    let fail = |what: String| Err(format!("### {line}\n{what}"));
    if !before.is_other(&destroyed) {
        return fail(format!("changed nothing, so the row proves nothing: {ran:?}"));
    }
    let undo = env.fr(&["undo", "1", "--yes"]);
    let left = before.differences(&picture(env));
    if undo.code != 0 || !undo.stdout.contains("undone and verified") || !left.is_empty() {
        return fail(format!(
            "ran: {ran:?}\nundo: {} {}{}\n{}",
            undo.code,
            undo.stdout,
            undo.stderr,
            left.join("\n")
        ));
    }
    let fsck = env.sh("git fsck --connectivity-only");
    // git does not write the empty tree that its own sentinel commit names.
    if fsck.code != 0 && !fsck.stderr.is_empty() {
        return fail(format!("fsck: {fsck:?}"));
    }
    Ok(())
}
