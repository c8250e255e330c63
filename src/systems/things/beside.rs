//! Old descriptions and contents as files. They may be secret, so they are only for their owner.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::doc::Things;
use crate::error::{Error, Result};
use crate::model::{Capture, StepOutcome};
use crate::systems::ApplyCx;

/// Writes each thing below `to`: `NAME` with the ending of its description, and `NAME.PART` for each content.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>, ending: &str) -> Result<StepOutcome> {
    let things = Things::load(&captured.state, cx.source)?;
    let mut done = 0;
    for (name, thing) in things.all() {
        let Some(thing) = thing else { continue };
        let (kind, name) = name.split_once('/').unwrap_or(("things", name));
        let dir = to.join(part(kind));
        std::fs::create_dir_all(&dir).map_err(|e| Error::io("make", &dir, &e))?;
        let name = part(name);
        let description = cx.source.get(&thing.object)?;
        write(&dir.join(format!("{name}{ending}")), |file| {
            file.write_all(&description).map_err(|e| Error::failure(e.to_string()))
        })?;
        for (which, content) in &thing.parts {
            let path = dir.join(part(&format!("{name}.{which}")));
            write(&path, |file| content.write(cx.source, file))?;
        }
        done += 1;
        (cx.progress)(done);
    }
    Ok(StepOutcome::Done)
}

/// Others give the names: none of them may lead out of the directory.
fn part(name: &str) -> String {
    let name = name.replace(['/', '\0'], "_");
    if name.is_empty() || name == "." || name == ".." { "_".to_owned() } else { name }
}

fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(|e| Error::io("write", path, &e))?;
    content(&mut file)
}
