//! The way back, key by key, by what it held before (B), after (A) and holds now (N).

use serde::{Deserialize, Serialize};

use super::ID;
use super::capture::named;
use super::state::{Held, Keys};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, ObjectId, ObjectSource, Reversibility, StateRef, Step, StepVerdict, SystemId,
};
use crate::platform::clock;
use crate::systems::PlanCx;

/// A step's instructions: names are in the states that it points to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The state before the command.
    pub before: ObjectId,
    /// How the command left it; `None`: nobody told.
    pub after: Option<ObjectId>,
    /// What is done.
    #[serde(rename = "do")]
    pub verb: Verb,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Writes keys.
    Keys,
    /// Sets parameters.
    Config,
    /// Nothing.
    Nothing,
}

impl Payload {
    /// A step's.
    pub fn of(step: &Step) -> Result<Payload> {
        serde_json::from_value(step.payload.clone())
            .map_err(|e| Error::failure(format!("the plan's step for a Redis server cannot be read: {e}")))
    }

    /// The states before and after.
    pub fn states(&self, source: &dyn ObjectSource) -> Result<(Keys, Option<Keys>)> {
        let load = |id: ObjectId| Keys::load(&StateRef { digest: id, object: Some(id) }, source);
        Ok((load(self.before)?, self.after.map(load).transpose()?))
    }
}

/// What is to be done about a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Left,
    /// It is as it was.
    Back,
    /// It is gone and is put back where nothing is.
    Gone,
    /// It is put back over what the command left.
    Changed,
    /// It was made and is deleted.
    Made,
    /// Somebody else has written it since.
    Conflict,
}

/// Judges a key. `now_ms`: what would have expired by now is no loss.
pub fn standing(b: Option<&Held>, a: Option<Option<&Held>>, n: Option<&Held>, now_ms: i64) -> Standing {
    let same = |x: Option<&Held>, y: Option<&Held>| match (x, y) {
        (Some(x), Some(y)) => x.is(y),
        (None, None) => true,
        _ => false,
    };
    let is_past = |held: &Held| held.expires >= 0 && held.expires <= now_ms;
    if same(b, n) {
        return if a.is_some_and(|a| same(a, b)) { Standing::Left } else { Standing::Back };
    }
    if a.is_some_and(|a| same(a, b)) {
        return Standing::Left;
    }
    match (b, a, n) {
        (Some(b), _, None) if is_past(b) => Standing::Left,
        (Some(_), None | Some(None), None) => Standing::Gone,
        // What the command left has expired since.
        (Some(_), Some(Some(a)), None) if is_past(a) => Standing::Gone,
        (Some(b), Some(a), Some(_)) if same(a, n) && is_past(b) => Standing::Made,
        (Some(_), Some(a), Some(_)) if same(a, n) => Standing::Changed,
        (None, Some(a), Some(_)) if same(a, n) => Standing::Made,
        (None, Some(None), Some(_)) => Standing::Left,
        (None, _, None) => Standing::Left,
        _ => Standing::Conflict,
    }
}

/// Plans: one step for all keys, one for the configuration, one for what is in conflict.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let before = Keys::load(&captured.before.state, cx.source)?;
    let after = captured.after.map(|after| Keys::load(&after, cx.source)).transpose()?;
    let present = Keys::load(now, cx.source)?;
    let now_ms = clock::now_ns() / 1_000_000;
    let (mut back, mut gone, mut changed, mut made) = (0, 0, 0, 0);
    let mut conflicts = Vec::new();
    for (key, b) in &before.records {
        let get = |keys: &Keys| keys.records.get(key).cloned().flatten();
        let (a, n) = (after.as_ref().map(get), get(&present));
        match standing(b.as_ref(), a.as_ref().map(Option::as_ref), n.as_ref(), now_ms) {
            Standing::Left => {}
            Standing::Back => back += 1,
            Standing::Gone => gone += 1,
            Standing::Changed => changed += 1,
            Standing::Made => made += 1,
            Standing::Conflict => conflicts.push(named(key.0, &key.1)),
        }
    }
    let mut steps = Vec::new();
    let resource = captured.before.resource.clone();
    if gone + changed + made > 0 {
        let mut parts = Vec::new();
        for (count, what) in
            [(gone, "put back"), (changed, "give its old value and time to"), (made, "delete what was made,")]
        {
            if count > 0 {
                let keys = if count == 1 { "key" } else { "keys" };
                parts.push(format!("{what} {count} {keys}"));
            }
        }
        let action = parts.join(", ");
        steps.push(step(captured, resource.clone(), action, StepVerdict::Restore, Verb::Keys)?);
    }
    let config: Vec<&String> =
        before.config.iter().filter(|(n, v)| present.config.get(*n) != Some(v)).map(|(n, _)| n).collect();
    if !config.is_empty() {
        let moved = after
            .as_ref()
            .is_none_or(|after| config.iter().any(|n| after.config.get(*n) != present.config.get(*n)));
        let verdict = match moved {
            true => StepVerdict::Conflict { reason: "somebody has set it since".to_owned() },
            false => StepVerdict::Restore,
        };
        let names = config.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", ");
        steps.push(step(
            captured,
            resource.clone(),
            format!("set {names} as before"),
            verdict,
            Verb::Config,
        )?);
    }
    if !conflicts.is_empty() {
        let reason = format!("{} of its keys were written since: {}", conflicts.len(), some_of(&conflicts));
        let verdict = StepVerdict::Conflict { reason };
        steps.push(step(
            captured,
            resource.clone(),
            "leave them as they are".to_owned(),
            verdict,
            Verb::Nothing,
        )?);
    }
    if steps.is_empty() && back > 0 {
        steps.push(step(captured, resource, "is back".to_owned(), StepVerdict::Already, Verb::Nothing)?);
    }
    Ok(steps)
}

/// The first few.
pub fn some_of(names: &[String]) -> String {
    const NAMED: usize = 5;
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text.push_str(", …");
    }
    text
}

fn step(
    captured: &Captured,
    resource: Bytes,
    action: String,
    verdict: StepVerdict,
    verb: Verb,
) -> Result<Step> {
    let state = |state: Option<ObjectId>| state.ok_or_else(|| Error::corrupt("a capture without its state"));
    let before = state(captured.before.state.object)?;
    let after = captured.after.map(|after| state(after.object)).transpose()?;
    let payload = serde_json::to_value(Payload { before, after, verb })
        .map_err(|e| Error::failure(format!("cannot encode a step: {e}")))?;
    Ok(Step {
        system: SystemId::new(ID),
        resource,
        action,
        reversibility: Reversibility::Exact,
        verdict,
        not_restored: Vec::new(),
        locator: captured.before.locator.clone(),
        payload,
        policy: None,
        ways: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKind;

    fn held(text: &str, expires: i64) -> Held {
        Held { expires, identity: ObjectId::of(ObjectKind::Blob, text.as_bytes()), dump: Vec::new() }
    }

    #[test]
    fn what_would_have_expired_stays_away_and_what_others_wrote_stays() {
        let (x, y, z) = (held("x", -1), held("y", -1), held("z", -1));
        let past = held("x", 10);
        assert_eq!(standing(Some(&x), Some(None), None, 100), Standing::Gone);
        assert_eq!(standing(Some(&x), None, None, 100), Standing::Gone);
        assert_eq!(standing(Some(&past), Some(None), None, 100), Standing::Left);
        assert_eq!(standing(Some(&x), Some(Some(&y)), Some(&y), 100), Standing::Changed);
        assert_eq!(standing(Some(&x), Some(Some(&y)), Some(&z), 100), Standing::Conflict);
        assert_eq!(standing(Some(&x), Some(None), Some(&z), 100), Standing::Conflict);
        assert_eq!(standing(Some(&x), Some(Some(&x)), Some(&z), 100), Standing::Left);
        assert_eq!(standing(None, Some(Some(&y)), Some(&y), 100), Standing::Made);
        assert_eq!(standing(None, Some(None), Some(&y), 100), Standing::Left);
        assert_eq!(standing(None, None, Some(&y), 100), Standing::Conflict);
    }
}
