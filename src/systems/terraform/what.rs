//! What of a root module a command may change: a list of words in the option `what` of a locator, so that the parts of a
//! line which concern one place are captured once.

use std::collections::BTreeSet;

use crate::model::{Bytes, Locator};

/// The option's name; `record` unites its lists.
pub const WHAT: &str = "what";
/// The state's content, with nothing leaving it but what [`leaving`] names.
pub const STATE: &str = "state";
/// The state's content, whatever leaves it.
pub const ANY: &str = "state,rm:*";
/// The state's content; nothing leaves it but what is gone already.
pub const GONE: &str = "state,rm:?";
/// Real resources, and with them the state.
pub const INFRA: &str = "infra";
/// Whether the workspace is there.
pub const WORKSPACE: &str = "workspace";
/// Which workspace is selected.
pub const SELECTED: &str = "selected";
/// The data directory: which backend is in use; and the lock file of providers.
pub const DIR: &str = "dir";
/// The backend is left for another one: the state may be moved.
pub const MOVED: &str = "moved";
/// The lock on the state.
pub const LOCK: &str = "lock";

/// The word for an address that a command takes out of the state; `None`: any.
pub fn leaving(address: Option<&str>) -> String {
    match address {
        Some(address) => format!("rm:{}", address.replace('%', "%25").replace(',', "%2C")),
        None => "rm:*".to_owned(),
    }
}

/// The parts of a locator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct What(Vec<String>);

impl What {
    /// As the locator says.
    pub fn of(locator: &Locator) -> What {
        let text = locator.opts.get(WHAT).and_then(Bytes::as_str).unwrap_or(INFRA);
        What(text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    /// True where a part is among them.
    pub fn has(&self, part: &str) -> bool {
        self.0.iter().any(|own| own == part)
    }

    /// Real resources may be concerned: then nothing that left the state is said to exist.
    pub fn is_infra(&self) -> bool {
        self.has(INFRA)
    }

    /// The state's content is compared.
    pub fn has_state(&self) -> bool {
        self.is_infra() || self.has(STATE) || self.has(MOVED)
    }

    /// All of the other's parts are here too.
    pub fn covers(&self, other: &What) -> bool {
        other.0.iter().all(|part| self.has(part) || part.starts_with("rm:"))
    }

    /// Its parts, whatever leaves the state.
    pub fn parts(&self) -> Vec<String> {
        self.0.iter().filter(|part| !part.starts_with("rm:")).cloned().collect()
    }

    /// The parts of several, as a locator has them.
    pub fn together<'a>(all: impl Iterator<Item = &'a What>) -> String {
        let parts: BTreeSet<&str> = all.flat_map(|what| what.0.iter().map(String::as_str)).collect();
        parts.into_iter().collect::<Vec<_>>().join(",")
    }

    /// True where the command takes this address out of the state, or notices that it is gone.
    pub fn takes_out(&self, address: &str) -> bool {
        self.0.iter().any(|part| part == "rm:?") || self.forgets(address)
    }

    /// True where all that leaves the state may be forgotten and no more.
    pub fn forgets_any(&self) -> bool {
        self.0.iter().any(|part| part == "rm:*")
    }

    /// True where the command's words take this address out of the state and leave the resource alone (a module's address
    /// takes all below it).
    pub fn forgets(&self, address: &str) -> bool {
        self.0.iter().filter_map(|part| part.strip_prefix("rm:")).any(|named| {
            let named = named.replace("%2C", ",").replace("%25", "%");
            let rest = address.strip_prefix(named.as_str());
            named == "*" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems;

    #[test]
    fn only_what_is_named_leaves_the_state() {
        let mut locator = systems::locator("/srv");
        let text = format!("{STATE},{},{}", leaving(Some("a.b[\"x,%\"]")), leaving(Some("module.m")));
        locator.opts.insert(WHAT.to_owned(), Bytes::from(text));
        let what = What::of(&locator);
        assert!(
            what.takes_out("a.b[\"x,%\"]")
                && what.takes_out("module.m.c.d")
                && what.takes_out("module.m[0].c.d")
        );
        assert!(!what.takes_out("module.mm.c.d") && !what.takes_out("a.b") && !what.is_infra());
        locator.opts.insert(WHAT.to_owned(), Bytes::from(GONE));
        assert!(What::of(&locator).takes_out("a.b") && !What::of(&locator).forgets("a.b"));
    }
}
