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

#[test]
fn each_way_out_of_a_conflict_does_what_it_says() {
    const T: &str = "create table t (id int primary key, a text, b text); insert into t values (1, 'a', 'b'), (2, 'a', 'b'), (3, 'a', 'b')";
    let rows = |scene: &Scene| scene.sql("select string_agg(id || a || b, ',' order by id) from t");
    for (policy, code, wanted) in [
        ("merge", 4, "1XY,2XY,3Xtheirs"),
        ("force", 0, "1ab,2ab,3ab"),
        ("side-by-side", 3, "1ab,2ab,3Xtheirs"),
    ] {
        let Some(scene) = Scene::new(T) else { return };
        scene.agent("psql -c \"UPDATE t SET a = 'X', b = 'Y'\"").ok();
        scene.sql("update t set b = 'theirs' where id = 3");
        let done = scene.env.fr(&["undo", "--yes", "--on-conflict", policy, "1"]);
        assert_eq!((done.code, rows(&scene).as_str()), (code, wanted), "{policy} {done:?}");
        if policy == "side-by-side" {
            assert_eq!(scene.sql("select string_agg(id || a || b, ',') from t_fr_1"), "3ab");
        }
        if policy == "force" {
            // What was written over was captured first.
            let back = scene.env.fr(&["undo", "--yes", "2"]);
            assert_eq!((back.code, rows(&scene).as_str()), (0, "1XY,2XY,3Xtheirs"), "{back:?}");
        }
    }
    // They changed another column than the command did.
    let Some(scene) = Scene::new(T) else { return };
    scene.agent("psql -c \"UPDATE t SET a = 'X' WHERE id > 1\"").ok();
    scene.sql("update t set b = 'theirs' where id = 3");
    let done = scene.env.fr(&["undo", "--yes", "--on-conflict", "merge", "1"]);
    assert_eq!((done.code, rows(&scene).as_str()), (0, "1ab,2ab,3atheirs"), "{done:?}");
}

#[test]
fn old_rows_go_into_a_schema_beside() {
    let Some(scene) = Scene::new(
        "create table \"odd Name\" (id int primary key, v numeric(9,2), up text generated always as (v::int::text) stored);
         insert into \"odd Name\" values (1, 1.5), (2, null); create view w as select 1; create index i on \"odd Name\" (v)",
    ) else {
        return;
    };
    scene.agent("psql -c 'DROP TABLE \"odd Name\"'").ok();
    let done = scene.env.fr(&["restore", "1", "--to", "schema:old"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(format!("{done:?}").contains("left out"), "{done:?}");
    assert_eq!(
        scene.sql("select string_agg(id || coalesce(up, '-'), ',' order by id) from old.\"odd Name\""),
        "12,2-"
    );
    assert_eq!(scene.env.fr(&["restore", "1", "--to", "schema:old"]).code, 4, "nothing is written over");
    assert_eq!(scene.env.fr(&["restore", "1", "--to", "namespace:x"]).code, 2);
    assert_eq!(scene.sql("select count(*) from pg_class where relname = 'odd Name'"), "1");
}

#[test]
fn the_condition_is_read_in_the_time_zone_of_the_command() {
    let Some(scene) = Scene::new(
        "create table t (id int primary key, at timestamptz); insert into t values (1, '2026-01-01 00:30+00'), (2, '2026-01-01 12:00+00')",
    ) else {
        return;
    };
    let before = scene.world();
    for line in [
        "PGTZ=America/New_York psql -c \"DELETE FROM t WHERE at < '2026-01-01'\"",
        "PGDATESTYLE='SQL, DMY' psql -c \"DELETE FROM t WHERE at > '01/12/2025' AND at < '02/01/2026'\"",
    ] {
        scene.agent(line).ok();
        assert_ne!(scene.world(), before, "{line}");
        scene.comes_back(&before);
    }
}
