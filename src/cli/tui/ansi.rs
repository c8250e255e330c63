//! What the other verbs print, as what ratatui draws. The only escapes in it are the colours of our own styles: all that is
//! recorded was made safe before.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

/// The lines of a text with our own colours in it.
pub fn lines(text: &str) -> Vec<Line<'static>> {
    text.lines().map(line).collect()
}

/// One of them.
pub fn line(text: &str) -> Line<'static> {
    let mut spans = Vec::new();
    let mut style = Style::new();
    let mut parts = text.split("\x1b[");
    if let Some(first) = parts.next().filter(|first| !first.is_empty()) {
        spans.push(Span::raw(visible(first)));
    }
    for part in parts {
        let (codes, rest) = part.split_once('m').unwrap_or(("", part));
        style = codes.split(';').fold(style, painted);
        if !rest.is_empty() {
            spans.push(Span::styled(visible(rest), style));
        }
    }
    Line::from(spans)
}

/// Nothing that a terminal would obey, whoever forgot to make it safe.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn painted(style: Style, code: &str) -> Style {
    const COLORS: [Color; 8] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
    ];
    match code.parse::<usize>() {
        Ok(0) | Err(_) => Style::new(),
        Ok(1) => style.add_modifier(Modifier::BOLD),
        Ok(2) => style.add_modifier(Modifier::DIM),
        Ok(code @ 30..=37) => COLORS.get(code - 30).map_or(style, |color| style.fg(*color)),
        Ok(_) => style,
    }
}

/// A line in pieces that are no wider than `width`, cut between words where there are any; what follows is indented.
pub fn wrapped(line: &Line<'static>, width: usize) -> Vec<Line<'static>> {
    const INDENT: usize = 6;
    if line.width() <= width || width == 0 {
        return vec![line.clone()];
    }
    let indent = if width > 4 * INDENT { INDENT } else { 0 };
    let mut rest: Vec<(char, Style)> =
        line.spans.iter().flat_map(|span| span.content.chars().map(|c| (c, span.style))).collect();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let before = if pieces.is_empty() { 0 } else { indent };
        let tail = rest.split_off(fitting(&rest, width - before));
        let mut spans = joined(&rest);
        if before > 0 {
            spans.insert(0, Span::raw(" ".repeat(before)));
        }
        pieces.push(Line::from(spans));
        rest = tail;
    }
    pieces
}

/// How many characters go into a row: up to the last blank of its second half, else all that fit; at least one.
fn fitting(text: &[(char, Style)], width: usize) -> usize {
    let mut used = 0;
    let fits = text.iter().take_while(|(c, _)| {
        used += c.width().unwrap_or(0);
        used <= width
    });
    let fits = fits.count().max(1);
    if fits == text.len() {
        return fits;
    }
    let blank = text.iter().take(fits).rposition(|(c, _)| *c == ' ').filter(|at| *at > fits / 2);
    blank.map_or(fits, |at| at + 1)
}

fn joined(text: &[(char, Style)]) -> Vec<Span<'static>> {
    let same = |one: &(char, Style), other: &(char, Style)| one.1 == other.1;
    let span = |run: &[(char, Style)]| {
        let text: String = run.iter().map(|(c, _)| c).collect();
        Span::styled(text, run.first().map(|(_, style)| *style).unwrap_or_default())
    };
    text.chunk_by(same).map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &Line<'_>) -> String {
        line.spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn our_colours_are_kept_and_nothing_else_acts() {
        let drawn = line("a \x1b[1m\x1b[31mred\x1b[0m b\x07");
        assert_eq!(text(&drawn), "a red b\u{fffd}");
        assert_eq!(drawn.spans[1].style, Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        assert!(text(&line("x\x1b]0;title\x07y")).chars().all(|c| !c.is_control()));
    }

    #[test]
    fn nothing_of_a_long_line_is_lost() {
        let long = line(&format!("{} 日本日本日本", "word ".repeat(20)));
        for width in [1, 7, 13, 40] {
            let pieces = wrapped(&long, width);
            assert!(pieces.iter().all(|piece| piece.width() <= width.max(2)), "{width}");
            let joined: String = pieces.iter().map(|piece| text(piece).trim_start().to_owned()).collect();
            assert_eq!(joined.replace(' ', ""), text(&long).replace(' ', ""), "{width}");
        }
    }
}
