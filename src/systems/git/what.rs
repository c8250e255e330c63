//! Which parts of a repository a command touches, by the words that assessment put into the locator (`what`). Refs, HEAD,
//! index, logs and configuration are always looked at; these words ask for what is costly or seldom needed.

use crate::model::Locator;

/// The parts that are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct What {
    /// A list of all objects: the command prunes.
    pub objects: bool,
    /// The other side of a push.
    pub remote: bool,
    /// The repositories of submodules.
    pub modules: bool,
    /// Of those the ones that lie in the work tree, because git may move them.
    pub embedded: bool,
    /// Recorded resolutions of conflicts.
    pub rerere: bool,
    /// Contents of git-lfs.
    pub lfs: bool,
    /// Only in passing: the command is not known to touch the repository. Not a word of a locator.
    pub passing: bool,
}

impl What {
    /// Of a locator.
    pub fn of(locator: &Locator) -> What {
        let list = locator.opts.get("what").map(|w| w.lossy().into_owned()).unwrap_or_default();
        let has = |word: &str| list.split(',').any(|w| w.trim() == word);
        What {
            objects: has("objects"),
            remote: has("remote"),
            modules: has("modules"),
            embedded: has("embedded"),
            rerere: has("rerere"),
            lfs: has("lfs"),
            passing: false,
        }
    }
}
