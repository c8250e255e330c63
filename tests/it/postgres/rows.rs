//! Rows that a statement deletes, changes or adds.

use super::scene::Scene;

/// Users with orders that go with them, notes that lose their owner, and a table that nobody touches.
const SHOP: &str = "
create table users (id int generated always as identity primary key, name text not null, note text, at timestamptz default now(),
  upper_name text generated always as (upper(name)) stored);
create table orders (id bigserial primary key, user_id int references users on delete cascade, total numeric(10,2), data jsonb);
create table lines (order_id bigint references orders on delete cascade, line int, what text, raw bytea, primary key (order_id, line));
create table notes (id int primary key, user_id int references users on delete set null, body text);
create table other (id int primary key, v float8);
insert into users (name, note) select 'user ' || i, case when i % 3 = 0 then null else E'tab\\there\\nline \\\\ ' || i end from generate_series(1, 50) i;
insert into orders (user_id, total, data) select 1 + i % 50, i * 1.5, jsonb_build_object('n', i, 's', E'a\"b\\\\c') from generate_series(1, 200) i;
insert into lines select 1 + i % 200, i, 'näme ' || i, decode(md5(i::text), 'hex') from generate_series(1, 400) i;
insert into notes select i, i, 'b' from generate_series(1, 20) i;
insert into other select i, i / 3.0 from generate_series(1, 10) i;
";

#[test]
fn a_delete_without_where_comes_back_with_all_that_went_with_it() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    scene.agent("psql -c 'DELETE FROM users'").ok();
    assert_eq!(scene.sql("select count(*) from lines"), "0");
    scene.comes_back(&before);
    // Once more is harmless.
    assert_eq!(scene.env.fr(&["undo", "--yes", "1"]).code, 5);
}

#[test]
fn a_delete_of_some_rows_keeps_what_others_do_meanwhile() {
    let Some(scene) = Scene::new(SHOP) else { return };
    scene.agent("psql -qc \"DELETE FROM users u WHERE u.id IN (3, 4) OR name = 'user 7'\"").ok();
    assert_eq!(scene.event()["captures"].as_array().unwrap().len(), 1);
    scene.sql("insert into users (name) values ('new'); update users set note = 'kept' where id = 9; delete from users where id = 20");
    let done = scene.undo();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        scene.sql("select string_agg(id::text, ',' order by id) from users where id in (3, 4, 7, 20, 51)"),
        "3,4,7,51"
    );
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
fn an_update_goes_back_row_by_row() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    scene.agent("psql -c \"UPDATE users SET name = 'x', note = NULL WHERE id < 10\"").ok();
    scene.comes_back(&before);
    scene.agent("psql -c 'UPDATE orders SET total = total * 2 FROM users u WHERE u.id = orders.user_id AND u.id > 40'").ok();
    scene.comes_back(&before);
    scene.agent("psql -c 'UPDATE other SET id = id + 100'").ok();
    scene.comes_back(&before);
}

#[test]
fn rows_that_were_added_are_taken_out() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let rows = || scene.sql("select string_agg(id::text || ':' || v, ',' order by id) from other");
    let before = rows();
    scene.agent("psql -c 'INSERT INTO other VALUES (11, 1), (12, 2)'").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(rows(), before);
    scene.agent("psql -c 'INSERT INTO other SELECT i, i FROM generate_series(20, 30) i'").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(rows(), before);
    scene.agent("psql -c 'INSERT INTO other VALUES (1, 9), (13, 9) ON CONFLICT (id) DO UPDATE SET v = excluded.v'").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(rows(), before);
    scene.agent("printf '14\\t1\\n15\\t2\\n' | psql -c 'COPY other FROM STDIN'").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(rows(), before);
}

#[test]
fn a_truncate_comes_back_with_what_it_took_along() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    scene.agent("psql -c 'TRUNCATE users RESTART IDENTITY CASCADE'").ok();
    assert_eq!(scene.sql("select count(*) from notes"), "0");
    scene.comes_back(&before);
}

#[test]
fn what_a_script_or_a_pipe_does_is_captured_too() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    scene.env.write(
        "fix.sql",
        "\\set QUIET 1\nBEGIN;\nDELETE FROM other WHERE id > 5;\n\\ir more/clean.sql\nCOMMIT;\n",
    );
    scene.env.write("more/clean.sql", "UPDATE notes SET body = 'gone';\n");
    for line in [
        "psql -f fix.sql",
        "psql < fix.sql",
        "cat fix.sql | psql -f fix.sql",
        "psql <<< 'DELETE FROM other'",
        "echo 'DELETE FROM notes;' | psql",
    ] {
        scene.agent(line).ok();
        assert_ne!(scene.world(), before, "{line}");
        scene.comes_back(&before);
    }
    scene.agent("psql -c 'BEGIN; DELETE FROM other; ROLLBACK'").ok();
    assert!(scene.event()["captures"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn what_a_block_of_code_does_is_captured_as_a_whole() {
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    scene.agent("psql -c 'DO $$ BEGIN DELETE FROM lines WHERE line % 2 = 0; UPDATE other SET v = 0; DROP TABLE notes; END $$'").ok();
    scene.comes_back(&before);
}

#[test]
fn a_table_without_a_key_gets_its_rows_back() {
    let Some(scene) = Scene::new(
        "create table log (at int, what text); insert into log select i % 5, 'same' from generate_series(1, 20) i",
    ) else {
        return;
    };
    let before = scene.world();
    scene.agent("psql -c 'DELETE FROM log WHERE at < 3'").ok();
    scene.comes_back(&before);
}

#[test]
fn triggers_do_not_fire_for_what_is_put_back() {
    let Some(scene) = Scene::new(
        "create table t (id int primary key, v int, seen int default 0); create table audit (what text);
         create function note() returns trigger language plpgsql as $$ begin insert into audit values (tg_op); return coalesce(new, old); end $$;
         create function touch() returns trigger language plpgsql as $$ begin new.seen := new.seen + 1; return new; end $$;
         insert into t select i, i from generate_series(1, 5) i;
         create trigger audited after insert or update or delete on t for each row execute function note();
         create trigger touched before insert or update on t for each row execute function touch();",
    ) else {
        return;
    };
    scene.agent("psql -c 'DELETE FROM t WHERE id = 3'").ok();
    let done = scene.undo();
    // What the trigger wrote into the other table was not followed, and that is said.
    assert_eq!(done.code, 3, "{done:?}");
    assert!((done.stdout.clone() + &done.stderr).contains("audited"), "{done:?}");
    assert_eq!(scene.sql("select id, v, seen from t where id = 3"), "3|3|0");
    assert_eq!(scene.sql("select string_agg(what, ',') from audit"), "DELETE");
    assert_eq!(
        scene.sql("select string_agg(tgenabled::text, '') from pg_trigger where not tgisinternal"),
        "OO"
    );
}

/// Several commands of one session are taken back as one; nothing of the database is left out of it.
#[test]
fn a_session_on_files_and_rows_is_taken_back_as_one() {
    let Some(scene) = Scene::new(SHOP) else { return };
    scene.env.write("docs/a.txt", "a");
    let before = scene.world();
    scene.agent("psql -qc 'DELETE FROM notes WHERE id < 5'").ok();
    scene.agent("rm -rf docs").ok();
    scene.agent("psql -qc 'UPDATE other SET v = 0'").ok();
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

const SESSION: &str = "create table users (id int primary key, name text, n int default 0);
    create table kids (id int primary key, who int references users on delete cascade);
    insert into users select i, 'u' || i from generate_series(1, 9) i; insert into kids values (1, 1), (2, 2), (3, 5);";

/// Rows that several commands of a session changed come back to what they were before the first of them.
#[test]
fn commands_on_the_same_rows_are_taken_back_as_one() {
    let Some(scene) = Scene::new(SESSION) else { return };
    let before = scene.world();
    for sql in [
        "UPDATE users SET name = 'x' WHERE id <= 3",
        "UPDATE users SET n = n + 1 WHERE id IN (2, 4)",
        "DELETE FROM kids WHERE id = 3",
        "DELETE FROM users WHERE id IN (2, 5)",
        "INSERT INTO users VALUES (10, 'new', 0), (2, 'again', 0)",
        "UPDATE users SET name = 'newer' WHERE id IN (2, 10)",
    ] {
        scene.agent(&format!("psql -qc \"{sql}\"")).ok();
    }
    let after = scene.world();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before.clone()), "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert!((redo.code, scene.world()) == (0, after), "{redo:?}");
    // What somebody wrote meanwhile is in the way once, whichever of the commands it follows.
    scene.sql("update users set name = 'right' where id = 2; update users set n = 7 where id = 4");
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert_eq!(undo.stdout.matches("key 2").count(), 1, "{undo:?}");
    let undo = scene.env.fr(&["undo", "--session", "--yes", "--on-conflict", "skip"]);
    assert_eq!(undo.code, 3, "{undo:?}");
    assert_eq!(
        scene.sql("select string_agg(name || n, ',' order by id) from users where id in (1, 2, 3, 4, 5, 10)"),
        "u10,right0,u30,u47,u50"
    );
}

/// The server tells that it is one database, whatever words lead to it and from wherever they are said.
#[test]
fn one_database_that_is_reached_by_other_words_is_taken_back_as_one() {
    let Some(scene) = Scene::new(SESSION) else { return };
    let before = scene.world();
    scene.env.write("sub/note", "x");
    for line in [
        "psql -qc \"UPDATE users SET name = 'x' WHERE id <= 3\"",
        "psql \"postgresql:///$PGDATABASE?host=$PGHOST&user=postgres\" -qc 'UPDATE users SET n = n + 1 WHERE id IN (2, 4)'",
        "psql -h $PGHOST -U postgres -d $PGDATABASE -qc 'DELETE FROM users WHERE id IN (2, 5)'",
        "cd sub && psql \"host=$PGHOST dbname=$PGDATABASE user=postgres\" -qc \"INSERT INTO users VALUES (2, 'again', 0)\"",
        "psql -q service=none -c 'SELECT 1' 2>/dev/null; psql -qc \"UPDATE users SET name = 'newer' WHERE id = 2\"",
    ] {
        scene.agent(line).ok();
    }
    let after = scene.world();
    assert_ne!(after, before);
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before.clone()), "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert!((redo.code, scene.world()) == (0, after), "{redo:?}");
    // Another database of the same server is another one.
    scene.env.sh("createdb ${PGDATABASE}b && psql -qd ${PGDATABASE}b -c 'create table users (id int primary key, name text, n int)' -c \"insert into users values (2, 'b', 0)\"").ok();
    let other = || scene.env.sh("psql -Atqd ${PGDATABASE}b -c 'select * from users'").ok().stdout;
    let was = (other(), scene.world());
    scene.agent("psql -qc 'DELETE FROM users WHERE id = 2'; psql -qd ${PGDATABASE}b -c 'DELETE FROM users WHERE id = 2'").ok();
    let undo = scene.undo();
    assert!((undo.code, (other(), scene.world())) == (0, was), "{undo:?}");
    scene.env.sh("dropdb ${PGDATABASE}b").ok();
}

/// Rows went first, then their table: both come back.
#[test]
fn rows_and_then_their_table_are_taken_back_as_one() {
    let Some(scene) = Scene::new(SESSION) else { return };
    let before = scene.world();
    scene.agent("psql -qc \"DELETE FROM users WHERE id > 4\"").ok();
    scene.agent("psql -qc \"UPDATE users SET name = 'x' WHERE id = 1\"").ok();
    scene.agent("psql -qc \"ALTER TABLE users DROP COLUMN name\"").ok();
    scene.agent("psql -qc \"DROP TABLE users CASCADE\"").ok();
    scene.agent("psql -qc \"CREATE TABLE users (id int primary key)\"").ok();
    scene.agent("psql -qc \"INSERT INTO users VALUES (1), (2)\"").ok();
    let after = scene.world();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before), "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert!((redo.code, scene.world()) == (0, after), "{redo:?}");
}

/// Parents come before their children, whichever command took them.
#[test]
fn children_and_then_their_parents_are_taken_back_as_one() {
    let Some(scene) = Scene::new(SESSION) else { return };
    let before = scene.world();
    scene.agent("psql -qc \"DELETE FROM kids\"").ok();
    scene.agent("psql -qc \"TRUNCATE users CASCADE\"").ok();
    let undo = scene.env.fr(&["undo", "--last", "2", "--yes"]);
    assert!((undo.code, scene.world()) == (0, before), "{undo:?}");
}

/// One line with a psql for each statement, as agents write it: what the one takes hangs on what the other takes.
#[test]
fn sessions_of_one_line_on_one_database_are_taken_back_as_one_script() {
    const SHOP: &str = "create table users (id int primary key, name text); insert into users select i, 'n' || i from generate_series(1, 20) i;
        create table orders (id int primary key, u int references users on delete cascade); insert into orders select i, i from generate_series(1, 20) i;
        create view names as select name from users; create index on orders (u)";
    let Some(scene) = Scene::new(SHOP) else { return };
    let before = scene.world();
    for line in [
        "psql -qc 'drop table orders' && psql -qc 'drop table users cascade'",
        "psql -qc 'truncate orders'; psql -qc 'drop table users cascade'",
        "psql -qc 'delete from users where id < 5' && psql -qc 'alter table orders drop column u'",
        "for t in orders users; do psql -qc \"delete from $t where id > 10\"; done",
        "psql -qc \"update users set name = 'x' where id = 3\"; psql -qc \"update users set name = 'y' where id in (3, 4)\"",
    ] {
        scene.agent(line).ok();
        let after = scene.world();
        assert!(after != before, "{line} changed nothing");
        let undo = scene.undo();
        assert!((undo.code, scene.world()) == (0, before.clone()), "{line}: {undo:?}");
        let redo = scene.env.fr(&["redo", "--yes"]);
        assert!((redo.code, scene.world()) == (0, after), "{line}: {redo:?}");
        let again = scene.undo();
        assert!((again.code, scene.world()) == (0, before.clone()), "{line}: {again:?}");
    }
}
