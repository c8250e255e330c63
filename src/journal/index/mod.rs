//! The SQLite index of the journal: derived, caught up lazily when somebody asks, rebuilt at any time. It finds; what
//! it finds is read from the journal, where every byte is checked.

mod catchup;
mod chain;
mod check;
mod facts;
mod filter;
mod gaps;
mod near;
mod open;
mod pending;
mod query;
mod sessions;
mod undone;

pub use chain::{Chain, Link};
pub use filter::Filter;
pub use open::Index;
pub use query::{Event, Totals};
pub use sessions::SessionSummary;
