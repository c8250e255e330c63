//! `fr redo`: take an undo back. It is the undo of an undo event, by the same machinery.

use super::undo::{Desk, Wishes, take_back};
use crate::cli::args::RedoArgs;
use crate::cli::{Out, usage};
use crate::error::Result;
use crate::model::EventKind;
use crate::recover::{self, Scope};
use crate::store::Store;

/// Runs the verb.
pub fn run(args: &RedoArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let event = match &args.id {
        Some(id) => index.find(id)?,
        None => recover::latest_undone(&index)?,
    };
    if !matches!(event.before.kind, EventKind::Undo(_)) {
        return Err(usage(format!("event {} is no undo", event.id))
            .hint(format!("`fr undo {}` takes a command back", event.id)));
    }
    let wishes = Wishes {
        dry_run: args.dry_run,
        yes: args.yes,
        policy: args.on_conflict.into(),
        infra: args.apply_infra,
    };
    let store = Store::open(&home)?;
    let desk = Desk { index: &index, home: &home, store: &store, passed_over: Vec::new() };
    take_back(std::slice::from_ref(&event), &Scope::default(), wishes, &desk, out)
}
