//! The flags of `fr maturity`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `fr maturity`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MaturityArgs {
    /// People vouch for what nothing can measure.
    #[command(subcommand)]
    pub action: Option<MaturityAction>,
    /// As what it is printed.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub format: MaturityFormat,
    /// Into this file instead of standard output.
    #[arg(long, short = 'o', value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Since when the record counts: `90d`, `2026-09-01`. With --trend: since its first event.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// How it went over time: the measurements that were kept, and each month of the record.
    #[arg(long, conflicts_with_all = ["save", "system"])]
    pub trend: bool,
    /// Only what can be told of this system alone: `fs`, `git`, `aws`, … There is no level then.
    #[arg(long, value_name = "SYSTEM", conflicts_with = "save")]
    pub system: Option<String>,
    /// Keep this measurement on record, for --trend.
    #[arg(long)]
    pub save: bool,
}

/// What people do about criteria that nothing can measure.
#[derive(Subcommand, Debug)]
pub enum MaturityAction {
    /// Vouch for a criterion, for 180 days at the most. An agent cannot.
    #[command(
        after_help = "Examples:\n  fr maturity attest on-call --owner 'Ada, platform team'\n  fr maturity attest budget --owner Ada --for 30d --note 'budget alarm at 500 a day'\n  fr maturity attest budget --owner Ada --withdraw"
    )]
    Attest {
        /// The criterion's id; `fr maturity` shows it.
        id: String,
        /// Who answers for it.
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// Until this day.
        #[arg(long, value_name = "WHEN", conflicts_with = "for_")]
        until: Option<String>,
        /// For this long; 180d where nothing is said.
        #[arg(long = "for", value_name = "AGE")]
        for_: Option<String>,
        /// What it rests on.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
        /// Take it back.
        #[arg(long, conflicts_with_all = ["until", "for_"])]
        withdraw: bool,
    },
}

/// As what the report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MaturityFormat {
    /// For the terminal.
    Text,
    /// Markdown.
    Md,
    /// One page without anything from outside.
    Html,
    /// JSON (schema/maturity.schema.json).
    Json,
}
