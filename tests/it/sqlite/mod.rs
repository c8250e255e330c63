//! SQLite as people lose it: the real sqlite3, and what an agent does with a database file. Each test is an incident.

use crate::env::{Output, TestEnv};

struct Scene {
    env: TestEnv,
}

const SHOP: &str = "
PRAGMA journal_mode = WAL;
create table users (id integer primary key autoincrement, name text not null, note, size real, twice as (size * 2));
create table tags (user integer references users on delete cascade, tag text, primary key (user, tag)) without rowid;
create table log (at, what);
create index users_name on users (name);
create view big as select * from users where size > 3;
create trigger noted after delete on users begin insert into log values ('now', old.name); end;
create virtual table texts using fts5 (body);
insert into users (name, note, size) values ('a', null, 1.5), ('b', x'00ff', 0.1), ('c', 'line
two', 4), ('d', 7, 5.25);
insert into tags values (1, 'x'), (1, 'y'), (3, 'z');
insert into log values (1, 'same'), (1, 'same'), (2, null);
insert into texts values ('some words'), ('other words');
";

impl Scene {
    fn new() -> Scene {
        let scene = Scene { env: TestEnv::new() };
        scene.env.write("shop.sql", SHOP);
        scene.env.sh("sqlite3 shop.db < shop.sql").ok();
        scene
    }

    fn sql(&self, sql: &str) -> String {
        let mut sqlite = self.env.command("sqlite3");
        sqlite.args(["shop.db", sql]);
        crate::env::run(sqlite, b"").ok().stdout.trim_end().to_owned()
    }

    fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(line)
    }

    fn undo(&self) -> Output {
        let id = self.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0]["id"].to_string();
        self.env.fr(&["undo", "--yes", &id])
    }

    /// What sqlite3 itself says is in the file.
    fn world(&self) -> String {
        let dump = self.sql(".dump");
        let mut lines: Vec<&str> = dump.lines().filter(|l| !l.contains("sqlite_sequence")).collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    #[track_caller]
    fn comes_back(&self, before: &str, line: &str) {
        assert_ne!(self.world(), before, "{line}");
        let done = self.undo();
        assert_eq!(done.code, 0, "{line}: {done:?}");
        assert_eq!(self.world(), before, "{line}");
        assert_eq!(self.sql("PRAGMA integrity_check"), "ok");
    }
}

#[test]
fn whatever_was_done_inside_the_file_comes_back() {
    let scene = Scene::new();
    let before = scene.world();
    for line in [
        "sqlite3 shop.db 'DELETE FROM users'",
        "sqlite3 shop.db \"UPDATE users SET name = 'x', note = NULL WHERE id > 1\"",
        "sqlite3 shop.db 'UPDATE users SET id = id + 10'",
        "sqlite3 shop.db 'DELETE FROM log WHERE at = 1'",
        "sqlite3 shop.db \"INSERT INTO tags VALUES (2, 'new'); INSERT INTO log VALUES (1, 'same')\"",
        "sqlite3 shop.db 'PRAGMA foreign_keys = on; DELETE FROM users WHERE id = 1'",
        "sqlite3 shop.db 'DROP TABLE users'",
        "sqlite3 shop.db 'DROP INDEX users_name; DROP VIEW big; DROP TRIGGER noted'",
        "sqlite3 shop.db 'ALTER TABLE users DROP COLUMN note'",
        "sqlite3 shop.db 'ALTER TABLE users RENAME TO people'",
        "sqlite3 shop.db 'CREATE TABLE more AS SELECT * FROM users; CREATE INDEX i ON more (name)'",
        "sqlite3 shop.db \"DELETE FROM texts WHERE body MATCH 'some'\"",
        "sqlite3 shop.db 'DROP TABLE texts'",
        "sqlite3 -batch shop.db <<< 'DELETE FROM tags;'",
        "echo 'DELETE FROM users;' | sqlite3 shop.db",
        "sqlite3 shop.db '.read wipe.sql'",
        "sqlite3 shop.db < wipe.sql",
    ] {
        scene.env.write("wipe.sql", "BEGIN; DELETE FROM log; UPDATE users SET size = 0; COMMIT;\n");
        scene.agent(line).ok();
        scene.comes_back(&before, line);
    }
}

#[test]
fn a_file_that_is_gone_or_new_is_put_back_or_removed() {
    let scene = Scene::new();
    scene.agent("sqlite3 fresh.db 'CREATE TABLE t (a)'").ok();
    assert!(scene.env.exists("fresh.db"));
    assert_eq!(scene.undo().code, 0);
    assert!(!scene.env.exists("fresh.db"));
    let before = scene.world();
    scene.agent("sqlite3 shop.db 'DELETE FROM users' && rm shop.db shop.db-wal shop.db-shm -f").ok();
    let done = scene.undo();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(scene.world(), before);
}

#[test]
fn what_others_changed_since_stays() {
    let scene = Scene::new();
    scene.agent("sqlite3 shop.db \"UPDATE users SET name = 'oops'\"").ok();
    scene.sql("UPDATE users SET name = 'right' WHERE id = 2; INSERT INTO users (name) VALUES ('new'); DELETE FROM tags");
    let done = scene.undo();
    assert_eq!(done.code, 4, "{done:?}");
    assert!((done.stdout.clone() + &done.stderr).contains("1 row was changed since"), "{done:?}");
    assert_eq!(scene.sql("SELECT count(*) FROM users WHERE name = 'oops'"), "3");
    assert_eq!(scene.env.fr(&["undo", "--yes", "--on-conflict", "skip", "1"]).code, 3);
    assert_eq!(
        scene.sql("SELECT group_concat(name, ',') FROM (SELECT name FROM users ORDER BY id)"),
        "a,right,c,d,new"
    );
    assert_eq!(scene.sql("SELECT count(*) FROM tags"), "0");
}

#[test]
fn an_undo_can_be_taken_back_while_the_file_is_open_elsewhere() {
    let scene = Scene::new();
    let before = scene.world();
    scene.agent("sqlite3 shop.db 'DELETE FROM users WHERE id < 3'").ok();
    let deleted = scene.world();
    let mut reader = scene.env.command("sqlite3");
    let mut reader = reader
        .arg("shop.db")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(reader.stdin.as_mut().unwrap(), b"BEGIN; SELECT count(*) FROM users;\n")
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    scene.comes_back(&before, "delete");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert_eq!(scene.world(), deleted);
    drop(reader.stdin.take());
    reader.wait().unwrap();
}

#[test]
fn what_only_reads_is_not_captured_and_what_is_no_database_is_named() {
    let scene = Scene::new();
    for line in [
        "sqlite3 shop.db .tables",
        "sqlite3 -readonly shop.db 'SELECT 1'",
        "sqlite3 -json shop.db 'select * from users'",
        "sqlite3 :memory: 'create table t (a)'",
    ] {
        let out = scene.env.fr(&["explain", "--json", "-c", line]).ok().json();
        assert_eq!(out["class"], "none", "{line}");
    }
    scene.env.write(
        "text.db",
        "this is no database, only text that is long enough to be read as a header of one, and more",
    );
    scene.env.claude_pre("sqlite3 text.db 'DROP TABLE t'");
    let shown = scene.env.fr(&["show", "1"]).ok().stdout;
    assert!(shown.contains("not a database"), "{shown}");
    scene.agent("sqlite3 shop.db 'DELETE FROM users'").ok();
    scene.env.fr(&["restore", "2", "--to", "old"]).ok();
    assert_eq!(scene.env.sh("sqlite3 old/shop.db 'select count(*) from users'").ok().stdout, "4\n");
}

#[test]
fn of_a_large_file_only_the_rows_are_kept_that_a_condition_tells() {
    let scene = Scene::new();
    std::fs::create_dir_all(&scene.env.fr_home).unwrap();
    let config = scene.env.fr_home.join("config.toml");
    std::fs::write(&config, "[caps]\ndatabase_rows_above = 0\n").unwrap();
    // What a trigger does is not followed: there the whole file is copied still.
    scene.agent("sqlite3 shop.db 'DELETE FROM users WHERE id = 4'").ok();
    assert_eq!(scene.undo().code, 0);
    scene.sql("DROP TRIGGER noted");
    scene.sql("INSERT INTO log SELECT value, hex(randomblob(500)) FROM generate_series(10, 20000)");
    let before = scene.world();
    let stored =
        || scene.env.sh("du -sb $FR_HOME/packs | cut -f1").ok().stdout.trim().parse::<u64>().unwrap();
    let size = stored();
    for line in [
        "sqlite3 shop.db 'PRAGMA foreign_keys = on; DELETE FROM users WHERE id IN (1, 3)'",
        "sqlite3 shop.db \"UPDATE users SET name = 'x', note = NULL, size = 9 WHERE size > 3\"",
        "sqlite3 shop.db 'DELETE FROM log WHERE at < 12'",
        "sqlite3 shop.db <<'X'\nBEGIN;\nDELETE FROM tags WHERE user = 1;\nUPDATE users SET size = 0 WHERE id = 2;\nCOMMIT;\nX",
    ] {
        scene.agent(line).ok();
        scene.comes_back(&before, line);
    }
    assert!(stored() - size < 2_000_000, "{} bytes for a few rows", stored() - size);
    // What somebody changed since stays, and undo can be taken back.
    scene.agent("sqlite3 shop.db \"UPDATE users SET name = 'oops' WHERE id < 3\"").ok();
    scene.sql("UPDATE users SET name = 'right' WHERE id = 2");
    assert_eq!(scene.undo().code, 4);
    let id = scene.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0]["id"].to_string();
    assert_eq!(scene.env.fr(&["undo", "--yes", "--on-conflict", "skip", &id]).code, 3);
    assert_eq!(scene.sql("SELECT group_concat(name) FROM users WHERE id < 3"), "a,right");
    scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!(scene.sql("SELECT group_concat(name) FROM users WHERE id < 3"), "oops,right");
    // A file that is too large for anything else is named.
    std::fs::write(&config, "[caps]\ndatabase_file_bytes = 1000\n").unwrap();
    scene.agent("sqlite3 shop.db 'DROP TABLE log'").ok();
    let told = format!("{:?}", scene.undo());
    assert!(told.contains("larger than what is copied"), "{told}");
}

/// The session of an agent that worked on files and in the database: one undo, and no step of the database is left out.
#[test]
fn a_session_on_files_and_rows_is_taken_back_as_one() {
    let scene = Scene::new();
    scene.env.write("docs/a.txt", "a");
    let before = scene.world();
    scene.agent("sqlite3 shop.db 'DELETE FROM tags'").ok();
    scene.agent("rm -rf docs").ok();
    scene.agent("sqlite3 shop.db \"UPDATE users SET name = 'x'\"").ok();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!((undo.code, scene.world(), scene.env.read("docs/a.txt")), (0, before, "a".into()), "{undo:?}");
    assert!(undo.stdout.contains("sql:"), "{undo:?}");
    scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!((scene.sql("SELECT count(*) FROM tags"), scene.env.exists("docs")), ("0".into(), false));
    // Only what lies below a path is meant: the database does.
    let part = scene.env.fr(&["undo", "--session", "--path", "shop.db", "--dry-run"]);
    assert!(part.stdout.contains("sql:") && !part.stdout.contains("docs"), "{part:?}");
}

/// Rows that several commands of a session changed come back to what they were before the first of them: of a file that is
/// copied, and of one of which only rows are kept.
#[test]
fn commands_on_the_same_rows_are_taken_back_as_one() {
    for above in [1 << 30, 0] {
        let scene = Scene::new();
        // Triggers would have the whole file copied.
        scene.sql("drop trigger noted");
        let config = scene.env.root().join("fr/config.toml");
        std::fs::create_dir_all(config.parent().unwrap()).unwrap();
        std::fs::write(&config, format!("[caps]\ndatabase_rows_above = {above}\n")).unwrap();
        let before = scene.world();
        for sql in [
            "UPDATE users SET name = 'x' WHERE id <= 3",
            "UPDATE users SET note = 'y' WHERE id IN (2, 4)",
            "DELETE FROM tags WHERE user = 3",
            "DELETE FROM users WHERE id IN (2, 4)",
        ] {
            scene.agent(&format!("sqlite3 shop.db \"{sql}\"")).ok();
        }
        let after = scene.world();
        let undo = scene.env.fr(&["undo", "--session", "--yes"]);
        assert!((undo.code, scene.world()) == (0, before.clone()), "{above}: {undo:?}");
        let redo = scene.env.fr(&["redo", "--yes"]);
        assert!((redo.code, scene.world()) == (0, after), "{above}: {redo:?}");
        scene.sql("UPDATE users SET note = 'right' WHERE id = 1");
        let undo = scene.env.fr(&["undo", "--session", "--yes"]);
        assert_eq!(undo.code, 4, "{above}: {undo:?}");
    }
}

/// "The database is broken, I make it anew": rows go, the file goes, another one takes its place, each by a command of its own.
#[test]
fn a_file_that_a_session_emptied_removed_and_made_anew_is_what_it_was() {
    for removes in ["rm shop.db", "mv shop.db old.db", "rm -rf shop.db*"] {
        let scene = Scene::new();
        scene.env.sh("sqlite3 shop.db 'PRAGMA journal_mode = delete; PRAGMA user_version = 7' && chmod 640 shop.db").ok();
        let look =
            || (scene.world(), scene.sql("PRAGMA user_version"), scene.env.sh("stat -c %a shop.db").stdout);
        let before = look();
        for line in [
            "sqlite3 shop.db 'DELETE FROM users WHERE id = 1'",
            removes,
            "sqlite3 shop.db 'CREATE TABLE t (a)'",
            "sqlite3 shop.db 'INSERT INTO t VALUES (1)'",
        ] {
            scene.agent(line).ok();
        }
        let undo = scene.env.fr(&["undo", "--session", "--yes"]);
        assert_eq!(undo.code, 0, "{removes}: {undo:?}");
        assert_eq!(look(), before, "{removes}: {undo:?}");
        assert!(!scene.env.exists("old.db"), "{removes}");
    }
}

/// The same where nothing was done in the database before: what the second command made goes, and that the first one removed
/// comes.
#[test]
fn a_file_that_one_command_removed_and_another_made_anew_comes_back() {
    let scene = Scene::new();
    let before = scene.world();
    scene.agent("rm -f shop.db shop.db-wal shop.db-shm").ok();
    scene.agent("sqlite3 shop.db 'CREATE TABLE t (a)'").ok();
    let shown = scene.env.fr(&["undo", "--session", "--dry-run"]);
    assert!(shown.stderr.contains("then 1: planned when 2 has been taken back"), "{shown:?}");
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before), "{undo:?}");
    // What somebody wrote into the new file is nobody's to remove.
    scene.agent("rm -f shop.db shop.db-wal shop.db-shm").ok();
    scene.agent("sqlite3 shop.db 'CREATE TABLE t (a)'").ok();
    scene.sql("INSERT INTO t VALUES ('somebody')");
    let undo = scene.env.fr(&["undo", "--last", "2", "--yes"]);
    assert_eq!((undo.code, scene.sql("SELECT a FROM t")), (4, "somebody".into()), "{undo:?}");
}

/// Another file that was copied over it is no work of SQLite's: what was done in it is taken back, and the copy is not said to be
/// undone while the bytes are not as it left them.
#[test]
fn a_file_that_was_copied_over_a_database_is_not_passed_over() {
    let scene = Scene::new();
    scene
        .env
        .sh("sqlite3 shop.db 'PRAGMA journal_mode = delete'; sqlite3 empty.db 'PRAGMA user_version = 1'")
        .ok();
    let before = scene.world();
    scene.agent("cp empty.db shop.db").ok();
    scene.agent("sqlite3 shop.db 'CREATE TABLE t (a)'").ok();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(undo.code, 3, "{undo:?}");
    assert!(
        undo.stderr.contains("but not 1") && undo.stderr.contains("shop.db: it was changed since"),
        "{undo:?}"
    );
    let undo = scene.env.fr(&["undo", "1", "--yes", "--on-conflict", "force"]);
    assert!(scene.world() == before, "{undo:?}");
}

/// One line that removes the file and makes another has one capture of it: what is in it comes back, with the numbers of its
/// header and who may read it.
#[test]
fn a_file_that_one_line_removed_and_made_anew_has_its_old_mode_and_version() {
    let scene = Scene::new();
    scene.env.sh("sqlite3 shop.db 'PRAGMA journal_mode = delete; PRAGMA user_version = 7; PRAGMA application_id = 9' && chmod 640 shop.db").ok();
    let look = || {
        let own = scene.sql("PRAGMA user_version; PRAGMA application_id");
        (scene.world(), own, scene.env.sh("stat -c %a shop.db").stdout)
    };
    let before = look();
    for line in [
        "rm shop.db; sqlite3 shop.db 'CREATE TABLE t (a)'",
        "sqlite3 shop.db 'DELETE FROM users' && rm shop.db",
        "sqlite3 shop.db 'PRAGMA user_version = 8'",
        "chmod 600 shop.db && sqlite3 shop.db 'DELETE FROM tags'",
    ] {
        scene.agent(line).ok();
        let undo = scene.undo();
        assert_eq!(undo.code, 0, "{line}: {undo:?}");
        assert_eq!(look(), before, "{line}: {undo:?}");
    }
}

/// A command that was killed tells nobody what it left: it is taken back by itself, after what came later; rows that it may have
/// added stay, and that is said.
#[test]
fn a_table_that_went_after_a_command_that_was_killed_comes_back_with_the_session() {
    let scene = Scene::new();
    scene.sql("DROP TRIGGER noted");
    let before = scene.world();
    let killed = |line: &str| {
        scene.env.claude_pre(line);
        scene.env.sh(line).ok();
    };
    killed("sqlite3 shop.db 'DELETE FROM users WHERE id < 3'");
    scene.agent("sqlite3 shop.db 'DROP TABLE users'").ok();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before), "{undo:?}");
    killed("sqlite3 shop.db \"INSERT INTO log VALUES (9, 'new'); CREATE TABLE more (a)\"");
    let undo = scene.undo();
    assert_eq!(undo.code, 5, "{undo:?}");
    let told = format!("{undo:?}");
    assert!(told.contains("sql:log[1 new rows]") && told.contains("sql:table:more"), "{told}");
}

/// What the client reads when it starts (`~/.sqliterc`) counts for nothing: `fr` reads and writes the file without the client.
#[test]
fn no_client_is_started_for_a_capture_and_an_undo() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new();
    let before = scene.world();
    let (bin, ran) = (scene.env.root().join("hostile"), scene.env.root().join("ran"));
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("sqlite3"), format!("#!/bin/sh\ntouch '{}'\n", ran.display())).unwrap();
    std::fs::set_permissions(bin.join("sqlite3"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = ("PATH".to_owned(), format!("{}:{}", bin.display(), scene.env.path()));
    for sql in ["DELETE FROM tags", "DROP TABLE users"] {
        let line = format!("sqlite3 shop.db '{sql}'");
        scene.env.vars.push(path.clone());
        let call = scene.env.claude_pre(&line);
        scene.env.vars.pop();
        scene.env.sh(&line).ok();
        assert_ne!(scene.world(), before, "{line}");
        scene.env.vars.push(path.clone());
        scene.env.claude_post(&call);
        let out = scene.undo();
        scene.env.vars.pop();
        assert!((out.code, scene.world()) == (0, before.clone()), "{line}: {out:?}");
    }
    assert!(!ran.exists(), "the client was started");
    scene.env.vars.push(path);
    scene.env.sh("sqlite3 shop.db 'SELECT 1'").ok();
    assert!(ran.exists(), "the program is not in front of the others at all");
}
