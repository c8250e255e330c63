//! What the lines of the log come to: the calls that somebody may still ask for.

use std::collections::BTreeMap;

use super::line::{self, Id, Kind, Place, Tag, Written};
use super::{FORGOTTEN, OpenEvent, Report};

/// A call that was claimed.
pub struct Waiting<'a> {
    /// What tells it from all others.
    pub id: Id,
    /// Where its ending looks for it.
    pub place: Place,
    /// The digest of its key.
    pub key: Tag,
    /// When a line last said something of it that is new.
    pub touched_ns: i64,
    /// The event that it is a part of.
    pub part_of: Tag,
    /// The channels that have reported it, its own first, and whether each has reported its end.
    pub channels: Vec<(&'a [u8], bool)>,
    /// The record says that nobody told how it ended.
    pub closed: bool,
    claim: &'a [u8],
    open: Option<&'a [u8]>,
    gone: bool,
    /// Its lines, as the log has them.
    lines: Vec<Written<'a>>,
}

impl<'a> Waiting<'a> {
    fn claimed(line: Written<'a>, channel: &'a [u8]) -> Waiting<'a> {
        Waiting {
            id: *line.id(),
            place: *line.place(),
            key: *line.tag(),
            touched_ns: line.at_ns(),
            part_of: line::NONE,
            channels: vec![(channel, false)],
            closed: false,
            claim: line.body,
            open: None,
            gone: false,
            lines: Vec::new(),
        }
    }

    /// How it was reported.
    pub fn report(&self) -> Option<Report> {
        let mut report = match self.open {
            Some(_) => self.event()?.report,
            None => serde_json::from_slice(after_channel(self.claim)?).ok()?,
        };
        report.closed |= self.closed;
        Some(report)
    }

    /// Its event, where it is on record.
    pub fn event(&self) -> Option<OpenEvent> {
        let mut open: OpenEvent = serde_json::from_slice(self.open?).ok()?;
        open.report.closed |= self.closed;
        Some(open)
    }

    /// Whether it is on record.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether some channel has told its end.
    pub fn is_done(&self) -> bool {
        self.channels.iter().any(|(_, told)| *told)
    }

    fn is_alive(&self) -> bool {
        !self.gone && self.channels.iter().any(|(_, told)| !told)
    }

    fn is_forgotten(&self, now_ns: i64) -> bool {
        i128::from(now_ns) - i128::from(self.touched_ns) > FORGOTTEN.as_nanos().cast_signed()
    }
}

/// The body of a claim: the channel, a space, the report.
pub fn claim_body(channel: &str, report: &[u8]) -> Vec<u8> {
    [channel.as_bytes(), b" ", report].concat()
}

/// The channel that made a claim. Channels are words of our own (`AGENTS`).
pub fn channel_of(claim: &[u8]) -> &[u8] {
    claim.split(|byte| *byte == b' ').next().unwrap_or_default()
}

fn after_channel(claim: &[u8]) -> Option<&[u8]> {
    claim.get(channel_of(claim).len() + 1..)
}

/// All calls of a log, in the order in which they were claimed.
pub struct Table<'a> {
    calls: Vec<Waiting<'a>>,
    /// How many calls the whole log has, and how many endings.
    claims: usize,
    ends: usize,
}

impl<'a> Table<'a> {
    /// Reads all of a log.
    pub fn of(text: &'a [u8]) -> Table<'a> {
        Table::of_some(text, &|_| true)
    }

    /// Reads what a log says of the calls whose claims are `wanted`.
    pub fn of_some(text: &'a [u8], wanted: &dyn Fn(&Written<'_>) -> bool) -> Table<'a> {
        let mut calls: Vec<Waiting<'a>> = Vec::new();
        let mut by_id: BTreeMap<&Id, usize> = BTreeMap::new();
        let (mut claims, mut ends) = (0, 0);
        for line in line::lines(text) {
            claims += usize::from(line.kind == Kind::Claim);
            ends += usize::from(matches!(line.kind, Kind::Gone | Kind::Told));
            if line.kind == Kind::Claim && wanted(&line) {
                by_id.insert(line.id(), calls.len());
                calls.push(Waiting::claimed(line, channel_of(line.body)));
            }
            let Some(call) = by_id.get(line.id()).and_then(|at| calls.get_mut(*at)) else { continue };
            call.tell(&line);
            call.lines.push(line);
        }
        Table { calls, claims, ends }
    }

    /// The calls that somebody may still ask for, the oldest first.
    pub fn living(&self) -> impl DoubleEndedIterator<Item = &Waiting<'a>> {
        self.calls.iter().filter(|call| call.is_alive())
    }

    /// The call of a place that is on record and whose ending has not been told.
    pub fn open_at(&self, place: &Place) -> Option<&Waiting<'a>> {
        self.living().rev().find(|call| call.place == *place && call.is_open())
    }

    /// Whether the log may be made small when one more call has ended: none, or few, of it are left. A guess without
    /// looking at each.
    pub fn may_be_past(&self) -> bool {
        self.ends + 1 >= self.claims || self.ends > self.claims / 2
    }

    /// How many bytes of the log are about what is alive, nearly.
    pub fn living_bytes(&self) -> usize {
        self.living().flat_map(|call| &call.lines).map(|line| line.body.len() + line::HEAD).sum()
    }

    /// The lines of what is alive, at most `most` bytes of them: the latest.
    pub fn lines_of_living(&self, now_ns: i64, most: usize) -> Vec<u8> {
        let mut size = 0;
        let living = self.living().rev().filter(|call| !call.is_forgotten(now_ns));
        let texts = living.map(|call| call.lines.iter().flat_map(Written::encode).collect::<Vec<u8>>());
        let mut kept: Vec<Vec<u8>> = texts
            .take_while(|text| {
                size += text.len();
                size <= most
            })
            .collect();
        kept.reverse();
        kept.concat()
    }
}

impl<'a> Waiting<'a> {
    fn tell(&mut self, line: &Written<'a>) {
        match line.kind {
            Kind::Claim => {}
            Kind::Open => {
                (self.open, self.part_of) = (Some(line.body), *line.tag());
                self.touched_ns = line.at_ns();
            }
            Kind::Mark if self.channels.iter().all(|(channel, _)| *channel != line.body) => {
                self.channels.push((line.body, false));
            }
            Kind::Mark => {}
            Kind::Told => {
                let told = self.channels.iter_mut().find(|(channel, _)| *channel == line.body);
                if let Some((_, told)) = told {
                    *told = true;
                }
            }
            Kind::Closed => self.closed = true,
            Kind::Gone => self.gone = true,
        }
    }
}
