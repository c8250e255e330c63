//! Conflicts, and the ways out of them.

use super::action::{Action, Guarded};
use super::fields;
use super::merge;
use super::object::{Key, Object};
use super::snapshot::Entry;
use crate::model::{ObjectId, ObjectKind, Policy, StepVerdict, Way};

/// Two objects cannot have one name, and one of another name may act (a second Deployment with the same selector): the plan
/// puts none there by itself.
const BESIDE: &str =
    "`fr restore EVENT --to DIR` gives the old version as a file, `--to namespace:NAME` as an object there";

/// For each policy what would be done, in words and as an action; or why it cannot.
pub type Ways = Vec<(Policy, Result<(String, Action), String>)>;

/// What stands in the way.
pub enum Clash<'a> {
    /// The command deleted it, and somebody has made another of that name.
    MadeAnew {
        /// As it is now.
        now: &'a Entry,
    },
    /// The command left it there, and somebody has deleted it.
    Deleted,
    /// The command made it, and somebody has changed it, or nobody knows who made it.
    Made {
        /// As it is now.
        now: &'a Entry,
    },
    /// Both have written it.
    Written {
        /// Before, as the command left it, now.
        states: [&'a Object; 3],
        /// As the command left it.
        left: &'a Entry,
        /// As it is now.
        now: &'a Entry,
    },
    /// It is another than before, and nobody told how the command left it.
    Unknown {
        /// As it is now.
        now: &'a Entry,
    },
    /// The server does not take it.
    Refused,
    /// Several events are taken back, and somebody changed it between them.
    Between,
}

impl Clash<'_> {
    /// The ways, each with its action.
    pub fn ways(&self, key: &Key) -> Ways {
        let guard =
            |entry: &Entry| Guarded { key: key.to_string(), uid: entry.uid.clone(), digest: entry.digest };
        let beside = Err(BESIDE.to_owned());
        let closed = |why: &str| Err(why.to_owned());
        let (merge, force) = match self {
            Clash::MadeAnew { now } => (
                closed("nothing is common to both versions"),
                Ok((
                    format!("give {} its old fields, over what somebody has made", key.short()),
                    Action::Force { object: guard(now), left: None },
                )),
            ),
            Clash::Deleted => (
                closed("there is nothing now"),
                Ok((
                    format!("make {} anew, although somebody has deleted it", key.short()),
                    Action::Recreate { objects: vec![key.to_string()], elsewhere: Vec::new() },
                )),
            ),
            Clash::Made { now } => (
                closed("there was nothing before the command"),
                Ok((
                    format!("delete {}, with what somebody has written into it", key.short()),
                    Action::Remove { objects: vec![guard(now)] },
                )),
            ),
            Clash::Written { states, left, now } => (
                merged(states, left.object, guard(now)),
                Ok((
                    format!(
                        "give {} back what the command changed, over what somebody has written",
                        key.short()
                    ),
                    Action::Force { object: guard(now), left: Some(left.object) },
                )),
            ),
            Clash::Unknown { now } => (
                closed("the command never reported back, how it left it is not known"),
                Ok((
                    format!("give {} all its old fields", key.short()),
                    Action::Force { object: guard(now), left: None },
                )),
            ),
            Clash::Refused => (closed("the server does not take it"), closed("the server does not take it")),
            Clash::Between => {
                let why = "somebody changed it between the events: take them back one by one";
                (closed(why), closed(why))
            }
        };
        vec![(Policy::Merge, merge), (Policy::SideBySide, beside), (Policy::Force, force)]
    }
}

fn merged(
    [before, after, now]: &[&Object; 3],
    left: ObjectId,
    object: Guarded,
) -> Result<(String, Action), String> {
    let present = now.normal();
    match merge::merged(&before.normal(), &after.normal(), &present) {
        Err(both) => Err(format!("{} was changed by the command and since", fields::shown(&both))),
        Ok(value) => {
            let goal = ObjectId::of(ObjectKind::State, value.to_string().as_bytes());
            let written = fields::exactly(&value, &present).written;
            let action = format!(
                "merge: take the command's change out of {}, keep what was changed since",
                fields::shown(&written)
            );
            Ok((action, Action::Merge { object, left, goal }))
        }
    }
}

/// As the plan has it; `payload` encodes an action.
pub fn way(
    policy: Policy,
    way: Result<(String, Action), String>,
    payload: impl Fn(Action) -> crate::error::Result<serde_json::Value>,
) -> crate::error::Result<Way> {
    Ok(match way {
        Err(why) => Way::closed(policy, why),
        Ok((action, what)) => {
            Way { policy, action, verdict: StepVerdict::Restore, locator: None, payload: payload(what)? }
        }
    })
}
