//! What commands act on: files, git, … One folder per system, one line each in [`registry`].
//! The contract (what a system promises) is [`System`]; `docs/architecture.md` walks through it.

pub mod aws;
pub mod catalog;
pub mod clouds;
pub mod docker;
pub mod files;
mod functions;
pub mod git;
mod git_index;
pub mod github;
pub mod host;
pub mod kubernetes;
pub mod mysql;
mod net;
mod origin;
pub mod packages;
pub mod postgres;
pub mod redis;
mod registry;
mod safeguard;
pub mod sqlite;
mod tables;
pub mod terraform;
pub mod things;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use net::{Net, NetCx, OwnTree, Taken, is_meant};
pub use origin::Origin;
pub use registry::{all, arrange, by_id, contexts, for_program, forget, references};
pub use safeguard::{GitRemote, Holds, RemotePlace, Safeguard, SafeguardCx, Safety, is_github};
pub use tables::unite as unite_scripts;

use crate::error::{Error, ExitCode, Result};
use crate::model::{
    Bytes, Capture, Captured, Change, Context, Effect, EventId, Invocation, Locator, Missing, ObjectId,
    ObjectKind, ObjectSink, ObjectSource, StateRef, Step, StepOutcome, SystemId, Verification,
};

/// One kind of thing that commands act on.
///
/// `assess` reads words only. `capture` and `observe` read the world. `plan` reads both and changes nothing.
/// Only `apply` writes, and only what its step's guard allows.
pub trait System: Sync {
    /// The name used in records: `fs`, `git`.
    fn id(&self) -> SystemId;

    /// The base names of the programs it understands.
    fn programs(&self) -> &'static [&'static str];

    /// What an invocation will do, from its words alone: no process, no network, no file read. When unsure it says
    /// `opaque` or marks the effect uncertain, never "safe".
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect>;

    /// Where a resource is, by the names that people know the place by, as far as its words or its capture tell: what counts
    /// as production is decided by them (`docs/policy.md`). The default knows none.
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let _ = (resource, locator);
        Vec::new()
    }

    /// Stores the state that an effect is about to change. A capture that could not get everything names what is
    /// missing; only a capture that got nothing at all is an error.
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>>;

    /// The state now of what a capture covers, in the same normal form. Contents need not be stored, their
    /// identities (hashes) must be.
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef>;

    /// How the pre-state is brought back, given the state now. Changes nothing. Steps whose verdict is not `Restore`
    /// are there to be shown. A conflict names, in `ways`, what each policy (`fr undo --on-conflict`) would do about it.
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>>;

    /// What several events did, newest first, as one change of each target. Changes nothing. By default states are
    /// compared as wholes; a system whose captures hold many targets composes them target by target.
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        net::by_place(&|captured, now, plan| self.plan(captured, now, plan), taken, cx)
    }

    /// The first of several events, newest first, of which this system cannot tell how they are taken back before those in front of
    /// it are: what it was about is not there (a database that was dropped). `None`: all can be planned at once.
    ///
    /// # Errors
    /// Where a state cannot be read.
    fn waiting(&self, taken: &[Taken], source: &dyn ObjectSource) -> Result<Option<EventId>> {
        let _ = (taken, source);
        Ok(None)
    }

    /// Puts the steps of several captures in order, where one needs another: a role is there before its policies, and goes
    /// after them. By default they keep theirs.
    fn arrange(&self, steps: &mut [Step]) {
        let _ = steps;
    }

    /// Carries out one step. The step's payload holds the expected present state: where the world differs from it,
    /// nothing is overwritten and the outcome is a conflict. Applying a step twice is harmless.
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome>;

    /// Reads again what a step wrote that came of a policy (`merge`, `side-by-side`) and compares it with what the step
    /// was to leave there. All other steps are verified by planning once more.
    fn verify(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
        let _ = (step, cx);
        Ok(Verification::NotVerified { reason: "this system cannot read it again".to_owned() })
    }

    /// What a policy's step makes of a captured place, from the records alone. `captured` has the present before the step,
    /// and as `after` what is to be there without it. `None` where the step has nothing to do with the place.
    ///
    /// # Errors
    /// Where the step or a state cannot be read.
    fn aim(
        &self,
        step: &Step,
        captured: &Captured,
        source: &dyn ObjectSource,
        made: &dyn ObjectSink,
    ) -> Result<Option<StateRef>> {
        let _ = (step, captured, source, made);
        Ok(None)
    }

    /// Whether a later capture is of the place of an earlier one, where more tells places apart than that they are written alike.
    /// `None`: this system's places have no such identity.
    fn same_place(&self, earlier: &Locator, later: &Locator) -> Option<bool> {
        let _ = (earlier, later);
        None
    }

    /// What differs between two recorded states, for people. `after` is `None` where it is not known.
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>>;

    /// The objects that one of this system's objects names. An object that is not its own names nothing.
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        let _ = (kind, content);
        Ok(Vec::new())
    }

    /// What `outer`, taken earlier, holds of what `inner` covers. By default only the same place is known to be covered.
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        let _ = source;
        Ok(if outer.locator == inner.locator { Held::by_digest(outer, inner) } else { Held::Nothing })
    }

    /// Of what a capture left out ([`Capture::missing`]), what the command may have cost: by default all of it. A system that
    /// can tell from the state after the command that some of it is still there leaves that out.
    ///
    /// # Errors
    /// Where a state cannot be read.
    fn lacking(&self, captured: &Captured, source: &dyn ObjectSource) -> Result<Vec<Missing>> {
        let _ = source;
        Ok(captured.before.missing.clone())
    }

    /// True for what a step names as not restored only because of what stood in its way: if that is so still, planning once more
    /// names it again; if not, another step of the same undo has done it.
    fn may_be_settled(&self, not_restored: &str) -> bool {
        let _ = not_restored;
        false
    }

    /// Where what is brought back anew does not come from the capture itself, but from a snapshot, an image, a backup, or from
    /// nowhere: each such thing once. `then` is the undo's own capture of that place, which has what was there when it began.
    /// What is not named comes from the capture: it is what it was just before the command.
    ///
    /// # Errors
    /// Where a state cannot be read.
    fn origins(
        &self,
        captured: &Capture,
        then: Option<&Capture>,
        source: &dyn ObjectSource,
    ) -> Result<Vec<Origin>> {
        let _ = (captured, then, source);
        Ok(Vec::new())
    }

    /// True where what comes back has an identity of its own: what an undo left is then known by looking only.
    fn has_identities(&self) -> bool {
        false
    }

    /// Files of this machine that only this system may write where this capture is taken back: what they say is more than
    /// their bytes (a state claims that things exist).
    ///
    /// # Errors
    /// Where the capture cannot be read.
    fn owns(&self, captured: &Capture, source: &dyn ObjectSource) -> Result<Vec<Bytes>> {
        let _ = (captured, source);
        Ok(Vec::new())
    }

    /// Puts the captured pre-state into `to` (a directory that does not exist yet or is empty), beside the present.
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome>;

    /// Makes the captured pre-state anew in another place of its own kind (`namespace`, `schema`), beside the present and over
    /// nothing that is there. Also says what was left out.
    ///
    /// # Errors
    /// Where this system has no such places, or what is to be written over is there.
    fn restore_into(
        &self,
        captured: &Capture,
        (kind, name): (&str, &str),
        cx: &ApplyCx<'_>,
    ) -> Result<(StepOutcome, Vec<String>)> {
        let _ = cx;
        Err(no_such_place(captured, (kind, name)))
    }

    /// Which safety nets of its own this system has where agents have worked. It only reads, ends by `until`, and says what it
    /// could not find out. By default there is nothing to be said.
    fn safeguards(&self, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
        let _ = cx;
        Vec::new()
    }

    /// At gc: removes what this system keeps beside the store's packs and no capture that stays needs.
    fn forget(&self, cx: &ForgetCx<'_>) -> Result<Vec<Forgotten>> {
        let _ = cx;
        Ok(Vec::new())
    }
}

/// A system without places of the kind that was named.
fn no_such_place(captured: &Capture, (kind, name): (&str, &str)) -> Error {
    let what = format!("{} cannot be restored into {kind}:{name}", captured.resource.lossy());
    Error::new(ExitCode::Usage, what).hint("`--to DIR` names a directory")
}

/// What an earlier capture holds of what a later one covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Not all of it.
    Nothing,
    /// The very state that the later one holds.
    Same,
    /// All of it, in another state: it has changed in between.
    Other,
}

impl Held {
    /// For two captures of one place.
    pub fn by_digest(outer: &Capture, inner: &Capture) -> Held {
        if outer.state.digest == inner.state.digest { Held::Same } else { Held::Other }
    }
}

/// What a system may know while it assesses words.
#[derive(Clone, Copy)]
pub struct AssessCx<'a> {
    /// The environment of the command, before its own assignments.
    pub env: &'a BTreeMap<String, Bytes>,
    /// The user's home directory.
    pub home: Option<&'a Path>,
}

/// Bounds of a capture, by work rather than by wall clock (`docs/systems/files.md`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// The most bytes one effect may store of targets that were named.
    pub named_bytes: u64,
    /// The most files one effect may store of targets that were named.
    pub named_files: u64,
    /// The most bytes a working tree's snapshot may store, untracked files included.
    pub tree_bytes: u64,
    /// The most files in a working tree's snapshot.
    pub tree_files: u64,
    /// The largest ignored file that a working tree's snapshot stores.
    pub ignored_file_bytes: u64,
    /// The largest repository that undo lays out beside the store to see whether what was done in it can be taken back, in
    /// bytes; of a larger one that is only known when it is back.
    pub ahead_bytes: u64,
    /// The same in files.
    pub ahead_files: u64,
    /// The longest that a cluster is waited for where a command names its objects, in seconds.
    pub cluster_named_seconds: u64,
    /// The same where all in a namespace has to be read.
    pub cluster_namespace_seconds: u64,
    /// The longest that the backend of a terraform state is waited for, in seconds.
    pub backend_seconds: u64,
    /// How long undo waits for the lock on a terraform state that somebody else holds, in seconds.
    pub lock_seconds: u64,
    /// The most bytes of volumes and images that one container command stores.
    pub container_bytes: u64,
    /// The most bytes of what a container wrote outside of its volumes; 0: none of it is read.
    pub container_layer_bytes: u64,
    /// The longest that a container engine is waited for, in seconds.
    pub container_seconds: u64,
    /// The most bytes of keys and values that one command on a Redis server stores.
    pub redis_bytes: u64,
    /// The longest that a Redis server is waited for, in seconds.
    pub redis_seconds: u64,
    /// The longest that a database is waited for, in seconds.
    pub database_seconds: u64,
    /// The largest database that is captured as a whole where a statement may do anything.
    pub database_opaque_bytes: u64,
    /// Of a database file that is larger, rows are kept instead of a copy where a statement's condition tells them.
    pub database_rows_above: u64,
    /// The largest database file that is copied.
    pub database_file_bytes: u64,
    /// The longest that AWS is waited for where a command names what it changes, in seconds.
    pub aws_seconds: u64,
    /// The same where objects of a bucket have to be copied.
    pub aws_bucket_seconds: u64,
    /// The most bytes of objects that one command's capture copies from AWS.
    pub aws_bytes: u64,
    /// The longest that GitHub, a clone of a repository or a package registry is waited for, in seconds.
    pub github_seconds: u64,
    /// The most bytes of release assets, logs and commits that one command's capture copies from GitHub.
    pub github_bytes: u64,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps {
            named_bytes: 64 << 30,
            named_files: 5_000_000,
            tree_bytes: 16 << 30,
            tree_files: 2_000_000,
            ignored_file_bytes: 4 << 20,
            ahead_bytes: 256 << 20,
            ahead_files: 100_000,
            cluster_named_seconds: 5,
            cluster_namespace_seconds: 20,
            backend_seconds: 10,
            lock_seconds: 20,
            container_bytes: 4 << 30,
            container_layer_bytes: 64 << 20,
            container_seconds: 60,
            redis_bytes: 1 << 30,
            redis_seconds: 60,
            database_seconds: 20,
            database_opaque_bytes: 64 << 20,
            database_rows_above: 16 << 20,
            database_file_bytes: 4 << 30,
            aws_seconds: 20,
            aws_bucket_seconds: 150,
            aws_bytes: 4 << 30,
            github_seconds: 60,
            github_bytes: 1 << 30,
        }
    }
}

/// What the recorder may make in an account of AWS before a command destroys something there. Each costs money until somebody
/// removes it, so nothing is made unless the user switched it on (`[aws]` in the settings).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Saving {
    /// An image of an instance that is about to be terminated, with its disks.
    pub image_before_terminate: bool,
    /// A snapshot of a volume, of a database instance or of a cluster that is about to be deleted.
    pub snapshot_before_delete: bool,
    /// A backup of a table of DynamoDB that is about to be deleted.
    pub backup_before_delete: bool,
}

impl Saving {
    /// Nothing.
    pub const NONE: &'static Saving =
        &Saving { image_before_terminate: false, snapshot_before_delete: false, backup_before_delete: false };
}

/// What a capture works with. All its writes go through the sink, or below `scratch` and `vault`.
pub struct CaptureCx<'a> {
    /// Where objects go.
    pub sink: &'a dyn ObjectSink,
    /// Where earlier objects can be read (trees of an earlier snapshot).
    pub source: &'a dyn ObjectSource,
    /// Bounds.
    pub caps: &'a Caps,
    /// What may be made in the account that a command acts on.
    pub saving: &'a Saving,
    /// False where only identities are wanted: trees are put, file contents are hashed and not put.
    pub contents: bool,
    /// `$FR_HOME/cache`: stat caches, safe to lose.
    pub cache: PathBuf,
    /// `$FR_HOME/git`: vault repositories.
    pub vault: PathBuf,
    /// The store itself: it is never captured, and a target that contains it says so.
    pub store_home: PathBuf,
    /// When to give up; a capture that reaches it is partial.
    pub deadline: Option<Instant>,
    /// How the command left what is looked at, where that is known: what tells the time in seconds only may look the same and
    /// be another.
    pub left: Option<StateRef>,
}

/// Which run of an undo a plan is for. What looks as if it were back may lack what an earlier run set last: times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Run {
    /// The first.
    #[default]
    First,
    /// An earlier one ended in part: files whose content is back get their times.
    Retry,
    /// One was interrupted: directories too.
    Resumed,
}

/// What planning works with. The sink takes the trees of states that are only looked at.
pub struct PlanCx<'a> {
    /// Stored objects, and those of the present state.
    pub source: &'a dyn ObjectSource,
    /// Whether an earlier undo has done a part of it.
    pub run: Run,
    /// The event that is taken back: goes into the names of what is put beside the present.
    pub event: EventId,
    /// Files that another system's captures of the same events bring back: they are left to it ([`System::owns`]).
    pub except: &'a [Bytes],
}

/// What applying works with.
pub struct ApplyCx<'a> {
    /// Stored objects.
    pub source: &'a dyn ObjectSource,
    /// `$FR_HOME/git`: vault repositories.
    pub vault: PathBuf,
    /// The settings in force.
    pub caps: Caps,
    /// A short name for what is written: `undo-42`. Goes into temporary names and reflog messages.
    pub label: String,
    /// Told after each file or ref, with the number of items done.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// What forgetting works with.
pub struct ForgetCx<'a> {
    /// The options of the locators of all captures that stay.
    pub kept: &'a BTreeSet<BTreeMap<String, Bytes>>,
    /// `$FR_HOME/git`: vault repositories.
    pub vault: PathBuf,
    /// What was used within this time stays.
    pub grace: Duration,
    /// Only say what would go.
    pub dry_run: bool,
}

/// Something beside the packs that gc has removed, or would remove.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Forgotten {
    /// What, for people.
    pub what: Bytes,
    /// How many bytes that frees, about.
    pub bytes: u64,
}

/// A locator that only has a place.
pub fn locator(at: impl Into<Bytes>) -> Locator {
    Locator { at: at.into(), ..Locator::default() }
}
