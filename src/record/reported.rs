//! An edit that is heard of only afterwards: its before-hook was not installed, failed or was cut off. Some agents tell what
//! the file held (Claude Code, Gemini CLI), and that is the pre-state then: their own word, and the record says so.

use super::before::{command_text, commit_caches, exact_bytes, journal, new_uid, read};
use super::captures::observing;
use crate::error::Result;
use crate::intake::{Ending, ReportedEdit};
use crate::journal::Durability;
use crate::journal::index::{Filter, Index};
use crate::model::{
    After, Before, Call, Capture, Effect, EventKind, ObjectId, ObjectKind, ObjectSink, PostState, Record,
    StateRef,
};
use crate::platform::{clock, home::Home};
use crate::store::Store;
use crate::systems::files;

/// Marks every such event.
const WARNING: &str = "reported only after the edit: what the file held before is the agent's own word; \
                       its mode, owner and times then are not known";

/// How many of a session's events on the same file are looked through for the call.
const LOOK_BACK: usize = 64;

/// False where the edit is on record already: its beginning was, or another registration has told of it.
///
/// # Errors
/// Where the index cannot be read.
pub fn is_news(edit: &ReportedEdit, call: Option<&Call>, home: &Home) -> Result<bool> {
    let reading = read(&edit.request.action, &edit.request.cwd, &edit.request.env);
    let Some(place) = reading.effects.first().and_then(|effect| effect.locator.as_ref()) else {
        return Ok(false);
    };
    let filter = Filter {
        session: Some(edit.request.session.clone()),
        path: Some(place.at.0.clone()),
        limit: LOOK_BACK,
        ..Filter::default()
    };
    let word = call.map(ToString::to_string);
    // Calls without ids are called alike again and again: there only an open one is ours.
    let may_be_done = matches!(call, Some(Call::Id(_)));
    let known = Index::open(home)?.timeline(&filter)?;
    Ok(!known.iter().any(|event| event.before.call == word && (may_be_done || event.after.is_none())))
}

/// Records both halves of the edit.
///
/// # Errors
/// Where it cannot be recorded.
pub fn record(edit: &ReportedEdit, ending: &Ending, call: Option<&Call>, home: &Home) -> Result<()> {
    let request = &edit.request;
    let effects = read(&request.action, &request.cwd, &request.env).effects;
    let mut command = command_text(&request.action, request.source, home);
    let mut warnings = vec![WARNING.to_owned()];
    let (mut captures, mut post) = (Vec::new(), Vec::new());
    match effects.first().map(|effect| keep(edit, effect, home)) {
        Some(Ok((capture, state, exact))) => {
            captures.push(capture);
            post.push(PostState { capture: 0, state });
            command.exact = Some(exact);
        }
        Some(Err(error)) => warnings.push(format!("nothing was captured: {error}")),
        None => {}
    }
    let word = call.map(ToString::to_string);
    let before = Before {
        uid: new_uid(),
        at_ns: clock::now_ns(),
        kind: EventKind::Command,
        session: request.session.clone(),
        call: word.clone(),
        actor: request.actor.clone(),
        source: request.source,
        parent: None,
        command,
        cwd: request.cwd.clone(),
        effects,
        captures,
        warnings,
        background: false,
        verdict: None,
    };
    let after = After {
        at_ns: clock::now_ns(),
        session: ending.session.clone(),
        call: word,
        outcome: ending.outcome,
        duration_ms: ending.duration_ms,
        post,
        note: None,
        lacking: Vec::new(),
    };
    let journal = journal(home)?;
    let event = journal.append(&Record::Before(Box::new(before)), None, Durability::Durable)?.event;
    journal.append(&Record::After(Box::new(after)), Some(event), Durability::Buffered)?;
    Ok(())
}

/// What the file is told to have held, durable; the state that the edit left; the exact command.
fn keep(edit: &ReportedEdit, effect: &Effect, home: &Home) -> Result<(Capture, StateRef, ObjectId)> {
    let store = Store::open(home)?;
    let batch = store.batch();
    let told = files::Told { before: edit.texts.before.as_deref(), after: edit.texts.after.as_deref() };
    let (capture, after) = observing(&batch, home, |cx| files::told(effect, &told, cx))?;
    let exact = batch.put(ObjectKind::Argv, &exact_bytes(&edit.request.action))?;
    batch.commit()?;
    commit_caches(home);
    Ok((capture, after, exact))
}
