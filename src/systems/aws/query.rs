//! What has to be read before a command may run, as a locator. Its options hold what chooses account, region and endpoint;
//! the command's own words may hold secrets and stay unsaid.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::model::{Bytes, Context, ContextKind, Locator, contexts};

/// Why nothing can be read.
const NOT_KEPT: &str = "not-kept";
const FLAGS: &str = "flags";
const ENV: &str = "env.";
const ARGS: &str = "args";

/// How an account is reached: as the command does, with its options and its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Where it runs: paths of configurations and documents are seen from there.
    pub cwd: Bytes,
    /// The options that choose account, region and endpoint.
    pub flags: Vec<String>,
    /// The variables that do.
    pub env: BTreeMap<String, Bytes>,
    /// Credentials that the command's words set.
    pub secrets: BTreeMap<String, Bytes>,
}

impl Access {
    /// As a locator. Credentials are not in what is recorded of it.
    pub fn locator(&self) -> Locator {
        let mut locator = Locator { at: self.cwd.clone(), ..Locator::default() };
        locator.opts.insert(FLAGS.to_owned(), joined(&self.flags));
        locator.opts.extend(self.env.iter().map(|(name, value)| (format!("{ENV}{name}"), value.clone())));
        locator
            .unsaid
            .extend(self.secrets.iter().map(|(name, value)| (format!("{ENV}{name}"), value.clone())));
        locator
    }

    /// Reads it back.
    pub fn of(locator: &Locator) -> Access {
        let named = |opts: &BTreeMap<String, Bytes>| {
            opts.iter().filter_map(|(k, v)| Some((k.strip_prefix(ENV)?.to_owned(), v.clone()))).collect()
        };
        Access {
            cwd: locator.at.clone(),
            flags: split(locator.opts.get(FLAGS)),
            env: named(&locator.opts),
            secrets: named(&locator.unsaid),
        }
    }

    /// The last value of one of its options.
    pub fn flag(&self, name: &str) -> Option<&str> {
        let pairs = self.flags.iter().zip(self.flags.iter().skip(1));
        pairs.filter(|(n, _)| *n == name).map(|(_, value)| value.as_str()).next_back()
    }
}

/// A question to an account: the command that is about to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Whose account.
    pub access: Access,
    /// The command's arguments without the global options.
    pub args: Vec<String>,
}

impl Query {
    /// As a locator.
    pub fn locator(&self) -> Locator {
        let mut locator = self.access.locator();
        locator.unsaid.insert(ARGS.to_owned(), joined(&self.args));
        locator
    }

    /// Reads it back.
    ///
    /// # Errors
    /// Where the words of the command do not tell what to ask: the reason, for people.
    pub fn of(locator: &Locator) -> Result<Query> {
        if let Some(why) = locator.opts.get(NOT_KEPT) {
            return Err(Error::failure(why.lossy()));
        }
        Ok(Query { access: Access::of(locator), args: split(locator.unsaid.get(ARGS)) })
    }
}

/// A locator of what cannot be read before the command runs, and why.
pub fn not_kept(at: Bytes, why: &str) -> Locator {
    let mut locator = Locator { at, ..Locator::default() };
    locator.opts.insert(NOT_KEPT.to_owned(), why.into());
    locator
}

// Arguments of a command hold no NUL.
fn joined(words: &[String]) -> Bytes {
    Bytes::from(words.join("\0"))
}

fn split(words: Option<&Bytes>) -> Vec<String> {
    let text = words.map(|w| w.lossy().into_owned()).unwrap_or_default();
    if text.is_empty() { Vec::new() } else { text.split('\0').map(str::to_owned).collect() }
}

/// The names of an account: its number once it was asked, and the profile that leads to it.
pub fn contexts_of(locator: &Locator) -> Vec<Context> {
    let access = Access::of(locator);
    let account = locator.opts.get("account").map(|id| id.lossy().into_owned());
    let profile = access.flag("--profile").map(str::to_owned);
    let set = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().find_map(|name| access.env.get(*name));
    let profile = profile.or_else(|| Some(set?.lossy().into_owned()));
    contexts(ContextKind::Account, account.into_iter().chain(profile))
}
