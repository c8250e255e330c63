//! Which engine a command acts on, as its flags and its environment say.

use crate::model::{Bytes, Invocation};
use crate::systems::AssessCx;
use crate::systems::docker::cli::VARIABLES;
use crate::systems::docker::query::Access;

/// How the command reaches its engine.
///
/// # Errors
/// Where we could not reach the same one: the reason, for people.
pub fn read(
    program: &str,
    flags: Vec<String>,
    inv: &Invocation,
    cx: &AssessCx<'_>,
) -> Result<Access, String> {
    let mut access = Access { program: program.to_owned(), flags, ..Access::default() };
    let env = |name: &str| -> Option<Option<&Bytes>> {
        match inv.env.iter().rev().find(|(n, _)| n == name) {
            Some((_, value)) => Some(value.as_ref()),
            None => cx.env.get(name).map(Some),
        }
    };
    for name in VARIABLES.iter().copied().chain(["HOME", "XDG_RUNTIME_DIR"]) {
        match env(name) {
            Some(Some(value)) => drop(access.env.insert(name.to_owned(), value.clone())),
            Some(None) => return Err(format!("the value of {name} is not known before it runs")),
            None => {}
        }
    }
    let is_root = access.env.get("HOME").is_some_and(|home| home.as_slice() == b"/root");
    let other_user = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    // docker's engine is the same for whoever may talk to it; podman keeps one store for each user.
    if program == "podman" && !is_root && inv.wrappers.iter().any(other_user) {
        return Err("it runs as another user, whose containers are not ours to see".to_owned());
    }
    access.cwd = inv.cwd.clone().ok_or("the directory that it runs in is not known")?;
    Ok(access)
}
