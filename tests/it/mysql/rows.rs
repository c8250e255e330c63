//! Rows that a statement deletes, changes or adds.

use super::scene::Scene;

/// Values of all types, orders that go with their users, notes that lose them, and a table that nobody touches.
pub const SHOP: &str = "
create table users (id int auto_increment primary key, name varchar(60) not null, note text, old varchar(20) character set latin1,
  raw varbinary(40), f float, d double, bits bit(12), at timestamp(3) null, day date, dur time, e enum('a','b'), tags set('x','y'),
  j json, g point, money decimal(20,5), upper_name varchar(60) as (upper(name)) stored, len int as (char_length(name)) virtual,
  seen timestamp default current_timestamp on update current_timestamp, key k (name)) engine=InnoDB;
create table orders (id bigint auto_increment primary key, user_id int, total decimal(10,2),
  foreign key (user_id) references users (id) on delete cascade);
create table order_lines (order_id bigint, line int, what text, primary key (order_id, line),
  foreign key (order_id) references orders (id) on delete cascade);
create table notes (id int primary key, user_id int, body text, foreign key (user_id) references users (id) on delete set null);
create table other (id int primary key, v double);
insert into users (name, note, old, raw, f, d, bits, at, day, dur, e, tags, j, g, money)
  select concat('user ', seq), if(seq % 3 = 0, null, concat('tab\\there\\nline \\\\ NULL ', seq)), if(seq = 1, '', 'näme'), unhex(md5(seq)),
  seq / 3, seq / 7, seq, from_unixtime(1700000000 + seq), '2026-02-01', '-100:00:01', 'b', 'x,y', '{\"a\": \"ü\"}', point(seq, 2), seq / 3
  from seq_1_to_50;
update users set note = 'NULL' where id = 2;
insert into orders (user_id, total) select 1 + seq % 50, seq * 1.5 from seq_1_to_200;
insert into order_lines select 1 + seq % 200, seq, concat('line ', seq) from seq_1_to_400;
insert into notes select seq, seq, 'b' from seq_1_to_20;
insert into other select seq, seq / 3.0 from seq_1_to_10;
";

#[test]
fn a_delete_without_where_comes_back_with_all_that_went_with_it() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    scene.agent("mysql -u root DB -e 'DELETE FROM users'").ok();
    assert_eq!(scene.sql("select count(*) from order_lines"), "0");
    scene.comes_back(&before);
    // Once more is harmless.
    assert_eq!(scene.env.fr(&["undo", "--yes", "1"]).code, 5);
}

#[test]
fn a_delete_of_some_rows_keeps_what_others_do_meanwhile() {
    let Some(scene) = Scene::new(SHOP) else { return };
    scene.agent("mariadb -uroot -D DB -Ne \"DELETE FROM users WHERE id IN (3, 4) OR name = 'user 7'\"").ok();
    let captured = scene.event()["captures"].clone();
    assert_eq!(captured.as_array().unwrap().len(), 1);
    assert!(captured[0]["items"].as_u64().unwrap() < 60, "only these rows and theirs: {captured}");
    scene.sql("insert into users (name) values ('new'); update users set note = 'kept' where id = 9; delete from users where id = 20");
    let done = scene.undo();
    assert_eq!(done.code, 0, "{done:?}");
    let ids = "select group_concat(id order by id) from users where id in (3, 4, 7, 20)";
    assert_eq!(scene.sql(ids), "3,4,7");
    assert_eq!(scene.sql("select count(*) from users where name = 'new'"), "1");
    assert_eq!(scene.sql("select note from users where id = 9"), "kept");
    assert_eq!(scene.sql("select count(*) from orders where user_id in (3, 4, 7)"), "12");
    assert_eq!(scene.sql("select count(*) from notes where user_id in (3, 4, 7)"), "3");
    // And forward again.
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert_eq!(scene.sql("select count(*) from users where id in (3, 4, 7)"), "0");
    assert_eq!(scene.sql("select count(*) from notes where user_id is null"), "4");
}

#[test]
fn what_is_changed_added_or_replaced_goes_back() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    scene.env.write("fix.sql", "DELETE FROM other WHERE id > 5;\nsource more.sql\n");
    scene.env.write("more.sql", "UPDATE notes SET body = 'gone';\n");
    for line in [
        "mysql -u root DB -e \"UPDATE users SET name = 'x', note = NULL, raw = NULL WHERE id < 10\"",
        "mysql -u root DB -e 'UPDATE other SET id = id + 100'",
        "mysql -u root -e 'UPDATE DB.orders o JOIN DB.users u ON u.id = o.user_id SET o.total = 0 WHERE u.id > 40'",
        "mysql -u root DB -e 'INSERT INTO other VALUES (11, 1), (12, 2)'",
        "mysql -u root DB -e 'REPLACE INTO other VALUES (1, 9)'",
        "mysql -u root DB < fix.sql",
        "mysql -u root DB <<< 'DELETE FROM other WHERE v > 1'",
        "mysql -u root DB <<'X'\nSTART TRANSACTION;\nDELETE FROM notes;\nCOMMIT;\nX",
        "echo 'DELETE FROM notes;' | mysql -uroot DB",
        "echo 'DELETE FROM notes;' > n.sql; cat n.sql n.sql | mysql -uroot DB",
        "mysql -u root -e 'USE DB; DELETE FROM notes LIMIT 3'",
        "mysql -u root DB -e 'DELETE n FROM notes n JOIN users u ON u.id = n.user_id WHERE u.id < 4'",
    ] {
        scene.agent(line).ok();
        assert_ne!(scene.world(), before, "{line}");
        let done = scene.undo();
        assert_eq!(done.code, 0, "{line}: {done:?}");
        scene.is(&before);
    }
    scene.agent("mysql -u root DB -e 'START TRANSACTION; DELETE FROM other; ROLLBACK'").ok();
    assert!(scene.event()["captures"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn rows_that_may_be_anybodys_stay_and_that_is_said() {
    let Some(scene) = Scene::new(SHOP) else { return };
    scene.agent("mysql -u root DB -e 'INSERT INTO other SELECT id + 100, v FROM other'").ok();
    let done = scene.undo();
    assert_ne!(done.code, 0, "{done:?}");
    assert!(format!("{done:?}").contains("10 rows came while it ran"), "{done:?}");
    assert_eq!(scene.sql("select count(*) from other"), "20");
}

#[test]
fn a_truncate_gives_back_its_counter_too() {
    let Some(scene) = Scene::new(
        "create table t (id int auto_increment primary key, v int); insert into t (v) values (1), (2), (3); delete from t where id = 3",
    ) else {
        return;
    };
    let before = scene.world();
    scene.agent("mysql -u root DB -e 'TRUNCATE t'").ok();
    assert_ne!(scene.world(), before);
    scene.comes_back(&before);
    scene.sql("insert into t (v) values (9)");
    assert_eq!(scene.sql("select max(id) from t"), "4", "numbers are not given out twice");
}

#[test]
fn a_trigger_that_fires_for_what_is_put_back_is_named() {
    let Some(scene) = Scene::new(
        "create table t (id int primary key, v int); create table audit (what text); insert into t values (1, 1), (2, 2);
         create trigger audited after insert on t for each row insert into audit values ('again');",
    ) else {
        return;
    };
    scene.agent("mysql -u root DB -e 'DELETE FROM t WHERE id = 1'").ok();
    let done = scene.undo();
    assert_eq!(done.code, 3, "{done:?}");
    assert!(format!("{done:?}").contains("fire for what is put back"), "{done:?}");
    assert_eq!(scene.sql("select concat(id, v) from t order by id; select what from audit"), "11\n22\nagain");
}

/// Several commands of one session are taken back as one; nothing of the database is left out of it.
#[test]
fn a_session_on_files_and_rows_is_taken_back_as_one() {
    let Some(scene) = Scene::new(SHOP) else { return };
    scene.env.write("docs/a.txt", "a");
    let before = scene.world();
    scene.agent("mysql DB -e 'DELETE FROM notes WHERE id < 5'").ok();
    scene.agent("rm -rf docs").ok();
    scene.agent("mysql DB -e 'UPDATE other SET v = 0'").ok();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!((undo.code, scene.env.read("docs/a.txt")), (0, "a".into()), "{undo:?}");
    assert_eq!(scene.world(), before);
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert_eq!(scene.sql("select count(*) from notes where id < 5"), "0");
    assert!(!scene.env.exists("docs"));
    scene.env.fr(&["undo", "--session", "--yes"]).ok();
    assert_eq!(scene.world(), before);
}

/// The server tells that it is one database, whatever words lead to it and from wherever they are said.
#[test]
fn one_database_that_is_reached_by_other_words_is_taken_back_as_one() {
    let Some(scene) = Scene::new(
        "create table users (id int primary key, n int); insert into users values (1, 1), (2, 2);",
    ) else {
        return;
    };
    let before = scene.world();
    scene.env.write("sub/note", "x");
    for line in [
        "mysql DB -e 'UPDATE users SET n = n + 1'",
        "mysql --database=DB --host=localhost -e 'UPDATE users SET n = n * 7 WHERE id = 2'",
        "cd sub && mysql -D DB -e 'DELETE FROM users WHERE id = 2'",
        "mysql -h localhost DB -e 'INSERT INTO users VALUES (2, 9)'",
    ] {
        scene.agent(line).ok();
    }
    let after = scene.world();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before), "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert!((redo.code, scene.world()) == (0, after), "{redo:?}");
}

/// Rows that several commands of a session changed come back to what they were before the first of them.
#[test]
fn commands_on_the_same_rows_are_taken_back_as_one() {
    let tables = "create table users (id int primary key, name varchar(20), n int default 0);
        create table kids (id int primary key, who int, foreign key (who) references users (id) on delete cascade);
        insert into users (id, name) values (1, 'u1'), (2, 'u2'), (3, 'u3'), (4, 'u4'), (5, 'u5');
        insert into kids values (1, 1), (2, 2), (3, 5);";
    let Some(scene) = Scene::new(tables) else { return };
    let before = scene.world();
    for sql in [
        "UPDATE users SET name = 'x' WHERE id <= 3",
        "UPDATE users SET n = n + 1 WHERE id IN (2, 4)",
        "DELETE FROM kids WHERE id = 3",
        "DELETE FROM users WHERE id IN (2, 5)",
        "INSERT INTO users VALUES (10, 'new', 0), (2, 'again', 0)",
        "UPDATE users SET name = 'newer' WHERE id IN (2, 10)",
    ] {
        scene.agent(&format!("mysql DB -e \"{sql}\"")).ok();
    }
    let after = scene.world();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before.clone()), "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert!((redo.code, scene.world()) == (0, after), "{redo:?}");
    scene.sql("update users set name = 'right' where id = 2");
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    scene.sql("update users set name = 'newer' where id = 2");
    scene.agent("mysql DB -e 'DROP TABLE kids'").ok();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before), "{undo:?}");
}

/// A user whose connection must be encrypted: by options, and by an option file.
#[test]
fn rows_behind_tls_come_back() {
    let Some(mut scene) = Scene::new("create table t (id int primary key); insert into t values (1), (2)")
    else {
        return;
    };
    std::fs::copy(&scene.certificate, scene.env.project.join("ca.pem")).unwrap();
    let host = "-h 127.0.0.1 -P PORT -u tls";
    for options in ["--ssl-ca=ca.pem --ssl-verify-server-cert", "--ssl"] {
        scene.env.vars.push(("MYSQL_PWD".to_owned(), "hush-hush".to_owned()));
        scene.agent(&format!("mysql {host} {options} DB -e 'DELETE FROM t WHERE id = 1'")).ok();
        let undo = scene.undo();
        scene.env.vars.retain(|(name, _)| name != "MYSQL_PWD");
        assert_eq!((undo.code, scene.sql("select count(*) from t")), (0, "2".to_owned()), "{undo:?}");
    }
    let file = format!(
        "[client]\nhost=127.0.0.1\nport={}\nuser=tls\npassword=hush-hush\nssl-ca={}\n",
        scene.port, scene.certificate
    );
    std::fs::write(scene.env.home.join(".my.cnf"), file).unwrap();
    scene.agent("mysql DB -e 'DELETE FROM t WHERE id = 1'").ok();
    let undo = scene.undo();
    assert_eq!((undo.code, scene.sql("select count(*) from t")), (0, "2".to_owned()), "{undo:?}");
    // A client that knows no login paths does nothing, and that nothing was kept is on record.
    assert_ne!(scene.agent("mysql --login-path=prod DB -e 'DELETE FROM t'").code, 0);
    assert!(scene.event()["warnings"].to_string().contains("login-path"), "{:#}", scene.event());
}
