//! Completions and man pages, rendered from the one declaration of the flags.

use clap::CommandFactory;

use crate::cli::args::{Cli, CompletionsArgs, ManArgs};
use crate::cli::{Out, usage};
use crate::error::{Error, Result};

/// `fr completions <shell>`.
pub fn completions(args: &CompletionsArgs, out: &mut Out) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fr", &mut text);
    out.raw(&text)?;
    Ok(0)
}

/// `fr man [verb]`.
pub fn man(args: &ManArgs, out: &mut Out) -> Result<u8> {
    let mut command = Cli::command();
    command.build();
    let page = match &args.verb {
        None => command,
        Some(verb) => {
            let found =
                command.find_subcommand(verb).ok_or_else(|| usage(format!("no verb is called {verb}")))?;
            let name: &'static str = Box::leak(format!("fr-{verb}").into_boxed_str());
            found.clone().name(name)
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|e| Error::failure(format!("cannot render the man page: {e}")))?;
    out.raw(&text)?;
    Ok(0)
}
