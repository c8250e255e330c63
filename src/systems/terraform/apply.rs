//! Carrying out a step. Each looks at what is there first: where it is not what the plan was made over, nothing is
//! written.

use std::path::Path;
use std::time::Duration;

use super::cli::{Cli, LOOK, WRITE};
use super::infra::Site;
use super::kit;
use super::place::{self, Place};
use super::plan::{How, Payload};
use super::push::Push;
use super::state::RootState;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, Step, StepOutcome, Verification};
use crate::systems::ApplyCx;

/// The most bytes of a small file.
const SMALL: u64 = 16 << 20;

/// Applies.
///
/// # Errors
/// Where terraform or a file cannot be asked.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = payload(step)?;
    let before = RootState::by_id(&payload.before, cx.source)?;
    match payload.how {
        How::Push { expect, serial, force } => {
            let patience = Duration::from_secs(cx.caps.lock_seconds);
            Push { before: &before, expect, serial, force, patience }.apply(&step.locator, cx.source)
        }
        How::NewWorkspace => new_workspace(&before, step),
        How::DropWorkspace => drop_workspace(&before, step),
        How::Select { expect } => select(&before, &expect, step),
        How::Directory { binding, locks } => {
            let place = Place::find(&step.locator)?;
            let files = [
                (place.data_dir.join("terraform.tfstate"), binding, before.binding),
                (place.root.join(".terraform.lock.hcl"), locks, before.locks),
            ];
            for (file, expect, want) in files {
                if let Some(reason) = put_back(&file, expect, want, cx)? {
                    return Ok(StepOutcome::Conflict { reason });
                }
            }
            Ok(StepOutcome::Done)
        }
        How::Kit { at, wish } => kit::write(&before, &step.locator, &at, &wish, cx.source),
        How::Apply { at, wish, present } => {
            let site = match present {
                true => Site::present(&before, &step.locator)?,
                false => {
                    Site::of(&before, &step.locator, Some(at.as_path()).filter(|at| at.is_dir()), cx.source)?
                }
            };
            site.apply(&wish, &step.locator)
        }
        How::Nothing => Ok(StepOutcome::Failed { reason: "there is nothing that could be done".to_owned() }),
    }
}

/// Reads the state again: what a policy had made is in it.
///
/// # Errors
/// Where it cannot be read.
pub fn verify(step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
    let payload = payload(step)?;
    let How::Apply { at, wish, present } = payload.how else {
        let reason = "only terraform's own work is read again".to_owned();
        return Ok(Verification::NotVerified { reason });
    };
    let before = RootState::by_id(&payload.before, cx.source)?;
    let site = match present {
        true => Site::present(&before, &step.locator)?,
        false => Site::of(&before, &step.locator, Some(at.as_path()).filter(|at| at.is_dir()), cx.source)?,
    };
    let there = site.state_now(&step.locator)?.resources;
    let is_there = |name: &&String| there.iter().any(|resource| resource.address == **name);
    Ok(match wish.addresses.iter().find(|name| is_there(name) == wish.remove) {
        None => Verification::Verified,
        Some(name) if wish.remove => Verification::Failed { reason: format!("{name} is in the state still") },
        Some(name) => Verification::Failed { reason: format!("{name} is not in the state") },
    })
}

fn payload(step: &Step) -> Result<Payload> {
    serde_json::from_value(step.payload.clone())
        .map_err(|e| Error::failure(format!("the plan's step for terraform cannot be read: {e}")))
}

/// The terraform that works on no workspace in particular, and does not touch which one is selected: with a data
/// directory's selection in force, as people have it.
fn unbound(before: &RootState, place: &Place) -> Cli {
    Cli { root: place.root.clone(), workspace: "default".to_owned(), ..before.cli() }
}

fn new_workspace(before: &RootState, step: &Step) -> Result<StepOutcome> {
    let place = Place::find(&step.locator)?;
    let cli = unbound(before, &place);
    if cli.workspaces()?.contains(&before.workspace) {
        return Ok(StepOutcome::Done);
    }
    // It selects what it makes; a selection made by the environment alone it refuses.
    let selected = place::bytes(&place.environment(), SMALL)?;
    cli.without_workspace().ask(&["workspace", "new", "-no-color", &before.workspace], WRITE)?;
    put(&place.environment(), selected.as_deref())?;
    Ok(StepOutcome::Done)
}

fn drop_workspace(before: &RootState, step: &Step) -> Result<StepOutcome> {
    let place = Place::find(&step.locator)?;
    let cli = unbound(before, &place);
    if !cli.workspaces()?.contains(&before.workspace) {
        return Ok(StepOutcome::Done);
    }
    if place.selected == before.workspace {
        let reason = format!("workspace {} is selected: select another one first", before.workspace);
        return Ok(StepOutcome::Conflict { reason });
    }
    // Without -force terraform refuses where the workspace holds something: that is the guard.
    cli.without_workspace().ask(&["workspace", "delete", "-no-color", &before.workspace], LOOK)?;
    Ok(StepOutcome::Done)
}

fn select(before: &RootState, expect: &str, step: &Step) -> Result<StepOutcome> {
    let place = Place::find(&step.locator)?;
    if place.selected == before.selected {
        return Ok(StepOutcome::Done);
    }
    if place.selected != expect {
        return Ok(StepOutcome::Conflict { reason: format!("workspace {} is selected now", place.selected) });
    }
    put(&place.environment(), Some(before.selected.as_bytes()))?;
    Ok(StepOutcome::Done)
}

/// Puts back a file that must be as expected; a reason where it is not.
fn put_back(
    file: &Path,
    expect: Option<ObjectId>,
    want: Option<ObjectId>,
    cx: &ApplyCx<'_>,
) -> Result<Option<String>> {
    let now = place::bytes(file, SMALL)?.map(|bytes| ObjectId::of(ObjectKind::Blob, &bytes));
    if now == want {
        return Ok(None);
    }
    if now != expect {
        return Ok(Some(format!("{} was written since", file.display())));
    }
    let bytes = want.map(|id| cx.source.get(&id)).transpose()?;
    put(file, bytes.as_deref())?;
    Ok(None)
}

/// Makes a file what it was, at once; `None`: it was not there.
fn put(file: &Path, bytes: Option<&[u8]>) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("write", file, &e);
    let Some(bytes) = bytes else {
        return match std::fs::remove_file(file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed(e)),
            _ => Ok(()),
        };
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temp = file.with_file_name(format!(".{name}.fr-undo"));
    let mode = std::fs::metadata(file).map(|meta| meta.permissions()).ok();
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    std::fs::write(&temp, bytes).map_err(failed)?;
    if let Some(mode) = mode {
        std::fs::set_permissions(&temp, mode).map_err(failed)?;
    }
    std::fs::rename(&temp, file).map_err(failed)
}
