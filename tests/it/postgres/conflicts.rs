//! What somebody changed since is never overwritten.

use super::scene::Scene;

const USERS: &str = "create table users (id int primary key, name text); insert into users select i, 'u' || i from generate_series(1, 30) i;";

#[test]
fn three_rows_that_a_person_corrected_stay_as_they_are() {
    let Some(scene) = Scene::new(USERS) else { return };
    scene.agent("psql -c \"UPDATE users SET name = 'oops'\"").ok();
    scene.sql("update users set name = 'right' where id in (5, 6, 7)");
    let done = scene.undo();
    assert_eq!(done.code, 4, "{done:?}");
    assert!(
        (done.stdout.clone() + &done.stderr).contains("3 rows were changed since (key 5, 6, 7)"),
        "{done:?}"
    );
    assert_eq!(scene.sql("select count(*) from users where name = 'oops'"), "27");
    let some = scene.env.fr(&["undo", "--yes", "--on-conflict", "skip", "1"]);
    assert_eq!(some.code, 3, "{some:?}");
    assert_eq!(scene.sql("select count(*) from users where name = 'oops'"), "0");
    assert_eq!(
        scene.sql("select string_agg(name, ',' order by id) from users where id between 4 and 8"),
        "u4,right,right,right,u8"
    );
}

#[test]
fn a_row_that_was_made_anew_is_not_replaced() {
    let Some(scene) = Scene::new(USERS) else { return };
    scene.agent("psql -c 'DELETE FROM users WHERE id < 4'").ok();
    scene.sql("insert into users values (2, 'another person')");
    assert_eq!(scene.undo().code, 4);
    assert_eq!(
        scene.sql("select string_agg(name, ',' order by id) from users where id < 5"),
        "another person,u4"
    );
}

#[test]
fn a_table_that_was_made_anew_is_not_replaced() {
    let Some(scene) = Scene::new(USERS) else { return };
    scene.agent("psql -c 'DROP TABLE users'").ok();
    scene.sql("create table users (id int primary key, name text); insert into users values (1, 'mine')");
    assert_eq!(scene.undo().code, 4);
    assert_eq!(scene.sql("select name from users"), "mine");
}

#[test]
fn rows_that_others_refer_to_by_now_are_not_taken_out() {
    let Some(scene) = Scene::new(&format!(
        "{USERS} create table orders (id int primary key, u int references users on delete cascade);"
    )) else {
        return;
    };
    scene.agent("psql -c \"INSERT INTO users VALUES (99, 'new')\"").ok();
    scene.sql("insert into orders values (1, 99)");
    let done = scene.undo();
    assert_ne!(done.code, 0, "{done:?}");
    assert_eq!(scene.sql("select count(*) from orders"), "1");
}

#[test]
fn a_column_that_was_added_since_is_not_lost() {
    let Some(scene) = Scene::new(USERS) else { return };
    scene.agent("psql -c 'ALTER TABLE users DROP COLUMN name'").ok();
    scene.sql("alter table users add column phone text; update users set phone = '1'");
    assert_eq!(scene.undo().code, 4);
    assert_eq!(scene.sql("select count(phone) from users"), "30");
}

#[test]
fn a_delete_whose_end_nobody_told_is_undone_where_rows_are_gone() {
    let Some(scene) = Scene::new(USERS) else { return };
    scene.env.claude_pre("psql -c 'DELETE FROM users WHERE id = 1'");
    scene.sql("delete from users where id = 1; update users set name = 'x' where id = 2");
    assert_eq!(scene.undo().code, 0);
    assert_eq!(scene.sql("select string_agg(name, ',' order by id) from users where id < 3"), "u1,x");
}

#[test]
fn writers_beside_the_command_keep_what_they_wrote() {
    let Some(scene) = Scene::new(USERS) else { return };
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                written += 1;
                scene.sql(&format!("insert into users values ({}, 'busy')", 1000 + written));
            }
            written
        });
        scene.agent("psql -c 'DELETE FROM users WHERE id <= 30'").ok();
        let done = scene.undo();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let written = writer.join().unwrap();
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(scene.sql("select count(*) from users where id <= 30"), "30");
        assert_eq!(scene.sql("select count(*) from users where id > 30"), written.to_string());
    });
}
