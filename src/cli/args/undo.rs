//! The flags of `fr undo`, `fr redo` and `fr restore`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::Policy;

/// `fr undo`.
#[derive(Args, Debug)]
pub struct UndoArgs {
    /// Event numbers, ranges (3..7), or unique prefixes of global ids. Several are taken back as one: each target is written
    /// once, to what it was before the first of them.
    pub ids: Vec<String>,
    #[command(flatten)]
    pub which: WhichEvents,
    #[command(flatten)]
    pub part: WhichPart,
    /// Print the plan and write nothing.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Apply without asking.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// What to do with targets that somebody changed since.
    #[arg(long, value_enum, default_value = "abort", value_name = "POLICY")]
    pub on_conflict: OnConflict,
    /// Also do what costs money or gives another identity: run `terraform apply`, start instances of AWS anew. Never done
    /// unasked: it changes real infrastructure, and what it makes may have no data. With --resume the rest of it, with --plan
    /// as the plan says.
    #[arg(long, conflicts_with_all = ["plan_out", "abort"])]
    pub apply_infra: bool,
    /// Write the plan to a file and nothing else: for review.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "yes"])]
    pub plan_out: Option<PathBuf>,
    /// Apply a reviewed plan, if it would come out the same now.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "session", "since", "last", "actor", "exclude", "with_dependents", "system", "path", "on_conflict"])]
    pub plan: Option<PathBuf>,
    /// Go on with the undo that a crash interrupted.
    #[arg(long, conflicts_with_all = ["ids", "session", "since", "last", "plan", "plan_out", "abort"])]
    pub resume: bool,
    /// Give up the undo that a crash interrupted: what it has written becomes again what it was.
    #[arg(long, conflicts_with_all = ["ids", "session", "since", "last", "plan", "plan_out"])]
    pub abort: bool,
}

/// Which events are taken back, where they are not named one by one.
#[derive(Args, Debug)]
#[command(next_help_heading = "Which events")]
pub struct WhichEvents {
    /// All of a session (its id or a prefix); without one, of the agent's session that changed something last.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub session: Option<String>,
    /// All since then: `2h`, `3d`, `2026-11-22`, `2026-11-22T14:00`.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// The latest so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub last: Option<u32>,
    /// Only this actor's: a name, or agent, human, ci, any. With --since and --last it is agent where nothing is said:
    /// what others did on the same targets is a conflict.
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,
    /// Not these events; may be given more than once.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub exclude: Vec<String>,
    /// Also later events, whoever's, that changed the same targets and would be in conflict.
    #[arg(long)]
    pub with_dependents: bool,
}

/// Which part of the events is taken back.
#[derive(Args, Debug)]
#[command(next_help_heading = "Which part of them")]
pub struct WhichPart {
    /// Only what they did on this system (fs, git); may be given more than once.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub system: Vec<String>,
    /// Only what is at or below this path; may be given more than once.
    #[arg(long, value_name = "PATH")]
    pub path: Vec<PathBuf>,
}

/// The conflict policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnConflict {
    /// Write nothing at all.
    Abort,
    /// Leave the conflicting targets alone, restore the others.
    Skip,
    /// Take the command's change out of the present and keep what was changed since, where that is exact: lines of
    /// text, modes, owners. Else write nothing.
    Merge,
    /// Put the old version beside the present (config.yml.fr-undo-42, branch fr/undo-42/main), restore the others.
    SideBySide,
    /// Overwrite what was changed since, after it was captured (`fr redo` brings it back). Asks for the word, or --yes.
    Force,
}

impl From<OnConflict> for Policy {
    fn from(chosen: OnConflict) -> Policy {
        match chosen {
            OnConflict::Abort => Policy::Abort,
            OnConflict::Skip => Policy::Skip,
            OnConflict::Merge => Policy::Merge,
            OnConflict::SideBySide => Policy::SideBySide,
            OnConflict::Force => Policy::Force,
        }
    }
}

/// `fr redo`.
#[derive(Args, Debug)]
pub struct RedoArgs {
    /// The undo event; the latest one by default.
    pub id: Option<String>,
    /// Print the plan and write nothing.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Apply without asking.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// What to do with targets that somebody changed since.
    #[arg(long, value_enum, default_value = "abort", value_name = "POLICY")]
    pub on_conflict: OnConflict,
    /// Also take back what `fr undo --apply-infra` made: run `terraform apply` to remove it. Never done unasked.
    #[arg(long)]
    pub apply_infra: bool,
}

/// `fr restore`.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The event's number, or a unique prefix of its global id.
    pub id: String,
    /// A directory that does not exist yet, or is empty; or `namespace:NAME`, another namespace of the cluster.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Only this target, as `fr show` names it (`path:docs`, `git:/work/app`), or a captured path; may be given more than
    /// once.
    #[arg(long, value_name = "TARGET")]
    pub target: Vec<OsString>,
}
