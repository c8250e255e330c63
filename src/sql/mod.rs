//! What SQL will do, from its text alone: which tables, rows, objects and databases a script changes. Text in, acts out; no
//! database is asked. What is not understood is named ([`Touch::Anything`]), never passed over.
//!
//! [`split`] cuts a script into statements and client commands as `psql`, `mysql` and `sqlite3` do; [`statement`] tells each
//! by its first words; [`define`] reads what defines things by tokens, [`rows`] reads what changes rows by the grammar of
//! `sqlparser`, and [`loose`] by tokens where that grammar ends.

mod act;
mod alter_table;
mod call;
mod client;
mod define;
mod functions;
mod loose;
mod name;
mod rows;
mod script;
mod split;
mod statement;
#[cfg(test)]
mod tests;

pub use act::{Act, Rows, Touch};
pub use name::{Name, quoted};
pub use rows::overwritten;
pub use script::{Include, Reading, read};

/// The statements of a script, without comments.
pub fn statements(script: &str, dialect: Dialect) -> Vec<String> {
    let text = |piece| match piece {
        split::Piece::Statement { text, .. } => Some(text),
        split::Piece::Client(_) => None,
    };
    split::split(script, dialect).into_iter().filter_map(text).collect()
}

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, as `psql` reads it.
    Postgres,
    /// MySQL and MariaDB, as their client reads it.
    MySql,
    /// SQLite, as `sqlite3` reads it.
    Sqlite,
}
