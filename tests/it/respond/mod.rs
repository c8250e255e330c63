//! What people do once an agent has done damage.

mod blast;
mod contain;
mod incident;
mod policy;
mod runaway;
