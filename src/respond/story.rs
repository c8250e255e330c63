//! The events of a while in the order in which people read them: by session, newest first, with what belongs to no session
//! (gaps of the record, a containment of everybody, a drill) at the place in time where it happened.

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::journal::index::{Event, Index, SessionSummary};
use crate::model::{EventId, EventKind, Gap, Whose};
use crate::respond::fold::{Fold, Folding, Place, is_wrong_in, mark_of};
use crate::respond::playbook::{self, RunState};

/// Gaps that are read at once; how many more there are is said.
const GAPS: usize = 200;

/// One line of the story.
#[derive(Clone, Debug)]
pub enum Line<'a> {
    /// The lines below are of this session.
    Session(Box<SessionSummary>),
    /// An event.
    Event {
        /// It.
        event: &'a Event,
        /// It stands below the line that it is a part of.
        is_part: bool,
    },
    /// A run of a playbook as it stands; what went wrong in it stands below.
    Run {
        /// The latest of its marks that is listed.
        event: &'a Event,
        /// All that is on record of it.
        state: Box<RunState>,
    },
    /// Something was not recorded as it should have been.
    Gap {
        /// What; of several the newest.
        gap: Gap,
        /// How often, with nothing in between.
        times: u64,
    },
}

/// The gaps that fall into a time, newest first, and how many older ones there are.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    /// Newest first; the same thing several times with no event in between is not put together yet.
    pub within: Vec<Gap>,
    /// Those before that time, and those that were too many to be read.
    pub older: u64,
}

/// The gaps since `since_ns` and until `until_ns`.
///
/// # Errors
/// Where the index or the journal cannot be read.
pub fn gaps_between(index: &Index, since_ns: Option<i64>, until_ns: Option<i64>) -> Result<Gaps> {
    let all = index.count_gaps()?;
    if all == 0 {
        return Ok(Gaps::default());
    }
    let read = index.gaps_since(since_ns, GAPS)?;
    let later = read.iter().filter(|gap| until_ns.is_some_and(|until| gap.at_ns > until)).count();
    let is_meant = |gap: &Gap| {
        since_ns.is_none_or(|since| gap.at_ns >= since) && until_ns.is_none_or(|until| gap.at_ns <= until)
    };
    let within: Vec<Gap> = read.into_iter().filter(is_meant).collect();
    let older = all.saturating_sub((within.len() + later) as u64);
    Ok(Gaps { within, older })
}

/// Events (newest first) by session, the session of the newest event first.
///
/// # Errors
/// Where the index cannot be read.
pub fn by_session<'a>(
    events: &'a [Event],
    gaps: Vec<Gap>,
    fold: Fold,
    index: &Index,
) -> Result<Vec<Line<'a>>> {
    let rows = nested(events, fold, index)?;
    let listed: HashMap<EventId, &str> =
        rows.iter().map(|row| (row.lead.id, row.lead.before.session.as_str())).collect();
    let mut groups: Vec<(String, Vec<Row<'a>>)> = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut free = Vec::new();
    for row in rows {
        // `fr exec` makes a session of its own for each command: a line above each would tell nothing.
        let session = session_of(row.lead, &listed).filter(|session| !session.starts_with("exec-"));
        let Some(session) = session else {
            free.push(row);
            continue;
        };
        let place = *at.entry(session.to_owned()).or_insert_with(|| {
            groups.push((session.to_owned(), Vec::new()));
            groups.len() - 1
        });
        if let Some((_, rows)) = groups.get_mut(place) {
            rows.push(row);
        }
    }
    let mut blocks = Vec::with_capacity(groups.len());
    for (session, rows) in groups {
        let head = index.session(&session)?.map(Box::new);
        blocks.push(Block { head, rows: rows.into_iter().map(Item::Row).collect() });
    }
    for row in free {
        insert(&mut blocks, Item::Row(row));
    }
    for gap in gaps {
        insert(&mut blocks, Item::Gap(gap));
    }
    Ok(lines(blocks))
}

/// Events (newest first) as they came, whosever they are.
///
/// # Errors
/// Where the index cannot be read.
pub fn by_time<'a>(events: &'a [Event], gaps: Vec<Gap>, fold: Fold, index: &Index) -> Result<Vec<Line<'a>>> {
    let rows = nested(events, fold, index)?.into_iter().map(Item::Row).collect();
    let mut blocks = vec![Block { head: None, rows }];
    for gap in gaps {
        insert(&mut blocks, Item::Gap(gap));
    }
    Ok(lines(blocks))
}

/// An event with those of its parts that are listed, too.
struct Row<'a> {
    lead: &'a Event,
    parts: Vec<&'a Event>,
    /// It stands for the whole run of a playbook.
    run: Option<Box<RunState>>,
}

enum Item<'a> {
    Row(Row<'a>),
    Gap(Gap),
}

impl Item<'_> {
    /// True where it came before. Events are in the order of the journal; of gaps only the time is known.
    fn is_before(&self, other: &Item<'_>) -> bool {
        match (self, other) {
            (Item::Row(one), Item::Row(other)) => one.lead.id < other.lead.id,
            (one, other) => one.at_ns() < other.at_ns(),
        }
    }

    fn at_ns(&self) -> i64 {
        match self {
            Item::Row(row) => row.lead.before.at_ns,
            Item::Gap(gap) => gap.at_ns,
        }
    }
}

/// What stands together: a session, or what belongs to none.
struct Block<'a> {
    head: Option<Box<SessionSummary>>,
    /// Newest first.
    rows: Vec<Item<'a>>,
}

/// Parts stand below their line, in the order in which they ran; one whose line is not in the list stands alone. Of a run of
/// a playbook its latest mark stands for all of it, with what went wrong as its parts.
fn nested<'a>(events: &'a [Event], fold: Fold, index: &Index) -> Result<Vec<Row<'a>>> {
    let listed: HashSet<EventId> = events.iter().map(|event| event.id).collect();
    let is_part = |event: &Event| event.before.parent.is_some_and(|line| listed.contains(&line));
    let mut folding = Folding::new(fold);
    let mut rows = Vec::new();
    for event in events.iter().filter(|event| !is_part(event)) {
        match (folding.place(event), mark_of(event)) {
            (Place::Leads, Some(mark)) => {
                let state = playbook::run_of(index, mark.run)?.map(Box::new);
                let parts = events.iter().rev().filter(|other| is_wrong_in(other, mark.run)).collect();
                rows.push(Row { lead: event, parts, run: state });
            }
            (Place::Stands | Place::Leads, _) => {
                rows.push(Row { lead: event, parts: parts(event, &listed), run: None });
            }
            (Place::Below | Place::Folded, _) => {}
        }
    }
    Ok(rows)
}

fn parts<'a>(lead: &'a Event, listed: &HashSet<EventId>) -> Vec<&'a Event> {
    lead.parts.iter().filter(|part| listed.contains(&part.id)).collect()
}

/// The session in whose story an event is told; `None` where it is nobody's. An undo belongs to what it takes back, where
/// that is listed; a containment of one session to that one.
fn session_of<'a>(event: &'a Event, listed: &HashMap<EventId, &'a str>) -> Option<&'a str> {
    match &event.before.kind {
        EventKind::Undo(reversal) | EventKind::Redo(reversal) => {
            reversal.of.first().and_then(|of| listed.get(of).copied())
        }
        EventKind::Contain { containment } => match &containment.order.whose {
            Whose::Session { session } => Some(session),
            Whose::All | Whose::Agent { .. } => None,
        },
        EventKind::Alarm { alarm } => Some(&alarm.of),
        EventKind::Restore { of, .. } => listed.get(of).copied(),
        EventKind::Command => Some(&event.before.session),
        _ => None,
    }
}

/// Puts what belongs to no session where it happened: into the first session that was at work then, else between two.
fn insert<'a>(blocks: &mut Vec<Block<'a>>, item: Item<'a>) {
    let spans = |block: &Block<'_>| {
        let newest = block.rows.first().is_some_and(|newest| item.is_before(newest));
        newest && block.rows.last().is_some_and(|oldest| oldest.is_before(&item))
    };
    if let Some(block) = blocks.iter_mut().find(|block| spans(block)) {
        let place = block.rows.iter().take_while(|row| item.is_before(row)).count();
        block.rows.insert(place, item);
        return;
    }
    let is_older = |block: &Block<'_>| block.rows.first().is_some_and(|newest| !item.is_before(newest));
    let place = blocks.iter().position(is_older).unwrap_or(blocks.len());
    blocks.insert(place, Block { head: None, rows: vec![item] });
}

fn lines(blocks: Vec<Block<'_>>) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for block in blocks {
        lines.extend(block.head.map(Line::Session));
        for item in block.rows {
            match item {
                Item::Row(row) => {
                    lines.push(match row.run {
                        Some(state) => Line::Run { event: row.lead, state },
                        None => Line::Event { event: row.lead, is_part: false },
                    });
                    lines.extend(row.parts.into_iter().map(|event| Line::Event { event, is_part: true }));
                }
                Item::Gap(gap) => match lines.last_mut() {
                    Some(Line::Gap { gap: last, times }) if last.reason == gap.reason => *times += 1,
                    _ => lines.push(Line::Gap { gap, times: 1 }),
                },
            }
        }
    }
    lines
}
