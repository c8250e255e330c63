//! The flags of `fr config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `fr config`.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// What to do; without it, the settings in force are printed.
    #[command(subcommand)]
    pub action: Option<ConfigAction>,
}

/// The actions of `fr config`.
#[derive(Subcommand, Debug)]
pub enum ConfigAction {
    /// Change one setting; comments and the rest of the file stay.
    #[command(
        after_help = "Examples:\n  fr config set mode guard\n  fr config set production.branches main 'release/*'\n  fr config set runaway.reaction contain\n\nOnly a person changes settings: an agent that asks for it is refused."
    )]
    Set {
        /// Which: `mode`, `production.branches`, `runaway.commands`, …
        key: String,
        /// Its value; several for a list.
        #[arg(required = true, allow_hyphen_values = true)]
        value: Vec<String>,
    },
    /// Take one setting out of the file: its default is in force again.
    Unset {
        /// Which.
        key: String,
    },
    /// Print one setting in force.
    Get {
        /// Which.
        key: String,
    },
    /// Is the file right? Exit code 1 and the line where it is not.
    Check {
        /// Another file than the one in force.
        file: Option<PathBuf>,
    },
}
