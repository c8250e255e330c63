//! Looking at what is registered, for `fr doctor`. Nothing is changed.

use std::path::{Path, PathBuf};

use super::agents::{Shape, Spec};
use super::edit::PLUGIN_MARK;
use super::json::Registered;
use super::world::{Scope, World, is_program};
use super::{block, codex, file, json, line};
use crate::error::Result;
use crate::intake::shells::Shell;

/// What a file says about our hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The file.
    pub file: PathBuf,
    /// How they stand there.
    pub state: Standing,
    /// What is not as it should be, though it works.
    pub remarks: Vec<String>,
}

/// How hooks stand in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None of ours is there.
    Absent,
    /// The file cannot be read or understood.
    Unreadable(String),
    /// They are all there and would reach an `fr`.
    Good,
    /// They would not reach one, or not for every event.
    Broken(String),
    /// They are there and the agent will not run them.
    Off(String),
}

/// Looks at an agent's hooks.
pub fn agent(world: &World, spec: &Spec, scope: Scope) -> Look {
    let path = world.file(spec, scope);
    let mut remarks = Vec::new();
    let state = text(&path).and_then(|text| match (text, spec.shape) {
        (None, _) => Ok(Standing::Absent),
        (Some(text), Shape::Json(_)) => in_json(world, spec, scope, &path, &text, &mut remarks),
        (Some(text), Shape::Plugin(_)) => Ok(in_plugin(world, &text)),
    });
    let state = state.unwrap_or_else(|error| Standing::Unreadable(error.what));
    Look { file: path, state, remarks }
}

/// Looks at a shell's integration.
pub fn shell(world: &World, shell: Shell) -> Look {
    let path = world.startup_file(shell);
    let mut remarks = Vec::new();
    let state = text(&path).map(|text| match text {
        None => Standing::Absent,
        Some(text) => in_startup_file(world, shell, &text, &mut remarks),
    });
    let state = state.unwrap_or_else(|error| Standing::Unreadable(error.what));
    Look { file: path, state, remarks }
}

fn text(path: &Path) -> Result<Option<String>> {
    let (_, bytes) = file::read(path)?;
    bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| file::not_utf8())).transpose()
}

fn in_json(
    world: &World,
    spec: &Spec,
    scope: Scope,
    path: &Path,
    text: &str,
    remarks: &mut Vec<String>,
) -> Result<Standing> {
    let Shape::Json(shape) = spec.shape else { return Ok(Standing::Absent) };
    let found = json::registered(text, &shape)?;
    if found.is_empty() {
        return Ok(Standing::Absent);
    }
    if let Some((pointer, value)) = shape.off
        && json::value(text)?.pointer(pointer) == Some(&value.into())
    {
        let name = pointer.trim_start_matches('/').replace('/', ".");
        return Ok(Standing::Off(format!("{name} is {value} in this file")));
    }
    let missing: Vec<&str> =
        spec.events.iter().map(|event| event.name).filter(|name| !found.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Ok(Standing::Broken(format!("no hook for {}", missing.join(", "))));
    }
    for registered in found.values() {
        match registered {
            Registered::Ours(line) => {
                let binary = line::binary_of(line);
                if let Some(gone) = unreachable(world, binary.as_deref()) {
                    return Ok(Standing::Broken(gone));
                }
                remark(remarks, binary.and_then(|binary| elsewhere(world, &binary)));
            }
            Registered::ByHand(_) => {
                remark(remarks, Some("registered by hand: that line is not checked".to_string()));
            }
        }
    }
    if spec.name == "codex" {
        return Ok(gate(world, spec, scope, path, text));
    }
    Ok(Standing::Good)
}

/// Why a line reaches no `fr`; `None` where it does.
fn unreachable(world: &World, binary: Option<&str>) -> Option<String> {
    if binary.is_some_and(|path| is_program(Path::new(path))) || world.program("fr").is_some() {
        return None;
    }
    Some(match binary {
        Some(path) => format!("{path} is gone, and there is no fr on PATH"),
        None => "there is no fr on PATH".to_string(),
    })
}

/// What is worth saying of a path that is not this binary's.
fn elsewhere(world: &World, binary: &str) -> Option<String> {
    if Path::new(binary) == world.fr {
        return None;
    }
    Some(match is_program(Path::new(binary)) {
        true => format!("it calls {binary}, which is not this fr; `fr install` changes that"),
        false => format!("{binary} is gone: it calls the fr on PATH; `fr install` mends the path"),
    })
}

fn remark(remarks: &mut Vec<String>, what: Option<String>) {
    remarks.extend(what.filter(|what| !remarks.contains(what)));
}

fn gate(world: &World, spec: &Spec, scope: Scope, path: &Path, hooks: &str) -> Standing {
    let path = if scope == Scope::User { path.to_path_buf() } else { world.file(spec, scope) };
    let config = std::fs::read_to_string(world.settings(spec).join("config.toml")).unwrap_or_default();
    match codex::judge(&path, hooks, &config) {
        codex::Verdict::Trusted => Standing::Good,
        codex::Verdict::Untrusted => Standing::Off("nobody has accepted them yet".to_string()),
        codex::Verdict::Modified => Standing::Off("they were changed since they were accepted".to_string()),
        codex::Verdict::Disabled => Standing::Off("they are switched off in config.toml".to_string()),
    }
}

fn in_plugin(world: &World, text: &str) -> Standing {
    if !text.starts_with(PLUGIN_MARK) {
        return Standing::Absent;
    }
    let path = text.lines().find_map(|line| line.strip_prefix("const FR = "));
    let path: Option<String> = path.and_then(|quoted| serde_json::from_str(quoted).ok());
    match unreachable(world, path.as_deref()) {
        Some(gone) => Standing::Broken(gone),
        None => Standing::Good,
    }
}

fn in_startup_file(world: &World, shell: Shell, text: &str, remarks: &mut Vec<String>) -> Standing {
    let by_hand = format!("fr init {}", shell.name());
    match block::registered(text) {
        Err(error) => Standing::Unreadable(error.what),
        Ok(Some(found)) => match block::binary_of(found) {
            Some(path) if is_program(Path::new(&path)) => {
                remark(remarks, elsewhere(world, &path));
                Standing::Good
            }
            Some(path) => Standing::Broken(format!("{path} is gone")),
            None => Standing::Broken("the block is not as fr wrote it".to_string()),
        },
        Ok(None) if text.lines().any(|l| !l.trim_start().starts_with('#') && l.contains(&by_hand)) => {
            remark(remarks, Some("put there by hand: that line is not checked".to_string()));
            Standing::Good
        }
        Ok(None) => Standing::Absent,
    }
}
