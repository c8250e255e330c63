//! Carrying out a plan: each file for itself, so that one that cannot be changed keeps none of the others back.

use std::path::{Path, PathBuf};

use super::file;
use super::plan::{Action, Change, Plan, Work};
use super::record::Record;
use super::world::World;
use crate::error::{Error, Result};

/// Does what the plan says, and notes in it what was done and what was not.
pub fn apply(plan: &mut Plan, world: &World) {
    for change in &mut plan.changes {
        if change.action == Action::Refused {
            continue;
        }
        let Some(work) = change.work.take() else { continue };
        let path = change.file.as_path().to_path_buf();
        match carry_out(&path, work, world) {
            Ok(()) => change.done = true,
            Err(error) => change.fail(error),
        }
    }
}

fn carry_out(path: &Path, work: Work, world: &World) -> Result<()> {
    // An agent may write its own settings at any time.
    let (real, now) = file::read(path)?;
    if real != path || now != work.before {
        return Err(Error::failure(format!("{} changed in the meantime, it was left alone", path.display()))
            .hint("run this again"));
    }
    match work {
        Work { after: Some(after), record: Some(record), before, .. } => {
            install(path, before.as_ref() != Some(&after), &after, record, world)
        }
        Work { after, before, known_as, .. } => {
            if before != after {
                match after {
                    Some(after) => file::replace(path, &after)?,
                    None => std::fs::remove_file(path).map_err(|e| Error::io("delete", path, &e))?,
                }
            }
            let record = Record::load(&world.state, &known_as)?;
            Record::drop(&world.state, &known_as)?;
            record.map_or(Ok(()), |record| remove_made(&record.made, world))
        }
    }
}

/// The record comes first: a crash between the two leaves a record of something that was not written, which
/// `fr uninstall` sees; the other way round nothing would know the old bytes.
fn install(path: &Path, changes: bool, after: &[u8], mut record: Record, world: &World) -> Result<()> {
    if !changes && Record::load(&world.state, path)?.as_ref() == Some(&record) {
        return Ok(());
    }
    let made = file::make_parents(path)?;
    record.made.extend(made);
    record.save(&world.state)?;
    if changes { file::replace(path, after) } else { Ok(()) }
}

/// Takes away the directories that we made. Where something of ours is still in one, that file takes it along when it
/// goes; where something of others is, it is theirs now.
fn remove_made(made: &[PathBuf], world: &World) -> Result<()> {
    for dir in made.iter().rev().filter(|dir| std::fs::remove_dir(dir).is_err()) {
        let others = Record::all(&world.state)?;
        if let Some(mut heir) = others.into_iter().find(|record| record.file.starts_with(dir)) {
            heir.made.insert(0, dir.clone());
            heir.save(&world.state)?;
        }
    }
    Ok(())
}

impl Change {
    /// True where something was, or would be, written.
    pub fn writes(&self) -> bool {
        !matches!(self.action, Action::Nothing | Action::Refused)
    }
}
