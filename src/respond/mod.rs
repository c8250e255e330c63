//! What people do once an agent has done damage: stop it first ([`mod@contain`]). The order in which they work is
//! `docs/respond.md`.

mod blast;
mod contain;
pub mod fold;
mod halt;
pub mod incident;
pub mod page;
pub mod playbook;
pub mod report;
pub mod story;

pub use blast::{Item, Next, Of, Outlook, Radius, Recovered, Undone, failed, radius, radius_of};
pub use contain::{Outcome, contain, release};
pub use halt::{Found, found};
