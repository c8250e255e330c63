//! What people do once an agent has done damage.

mod contain;
mod policy;
mod runaway;
