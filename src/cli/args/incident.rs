//! The flags of `fr incident`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::model::Severity;

/// `fr incident`.
#[derive(Args, Debug)]
pub struct IncidentArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: IncidentAction,
}

/// Which commands an incident is about.
#[derive(Args, Debug, Default)]
pub struct IncidentScope {
    /// This session, whole, also what it does from now on: its id or a prefix; without an id the agent's that destroyed
    /// something last. May be given more than once.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub session: Vec<String>,
    /// These events: numbers, ranges (38..42), unique prefixes of global ids.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub event: Vec<String>,
}

/// The actions of `fr incident`.
#[derive(Subcommand, Debug)]
pub enum IncidentAction {
    /// Open one. Without words it is about the agent's session that destroyed something last.
    #[command(
        after_help = "Examples:\n  fr incident open\n  fr incident open 'main was force-pushed' --severity sev2\n  fr incident open --since 30m --commander ann\n  fr incident open --event 38..42"
    )]
    Open {
        /// What it is called. The default says who did what to which systems.
        title: Option<String>,
        #[command(flatten)]
        scope: IncidentScope,
        /// All that agents did since then: `2h`, `2026-11-22T14:00`.
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// Until then.
        #[arg(long, value_name = "WHEN")]
        until: Option<String>,
        /// How bad it is. The default is told from what was hit.
        #[arg(long, value_enum, value_name = "SEV")]
        severity: Option<SeverityArg>,
        /// Who decides. The default is you.
        #[arg(long, value_name = "NAME")]
        commander: Option<String>,
    },
    /// Add events or sessions to one, or leave events out.
    #[command(
        after_help = "Examples:\n  fr incident add 12 --event 51,53\n  fr incident add 12 --session 9a0c\n  fr incident add 12 --event 40 --remove"
    )]
    Add {
        /// The incident. The default is the one that is open.
        id: Option<u64>,
        #[command(flatten)]
        scope: IncidentScope,
        /// Leave the events out instead.
        #[arg(long, conflicts_with = "session")]
        remove: bool,
    },
    /// Call, rank or lead it otherwise.
    #[command(
        after_help = "Examples:\n  fr incident set 12 --severity sev1\n  fr incident set 12 --commander ann"
    )]
    Set {
        /// The incident. The default is the one that is open.
        id: Option<u64>,
        /// What it is called from now on.
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// How bad it is.
        #[arg(long, value_enum, value_name = "SEV")]
        severity: Option<SeverityArg>,
        /// Who decides from now on.
        #[arg(long, value_name = "NAME")]
        commander: Option<String>,
    },
    /// Write something down: what you see, whom you told, what was decided.
    #[command(
        after_help = "Examples:\n  fr incident note 12 'shop is down since 14:02, customers see errors'\n  fr incident note 'paged the database team'       the incident that is open\n  fr incident note 12 --decision 'we restore from the capture, not from backup'\n  kubectl get events -A | fr incident note 12 -\n\nSecrets are redacted as in command lines. An agent's notes are marked as its own."
    )]
    Note {
        /// The incident's number, then the words; `-` reads them from standard input.
        #[arg(value_name = "[ID] TEXT", required = true)]
        words: Vec<String>,
        /// It is a decision.
        #[arg(long)]
        decision: bool,
    },
    /// All of them, newest first.
    List,
    /// How one stands, and what to type next.
    Show {
        /// The incident. The default is the one that is open, else the latest.
        id: Option<u64>,
    },
    /// All that happened in it, in one order: commands, alarms, containment, undos, playbooks, notes, gaps.
    Timeline {
        /// The incident. The default is the one that is open, else the latest.
        id: Option<u64>,
        /// Also the commands that changed nothing.
        #[arg(long)]
        all: bool,
    },
    /// Close it. What it needs stays locked against gc.
    #[command(
        after_help = "Examples:\n  fr incident close 12 --outcome 'main is back, nobody pulled in between'"
    )]
    Close {
        /// The incident. The default is the one that is open.
        id: Option<u64>,
        /// How it ended.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        outcome: String,
    },
    /// Keep what its events need for ever, also after it was closed (as it is from the start), or no more.
    #[command(
        after_help = "Examples:\n  fr incident lock 12 --off    gc may take it when it is old enough\n  fr incident lock 12"
    )]
    Lock {
        /// The incident.
        id: u64,
        /// Let it go.
        #[arg(long)]
        off: bool,
    },
    /// The report: Markdown, JSON, or one HTML file that needs nothing else.
    #[command(
        after_help = "Examples:\n  fr incident report 12\n  fr incident report 12 --format html --out incident-12.html\n  fr incident report 12 --format json\n\nFrom the record alone, without secrets; the same record gives the same report."
    )]
    Report {
        /// The incident. The default is the one that is open, else the latest.
        id: Option<u64>,
        /// What it is written as.
        #[arg(long, value_enum, default_value = "md", value_name = "FORMAT")]
        format: ReportFormat,
        /// Into this file, which is replaced as a whole.
        #[arg(long, short = 'o', value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Markdown.
    Md,
    /// JSON (`schema/incident-report.schema.json`).
    Json,
    /// One HTML file.
    Html,
}

/// How bad an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    /// Production is hit, and something of it does not come back by itself.
    Sev1,
    /// Production is hit.
    Sev2,
    /// Something was lost, and it is not production.
    Sev3,
    /// Nothing was lost.
    Sev4,
}

impl From<SeverityArg> for Severity {
    fn from(arg: SeverityArg) -> Severity {
        match arg {
            SeverityArg::Sev1 => Severity::Sev1,
            SeverityArg::Sev2 => Severity::Sev2,
            SeverityArg::Sev3 => Severity::Sev3,
            SeverityArg::Sev4 => Severity::Sev4,
        }
    }
}
