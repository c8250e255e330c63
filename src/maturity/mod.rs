//! The use case "how safe are we?": criteria as data, each with what measures it, the evidence, and the cheapest next step.
//! What can be measured is measured: from the journal, from the settings of this machine, and by questions that only read.
//! What is not known counts as not met. What nothing can measure, people vouch for, with a name and an end.

mod attest;
mod conduct;
mod copied;
mod criteria;
mod held;
mod history;
mod incidents;
mod judge;
mod measures;
pub mod page;
mod practice;
mod reach;
mod remotes;
mod report;
mod safety;
mod scene;
mod settings;
mod trend;

pub use attest::{Attestation, LONGEST_NS, attest};
pub use criteria::{Chapter, Criterion, Level, Table};
pub use judge::{examine, keep};
pub use report::{ChapterSum, Judged, LevelSum, Report, Standing, Step};
pub use scene::Wanted;
pub use trend::{Mean, Month, Point, Trend, trend};
