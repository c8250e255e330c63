//! The flags, declared once: help, completions and man pages are rendered from here.

mod config;
mod incident;
mod maturity;
mod playbook;
mod respond;
mod undo;
mod views;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
pub use config::{ConfigAction, ConfigArgs};
pub use incident::{IncidentAction, IncidentArgs, IncidentScope, ReportFormat};
pub use maturity::{MaturityAction, MaturityArgs, MaturityFormat};
pub use playbook::{
    PlaybookAction, PlaybookAgreedArgs, PlaybookArgs, PlaybookExportArgs, PlaybookFormat, PlaybookLintArgs,
    PlaybookListArgs, PlaybookResumeArgs, PlaybookRunArgs, PlaybookShowArgs,
};
pub use respond::{BlastRadiusArgs, ContainArgs, ReleaseArgs};
pub use undo::{RedoArgs, RestoreArgs, UndoArgs, WhichEvents, WhichPart};
pub use views::{ExportArgs, Narrow, TimelineArgs, TuiArgs};

use crate::intake::shells::Shell;

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The flight recorder for AI coding agents.
#[derive(Parser, Debug)]
#[command(
    name = "fr",
    version,
    about = "The flight recorder for AI coding agents: records every command, keeps what it destroys, takes it back",
    long_about = "fr records every command that a person, an AI agent or CI runs, stores the state that the command is \
                  about to destroy, and takes it back on demand, with proof.",
    after_help = "Examples:\n  fr demo                      see it work on a scratch project\n  fr timeline                  what happened, newest first\n  fr show 42                   everything about one event\n  fr undo 42 --dry-run         what undo would do\n  fr undo 42                   take it back, after a preview\n\nExit codes: 0 ok, 1 failure, 2 usage, 3 done in part, 4 conflict, 5 nothing to undo, 10 no store,\n11 locked, 12 key, 13 store newer than this fr, 130 interrupted. See docs/exit-codes.md."
)]
pub struct Cli {
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
    /// Print JSON (schemas are under schema/) instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Colour: auto, always, never. NO_COLOR is respected.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// What `fr` can do.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Record a command reported by an agent's hook (JSON on stdin) or by shell integration.
    #[command(
        disable_help_flag = false,
        after_help = "Examples:\n  fr hook claude < payload.json\n\nSilent with exit code 0 unless it means to act: a recorder must never break the command."
    )]
    Hook {
        /// The agent's name, then its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run a command and record it.
    #[command(
        after_help = "Examples:\n  fr exec -- rm -rf build\n  fr exec -c 'cd src && rm *.o'\n\nThe exit code is the command's own."
    )]
    Exec {
        /// `-- argv…` or `-c 'line'`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Put the hooks into the agents that are here, and the integration into shells.
    #[command(
        after_help = "Examples:\n  fr install --dry-run                   the changes as a diff, nothing is written\n  fr install                             every agent that is here, after a preview\n  fr install --agent claude --project    this project's file only\n  fr install --shell bash --yes          the integration at the end of ~/.bashrc\n  fr install --git                       git's own trace: an IDE's git is on record too\n\nA file that cannot be changed is left alone and named, the others are done (exit code 3)."
    )]
    Install(InstallArgs),
    /// Take out exactly what `fr install` put in.
    #[command(
        after_help = "Examples:\n  fr uninstall --dry-run\n  fr uninstall                     everything, the files as they were before\n  fr uninstall --agent codex"
    )]
    Uninstall(UninstallArgs),
    /// What is protected, what is not, and what to do about it.
    #[command(
        after_help = "Examples:\n  fr doctor\n  fr doctor --json\n\nExit code 0 where every agent on this machine is recorded and the store is sound, else 3."
    )]
    Doctor,
    /// Start an agent, or any program, with all that lets its commands be recorded.
    #[command(
        after_help = "Examples:\n  fr run -- aider\n  fr run -- claude -p 'tidy up'\n  fr run --agent robot -- ./my-agent.sh\n\nShims on PATH, shell integration for the shells that it starts, a session of its own. The exit code is the\nprogram's own."
    )]
    Run(RunArgs),
    /// Links that are called in place of rm, git, kubectl…: what is really executed is recorded.
    #[command(
        after_help = "Examples:\n  fr shims enable              make the links, say how to put them on PATH\n  fr shims status --json\n  fr shims disable"
    )]
    Shims(ShimsArgs),
    /// Print the shell integration.
    #[command(
        after_help = "Examples:\n  eval \"$(fr init bash)\"      in ~/.bashrc\n  eval \"$(fr init bash --shims)\"   with the shims of `fr shims enable` first on PATH\n  eval \"$(fr init zsh)\"       in ~/.zshrc\n  fr init fish | source        in ~/.config/fish/config.fish"
    )]
    Init(InitArgs),
    /// Show what fr would see in a command line and capture for it; runs nothing.
    #[command(
        after_help = "Examples:\n  fr explain -c 'rm -rf build && git push -f'\n  fr explain -c 'terraform destroy' --json"
    )]
    Explain(ExplainArgs),
    /// What happened, by session, newest first.
    #[command(
        visible_alias = "log",
        after_help = "Examples:\n  fr timeline --since 2h --effect destroy\n  fr timeline --actor agent --failed\n  fr timeline --path src/main.rs --json\n  fr timeline --flat -n 100              one list, whosever it is\n  fr timeline --follow --actor agent     what agents do, as they do it; Ctrl-C ends it\n  fr timeline --follow --json            the same as JSON lines\n\nBACK is what can come back, lowered by what was KEPT; `-` where nothing was changed. docs/timeline.md"
    )]
    Timeline(TimelineArgs),
    /// The record to walk through: list, filter, read an event, see and run its undo.
    #[command(
        after_help = "Examples:\n  fr tui\n  fr tui --session 4f2c\n  fr tui --actor agent --changes --since 2h\n\nEvery key is on the screen; ? lists them all. Nothing is written but by y on the plan of an undo."
    )]
    Tui(TuiArgs),
    /// What is on record in the formats of others: logs, SIEM, spreadsheets, a terminal player.
    #[command(
        after_help = "Examples:\n  fr export > record.jsonl\n  fr export --format ocsf --since 2h --out incident.json\n  fr export --format otlp | curl -s -H 'Content-Type: application/json' --data-binary @- http://localhost:4318/v1/logs\n  fr export --format csv --changes --session 4f2c --out changes.csv\n  fr export --format asciicast --session 4f2c --out night.cast, then asciinema play night.cast\n\nOldest first, without a limit. Gaps of the record and containments in that time are in it, whatever it is narrowed to.\nA file is new and private (0600). Each mapping is in docs/export.md."
    )]
    Export(ExportArgs),
    /// Everything about one event.
    #[command(
        after_help = "Examples:\n  fr show 42\n  fr show 01930 --json         a unique prefix of the global id works too"
    )]
    Show(IdArgs),
    /// What an event changed: before, after and now.
    #[command(after_help = "Examples:\n  fr diff 42\n  fr diff 42 --stat")]
    Diff(DiffArgs),
    /// Sessions, newest first.
    #[command(after_help = "Examples:\n  fr sessions\n  fr timeline --session 4f2c")]
    Sessions(SessionsArgs),
    /// What an agent has hit, where, what of it is production, and what can come back.
    #[command(
        after_help = "Examples:\n  fr blast-radius                        the agent's session that changed something last\n  fr blast-radius --since 30m            all agents' doing\n  fr blast-radius --session 4f2c --json\n\nFrom the record alone: nothing outside is asked, so it answers at once. `fr undo … --dry-run` compares with the world\nas it is now."
    )]
    BlastRadius(BlastRadiusArgs),
    /// Stop agents now: none of their commands runs any more, their processes are stopped.
    #[command(
        after_help = "Examples:\n  fr contain                              every agent, at once\n  fr contain --agent claude --reason 'it is deleting production'\n  fr contain --session 4f2c --terminate   end the processes, too\n  fr contain --status\n\nHooks answer \"deny\", shims and fr exec refuse, people go on working. It holds until fr release, also\nafter a reboot. Exit code 3 where a process could not be stopped; it is named."
    )]
    Contain(ContainArgs),
    /// Let contained agents go on.
    #[command(after_help = "Examples:\n  fr release\n  fr release --agent claude\n\nOnly a person releases.")]
    Release(ReleaseArgs),
    /// Keep an incident: what belongs to it, what people note and decide, and its report.
    #[command(
        after_help = "Examples:\n  fr incident open                       about the agent's session that destroyed something last\n  fr incident note 'shop is down, paged the database team'\n  fr incident timeline\n  fr incident close --outcome 'all is back'\n  fr incident report --format html --out incident.html\n\nWhat to type at 3 a.m., in order: docs/incident.md."
    )]
    Incident(IncidentArgs),
    /// Response procedures: which fit, what they do, carrying them out step by step.
    #[command(
        after_help = "Examples:\n  fr playbook list                    which there are, which fit what happened\n  fr playbook show first-five-minutes\n  fr playbook run git-force-push --dry-run\n  fr playbook run first-five-minutes\n  fr playbook resume\n\nExit codes: 0 finished, 1 broken off, 3 waits for a person or a step failed and was passed over (docs/playbooks.md)."
    )]
    Playbook(PlaybookArgs),
    /// Take an event back, after a preview, and prove it.
    #[command(
        after_help = "Examples:\n  fr undo                      propose the latest event that changed something\n  fr undo 42 --dry-run         the numbered plan, nothing is written\n  fr undo 42 --yes --json\n  fr undo 42 --on-conflict merge\n  fr undo --session --dry-run  all that the last session's agent did, as one change of each target\n  fr undo --since 20m --path src\n  fr undo 38..42 --exclude 40\n  fr undo --since 20m --actor codex --system git\n  fr undo --last 5 --actor any everybody's, not only agents'\n  fr undo 42 --on-conflict side-by-side\n  fr undo 38 --with-dependents also later events on the same targets\n  fr undo --session --plan-out plan.json, then fr undo --plan plan.json\n  fr undo --resume             go on after a crash; --abort goes back\n\nThe present is captured first, so an undo can be undone (fr redo). A target that somebody changed since is a conflict: the whole plan stops before anything is written (exit code 4), unless --on-conflict says otherwise; --dry-run shows what each policy would do (docs/undo.md)."
    )]
    Undo(UndoArgs),
    /// Take an undo back.
    #[command(
        after_help = "Examples:\n  fr redo                      the latest undo\n  fr redo 43 --dry-run         what would be taken back, nothing is written\n  fr redo 43 --yes\n  fr redo 43 --on-conflict skip\n\nBrings back what the undo had found, byte for byte; the command is not run again. The policies are those of fr undo\n(docs/undo.md)."
    )]
    Redo(RedoArgs),
    /// Put an event's old state beside the present.
    #[command(
        after_help = "Examples:\n  fr restore 42 --to /tmp/before-42\n  fr restore 42 --target path:docs --to /tmp/docs-before-42\n  fr restore 42 --target git:/work/app --to /tmp/app.git    a bare repository with the old refs\n\nNothing of the present is changed. Several targets go into directories of their own below it, numbered."
    )]
    Restore(RestoreArgs),
    /// Check that an event's capture is all there, readable and unchanged.
    #[command(after_help = "Examples:\n  fr verify 42\n  fr verify --all")]
    Verify(VerifyArgs),
    /// Look after the store.
    #[command(
        after_help = "Examples:\n  fr store stats\n  fr store verify\n  fr store gc --keep-within 90d --dry-run\n  fr store pin 42"
    )]
    Store(StoreArgs),
    /// The settings in force, and the file that they come from.
    #[command(
        after_help = "Examples:\n  fr config\n  fr config > \"$FR_HOME/config.toml\"     a file to edit, with the defaults in it\n  fr config set mode guard\n  fr config set production.branches main 'release/*'\n  fr config check"
    )]
    Config(ConfigArgs),
    /// A scratch project, real destructive commands through the real hook, the timeline, the undo, the proof.
    #[command(
        after_help = "Examples:\n  fr demo\n  fr demo --keep               leave the scratch project and its store to look around"
    )]
    Demo(DemoArgs),
    /// Rehearse recovery on scratch targets: destroy, undo, compare, and record the outcome.
    #[command(
        after_help = "Examples:\n  fr drill                     every system, a minute at most\n  fr drill --system files,git\n  fr drill --json              times to undo, and what did not come back\n  fr drill --keep              leave the scratch targets and their stores to look around\n  fr drill --system kubernetes --context kind-dev\n                               in a namespace of its own, in this cluster only\n  fr drill --server postgres://postgres@localhost\n                               in a database of its own, in this server\n\nTouches nothing of yours: it works in a private directory below TMPDIR, with a store of its own. Only the outcome is\nrecorded in yours, as an event. Exit code 0 where all passed, 1 where one failed, 3 where none failed and something\nwas skipped because a program that it needs is not here."
    )]
    Drill(DrillArgs),
    /// How safe are we: levels, what was measured, what shows it, and the cheapest next step.
    #[command(
        after_help = "Examples:\n  fr maturity\n  fr maturity --format html --out maturity.html\n  fr maturity --save           keep it on record, for --trend\n  fr maturity --trend\n  fr maturity --system aws     only what can be told of one system\n  fr maturity attest on-call --owner Ada\n\nMeasured from the record, from the settings of this machine, and by questions to the systems that agents used. Those\nonly read. What is not known counts as not met. `$FR_HOME/maturity.toml` takes the place of the criteria that are built\nin (docs/maturity.md)."
    )]
    Maturity(MaturityArgs),
    /// Print shell completions.
    #[command(after_help = "Examples:\n  fr completions bash > /etc/bash_completion.d/fr")]
    Completions(CompletionsArgs),
    /// Print the man page.
    #[command(after_help = "Examples:\n  fr man | man -l -")]
    Man(ManArgs),
}

/// `fr install`.
#[derive(Args, Debug)]
pub struct InstallArgs {
    /// Only this agent, whether it is found here or not; may be given more than once. aider has no hooks: it means the
    /// login shell's integration.
    #[arg(long, value_name = "NAME", value_parser = agent_names())]
    pub agent: Vec<String>,
    /// This shell's start-up file; may be given more than once.
    #[arg(long, value_enum, value_name = "SHELL")]
    pub shell: Vec<InitShell>,
    /// Have git write down what it runs (its trace2, in your global configuration): also an IDE's git is on record then,
    /// seen afterwards.
    #[arg(long)]
    pub git: bool,
    /// The files of the project in this directory instead of the user's.
    #[arg(long)]
    pub project: bool,
    /// Print the changes and write nothing.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Write without asking.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Also tell Codex to trust these hooks. That is what its /hooks review is for: say it only if you have read them.
    #[arg(long)]
    pub trust_codex_hooks: bool,
}

/// `fr uninstall`.
#[derive(Args, Debug)]
pub struct UninstallArgs {
    /// Only this agent; may be given more than once.
    #[arg(long, value_name = "NAME", value_parser = agent_names())]
    pub agent: Vec<String>,
    /// Only this shell; may be given more than once.
    #[arg(long, value_enum, value_name = "SHELL")]
    pub shell: Vec<InitShell>,
    /// Only git's trace.
    #[arg(long)]
    pub git: bool,
    /// Print the changes and write nothing.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Nothing: uninstalling never asks. Scripts may say it to both verbs.
    #[arg(long, short = 'y', hide = true)]
    pub yes: bool,
}

fn agent_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(crate::intake::install::agents::NAMES)
}

/// `fr init`.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: InitShell,
    /// Put the shims of `fr shims enable` first on PATH.
    #[arg(long)]
    pub shims: bool,
}

/// `fr run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Whose commands these are; by default the program's name tells, if it is a known agent's.
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub argv: Vec<OsString>,
}

/// `fr shims`.
#[derive(Args, Debug)]
pub struct ShimsArgs {
    /// What to do.
    #[arg(value_enum)]
    pub action: ShimsAction,
    /// The directory of the links; by default `shims` in the recorder's own.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// The actions of `fr shims`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShimsAction {
    /// Make a link for each program that is there.
    Enable,
    /// Take the links away.
    Disable,
    /// Say how it stands.
    Status,
}

/// The shells with integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InitShell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

impl From<InitShell> for Shell {
    fn from(shell: InitShell) -> Shell {
        match shell {
            InitShell::Bash => Shell::Bash,
            InitShell::Zsh => Shell::Zsh,
            InitShell::Fish => Shell::Fish,
        }
    }
}

/// `fr explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The command line.
    #[arg(
        short = 'c',
        value_name = "LINE",
        allow_hyphen_values = true,
        conflicts_with = "argv",
        required_unless_present = "argv"
    )]
    pub command: Option<OsString>,
    /// The command line in quotes, or the command as argv after `--`.
    pub argv: Vec<OsString>,
}

/// A verb on one event.
#[derive(Args, Debug)]
pub struct IdArgs {
    /// The event's number, or a unique prefix of its global id.
    pub id: String,
}

/// `fr diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// The event's number, or a unique prefix of its global id.
    pub id: String,
    /// Only the list of changed targets.
    #[arg(long)]
    pub stat: bool,
    /// Compare the state before with the state now, instead of before with after.
    #[arg(long)]
    pub now: bool,
}

/// `fr sessions`.
#[derive(Args, Debug)]
pub struct SessionsArgs {
    /// How many at the most.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// `fr verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The event's number, or a unique prefix of its global id.
    #[arg(required_unless_present = "all")]
    pub id: Option<String>,
    /// Every event with a capture.
    #[arg(long, conflicts_with = "id")]
    pub all: bool,
}

/// `fr store`.
#[derive(Args, Debug)]
pub struct StoreArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub action: StoreAction,
}

/// The actions of `fr store`.
#[derive(Subcommand, Debug)]
pub enum StoreAction {
    /// How much it holds.
    Stats,
    /// Read every byte and check it.
    Verify,
    /// Drop what is old: by time, never by count; mark, then sweep after a grace time.
    Gc {
        /// Keep what events younger than this need.
        #[arg(long, value_name = "AGE", default_value = "90d")]
        keep_within: String,
        /// Leave packs younger than this alone, and sweep only what was marked that long ago.
        #[arg(long, value_name = "AGE", default_value = "1d")]
        grace: String,
        /// Print the plan and write nothing.
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Keep an event's captures for ever.
    Pin {
        /// The event.
        id: String,
        /// Let it go again.
        #[arg(long)]
        remove: bool,
    },
    /// Remake the index from journal and packs.
    Rebuild,
}

/// `fr demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Keep the scratch project and its store.
    #[arg(long)]
    pub keep: bool,
}

/// `fr drill`.
#[derive(Args, Debug)]
pub struct DrillArgs {
    /// Only these systems; may be given more than once.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = drill_systems())]
    pub system: Vec<String>,
    /// The context of your kubeconfig in which the drill of kubernetes may work. It makes a namespace of its own there,
    /// touches no other, and deletes it at the end.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Keep the scratch targets and their stores.
    #[arg(long)]
    pub keep: bool,
    /// For `--system aws`: the profile in whose account a bucket, parameters and a table are made and removed.
    #[arg(long, value_name = "NAME")]
    pub aws_profile: Option<String>,
    /// For `--system aws`: the server that is asked instead of AWS.
    #[arg(long, value_name = "URL")]
    pub aws_endpoint: Option<String>,
    /// A database server in which the drill may make a database of its own: `postgres://USER@HOST:PORT`,
    /// `mysql://USER@/SOCKET`, `redis://HOST`. Passwords are read from the variables and files of the clients. May be given more
    /// than once; without it `--system postgres`, `mysql`, `redis` use a server on this machine.
    #[arg(long, value_name = "URL")]
    pub server: Vec<String>,
}

fn drill_systems() -> clap::builder::PossibleValuesParser {
    crate::drill::systems().collect::<Vec<_>>().into()
}

/// `fr completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `fr man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The page of one verb.
    pub verb: Option<String>,
}
