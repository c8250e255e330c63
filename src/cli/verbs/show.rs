//! `fr show <id>`: everything about one event.

use crate::cli::Out;
use crate::cli::args::IdArgs;
use crate::cli::render::{EventView, event_details};
use crate::error::Result;

/// Runs the verb.
pub fn run(args: &IdArgs, out: &mut Out) -> Result<u8> {
    let (_, index) = super::opened()?;
    let event = index.find(&args.id)?;
    if out.json {
        out.json(&EventView::of(&event))?;
    } else {
        event_details(&event, out)?;
    }
    Ok(0)
}
