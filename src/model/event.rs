//! A command as recorded: before-half and after-half, append-only, never edited.
//! These are the payloads of journal frames (`docs/format.md`).

use serde::{Deserialize, Serialize};

use super::{
    Actor, Alarm, Attested, Bytes, Capture, Captured, Contained, Drilled, Effect, EventId, IncidentMark,
    Lack, ObjectId, PlaybookMark, Policy, Released, StateRef, Stood, Uid, Verdict,
};

/// What a journal frame holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// A command is about to run.
    Before(Box<Before>),
    /// A command has ended, or its end is known not to be known.
    After(Box<After>),
    /// A session began or ended.
    Session(SessionMark),
    /// One step of an undo was started or ended.
    Step(StepMark),
    /// Something was not recorded as it should have been.
    Gap(Gap),
}

/// Why an event exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EventKind {
    /// An actor's command.
    Command,
    /// `fr undo` of events.
    Undo(Reversal),
    /// `fr redo` of an undo event, or the way back from one that was interrupted.
    Redo(Reversal),
    /// `fr restore --to`: an old state put beside the present.
    Restore {
        /// Whose pre-state.
        of: EventId,
        /// The directory, or `namespace:NAME`.
        #[serde(default, skip_serializing_if = "Bytes::is_empty")]
        to: Bytes,
    },
    /// `fr drill`: recovery was rehearsed on scratch targets. It touched nothing of the user's, so nobody can undo it.
    Drill {
        /// What was rehearsed, and how it went.
        drilled: Vec<Drilled>,
    },
    /// `fr contain`, or the detector of runaways: from here on an agent's commands are not run.
    Contain {
        /// The order, and what it stopped.
        containment: Contained,
    },
    /// `fr release`: they run again.
    Release {
        /// Which orders.
        release: Released,
    },
    /// An agent destroys faster than anybody can look.
    Alarm {
        /// How fast, and what was done about it.
        alarm: Alarm,
    },
    /// Something happened in a run of a playbook.
    Playbook {
        /// What, and to which step.
        mark: Box<PlaybookMark>,
    },
    /// `fr incident`: one was opened, or something was done about it.
    Incident {
        /// What.
        incident: IncidentMark,
    },
    /// `fr maturity attest`: somebody vouches for what nothing can measure.
    Attest {
        /// For what, and until when.
        attestation: Attested,
    },
    /// `fr maturity --save`: how it stood.
    Maturity {
        /// What was measured.
        stood: Stood,
    },
}

impl EventKind {
    /// What it takes back, where it is an undo or a redo.
    pub fn reversal(&self) -> Option<&Reversal> {
        match self {
            EventKind::Undo(reversal) | EventKind::Redo(reversal) => Some(reversal),
            _ => None,
        }
    }
}

/// What an undo or a redo takes back, and what it needs to be gone on with after a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// The events, newest first, and then the parts of them that are taken back with them.
    pub of: Vec<EventId>,
    /// What was chosen for targets that somebody had changed since, where that was not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Of several events, or of a part of one: the net effect. `before` is what is brought about, `after` what was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub net: Vec<Captured>,
    /// The targets of the steps that were chosen, where not all were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Bytes>,
    /// What else was decided, where a resume could not find it out again. Values may be in it, so it is an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<ObjectId>,
}

impl Reversal {
    /// Of these events, whole and by the default policy.
    pub fn of(events: impl Into<Vec<EventId>>) -> Reversal {
        Reversal { of: events.into(), ..Reversal::default() }
    }
}

/// Which channel reported the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// An agent's own hook.
    Hook,
    /// `fr exec`.
    Exec,
    /// Shell integration.
    Shell,
    /// A shim on PATH: the command as it was executed.
    Shim,
    /// Git's own trace, read afterwards.
    Trace,
    /// `fr` itself.
    Recorder,
}

/// The command as people read it: redacted. The exact bytes are a separate object that can be sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandText {
    /// `Bash`, `Edit`, `exec`, `shell`, an MCP tool's name…
    pub tool: String,
    /// The redacted line; for a file edit, the path.
    pub line: Bytes,
    /// The exact line or argv (NUL-separated), where it was kept: an [`super::ObjectKind::Argv`] object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<ObjectId>,
}

/// The before-half of an event. Its number is in the frame's header: it is assigned by the append.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// The globally unique id.
    pub uid: Uid,
    /// Wall time, nanoseconds since 1970. Order is the journal's, never the clock's.
    pub at_ns: i64,
    /// Why it exists.
    #[serde(flatten)]
    pub kind: EventKind,
    /// The session it belongs to: the agent's own id, or `shell-<pid>-<start>`.
    pub session: String,
    /// The id that pairs it with its after-half within the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Who ran it.
    pub actor: Actor,
    /// Which channel reported it.
    pub source: Source,
    /// The event that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<EventId>,
    /// What ran.
    pub command: CommandText,
    /// Where it ran.
    pub cwd: Bytes,
    /// What it will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// What was stored first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<Capture>,
    /// What could not be captured or understood, in words for people; shown wherever the event is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// It runs in the background: the after-half does not mean that it has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    /// What the recorder answered where it did not just let it run. A command that was denied has an after-half that says
    /// `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Outcome {
    /// It exited with this code.
    Exited {
        /// The exit code, 0 to 255.
        code: i32,
    },
    /// A signal ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// The agent said it succeeded, without a code.
    Succeeded,
    /// The agent said it failed, without a code.
    Failed,
    /// It has ended, and nobody said how: Codex reports no exit codes.
    Ended,
    /// It was started and goes on in the background.
    Background,
    /// It never ran: refused by the agent or by its user.
    Refused,
    /// Nobody said.
    Unknown,
}

/// A resource's state right after the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostState {
    /// The position of the capture in the before-half.
    pub capture: usize,
    /// The state.
    pub state: StateRef,
}

/// The after-half of an event. The frame's header names the event, or 0 where only session and call are known
/// (the hook of a harmless command looks nothing up); the index joins those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct After {
    /// Wall time, nanoseconds since 1970.
    pub at_ns: i64,
    /// The session, as in the before-half.
    pub session: String,
    /// The call, as in the before-half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it ran, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What its captured resources look like now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post: Vec<PostState>,
    /// Error text or other remark, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Of an undo: what is not as it was, target by target. The note says the same in one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<Lack>,
}

/// The moments of a session that are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionMoment {
    /// It began.
    Start,
    /// The agent finished a turn.
    Stop,
    /// It ended.
    End,
    /// A sub-agent began.
    SubagentStart,
    /// A sub-agent finished.
    SubagentStop,
}

/// A session began, paused or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionMark {
    /// Wall time, nanoseconds since 1970.
    pub at_ns: i64,
    /// The session.
    pub session: String,
    /// Which moment.
    pub moment: SessionMoment,
    /// Whose.
    pub actor: Actor,
    /// Where.
    pub cwd: Bytes,
}

/// Where a step of an undo stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepPhase {
    /// Its first write may have happened.
    Started,
    /// It is complete.
    Done,
    /// It failed; the note says how.
    Failed,
}

/// One step of the undo event named in the frame's header was started or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepMark {
    /// Wall time, nanoseconds since 1970.
    pub at_ns: i64,
    /// The step's position in the plan, from 0.
    pub step: usize,
    /// Where it stands.
    pub phase: StepPhase,
    /// What happened, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something was not recorded as it should have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Wall time, nanoseconds since 1970.
    pub at_ns: i64,
    /// What went wrong: "disk full", "malformed hook payload".
    pub reason: String,
    /// How many commands it concerns.
    pub count: u64,
    /// What is known of the command, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
