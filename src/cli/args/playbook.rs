//! The flags of `fr playbook`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `fr playbook`.
#[derive(Args, Debug)]
pub struct PlaybookArgs {
    /// What is done with them.
    #[command(subcommand)]
    pub action: PlaybookAction,
}

/// What can be done with playbooks.
#[derive(Subcommand, Debug)]
pub enum PlaybookAction {
    /// Which there are, and which fit what happened.
    #[command(
        after_help = "Examples:\n  fr playbook list\n  fr playbook list --for 42      only those that fit event 42\n  fr playbook list --runs        runs, the newest first"
    )]
    List(PlaybookListArgs),
    /// One of them for people: every command can be copied. Or what was done in a run, step by step.
    #[command(
        after_help = "Examples:\n  fr playbook show git-force-push\n  fr playbook show git-force-push --json\n  fr playbook show 0192f3a4b5c6        a run: how each step ended, who agreed, what it ran"
    )]
    Show(PlaybookShowArgs),
    /// What is wrong with a playbook: one of a name, or a file.
    #[command(
        after_help = "Examples:\n  fr playbook lint                    all of them\n  fr playbook lint my-own\n  fr playbook lint --file ./new.yaml\n\nExit code 1 where something is wrong."
    )]
    Lint(PlaybookLintArgs),
    /// Carry one out, step by step.
    #[command(
        after_help = "Examples:\n  fr playbook run git-force-push --dry-run     all that it would do\n  fr playbook run git-force-push               for the latest event that it is for\n  fr playbook run files-on-host --event 42 --var note='disk full'\n  fr playbook run runaway-agent --session 4f2c\n\nSteps that only read or contain run by themselves; for all others a person agrees. Without a terminal it stops where a\nperson is needed, with exit code 3, and says how to go on; --confirm and --answer agree to steps by name."
    )]
    Run(PlaybookRunArgs),
    /// Go on with a run, after a crash or a day.
    #[command(
        after_help = "Examples:\n  fr playbook resume                  the latest that is not finished\n  fr playbook resume 0192f3a4b5c6\n  fr playbook resume 0192f3a4b5c6 --confirm undo --answer declare='INC-7, me'\n\nA step that was begun and has no end on record is asked about again, never silently repeated where it writes."
    )]
    Resume(PlaybookResumeArgs),
    /// For other tools: CACAO 2.0, or Markdown.
    #[command(
        after_help = "Examples:\n  fr playbook export k8s-namespace --format cacao > k8s-namespace.json\n  fr playbook export k8s-namespace --format markdown"
    )]
    Export(PlaybookExportArgs),
}

/// `fr playbook list`.
#[derive(Args, Debug)]
pub struct PlaybookListArgs {
    /// Only those that fit this event, or this incident's; without a number, the latest event that did damage.
    #[arg(long = "for", value_name = "EVENT", num_args = 0..=1, default_missing_value = "")]
    pub event: Option<String>,
    /// Runs instead of playbooks.
    #[arg(long, conflicts_with = "event")]
    pub runs: bool,
}

/// `fr playbook show`.
#[derive(Args, Debug)]
pub struct PlaybookShowArgs {
    /// The name of a playbook, or the beginning of a run's id (`fr playbook list --runs`).
    pub name: String,
}

/// `fr playbook lint`.
#[derive(Args, Debug)]
pub struct PlaybookLintArgs {
    /// Its name; without one, all.
    pub name: Option<String>,
    /// A file instead.
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    pub file: Option<PathBuf>,
}

/// What a script says in place of a person.
#[derive(Args, Debug, Default)]
pub struct PlaybookAgreedArgs {
    /// Agree to this step.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub confirm: Vec<String>,
    /// Answer a step: `--answer declare='INC-7'`.
    #[arg(long, value_name = "STEP=TEXT")]
    pub answer: Vec<String>,
    /// Leave this step out.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Run this step again, though nobody knows whether it ended.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub again: Vec<String>,
    /// This step, of which nobody knows whether it ended, is done.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub done: Vec<String>,
}

/// `fr playbook run`.
#[derive(Args, Debug)]
pub struct PlaybookRunArgs {
    /// Its name.
    pub name: String,
    /// The event that it is about. The default is the latest one that it is for.
    #[arg(long, value_name = "ID", conflicts_with = "session")]
    pub event: Option<String>,
    /// The session whose latest fitting event it is about.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// The incident that it is for, by its number: without --event, it is about the latest event of it that the
    /// playbook is for.
    #[arg(long, value_name = "N")]
    pub incident: Option<String>,
    /// A variable: `--var branch=main`.
    #[arg(long, value_name = "NAME=VALUE")]
    pub var: Vec<OsString>,
    /// Show all that it would do; nothing is written, nothing runs.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask on the terminal before it begins. Only what reads or contains runs by itself, then as ever.
    #[arg(long)]
    pub yes_auto: bool,
    /// What is agreed to beforehand.
    #[command(flatten)]
    pub agreed: PlaybookAgreedArgs,
}

/// `fr playbook resume`.
#[derive(Args, Debug)]
pub struct PlaybookResumeArgs {
    /// The run: the beginning of its id. The default is the latest that is not finished.
    pub run: Option<String>,
    /// What is agreed to beforehand.
    #[command(flatten)]
    pub agreed: PlaybookAgreedArgs,
}

/// For whom a playbook is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlaybookFormat {
    /// CACAO 2.0, JSON.
    Cacao,
    /// Markdown.
    Markdown,
}

/// `fr playbook export`.
#[derive(Args, Debug)]
pub struct PlaybookExportArgs {
    /// Its name.
    pub name: String,
    /// In which form.
    #[arg(long, value_name = "FORMAT", default_value = "cacao")]
    pub format: PlaybookFormat,
}
