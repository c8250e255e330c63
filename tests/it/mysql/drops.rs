//! What is dropped or changed in what it is: tables, databases, columns, indexes, views, routines.

use super::rows::SHOP;
use super::scene::Scene;

const MORE: &str = "
create view rich as select * from users where money > 5;
create view richer as select id from rich;
create trigger touched before update on users for each row set new.note = concat('t:', new.note);
create procedure wipe() begin delete from other; delete from notes; end;
create function twice(n int) returns int deterministic return n * 2;
create event tidy on schedule every 1 day do delete from other where id > 1000;
grant select, insert on users to app@'%';
alter table notes add check (id > 0);
";

#[test]
fn a_dropped_table_comes_back_with_all_that_stood_on_it() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let more = MORE
        .replace("create procedure wipe() begin", "delimiter $$\ncreate procedure wipe() begin")
        .replace("notes; end;", "notes; end$$\ndelimiter ;");
    scene.sql(&more.replace("on users to", &format!("on {}.users to", scene.db)));
    let before = scene.world();
    for line in [
        "mysql -u root DB -e 'SET FOREIGN_KEY_CHECKS=0; DROP TABLE users'",
        "mysql -u root DB -e 'DROP TABLE order_lines, notes'",
        "mysql -u root DB -e 'ALTER TABLE users DROP COLUMN note, DROP COLUMN raw'",
        "mysql -u root DB -e 'ALTER TABLE users MODIFY money INT'",
        "mysql -u root DB -e 'DROP INDEX k ON users'",
        "mysql -u root DB -e 'ALTER TABLE orders DROP FOREIGN KEY orders_ibfk_1'",
        "mysql -u root DB -e 'DROP VIEW rich, richer'",
        "mysql -u root DB -e 'DROP TRIGGER touched'",
        "mysql -u root DB -e 'DROP PROCEDURE wipe; DROP FUNCTION twice; DROP EVENT tidy'",
        "mysql -u root DB -e 'CREATE OR REPLACE VIEW rich AS SELECT 1 AS id'",
        "mysql -u root DB -e 'CREATE TABLE fresh (id int primary key); INSERT INTO fresh VALUES (1)'",
        "mysql -u root DB -e 'RENAME TABLE other TO another'",
        "mysql -u root DB -e 'CALL wipe()'",
    ] {
        scene.agent(line).ok();
        assert_ne!(scene.world(), before, "{line}");
        let done = scene.undo();
        assert_eq!(done.code, 0, "{line}: {done:?}");
        scene.is(&before);
    }
}

/// Whatever database a connection began in: a name has its database in it.
#[test]
fn rows_that_went_before_their_database_did_are_in_it_again() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    let databases = || scene.env.sh("mariadb -u root -NBe 'SHOW DATABASES'").ok().stdout;
    let all = databases();
    for more in ["true", "mysql -u root -e 'CREATE DATABASE DB; CREATE TABLE DB.z (i int)'"] {
        scene.agent("mysql -u root DB -e 'DELETE FROM other'").ok();
        scene.agent("mysql -u root -e 'DROP DATABASE DB'").ok();
        assert_ne!(databases(), all);
        scene.agent(more).ok();
        for _ in 0..2 {
            let undo = scene.env.fr(&["undo", "--session", "--yes"]);
            assert_eq!(undo.code, 0, "{more}: {undo:?}");
            scene.is(&before);
            let redo = scene.env.fr(&["redo", "--yes"]);
            assert_eq!(redo.code, 0, "{more}: {redo:?}");
        }
        let undo = scene.env.fr(&["undo", "--session", "--yes"]);
        assert_eq!(undo.code, 0, "{more}: {undo:?}");
        scene.is(&before);
    }
}

#[test]
fn a_dropped_database_comes_back_whole() {
    let Some(scene) = Scene::new(SHOP) else { return };
    scene.sql("create view v as select name from users; create trigger t after delete on other for each row delete from notes");
    let before = scene.world();
    for line in [
        "mysql -u root -e 'DROP DATABASE DB'",
        "mysqladmin -u root -f drop DB",
        "mysql -u root -e 'DROP SCHEMA DB'",
    ] {
        scene.agent(line).ok();
        assert_eq!(
            scene.env.sh(&format!("mariadb -u root -NBe \"SHOW DATABASES LIKE '{}'\"", scene.db)).ok().stdout,
            ""
        );
        let done = scene.undo();
        assert_eq!(done.code, 0, "{line}: {done:?}");
        scene.is(&before);
    }
    // A restored dump over what is there.
    scene.env.sh(&format!("mysqldump -u root {} other > o.sql", scene.db)).ok();
    scene.sql("drop trigger t; insert into other values (99, 9)");
    let before = scene.world();
    scene.agent("cat o.sql | mysql -u root DB").ok();
    assert_ne!(scene.world(), before);
    scene.comes_back(&before);
}

#[test]
fn old_rows_go_into_a_database_beside() {
    let Some(scene) = Scene::new(SHOP) else { return };
    scene.agent("mysql -u root DB -e 'SET FOREIGN_KEY_CHECKS=0; DROP TABLE users'").ok();
    let place = format!("schema:{}_old", scene.db);
    let done = scene.env.fr(&["restore", "1", "--to", &place]);
    assert_eq!(done.code, 0, "{done:?}");

    assert_eq!(
        scene.sql(&format!("select count(*), max(upper_name) from {}_old.users", scene.db)),
        "50\tUSER 9"
    );
    assert_eq!(scene.env.fr(&["restore", "1", "--to", &place]).code, 4, "nothing is written over");
    scene.env.fr(&["restore", "1", "--to", "old"]).ok();
    assert!(scene.env.sh("ls old").ok().stdout.contains("users"));
}
