//! What databases are made of beside plain tables: partitions, counters, types, schemas with all that lies in them.

use super::scene::Scene;

const PARTS: &str = "create table p (id int, at date, v text, primary key (id, at)) partition by range (at);
    create index on p (v);
    create table p1 partition of p for values from ('2020-01-01') to ('2021-01-01');
    create table p2 partition of p for values from ('2021-01-01') to ('2022-01-01');
    insert into p select i, date '2020-06-01' + i, 'v' || i from generate_series(1, 400) i;";

#[test]
fn a_partition_of_a_table_comes_back_to_its_place() {
    let Some(scene) = Scene::new(PARTS) else { return };
    let before = scene.world();
    for line in [
        "psql -qc 'DROP TABLE p1'",
        "psql -qc 'ALTER TABLE p DETACH PARTITION p2'",
        "psql -qc 'DROP TABLE p'",
        "psql -qc 'TRUNCATE p'",
        "psql -qc 'DELETE FROM p WHERE id > 100'",
    ] {
        scene.agent(line).ok();
        assert_ne!(scene.world(), before, "{line}");
        scene.comes_back(&before);
    }
    assert_eq!(scene.sql("select count(*) from p1"), "213");
}

#[test]
fn a_schema_comes_back_with_all_that_lay_in_it() {
    let Some(scene) = Scene::new(
        "create schema s; create type s.mood as enum ('a', 'b'); create domain s.pos as int check (value > 0);
        create function s.f(int) returns int language sql immutable as 'select $1 + 1';
        create table s.t (id int generated always as identity primary key, m s.mood, p s.pos, d int generated always as (p * 2) stored, check (s.f(p) > 0));
        insert into s.t (m, p) values ('b', 3), ('a', 4); create table public.u (m s.mood, k int); insert into public.u values ('a', 3);
        create aggregate s.agg (int) (sfunc = int4pl, stype = int, initcond = '0');
        create sequence s.q start 7; select nextval('s.q'), nextval('s.q');
        alter table s.t enable row level security; create policy mine on s.t for select using (p > 3);
        create materialized view s.mat as select m, count(*) from s.t group by m; create unique index on s.mat (m);",
    ) else {
        return;
    };
    let before = scene.world();
    scene.agent("psql -qc 'DROP SCHEMA s CASCADE'").ok();
    scene.comes_back(&before);
    assert_eq!(scene.sql("select nextval('s.q')"), "9", "the counter goes on where it was");
}

#[test]
fn a_counter_that_was_set_back_goes_on_where_it_was() {
    let Some(scene) = Scene::new("create sequence q; select setval('q', 41)") else { return };
    scene.agent("psql -qc 'ALTER SEQUENCE q RESTART WITH 1'").ok();
    let done = scene.undo();
    assert!(done.code == 0 && done.stdout.contains("let counter public.q go on at 41"), "{done:?}");
    assert_eq!(scene.sql("select nextval('q')"), "42");
}

#[test]
fn renamed_things_come_back_with_the_views_on_them() {
    let Some(scene) = Scene::new(
        "create table t (id int primary key, a text); create view v as select a from t; insert into t values (1, 'x');
        create type mood as enum ('calm', 'loud'); create table m (m mood); insert into m values ('calm');",
    ) else {
        return;
    };
    let before = scene.world();
    scene.agent("psql -qc 'ALTER TABLE t RENAME COLUMN a TO b; ALTER TABLE t RENAME TO t2'").ok();
    scene.comes_back(&before);
    scene.agent("psql -qc \"ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'\"").ok();
    scene.comes_back(&before);
    // What PostgreSQL itself has no way for is said, not tried.
    scene.agent("psql -qc \"ALTER TYPE mood ADD VALUE 'shrill'\"").ok();
    let done = scene.undo();
    assert!(
        done.code != 0 && format!("{done:?}").contains("takes no label out of an enumeration"),
        "{done:?}"
    );
}

#[test]
fn what_goes_with_a_collation_or_a_foreign_server_comes_back() {
    let Some(scene) = Scene::new(
        "create collation c1 (locale = 'C'); create table t (id int primary key, a text collate c1); insert into t values (1, 'x');
        create extension file_fdw; create server fs foreign data wrapper file_fdw;
        create foreign table ft (l text) server fs options (filename '/etc/hostname');",
    ) else {
        return;
    };
    let before = scene.world();
    scene.agent("psql -qc 'DROP COLLATION c1 CASCADE'").ok();
    scene.comes_back(&before);
    scene.agent("psql -qc 'DROP SERVER fs CASCADE'").ok();
    scene.comes_back(&before);
}
