//! What came of it, as values: the same for text, JSON, Markdown and the page.

use serde::Serialize;

use super::attest::Attestation;

/// How a criterion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It was measured, and it is so.
    Met,
    /// It was measured, and it is not so.
    NotMet,
    /// It could not be measured; counts as not met.
    Unknown,
    /// Agents of this record use nothing that it is about.
    DoesNotApply,
    /// Somebody vouches for it.
    Attested,
    /// Nobody does any more.
    Lapsed,
    /// Nobody does.
    NotAttested,
}

impl Standing {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Met => "met",
            Standing::NotMet => "not-met",
            Standing::Unknown => "unknown",
            Standing::DoesNotApply => "does-not-apply",
            Standing::Attested => "attested",
            Standing::Lapsed => "lapsed",
            Standing::NotAttested => "not-attested",
        }
    }

    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Standing::NotMet => "not met",
            Standing::DoesNotApply => "does not apply",
            Standing::NotAttested => "nobody vouches",
            other => other.as_str(),
        }
    }

    /// It holds no level back.
    pub fn is_good(self) -> bool {
        matches!(self, Standing::Met | Standing::DoesNotApply | Standing::Attested)
    }
}

/// A criterion, judged.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Its id.
    pub id: String,
    /// What is so where it is met.
    pub title: String,
    /// Its chapter's id.
    pub chapter: String,
    /// The level that it belongs to.
    pub level: u8,
    /// False where people vouch for it.
    pub measured: bool,
    /// How it stands.
    pub standing: Standing,
    /// The figure, for people: `96 % (48 of 50)`; or why there is none.
    pub value: String,
    /// The figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figure: Option<f64>,
    /// What meets it: `at least 95 %`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// How it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Why it matters.
    pub why: String,
    /// The cheapest next step, where it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How much that takes: 1 a command, 2 a setting, 3 work.
    pub effort: u8,
    /// Who vouches, or did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
}

/// A level, as far as it is reached.
#[derive(Clone, Debug, Serialize)]
pub struct LevelSum {
    /// Its number.
    pub level: u8,
    /// Its name.
    pub name: String,
    /// What it means.
    pub means: String,
    /// How many of its measured criteria are met or do not apply.
    pub good: u64,
    /// How many it has.
    pub of: u64,
    /// It is reached: all of it and of those below are.
    pub reached: bool,
}

/// A chapter.
#[derive(Clone, Debug, Serialize)]
pub struct ChapterSum {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// How many of its measured criteria are met or do not apply.
    pub good: u64,
    /// How many it has.
    pub of: u64,
}

/// A next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The criterion that it is for.
    pub criterion: String,
    /// What to do: a command, where there is one.
    pub next: String,
    /// How much it takes.
    pub effort: u8,
}

/// The whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// When it was measured, nanoseconds since 1970.
    pub measured_ns: i64,
    /// Since when the record counts, nanoseconds since 1970.
    pub since_ns: i64,
    /// Only this system; there is no level then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The level that is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelSum>,
    /// The one after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_level: Option<LevelSum>,
    /// What keeps that away: ids of criteria, the cheapest first.
    pub holding_back: Vec<String>,
    /// What to do, the cheapest for the next level first.
    pub next: Vec<Step>,
    /// All levels.
    pub levels: Vec<LevelSum>,
    /// The chapters.
    pub chapters: Vec<ChapterSum>,
    /// All criteria, in the order of the table.
    pub criteria: Vec<Judged>,
    /// How many commands are on record in that time.
    pub commands: u64,
    /// How many of them are agents'.
    pub agent_commands: u64,
    /// The table of criteria: `built in`, or a path.
    pub table: String,
    /// The start of its hash.
    pub table_hash: String,
    /// The event that keeps this measurement, where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<u64>,
}

impl Report {
    /// The criteria of a chapter.
    pub fn of_chapter<'r>(&'r self, id: &'r str) -> impl Iterator<Item = &'r Judged> {
        self.criteria.iter().filter(move |one| one.chapter == id)
    }
}
