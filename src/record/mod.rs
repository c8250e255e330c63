//! The use case of recording: what will a command do, and what must be kept before it does.

pub mod assess;
pub mod context;
pub mod explain;
