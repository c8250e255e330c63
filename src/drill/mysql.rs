//! MySQL and MariaDB: a database that the drill makes and drops, in the server that was named, or in one on this machine.

use std::ffi::OsString;

use super::look::Look;
use super::rehearse::Ground;
use super::scenario::{Incident, Scenario};
use super::scene::{Given, Scene, tail};
use super::server::{ask, named, new_name, own_file, variables};
use crate::error::{Error, Result};

pub(super) const SCENARIO: Scenario = Scenario {
    system: "mysql",
    title: "a database of its own with tables, keys, a view and a routine",
    needs: &["bash", "mysql", "mysqldump"],
    optional: true,
    asked: true,
    in_cluster: false,
    given: Some(given),
    build,
    incidents: &[
        Incident {
            why: "a condition is forgotten",
            line: "mysql $DRILL_FLAGS $DRILL_NAME -e 'DELETE FROM users'",
        },
        Incident {
            why: "all rows get one value",
            line: "mysql $DRILL_FLAGS $DRILL_NAME -e \"UPDATE users SET name = 'x'\"",
        },
        Incident { why: "a table is emptied", line: "mysql $DRILL_FLAGS $DRILL_NAME -e 'TRUNCATE log'" },
        Incident { why: "a table is dropped", line: "mysql $DRILL_FLAGS $DRILL_NAME -e 'DROP TABLE orders'" },
        Incident {
            why: "a column is dropped",
            line: "mysql $DRILL_FLAGS $DRILL_NAME -e 'ALTER TABLE log DROP COLUMN what'",
        },
        Incident {
            why: "a script goes wrong",
            line: "mysql $DRILL_FLAGS $DRILL_NAME <<'END'\nDROP VIEW big;\nDROP PROCEDURE tidy;\nDELETE FROM log WHERE at > 1;\nEND",
        },
        Incident {
            why: "the database is dropped",
            line: "mysql $DRILL_FLAGS -e 'DROP DATABASE $DRILL_NAME'",
        },
    ],
    anew: &[],
    look,
    clear: Some(clear),
};

/// Which server, as options of the client; and the name of the database. Options that were not named here cannot lead to
/// another machine: the host on the command line counts for more than that of an option file.
fn given(ground: &Ground<'_>) -> Result<Given> {
    let server = named(ground, "mysql")?;
    let mut flags = Vec::new();
    if let Some(file) = own_file(".my.cnf")
        && let Some(file) =
            file.to_str().filter(|f| f.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)))
    {
        flags.push(format!("--defaults-extra-file={file}"));
    }
    match server.map(|server| (&server.host, &server.socket)) {
        Some((_, Some(socket))) => flags.push(format!("-S {socket}")),
        // A name would be the local socket, whatever the port.
        Some((Some(host), None)) if host == "localhost" && server.is_some_and(|s| s.port.is_some()) => {
            flags.push("-h 127.0.0.1".to_owned());
        }
        Some((Some(host), None)) => flags.push(format!("-h {host}")),
        _ => flags.push("-h localhost".to_owned()),
    }
    let server_flags = server.map(|server| (server.port, server.user.as_ref()));
    flags.extend(server_flags.and_then(|(port, _)| port).map(|port| format!("-P {port}")));
    flags.extend(server_flags.and_then(|(_, user)| user).map(|user| format!("-u {user}")));
    let (flags, name) = (flags.join(" "), new_name());
    let env = variables(&["MYSQL_PWD", "MYSQL_UNIX_PORT"]);
    let words = vec![("DRILL_FLAGS", flags.clone()), ("DRILL_NAME", name.clone())];
    let mut given = Given { env, words, absent: None };
    let mut argv = vec!["mysql"];
    argv.extend(flags.split(' '));
    argv.extend(["--connect-timeout=5", "-NBe", "SELECT 1"]);
    ask(&argv, &mut given, server, ground)?;
    given.env.extend([("DRILL_FLAGS".into(), flags.into()), ("DRILL_NAME".into(), name.into())]);
    Ok(given)
}

const DATABASE: &str = r#"
mysql $DRILL_FLAGS -e "CREATE DATABASE $DRILL_NAME DEFAULT CHARACTER SET utf8mb4"
touch ours
mysql $DRILL_FLAGS --default-character-set=utf8mb4 "$DRILL_NAME" <<'END'
CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, note BLOB, at TIMESTAMP(6) NULL, KEY by_name (name));
CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, who INT NOT NULL, item VARCHAR(20), price DECIMAL(9, 2),
  FOREIGN KEY (who) REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE log (at INT PRIMARY KEY, what TEXT);
CREATE VIEW big AS SELECT name FROM users WHERE id > 1;
CREATE PROCEDURE tidy() DELETE FROM log WHERE at < 0;
INSERT INTO users (name, note, at) VALUES ('one', x'00ff', '2020-02-02 02:02:02.123456'), ('two', NULL, NULL), ('th\tree\n\\', '', NULL);
INSERT INTO orders (who, item, price) VALUES (1, 'a', 1.50), (1, 'b', 2), (3, NULL, NULL);
INSERT INTO log VALUES (1, 'kept'), (2, 'one'), (3, NULL);
END
"#;

fn build(scene: &Scene) -> Result<()> {
    scene.script(DATABASE)
}

/// What mysqldump says, in any order.
fn look(scene: &Scene) -> Result<Look> {
    scene.look(&["mysqldump $DRILL_FLAGS --skip-comments --skip-extended-insert --hex-blob --routines \
                  --order-by-primary --default-character-set=utf8mb4 --databases \"$DRILL_NAME\""])
}

/// Drops it, however the rehearsal ended.
fn clear(scene: &Scene) -> Result<()> {
    const CLEAR: &str =
        "[ -f ours ] || exit 0; mysql $DRILL_FLAGS -e \"DROP DATABASE IF EXISTS $DRILL_NAME\"";
    let done = scene.run(&["bash", "--norc", "-c", CLEAR].map(OsString::from), b"")?;
    if done.code == 0 {
        Ok(())
    } else {
        Err(Error::failure(scene.line(&format!("the database $DRILL_NAME is left: {}", tail(&done.stderr)))))
    }
}
