//! AWS as people use it: the real command line, and moto's server in the place of AWS. Each test is an incident.

mod account;
mod drill;
mod instances;
mod objects;
mod rights;
mod rows;
mod saving;
pub mod scene;
