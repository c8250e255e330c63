//! The list: a window on the newest events, which grows as somebody walks down.

use ratatui::text::Line;

use super::ansi;
use crate::cli::Out;
use crate::cli::verbs::timeline::{gaps, table};
use crate::error::Result;
use crate::journal::index::{Event, Filter, Index};
use crate::model::EventId;
use crate::respond::fold::Fold;
use crate::respond::story::{self, Gaps};

/// Events that are loaded at once.
const PAGE: usize = 200;

/// More than this are never in memory: whoever needs older ones narrows the list.
const MOST: usize = 5000;

/// A row, and the event that it is of.
pub struct Row {
    pub event: Option<EventId>,
    pub line: Line<'static>,
}

/// The events that are loaded, as rows.
pub struct List {
    /// What it is narrowed to.
    pub filter: Filter,
    pub heading: Line<'static>,
    pub rows: Vec<Row>,
    events: Vec<Event>,
    want: usize,
    /// There are no older ones.
    all: bool,
    /// Events that could not be read.
    pub damaged: usize,
    /// The row that is chosen.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
}

impl List {
    /// The newest events.
    pub fn new(filter: Filter) -> List {
        List {
            filter,
            heading: Line::default(),
            rows: Vec::new(),
            events: Vec::new(),
            want: PAGE,
            all: false,
            damaged: 0,
            cursor: 0,
            top: 0,
        }
    }

    /// Another filter; back to the newest.
    pub fn narrow(&mut self, filter: Filter) {
        *self = List { cursor: self.cursor, ..List::new(filter) };
    }

    /// Reads what is to be seen anew; the event that was chosen stays chosen.
    pub fn load(&mut self, index: &Index, look: (bool, u16)) -> Result<()> {
        let mut damaged = 0;
        let filter = Filter { limit: self.want, ..self.filter.clone() };
        let events = index.legible(&filter, |_, _| {
            damaged += 1;
            Ok(())
        })?;
        self.all = events.len() + damaged < self.want;
        (self.events, self.damaged) = (events, damaged);
        self.write(index, look)
    }

    /// Writes the rows anew: for another width, or because time has passed.
    pub fn write(&mut self, index: &Index, (color, width): (bool, u16)) -> Result<()> {
        let chosen = self.chosen();
        let filter = Filter { limit: self.want, ..self.filter.clone() };
        let Gaps { within, .. } = gaps(&self.events, &filter, index)?;
        let told = story::by_session(&self.events, within, Fold::Steps, index)?;
        let out = Out::text(color, Some(usize::from(width)));
        let (table, ids) = table::of(&told, false, index, &out)?;
        let mut lines = table.lines().into_iter().map(|line| ansi::line(&line));
        self.heading = lines.next().unwrap_or_default();
        self.rows = ids.into_iter().zip(lines).map(|(event, line)| Row { event, line }).collect();
        let same = self.rows.iter().position(|row| row.event.is_some() && row.event == chosen);
        self.cursor = same.unwrap_or_else(|| self.at_or_after(self.cursor));
        Ok(())
    }

    /// How many events are loaded, and whether these are all.
    pub fn count(&self) -> (usize, bool) {
        (self.events.len(), self.all)
    }

    /// True where older ones are there and are not loaded any more.
    pub fn is_full(&self) -> bool {
        !self.all && self.want >= MOST
    }

    /// The event that is chosen.
    pub fn chosen(&self) -> Option<EventId> {
        self.rows.get(self.cursor).and_then(|row| row.event)
    }

    /// The same with all that is known of it.
    pub fn chosen_event(&self) -> Option<&Event> {
        let id = self.chosen()?;
        let parts = self.events.iter().flat_map(|event| &event.parts);
        self.events.iter().chain(parts).find(|event| event.id == id)
    }

    /// The nearest row with an event: this one, one below, one above.
    fn at_or_after(&self, row: usize) -> usize {
        let is_event = |at: &usize| self.rows.get(*at).is_some_and(|row| row.event.is_some());
        (row..self.rows.len())
            .find(is_event)
            .or_else(|| (0..row.min(self.rows.len())).rev().find(is_event))
            .unwrap_or(0)
    }

    /// Chooses another event, so many further down; true where more should be loaded.
    pub fn step(&mut self, by: isize) -> bool {
        let down = by > 0;
        for _ in 0..by.unsigned_abs() {
            let next = if down {
                (self.cursor + 1..self.rows.len()).find(|at| self.is_event(*at))
            } else {
                (0..self.cursor).rev().find(|at| self.is_event(*at))
            };
            match next {
                Some(next) => self.cursor = next,
                None => {
                    // What stands above the first event is to be seen, too.
                    self.top = if down { self.top } else { 0 };
                    break;
                }
            }
        }
        self.wants_more()
    }

    /// The newest.
    pub fn first(&mut self) {
        (self.cursor, self.top) = (self.at_or_after(0), 0);
    }

    /// The oldest that is loaded; true where more should be loaded.
    pub fn last(&mut self) -> bool {
        self.cursor = (0..self.rows.len()).rev().find(|at| self.is_event(*at)).unwrap_or(0);
        self.wants_more()
    }

    fn is_event(&self, at: usize) -> bool {
        self.rows.get(at).is_some_and(|row| row.event.is_some())
    }

    fn wants_more(&mut self) -> bool {
        let near = self.cursor + 30 > self.rows.len();
        if near && !self.all && self.want < MOST {
            self.want += PAGE;
            return true;
        }
        false
    }

    /// Makes the chosen row one of `room` rows that are seen.
    pub fn follow(&mut self, room: usize) {
        let room = room.max(1);
        self.top = self.top.min(self.cursor);
        if self.cursor >= self.top + room {
            self.top = self.cursor + 1 - room;
        }
        // The line of the session above the first event.
        if self.top > 0
            && self.top == self.cursor
            && self.rows.get(self.top - 1).is_some_and(|row| row.event.is_none())
        {
            self.top -= usize::from(room > 1);
        }
    }
}
