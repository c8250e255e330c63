//! A text that is longer than the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::ansi;

/// A text, and how far it is scrolled.
#[derive(Default)]
pub struct Pane {
    lines: Vec<Line<'static>>,
    top: usize,
    /// What the last drawing found: rows of the text as it was wrapped, rows of the place.
    rows: usize,
    room: usize,
}

impl Pane {
    /// A text as another verb prints it.
    pub fn of(text: &str) -> Pane {
        Pane { lines: ansi::lines(text), ..Pane::default() }
    }

    /// Scrolls by so many rows.
    pub fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(self.last());
    }

    /// Scrolls by a screen less one row.
    pub fn page(&mut self, down: bool) {
        let rows = self.room.saturating_sub(1).max(1).cast_signed();
        self.scroll(if down { rows } else { -rows });
    }

    /// To the first row.
    pub fn first(&mut self) {
        self.top = 0;
    }

    /// To the last row.
    pub fn end(&mut self) {
        self.top = self.last();
    }

    fn last(&self) -> usize {
        self.rows.saturating_sub(self.room)
    }

    /// Whether all of it has been below the eyes.
    pub fn more(&self) -> usize {
        self.rows.saturating_sub(self.top + self.room)
    }

    /// Draws the part that is to be seen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let width = usize::from(area.width);
        let rows: Vec<Line<'static>> =
            self.lines.iter().flat_map(|line| ansi::wrapped(line, width)).collect();
        (self.rows, self.room) = (rows.len(), usize::from(area.height));
        self.top = self.top.min(self.last());
        let seen: Vec<Line<'static>> = rows.into_iter().skip(self.top).take(self.room).collect();
        frame.render_widget(Paragraph::new(seen), area);
    }
}
