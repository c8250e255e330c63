//! The table of levels, chapters and criteria: data, so that other words and other thresholds need no other program.

use std::io::ErrorKind;

use serde::Deserialize;

use super::measures::{self, Yields};
use crate::error::{Error, Result};
use crate::platform::home::Home;

/// The table that is built in.
const BUILT_IN: &str = include_str!("../../schema/maturity.toml");
/// The most bytes of a table of the user's own.
const MOST: u64 = 1 << 20;
/// The version that this `fr` reads.
const VERSION: u64 = 1;

/// All of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    version: u64,
    /// The levels, the lowest first.
    #[serde(rename = "level")]
    pub levels: Vec<Level>,
    /// The chapters of the report, in its order.
    #[serde(rename = "chapter")]
    pub chapters: Vec<Chapter>,
    /// What is looked at.
    #[serde(rename = "criterion")]
    pub criteria: Vec<Criterion>,
    /// Where it is from: `built in`, or a path.
    #[serde(skip)]
    pub from: String,
    /// The start of the hash of its text.
    #[serde(skip)]
    pub hash: String,
}

/// A level.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its number, from 0.
    pub level: u8,
    /// Its name.
    pub name: String,
    /// What it means.
    pub means: String,
}

/// A chapter of the report.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub about: String,
}

/// A criterion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Criterion {
    /// Its id.
    pub id: String,
    /// What is so where it is met.
    pub title: String,
    /// The chapter.
    pub chapter: String,
    /// The level that it belongs to.
    pub level: u8,
    /// What measures it; people vouch for one without.
    #[serde(default)]
    pub measure: Option<String>,
    /// The least figure that meets it.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// The greatest figure that meets it.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// How much it takes: 1 a command, 2 a setting, 3 work.
    pub effort: u8,
    /// Why it matters.
    pub why: String,
    /// The cheapest next step where the measure knows no better one.
    #[serde(default)]
    pub next: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub source: Option<String>,
}

impl Table {
    /// The user's own table, or the one that is built in.
    ///
    /// # Errors
    /// Where the user's cannot be read or does not hold together.
    pub fn load(home: &Home) -> Result<Table> {
        let path = home.maturity();
        let text = match std::fs::metadata(&path) {
            Ok(meta) if !meta.is_file() || meta.len() > MOST => {
                return Err(Error::failure(format!("{} is no table of criteria", path.display())));
            }
            Ok(_) => std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?,
            Err(e) if e.kind() == ErrorKind::NotFound => return Table::parse(BUILT_IN, "built in"),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        Table::parse(&text, &path.to_string_lossy()).map_err(|e| {
            e.context(path.display().to_string()).hint("without that file the table that is built in counts")
        })
    }

    /// Reads a table and checks that it holds together.
    ///
    /// # Errors
    /// Names the first thing that does not.
    pub fn parse(text: &str, from: &str) -> Result<Table> {
        let mut table: Table = toml::from_str(text).map_err(|e| {
            let line =
                e.span().map(|span| 1 + text.get(..span.start).unwrap_or_default().matches('\n').count());
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            Error::failure(format!("{line}{}", e.message().lines().next().unwrap_or("it cannot be read")))
        })?;
        table.check()?;
        table.from = from.to_owned();
        table.hash = blake3::hash(text.as_bytes()).to_hex().chars().take(12).collect();
        Ok(table)
    }

    /// A criterion by its id.
    pub fn find(&self, id: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.id == id)
    }

    /// A level by its number.
    pub fn level(&self, level: u8) -> Option<&Level> {
        self.levels.iter().find(|one| one.level == level)
    }

    fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::failure(what));
        if self.version != VERSION {
            return wrong(format!("version {} is none that this fr reads ({VERSION})", self.version));
        }
        let numbers: Vec<u8> = self.levels.iter().map(|level| level.level).collect();
        if numbers.len() < 2 || numbers.iter().enumerate().any(|(at, level)| usize::from(*level) != at) {
            return wrong("the levels are not numbered 0, 1, 2, …".to_owned());
        }
        for (at, criterion) in self.criteria.iter().enumerate() {
            let id = &criterion.id;
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if id.is_empty() || !id.chars().all(is_name) {
                return wrong(format!("{id:?} is no id: small letters, digits and - are"));
            }
            if self.criteria.iter().take(at).any(|other| other.id == *id) {
                return wrong(format!("criterion {id} is there twice"));
            }
            if !self.chapters.iter().any(|chapter| chapter.id == criterion.chapter) {
                return wrong(format!("criterion {id}: there is no chapter {:?}", criterion.chapter));
            }
            if criterion.level == 0 || self.level(criterion.level).is_none() {
                return wrong(format!("criterion {id}: there is no level {} to be reached", criterion.level));
            }
            criterion.check()?;
        }
        Ok(())
    }
}

impl Criterion {
    fn check(&self) -> Result<()> {
        let id = &self.id;
        let wrong = |what: &str| Err(Error::failure(format!("criterion {id}: {what}")));
        let bounds = usize::from(self.at_least.is_some()) + usize::from(self.at_most.is_some());
        if !(1..=3).contains(&self.effort) {
            return wrong("effort is 1 (a command), 2 (a setting) or 3 (work)");
        }
        let finite = |bound: &Option<f64>| bound.is_none_or(f64::is_finite);
        if !finite(&self.at_least) || !finite(&self.at_most) {
            return wrong("a threshold is a number");
        }
        let Some(name) = &self.measure else {
            return if bounds == 0 { Ok(()) } else { wrong("what nothing measures has no threshold") };
        };
        let Some(measure) = measures::find(name) else {
            let known: Vec<&str> = measures::ALL.iter().map(|measure| measure.name).collect();
            return wrong(&format!("nothing measures {name:?}; there are {}", known.join(", ")));
        };
        match (measure.yields, bounds) {
            (Yields::Truth, 0) | (Yields::Share | Yields::Number, 1) => Ok(()),
            (Yields::Truth, _) => wrong(&format!("{name} is so or is not, it has no threshold")),
            _ => wrong(&format!("{name} is a figure: say either at-least or at-most")),
        }
    }

    /// The threshold for people: `at least 95 %`.
    pub fn threshold(&self) -> Option<String> {
        let measure = measures::find(self.measure.as_deref()?)?;
        let unit = measure.unit;
        let space = if unit.is_empty() { "" } else { " " };
        match (self.at_least, self.at_most) {
            (Some(least), _) => Some(format!("at least {least}{space}{unit}")),
            (_, Some(most)) => Some(format!("at most {most}{space}{unit}")),
            _ => None,
        }
    }

    /// Whether a figure meets it.
    pub fn admits(&self, figure: f64) -> bool {
        self.at_least.is_none_or(|least| figure >= least) && self.at_most.is_none_or(|most| figure <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_used_and_every_one_that_is_named_exists() {
        let table = Table::parse(BUILT_IN, "built in").unwrap();
        for measure in measures::ALL {
            let used = table.criteria.iter().any(|c| c.measure.as_deref() == Some(measure.name));
            assert!(used, "{} is measured for nothing", measure.name);
        }
        assert!(table.criteria.iter().filter(|c| c.measure.is_some()).all(|c| c.next.is_some()));
        for chapter in &table.chapters {
            assert!(table.criteria.iter().any(|c| c.chapter == chapter.id), "{} is empty", chapter.id);
        }
    }

    #[test]
    fn what_does_not_hold_together_is_named() {
        let with = |old: &str, new: &str| {
            assert!(BUILT_IN.contains(old), "{old}");
            Table::parse(&BUILT_IN.replacen(old, new, 1), "x").unwrap_err().what
        };
        for (old, new, says) in [
            ("version = 1", "version = 2", "version 2"),
            ("level = 2\n", "level = 7\n", "numbered"),
            ("measure = \"hooks\"", "measure = \"hope\"", "nothing measures \"hope\""),
            ("measure = \"store\"\n", "measure = \"store\"\nat-least = 1\n", "no threshold"),
            ("measure = \"hooks\"\nat-least = 100", "measure = \"hooks\"", "at-least or at-most"),
            ("chapter = \"guardrails\"", "chapter = \"guards\"", "no chapter \"guards\""),
            ("id = \"attributed\"", "id = \"hooks-alive\"", "twice"),
            ("effort = 1", "effort = 9", "effort"),
            ("id = \"budget\"", "id = \"<b>\"", "no id"),
            ("source = \"A1\"", "at-least = 3", "no threshold"),
            ("why = ", "wy = ", "line "),
            ("at-least = 90", "at-least = nan", "a number"),
        ] {
            let what = with(old, new);
            assert!(what.contains(says), "{new}: {what}");
        }
    }
}
