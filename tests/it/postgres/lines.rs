//! What lines with PostgreSQL's programs will do, as `fr explain` tells it.

use crate::env::TestEnv;

fn explained(env: &TestEnv, line: &str) -> (String, Vec<String>) {
    let out = env.fr(&["explain", "--json", "-c", line]).ok().json();
    let effects =
        out["effects"].as_array().unwrap().iter().map(|e| e["resource"].as_str().unwrap().to_owned());
    (out["class"].as_str().unwrap().to_owned(), effects.collect())
}

#[test]
fn options_may_stand_anywhere_and_be_bundled() {
    let env = TestEnv::new();
    for (line, class, targets) in [
        (
            "psql -h db -U app -d shop -tAc 'DELETE FROM users WHERE id=5'",
            "destroy",
            vec!["sql:users[id = 5]"],
        ),
        ("psql shop app --command='TRUNCATE a'", "destroy", vec!["sql:table:a"]),
        ("psql \"host=db dbname=shop\" -c 'DROP VIEW v'", "destroy", vec!["sql:view:v"]),
        ("psql -c 'SELECT 1' -c 'DROP TABLE t' shop", "destroy", vec!["sql:table:t"]),
        ("psql -X1qf migrate.sql", "opaque", vec!["dyn:migrate.sql"]),
        ("cat f.sql | psql", "opaque", vec!["dyn:psql"]),
        ("psql", "opaque", vec!["dyn:psql"]),
        ("psql -c '\\dt' -o tables.txt", "overwrite", vec!["path:tables.txt"]),
        ("psql -c '\\copy t from data.csv csv'", "create", vec!["sql:t"]),
        ("psql -c \"\\copy (select 1) to 'out.csv'\"", "overwrite", vec!["path:out.csv"]),
        ("psql -c 'BEGIN' -c 'DELETE FROM t' -c 'ROLLBACK'", "none", vec![]),
        ("dropdb --if-exists -f shop", "destroy", vec!["sql:database:shop"]),
        ("dropdb --help", "none", vec![]),
        ("dropuser bob", "access", vec!["sql:user:bob"]),
        ("pg_restore -d shop a.dump", "overwrite", vec!["dyn:objects of the archive"]),
        ("vacuumdb --all --full", "none", vec![]),
        ("reindexdb shop", "none", vec![]),
    ] {
        let (got, effects) = explained(&env, line);
        assert_eq!(
            (got.as_str(), effects),
            (class, targets.into_iter().map(str::to_owned).collect()),
            "{line}"
        );
    }
}

#[test]
fn other_databases_are_classed_and_nothing_is_claimed_of_them() {
    let env = TestEnv::new();
    for (line, class, targets) in [
        (
            "clickhouse-client -h ch --query 'ALTER TABLE hits DELETE WHERE id < 5'",
            "destroy",
            vec!["sql:table:hits"],
        ),
        ("clickhouse-client -q 'SELECT count() FROM hits'", "none", vec![]),
        ("clickhouse client --query='DROP DATABASE logs'", "destroy", vec!["sql:database:logs"]),
        ("cqlsh cass 9042 -e 'TRUNCATE shop.users'", "destroy", vec!["sql:table:shop.users"]),
        ("cqlsh -e 'DROP KEYSPACE shop'", "destroy", vec!["sql:keyspace:shop"]),
        ("cqlsh -f wipe.cql", "opaque", vec!["dyn:wipe.cql"]),
        (
            "cockroach sql --url postgres://root@h:26257/bank -e 'DROP TABLE accounts'",
            "destroy",
            vec!["sql:table:accounts"],
        ),
        ("cockroach sql < x.sql", "opaque", vec!["dyn:x.sql"]),
        (
            "duckdb shop.duckdb -c 'DELETE FROM t'",
            "destroy",
            vec!["sql:table:t", "path:shop.duckdb", "path:shop.duckdb.wal"],
        ),
        ("duckdb -c 'SELECT 42'", "none", vec![]),
        (
            "duckdb shop.duckdb 'DROP VIEW v'",
            "destroy",
            vec!["sql:view:v", "path:shop.duckdb", "path:shop.duckdb.wal"],
        ),
        ("mongosh shop --eval 'db.users.deleteMany({})'", "destroy", vec!["mongo:shop.users"]),
        ("mongorestore --drop dump/", "destroy", vec!["dyn:collections of the dump"]),
        ("alembic downgrade base", "opaque", vec![]),
        ("python manage.py flush --noinput", "opaque", vec![]),
        ("bin/rails db:drop", "opaque", vec![]),
        ("npx prisma migrate reset --force", "opaque", vec![]),
        ("psql -c 'SELECT 1' -f - <<'X'\nDELETE FROM a;\nX", "destroy", vec!["sql:table:a"]),
        (
            "psql postgres://app@db/shop -v n=1 -c 'DELETE FROM users WHERE id = :n'",
            "destroy",
            vec!["sql:users[id = :n]"],
        ),
        ("pg_dump --clean shop | psql other", "opaque", vec!["dyn:psql"]),
        ("pg_restore --clean -d shop a.dump", "destroy", vec!["dyn:objects of the archive"]),
        ("redis-cli -u redis://u:pw@h:6380/2 UNLINK a b", "destroy", vec!["redis:a", "redis:b"]),
        ("redis-cli --tls --cacert ca.pem -n 3 FLUSHDB", "destroy", vec!["dyn:all keys of the database"]),
        ("redis-cli --scan --pattern 'tmp:*' | xargs redis-cli del", "destroy", vec!["dyn:"]),
    ] {
        let (got, effects) = explained(&env, line);
        let effects: Vec<String> =
            effects.into_iter().filter(|e| class != "opaque" || targets.contains(&e.as_str())).collect();
        let effects: Vec<&str> = effects
            .iter()
            .map(|e| if e.starts_with("dyn:") && targets == ["dyn:"] { "dyn:" } else { e.as_str() })
            .collect();
        assert_eq!((got.as_str(), effects), (class, targets), "{line}");
    }
}

#[test]
fn a_password_typed_into_explain_is_not_shown() {
    let env = TestEnv::new();
    for line in [
        "psql postgres://app:hunter2-secret@db/shop -c 'DROP TABLE t'",
        "mysql -uroot -phunter2-secret shop -e 'DROP TABLE t'",
        "PGPASSWORD=hunter2-secret psql -c 'DROP TABLE t'",
        "git push https://me:hunter2-secret@git.example/x.git --force",
        "redis-cli -a hunter2-secret FLUSHALL",
    ] {
        for args in [vec!["explain", "-c", line], vec!["explain", "--json", "-c", line]] {
            let out = env.fr(&args);
            assert!(out.code == 0 && !format!("{out:?}").contains("hunter2-secret"), "{line}: {out:?}");
        }
    }
    assert!(!env.fr_home.exists(), "explain makes nothing");
}
