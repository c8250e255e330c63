//! Content-addressed objects in append-only packs: where captured state is kept until somebody wants it back.
//! The bytes, their order of writing and what they protect against are described in `docs/format.md`.

mod batch;
mod catalog;
mod condemned;
pub(crate) mod file;
pub(crate) mod format;
pub mod gc;
mod handle;
mod pack;
pub mod pin;
mod reader;
mod scratch;
pub mod stats;
pub mod verify;

pub use batch::{Batch, Receipt};
pub use handle::Store;
pub use reader::Reader;
pub use scratch::Scratch;
