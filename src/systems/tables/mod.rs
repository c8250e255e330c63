//! What the database systems share: what a client's words say, tables as rows with keys, the recorded state of some of them,
//! and the way back row by row. No database is spoken with here.

mod aim;
mod compared;
mod composed;
mod defined;
mod finish;
mod held;
mod index;
mod moves;
mod net;
mod overlay;
mod payload;
mod reach;
mod row;
mod said;
mod script;
mod shown;
mod state;
mod steps;
mod take;
mod together;
mod waiting;
mod ways;

pub use aim::{aim, same_place};
pub use compared::{Compared, as_recorded, parents_first};
pub use defined::{Definition, Redefined, define, defined};
pub use finish::{earlier, finished, restore_to, until};
pub use held::held;
pub use index::Index;
pub use moves::{Move, Moves, moves};
pub use net::net;
pub use overlay::Overlay;
pub use payload::Payload;
pub use reach::{How, Number, Reach, Reference, Relation, Select, Wish, closure};
pub use row::{Row, escape, fields, hash_of, unescape};
pub use said::{ACCESS, NOT_KEPT, SCRIPT, Said, file};
pub use script::{Input, Reading};
pub use shown::{changes, write_files};
pub use state::{Adds, Column, FileOf, State, Table, View};
pub use steps::{Found, States, steps};
pub use take::Taker;
pub use together::unite;
pub use waiting::waiting;
pub use ways::{Aimed, Clash, ways};

/// The name of a table beside one: `public.users` gives `public.users_fr_7`, quotes stay around it.
pub fn beside_name(table: &str, end: &str) -> String {
    match table.chars().last().filter(|c| matches!(c, '"' | '`')) {
        Some(quote) => format!("{}_{end}{quote}", table.get(..table.len() - 1).unwrap_or_default()),
        None => format!("{table}_{end}"),
    }
}
