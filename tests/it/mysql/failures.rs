//! Servers that do not answer, passwords that are wrong, option files that want to run things, secrets that must not be told.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::scene::Scene;
use crate::env::TestEnv;

#[test]
fn no_server_a_silent_one_and_a_wrong_password_are_named() {
    let Some(scene) = Scene::new("create table t (id int primary key); insert into t values (1)") else {
        return;
    };
    let said = |env: &TestEnv, line: &str| {
        env.claude_pre(line);
        let id = env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0]["id"].to_string();
        env.fr(&["show", &id]).ok().stdout
    };
    let port = &scene.port;
    let event = said(&scene.env, "mysql -h 127.0.0.1 -P 1 -u app -e 'DROP TABLE t'");
    assert!(event.contains("Can't connect"), "{event}");
    let event = said(
        &scene.env,
        &format!("mysql -h 127.0.0.1 -P {port} -u app -pwrong-word {} -e 'DELETE FROM t'", scene.db),
    );
    assert!(event.contains("Access denied") && !event.contains("wrong-word"), "{event}");
    let event = said(&scene.env, "mysql -u root -p -e 'DROP TABLE t'");
    assert!(event.contains("typed by a person"), "{event}");
    let event = said(&scene.env, "sudo mysql -e 'DROP TABLE t'");
    assert!(event.contains("another user"), "{event}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    std::fs::write(scene.env.fr_home.join("config.toml"), "[caps]\ndatabase_seconds = 2\n").unwrap();
    let begun = Instant::now();
    let event =
        said(&scene.env, &format!("mysql --connect-timeout=60 -h 127.0.0.1 -P {port} -e 'DROP TABLE t'"));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(event.contains("did not end within"), "{event}");
}

#[test]
fn an_option_file_leads_to_the_server_and_runs_nothing() {
    let Some(scene) = Scene::new(
        "create table t (id int primary key, v text); insert into t values (1, 'sql-secret-in-object')",
    ) else {
        return;
    };
    let (db, port) = (&scene.db, &scene.port);
    scene.env.write(
        ".my.cnf",
        format!("[client]\nuser=app\npassword=\"hush-hush\"\nhost=127.0.0.1\nport={port}\nplugin-dir=/nowhere\n[mysql]\ndatabase={db}\npager=touch pager-ran\n"),
    );
    scene.env.write("hostile.cnf", format!("[client]\nuser=app\npassword=hush-hush\nhost=127.0.0.1\nport={port}\ninit-command=\"INSERT INTO {db}.t VALUES (7, 'by init')\"\ntee={}/teed\n", scene.env.project.display()));
    scene.env.sh("cp .my.cnf \"$HOME/.my.cnf\"").ok();
    let before = scene.env.claude_pre("mysql -e 'DELETE FROM t'");
    assert_eq!(before.answer.code, 0);
    let shown = scene.env.fr(&["show", "1"]).ok().stdout;
    assert!(
        shown.contains("1 item") || shown.contains("1 row") || !shown.contains("not captured"),
        "{shown}"
    );
    scene.env.claude_pre(&format!("mysql --defaults-file=hostile.cnf {db} -e 'DELETE FROM t WHERE id = 1'"));
    assert_eq!(scene.sql("select group_concat(id) from t"), "1", "no init-command of ours ran");
    assert!(!scene.env.project.join("teed").exists() && !scene.env.project.join("pager-ran").exists());
    let mut told = String::new();
    for args in [["timeline", "--json"], ["show", "1"], ["show", "2"], ["diff", "2"]] {
        let out = scene.env.fr(&args);
        told += &(out.stdout + &out.stderr);
    }
    told += &scene.env.sh("cat $FR_HOME/journal/* $FR_HOME/open.log | strings").stdout;
    assert!(!told.contains("hush-hush") && !told.contains("sql-secret-in-object"), "{told}");
}

#[test]
fn a_password_on_the_line_reaches_the_server_and_no_record() {
    let Some(scene) = Scene::new(
        "create table t (id int primary key, v text); insert into t values (1, 'sql-secret-in-object')",
    ) else {
        return;
    };
    scene.agent("mysql -h 127.0.0.1 -P PORT -u app -phush-hush DB -e 'DELETE FROM t'").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(scene.sql("select v from t"), "sql-secret-in-object");
    scene.agent("MYSQL_PWD=hush-hush mysql --host=127.0.0.1 --port=PORT --user=app --database=DB -e 'DELETE FROM t'").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(scene.sql("select v from t"), "sql-secret-in-object");
    let told = scene.env.sh("cat $FR_HOME/journal/* $FR_HOME/open.log | strings").stdout;
    assert!(!told.contains("hush-hush") && !told.contains("sql-secret-in-object"), "{told}");
}

/// The same of the file in the home directory, where the server is found by it: its `init-command` is run by nobody but the
/// agent's own client.
#[test]
fn the_option_file_at_home_runs_nothing_in_a_capture_and_an_undo() {
    let Some(scene) =
        Scene::new("create table t (id int primary key, v text); insert into t values (1, 'a'), (2, null)")
    else {
        return;
    };
    let (before, db, home) = (scene.world(), &scene.db, scene.env.home.join(".my.cnf"));
    let plain = std::fs::read_to_string(&home).unwrap();
    let hostile = format!(
        "{plain}init-command=\"INSERT INTO {db}.t VALUES (7, 'by init')\"\n[mysql]\nhtml\npager=touch pager-ran\ntee={}\n",
        scene.env.project.join("teed").display()
    );
    let line = format!("mysql {db} -e 'DELETE FROM t'");
    std::fs::write(&home, &hostile).unwrap();
    let call = scene.env.claude_pre(&line);
    assert_eq!(scene.world(), before, "the capture ran it");
    std::fs::write(&home, &plain).unwrap();
    scene.env.sh(&line).ok();
    std::fs::write(&home, &hostile).unwrap();
    scene.env.claude_post(&call);
    let out = scene.undo();
    assert_eq!((out.code, scene.world()), (0, before), "{out:?}");
    for name in ["pager-ran", "teed"] {
        assert!(!scene.env.project.join(name).exists(), "{name}");
    }
    // It does what it says where it counts.
    scene.env.sh(&format!("mysql {db} -e 'SELECT 1'"));
    assert_eq!(
        scene.sql("select count(*) from t where id = 7"),
        "1",
        "the option file is not hostile at all"
    );
}
