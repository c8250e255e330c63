//! `fr store gc`: what may go by age goes, in two steps with a grace time between them. First packs that hold much that
//! nobody needs are condemned: from then on nobody relies on them. After the grace time what is still needed of them is
//! copied into new packs, and they are removed. `docs/format.md`, section "Garbage collection", has the argument why no
//! concurrent writer can lose by it.

mod horizon;
mod mark;
mod plan;
mod sweep;

use std::time::Duration;

use crate::model::{ObjectId, ObjectKind};

pub(crate) use horizon::read as horizon;
pub use mark::Places;
pub use plan::{Action, GcPlan, PackPlan, plan};
pub use sweep::{GcReport, run};

/// What an object refers to: the systems that wrote it know. Asked for every object but blobs and argvs. `None` where it
/// cannot be told: then nothing is removed, since what it needs is not known.
pub type References<'a> = &'a dyn Fn(ObjectKind, &[u8]) -> Option<Vec<ObjectId>>;

/// How gc decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcOptions {
    /// Captures of events younger than this stay.
    pub keep_within: Duration,
    /// How long a condemned pack stays, and how old a pack must be before it can be condemned. No writer may take
    /// longer than this from its first question to its journal record.
    pub grace: Duration,
}

impl Default for GcOptions {
    fn default() -> GcOptions {
        GcOptions { keep_within: Duration::from_secs(90 * 86_400), grace: Duration::from_secs(86_400) }
    }
}

/// A duration in nanoseconds, saturating.
pub(crate) fn ns(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
