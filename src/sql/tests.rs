//! What scripts do, by example and by random text.

use proptest::prelude::*;

use super::{Dialect, Touch, read};

fn acts(script: &str, dialect: Dialect) -> Vec<String> {
    read(script, dialect).acts.iter().map(|a| format!("{} {}", a.class, a.resource)).collect()
}

fn pg(script: &str) -> Vec<String> {
    acts(script, Dialect::Postgres)
}

#[test]
fn what_only_looks_destructive_is_nothing() {
    for script in [
        "select 'DROP TABLE users'",
        "select 1; -- drop table users",
        "/* drop /* nested */ table t */ select 1",
        "SELECT $$DELETE FROM t$$",
        "select E'it\\'s; drop table t'",
        "BEGIN; DELETE FROM users; ROLLBACK",
        "BEGIN; SAVEPOINT a; DELETE FROM users; ROLLBACK TO a; COMMIT",
        "START TRANSACTION; DROP TABLE users; ABORT;",
        "EXPLAIN DELETE FROM orders",
        "EXPLAIN (ANALYZE false) DELETE FROM orders",
        "PREPARE x AS DELETE FROM users",
        "select count(*) from users where deleted_at < now() for update",
        "\\dt+ users",
        "\\q\nDROP TABLE users;",
        "CREATE TEMP TABLE t (a int)",
        "VACUUM FULL t",
        "COPY users TO STDOUT",
        "SELECT coalesce(max(id), 0), pg_size_pretty(pg_database_size('shop')) FROM t",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "select generate_series(1, 3)",
        "select * from generate_series(1, 3) g",
    ] {
        assert_eq!(pg(script), Vec::<String>::new(), "{script}");
    }
}

#[test]
fn rows_are_told_from_tables() {
    let rows = |script: &str, wanted: &[&str]| assert_eq!(pg(script), wanted, "{script}");
    rows("DELETE FROM users", &["destroy sql:table:users"]);
    rows("DELETE FROM ONLY shop.users AS u WHERE u.id=3", &["destroy sql:shop.users[u.id = 3]"]);
    rows("UPDATE users SET a=1 WHERE id=3", &["overwrite sql:users[id = 3]"]);
    rows("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", &["destroy sql:table:t"]);
    rows("WITH d AS (SELECT 1) UPDATE t SET a = 1", &["overwrite sql:table:t"]);
    rows("EXPLAIN (ANALYZE, BUFFERS) DELETE FROM orders", &["destroy sql:orders"]);
    rows("EXPLAIN ANALYZE DELETE FROM orders", &["destroy sql:orders"]);
    rows("INSERT INTO t VALUES (1), (2)", &["create sql:t"]);
    rows("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING", &["create sql:t"]);
    rows("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", &["overwrite sql:t"]);
    rows("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", &["overwrite sql:t"]);
    rows("TRUNCATE a, ONLY b RESTART IDENTITY", &["destroy sql:table:a", "destroy sql:table:b"]);
    rows("DROP TABLE IF EXISTS a, shop.\"B c\"", &["destroy sql:table:a", "destroy sql:table:shop.B c"]);
    rows("DROP FUNCTION f(int, text)", &["destroy sql:function:f"]);
    rows("ALTER TABLE t DROP COLUMN a, DROP b", &["destroy sql:table:t.a", "destroy sql:table:t.b"]);
    rows("ALTER TABLE ONLY shop.t DROP CONSTRAINT IF EXISTS k", &["weaken sql:table:shop.t.k"]);
    rows("COMMIT; DROP VIEW v; BEGIN", &["destroy sql:view:v"]);
    rows("BEGIN; DELETE FROM a; COMMIT; BEGIN; DELETE FROM b; ROLLBACK", &["destroy sql:table:a"]);
    rows(
        "COPY t FROM STDIN;\n1\tDROP TABLE x;\n\\.\nDELETE FROM y;",
        &["create sql:t", "destroy sql:table:y"],
    );
    rows("DROP TABLE :name", &["destroy dyn:table"]);
    rows("select nextval('s')", &["mutate sql:sequence:s"]);
    rows("select * into fresh from old", &["create sql:table:fresh"]);
}

#[test]
fn what_cannot_be_known_is_opaque() {
    for script in [
        "DO $$ BEGIN DELETE FROM t; END $$",
        "CALL purge()",
        "SELECT purge_old_rows(30)",
        "SELECT * FROM shop.purge(1)",
        "select 1 \\gexec",
        "\\i migrate.sql",
        "\\! rm -rf /srv",
        "FROBNICATE t",
    ] {
        let acts = pg(script);
        assert!(acts.iter().any(|a| a.starts_with("opaque ")), "{script}: {acts:?}");
    }
}

#[test]
fn each_dialect_has_its_own_quotes_and_commits() {
    let my = |script: &str| acts(script, Dialect::MySql);
    assert_eq!(my("DELETE FROM `or``ders` # all\n WHERE id = 'a\\'; DROP TABLE x'").len(), 1);
    assert_eq!(my("/*!40000 DROP TABLE t */"), ["destroy sql:table:t"]);
    assert_eq!(
        my("BEGIN; DELETE FROM a; DROP TABLE b; ROLLBACK"),
        ["destroy sql:table:a", "destroy sql:table:b"]
    );
    assert_eq!(my("SELECT 1\\G DROP TABLE t"), ["destroy sql:table:t"]);
    assert_eq!(my("REPLACE INTO t VALUES (1)"), ["overwrite sql:t"]);
    assert_eq!(
        my("DELETE a FROM orders a JOIN c ON c.id = a.c WHERE c.x = 1"),
        ["destroy sql:orders[c.x = 1]"]
    );
    let lite = |script: &str| acts(script, Dialect::Sqlite);
    assert_eq!(lite("DELETE FROM [a b]"), ["destroy sql:table:a b"]);
    assert_eq!(lite(".mode csv\n.import f.csv t"), ["create sql:t"]);
    assert_eq!(lite(".tables"), Vec::<String>::new());
    assert_eq!(lite("INSERT OR REPLACE INTO t VALUES (1)"), ["overwrite sql:t"]);
}

#[test]
fn a_condition_is_asked_only_where_it_gives_the_same_answer() {
    let rows = |script: &str| match read(script, Dialect::Postgres).acts.first().map(|a| a.touch.clone()) {
        Some(Touch::Rows(rows)) => Some((rows.condition, rows.others)),
        _ => None,
    };
    assert_eq!(rows("DELETE FROM t WHERE lower(a) = 'x'").unwrap().0.unwrap(), "lower(a) = 'x'");
    let used = rows("DELETE FROM t USING u, v WHERE t.a = u.a").unwrap();
    assert_eq!(used.1.unwrap(), "u, v");
    assert!(rows("DELETE FROM t WHERE a IN (SELECT b FROM c WHERE d > 1)").is_some());
    for script in [
        "DELETE FROM t WHERE random() < 0.5",
        "DELETE FROM t WHERE purge(id)",
        "DELETE FROM t WHERE a IN (SELECT f FROM g(1))",
        "WITH o AS (SELECT 1 AS id) DELETE FROM t USING o WHERE t.id = o.id",
        "DELETE FROM t WHERE id = :id",
    ] {
        assert_eq!(rows(script), None, "{script}");
    }
}

#[test]
fn a_chain_of_operators_needs_no_deep_stack() {
    let deep = format!("DELETE FROM t WHERE a = 1{}", " OR a = 2".repeat(6_000));
    assert_eq!(read(&deep, Dialect::Postgres).acts.len(), 1);
    let nested = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(read(&nested, Dialect::Postgres).acts.is_empty());
}

const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];

proptest! {
    #[test]
    fn no_text_makes_it_fail(text in "\\PC{0,200}") {
        DIALECTS.iter().for_each(|d| drop(read(&text, *d)));
    }

    #[test]
    fn no_mixture_of_words_makes_it_fail(words in prop::collection::vec(prop::sample::select(&[
        "SELECT", "DELETE", "FROM", "t", "WHERE", "'", "\"", "`", "$$", "$a$", "(", ")", ";", "--", "/*", "*/", "\\", "\\i",
        "\\g", "UPDATE", "SET", "DROP", "TABLE", ",", "CASCADE", "ALTER", "WITH", "AS", "BEGIN", "ROLLBACK", "TO", "COPY",
        "STDIN", "\n", "\\.", "=", "1", ".", "::", ":x", "[", "]", "/*!", "EXPLAIN", "ANALYZE", "é", "\u{0}",
    ][..]), 0..40)) {
        let text = words.join(" ");
        DIALECTS.iter().for_each(|d| drop(read(&text, *d)));
    }

    #[test]
    fn what_is_deleted_is_found_behind_any_comment(noise in "[a-z'\";$]{0,20}") {
        let text = format!("/* {noise} */ DELETE FROM users");
        prop_assert_eq!(pg(&text), ["destroy sql:table:users"]);
    }
}
