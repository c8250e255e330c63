//! Servers that do not answer, passwords that are wrong, secrets that must not be told.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::scene::Scene;
use crate::env::TestEnv;

#[test]
fn a_server_that_hangs_does_not_hang_the_agent() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut env = TestEnv::new();
    for (name, value) in [
        ("PGHOST", "127.0.0.1".to_owned()),
        ("PGPORT", port.to_string()),
        ("PGCONNECT_TIMEOUT", "60".to_owned()),
    ] {
        env.vars.push((name.to_owned(), value));
    }
    std::fs::create_dir_all(&env.fr_home).unwrap();
    std::fs::write(env.fr_home.join("config.toml"), "[caps]\ndatabase_seconds = 2\n").unwrap();
    let begun = Instant::now();
    let call = env.claude_pre("psql -c 'DROP TABLE users'");
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let event = env.fr(&["show", "1"]).ok().stdout;
    assert!(event.contains("did not end within"), "{event}");
}

#[test]
fn no_server_no_psql_and_no_password_are_named() {
    let env = TestEnv::new();
    env.claude_pre("psql -h 127.0.0.1 -p 1 -c 'DROP TABLE users'");
    let event = env.fr(&["show", "1"]).ok().stdout;
    assert!(event.contains("Connection refused"), "{event}");
    env.claude_pre("sudo -u postgres psql -c 'DROP TABLE users'");
    let event = env.fr(&["show", "2"]).ok().stdout;
    assert!(event.contains("another user"), "{event}");
    env.claude_pre("psql -c \"DROP TABLE $(cat name)\"");
    let event = env.fr(&["show", "3"]).ok().stdout;
    assert!(event.contains("not known before it runs"), "{event}");
}

#[test]
fn a_password_and_the_rows_stay_out_of_the_record() {
    let Some(scene) = Scene::new(
        "create table people (id int primary key, ssn text); insert into people values (1, 'sql-secret-in-object')",
    ) else {
        return;
    };
    let socket = scene.env.vars.iter().find(|(n, _)| n == "PGHOST").unwrap().1.clone();
    scene
        .agent(&format!(
            "psql 'postgres://postgres:pw-not-in-record@/{}?host={socket}' -c 'DELETE FROM people'",
            scene.db
        ))
        .ok();
    assert_eq!(scene.event()["captures"].as_array().unwrap().len(), 1);
    assert_eq!(scene.undo().code, 0);
    assert_eq!(scene.sql("select ssn from people"), "sql-secret-in-object");
    let mut told = String::new();
    for args in [["timeline", "--json"], ["show", "1"], ["diff", "1"], ["show", "2"]] {
        let out = scene.env.fr(&args);
        told += &(out.stdout + &out.stderr);
    }
    for entry in walk(&scene.env.fr_home.join("journal")) {
        told += &String::from_utf8_lossy(&std::fs::read(entry).unwrap());
    }
    assert!(!told.contains("pw-not-in-record") && !told.contains("sql-secret-in-object"), "{told}");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn an_undo_in_another_database_is_refused() {
    let Some(scene) = Scene::new("create table t (id int primary key); insert into t values (1)") else {
        return;
    };
    scene.agent("psql -c 'DELETE FROM t'").ok();
    let db = &scene.db;
    scene.env.sh(&format!("PGDATABASE=postgres dropdb {db}; PGDATABASE=postgres createdb {db}")).ok();
    scene.sql("create table t (id int primary key)");
    let done = scene.undo();
    assert_ne!(done.code, 0, "{done:?}");
    assert!(done.stderr.contains("another database"), "{done:?}");
    assert_eq!(scene.sql("select count(*) from t"), "0");
}

#[test]
fn the_old_rows_can_be_had_as_files() {
    let Some(scene) =
        Scene::new("create table t (id int primary key, v text); insert into t values (1, 'a'), (2, null)")
    else {
        return;
    };
    scene.agent("psql -c 'DROP TABLE t'").ok();
    scene.env.fr(&["restore", "1", "--to", "old"]).ok();
    assert_eq!(scene.env.read("old/public.t.tsv"), "id\tv\n1\ta\n2\t\\N\n");
    assert!(scene.env.read("old/definitions.sql").contains("CREATE TABLE public.t"));
}

#[test]
fn a_wrong_password_is_named_and_a_service_with_a_password_file_is_followed() {
    let Some(scene) = Scene::new(
        "create table t (id int primary key); insert into t values (1); do $$ begin create role locked superuser login password 'right-word'; \
         exception when duplicate_object then null; end $$",
    ) else {
        return;
    };
    let dir = scene.env.vars.iter().find(|(n, _)| n == "PGHOST").unwrap().1.clone();
    let db = &scene.db;
    let call = scene.env.claude_pre(&format!("PGPASSWORD=wrong-word psql -U locked {db} -c 'DELETE FROM t'"));
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""));
    let event = scene.env.fr(&["show", "1"]).ok().stdout;
    assert!(event.contains("password authentication failed") && !event.contains("wrong-word"), "{event}");
    scene.env.write("services", format!("[shop]\nhost={dir}\ndbname={db}\nuser=locked\n"));
    scene.env.write("pass", format!("*:*:{db}:locked:right-word\n"));
    scene.env.sh("chmod 600 pass").ok();
    scene.agent("env -u PGHOST -u PGDATABASE -u PGUSER PGSERVICEFILE=services PGPASSFILE=pass psql service=shop -c 'DELETE FROM t'").ok();
    assert_eq!(scene.sql("select count(*) from t"), "0");
    let done = scene.undo();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(scene.sql("select count(*) from t"), "1");
    let told = scene.env.sh("cat $FR_HOME/journal/* $FR_HOME/open.log | strings").stdout;
    assert!(!told.contains("right-word") && !told.contains("wrong-word"));
}

/// The client's start file is the user's, and an agent may have written it: where `fr` itself calls the client it does not count.
#[test]
fn a_start_file_of_the_client_runs_nothing_and_changes_nothing_of_a_capture_and_an_undo() {
    let Some(scene) =
        Scene::new("create table t (id int primary key, v text); insert into t values (1, 'a'), (2, null)")
    else {
        return;
    };
    let ran = scene.env.root().join("ran");
    let hostile = format!(
        "\\! touch '{}'\nINSERT INTO t VALUES (7, 'by the start file');\n\\pset null 'NULL!'\n\\pset format html\n\\set AUTOCOMMIT off\n\
         \\set ON_ERROR_ROLLBACK on\n\\set ECHO all\n\\timing on\nSET search_path = pg_catalog;\nBEGIN;\n",
        ran.display()
    );
    std::fs::write(scene.env.home.join(".psqlrc"), &hostile).unwrap();
    let mut scene = scene;
    let other = scene.env.write("other-start-file", &hostile);
    scene.env.vars.push(("PSQLRC".to_owned(), other.display().to_string()));
    // It does what it says where it counts.
    scene.env.sh("psql -c 'SELECT 1'");
    assert!(ran.exists(), "the start file is not hostile at all");
    std::fs::remove_file(&ran).unwrap();
    let before = scene.world();
    for line in
        ["psql -X -c 'DELETE FROM t'", "psql -X -c 'DROP TABLE t'", "psql -X -c \"UPDATE t SET v = 'x'\""]
    {
        scene.agent(line).ok();
        assert_ne!(scene.world(), before, "{line}");
        scene.comes_back(&before);
    }
    scene.agent(&format!("dropdb {}", scene.db)).ok();
    scene.comes_back(&before);
    assert!(!ran.exists(), "the start file ran");
}
