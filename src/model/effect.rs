//! What a command will do to a resource, and what undo can promise about it.
//! Vocabulary: systems.md section 0 (reversibility and effect classes, target grammar).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Bytes;

/// The system that a resource belongs to: `fs`, `git`, `terraform`, `kubernetes`, `aws`, `sql`, …
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SystemId(pub std::borrow::Cow<'static, str>);

impl SystemId {
    /// A system id known at compile time.
    pub const fn new(name: &'static str) -> SystemId {
        SystemId(std::borrow::Cow::Borrowed(name))
    }
}
impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happens to a resource, mildest first. The order is the severity order of `fr explain` and the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectClass {
    /// No change.
    None,
    /// Adds something; undo removes it if unchanged.
    Create,
    /// Bookkeeping only, the real thing stays as it is.
    StateOnly,
    /// A settable value changes.
    Mutate,
    /// Permissions, credentials, firewall.
    Access,
    /// A running thing is stopped, stored data stays intact.
    Disrupt,
    /// Leaves the machine to third parties.
    Publish,
    /// Not knowable from the command line.
    Opaque,
    /// A safety net is removed (reflog expire, gc, snapshot delete).
    Weaken,
    /// Content or history is replaced.
    Overwrite,
    /// Data or a resource is removed.
    Destroy,
}

impl EffectClass {
    /// Destroys, overwrites, or removes a safety net: the classes that are flagged.
    pub fn is_destructive(self) -> bool {
        matches!(self, EffectClass::Destroy | EffectClass::Overwrite | EffectClass::Weaken)
    }

    /// Every class but `none`.
    pub fn changes_state(self) -> bool {
        self != EffectClass::None
    }

    /// The word used in JSON and in the timeline.
    pub fn as_str(self) -> &'static str {
        match self {
            EffectClass::None => "none",
            EffectClass::Create => "create",
            EffectClass::StateOnly => "state-only",
            EffectClass::Mutate => "mutate",
            EffectClass::Access => "access",
            EffectClass::Disrupt => "disrupt",
            EffectClass::Publish => "publish",
            EffectClass::Opaque => "opaque",
            EffectClass::Weaken => "weaken",
            EffectClass::Overwrite => "overwrite",
            EffectClass::Destroy => "destroy",
        }
    }
}
impl fmt::Display for EffectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What undo can promise if the capture succeeded, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reversibility {
    /// No state change, nothing to undo.
    #[serde(rename = "n/a")]
    NotApplicable,
    /// The same identity and content come back.
    #[serde(rename = "exact")]
    Exact,
    /// The record comes back, the real thing never changed or is not brought back.
    #[serde(rename = "state-only")]
    StateOnly,
    /// An equivalent is made, with a new identity.
    #[serde(rename = "recreate")]
    Recreate,
    /// The effect cannot be removed, only countered.
    #[serde(rename = "compensating")]
    Compensating,
    /// Nothing useful can be done from captured state.
    #[serde(rename = "irreversible")]
    Irreversible,
}

impl Reversibility {
    /// The word used in JSON and for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Reversibility::NotApplicable => "n/a",
            Reversibility::Exact => "exact",
            Reversibility::StateOnly => "state-only",
            Reversibility::Recreate => "recreate",
            Reversibility::Compensating => "compensating",
            Reversibility::Irreversible => "irreversible",
        }
    }
}
impl fmt::Display for Reversibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a system finds a resource again: the absolute place the command acted in, and what the system noted beside it.
/// Opaque to everyone but the system that wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locator {
    /// Absolute path: the file itself (`fs`), the directory the tool ran in (others).
    pub at: Bytes,
    /// What else the system needs, by its own keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub opts: BTreeMap<String, Bytes>,
    /// What capture needs from the command's words and may hold secrets (assignments, `-var`). Never written down.
    #[serde(skip)]
    pub unsaid: BTreeMap<String, Bytes>,
}

/// What a command will do to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The system the resource belongs to.
    pub system: SystemId,
    /// What happens to it.
    pub class: EffectClass,
    /// The resource in the target grammar: `path:README.md`, `git:origin/refs/heads/main`, `dyn:how to resolve it`.
    pub resource: Bytes,
    /// What undo can promise if the capture succeeds.
    pub reversibility: Reversibility,
    /// False where part of it (a variable, a glob, a substitution) could not be resolved from the words.
    pub certain: bool,
    /// Where capture finds the resource; `None` where the words do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<Locator>,
}
