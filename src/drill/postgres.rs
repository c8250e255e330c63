//! PostgreSQL: a database that the drill makes and drops, in the server that was named, or in one on this machine.

use std::ffi::OsString;

use super::look::Look;
use super::rehearse::Ground;
use super::scenario::{Incident, Scenario};
use super::scene::{Given, Scene, tail};
use super::server::{ask, elsewhere, is_here, named, new_name, own_file, variables};
use crate::error::{Error, Result};

pub(super) const SCENARIO: Scenario = Scenario {
    system: "postgres",
    title: "a database of its own with tables, keys, a view, a trigger, a type and a schema",
    needs: &["bash", "psql", "pg_dump"],
    optional: true,
    asked: true,
    in_cluster: false,
    given: Some(given),
    build,
    incidents: &[
        Incident { why: "a condition is forgotten", line: "psql -q -d $DRILL_NAME -c 'DELETE FROM users'" },
        Incident {
            why: "all rows get one value",
            line: "psql -q -d $DRILL_NAME -c \"UPDATE users SET name = 'x'\"",
        },
        Incident { why: "a table is emptied", line: "psql -q -d $DRILL_NAME -c 'TRUNCATE users CASCADE'" },
        Incident {
            why: "a table is dropped with what hangs on it",
            line: "psql -q -d $DRILL_NAME -c 'DROP TABLE users CASCADE'",
        },
        Incident {
            why: "a column is dropped",
            line: "psql -q -d $DRILL_NAME -c 'ALTER TABLE orders DROP COLUMN item'",
        },
        Incident {
            why: "a schema is dropped",
            line: "psql -q -d $DRILL_NAME -c 'DROP SCHEMA archive CASCADE'",
        },
        Incident {
            why: "a script goes wrong",
            line: "psql -q -d $DRILL_NAME <<'END'\nDROP VIEW big;\nDROP INDEX by_name;\nDELETE FROM log WHERE at > 1;\nEND",
        },
        Incident { why: "the database is dropped", line: "dropdb $DRILL_NAME" },
    ],
    anew: &[],
    look,
    clear: Some(clear),
};

/// Which server, as variables of libpq; and the name of the database.
fn given(ground: &Ground<'_>) -> Result<Given> {
    let server = named(ground, "postgres")?;
    let mut env = variables(&["PG"]);
    let mut drop = |names: &[&str]| env.retain(|(name, _)| !names.iter().any(|n| name == n));
    drop(&["PGDATABASE", "PGOPTIONS"]);
    if let Some(server) = server {
        drop(&["PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE"]);
        if server.user.is_some() {
            drop(&["PGUSER"]);
        }
        let place = server.host.clone().or_else(|| server.socket.clone());
        let port = server.port.map(|port| port.to_string());
        for (name, value) in [("PGHOST", place), ("PGPORT", port), ("PGUSER", server.user.clone())] {
            env.extend(value.map(|value| (name.into(), value.into())));
        }
    }
    let value = |env: &[(OsString, OsString)], wanted: &str| {
        env.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.to_string_lossy().into_owned())
    };
    if server.is_none() {
        if value(&env, "PGSERVICE").is_some() {
            return Err(elsewhere("postgres", "PGSERVICE"));
        }
        for name in ["PGHOST", "PGHOSTADDR"] {
            let hosts = value(&env, name).unwrap_or_default();
            if !hosts.split(',').all(is_here) {
                return Err(elsewhere("postgres", name));
            }
        }
    }
    if value(&env, "PGPASSFILE").is_none() {
        env.extend(own_file(".pgpass").map(|file| ("PGPASSFILE".into(), file.into())));
    }
    let name = new_name();
    let mut given = Given { words: vec![("DRILL_NAME", name.clone())], absent: None, env };
    let may = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user";
    if ask(&["psql", "-XwAtq", "-d", "postgres", "-c", may], &mut given, server, ground)? == "f" {
        given.absent = Some("this role may not make databases".to_owned());
    }
    given.env.push(("DRILL_NAME".into(), name.into()));
    Ok(given)
}

const DATABASE: &str = r#"
createdb -w "$DRILL_NAME"
touch ours
psql -Xqw -v ON_ERROR_STOP=1 -d "$DRILL_NAME" <<'END'
COMMENT ON SCHEMA public IS 'scratch of fr drill';
CREATE TYPE mood AS ENUM ('calm', 'loud');
CREATE TABLE users (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note bytea, mood mood,
  at timestamptz DEFAULT '2020-02-02 02:02:02.123456+00', CHECK (name <> ''));
CREATE TABLE orders (id serial PRIMARY KEY, who integer NOT NULL REFERENCES users ON DELETE CASCADE, item text, price numeric(9, 2));
CREATE TABLE log (at integer, what text);
CREATE INDEX by_name ON users (lower(name));
CREATE VIEW big AS SELECT name FROM users WHERE id > 1;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := trim(NEW.name); RETURN NEW; END $$;
CREATE TRIGGER noted BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION noted();
CREATE SCHEMA archive;
CREATE TABLE archive.old (id integer PRIMARY KEY, body text);
INSERT INTO users (name, note, mood) VALUES ('one', '\x00ff', 'calm'), ('two', NULL, 'loud'), (E'th\tree\n\\', '', NULL);
INSERT INTO orders (who, item, price) VALUES (1, 'a', 1.50), (1, 'b', 2), (3, NULL, NULL);
INSERT INTO log VALUES (1, 'kept'), (2, 'one'), (3, NULL);
INSERT INTO archive.old VALUES (1, 'x'), (2, '');
END
"#;

fn build(scene: &Scene) -> Result<()> {
    scene.script(DATABASE)
}

/// What pg_dump says, in any order.
fn look(scene: &Scene) -> Result<Look> {
    scene.look(&[
        "pg_dump -w --inserts --rows-per-insert=1 \"$DRILL_NAME\" | grep -v '^\\\\\\|^--\\|^$' | LC_ALL=C sort",
        "psql -XwAtq -d \"$DRILL_NAME\" -c 'SELECT (SELECT last_value FROM orders_id_seq), (SELECT last_value FROM users_id_seq)'",
    ])
}

/// Drops it, however the rehearsal ended.
fn clear(scene: &Scene) -> Result<()> {
    const CLEAR: &str =
        "[ -f ours ] || exit 0; psql -Xqw -d postgres -c \"DROP DATABASE IF EXISTS $DRILL_NAME\"";
    let done = scene.run(&["bash", "--norc", "-c", CLEAR].map(OsString::from), b"")?;
    if done.code == 0 {
        Ok(())
    } else {
        Err(Error::failure(scene.line(&format!("the database $DRILL_NAME is left: {}", tail(&done.stderr)))))
    }
}
