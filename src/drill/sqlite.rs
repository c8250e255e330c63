//! SQLite: a database with what databases have, and commands that lose a part of it.

use super::look::Look;
use super::scenario::{Incident, Scenario};
use super::scene::Scene;
use crate::error::Result;

pub(super) const SCENARIO: Scenario = Scenario {
    system: "sqlite",
    title: "a database file with tables, an index, a view and a trigger",
    needs: &["bash", "sqlite3"],
    optional: true,
    asked: false,
    in_cluster: false,
    given: None,
    build,
    incidents: &[
        Incident { why: "a condition is forgotten", line: "sqlite3 shop.db 'DELETE FROM orders'" },
        Incident { why: "all rows get one value", line: "sqlite3 shop.db \"UPDATE users SET name = 'x'\"" },
        Incident { why: "a table is dropped", line: "sqlite3 shop.db 'DROP TABLE users'" },
        Incident { why: "a column is dropped", line: "sqlite3 shop.db 'ALTER TABLE users DROP COLUMN note'" },
        Incident {
            why: "a script goes wrong",
            line: "sqlite3 shop.db <<'END'\nDROP VIEW big;\nDROP INDEX by_name;\nDELETE FROM log WHERE at > 1;\nEND",
        },
    ],
    anew: &[],
    look,
    clear: None,
};

const DATABASE: &str = r#"
sqlite3 shop.db <<'END'
create table users (id integer primary key, name text not null, note);
create table orders (user integer references users on delete cascade, item text, primary key (user, item)) without rowid;
create table log (at integer, what);
create index by_name on users (name);
create view big as select name from users where id > 1;
create trigger noted after update on users begin insert into log values (9, old.name); end;
insert into users values (1, 'one', x'00ff'), (2, 'two', 1.5), (3, 'three', null);
insert into orders values (1, 'a'), (1, 'b'), (3, 'c');
insert into log values (1, 'same'), (2, 'same'), (2, 'same');
END
"#;

fn build(scene: &Scene) -> Result<()> {
    scene.script(DATABASE)
}

/// What sqlite3 itself says is in the file, in any order of rows.
fn look(scene: &Scene) -> Result<Look> {
    scene.look(&["sqlite3 shop.db .dump | LC_ALL=C sort", "sqlite3 shop.db 'PRAGMA integrity_check'"])
}
