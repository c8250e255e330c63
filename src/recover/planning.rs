//! The undo plan: for each capture of an event, the state now, and the system's steps.

use serde::{Deserialize, Serialize};

use super::promised::Promised;
use super::rounds::{goes_with_files, goes_with_tree};
use super::settled::settled;
use super::uncaptured::{left_out, told_apart};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Event;
use crate::model::{
    Bytes, Captured, Effect, EffectClass, EventId, EventKind, ObjectKind, ObjectSource, Outcome, Policy,
    Step, StepVerdict,
};
use crate::platform::home::Home;
use crate::record;
use crate::store::{Scratch, Store};
use crate::systems::{self, Held, PlanCx, Run, files};

/// What undo will do (`schema/undo-plan.schema.json`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UndoPlan {
    /// The events to take back, newest first.
    pub events: Vec<EventId>,
    /// The command, redacted; of several events, the newest one's and how many more.
    pub command: String,
    /// True where the event is itself an undo: taking it back is a redo.
    pub redo: bool,
    /// The steps, in the order in which they are applied.
    pub steps: Vec<Step>,
    /// What no step can bring back, in words for people.
    pub residue: Vec<String>,
    /// Events that were asked for too and that nothing can be taken back of, in words for people: they stay as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// What the captures left out, and why: whether the events changed it is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncaptured: Vec<String>,
    /// What nobody saw, and undo therefore cannot speak of, in words for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// What is done about conflicts.
    pub policy: Policy,
    /// What was left out on purpose (`--system`, `--path`, steps not chosen): the rest can be taken back later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The targets of the steps that were chosen, where not all were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Bytes>,
    /// The positions of those captures of the event whose resources are as they were: nothing of them is written.
    #[serde(skip)]
    pub unchanged: Vec<usize>,
    /// Of several events: their net effect, which the steps were made from.
    #[serde(skip)]
    pub net: Vec<Captured>,
    /// The undo that this leads back from: what it had staged beside its targets is cleared away.
    #[serde(skip)]
    pub after_undo: Option<EventId>,
    /// The objects of states that nobody recorded and that the net effect names: stored before anything is written.
    #[serde(skip)]
    pub made: Vec<(ObjectKind, Vec<u8>)>,
}

impl UndoPlan {
    /// The newest event: what is put beside the present is named after it.
    pub fn event(&self) -> EventId {
        self.events.first().copied().unwrap_or(EventId(0))
    }

    /// The events as people write them after `fr undo`.
    pub fn ids(&self) -> String {
        self.events.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The steps that stand in the way.
    pub fn conflicts(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| matches!(s.verdict, StepVerdict::Conflict { .. }))
    }

    /// The steps that will write.
    pub fn restoring(&self) -> impl Iterator<Item = (usize, &Step)> {
        self.steps.iter().enumerate().filter(|(_, s)| s.verdict == StepVerdict::Restore)
    }

    /// True where everything is back already, or nothing was ever changed.
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|s| s.verdict == StepVerdict::Already)
    }
}

/// Plans the undo of one whole event against the world as it is now. Writes nothing.
pub fn plan_one(event: &Event, store: &Store, home: &Home) -> Result<UndoPlan> {
    let run = if event.undone_in_part { Run::Retry } else { Run::First };
    plan_as(event, run, store, home)
}

/// The same, where an interrupted undo is gone on with.
pub fn plan_rest(event: &Event, store: &Store, home: &Home) -> Result<UndoPlan> {
    plan_as(event, Run::Resumed, store, home)
}

fn plan_as(event: &Event, run: Run, store: &Store, home: &Home) -> Result<UndoPlan> {
    refuse_what_cannot_be_undone(event)?;
    let event = &settled(event, home);
    let reader = store.reader();
    let scratch = Scratch::over(&reader);
    let (mut steps, mut unchanged, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let mut residue: Vec<String> = event.before.warnings.clone();
    residue.extend(event.parts.iter().flat_map(|part| part.before.warnings.iter().cloned()));
    // In the inverse order of the effects: what was made inside a new directory goes before the directory.
    let all = captured_of(event);
    let promised = Promised::of(event, &scratch);
    let except = owned(&all, &scratch)?;
    // An undo has gone through the same captures from the end. Where it moved a git directory, its own way back must begin at
    // the other one: the directory makes way for the file that led to it.
    let redo = matches!(event.before.kind, EventKind::Undo(_));
    let mut order: Vec<(usize, &Captured)> = all.iter().enumerate().collect();
    if !(redo && all.iter().any(|one| systems::git::may_move(&one.before.locator))) {
        order.reverse();
    }
    for (position, captured) in made_inside_first(&order) {
        if goes_with_tree(position, &all) || !event.parts.is_empty() && is_covered(position, &all, &reader) {
            unchanged.push(position);
            continue;
        }
        if goes_with_files(captured, &all) {
            continue;
        }
        let before = &captured.before;
        let system = systems::by_id(&before.system.0)
            .ok_or_else(|| Error::failure(format!("this fr knows no system {}", before.system)))?;
        let now = record::observe_since(before, captured.after, &scratch, home, false)
            .map_err(|e| e.context(format!("cannot read {} as it is now", before.resource.lossy())))?;
        let captured = &promised.kept(captured, &all, &now, &scratch);
        let cx = PlanCx { source: &scratch, run, event: event.id, except: &except };
        let of_it = system.plan(captured, &now, &cx)?;
        // Times are in no digest: a file that was rewritten with the same content gets its time back, by a write.
        let writes = of_it.iter().any(|step| step.verdict == StepVerdict::Restore);
        if now.digest == before.state.digest && !writes {
            unchanged.push(position);
        }
        steps.extend(of_it);
        missing.extend(left_out(event, &before.system, system.lacking(captured, &scratch)?));
    }
    let uncaptured = told_apart(missing, &steps, &mut residue);
    Ok(UndoPlan {
        events: vec![event.id],
        command: event.before.command.line.lossy().into_owned(),
        redo,
        steps: without_duplicates(steps),
        residue,
        passed_over: Vec::new(),
        uncaptured,
        unseen: super::unseen::unseen(std::slice::from_ref(event)),
        policy: Policy::Abort,
        left_out: Vec::new(),
        only: Vec::new(),
        unchanged,
        net: Vec::new(),
        after_undo: None,
        made: Vec::new(),
    })
}

/// The same order, but for what the event made inside of another captured place: that goes before the place around it, which
/// sees only a part of it (a work tree without the repository that was cloned into it) and could not remove the directory.
fn made_inside_first<'a>(order: &[(usize, &'a Captured)]) -> Vec<(usize, &'a Captured)> {
    let is_made_in = |inner: &Captured, outer: &Captured| {
        let (inner, outer) = (&inner.before, &outer.before);
        inner.system.0 == "fs"
            && outer.system.0 == "fs"
            && systems::files::is_absent(&inner.state)
            && inner.locator.at != outer.locator.at
            && systems::files::is_within(&inner.locator.at, &outer.locator.at)
    };
    let mut out: Vec<(usize, &Captured)> = Vec::new();
    for (at, one) in order.iter().enumerate() {
        let inside = order.iter().skip(at + 1).filter(|other| is_made_in(other.1, one.1)).rev();
        let new: Vec<_> =
            inside.chain([one]).filter(|new| !out.iter().any(|known| known.0 == new.0)).collect();
        out.extend(new);
    }
    out
}

/// The files that one system's captures keep from another's: a snapshot of the work tree has the state of terraform too.
pub fn owned(all: &[Captured], source: &dyn ObjectSource) -> Result<Vec<Bytes>> {
    let mut files = Vec::new();
    for Captured { before, .. } in all {
        if let Some(system) = systems::by_id(&before.system.0) {
            files.extend(system.owns(before, source)?);
        }
    }
    Ok(files)
}

/// The captures of an event and of its parts, each with the state right after it. A place that the line and a part
/// captured counts once, from the first one's pre-state to the last one's post-state.
pub fn captured_of(event: &Event) -> Vec<Captured> {
    let mut all = own_captures(event);
    let of_line = all.len();
    for captured in event.parts.iter().flat_map(own_captures) {
        let same = |known: &Captured| {
            known.before.system == captured.before.system && known.before.locator == captured.before.locator
        };
        match all.iter().position(same) {
            // The line's own post-state was looked at last of all.
            Some(at) if at < of_line => all[at].after = all[at].after.or(captured.after),
            Some(at) => all[at].after = captured.after.or(all[at].after),
            None => all.push(captured),
        }
    }
    all
}

fn own_captures(event: &Event) -> Vec<Captured> {
    let after =
        |i: usize| event.after.as_ref().and_then(|a| a.post.iter().find(|p| p.capture == i)).map(|p| p.state);
    let captures = event.before.captures.iter().enumerate();
    captures.map(|(i, before)| Captured { before: before.clone(), after: after(i) }).collect()
}

/// The event removed a path with all below it, whatever it made there afterwards: `rm -rf .git && git init`, or an undo that put
/// another tree there.
pub fn is_removed_by(event: &Event, captured: &Captured) -> bool {
    let before = &captured.before;
    if before.system.0 != "fs" || !files::is_whole_tree(&before.locator) || files::was_absent(before) {
        return false;
    }
    let effects = std::iter::once(event).chain(&event.parts).flat_map(|one| &one.before.effects);
    let removes = |effect: &Effect| {
        effect.class == EffectClass::Destroy
            && effect.system == before.system
            && effect.resource == before.resource
    };
    let is_undo = matches!(event.before.kind, EventKind::Undo(_) | EventKind::Redo(_));
    is_undo
        || captured.after.is_some_and(|after| files::is_absent(&after))
        || effects.into_iter().any(removes)
}

/// True where an earlier capture covers this one's place: that one holds the state before the whole line.
pub fn is_covered(position: usize, all: &[Captured], source: &dyn ObjectSource) -> bool {
    let Some((inner, earlier)) = all.get(..=position).and_then(<[Captured]>::split_last) else {
        return false;
    };
    let inner = &inner.before;
    let Some(system) = systems::by_id(&inner.system.0) else { return false };
    earlier
        .iter()
        .filter(|outer| outer.before.system == inner.system)
        .any(|outer| matches!(system.held(&outer.before, inner, source), Ok(Held::Same | Held::Other)))
}

/// The same target reached through two captures (a named file inside a captured work tree) is restored once.
pub fn without_duplicates(steps: Vec<Step>) -> Vec<Step> {
    let mut kept: Vec<Step> = Vec::new();
    for step in steps {
        if !kept
            .iter()
            .any(|k| k.system == step.system && k.resource == step.resource && k.payload == step.payload)
        {
            kept.push(step);
        }
    }
    systems::arrange(&mut kept);
    kept
}

pub fn refuse_what_cannot_be_undone(event: &Event) -> Result<()> {
    let nothing = |what: String| Err(Error::new(ExitCode::NothingToUndo, what));
    if matches!(event.before.kind, EventKind::Drill { .. }) {
        return nothing(format!("event {} is a drill: it touched scratch targets only", event.id));
    }
    if matches!(event.before.kind, EventKind::Contain { .. }) {
        return nothing(format!("event {} is a containment", event.id))
            .map_err(|e| e.hint("`fr release` ends it"));
    }
    if let EventKind::Playbook { mark } = &event.before.kind {
        let error =
            Error::new(ExitCode::NothingToUndo, format!("event {} is a step of a playbook", event.id));
        return Err(match mark.event {
            Some(ran) => error.hint(format!("`fr undo {ran}` takes back what it ran")),
            None => error,
        });
    }
    if event.after.as_ref().is_some_and(|a| a.outcome == Outcome::Refused) {
        return nothing(format!("event {} never ran: it was refused", event.id));
    }
    if let Some(undo) = event.undone_by.filter(|_| !event.undone_in_part) {
        return nothing(format!("event {} is undone already, by event {undo}", event.id))
            .map_err(|e| e.hint(format!("`fr redo {undo}` takes that undo back")));
    }
    let whole = || std::iter::once(event).chain(&event.parts);
    if whole().all(|e| e.before.effects.is_empty() && e.before.captures.is_empty()) {
        return nothing(format!("event {} changed nothing", event.id));
    }
    if whole().all(|e| e.before.captures.is_empty()) {
        let why = event.before.warnings.join("; ");
        let why = if why.is_empty() { "none of its targets could be captured".to_owned() } else { why };
        let refused = nothing(format!("event {} has no captured state to bring back: {why}", event.id));
        let effects = whole().flat_map(|e| &e.before.effects).filter(|effect| effect.class.changes_state());
        let way = effects.into_iter().find_map(systems::catalog::compensation);
        return refused.map_err(|e| way.iter().fold(e, |e, way| e.hint(*way)));
    }
    Ok(())
}
