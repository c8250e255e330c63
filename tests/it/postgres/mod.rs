//! PostgreSQL as people lose it: a real server, the real psql, and what an agent does with them. Each test is an incident.

mod conflicts;
mod drill;
mod drops;
mod failures;
mod lines;
mod rows;
pub mod scene;
mod shapes;
