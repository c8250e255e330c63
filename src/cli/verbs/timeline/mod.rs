//! `fr timeline`: what happened, by session, newest first.

mod follow;
pub(in crate::cli) mod table;

use crate::cli::Out;
use crate::cli::args::TimelineArgs;
use crate::cli::render::{EventView, count, safe, style, when};
use crate::error::{Error, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{EventId, PlaybookMark};
use crate::platform::clock;
use crate::respond::fold::{Fold, first};
use crate::respond::story::{self, Gaps};

/// Runs the verb.
pub fn run(args: &TimelineArgs, out: &mut Out) -> Result<u8> {
    let filter = super::narrow::filter(&args.narrow, args.limit)?;
    let (home, index) = super::opened()?;
    if args.follow {
        return follow::run(filter, args.absolute, &home, index, out);
    }
    let fold = fold(&filter);
    let Read { events, damaged, all } = match out.json {
        true => read(&filter, &index)?,
        false => read_lines(&filter, fold, &index)?,
    };
    for (event, damage) in &damaged {
        warn_of_damage(*event, damage, out);
    }
    if out.json {
        out.json(&events.iter().map(EventView::of).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if events.is_empty() {
        out.talk("no events match");
    }
    // Where older events are left, only the gaps since the oldest that is listed belong here.
    let filter = Filter { limit: if all { usize::MAX } else { 0 }, ..filter };
    let Gaps { within, older } = gaps(&events, &filter, &index)?;
    let nothing = events.is_empty() && within.is_empty();
    let lines = match args.flat {
        true => story::by_time(&events, within, fold, &index)?,
        false => story::by_session(&events, within, fold, &index)?,
    };
    if !nothing {
        for line in table::of(&lines, args.absolute, &index, out)?.0.lines() {
            out.line(line)?;
        }
    }
    if !all {
        let more = args.limit.saturating_mul(4);
        out.talk(format!("the newest {} are shown; `-n {more}` goes further back", args.limit));
    }
    if older > 0 {
        let text =
            format!("{} in the record outside of this time; `-n` shows further back", gaps_word(older));
        out.line(out.paint(style::WARN, text))?;
    }
    Ok(0)
}

/// Who asks for the session of one run wants to see its steps.
fn fold(filter: &Filter) -> Fold {
    match filter.session.as_deref().is_some_and(|session| session.starts_with(PlaybookMark::SESSION)) {
        true => Fold::Steps,
        false => Fold::Runs,
    }
}

/// Events as they were read.
struct Read {
    /// Newest first.
    events: Vec<Event>,
    /// What could not be read, and why.
    damaged: Vec<(EventId, Error)>,
    /// There are no older ones.
    all: bool,
}

fn read(filter: &Filter, index: &Index) -> Result<Read> {
    let mut damaged = Vec::new();
    let events = index.legible(filter, |event, damage| {
        damaged.push((event, damage));
        Ok(())
    })?;
    let all = events.len() + damaged.len() < filter.limit;
    Ok(Read { events, damaged, all })
}

/// So many events that they have as many lines as are asked for: what is folded away leaves room for others.
fn read_lines(filter: &Filter, fold: Fold, index: &Index) -> Result<Read> {
    let mut limit = filter.limit;
    loop {
        let mut found = read(&Filter { limit, ..filter.clone() }, index)?;
        let shown = first(&found.events, filter.limit, fold);
        if shown.lines < filter.limit && !found.all {
            limit = limit.saturating_mul(2);
            continue;
        }
        found.all &= shown.events == found.events.len();
        found.events.truncate(shown.events);
        return Ok(found);
    }
}

fn gaps_word(n: u64) -> String {
    count(n, "gap")
}

/// One damaged frame must not hide all other events.
fn warn_of_damage(event: EventId, damage: &Error, out: &mut Out) {
    let what = safe(damage.what.as_bytes());
    out.talk(format!(
        "warning: event {event} cannot be read: {what}; `fr store verify` shows what is damaged"
    ));
}

/// The gaps of the time that is shown: all of it where all events are, else since the oldest that is listed.
pub(in crate::cli) fn gaps(events: &[Event], filter: &Filter, index: &Index) -> Result<Gaps> {
    let oldest = events.iter().map(|event| event.before.at_ns).min();
    let all = events.len() < filter.limit && (filter.is_of_all() || filter.since_ns.is_some());
    let since = if all { filter.since_ns } else { oldest.or(Some(i64::MAX)) };
    story::gaps_between(index, since, filter.until_ns)
}

/// When something was, as it is asked for.
fn moment(at_ns: i64, absolute: bool) -> String {
    if absolute { when::absolute(at_ns) } else { when::relative(at_ns, clock::now_ns()) }
}
