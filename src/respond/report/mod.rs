//! The report of an incident: from the record alone, the same whenever it is made from the same record, without secrets
//! ([`Words`]), as JSON (`schema/incident-report.schema.json`), Markdown, or one page of HTML.

mod facts;
mod loss;
mod metrics;
mod picture;
mod recovery;

use serde::Serialize;

use crate::error::Result;
use crate::journal::index::Index;
use crate::model::{EventId, ObjectSource, Severity, spoken};
use crate::platform::home::Home;
use crate::record::Config;
use crate::record::production::Production;
use crate::respond::blast::{self, Radius};
use crate::respond::incident::{Case, Entry, Words, entries};
use crate::respond::page;
use crate::store::Store;

pub use crate::respond::blast::Recovered;
pub use facts::{Appendix, Head, Redaction};
pub use loss::Loss;
pub use metrics::{Metric, Moment, Moments};
pub use picture::Picture;
pub use recovery::Row;

/// Everything in it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which incident, and how it stands.
    pub incident: Head,
    /// What happened, in sentences.
    pub summary: Vec<String>,
    /// All that happened, in the journal's order.
    pub timeline: Vec<Entry>,
    /// Commands that changed nothing, and are not in the timeline.
    pub harmless: u64,
    /// What was hit, production first.
    pub hit: Vec<Hit>,
    /// What came of each thing that was hit.
    pub recovery: Vec<Row>,
    /// What undos named that is not back and concerns none of these things in particular.
    pub recovery_whole: Vec<String>,
    /// How long it took, how much went on meanwhile, what came back.
    pub metrics: Vec<Metric>,
    /// What the record does not know.
    pub gaps: Vec<String>,
    /// How it was noticed.
    pub detection: Vec<String>,
    /// What was done about it.
    pub response: Vec<String>,
    /// For those who check it.
    pub appendix: Appendix,
}

/// One thing that was hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// Its system.
    pub system: String,
    /// The worst that was done to it.
    pub done: &'static str,
    /// What it is.
    pub what: String,
    /// How many files, objects, rows or refs of it were captured.
    pub items: u64,
    /// Where it is.
    pub places: Vec<String>,
    /// Why it counts as production.
    pub production: Option<String>,
    /// What of it can be had back, or is.
    pub comes_back: &'static str,
    /// By which events.
    pub events: Vec<EventId>,
}

/// Makes the report of an incident.
///
/// # Errors
/// Where the record cannot be read.
pub fn report(case: &Case, index: &Index, home: &Home) -> Result<Report> {
    let words = Words::of(home);
    let production = Config::load(home)?.production;
    let (timeline, harmless) = entries(case, &words, &production, false);
    let radius = radius(case, index, &production);
    let recovery::Recovery { rows: recovery, whole } = recovered(case, radius.as_ref(), home, &words);
    let hit = radius.as_ref().map(|radius| hits(radius, &words)).unwrap_or_default();
    let mut report = Report {
        incident: facts::head(case, &words),
        summary: Vec::new(),
        harmless,
        metrics: metrics::metrics(case, &recovery),
        gaps: facts::gaps(case, &words),
        detection: facts::detection(case, &metrics::moments(case, &recovery), &words),
        response: facts::response(case, &words),
        timeline,
        hit,
        recovery,
        recovery_whole: whole,
        appendix: facts::appendix(case, index)?,
    };
    report.summary = facts::summary(case, &report, &words);
    report.appendix.redactions = facts::redactions(&report);
    Ok(report)
}

/// The moments of an incident, as its report has them.
///
/// # Errors
/// Where the settings cannot be read.
pub fn moments(case: &Case, index: &Index, home: &Home) -> Result<Moments> {
    let production = Config::load(home)?.production;
    let radius = radius(case, index, &production);
    let rows = recovered(case, radius.as_ref(), home, &Words::of(home)).rows;
    Ok(metrics::moments(case, &rows))
}

fn radius(case: &Case, index: &Index, production: &Production) -> Option<Radius> {
    let session = match case.incident.scope.sessions.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let until = case.incident.scope.until_ns;
    blast::radius_of(index, case.events.clone(), session, until, production).ok()
}

/// The store is asked how old a snapshot was that something came back from. What it cannot tell is unknown.
fn recovered(case: &Case, radius: Option<&Radius>, home: &Home, words: &Words) -> recovery::Recovery {
    let store = Store::open(home).ok().map(|store| store.reader());
    let source = store.as_ref().map(|reader| reader as &dyn ObjectSource);
    recovery::recovery(case, radius, source, words)
}

fn hits(radius: &Radius, words: &Words) -> Vec<Hit> {
    let hit = |item: &blast::Item| Hit {
        system: item.system.to_string(),
        done: item.class.as_str(),
        what: words.line(spoken(&item.resource).as_slice()),
        items: item.items,
        places: item.contexts.iter().map(|context| words.line(context.words())).collect(),
        production: item.production.as_ref().map(|found| words.line(found.place())),
        comes_back: item.comes_back.words(),
        events: item.events.clone(),
    };
    radius.items.iter().map(hit).collect()
}

/// What the templates are given: the report, what is drawn, and the words of the severities.
#[derive(Serialize)]
struct View<'a> {
    report: &'a Report,
    picture: Picture,
    severities: Vec<&'static str>,
    whys: [&'static str; 5],
}

impl Report {
    fn view(&self) -> View<'_> {
        View {
            report: self,
            picture: picture::draw(&self.timeline),
            severities: Severity::ALL.iter().map(|severity| severity.as_str()).collect(),
            whys: [
                "was it damaged?",
                "did the agent run that command?",
                "was it able to?",
                "did nothing stop it?",
                "did nobody notice before?",
            ],
        }
    }

    /// One HTML file that needs nothing else.
    ///
    /// # Errors
    /// Where the template does not fit: a mistake in `fr`.
    pub fn html(&self) -> Result<String> {
        page::html(include_str!("report.html"), &self.view())
    }

    /// Markdown.
    ///
    /// # Errors
    /// As [`Report::html`].
    pub fn markdown(&self) -> Result<String> {
        page::markdown(include_str!("report.md"), &self.view())
    }
}
