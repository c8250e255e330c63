//! What a statement does: as the record tells it, and as a capture needs it.

use crate::model::{EffectClass, Reversibility};

use super::Name;

/// One thing that a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What happens.
    pub class: EffectClass,
    /// To what, in the target grammar: `sql:table:users`, `sql:users[id = 3]`, `dyn:…`.
    pub resource: String,
    /// What undo can promise if the capture succeeds.
    pub reversibility: Reversibility,
    /// False where the words do not tell all of it.
    pub certain: bool,
    /// What a capture has to keep.
    pub touch: Touch,
}

/// What a capture has to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Nothing beside what other acts of the statement name.
    Nothing,
    /// Some rows of a table.
    Rows(Box<Rows>),
    /// All rows of a table; `cascade`: and of those that refer to it.
    Table {
        /// Which.
        name: Name,
        /// `TRUNCATE … CASCADE`.
        cascade: bool,
    },
    /// Rows are added to a table and none is changed; how many, where the words tell.
    Added {
        /// Which table.
        name: Name,
        /// How many rows at most.
        count: Option<u64>,
    },
    /// An object is dropped, made, replaced or changed in what it is.
    Object {
        /// `table`, `view`, `schema`, …
        kind: String,
        /// Which.
        name: Name,
        /// It goes, and its rows with it.
        dropped: bool,
        /// With what depends on it.
        cascade: bool,
    },
    /// A whole database goes or is made.
    Database {
        /// Which.
        name: String,
        /// It goes.
        dropped: bool,
    },
    /// Roles and their passwords: of the whole server, and kept by nobody.
    Server,
    /// Anything may happen to anything in the database; the reason, for people.
    Anything(String),
    /// Something happens in another database than the one connected to: the reason, for people.
    Elsewhere(String),
}

/// Rows that a `DELETE` or `UPDATE` touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Of which table.
    pub table: Name,
    /// What the statement calls it.
    pub alias: Option<String>,
    /// What stands after `USING` or, in an `UPDATE`, after `FROM`.
    pub others: Option<String>,
    /// The condition; `None` for all rows.
    pub condition: Option<String>,
    /// The columns that are set; empty for a `DELETE`.
    pub sets: Vec<String>,
    /// The rows go.
    pub deletes: bool,
}

impl Act {
    /// An act that the words tell.
    pub fn new(
        class: EffectClass,
        resource: impl Into<String>,
        reversibility: Reversibility,
        touch: Touch,
    ) -> Act {
        let resource = resource.into();
        let certain = !resource.starts_with("dyn:");
        Act { class, resource, reversibility, certain, touch }
    }

    /// Anything may happen; why, for people.
    pub fn anything(why: &str) -> Act {
        let touch = Touch::Anything(why.to_owned());
        Act::new(EffectClass::Opaque, format!("dyn:{why}"), Reversibility::Recreate, touch)
    }

    /// A script is run whose text the words do not hold.
    pub fn script(path: &str) -> Act {
        Act::new(EffectClass::Opaque, format!("dyn:{path}"), Reversibility::Recreate, Touch::Nothing)
    }

    /// A program is run beside the database.
    pub fn program(what: &str) -> Act {
        let touch = Touch::Elsewhere("a program that a script starts is not looked into".to_owned());
        Act::new(EffectClass::Opaque, format!("dyn:{what}"), Reversibility::Irreversible, touch)
    }

    /// The whole database is replaced (SQLite): its file is what is named.
    pub fn whole_file(why: &str) -> Act {
        let touch = Touch::Anything(why.to_owned());
        Act { certain: true, ..Act::new(EffectClass::Overwrite, "", Reversibility::Exact, touch) }
    }

    /// Rows are added.
    pub fn added(table: &Name, count: Option<u64>) -> Act {
        let touch = Touch::Added { name: table.clone(), count };
        Act::new(EffectClass::Create, format!("sql:{}", table.shown()), Reversibility::Exact, touch)
    }

    /// It defines, changes or drops an object: MySQL commits around it.
    pub fn defines(&self) -> bool {
        matches!(
            self.touch,
            Touch::Object { .. } | Touch::Database { .. } | Touch::Server | Touch::Table { .. }
        )
    }

    /// No rollback takes it back: a program, a file, a whole database.
    pub fn is_outside(&self) -> bool {
        matches!(self.touch, Touch::Elsewhere(_) | Touch::Database { .. })
            || self.resource.starts_with("path:")
            || (self.touch == Touch::Nothing && self.class == EffectClass::Opaque)
    }

    /// It happens in another database: one of the same server in MySQL, perhaps another server in PostgreSQL.
    pub fn moves_to(&mut self, place: &str, dialect: super::Dialect) {
        if dialect == super::Dialect::MySql {
            let within = |name: &mut Name| {
                if name.parts.len() == 1 {
                    name.parts.insert(0, (place.to_owned(), true));
                }
            };
            match &mut self.touch {
                Touch::Rows(rows) => within(&mut rows.table),
                Touch::Table { name, .. } | Touch::Added { name, .. } => within(name),
                Touch::Object { kind, name, .. } if kind != "schema" => within(name),
                _ => {}
            }
            return;
        }
        if !matches!(self.touch, Touch::Elsewhere(_)) {
            self.touch = Touch::Elsewhere(format!("it happens after a connection to {place}"));
        }
    }
}
