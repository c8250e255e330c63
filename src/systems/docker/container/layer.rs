//! What of a container is lost when it is removed: what it wrote outside of its volumes, and its log.

use serde_json::Value;

use crate::error::Result;
use crate::systems::docker::look::{Eyes, Seen};
use crate::systems::things::{Part, Taking};

/// Fact: it wrote a log.
pub const LOG: &str = "log";
/// The part that holds the end of its log.
const LOG_PART: &str = "log";
/// The parts that hold what it wrote outside of volumes begin so; the path follows.
pub const LAYER: &str = "layer:";
/// The most paths of a layer that are read one by one.
const MOST_PATHS: usize = 64;
/// The most bytes of a log that are kept, to be looked at.
const MOST_LOG: u64 = 8 << 20;

/// What it wrote outside of its volumes.
pub fn layer(eyes: &Eyes<'_>, name: &str, description: &Value, seen: &mut Seen) -> Result<()> {
    let what = format!("what {name} wrote outside of its volumes");
    let lines = eyes.cli.lines(&["container", "diff", name])?;
    let (paths, deleted) = written(&lines, description);
    if deleted > 0 {
        seen.missing.push((
            format!("{name}: the deletion of {deleted} paths of its image"),
            "they are there again in a container that is made anew".to_owned(),
        ));
    }
    if paths.is_empty() {
        return Ok(());
    }
    if eyes.budget.layer == 0 || paths.len() > MOST_PATHS {
        let why = match eyes.budget.layer {
            0 => "it is not read (caps.container_layer_bytes is 0)".to_owned(),
            _ => format!("{} paths are more than {MOST_PATHS}", paths.len()),
        };
        seen.missing.push((what, why));
        return Ok(());
    }
    let mut left = eyes.budget.layer;
    for path in paths {
        let taking = Taking { sink: eyes.for_contents(), most: left };
        let from = format!("{name}:{path}");
        let part = eyes.cli.read(&["cp", &from, "-"], |from| Part::take(from, taking));
        match part {
            Ok(Some(part)) => {
                left = left.saturating_sub(part.bytes);
                seen.thing.parts.insert(format!("{LAYER}{path}"), part);
            }
            Ok(None) => {
                let why = format!("over the cap of {} bytes (caps.container_layer_bytes)", eyes.budget.layer);
                seen.missing.push((from, why));
            }
            Err(error) => seen.missing.push((from, error.what)),
        }
    }
    Ok(())
}

/// The topmost paths that were added or changed, and how many of the image's were deleted. A directory that is only noted as
/// changed because something in it is, is left to that.
fn written(lines: &[String], description: &Value) -> (Vec<String>, usize) {
    let list = description.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    let mounts: Vec<&str> = list.filter_map(|mount| mount.get("Destination")?.as_str()).collect();
    let below = |path: &str, top: &str| {
        path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let entries: Vec<(&str, &str)> = lines.iter().filter_map(|line| line.split_once(' ')).collect();
    let mut paths: Vec<String> = Vec::new();
    for (how, path) in &entries {
        // Where a volume is mounted the engine makes a directory.
        let of_mount = mounts.iter().any(|mount| below(path, mount) || below(mount, path));
        let is_parent = *how == "C" && entries.iter().any(|(_, other)| other != path && below(other, path));
        let is_covered = paths.iter().any(|top| below(path, top));
        if matches!(*how, "A" | "C") && !of_mount && !is_parent && !is_covered {
            paths.push((*path).to_owned());
        }
    }
    (paths, entries.iter().filter(|(how, _)| *how == "D").count())
}

/// The end of its log, to be looked at: a log cannot be put back.
pub fn log(eyes: &Eyes<'_>, name: &str, seen: &mut Seen) -> Result<()> {
    let taking = Taking { sink: eyes.for_contents(), most: MOST_LOG };
    // A log driver may not let it be read.
    let part = eyes.cli.read(&["logs", "--tail", "2000", name], |from| Part::take(from, taking));
    if let Ok(Some(part)) = part
        && part.bytes > 0
    {
        seen.thing.facts.insert(LOG.to_owned(), "yes".to_owned());
        seen.thing.parts.insert(LOG_PART.to_owned(), part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_layer_is_read_from_its_topmost_paths_and_without_what_is_mounted() {
        let lines: Vec<String> =
            ["C /etc", "A /etc/foo", "A /srv", "A /srv/a", "A /data", "C /var", "C /var/x", "D /bin/ls"]
                .map(str::to_owned)
                .into();
        let description = json!({"Mounts": [{"Destination": "/data"}]});
        let (paths, deleted) = written(&lines, &description);
        assert_eq!(paths, ["/etc/foo", "/srv", "/var/x"]);
        assert_eq!(deleted, 1);
    }
}
