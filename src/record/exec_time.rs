//! A command at the moment it is executed, with its real arguments: what is there to add to the record of the line that
//! runs it? Often nothing, and then nothing is written (`docs/shims.md`, section "What is recorded").

use std::io::ErrorKind;

use super::before::{Reading, append, command_text, commit_caches, exact_bytes, journal, new_uid, refusal};
use super::nesting::{self, Traces};
use super::open_events::{self, Claim, OpenEvent, Report};
use super::{captures, policy, runaway};
use crate::error::Result;
use crate::intake::Request;
use crate::journal::Durability;
use crate::model::{
    Answers, Before, Bytes, Call, Capture, Effect, EffectClass, EventId, EventKind, Locator, ObjectId,
    ObjectKind, ObjectSink, ObjectSource, Record, Verdict,
};
use crate::platform::{clock, home::Home};
use crate::store::Store;
use crate::systems::{self, Held, files};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is nothing to add: the program may be executed in our place.
    Nothing,
    /// It is on record, and its end comes with the line's: the program may be executed in our place.
    Part(EventId),
    /// It is on record, and nobody else will report its end.
    Alone(EventId),
    /// It is not to run: the agent destroys too fast, or what nothing brings back on production.
    Held(String),
}

/// True where nothing can be lost, whatever runs above: then nobody need be looked for.
pub fn is_harmless(reading: &Reading) -> bool {
    reading.effects.iter().all(|e| e.class == EffectClass::None || loses_nothing(e, reading))
}

/// Records a command that is about to be executed, unless the event it runs inside has all of it. `request` takes over
/// session, call and actor of that event.
///
/// # Errors
/// Where it should have been recorded and could not be.
pub fn at_exec(request: &mut Request, reading: &Reading, traces: &Traces<'_>, home: &Home) -> Result<Seen> {
    let outer = nesting::find(home, traces);
    if let Some(outer) = &outer {
        if nesting::same_command(outer, request) {
            return Ok(Seen::Nothing);
        }
        request.session.clone_from(&outer.report.session);
        request.call = request.call.as_ref().map(|call| format!("{}/{call}", outer.event));
        if let Some(nest) = &outer.nest {
            request.actor = nest.actor.clone();
        }
    }
    let adds = |e: &&Effect| !loses_nothing(e, reading) && adds_something(e, outer.as_ref());
    let mut effects: Vec<Effect> = reading.effects.iter().filter(adds).cloned().collect();
    super::context::without_what_fails(&mut effects);
    let harmless = is_harmless(reading);
    if effects.is_empty() && (!harmless || outer.is_some()) {
        return Ok(Seen::Nothing);
    }
    if let Some(verdict) = runaway::look(request, &effects, home).map(|v| v.within(Answers::Deny))
        && let Some(why) = verdict.reason().map(str::to_owned)
    {
        refuse(request, effects, verdict, outer.as_ref(), home)?;
        return Ok(Seen::Held(why));
    }
    let taken =
        if effects.is_empty() { Taken::default() } else { take(&effects, request, outer.as_ref(), home) };
    if let Some(verdict) = policy::at_exec(request, &effects, &taken.all, home)
        && let Some(why) = verdict.reason().map(str::to_owned)
    {
        refuse(request, effects, verdict, outer.as_ref(), home)?;
        return Ok(Seen::Held(why));
    }
    let uncaptured = effects.iter().any(|e| systems::by_id(&e.system.0).is_none());
    if taken.captures.is_empty() && taken.warnings.is_empty() && !harmless && !uncaptured {
        return Ok(Seen::Nothing);
    }
    let event = write(request, reading, effects, taken, outer.as_ref(), home)?;
    Ok(match outer.filter(|outer| outer.nest.as_ref().is_some_and(|nest| nest.ends)) {
        // Its end may have been reported just now, before our event was there to be ended with it.
        Some(outer) if open_events::all(home).iter().any(|open| open.event == outer.event) => {
            Seen::Part(event)
        }
        _ => Seen::Alone(event),
    })
}

/// Programs that do nothing to a name that is not there. Others may make it.
const REMOVERS: &[&str] = &["rm", "rmdir", "unlink", "shred"];

/// Removing what is not there.
fn loses_nothing(effect: &Effect, reading: &Reading) -> bool {
    let removes = |inv: &crate::model::Invocation| inv.program().is_some_and(|name| REMOVERS.contains(&name));
    let Some(place) = effect.locator.as_ref().filter(|_| effect.system.0 == "fs") else { return false };
    effect.class == EffectClass::Destroy
        && reading.understood.invocations.iter().all(removes)
        && std::fs::symlink_metadata(place.at.as_path()).is_err_and(|e| e.kind() == ErrorKind::NotFound)
}

/// False for what the outer event has, whatever the state is now.
fn adds_something(effect: &Effect, outer: Option<&OpenEvent>) -> bool {
    if !effect.class.changes_state() {
        return false;
    }
    let is_tree = |l: &Locator| l.opts.get("scope").and_then(Bytes::as_str) == Some("workspace");
    let place = effect.locator.as_ref().filter(|_| effect.system.0 == "fs");
    let Some(outer) = outer else { return true };
    if effect.class == EffectClass::Opaque
        && let Some(place) = place.filter(|place| is_tree(place))
    {
        return !outer.captures.iter().any(|capture| files::is_work_tree_of(capture, place));
    }
    systems::by_id(&effect.system.0).is_some() || !nesting::is_known(outer, effect)
}

#[derive(Default)]
struct Taken {
    captures: Vec<Capture>,
    /// Those, and what the outer event has of it already.
    all: Vec<Capture>,
    warnings: Vec<String>,
    exact: Option<ObjectId>,
}

/// The captures that hold something which the outer event's do not. As in the before-half, a store that fails costs the
/// captures and not the record.
fn take(effects: &[Effect], request: &Request, outer: Option<&OpenEvent>, home: &Home) -> Taken {
    match try_take(effects, request, outer, home) {
        Ok(taken) => {
            commit_caches(home);
            taken
        }
        Err(error) => {
            systems::files::discard_caches(&home.cache());
            Taken { warnings: vec![format!("nothing was captured: {error}")], ..Taken::default() }
        }
    }
}

fn try_take(effects: &[Effect], request: &Request, outer: Option<&OpenEvent>, home: &Home) -> Result<Taken> {
    let store = Store::open(home)?;
    let batch = store.batch();
    let captures::Capturing { mut captures, warnings, .. } = captures::capture_all(effects, &batch, home);
    let all = captures.clone();
    if let Some(outer) = outer {
        captures.retain(|capture| !has_it(outer, capture, &batch));
    }
    if captures.is_empty() {
        return Ok(Taken { captures, all, warnings, exact: None });
    }
    let exact = Some(batch.put(ObjectKind::Argv, &exact_bytes(&request.action))?);
    batch.commit()?;
    Ok(Taken { captures, all, warnings, exact })
}

/// The outer event captured this very state. Where it captured another one, an earlier part of the line has changed it.
fn has_it(outer: &OpenEvent, capture: &Capture, source: &dyn ObjectSource) -> bool {
    let Some(system) = systems::by_id(&capture.system.0) else { return false };
    let earlier = outer.captures.iter().filter(|earlier| earlier.system == capture.system);
    earlier.into_iter().any(|earlier| matches!(system.held(earlier, capture, source), Ok(Held::Same)))
}

fn write(
    request: &Request,
    reading: &Reading,
    effects: Vec<Effect>,
    taken: Taken,
    outer: Option<&OpenEvent>,
    home: &Home,
) -> Result<EventId> {
    let mut warnings: Vec<String> =
        reading.understood.opaque.iter().map(|why| format!("not understood: {why}")).collect();
    warnings.extend(taken.warnings);
    let mut command = command_text(&request.action, request.source, home);
    command.exact = taken.exact;
    let slot = request.call.as_ref().and_then(|call| {
        let report = report(request, call);
        match open_events::claim(home, &Call::Id(call.clone()), &report) {
            Ok(Claim::Mine(slot)) => Some((slot, report)),
            Ok(Claim::Twin) => None,
            Err(error) => {
                warnings.push(format!("what it leaves behind will not be known: {error}"));
                None
            }
        }
    });
    let record = Before {
        uid: new_uid(),
        at_ns: clock::now_ns(),
        kind: EventKind::Command,
        session: request.session.clone(),
        call: request.call.clone(),
        actor: request.actor.clone(),
        source: request.source,
        parent: outer.map(|outer| outer.event),
        command,
        cwd: request.cwd.clone(),
        effects,
        captures: taken.captures,
        warnings,
        background: request.background,
        verdict: None,
    };
    Ok(append(record, slot, None, &journal(home)?, home)?.event)
}

/// Writes down that a command was not let run.
fn refuse(
    request: &Request,
    effects: Vec<Effect>,
    verdict: Verdict,
    outer: Option<&OpenEvent>,
    home: &Home,
) -> Result<()> {
    let record = Before {
        uid: new_uid(),
        at_ns: clock::now_ns(),
        kind: EventKind::Command,
        session: request.session.clone(),
        call: request.call.clone(),
        actor: request.actor.clone(),
        source: request.source,
        parent: outer.map(|outer| outer.event),
        command: command_text(&request.action, request.source, home),
        cwd: request.cwd.clone(),
        effects,
        captures: Vec::new(),
        warnings: Vec::new(),
        background: request.background,
        verdict: Some(verdict),
    };
    let journal = journal(home)?;
    let event = append(record, None, None, &journal, home)?.event;
    let refused = Record::After(Box::new(refusal(request, request.call.clone())));
    journal.append(&refused, Some(event), Durability::Buffered).map(drop)
}

/// What tells this call from others. Nobody else reports it, so its key is like no other's.
fn report(request: &Request, call: &str) -> Report {
    Report {
        session: request.session.clone(),
        call: call.to_owned(),
        key: format!("shim {call}"),
        channel: "shim".to_owned(),
        ..Report::default()
    }
}
