//! What the words of a git command say it will do.

use super::super::AssessCx;
use crate::model::{Effect, Invocation};

/// The effects of a git command line.
pub fn assess(_inv: &Invocation, _cx: &AssessCx<'_>) -> Vec<Effect> {
    Vec::new()
}
