//! Drawing: a title, the list or what lies over it, and the keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::app::{App, Tab, View, Where};
use super::keys::{self, Key};
use crate::cli::render::{count, safe};

/// Everything.
pub fn all(app: &mut App, frame: &mut Frame<'_>) {
    let area = frame.area();
    let (head, body, foot) = parts(area);
    frame.render_widget(Clear, area);
    if let Some(head) = head {
        bar(frame, head, &title(app));
    }
    match app.views.last_mut() {
        None | Some(View::Typing { .. }) => list(app, frame, body),
        Some(View::Event { pane, .. } | View::Plan { pane, .. } | View::Text { pane, .. }) => {
            pane.draw(frame, body)
        }
    }
    if let Some(foot) = foot {
        // Now it is known how much is below.
        frame.render_widget(Paragraph::new(footer(app)), foot);
    }
}

/// Title, body and keys; a screen that is too low has only a body.
fn parts(area: Rect) -> (Option<Rect>, Rect, Option<Rect>) {
    if area.height < 4 {
        return (None, area, None);
    }
    let row = |y| Rect { y, height: 1, ..area };
    let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
    (Some(row(area.y)), body, Some(row(area.y + area.height - 1)))
}

fn bar(frame: &mut Frame<'_>, area: Rect, text: &str) {
    frame.render_widget(Paragraph::new(text.to_owned()), area);
    frame.buffer_mut().set_style(area, Style::new().add_modifier(Modifier::REVERSED));
}

fn title(app: &App) -> String {
    let busy = app.work.as_ref().map(|work| format!("  … {}", work.word)).unwrap_or_default();
    let text = match app.views.last() {
        None | Some(View::Typing { .. }) => {
            let (n, all) = app.list.count();
            let many = if all { count(n as u64, "event") } else { format!("{n}+ events") };
            let damaged = match app.list.damaged {
                0 => String::new(),
                n => format!("  {n} cannot be read: `fr store verify`"),
            };
            let filter = match app.typed.as_str() {
                "" => String::new(),
                typed => format!("  filter: {}", safe(typed.as_bytes())),
            };
            format!(" fr  {many}{damaged}{filter}")
        }
        Some(View::Event { event, tab, .. }) => {
            let mark = |own: Tab, word: &str| if own == *tab { format!("[{word}]") } else { word.to_owned() };
            format!(
                " fr  event {}  {}  {}  {}",
                event.id,
                mark(Tab::Record, "1 record"),
                mark(Tab::Change, "2 change"),
                mark(Tab::Now, "3 now")
            )
        }
        Some(View::Plan { planned, .. }) => {
            format!(" fr  what an undo of event {} would do: nothing is written yet", planned.event.id)
        }
        Some(View::Text { title, .. }) => format!(" fr  {title}"),
    };
    format!("{text}{busy}")
}

fn list(app: &mut App, frame: &mut Frame<'_>, area: Rect) {
    if app.list.rows.is_empty() {
        let text = if app.typed.is_empty() {
            "nothing is on record yet"
        } else {
            "no events match: c clears the filter"
        };
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    // Where only a row or two are left, they are for events.
    let (heading, rows) = match area.height {
        0..=2 => (None, area),
        _ => (Some(Rect { height: 1, ..area }), Rect { y: area.y + 1, height: area.height - 1, ..area }),
    };
    if let Some(heading) = heading {
        frame.render_widget(Paragraph::new(app.list.heading.clone()), heading);
    }
    let room = usize::from(rows.height);
    app.list.follow(room);
    let list = &app.list;
    let seen: Vec<Line<'static>> =
        list.rows.iter().skip(list.top).take(room).map(|row| row.line.clone()).collect();
    frame.render_widget(Paragraph::new(seen), rows);
    let at = list.cursor.saturating_sub(list.top);
    if let Ok(at) = u16::try_from(at)
        && at < rows.height
        && list.chosen().is_some()
    {
        let row = Rect { y: rows.y + at, height: 1, ..rows };
        frame.buffer_mut().set_style(row, Style::new().add_modifier(Modifier::REVERSED));
    }
}

fn footer(app: &App) -> Line<'static> {
    let place = app.place();
    let mut spans = Vec::new();
    if place == Where::Typing {
        spans.push(Span::styled("filter: ", Style::new().add_modifier(Modifier::BOLD)));
        spans.push(Span::raw(format!("{}_  ", safe(app.typed.as_bytes()))));
    }
    if let Some(message) = &app.message {
        spans.push(Span::styled(format!("{message}  "), Style::new().add_modifier(Modifier::BOLD)));
    }
    if app.is_writing() {
        return Line::from("undoing… the terminal is yours again when it is done");
    }
    let below = match app.views.last() {
        Some(View::Event { pane, .. } | View::Plan { pane, .. } | View::Text { pane, .. }) => pane.more(),
        _ => 0,
    };
    if below > 0 {
        spans.push(Span::raw(format!("{below} more below  ")));
    }
    let refused = matches!(app.views.last(), Some(View::Plan { planned, .. }) if planned.refused.is_some());
    for Key(key, word, _) in keys::of(place).iter().filter(|key| !(refused && key.0 == "y")) {
        spans.push(Span::styled((*key).to_owned(), Style::new().add_modifier(Modifier::BOLD)));
        spans.push(Span::raw(format!(" {word}  ")));
    }
    Line::from(spans)
}
