//! `fr init bash|zsh|fish`: prints the shell integration, with the path of this binary in it.

use crate::cli::Out;
use crate::cli::args::InitArgs;
use crate::error::{Error, Result};
use crate::intake::shells;

/// Runs the verb.
pub fn run(args: &InitArgs, out: &mut Out) -> Result<u8> {
    let fr = std::env::current_exe()
        .map_err(|e| Error::failure(format!("cannot find the path of fr itself: {e}")))?;
    out.raw(shells::script(args.shell.into(), &fr)?.as_bytes())?;
    Ok(0)
}
