//! A script as a whole: its statements in order, with the transactions that are rolled back left out.

use super::split::{Piece, split};
use super::{Act, Dialect, Touch, client, statement};

/// A script that a script names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// Its path as written.
    pub path: String,
    /// It is relative to the script that names it (`\ir`).
    pub beside: bool,
}

/// What a script does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it does, in order.
    pub acts: Vec<Act>,
    /// Scripts that it reads in turn; each is also an act.
    pub includes: Vec<Include>,
}

/// The longest script that is read; longer ones are opaque.
const LONGEST: usize = 16 << 20;

/// Reads a script.
pub fn read(script: &str, dialect: Dialect) -> Reading {
    let mut reader =
        Reader { dialect, reading: Reading::default(), since: None, points: Vec::new(), elsewhere: None };
    if script.len() > LONGEST {
        reader.reading.acts.push(Act::anything(&format!("a script of more than {LONGEST} bytes")));
        return reader.reading;
    }
    for piece in split(script, dialect) {
        if !reader.piece(&piece) {
            break;
        }
    }
    reader.reading
}

struct Reader {
    dialect: Dialect,
    reading: Reading,
    /// How many acts there were when the open transaction began.
    since: Option<usize>,
    /// Savepoints of the open transaction.
    points: Vec<(String, usize)>,
    /// The database that `\c`, `USE` or `ATTACH` have led to.
    elsewhere: Option<String>,
}

impl Reader {
    /// False where the script ends here.
    fn piece(&mut self, piece: &Piece) -> bool {
        let from = self.reading.acts.len();
        match piece {
            Piece::Client(line) => {
                if !client::read(line, self.dialect, &mut self.reading, &mut self.elsewhere) {
                    return false;
                }
            }
            Piece::Statement { tokens, text, open } => {
                let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
                if self.transaction(&word) {
                    return true;
                }
                if word(0) == "USE" && tokens.len() > 1 {
                    self.elsewhere = tokens.get(1).map(|t| t.text.clone());
                    return true;
                }
                let acts = statement::read(text, tokens, *open, self.dialect);
                let ends = self.dialect == Dialect::MySql && acts.iter().any(Act::defines);
                self.reading.acts.extend(acts);
                if ends && self.since.is_some() {
                    // MySQL commits before and after what defines things.
                    self.since = Some(self.reading.acts.len());
                    self.points.clear();
                }
            }
        }
        if let Some(place) = &self.elsewhere {
            let new = self.reading.acts.iter_mut().skip(from).filter(|a| a.touch != Touch::Nothing);
            new.for_each(|act| act.moves_to(place, self.dialect));
        }
        true
    }

    /// True where the statement begins or ends a transaction, or a part of one.
    fn transaction<'t>(&mut self, word: &impl Fn(usize) -> &'t str) -> bool {
        let now = self.reading.acts.len();
        match (word(0), word(1)) {
            ("BEGIN", _) | ("START", "TRANSACTION") => {
                // Within a transaction it only warns; MySQL commits.
                if self.since.is_none() || self.dialect == Dialect::MySql {
                    self.since = Some(now);
                }
                self.points.clear();
            }
            ("ROLLBACK" | "COMMIT", "PREPARED") | ("PREPARE", "TRANSACTION") => return false,
            ("COMMIT" | "END", _) => self.ends(word),
            ("ROLLBACK", _) if (1..4).any(|at| word(at) == "TO") => {
                let at = (1..4).find(|at| word(*at) == "TO").unwrap_or(1) + 1;
                let name = if word(at) == "SAVEPOINT" { word(at + 1) } else { word(at) };
                if let Some(place) = self.points.iter().rposition(|(n, _)| n == name) {
                    let acts = self.points.get(place).map_or(now, |(_, acts)| *acts);
                    self.reading.acts.truncate(acts);
                    self.points.truncate(place + 1);
                }
            }
            ("ROLLBACK" | "ABORT", _) => {
                if let Some(since) = self.since {
                    self.forget(since);
                }
                self.ends(word);
            }
            ("SAVEPOINT", name) if self.since.is_some() => self.points.push((name.to_owned(), now)),
            ("RELEASE", _) => {}
            _ => return false,
        }
        true
    }

    fn ends<'t>(&mut self, word: &impl Fn(usize) -> &'t str) {
        let chains = (1..5).any(|at| word(at) == "CHAIN") && !(1..5).any(|at| word(at) == "NO");
        self.since = chains.then_some(self.reading.acts.len());
        self.points.clear();
    }

    /// What the transaction did is not done; what the client did beside it is.
    fn forget(&mut self, since: usize) {
        let mut at = 0;
        self.reading.acts.retain(|act| {
            at += 1;
            at <= since || act.is_outside()
        });
    }
}
