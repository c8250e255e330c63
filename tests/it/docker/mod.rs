//! Container engines: a real dockerd and a real podman, and what an agent does with them.

mod containers;
pub mod engine;
mod honest;
mod killed;
mod lines;
mod networks;
mod podman;
mod volumes;
