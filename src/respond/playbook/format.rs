//! The words of a playbook's file (`schema/playbook.schema.json`, `docs/playbooks.md`). What is not in here is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{EffectClass, PlaybookKind, PlaybookMode, PlaybookPhase, Policy};

/// The one version of the format.
pub const VERSION: &str = "fr/v1";

/// A response procedure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Playbook {
    /// [`VERSION`].
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// Its name, the file's: `git-force-push`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What it is for, and what it does not do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// CACAO's playbook types: `mitigation`, `remediation`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Categories of NIST's Cybersecurity Framework that it serves: `RS.MI`, `RC.RP`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub csf: Vec<String>,
    /// What it fits; any of them is enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger: Vec<Trigger>,
    /// What it has to be told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, Var>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// What a playbook fits: an event for which all of this is so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Trigger {
    /// It has an effect on one of these systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<String>,
    /// Of one of these classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effect: Vec<EffectClass>,
    /// On a resource like this (`*` stands for anything).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// And not like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub except: Option<String>,
    /// Its command line matches this regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// An agent did it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub agent: bool,
}

/// Something that a playbook has to be told: data, never text of a shell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Var {
    /// What it is, for people.
    pub about: String,
    /// Its value where nobody says another one. Without it somebody has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// A fact of the event that it is taken from: `event.resource`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The part of that fact which the first group of this regular expression matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub take: Option<String>,
    /// It is a secret, and this is where it lies. It may only be used in `env`, and in the URL of a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

/// Where a secret lies. It is read when a step needs it, and never written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    /// In this variable of the environment.
    Env(String),
    /// In this file, without its last line break.
    File(String),
}

/// One step. Exactly one of the fields from `run` to `contain` is there: what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Its id, unique in the playbook.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Where in the work it stands.
    pub phase: PlaybookPhase,
    /// Who lets it run; the default is the kind's ([`Step::mode`]).
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "mode")]
    pub said_mode: Option<PlaybookMode>,
    /// A program with its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Vec<String>>,
    /// A line of shell. Variables are not put into it: it finds them as `$FR_VAR_NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// An event is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// What this command would destroy is stored. It is not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Vec<String>>,
    /// A command that only reads, whose answer is compared with `expect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Vec<String>>,
    /// A question to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// A command that only reads is run until `expect` is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_until: Option<WaitUntil>,
    /// Somebody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// Agents are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contain: Option<Contain>,
    /// What a program reads on its standard input. Variables are not put into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// More variables of its environment. Secrets may stand here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The directory in which it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// It applies only where all of this is so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    /// How long it may take: `30s`, `5m`. Then all that it started is killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What follows where it fails: `continue`, `abort` (the default), `goto:STEP` (a later one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// A command that takes the step back, offered where the run breaks off later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensate: Option<Vec<String>>,
    /// What its command has to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// What a person has to enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// An undo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Undo {
    /// The event.
    pub event: String,
    /// What is done about a target that somebody changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<Policy>,
    /// Real infrastructure may be changed, where that costs money or gets a new identity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub apply_infra: bool,
    /// Only shown: what it would do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Waiting for something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WaitUntil {
    /// The command that looks.
    pub run: Vec<String>,
    /// How long until it looks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
}

/// Telling somebody: a command or a webhook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Notify {
    /// A command; `text` is its standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Vec<String>>,
    /// A URL to which `{"text": …}` is posted. Loopback, or a host that the settings name (`playbook.webhook-hosts`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// What is said.
    pub text: String,
}

/// Whose commands are held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contain {
    /// `all`, `session` or `agent`.
    pub whose: ContainWhose,
    /// The session or the agent; the event's where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their processes are ended instead of stopped. Never by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub terminate: bool,
}

/// See [`Contain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainWhose {
    /// Every agent.
    All,
    /// One session.
    Session,
    /// One agent.
    Agent,
}

/// Something that has to be so. One of the fields beside `value` is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Condition {
    /// What is looked at: `${{ event.system }}`.
    pub value: String,
    /// It is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// It is not this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_not: Option<String>,
    /// It is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// This stands in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// This regular expression matches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Somebody said it (`true`), or nobody did (`false`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_set: Option<bool>,
}

/// What a command has to answer. Without it: exit code 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Expect {
    /// One of these exit codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<i32>,
    /// It has to fail, with any exit code but 0.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fails: bool,
    /// Its output contains this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_contains: Option<String>,
    /// Its output does not contain this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_lacks: Option<String>,
    /// This regular expression matches its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_matches: Option<String>,
    /// What it says on standard error matches this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_matches: Option<String>,
}

/// What a person has to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Something has to be said.
    Required,
    /// Something may be said.
    Optional,
    /// Yes or no is enough.
    None,
}

/// What follows where a step fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The next step.
    Continue,
    /// Nothing: a person has to look.
    Abort,
    /// A later step.
    Goto(String),
}

impl Step {
    /// What it does; `None` where that is not exactly one thing.
    pub fn kind(&self) -> Option<PlaybookKind> {
        let said = [
            (self.run.is_some(), PlaybookKind::Run),
            (self.shell.is_some(), PlaybookKind::Shell),
            (self.undo.is_some(), PlaybookKind::Undo),
            (self.capture.is_some(), PlaybookKind::Capture),
            (self.verify.is_some(), PlaybookKind::Verify),
            (self.ask.is_some(), PlaybookKind::Ask),
            (self.wait_until.is_some(), PlaybookKind::WaitUntil),
            (self.notify.is_some(), PlaybookKind::Notify),
            (self.contain.is_some(), PlaybookKind::Contain),
        ];
        let mut said = said.into_iter().filter(|(is_there, _)| *is_there).map(|(_, kind)| kind);
        said.next().filter(|_| said.next().is_none())
    }

    /// Who lets it run. What only reads or contains runs by itself where nothing is said, everything else is agreed to.
    pub fn mode(&self) -> PlaybookMode {
        self.said_mode.unwrap_or(match self.kind() {
            Some(
                PlaybookKind::Capture
                | PlaybookKind::Verify
                | PlaybookKind::WaitUntil
                | PlaybookKind::Contain,
            ) => PlaybookMode::Auto,
            Some(PlaybookKind::Ask) => PlaybookMode::Manual,
            _ => PlaybookMode::Confirm,
        })
    }

    /// What follows where it fails; `None` where that is no word of ours.
    pub fn follows(&self) -> Option<OnFailure> {
        match self.on_failure.as_deref() {
            None | Some("abort") => Some(OnFailure::Abort),
            Some("continue") => Some(OnFailure::Continue),
            Some(other) => other.strip_prefix("goto:").map(|id| OnFailure::Goto(id.to_owned())),
        }
    }

    /// The program with its arguments, where it has one.
    pub fn argv(&self) -> Option<&[String]> {
        let of_notify = || self.notify.as_ref().and_then(|notify| notify.run.as_ref());
        let of_wait = || self.wait_until.as_ref().map(|wait| &wait.run);
        let argv = self.run.as_ref().or(self.capture.as_ref()).or(self.verify.as_ref());
        argv.or_else(of_wait).or_else(of_notify).map(Vec::as_slice)
    }
}
