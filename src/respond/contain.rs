//! Containment: the order is written first, so that no hook answers "go on" any more; then processes are stopped; then all
//! of it is recorded. The release is the way back.

use std::time::Duration;

use super::halt;
use crate::error::{Error, ExitCode, Result};
use crate::journal::Durability;
use crate::model::{Actor, ActorKind, Contained, EventId, EventKind, Order, Released, Whose};
use crate::platform::{clock, home::Home};
use crate::record::own::{self, Own};
use crate::record::{self, Orders, Standing};
use crate::store::Store;

/// How long what is ended may take to put its things in order.
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Outcome<T> {
    /// Its event; `None` where it could not be recorded.
    pub event: Option<EventId>,
    /// What was done.
    #[serde(flatten)]
    pub done: T,
    /// Why it is not on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_recorded: Option<String>,
}

/// Holds somebody's commands from now on, stops the processes, and ends them where that is wanted.
///
/// # Errors
/// Where the order cannot be written: then nothing is contained.
pub fn contain(
    whose: Whose,
    reason: String,
    terminate: bool,
    actor: Actor,
    home: &Home,
) -> Result<Outcome<Contained>> {
    Store::open_or_create(home)?;
    let order =
        Order { order: record::new_uid(), since_ns: clock::now_ns(), whose, reason, by: actor.name.clone() };
    Orders::change(home, |orders| {
        orders.orders.push(Standing { order: order.clone(), stopped: Vec::new() });
        Ok(())
    })?;
    let (stopped, left) = halt::stop(&order.whose);
    if terminate {
        halt::terminate(&stopped, PATIENCE);
    } else {
        Orders::change(home, |orders| {
            let own = orders.orders.iter_mut().find(|standing| standing.order.order == order.order);
            own.into_iter().for_each(|standing| standing.stopped.clone_from(&stopped));
            Ok(())
        })?;
    }
    let done = Contained { order, stopped, terminated: terminate, left };
    let kind = EventKind::Contain { containment: done.clone() };
    let own = Own::now(kind, line_of(&done), actor);
    Ok(outcome(own::write(own, Durability::Durable, home), done))
}

/// Ends the orders that are about these; the processes that they stopped go on.
///
/// # Errors
/// Where an agent asks for it, where no such order is in force, or where the file cannot be written.
pub fn release(whose: Option<&Whose>, actor: Actor, home: &Home) -> Result<Outcome<Released>> {
    if actor.kind == ActorKind::Agent {
        return Err(Error::failure(format!("{} is an agent: only a person releases", actor.name))
            .hint("run it in a terminal of your own"));
    }
    let mut ended = Vec::new();
    Orders::change(home, |orders| {
        let (gone, stay) = std::mem::take(&mut orders.orders)
            .into_iter()
            .partition(|standing| whose.is_none_or(|whose| standing.order.whose == *whose));
        (ended, orders.orders) = (gone, stay);
        match ended.is_empty() {
            true => Err(Error::new(ExitCode::NothingToUndo, "nothing of that is contained")
                .hint("`fr contain --status` lists the orders in force")),
            false => Ok(()),
        }
    })?;
    let stopped: Vec<_> = ended.iter().flat_map(|standing| standing.stopped.clone()).collect();
    let done = Released {
        orders: ended.iter().map(|standing| standing.order.order).collect(),
        whose: ended.iter().map(|standing| standing.order.whose.words()).collect(),
        resumed: halt::resume(&stopped),
    };
    let kind = EventKind::Release { release: done.clone() };
    let own = Own::now(kind, "fr release", actor);
    Ok(outcome(own::write(own, Durability::Durable, home), done))
}

fn outcome<T>(written: Result<EventId>, done: T) -> Outcome<T> {
    match written {
        Ok(event) => Outcome { event: Some(event), done, not_recorded: None },
        Err(why) => Outcome { event: None, done, not_recorded: Some(why.to_string()) },
    }
}

fn line_of(done: &Contained) -> String {
    match &done.order.whose {
        Whose::All => "fr contain --all".to_owned(),
        Whose::Session { session } => format!("fr contain --session {session}"),
        Whose::Agent { agent } => format!("fr contain --agent {agent}"),
    }
}
