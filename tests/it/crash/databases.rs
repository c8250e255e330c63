//! An undo in a database by a policy, killed anywhere in `fr`: `--abort` goes back to exactly what was there before it, where
//! it had written, and is refused by nothing but a person's own writing.

use std::collections::BTreeMap;

use super::fault::can_trace;
use crate::env::{Output, TestEnv, run};
use crate::{mysql, postgres};

/// Runs `fr` and kills it at the n-th call of a kind that its main thread makes; without a fault the calls are counted.
fn traced(env: &TestEnv, args: &[&str], fault: Option<(&str, usize)>) -> (Output, BTreeMap<String, usize>) {
    let log = env.root().join("strace.log");
    let mut command = env.command("strace");
    command.args(["-qq", "-s", "0", "-o"]).arg(&log);
    match fault {
        Some((call, nth)) => {
            command.args([
                "-e",
                &format!("trace={call}"),
                "-e",
                &format!("inject={call}:signal=SIGKILL:when={nth}"),
            ]);
        }
        None => drop(command.args(["-e", "trace=write,openat,fdatasync,wait4"])),
    }
    command.arg(TestEnv::binary()).args(args);
    let output = run(command, b"");
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        if let Some((call, _)) = line.split_once('(') {
            *calls.entry(call.to_owned()).or_default() += 1;
        }
    }
    (output, calls)
}

/// Kills the undo at a spread of calls and gives it up.
fn given_up(env: &TestEnv, args: &[&str], code: i32, world: &dyn Fn() -> String, reset: &dyn Fn()) {
    let before = world();
    let store = |line: &str| {
        let mut sh = env.command("sh");
        sh.args(["-c", line]).current_dir(env.root());
        run(sh, b"").ok();
    };
    store("rm -rf kept-fr && cp -a fr kept-fr");
    let (whole, calls) = traced(env, args, None);
    assert_eq!(whole.code, code, "{whole:?}");
    assert_ne!(world(), before, "the undo wrote nothing");
    let (mut aborted, mut written) = (0, 0);
    for (call, last) in calls {
        for nth in [last / 3, last * 3 / 4, last].into_iter().filter(|n| *n > 0) {
            store("rm -rf fr && cp -a kept-fr fr");
            reset();
            assert_eq!(world(), before);
            traced(env, args, Some((&call, nth)));
            let killed = world();
            let abort = env.fr(&["undo", "--abort", "--yes"]);
            let what = format!("killed at {call} number {nth}");
            // 5: it had not begun, or it was done.
            assert!([0, 5].contains(&abort.code), "{what}: {abort:?}");
            if abort.code == 0 {
                assert_eq!(world(), before, "{what}: {abort:?}");
                (aborted, written) = (aborted + 1, written + usize::from(killed != before));
                let again = env.fr(args);
                assert_eq!(again.code, code, "{what}: {abort:?}, then {again:?}");
            }
        }
    }
    assert!(aborted > 3 && written > 0, "only {aborted} undos were given up, {written} of them had written");
}

const TABLES: &str = "create table users (id int primary key, name varchar(20), n int);
    create table kids (id int primary key, who int references users on delete cascade);
    insert into users values (1, 'one', 0), (2, 'two', 0), (3, 'three', 0), (4, 'four', 0), (5, 'five', 0);
    insert into kids values (1, 1), (2, 2), (3, 5);";
const PERSONS: &str = "update users set n = 7 where id = 2; insert into users values (5, 'somebody', 1);";
/// The world as it was when the undo was asked for.
const AGAIN: &str = "delete from kids; delete from users;
    insert into users values (1, 'x', 0), (2, 'x', 7), (3, 'x', 0), (4, 'x', 0), (5, 'somebody', 1);
    insert into kids values (1, 1), (2, 2);";
const LINE: &str = "UPDATE users SET name = 'x'; DELETE FROM users WHERE id = 5";

#[test]
fn a_forced_undo_in_postgres() {
    let Some(scene) = postgres::scene::Scene::new(TABLES).filter(|_| can_trace()) else { return };
    scene.agent(&format!("psql -qc \"{LINE}\"")).ok();
    scene.sql(PERSONS);
    let args = ["undo", "1", "--yes", "--on-conflict", "force"];
    given_up(&scene.env, &args, 0, &|| scene.world(), &|| drop(scene.sql(AGAIN)));
}

#[test]
fn a_merging_undo_of_several_events_in_postgres() {
    let Some(scene) = postgres::scene::Scene::new(TABLES).filter(|_| can_trace()) else { return };
    scene.agent("psql -qc \"UPDATE users SET name = 'y' WHERE id < 4\"").ok();
    scene.agent("psql -qc \"UPDATE users SET name = 'x' WHERE id <> 5\"").ok();
    scene.agent("psql -qc \"DELETE FROM users WHERE id = 5\"").ok();
    scene.sql("update users set n = 7 where id = 4");
    let again = "delete from kids; delete from users;
        insert into users values (1, 'x', 0), (2, 'x', 0), (3, 'x', 0), (4, 'x', 7); insert into kids values (1, 1), (2, 2);";
    let args = ["undo", "--session", "--yes", "--on-conflict", "merge"];
    given_up(&scene.env, &args, 0, &|| scene.world(), &|| drop(scene.sql(again)));
    assert_eq!(
        scene.sql("select string_agg(name || n, ',' order by id) from users"),
        "one0,two0,three0,four7,five0"
    );
}

#[test]
fn a_forced_undo_in_mysql() {
    let tables =
        TABLES.replace("who int references users", "who int, foreign key (who) references users (id)");
    let Some(scene) = mysql::scene::Scene::new(&tables).filter(|_| can_trace()) else { return };
    scene.agent(&format!("mysql DB -e \"{LINE}\"")).ok();
    scene.sql(PERSONS);
    let args = ["undo", "1", "--yes", "--on-conflict", "force"];
    given_up(&scene.env, &args, 0, &|| scene.world(), &|| drop(scene.sql(AGAIN)));
}
