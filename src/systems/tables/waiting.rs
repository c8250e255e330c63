//! Which events on databases cannot be compared before newer ones of the same set are taken back: what was done in a database
//! that was dropped since, and what shares its tables with a command of which nobody told how it ended.

use super::State;
use super::composed::{Event, is_one_server};
use crate::error::Result;
use crate::model::{EventId, ObjectSource};
use crate::systems::Taken;

/// The first of these, newest first, that waits; `None` where all can be planned at once.
///
/// # Errors
/// Where a state cannot be read.
pub fn waiting(taken: &[Taken], source: &dyn ObjectSource) -> Result<Option<EventId>> {
    let mut newer: Vec<Event> = Vec::new();
    for one in taken {
        let before = State::load(&one.captured.before.state, source)?;
        let after = one.captured.after.map(|after| State::load(&after, source)).transpose()?;
        let event = Event { taken: one.clone(), before, after };
        let others = newer.iter().filter(|other| other.taken.event != one.event);
        if others.into_iter().any(|other| is_in_the_way(other, &event)) {
            return Ok(Some(one.event));
        }
        newer.push(event);
    }
    Ok(None)
}

fn is_in_the_way(newer: &Event, older: &Event) -> bool {
    let (a, b) = (&newer.before, &older.before);
    (is_one_server(a, b) && (is_around(a, b) || is_around(b, a)))
        || (is_untold(newer, older) && newer.is_beside(older) && share_tables(a, b))
}

/// One made or dropped a database that the other has to do with. A file of SQLite is one as well: there the file decides.
fn is_around(whole: &State, other: &State) -> bool {
    let is_inside = |name: &str| {
        let is_of_it = other.server.get("database").is_some_and(|own| own == name);
        is_of_it && (other.defined.is_some() || !other.read.is_empty() || !other.sequences.is_empty())
    };
    whole.system != "sqlite"
        && whole.databases.keys().any(|name| other.databases.contains_key(name) || is_inside(name))
}

/// Of one of them nobody told what it left.
fn is_untold(a: &Event, b: &Event) -> bool {
    a.after.is_none() || b.after.is_none()
}

fn share_tables(a: &State, b: &State) -> bool {
    a.read.keys().any(|name| b.read.contains_key(name)) || (a.defined.is_some() && b.defined.is_some())
}
