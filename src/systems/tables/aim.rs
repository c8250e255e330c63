//! What a policy's step makes of a database, worked out from the records: the way back from an undo that was killed must tell
//! what the undo wrote from what somebody did after it.

use super::finish::{FOR, STATE};
use super::{Index, Move, Payload, State, Table, View, moves};
use crate::error::Result;
use crate::model::{Captured, Locator, ObjectSink, ObjectSource, StateRef, Step};

/// An undo's own capture of what a command's covers: both name the state.
pub fn same_place(earlier: &Locator, later: &Locator) -> Option<bool> {
    let id = earlier.opts.get(STATE)?;
    Some(earlier.at == later.at && (later.opts.get(FOR) == Some(id) || later.opts.get(STATE) == Some(id)))
}

/// The state after the step. `captured` has the present before the undo, and as `after` what is there without this step: the
/// present itself where only this step and the rest of its plan write there.
pub fn aim(
    step: &Step,
    captured: &Captured,
    source: &dyn ObjectSource,
    made: &dyn ObjectSink,
) -> Result<Option<StateRef>> {
    let Some(without) = captured.after else { return Ok(None) };
    let payload = Payload::read(step)?;
    let Some(aimed) = &payload.aimed else { return Ok(None) };
    let (present, before) = (State::load(&captured.before.state, source)?, payload.before(source)?);
    let is_of = |state: &State| (&state.server, &state.access) == (&before.server, &before.access);
    let Some(table) = present.read.get(&aimed.table).filter(|_| is_of(&present)) else { return Ok(None) };
    if table.view == View::Keys {
        let mut covers = Index::load(&table.covers, source)?;
        covers.0.extend(table.index(source)?.0);
        if aimed.keys().any(|(key, _)| !covers.0.contains_key(&key)) {
            return Ok(None);
        }
    }
    let mut state = State::load(&without, source)?;
    if without.digest == captured.before.state.digest {
        state = without_conflicts(&before, payload.after(&present, source)?.as_ref(), state, (source, made))?;
    }
    if aimed.beside.is_none()
        && let Some(table) = state.read.get_mut(&aimed.table)
    {
        let mut index = table.index(source)?;
        for (key, then) in aimed.keys() {
            match then {
                Some(hash) => drop(index.0.insert(key, hash)),
                None => drop(index.0.remove(&key)),
            }
        }
        keep(table, &index, made)?;
    }
    Ok(Some(state.store(made)?))
}

/// What the plan's own step leaves, which passes over the rows in conflict.
fn without_conflicts(
    before: &State,
    after: Option<&State>,
    mut now: State,
    (source, made): (&dyn ObjectSource, &dyn ObjectSink),
) -> Result<State> {
    let as_left = after.is_none_or(|after| after.defined == now.defined);
    if before.defined.is_some() && as_left {
        (now.defined, now.definitions) = (before.defined, before.definitions.clone());
    }
    for (name, b) in &before.read {
        let a = after.and_then(|after| after.read.get(name));
        let Some(n) = now.read.get_mut(name) else { continue };
        let as_left = a.is_none_or(|a| a.there == n.there && a.digest == n.digest && a.columns == n.columns);
        if b.there != n.there || b.columns != n.columns {
            if as_left {
                *n = b.clone();
            }
            continue;
        }
        let (old, mut index) = (b.index(source)?, n.index(source)?);
        let left = a.map(|a| a.index(source)).transpose()?;
        for (key, of) in moves(b, a.zip(left.as_ref()), &old, &index).rows {
            match (of, old.0.get(&key)) {
                (Move::Insert | Move::Update, Some(hash)) => drop(index.0.insert(key, *hash)),
                _ => drop(index.0.remove(&key)),
            }
        }
        keep(n, &index, made)?;
    }
    Ok(now)
}

fn keep(table: &mut Table, index: &Index, made: &dyn ObjectSink) -> Result<()> {
    (table.index, table.digest, table.rows) = (index.store(made)?, index.digest(), Vec::new());
    table.count = index.0.len() as u64;
    Ok(())
}
