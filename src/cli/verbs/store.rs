//! `fr store stats|verify|gc|pin|rebuild`.

use std::time::Duration;

use crate::cli::Out;
use crate::cli::args::{StoreAction, StoreArgs};
use crate::cli::render::{bytes, count, safe, style, when};
use crate::error::Result;
use crate::journal::index::Index;
use crate::platform::home::Home;
use crate::store::{self, Store};

/// Runs the verb.
pub fn run(args: &StoreArgs, out: &mut Out) -> Result<u8> {
    let home = super::existing_home()?;
    match &args.action {
        StoreAction::Stats => stats(&home, out),
        StoreAction::Verify => verify(&home, out),
        StoreAction::Gc { keep_within, grace, dry_run } => gc(&home, keep_within, grace, *dry_run, out),
        StoreAction::Pin { id, remove } => pin(&home, id, *remove, out),
        StoreAction::Rebuild => rebuild(&home, out),
    }
}
