//! One file per verb: read arguments, call a room, render what comes back.

pub mod blast_radius;
pub mod config;
pub mod contain;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod drill;
pub mod exec;
pub mod explain;
pub mod export;
pub mod generate;
pub mod hook;
pub mod incident;
pub mod init;
pub mod install;
pub mod maturity;
pub(in crate::cli) mod narrow;
pub mod playbook;
pub mod redo;
pub mod restore;
pub mod run;
pub mod sessions;
pub mod shim;
pub mod shims;
pub mod show;
pub mod store;
pub mod timeline;
pub mod tui;
pub mod undo;
pub mod uninstall;
pub mod verify;

use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Index;
use crate::platform::home::{self, Home};

/// The store's home, which must be there.
fn existing_home() -> Result<Home> {
    let home = Home::at(home::state_dir()?);
    if home.exists() {
        return Ok(home);
    }
    Err(Error::new(ExitCode::NoStore, format!("there is no store at {} yet", home.root.display())).hint(
        "record something first: `fr exec -- ls`, `eval \"$(fr init bash)\"`, or `fr demo` to see it work",
    ))
}

/// The home and its index, caught up with the journal.
fn opened() -> Result<(Home, Index)> {
    let home = existing_home()?;
    crate::store::Store::open(&home)?;
    if let Err(error) = crate::record::traced::collect(&home) {
        crate::record::gap(&home, &format!("what git traced could not be recorded: {error}"), None)?;
    }
    let index = Index::open(&home)?;
    Ok((home, index))
}
