//! What lines with the programs of MySQL and MariaDB will do, as `fr explain` tells it.

use crate::env::TestEnv;

#[test]
fn options_may_stand_anywhere_and_be_bundled() {
    let env = TestEnv::new();
    for (line, class, targets) in [
        (
            "mysql -h db -u app -psecret shop -Ne 'DELETE FROM users WHERE id=5'",
            "destroy",
            vec!["sql:users[id = 5]"],
        ),
        ("mysql --login-path=prod -e 'TRUNCATE a'", "destroy", vec!["sql:table:a"]),
        (
            "mariadb --defaults-extra-file=p.cnf shop -e 'SELECT 1; DROP TABLE t'",
            "destroy",
            vec!["sql:table:t"],
        ),
        ("mysql shop < dump.sql", "opaque", vec!["dyn:dump.sql"]),
        ("mysqldump a | mysql b", "opaque", vec!["dyn:mysql"]),
        ("mysql shop -e 'source fix.sql'", "opaque", vec!["dyn:fix.sql"]),
        ("mysql -e 'BEGIN; DELETE FROM t; ROLLBACK'", "none", vec![]),
        (
            "mysql -e 'BEGIN; DELETE FROM t; CREATE TABLE x (i int); ROLLBACK'",
            "destroy",
            vec!["sql:table:t", "sql:table:x"],
        ),
        ("mysqladmin -u root -f drop shop", "destroy", vec!["sql:database:shop"]),
        ("mysqladmin ping", "none", vec![]),
        ("mysqladmin flush-logs shutdown", "disrupt", vec!["svc:mysql"]),
        ("mysqlimport --delete shop data/users.csv", "overwrite", vec!["sql:users"]),
        ("mysqldump -r out.sql shop", "create", vec!["path:out.sql"]),
        ("mysql -e 'LOAD DATA INFILE \"x\" REPLACE INTO TABLE t'", "overwrite", vec!["sql:t"]),
        ("mysql --version", "none", vec![]),
    ] {
        let out = env.fr(&["explain", "--json", "-c", line]).ok().json();
        let effects: Vec<String> = out["effects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["resource"].as_str().unwrap().to_owned())
            .filter(|r| line.contains('>') || !r.starts_with("path:") || line.contains("-r "))
            .collect();
        let targets: Vec<String> = targets.into_iter().map(str::to_owned).collect();
        assert_eq!((out["class"].as_str().unwrap(), effects), (class, targets), "{line}");
    }
}
