//! `fr playbook`: response procedures: which there are, what they say, carrying them out.

mod desk;
mod look;
mod runs;
mod story;

use crate::cli::Out;
use crate::cli::args::{PlaybookAction, PlaybookArgs};
use crate::error::Result;
use crate::platform::home::{self, Home};
use crate::respond::playbook;

/// Runs the verb.
pub fn run(args: &PlaybookArgs, out: &mut Out) -> Result<u8> {
    let home = Home::at(home::state_dir()?);
    match &args.action {
        PlaybookAction::List(args) if args.runs => runs::list(out),
        PlaybookAction::List(args) => look::list(args, &home, out),
        PlaybookAction::Show(args)
            if story::is_run(&args.name) && playbook::find(&args.name, &home).is_err() =>
        {
            story::show(&args.name, out)
        }
        PlaybookAction::Show(args) => look::show(args, &home, out),
        PlaybookAction::Lint(args) => look::lint(args, &home, out),
        PlaybookAction::Export(args) => look::export(args, &home, out),
        PlaybookAction::Run(args) => runs::run(args, &home, out),
        PlaybookAction::Resume(args) => runs::resume(args, out),
    }
}
