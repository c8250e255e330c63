//! The other side of a push: what a remote's refs were before it, and how they get back there.
//!
//! A push that forces or deletes destroys what only the remote may have. So before it runs its targets and their values
//! are found (by a dry run of the same push, and `ls-remote` for what that does not say), and the objects that they name
//! are pinned in the vault, fetched if need be. All of it runs in a [`shadow`] of the repository, so that nothing the repository
//! configures is started. Undo pushes the old values back, each guarded by the value that it expects there.

mod beside;
mod capture;
mod dry_run;
mod names;
mod net;
mod pin;
mod shadow;
mod state;
mod undo;

pub use beside::restore_to;
pub use capture::{capture, capture_again, forget_push, is_captured, observe};
pub use names::as_captured;
pub use net::net;
pub use state::{RemoteState, changes};
pub use undo::{apply, plan};

use crate::model::{Bytes, Context, ContextKind, Locator};

/// Option of a locator that names the other side.
const SIDE: &str = "side";

/// True for captures and steps that concern a remote.
pub fn is_remote(locator: &Locator) -> bool {
    locator.opts.contains_key(SIDE)
}

/// The names of a ref of a remote: `main`, and `origin/main`. What is local is nobody's production.
pub fn contexts(resource: &Bytes) -> Vec<Context> {
    let words = resource.lossy();
    let Some((remote, name)) = words.strip_prefix("git:").and_then(|rest| rest.split_once("/refs/")) else {
        return Vec::new();
    };
    let Some((kind, name)) = name.split_once('/').filter(|_| remote != "local") else { return Vec::new() };
    let kind = if kind == "tags" { ContextKind::Tag } else { ContextKind::Branch };
    crate::model::contexts(kind, [name.to_owned(), format!("{remote}/{name}")])
}
