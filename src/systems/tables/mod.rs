//! What the database systems share: tables as rows with keys, the recorded state of some of them, and the way back row by
//! row. No database is spoken with here.

mod held;
mod index;
mod moves;
mod overlay;
mod row;
mod shown;
mod state;
mod take;

pub use held::held;
pub use index::Index;
pub use moves::{Move, Moves, moves};
pub use overlay::Overlay;
pub use row::{Row, escape, fields, hash_of, unescape};
pub use shown::{changes, write_files};
pub use state::{Adds, Column, State, Table, View};
pub use take::Taker;
