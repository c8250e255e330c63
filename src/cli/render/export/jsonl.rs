//! The record itself, a JSON object a line (`schema/timeline-line.schema.json`).

use super::{Format, Item, line};
use crate::cli::render::{EventView, GapView};
use crate::error::Result;

pub struct Jsonl;

impl Format for Jsonl {
    fn item(&mut self, item: Item<'_>) -> Result<String> {
        match item {
            Item::Event(event) => line(&EventView::of(event)),
            Item::Gap(gap) => line(&GapView::of(gap)),
        }
    }
}
