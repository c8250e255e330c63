//! An old state beside the present: the safe choice in a conflict, and for looking. It is an event like any other: who put what
//! where is on record, and what came into a directory can be taken back.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::planning::captured_of;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Event;
use crate::journal::{Durability, Journal};
use crate::model::{
    Actor, After, Before, Bytes, Capture, Effect, EffectClass, EventId, EventKind, Outcome, Record,
    Reversibility, StepOutcome, spoken,
};
use crate::platform::{clock, home::Home};
use crate::record::own::Own;
use crate::record::redact::{TagKey, redact};
use crate::record::{self, Config};
use crate::store::Store;
use crate::systems::{self, ApplyCx, files};

/// Captures of an event and of its parts, each place once.
pub struct Chosen {
    captures: Vec<Capture>,
    /// The targets that were named.
    named: Vec<Bytes>,
}

/// A place beside the present.
#[derive(Clone, Copy, Debug)]
pub enum Beside<'a> {
    /// A directory that is not there yet, or is empty.
    Dir(&'a Path),
    /// Another place of the system's own kind: `namespace` and its name.
    Place(&'a str, &'a str),
}

/// What a restore has done.
#[derive(Debug)]
pub struct Restored {
    /// Its own event.
    pub event: EventId,
    /// What was put there, and how that ended.
    pub put: Vec<Put>,
}

/// One capture that was put beside the present.
#[derive(Debug)]
pub struct Put {
    /// The target that it is of.
    pub resource: Bytes,
    /// How it ended.
    pub outcome: StepOutcome,
    /// What was left out.
    pub notes: Vec<String>,
}

impl Chosen {
    /// Those of these targets; of all, where none is named. A target is named as `fr show` writes it, or by its path.
    pub fn of(event: &Event, targets: &[Bytes]) -> Result<Chosen> {
        let all: Vec<Capture> = captured_of(event).into_iter().map(|captured| captured.before).collect();
        if all.is_empty() {
            return Err(Error::new(
                ExitCode::NothingToUndo,
                format!("event {} has no captured state", event.id),
            ));
        }
        if let Some(unknown) = targets.iter().find(|target| !all.iter().any(|c| is_called(c, target))) {
            let known: Vec<String> = all.iter().map(|c| c.resource.lossy().into_owned()).collect();
            return Err(Error::new(
                ExitCode::Usage,
                format!("event {} has captured no target {}", event.id, unknown.lossy().escape_debug()),
            )
            .hint(format!("one of: {}", known.join(", ").escape_debug())));
        }
        let is_chosen = |c: &Capture| targets.is_empty() || targets.iter().any(|target| is_called(c, target));
        Ok(Chosen { captures: all.into_iter().filter(is_chosen).collect(), named: targets.to_vec() })
    }
}

fn is_called(capture: &Capture, target: &Bytes) -> bool {
    let path = target.as_slice().strip_prefix(b"path:").unwrap_or(target.as_slice());
    let absolute = std::path::absolute(Bytes::from(path).as_path()).map(Bytes::from);
    let is_at = capture.system.0 == "fs" && absolute.is_ok_and(|path| path == capture.locator.at);
    capture.resource == *target || spoken(&capture.resource) == *target || is_at
}

/// Puts each capture into the place. The first alone goes to a directory itself, several go below it.
///
/// # Errors
/// Where nothing could be begun, or a system refuses the place; what was begun is on record then, too.
pub fn restore(
    event: &Event,
    chosen: &Chosen,
    beside: Beside<'_>,
    actor: Actor,
    home: &Home,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Restored> {
    if let Beside::Dir(to) = beside
        && std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(Error::failure(format!("{} is not empty", to.display()))
            .hint("name a directory that does not exist yet"));
    }
    let store = Store::open(home)?;
    let journal = Journal::open(home)?;
    let began = Instant::now();
    let before = before(event, chosen, beside, actor, &store, home)?;
    let (session, captures) = (before.session.clone(), before.captures.clone());
    let own = journal.append(&Record::Before(Box::new(before)), None, Durability::Durable)?.event;

    let reader = store.reader();
    let label = format!("restore-{}", event.id);
    let cx = ApplyCx { source: &reader, vault: home.vault(), caps: Config::caps_of(home), label, progress };
    let put = put_all(&chosen.captures, beside, &cx);
    let (code, note) = match &put {
        Ok(put) => (if put.iter().all(Put::is_there) { 0 } else { ExitCode::Partial as i32 }, said(put)),
        Err(error) => (ExitCode::Failure as i32, Some(error.to_string())),
    };
    let key = TagKey::load(home);
    let redacted = |text: String| String::from_utf8_lossy(&redact(text.as_bytes(), &key)).into_owned();
    let after = After {
        at_ns: clock::now_ns(),
        session,
        call: None,
        outcome: Outcome::Exited { code },
        duration_ms: u64::try_from(began.elapsed().as_millis()).ok(),
        post: record::post_states(&captures, home)?,
        note: note.map(redacted),
        lacking: Vec::new(),
    };
    journal.append(&Record::After(Box::new(after)), Some(own), Durability::Durable)?;
    Ok(Restored { event: own, put: put? })
}

impl Put {
    fn is_there(&self) -> bool {
        self.outcome == StepOutcome::Done
    }
}

/// The half before: what is about to come where, and that nothing was there.
fn before(
    event: &Event,
    chosen: &Chosen,
    beside: Beside<'_>,
    actor: Actor,
    store: &Store,
    home: &Home,
) -> Result<Before> {
    let (to, effects, mut warnings) = match beside {
        Beside::Dir(to) => {
            let (to, top) = place_of(to)?;
            let made = Effect { class: EffectClass::Create, ..files::about_to_be_made(&Bytes::from(top)) };
            (Bytes::from(to), vec![made], Vec::new())
        }
        Beside::Place(kind, name) => {
            let to = Bytes::from(format!("{kind}:{name}"));
            let made = chosen.captures.iter().map(|capture| made_in(capture, &to)).collect();
            // What is there beside it may be somebody's: no command is named that would take all of it.
            let by_hand = format!("fr does not take back what it makes in {kind} {name}: that goes by hand");
            (to, made, vec![by_hand])
        }
    };
    let batch = store.batch();
    let taken = record::capture_all(&effects, &batch, home);
    batch.commit()?;
    warnings.extend(taken.warnings);
    let mut line = [format!("fr restore {} --to ", event.id).as_bytes(), to.as_slice()].concat();
    for target in &chosen.named {
        line.extend([b" --target ", target.as_slice()].concat());
    }
    let line = redact(&line, &TagKey::load(home));
    let own = Own::now(EventKind::Restore { of: event.id, to }, String::new(), actor).before();
    let command = crate::model::CommandText { line: Bytes::from(line), ..own.command };
    Ok(Before { command, effects, captures: taken.captures, warnings, ..own })
}

/// The directory, free of links and of `..`, and the topmost one on its way that is not there yet: that one is made.
fn place_of(to: &Path) -> Result<(PathBuf, PathBuf)> {
    let absolute = std::path::absolute(to).map_err(|e| Error::io("find", to, &e))?;
    let mut missing = Vec::new();
    let mut there = absolute.as_path();
    let mut real = loop {
        match (std::fs::canonicalize(there), there.parent(), there.file_name()) {
            (Ok(real), ..) => break real,
            (Err(_), Some(parent), Some(name)) => {
                missing.push(name);
                there = parent;
            }
            (Err(e), ..) => return Err(Error::io("find", to, &e)),
        }
    };
    let top = missing.last().map_or_else(|| real.clone(), |first| real.join(first));
    real.extend(missing.iter().rev());
    Ok((real, top))
}

fn made_in(capture: &Capture, to: &Bytes) -> Effect {
    Effect {
        system: capture.system.clone(),
        class: EffectClass::Create,
        resource: to.clone(),
        reversibility: Reversibility::Compensating,
        certain: true,
        locator: None,
    }
}

fn put_all(captures: &[Capture], beside: Beside<'_>, cx: &ApplyCx<'_>) -> Result<Vec<Put>> {
    let mut done = Vec::new();
    for (i, capture) in captures.iter().enumerate() {
        let system = systems::by_id(&capture.system.0)
            .ok_or_else(|| Error::failure(format!("this fr knows no system {}", capture.system)))?;
        let (outcome, notes) = match beside {
            Beside::Place(kind, name) => system.restore_into(capture, (kind, name), cx)?,
            Beside::Dir(to) if captures.len() == 1 => (system.restore_to(capture, to, cx)?, Vec::new()),
            Beside::Dir(to) => {
                let below = to.join(format!("{}-{}", i + 1, capture.system));
                (system.restore_to(capture, &below, cx)?, Vec::new())
            }
        };
        done.push(Put { resource: capture.resource.clone(), outcome, notes });
    }
    Ok(done)
}

/// What did not come there, for the record.
fn said(put: &[Put]) -> Option<String> {
    let lacks = put.iter().filter_map(|one| match &one.outcome {
        StepOutcome::Done => None,
        StepOutcome::Waiting { operation } => {
            Some(format!("{}: still waiting for {operation}", one.resource.lossy()))
        }
        StepOutcome::Conflict { reason } | StepOutcome::Failed { reason } => {
            Some(format!("{}: {reason}", one.resource.lossy()))
        }
    });
    let lacks: Vec<String> = lacks.take(20).collect();
    (!lacks.is_empty()).then(|| lacks.join("; "))
}
