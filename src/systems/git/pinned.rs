//! What a vault notes of the captures before, so that the next one looks at what is new only.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use git2::Oid;

use super::objects::listed;
use super::vault::Wanted;

/// What was pinned last: asking for the very same again needs no look at any object. It lies in the vault and goes with
/// it, and counts only while the vault is whole.
pub struct Last(String);

impl Last {
    /// Of what is asked for.
    pub fn of(wanted: &Wanted<'_>, from: &git2::Odb<'_>) -> Last {
        let mut hasher = blake3::Hasher::new();
        for id in wanted.tips {
            hasher.update(id.as_bytes());
        }
        hasher.update(b"logged");
        for id in wanted.logged {
            hasher.update(id.as_bytes());
        }
        hasher.update(b"optional");
        for id in wanted.optional {
            hasher.update(id.as_bytes()).update(&[u8::from(from.exists(*id))]);
        }
        Last(hasher.finalize().to_hex().to_string())
    }

    /// It is what the vault pinned last.
    pub fn is(&self, vault: &Path) -> bool {
        fs::read(vault.join("last")).is_ok_and(|last| last == self.0.as_bytes())
    }

    /// Best effort: without it the objects are looked at again.
    pub fn note(&self, vault: &Path) {
        let _looked_at_again = fs::write(vault.join("last"), &self.0);
    }
}

/// The values of reflogs that were looked at in an earlier capture: 20 bytes each. It lies in the vault and goes with it.
pub struct Logged(HashSet<Oid>);

impl Logged {
    /// As the vault noted them.
    pub fn of(vault: &Path) -> Logged {
        Logged(listed(&fs::read(vault.join("logged")).unwrap_or_default()).collect())
    }

    /// Those that nobody has looked at yet.
    pub fn new_of(&self, ids: &BTreeSet<Oid>) -> Vec<Oid> {
        ids.iter().copied().filter(|id| !self.0.contains(id)).collect()
    }

    /// Best effort: without it the objects are looked at again. What half of a list holds is true as well.
    pub fn note(ids: &BTreeSet<Oid>, vault: &Path) {
        if ids.is_empty() {
            return;
        }
        let list: Vec<u8> = ids.iter().flat_map(|id| id.as_bytes().iter().copied()).collect();
        let _looked_at_again = fs::write(vault.join("logged"), list);
    }
}
