//! MySQL as people lose it: a real MariaDB, its real client, and what an agent does with them. Each test is an incident.

mod conflicts;
mod drill;
mod drops;
mod failures;
mod lines;
mod rows;
pub mod scene;
