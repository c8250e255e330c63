//! What a person needs to make again what is gone, in one directory beside the root module: the configuration as it was,
//! the list of what is gone and where its data may still be, and what terraform would do.

use std::fs;
use std::path::{Path, PathBuf};

use super::beside::{configuration, inventory, write as put};
use super::data;
use super::infra::{Site, Wish};
use super::snapshot::Resource;
use super::state::RootState;
use crate::error::{Error, Result};
use crate::model::{EventId, Locator, ObjectSource, StepOutcome};

/// Its directory: `infra.fr-undo-42`, beside `infra`.
pub fn place(root: &Path, event: EventId) -> PathBuf {
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    root.with_file_name(format!("{name}.fr-undo-{event}"))
}

/// Writes it, at once: a directory of that name is complete.
///
/// # Errors
/// Where it cannot be written.
pub fn write(
    before: &RootState,
    locator: &Locator,
    at: &Path,
    wish: &Wish,
    source: &dyn ObjectSource,
) -> Result<StepOutcome> {
    if at.is_dir() {
        return Ok(StepOutcome::Done);
    }
    let name = at.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temp = at.with_file_name(format!(".{name}.part"));
    let _left_by_a_killed_one = fs::remove_dir_all(&temp);
    configuration(before, &temp.join("configuration"), source)?;
    put(&temp.join("gone.txt"), inventory_of(before, wish).as_bytes())?;
    let text = match Site::of(before, locator, None, source).and_then(|site| site.plan(wish)) {
        Ok((_, text)) => text,
        Err(e) => format!("terraform made no plan: {e}\n"),
    };
    put(&temp.join("plan.txt"), text.as_bytes())?;
    put(&temp.join("README"), readme(before).as_bytes())?;
    fs::rename(&temp, at).map_err(|e| Error::io("create", at, &e))?;
    Ok(StepOutcome::Done)
}

fn inventory_of(before: &RootState, wish: &Wish) -> String {
    let gone = |r: &&Resource| wish.addresses.contains(&r.address);
    let gone: Vec<Resource> = before.resources().iter().filter(gone).cloned().collect();
    let mut text = inventory(&gone);
    if gone.iter().any(data::holds_data) {
        text.push_str(
            "\nWhat holds data is made again empty. Look for snapshots and backups before you apply.\n",
        );
    }
    text
}

fn readme(before: &RootState) -> String {
    let commit = before.commit.as_deref().unwrap_or("none");
    format!(
        "configuration/  the configuration of {} when the command ran (commit {commit}, with what was not committed)\n\
         gone.txt        what is gone or changed, its ids, and what the state says about its data\n\
         plan.txt        what terraform would do with that configuration and the present state\n\n\
         Nothing in here was applied. `fr undo ID --apply-infra` applies it; new resources get new identities.\n",
        before.terraform.lossy()
    )
}
