//! `fr timeline --follow`: new events as they come, oldest first, until somebody ends it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::warn_of_damage;
use crate::cli::Out;
use crate::cli::render::{
    EventView, GapView, class_of, command_cell, cut, outcome_sentence, outcome_word, safe, style, when,
};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{EffectClass, EventId, EventKind, Gap, Kept, PlaybookMode, PlaybookMoment, Promise};
use crate::platform::home::Home;
use crate::platform::interrupt::Interrupt;
use crate::platform::reader;
use crate::respond::fold::mark_of;

/// How often the journal's end is looked at: one `stat` of its last segment.
const PAUSE: Duration = Duration::from_millis(200);

/// Events that are read at once.
const PAGE: usize = 500;

/// Events whose end is waited for. An older one that never reports must not cost a look for ever.
const OPEN: usize = 1000;

/// The following of a journal.
struct Follow<'a> {
    absolute: bool,
    filter: Filter,
    home: &'a Home,
    index: Index,
    last: EventId,
    last_gap: u64,
    /// Events that have begun; true where they are shown already.
    open: BTreeMap<EventId, bool>,
    /// The session of the line above.
    session: Option<String>,
}

/// Follows until it is interrupted (130), or until nobody reads any more.
pub fn run(filter: Filter, absolute: bool, home: &Home, index: Index, out: &mut Out) -> Result<u8> {
    let interrupt = Interrupt::listen();
    let mut follow = Follow {
        absolute,
        last: index.last_event()?,
        last_gap: index.last_gap()?,
        filter,
        home,
        index,
        open: BTreeMap::new(),
        session: None,
    };
    follow.past(out)?;
    let mut looks = 0u32;
    loop {
        out.flush()?;
        if interrupt.came() {
            return Ok(ExitCode::Interrupted as u8);
        }
        if !reader::wait(PAUSE) {
            return Ok(0);
        }
        // What git itself traced is taken in by whoever looks, and dearer than a look at the journal.
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(10) {
            let _ = crate::record::traced::collect(home);
        }
        if follow.index.has_more() {
            follow.refresh()?;
            follow.ended(out)?;
            follow.begun(out)?;
            follow.gaps(out)?;
        }
    }
}

impl Follow<'_> {
    /// The latest events that there are already, oldest first.
    fn past(&mut self, out: &mut Out) -> Result<()> {
        let mut events = self.index.legible(&self.filter, |event, damage| {
            warn_of_damage(event, &damage, out);
            Ok(())
        })?;
        events.reverse();
        for event in &events {
            self.shown(event, out)?;
        }
        // A filter by failure cannot know yet what has not ended.
        Ok(())
    }

    /// Takes in what was appended. An index that was made anew meanwhile is opened again.
    fn refresh(&mut self) -> Result<()> {
        if self.index.catch_up().is_err() {
            self.index = Index::open(self.home)?;
        }
        Ok(())
    }

    fn begun(&mut self, out: &mut Out) -> Result<()> {
        loop {
            let page = Filter {
                after: Some(self.last.0),
                failed: false,
                since_ns: None,
                limit: PAGE,
                ..self.filter.clone()
            };
            let events = self.index.following(&page, |event, damage| {
                warn_of_damage(event, &damage, out);
                Ok(())
            })?;
            for event in &events {
                self.last = event.id;
                if self.filter.failed && event.failed() != Some(true) {
                    self.wait_for(event, false);
                } else {
                    self.shown(event, out)?;
                }
            }
            if events.len() < PAGE {
                // What the filter left out is not looked at again.
                self.last = self.last.max(self.index.last_event()?);
                return Ok(());
            }
        }
    }

    /// What was open, and is not any more.
    fn ended(&mut self, out: &mut Out) -> Result<()> {
        let open: Vec<EventId> = self.open.keys().copied().collect();
        for id in self.index.ended(&open)? {
            let Some(shown) = self.open.remove(&id) else { continue };
            let Some(event) = self.index.event(id)? else { continue };
            if !shown {
                if event.failed() == Some(true) {
                    self.shown(&event, out)?;
                }
            } else if out.json {
                line(&EventView::of(&event), out)?;
            } else if event.failed() != Some(false) || class_of(&event) != EffectClass::None {
                let text = format!("  event {id} {}", safe(outcome_sentence(&event).as_bytes()));
                out.line(out.paint(style::DIM, cut(&text, out.width)))?;
            }
        }
        Ok(())
    }

    fn gaps(&mut self, out: &mut Out) -> Result<()> {
        for (seq, gap) in self.index.gaps_after(self.last_gap, PAGE)? {
            self.last_gap = seq;
            match out.json {
                true => line(&GapView::of(&gap), out)?,
                false => out.line(out.paint(style::WARN, gap_text(&gap, self.absolute, out.width)))?,
            }
        }
        Ok(())
    }

    fn wait_for(&mut self, event: &Event, shown: bool) {
        if event.outcome().is_none() {
            self.open.insert(event.id, shown);
            if self.open.len() > OPEN {
                self.open.pop_first();
            }
        }
    }

    fn shown(&mut self, event: &Event, out: &mut Out) -> Result<()> {
        self.wait_for(event, true);
        if out.json {
            return line(&EventView::of(event), out);
        }
        if is_told_at_its_end(event) {
            return Ok(());
        }
        let session = &event.before.session;
        if self.session.as_ref() != Some(session) && event.before.kind == EventKind::Command {
            let head = format!(
                "{}, session {}, in {}",
                safe(event.before.actor.name.as_bytes()),
                safe(self.index.short_session(session)?.as_bytes()),
                safe(event.before.cwd.as_slice())
            );
            out.line(out.paint(style::BOLD, cut(&head, out.width)))?;
            self.session = Some(session.clone());
        }
        out.line(row(event, self.absolute, out))
    }
}

/// The beginning of a playbook's step that runs by itself: its end follows at once. One that somebody agreed to may take long.
fn is_told_at_its_end(event: &Event) -> bool {
    mark_of(event).is_some_and(|mark| {
        mark.moment == PlaybookMoment::StepBegun
            && mark.step.as_ref().is_some_and(|step| step.mode == PlaybookMode::Auto)
    })
}

/// A line of JSON.
fn line(value: &impl serde::Serialize, out: &mut Out) -> Result<()> {
    let text =
        serde_json::to_string(value).map_err(|e| Error::failure(format!("cannot render JSON: {e}")))?;
    out.line(text)
}

/// Columns of fixed width: what comes later is not known yet.
fn row(event: &Event, absolute: bool, out: &Out) -> String {
    let (class, promise, kept) = (class_of(event), event.promise(), event.kept());
    let dash = |is_none: bool, word: &'static str| if is_none { "-" } else { word };
    let cells = [
        (format!("{:<5}", event.id.0), Some(style::BOLD)),
        (moment(event.before.at_ns, absolute), Some(style::DIM)),
        (format!("{:<9}", dash(class == EffectClass::None, class.as_str())), Some(style::of_class(class))),
        (
            format!("{:<12}", dash(promise == Promise::NotApplicable, promise.as_str())),
            Some(style::of_promise(promise)),
        ),
        (format!("{:<7}", dash(kept == Kept::NotApplicable, kept.as_str())), Some(style::of_kept(kept))),
        (format!("{:<7}", outcome_word(event)), None),
    ];
    let used: usize = cells.iter().map(|(text, _)| text.chars().count() + 1).sum();
    let part = if event.before.parent.is_some() { "└ " } else { "" };
    let command =
        cut(&format!("{part}{}", command_cell(event)), out.width.map(|width| width.saturating_sub(used)));
    let mut line = String::new();
    for (text, style) in cells {
        line.push_str(&style.map_or_else(|| text.clone(), |style| out.paint(style, &text)));
        line.push(' ');
    }
    line.push_str(&command);
    line
}

fn gap_text(gap: &Gap, absolute: bool, width: Option<usize>) -> String {
    let at = moment(gap.at_ns, absolute);
    cut(&format!("gap   {at} {}", safe(gap.reason.as_bytes())), width)
}

fn moment(at_ns: i64, absolute: bool) -> String {
    if absolute { when::absolute(at_ns) } else { when::clock(at_ns) }
}
