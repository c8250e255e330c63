//! GitHub, by the real gh against a double of its API: what an agent takes away is back, and what nobody can bring back is
//! named.

mod back;
mod honest;
mod lines;
pub mod scene;
