//! `fr init bash|zsh|fish`: prints the shell integration, with the path of this binary in it.

use crate::cli::Out;
use crate::cli::args::InitArgs;
use crate::error::Result;
use crate::intake::shells;
use crate::platform::home::{self, Home};

/// Runs the verb.
pub fn run(args: &InitArgs, out: &mut Out) -> Result<u8> {
    let fr = super::shims::own_path()?;
    if args.shims {
        let shims = Home::at(home::state_dir()?).shims();
        out.raw(shells::path_line(args.shell.into(), &shims)?.as_bytes())?;
    }
    out.raw(shells::script(args.shell.into(), &fr)?.as_bytes())?;
    Ok(0)
}
