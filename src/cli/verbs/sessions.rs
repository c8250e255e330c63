//! `fr sessions`: who worked when, newest first.

use crate::cli::Out;
use crate::cli::args::SessionsArgs;
use crate::cli::render::{Table, safe, style, when};
use crate::error::Result;
use crate::platform::clock;

/// Runs the verb.
pub fn run(args: &SessionsArgs, out: &mut Out) -> Result<u8> {
    let (_, index) = super::opened()?;
    let mut sessions = index.sessions()?;
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
    Ok(0)
}
