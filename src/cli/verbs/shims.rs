//! `fr shims enable|disable|status`: the directory of shims.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::{ShimsAction, ShimsArgs};
use crate::cli::render::{safe, style};
use crate::error::{Error, Result};
use crate::intake::shims::{self, Links, State};
use crate::platform::home::{self, Home};
use crate::store::Store;

/// Runs the verb.
pub fn run(args: &ShimsArgs, out: &mut Out) -> Result<u8> {
    let home = Home::at(home::state_dir()?);
    let dir = match &args.dir {
        Some(dir) => std::path::absolute(dir).map_err(|e| Error::io("find", dir, &e))?,
        None => home.shims(),
    };
    match args.action {
        ShimsAction::Enable => {
            enable(&dir, &home)?;
            report(&shims::status(&dir), true, out)
        }
        ShimsAction::Status => report(&shims::status(&dir), false, out),
        ShimsAction::Disable => {
            let removed = shims::disable(&dir)?;
            if out.json {
                out.json(&Removed { dir: &dir, removed })?;
            } else {
                out.line(format!(
                    "removed {removed} shims from {}",
                    safe(dir.as_os_str().as_encoded_bytes())
                ))?;
            }
            Ok(0)
        }
    }
}

#[derive(Serialize)]
struct Removed<'a> {
    dir: &'a Path,
    removed: usize,
}

/// Makes the links, and the store that the shims write to: they make none themselves.
pub(super) fn enable(dir: &Path, home: &Home) -> Result<()> {
    Store::open_or_create(home)?;
    shims::enable(dir, &home.root, &own_path()?)
}

/// The path of this binary.
pub(super) fn own_path() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| Error::failure(format!("cannot find the path of fr itself: {e}")))
}

fn report(links: &Links, just_made: bool, out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(links)?;
        return Ok(0);
    }
    let dir = safe(links.dir.as_os_str().as_encoded_bytes());
    for (state, what) in [
        (State::Active, "active"),
        (State::Shadowed, "linked, but PATH finds another program first"),
        (State::Off, "no link"),
        (State::NoProgram, "no such program here"),
        (State::Foreign, "something else has that name in the directory"),
    ] {
        let names: Vec<&str> =
            links.programs.iter().filter(|shim| shim.state == state).map(|shim| shim.name).collect();
        if !names.is_empty() {
            let style = if state == State::Active { style::GOOD } else { style::DIM };
            out.line(format!("{}: {}", out.paint(style, what), names.join(" ")))?;
        }
    }
    if links.programs.iter().any(|shim| shim.state == State::Shadowed) {
        out.talk(format!("put {dir} first on PATH, for example:"));
        out.talk("  eval \"$(fr init bash --shims)\"      last in ~/.bashrc");
        out.talk(format!("  export PATH={dir}:$PATH"));
    } else if !just_made && !links.programs.iter().any(|shim| shim.state == State::Active) {
        out.talk("no shims: `fr shims enable` makes them");
    }
    Ok(0)
}
