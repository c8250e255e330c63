//! The append-only, hash-chained record. It is the truth: an append is the acknowledgement of an event, and everything
//! else (the SQLite index) is derived from it. The bytes are described in `docs/format.md`.

mod append;
mod frame;
pub mod index;
mod read;
mod scan;
mod segment;
mod tail;
pub(crate) mod verify;

pub use append::{Appended, Durability, Journal};
pub use read::Frame;
use read::read_frame;
pub use segment::Position;
