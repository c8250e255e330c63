//! Old states as files: JSON as it was received, and contents of objects. They may be secret, so they are only for their
//! owner.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::s3;
use super::snapshot::{Key, Part, Snapshot};
use crate::error::{Error, Result};
use crate::model::{Capture, ObjectSource, StepOutcome};
use crate::systems::ApplyCx;

/// Writes each thing below `to`: `SERVICE/KIND/IDS.json`; objects by their keys below `s3/BUCKET`.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let snapshot = Snapshot::load(&captured.state, cx.source)?;
    let mut done = 0;
    for (key, part) in snapshot.parts() {
        let Some(part) = part else { continue };
        let path = place(&key);
        if let Some(body) = &part.body {
            write(&to.join(&path), part, Some(body.as_slice()), cx.source)?;
        }
        let mut name = path.into_os_string();
        name.push(".json");
        write(&to.join(name), part, None, cx.source)?;
        done += 1;
        (cx.progress)(done);
    }
    Ok(StepOutcome::Done)
}

fn place(key: &Key) -> PathBuf {
    let (service, name) = key.kind.split_once(':').unwrap_or(("any", &key.kind));
    if s3::is_object(key) {
        let names = key.id(1).split('/').map(part);
        return PathBuf::from("s3").join(part(key.id(0))).join(names.collect::<PathBuf>());
    }
    let ids: Vec<&str> = key.ids.iter().map(String::as_str).filter(|id| !id.is_empty()).collect();
    PathBuf::from(part(service)).join(part(name)).join(part(&ids.join(" ")))
}

/// Others gave the names: none of them may lead out of the directory.
fn part(name: &str) -> String {
    const MOST: usize = 200;
    let name: String = name.chars().map(|c| if c == '/' || c == '\0' { '_' } else { c }).collect();
    let cut = name.char_indices().nth(MOST).map_or(name.len(), |(at, _)| at);
    match name.get(..cut).unwrap_or_default() {
        "" | "." | ".." => "_".to_owned(),
        name => name.to_owned(),
    }
}

fn write(
    path: &Path,
    part: &Part,
    body: Option<&[crate::model::ObjectId]>,
    source: &dyn ObjectSource,
) -> Result<()> {
    let dir = path.parent().unwrap_or(path);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| Error::io("make", dir, &e))?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let failed = |e: std::io::Error| Error::io("write", path, &e);
    let mut file = options.open(path).map_err(failed)?;
    let json = [part.json];
    for id in body.unwrap_or(&json) {
        file.write_all(&source.get(id)?).map_err(failed)?;
    }
    Ok(())
}
