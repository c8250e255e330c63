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
