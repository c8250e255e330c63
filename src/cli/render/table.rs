//! Aligned tables without lines: they survive narrow terminals, pipes and pasting into an incident chat.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

/// One cell: text that is safe for a terminal, and its style.
struct Cell {
    text: String,
    style: Option<Style>,
}

/// A row: cells, or one text over all columns.
enum Row {
    Cells(Vec<Cell>),
    Text(Cell),
}

/// A table. The last column is cut to the terminal's width, if there is one.
pub struct Table {
    rows: Vec<Row>,
    color: bool,
    width: Option<usize>,
}

const GAP: usize = 2;

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str], color: bool, width: Option<usize>) -> Table {
        let head =
            headings.iter().map(|h| Cell { text: (*h).to_owned(), style: Some(super::style::DIM) }).collect();
        Table { rows: vec![Row::Cells(head)], color, width }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<(String, Option<Style>)>) {
        self.rows.push(Row::Cells(cells.into_iter().map(|(text, style)| Cell { text, style }).collect()));
    }

    /// Adds a text over all columns, cut like the last of them.
    pub fn text(&mut self, text: String, style: Option<Style>) {
        self.rows.push(Row::Text(Cell { text, style }));
    }

    /// Takes a column out in which nothing stands.
    #[must_use]
    pub fn without_empty(mut self, column: usize) -> Table {
        let is_empty = |cells: &Vec<Cell>| cells.get(column).is_none_or(|cell| cell.text.is_empty());
        if self.cells().skip(1).all(is_empty) {
            for row in &mut self.rows {
                if let Row::Cells(cells) = row
                    && column < cells.len()
                {
                    cells.remove(column);
                }
            }
        }
        self
    }

    fn cells(&self) -> impl Iterator<Item = &Vec<Cell>> {
        self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells),
            Row::Text(_) => None,
        })
    }

    /// The lines, without trailing blanks.
    pub fn lines(&self) -> Vec<String> {
        let columns = self.cells().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| self.cells().filter_map(|r| r.get(i)).map(|c| c.text.width()).max().unwrap_or(0))
            .collect();
        let line = |row: &Row| match row {
            Row::Cells(cells) => self.render(cells, &widths),
            Row::Text(cell) => self.render(std::slice::from_ref(cell), &widths),
        };
        self.rows.iter().map(line).collect()
    }

    fn render(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        let mut used = 0;
        for (i, cell) in row.iter().enumerate() {
            let last = i + 1 == row.len();
            let room = self.width.map(|w| w.saturating_sub(used));
            let text = if last { cut(&cell.text, room) } else { cell.text.clone() };
            let shown = text.width();
            match cell.style {
                Some(style) if self.color && !text.is_empty() => {
                    line.push_str(&format!("{style}{text}{style:#}"))
                }
                _ => line.push_str(&text),
            }
            if !last {
                let pad = widths.get(i).copied().unwrap_or(0).saturating_sub(shown) + GAP;
                line.extend(std::iter::repeat_n(' ', pad));
                used += shown + pad;
            }
        }
        line.trim_end().to_owned()
    }
}

/// The text cut to `room` columns with an ellipsis.
pub fn cut(text: &str, room: Option<usize>) -> String {
    let Some(room) = room.map(|r| r.max(8)) else { return text.to_owned() };
    if text.width() <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + 2 > room {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_last_is_cut() {
        let mut table = Table::new(&["ID", "COMMAND"], false, Some(20));
        table.row(vec![("7".into(), None), ("rm -rf build dist node_modules".into(), None)]);
        table.row(vec![("1234".into(), None), ("ls".into(), None)]);
        assert_eq!(table.lines(), ["ID    COMMAND", "7     rm -rf build …", "1234  ls"]);
    }

    #[test]
    fn a_text_goes_over_all_columns_and_an_empty_column_goes() {
        let mut table = Table::new(&["ID", "WHO", "COMMAND"], false, None);
        table.text("a session with a long name".into(), None);
        table.row(vec![("7".into(), None), (String::new(), None), ("ls".into(), None)]);
        assert_eq!(table.without_empty(1).lines(), ["ID  COMMAND", "a session with a long name", "7   ls"]);
    }

    #[test]
    fn nothing_is_cut_without_a_terminal() {
        let mut table = Table::new(&["A"], false, None);
        table.row(vec![("x".repeat(500), None)]);
        assert_eq!(table.lines()[1].len(), 500);
    }
}
