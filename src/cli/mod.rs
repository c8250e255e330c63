//! The command line: arguments, output, one file per verb. The only room that prints, and it holds no logic:
//! a verb reads its arguments, calls a room, and renders the plain structs that come back.

mod args;
mod ask;
pub mod out;
pub mod render;
mod tui;
pub mod verbs;

use std::ffi::OsString;

use clap::Parser;

pub use args::{Cli, Verb};
pub use out::Out;

use crate::error::{Error, Result};

/// True where `--help` or `-h` stands before any `--` or `-c`: then the argument parser answers.
pub fn asks_for_help(args: &[OsString]) -> bool {
    args.first().is_some_and(|a| a == "--help" || a == "-h")
}

/// Parses the arguments, runs the verb, reports its error; returns the exit code.
pub fn run(args: Vec<OsString>) -> u8 {
    let argv = std::iter::once(OsString::from("fr")).chain(args);
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) => {
            // clap renders help, version and usage errors itself; a closed pipe is nobody's failure.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let mut out = Out::from_cli(&cli);
    let result = dispatch(cli.verb, &mut out);
    finish(&mut out, result)
}

fn dispatch(verb: Verb, out: &mut Out) -> Result<u8> {
    match verb {
        Verb::Hook { args } => Ok(verbs::hook::run(&args)),
        Verb::Exec { args } => Ok(verbs::exec::run(&args)),
        Verb::Install(args) => verbs::install::run(&args, out),
        Verb::Uninstall(args) => verbs::uninstall::run(&args, out),
        Verb::Doctor => verbs::doctor::run(out),
        Verb::Run(args) => verbs::run::run(&args, out),
        Verb::Shims(args) => verbs::shims::run(&args, out),
        Verb::Init(args) => verbs::init::run(&args, out),
        Verb::Explain(args) => verbs::explain::run(&args, out),
        Verb::Timeline(args) => verbs::timeline::run(&args, out),
        Verb::Export(args) => verbs::export::run(&args, out),
        Verb::Tui(args) => verbs::tui::run(&args, out),
        Verb::Show(args) => verbs::show::run(&args, out),
        Verb::Diff(args) => verbs::diff::run(&args, out),
        Verb::Sessions(args) => verbs::sessions::run(&args, out),
        Verb::BlastRadius(args) => verbs::blast_radius::run(&args, out),
        Verb::Contain(args) => verbs::contain::contain(&args, out),
        Verb::Release(args) => verbs::contain::release(&args, out),
        Verb::Incident(args) => verbs::incident::run(args, out),
        Verb::Playbook(args) => verbs::playbook::run(&args, out),
        Verb::Undo(args) => verbs::undo::run(&args, out),
        Verb::Redo(args) => verbs::redo::run(&args, out),
        Verb::Restore(args) => verbs::restore::run(&args, out),
        Verb::Verify(args) => verbs::verify::run(&args, out),
        Verb::Store(args) => verbs::store::run(&args, out),
        Verb::Config(args) => verbs::config::run(&args, out),
        Verb::Demo(args) => verbs::demo::run(&args, out),
        Verb::Drill(args) => verbs::drill::run(&args, out),
        Verb::Maturity(args) => verbs::maturity::run(&args, out),
        Verb::Completions(args) => verbs::generate::completions(&args, out),
        Verb::Man(args) => verbs::generate::man(&args, out),
    }
}

/// Flushes, renders an error, and turns the result into an exit code. The one place where errors are printed.
pub fn finish(out: &mut Out, result: Result<u8>) -> u8 {
    let result = result.and_then(|code| out.flush().map(|()| code));
    match result {
        Ok(code) => code,
        Err(error) => {
            out.error(&error);
            error.code as u8
        }
    }
}

/// A usage error: exit code 2.
pub(crate) fn usage(what: impl Into<String>) -> Error {
    Error::new(crate::error::ExitCode::Usage, what)
}
