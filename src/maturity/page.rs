//! The report for people elsewhere: one HTML page and Markdown, by the one look of all pages (`respond::page`), which escapes all
//! that is put into them.

use serde::Serialize;

use super::report::{Judged, LevelSum, Report, Standing};
use crate::error::Result;
use crate::platform::clock::day;
use crate::respond::page;

/// The whole page.
///
/// # Errors
/// Where the template does not fit: a mistake in `fr`.
pub fn html(report: &Report) -> Result<String> {
    page::html(include_str!("page.html"), &View::of(report))
}

/// The same as Markdown.
///
/// # Errors
/// As [`html`].
pub fn markdown(report: &Report) -> Result<String> {
    page::markdown(include_str!("page.md"), &View::of(report))
}

/// What the templates print.
#[derive(Serialize)]
struct View<'r> {
    report: &'r Report,
    measured: String,
    since: String,
    holding: Vec<Row<'r>>,
    levels: Vec<Rung<'r>>,
    chapters: Vec<Chapter<'r>>,
}

#[derive(Serialize)]
struct Rung<'r> {
    level: &'r LevelSum,
    percent: u64,
    badge: &'static str,
    words: &'static str,
}

#[derive(Serialize)]
struct Chapter<'r> {
    title: &'r str,
    about: &'r str,
    good: u64,
    of: u64,
    criteria: Vec<Row<'r>>,
}

#[derive(Serialize)]
struct Row<'r> {
    one: &'r Judged,
    words: &'static str,
    badge: &'static str,
    threshold: &'r str,
    how: &'r str,
    next: &'r str,
}

impl<'r> Row<'r> {
    fn of(one: &'r Judged) -> Row<'r> {
        let badge = match one.standing {
            Standing::Met | Standing::Attested => "good",
            Standing::NotMet => "bad",
            Standing::Unknown | Standing::Lapsed => "warn",
            Standing::DoesNotApply | Standing::NotAttested => "",
        };
        Row {
            one,
            words: one.standing.words(),
            badge,
            threshold: one.threshold.as_deref().unwrap_or_default(),
            how: one.how.as_deref().unwrap_or_default(),
            next: one.next.as_deref().unwrap_or_default(),
        }
    }
}

impl<'r> View<'r> {
    fn of(report: &'r Report) -> View<'r> {
        let find = |id: &String| report.criteria.iter().find(|one| one.id == *id);
        let rung = |level: &'r LevelSum| {
            let percent = (level.good * 100).checked_div(level.of).unwrap_or(100);
            let (badge, words) = if level.reached { ("good", "reached") } else { ("", "not reached") };
            Rung { level, percent, badge, words }
        };
        let chapters = report.chapters.iter().map(|chapter| Chapter {
            title: &chapter.title,
            about: &chapter.about,
            good: chapter.good,
            of: chapter.of,
            criteria: report.of_chapter(&chapter.id).map(Row::of).collect(),
        });
        View {
            report,
            measured: day(report.measured_ns),
            since: day(report.since_ns),
            holding: report.holding_back.iter().filter_map(find).map(Row::of).collect(),
            levels: report.levels.iter().map(rung).collect(),
            chapters: chapters.filter(|chapter| !chapter.criteria.is_empty()).collect(),
        }
    }
}
