//! `fr sessions`: who worked when, newest first. What `fr` itself did, each undo a process of its own, is no session of work.

use crate::cli::Out;
use crate::cli::args::SessionsArgs;
use crate::cli::render::{Table, safe, style, when};
use crate::error::Result;
use crate::journal::index::SessionSummary;
use crate::platform::clock;

/// Runs the verb.
pub fn run(args: &SessionsArgs, out: &mut Out) -> Result<u8> {
    let (_, index) = super::opened()?;
    // Who looks for the session of the damage does not look for the undos of it.
    let (own, mut sessions): (Vec<_>, Vec<_>) =
        index.sessions()?.into_iter().partition(SessionSummary::is_own);
    sessions.truncate(args.limit);
    if out.json {
        out.json(&sessions)?;
        return Ok(0);
    }
    let now = clock::now_ns();
    let mut table =
        Table::new(&["SESSION", "WHO", "BEGAN", "LAST", "EVENTS", "DESTRUCTIVE"], out.color, out.width);
    for s in &sessions {
        let alarm = (s.destructive > 0).then_some(style::ERROR);
        table.row(vec![
            (safe(s.session.as_bytes()), Some(style::BOLD)),
            (safe(format!("{} {}", s.actor_kind, s.actor).as_bytes()), None),
            (when::relative(s.first_ns, now), Some(style::DIM)),
            (when::relative(s.last_ns, now), Some(style::DIM)),
            (s.events.to_string(), None),
            (s.destructive.to_string(), alarm),
        ]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    let events: u64 = own.iter().map(|session| session.events).sum();
    if events > 0 {
        let what = if events == 1 { "1 event" } else { &format!("{events} events") };
        out.talk(format!(
            "beside them {what} of fr itself (undo, restore, drill, incident): `fr timeline` has them"
        ));
    }
    Ok(0)
}
