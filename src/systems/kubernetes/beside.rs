//! Old objects as files: JSON as it was received, and YAML for people. They may be secret, so they are only for their owner.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::changes;
use super::object::Key;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::model::{Capture, StepOutcome};
use crate::systems::ApplyCx;

/// Writes each object below `to`: `NAMESPACE/KIND.GROUP/NAME.json` and `.yaml`.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let snapshot = Snapshot::load(&captured.state, cx.source)?;
    let mut done = 0;
    for (key, entry) in snapshot.entries() {
        let Some(entry) = entry else { continue };
        let dir = to
            .join(part(if key.namespace.is_empty() { "_cluster" } else { &key.namespace }))
            .join(part(&folder(&key)));
        std::fs::create_dir_all(&dir).map_err(|e| Error::io("make", &dir, &e))?;
        let json = cx.source.get(&entry.object)?;
        let yaml = changes::whole(&Snapshot::object(entry, cx.source)?)?;
        write(&dir.join(part(&format!("{}.json", key.name))), &json)?;
        write(&dir.join(part(&format!("{}.yaml", key.name))), yaml.as_bytes())?;
        done += 1;
        (cx.progress)(done);
    }
    Ok(StepOutcome::Done)
}

fn folder(key: &Key) -> String {
    let kind = key.kind.to_lowercase();
    if key.group.is_empty() { kind } else { format!("{kind}.{}", key.group) }
}

/// A server that is not ours gives the names: none of them may lead out of the directory.
fn part(name: &str) -> String {
    let name = name.replace(['/', '\0'], "_");
    if name == "." || name == ".." { "_".to_owned() } else { name }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(|e| Error::io("write", path, &e))?;
    file.write_all(content).map_err(|e| Error::io("write", path, &e))
}
