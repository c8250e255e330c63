//! `fr tui`: the record to walk through.

use crate::cli::args::TuiArgs;
use crate::cli::tui;
use crate::cli::{Out, usage};
use crate::error::Result;

/// Runs the verb.
pub fn run(args: &TuiArgs, out: &mut Out) -> Result<u8> {
    if out.json {
        return Err(usage("fr tui draws, it has no JSON").hint("`fr timeline --json` prints the same events"));
    }
    let typed = tui::typed(&args.narrow);
    let filter = super::narrow::filter(&args.narrow, 0)?;
    let (home, index) = super::opened()?;
    tui::run(filter, typed, home, index, out)
}
