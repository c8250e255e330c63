//! An asciicast (docs.asciinema.org/manual/asciicast/v2): what was run, when, and how it ended, as a terminal would have shown
//! it. What commands printed is not on record. Escapes in commands are shown and do not act: all but our own is made safe.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Format, Item, line};
use crate::cli::render::{class_of, command_cell, outcome_sentence, safe, style};
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::EventKind;

const WIDTH: u32 = 120;
const HEIGHT: u32 = 36;
/// Longer pauses are cut by the player, seconds.
const IDLE: u32 = 2;

#[derive(Default)]
pub struct Asciicast {
    /// The time of the first item; nothing was written yet where there is none.
    start_ns: Option<i64>,
    /// How far the recording is.
    now_ns: i64,
    /// Ends that have not come yet, by their time and event.
    ends: BTreeMap<(i64, u64), String>,
    session: Option<String>,
}

impl Format for Asciicast {
    fn item(&mut self, item: Item<'_>) -> Result<String> {
        let at = item.at_ns();
        let mut text = match self.start_ns {
            Some(_) => String::new(),
            None => self.header(at)?,
        };
        text.push_str(&self.ended(at)?);
        match item {
            Item::Event(event) => text.push_str(&self.event(event)?),
            Item::Gap(gap) => {
                let shown =
                    format!("{}gap: {}{:#}\r\n", style::WARN, safe(gap.reason.as_bytes()), style::WARN);
                text.push_str(&self.frame(at, "o", &shown)?);
                text.push_str(&self.frame(at, "m", &format!("gap: {}", safe(gap.reason.as_bytes())))?);
            }
        }
        Ok(text)
    }

    fn end(&mut self) -> Result<String> {
        let header = if self.start_ns.is_none() { self.header(0)? } else { String::new() };
        Ok(header + &self.ended(i64::MAX)?)
    }
}

impl Asciicast {
    fn header(&mut self, at_ns: i64) -> Result<String> {
        (self.start_ns, self.now_ns) = (Some(at_ns), at_ns);
        line(&json!({
            "version": 2, "width": WIDTH, "height": HEIGHT, "timestamp": at_ns / 1_000_000_000,
            "idle_time_limit": IDLE, "title": "fr: what was run, and how it ended",
            "env": {"TERM": "xterm-256color"},
        }))
    }

    /// One line of the recording. Its clock never goes back, whatever that of the machine did.
    fn frame(&mut self, at_ns: i64, code: &str, data: &str) -> Result<String> {
        self.now_ns = self.now_ns.max(at_ns);
        let since = self.now_ns.saturating_sub(self.start_ns.unwrap_or(self.now_ns));
        // Microseconds are enough for a player.
        let seconds = (since / 1000) as f64 / 1e6;
        line(&json!([seconds, code, data]))
    }

    fn event(&mut self, event: &Event) -> Result<String> {
        let before = &event.before;
        let mut text = String::new();
        if self.session.as_ref() != Some(&before.session) && before.kind == EventKind::Command {
            let head = format!(
                "\r\n{}# {}, session {}{:#}\r\n",
                style::DIM,
                safe(before.actor.name.as_bytes()),
                safe(before.session.as_bytes()),
                style::DIM
            );
            text.push_str(&self.frame(before.at_ns, "o", &head)?);
            self.session = Some(before.session.clone());
        }
        let class = class_of(event);
        let shown = match before.kind {
            EventKind::Command => {
                let (place, mark) = (safe(before.cwd.as_slice()), style::BOLD);
                let line = safe(before.command.line.as_slice());
                format!("{mark}{place}${mark:#} {line}\r\n")
            }
            _ => format!("{}# {}{:#}\r\n", style::WARN, command_cell(event), style::WARN),
        };
        text.push_str(&self.frame(before.at_ns, "o", &shown)?);
        if class.is_destructive() || before.kind != EventKind::Command {
            let label = format!("{} {}: {}", event.id, class, command_cell(event));
            text.push_str(&self.frame(before.at_ns, "m", &label)?);
        }
        let mark = style::of_class(class);
        let told = format!(
            "{mark}# event {}: {class}, {}, kept: {}{mark:#}\r\n",
            event.id,
            outcome_sentence(event),
            event.kept().as_str()
        );
        let end = event.after.as_ref().map_or(before.at_ns, |after| after.at_ns.max(before.at_ns));
        self.ends.insert((end, event.id.0), told);
        Ok(text)
    }

    /// The ends that came until then.
    fn ended(&mut self, until_ns: i64) -> Result<String> {
        let mut text = String::new();
        while let Some(entry) = self.ends.first_entry() {
            let (at, _) = *entry.key();
            if at > until_ns {
                break;
            }
            let told = entry.remove();
            text.push_str(&self.frame(at, "o", &told)?);
        }
        Ok(text)
    }
}
