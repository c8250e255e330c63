//! The machine itself: services, scheduled jobs, kernel settings, packet filters, packages, users, devices. What a read gives
//! is kept; what nothing can bring back is said before it runs. `docs/systems/host.md` has the table.

mod apply;
mod assess;
mod hands;
mod managers;
mod place;
mod read;
mod users;

pub use managers::place as packages;

use super::functions::{self, Functions};
use super::things::{self, Things};

/// The id, also in documents.
const ID: &str = "host";

/// The `host` system.
pub static HOST: Functions = Functions {
    id: ID,
    programs: place::PROGRAMS,
    contexts: functions::nowhere,
    assess: |inv, _| place::assess(inv),
    capture: read::capture,
    observe: read::observe,
    plan: |captured, now, cx| things::plan(captured, now, cx, &hands::HostHands),
    net: |taken, cx, plan| things::net(taken, cx, &plan, &hands::HostHands),
    waiting: None,
    apply: apply::apply,
    arrange: Some(hands::arrange),
    verify: None,
    aim: None,
    same_place: functions::by_words,
    changes: |before, after, cx| {
        // A user's has the hash of a password in it.
        let shown = |name: &str, text: &[u8]| {
            let text = String::from_utf8_lossy(text).into_owned();
            if name.starts_with("user/") { text.lines().next().map(str::to_owned) } else { Some(text) }
        };
        things::changes(before, after, cx.source, &shown)
    },
    references: |kind, content| Things::references(ID, kind, content),
    held: things::held,
    owns: functions::nothing,
    restore_to: |captured, to, cx| things::restore_to(captured, to, cx, ""),
    restore_into: None,
};
