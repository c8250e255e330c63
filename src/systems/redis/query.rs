//! Which server a command acts on and which of its keys, as options of a locator. Passwords are in none of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Bytes, Locator, ObjectId};

const NOT_KEPT: &str = "not-kept";
const PROGRAM: &str = "program";
const FLAGS: &str = "flags";
const ASK: &str = "ask";
/// Of a capture: its own stored state, which knows the keys.
const STATE: &str = "state";
/// In `unsaid`: the password of the command line or of its environment.
pub const PASSWORD: &str = "password";

/// What is asked of a server. Keys are bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Keys by database.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<u32, Vec<Bytes>>,
    /// Databases of which all keys are meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub whole: Vec<u32>,
    /// All databases.
    #[serde(default)]
    pub all: bool,
    /// Parameters of its configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<String>,
    /// What it may touch besides, that the words do not name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub besides: Option<String>,
}

/// How a server is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `redis-cli` or `valkey-cli`.
    pub program: String,
    /// Where it runs: certificates are seen from there.
    pub cwd: Bytes,
    /// The flags that choose server and user; no password, no database.
    pub flags: Vec<String>,
    /// From the command, never written down.
    pub password: Option<Bytes>,
}

impl Access {
    /// As a locator.
    pub fn locator(&self) -> Locator {
        let mut locator = Locator { at: self.cwd.clone(), ..Locator::default() };
        locator.opts.insert(PROGRAM.to_owned(), self.program.as_str().into());
        locator.opts.insert(FLAGS.to_owned(), Bytes::from(self.flags.join("\0")));
        if let Some(password) = &self.password {
            locator.unsaid.insert(PASSWORD.to_owned(), password.clone());
        }
        locator
    }

    /// Reads it back.
    pub fn of(locator: &Locator) -> Access {
        let flags = locator.opts.get(FLAGS).map(|f| f.lossy().into_owned()).unwrap_or_default();
        Access {
            program: locator.opts.get(PROGRAM).map_or("redis-cli".into(), |p| p.lossy().into_owned()),
            cwd: locator.at.clone(),
            flags: flags.split('\0').filter(|f| !f.is_empty()).map(str::to_owned).collect(),
            password: locator.unsaid.get(PASSWORD).cloned(),
        }
    }

    /// The server, for people.
    pub fn server(&self) -> String {
        let value = |name: &str| {
            let mut pairs = self.flags.iter().zip(self.flags.iter().skip(1));
            pairs.rfind(|(flag, _)| *flag == name).map(|(_, value)| value.clone())
        };
        match value("-s") {
            Some(socket) => socket,
            None => {
                let host = value("-h").unwrap_or_else(|| "127.0.0.1".to_owned());
                format!("{host}:{}", value("-p").unwrap_or_else(|| "6379".to_owned()))
            }
        }
    }
}

/// A locator with a question.
pub fn locator(access: &Access, ask: &Ask) -> Locator {
    let mut locator = access.locator();
    locator.opts.insert(ASK.to_owned(), Bytes::from(serde_json::to_string(ask).unwrap_or_default()));
    locator
}

/// The question of a locator.
///
/// # Errors
/// Where the words of the command do not tell what to ask: the reason, for people.
pub fn ask(locator: &Locator) -> Result<Ask> {
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let text = locator.opts.get(ASK).map(|text| text.lossy().into_owned()).unwrap_or_default();
    serde_json::from_str(&text)
        .map_err(|_| Error::corrupt("a target in Redis that does not say how it is found"))
}

/// The stored state of the capture that a locator is of.
pub fn state(locator: &Locator) -> Option<ObjectId> {
    locator.opts.get(STATE).and_then(Bytes::as_str).and_then(|hex| hex.parse().ok())
}

/// Sets it, or takes it away.
pub fn note_state(locator: &mut Locator, state: Option<ObjectId>) {
    match state {
        Some(id) => drop(locator.opts.insert(STATE.to_owned(), Bytes::from(id.to_string()))),
        None => drop(locator.opts.remove(STATE)),
    }
}

/// A locator of what cannot be read before the command runs, and why.
pub fn not_kept(at: Bytes, why: &str) -> Locator {
    let mut locator = Locator { at, ..Locator::default() };
    locator.opts.insert(NOT_KEPT.to_owned(), why.into());
    locator
}
