//! What things are. Pure data, imports nothing of ours: every other room speaks in these words.
//! The dictionary is `docs/architecture.md`, section "Words".

mod actor;
mod bytes;
mod call;
mod capture;
mod change;
mod contain;
mod context;
mod drill;
mod effect;
mod event;
mod hunks;
mod id;
mod incident;
mod invocation;
mod lack;
mod maturity;
mod object;
mod patch;
mod plan;
mod playbook;
mod promise;
mod spoken;
mod verdict;

pub use actor::{ANYBODY, Actor, ActorKind, Confidence};
pub use bytes::Bytes;
pub use call::Call;
pub use capture::{Capture, Captured, Missing, StateRef};
pub use change::{Change, ChangeKind};
pub use contain::{Alarm, Contained, Halted, Order, Released, Whose};
pub use context::{Context, ContextKind, contexts};
pub use drill::{DrillOutcome, Drilled};
pub use effect::{Effect, EffectClass, Locator, Reversibility, SystemId};
pub use event::{
    After, Before, CommandText, EventKind, Gap, Outcome, PostState, Record, Reversal, SessionMark,
    SessionMoment, Source, StepMark, StepPhase,
};
pub use hunks::{Patched, patched};
pub use id::{EventId, ObjectId, Uid};
pub use incident::{Closed, Covered, Incident, IncidentChange, IncidentMark, Scope, Severity};
pub use invocation::{Invocation, Redirect, RedirectMode, Stdin, Word};
pub use lack::Lack;
pub use maturity::{Attested, Stood};
pub use object::{ObjectKind, ObjectSink, ObjectSource};
pub use patch::{PatchedFile, patched_files};
pub use plan::{Policy, Step, StepOutcome, StepVerdict, Verification, Way};
pub use playbook::{PlaybookKind, PlaybookMark, PlaybookMode, PlaybookMoment, PlaybookPhase, PlaybookStep};
pub use promise::{Kept, Promise};
pub use spoken::spoken;
pub use verdict::{Answers, Verdict};
