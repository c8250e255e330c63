//! A response procedure as data: the words of its steps, and what the journal keeps of a run.

use serde::{Deserialize, Serialize};

use super::{EventId, ObjectId, Uid};

/// Where in the work on an incident a step stands. The order is the one in which people work (`docs/respond.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaybookPhase {
    /// Stop it, cut its access.
    Contain,
    /// See what it did.
    Assess,
    /// Tell those who have to know.
    Notify,
    /// Bring it back.
    Recover,
    /// Look whether it is back.
    Verify,
    /// See to it that it does not happen again.
    Learn,
}

impl PlaybookPhase {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            PlaybookPhase::Contain => "contain",
            PlaybookPhase::Assess => "assess",
            PlaybookPhase::Notify => "notify",
            PlaybookPhase::Recover => "recover",
            PlaybookPhase::Verify => "verify",
            PlaybookPhase::Learn => "learn",
        }
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaybookKind {
    /// Runs a program.
    Run,
    /// Runs a line of shell.
    Shell,
    /// Takes an event back.
    Undo,
    /// Stores the state of something before anybody works on it.
    Capture,
    /// Looks whether something is so.
    Verify,
    /// A person confirms something, or says what was found.
    Ask,
    /// Looks again and again until something is so.
    WaitUntil,
    /// Tells somebody.
    Notify,
    /// Holds agents.
    Contain,
}

impl PlaybookKind {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            PlaybookKind::Run => "run",
            PlaybookKind::Shell => "shell",
            PlaybookKind::Undo => "undo",
            PlaybookKind::Capture => "capture",
            PlaybookKind::Verify => "verify",
            PlaybookKind::Ask => "ask",
            PlaybookKind::WaitUntil => "wait-until",
            PlaybookKind::Notify => "notify",
            PlaybookKind::Contain => "contain",
        }
    }
}

/// Who lets a step run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaybookMode {
    /// The playbook itself. It may only read or contain.
    Auto,
    /// A person agrees first.
    Confirm,
    /// A person does it, and says that it is done.
    Manual,
}

impl PlaybookMode {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            PlaybookMode::Auto => "auto",
            PlaybookMode::Confirm => "confirm",
            PlaybookMode::Manual => "manual",
        }
    }
}

/// Something that happened in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaybookMoment {
    /// The run began.
    Started,
    /// It was gone on with, after a crash or a pause.
    Resumed,
    /// A step is about to do what it does.
    StepBegun,
    /// It is done.
    StepDone,
    /// It did not do what it should.
    StepFailed,
    /// It does not apply here.
    StepSkipped,
    /// Somebody did not want it, or it may not be run like this.
    StepRefused,
    /// A person is waited for; the run can be gone on with at any time.
    Waiting,
    /// Every step is done or does not apply.
    Finished,
    /// It ended before its last step.
    BrokenOff,
    /// A step that was done was taken back, after a later one failed.
    StepTakenBack,
}

impl PlaybookMoment {
    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            PlaybookMoment::Started => "started",
            PlaybookMoment::Resumed => "resumed",
            PlaybookMoment::StepBegun => "step-begun",
            PlaybookMoment::StepDone => "step-done",
            PlaybookMoment::StepFailed => "step-failed",
            PlaybookMoment::StepSkipped => "step-skipped",
            PlaybookMoment::StepRefused => "step-refused",
            PlaybookMoment::Waiting => "waiting",
            PlaybookMoment::Finished => "finished",
            PlaybookMoment::BrokenOff => "broken-off",
            PlaybookMoment::StepTakenBack => "step-taken-back",
        }
    }
}

/// The step that a mark is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybookStep {
    /// Its id, unique in the playbook.
    pub id: String,
    /// Where in the work it stands.
    pub phase: PlaybookPhase,
    /// What it does.
    pub kind: PlaybookKind,
    /// Who lets it run.
    pub mode: PlaybookMode,
}

/// One thing that happened in a run of a playbook, as its event keeps it. The time is the event's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybookMark {
    /// The run.
    pub run: Uid,
    /// The playbook's name.
    pub playbook: String,
    /// The address of its text as an object (blake3), which the store keeps: the run goes on by this text.
    pub digest: ObjectId,
    /// The event that opened the incident that it is run for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<EventId>,
    /// The events that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<EventId>,
    /// What happened.
    pub moment: PlaybookMoment,
    /// To which step; `None` where it is the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<PlaybookStep>,
    /// Who agreed to the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<String>,
    /// What a person entered, or what a command answered, redacted and cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The exit code of what the step ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// How long the step took, or the run, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// The event of what it ran or took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// Why it failed, does not apply or was refused; for what is waited. For people, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the run was given (variables with their values), as an object: only where it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<ObjectId>,
}

impl PlaybookMark {
    /// What the name of a run's session begins with: the session of the commands that it runs.
    pub const SESSION: &'static str = "playbook-";

    /// The session of a run.
    pub fn session(run: Uid) -> String {
        let run = run.to_string();
        format!("{}{}", PlaybookMark::SESSION, run.get(..16).unwrap_or(&run))
    }

    /// The objects that a run needs to be gone on with.
    pub fn objects(&self) -> impl Iterator<Item = ObjectId> {
        let begins = self.given.is_some();
        begins.then_some(self.digest).into_iter().chain(self.given)
    }
}
