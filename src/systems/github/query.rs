//! What has to be read before a command may run, as options of an effect's locator: names only. Tokens are the user's own
//! gh's business and never in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Bytes, Locator};

const NOT_KEPT: &str = "not-kept";
const HOST: &str = "host";
const ENV: &str = "env.";
const ASK: &str = "ask";

/// Variables that choose whom gh talks to and as whom; those that hold tokens are not among them.
pub const VARIABLES: &[&str] =
    &["GH_HOST", "GH_REPO", "GH_CONFIG_DIR", "XDG_CONFIG_HOME", "HOME", "GH_ENTERPRISE_HOST"];

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// The kind of thing, or `path`: a path of the API is given as it is.
    pub kind: String,
    /// `OWNER/NAME` or `NAME`; `None`: that of the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// What it is called in the words of the command.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it is, if not in the repository itself: `env:NAME`, `org:NAME`, `app:NAME`, `user`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// What goes with it: `branch` (a pull request's head), `base`, `tag`, `mirror`, `logs`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// The fields that a PATCH names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// How GitHub is reached: as the command does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Where it runs.
    pub cwd: Bytes,
    /// A host that the words name.
    pub host: Option<String>,
    /// The variables that choose it.
    pub env: BTreeMap<String, Bytes>,
}

impl Access {
    /// As options of a locator.
    pub fn locator(&self) -> Locator {
        let mut locator = Locator { at: self.cwd.clone(), ..Locator::default() };
        if let Some(host) = &self.host {
            locator.opts.insert(HOST.to_owned(), host.as_str().into());
        }
        locator.opts.extend(self.env.iter().map(|(name, value)| (format!("{ENV}{name}"), value.clone())));
        locator
    }

    /// Reads it back.
    pub fn of(locator: &Locator) -> Access {
        let env = locator.opts.iter();
        let env = env.filter_map(|(k, v)| Some((k.strip_prefix(ENV)?.to_owned(), v.clone()))).collect();
        let host = locator.opts.get(HOST).map(|host| host.lossy().into_owned());
        Access { cwd: locator.at.clone(), host, env }
    }
}

/// A locator with questions.
pub fn locator(access: &Access, asks: &[Ask]) -> Locator {
    let mut locator = access.locator();
    locator.opts.insert(ASK.to_owned(), Bytes::from(serde_json::to_string(asks).unwrap_or_default()));
    locator
}

/// The questions of a locator.
///
/// # Errors
/// Where the words do not tell what to ask: the reason, for people.
pub fn asks(locator: &Locator) -> Result<Vec<Ask>> {
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let text = locator.opts.get(ASK).map(|text| text.lossy().into_owned()).unwrap_or_default();
    serde_json::from_str(&text)
        .map_err(|_| Error::corrupt("a target on GitHub that does not say how it is found"))
}

/// A locator of what cannot be read before the command runs, and why.
pub fn not_kept(at: Bytes, why: &str) -> Locator {
    let mut locator = Locator { at, ..Locator::default() };
    locator.opts.insert(NOT_KEPT.to_owned(), why.into());
    locator
}
