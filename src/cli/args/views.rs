//! The flags of the verbs that show what is on record.

use std::path::PathBuf;

use clap::Args;

use crate::cli::render::export::FormatName;

/// What a view is narrowed to.
#[derive(Args, Debug, Default)]
pub struct Narrow {
    /// Only events since then: `2h`, `3d`, `2026-11-22`, `2026-11-22T14:00`.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only events until then.
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Only this session (a prefix of its id).
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Only this actor: `human`, `agent`, `ci`, a name such as `claude`, or `any` for everybody.
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,
    /// Only this system: `fs`, `git`, …
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<String>,
    /// Only events with an effect of this class: `destroy`, `overwrite`, …
    #[arg(long, value_name = "CLASS")]
    pub effect: Option<String>,
    /// Only events that concern this path or a path below it.
    #[arg(long, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Only events whose command contains this text.
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// Only commands that failed.
    #[arg(long)]
    pub failed: bool,
    /// Only events that changed something.
    #[arg(long)]
    pub changes: bool,
}

/// `fr timeline`.
#[derive(Args, Debug)]
pub struct TimelineArgs {
    /// What it is narrowed to.
    #[command(flatten)]
    pub narrow: Narrow,
    /// How many events at the most; with --follow, how many of the past.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Absolute times instead of relative ones.
    #[arg(long)]
    pub absolute: bool,
    /// One list, not by session.
    #[arg(long)]
    pub flat: bool,
    /// Go on with new events as they come, oldest first.
    #[arg(long, short = 'f', conflicts_with = "until")]
    pub follow: bool,
}

/// `fr export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "jsonl")]
    pub format: FormatName,
    /// What it is narrowed to.
    #[command(flatten)]
    pub narrow: Narrow,
    /// Into this new file instead of standard output.
    #[arg(long, short = 'o', value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `fr tui`.
#[derive(Args, Debug)]
pub struct TuiArgs {
    /// What it is narrowed to at the start.
    #[command(flatten)]
    pub narrow: Narrow,
}
