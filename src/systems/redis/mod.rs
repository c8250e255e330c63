//! Redis and Valkey, through the user's own `redis-cli`. Keys are kept as `DUMP` gives them, with the time at which they
//! expire. `docs/systems/redis.md` says what is captured and what cannot come back.

mod apply;
pub mod assess;
mod beside;
mod capture;
mod client;
mod dump;
mod plan;
mod query;
mod state;
mod text;

use super::functions::{self, Functions};
use super::{Net, NetCx, Taken};
use crate::error::Result;
use crate::model::{Context, ContextKind, Locator, contexts as named};

/// The id, also in documents.
const ID: &str = "redis";

/// The `redis` system.
pub static REDIS: Functions = Functions {
    id: ID,
    programs: assess::PROGRAMS,
    contexts,
    assess: assess::assess,
    capture: capture::capture,
    observe: capture::observe,
    plan: plan::plan,
    net,
    waiting: None,
    apply: apply::apply,
    arrange: None,
    verify: None,
    aim: None,
    same_place: functions::by_words,
    changes: |before, after, cx| beside::changes(before, after, cx.source),
    references: state::references,
    held: functions::same_place,
    owns: functions::nothing,
    restore_to: beside::restore_to,
    restore_into: None,
};

fn contexts(locator: Option<&Locator>) -> Vec<Context> {
    let servers = locator.map(|place| query::Access::of(place).server());
    let hosts = servers.iter().filter_map(|server| Some(server.rsplit_once(':')?.0.to_owned()));
    named(ContextKind::Database, servers.clone().into_iter().chain(hosts))
}

/// Captures of the same keys are one place, whatever they held.
fn net(taken: &[Taken], cx: &NetCx<'_>, plan: functions::Plan) -> Result<Net> {
    let mut taken = taken.to_vec();
    taken.iter_mut().for_each(|one| query::note_state(&mut one.captured.before.locator, None));
    let mut net = super::net::by_place(&plan, &taken, cx)?;
    for captured in &mut net.captured {
        let state = captured.before.state.object;
        query::note_state(&mut captured.before.locator, state);
    }
    Ok(net)
}
