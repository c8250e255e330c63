//! What the words of a command say it will do to files.

use crate::model::{Effect, Invocation};
use crate::systems::AssessCx;

/// The programs whose words are understood.
pub const PROGRAMS: &[&str] = &[];

/// The effects of an invocation on files.
pub fn assess(_inv: &Invocation, _cx: &AssessCx<'_>) -> Vec<Effect> {
    Vec::new()
}
