//! A command that may have destroyed, replaced, changed or made real resources. The state that it left is true and stays;
//! what terraform would do about it is shown, and done only when asked.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::infra::{Planned, Site, Wish};
use super::super::snapshot::Resource;
use super::super::state::RootState;
use super::super::{data, kit};
use super::{How, Moments, lost, some};
use crate::error::Result;
use crate::model::{Policy, Reversibility, Step, StepVerdict, Way};
use crate::systems::PlanCx;

/// What of the resources is not as it was.
struct Difference {
    /// Gone, or another one by the same name.
    gone: Vec<Resource>,
    /// Changed in place.
    changed: Vec<Resource>,
    /// Made by the command.
    made: Vec<Resource>,
}

impl Moments<'_> {
    pub(super) fn resources(&self, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        let name = self.before.resource();
        if self.before.unread {
            let reason =
                "the state before the command was not read, so what it destroyed is not known".to_owned();
            return Ok(vec![self.step(
                name,
                String::new(),
                StepVerdict::NotCaptured { reason },
                How::Nothing,
            )]);
        }
        let content = RootState::content;
        let after = self.after.as_ref().map(content);
        if after == Some(content(&self.before))
            || (after.is_none() && content(&self.now) == content(&self.before))
        {
            return Ok(Vec::new());
        }
        if content(&self.now) == content(&self.before) {
            return Ok(vec![self.step(name, "as it was".to_owned(), StepVerdict::Already, How::Nothing)]);
        }
        let left = self.after.as_ref().unwrap_or(&self.now);
        let difference = Difference::between(&self.before, left);
        let is_ours = match &self.after {
            Some(after) => content(after) == content(&self.now),
            None => self.only_lost(),
        };
        if !is_ours {
            return self.since(&difference, cx).map(|step| vec![step]);
        }
        self.offered(&difference, cx)
    }

    /// Somebody has written the state since.
    fn since(&self, difference: &Difference, cx: &PlanCx<'_>) -> Result<Step> {
        let is_there = |r: &&Resource| self.now.resources().iter().any(|n| n.address == r.address);
        let again: Vec<&Resource> = difference.gone.iter().filter(is_there).collect();
        let gone_again =
            !difference.made.iter().any(|r| self.now.resources().iter().any(|n| n.address == r.address));
        if again.len() == difference.gone.len()
            && !again.is_empty()
            && difference.changed.is_empty()
            && gone_again
        {
            let names: Vec<&str> = again.iter().map(|r| r.address.as_str()).collect();
            let action = format!("{} exist again, as new resources", some(&names));
            let mut step = self.step(resources_of(&self.before), action, StepVerdict::Already, How::Nothing);
            step.not_restored = difference.gone.iter().map(loss).collect();
            return Ok(step);
        }
        let verdict = StepVerdict::Conflict { reason: self.somebody_wrote() };
        let mut step = self.step(resources_of(&self.before), String::new(), verdict, How::Nothing);
        let still = difference.gone.iter().filter(|r| !is_there(r) && !self.what.takes_out(&r.address));
        let still: Vec<Resource> = still.cloned().collect();
        step.ways = self.ways_since(&still, cx)?;
        step.not_restored = difference.gone.iter().map(loss).collect();
        Ok(step)
    }

    /// What somebody has made since stays, and so does what they changed; what is still gone can be made beside it.
    fn ways_since(&self, still: &[Resource], cx: &PlanCx<'_>) -> Result<Vec<Way>> {
        let closed = |policy| Way::closed(policy, "what somebody applied since is not undone");
        let mut ways = vec![closed(Policy::SideBySide), closed(Policy::Force)];
        if still.is_empty() {
            ways.push(Way::closed(Policy::Merge, "nothing that the command destroyed is still gone"));
            return Ok(ways);
        }
        let wish = Wish { addresses: addresses(still), expect: self.now.content(), ..Wish::default() };
        let site = Site::of(&self.before, &self.captured.before.locator, None, cx.source)?;
        let planned = site.plan(&wish).map(|(planned, _)| planned).map_err(|e| e.to_string());
        let at = kit::place(self.before.terraform.as_path(), cx.event);
        let offer = self.offer(resources_of(&self.before), planned, How::Apply { at, wish, present: false });
        ways.push(Way {
            policy: Policy::Merge,
            action: offer.action,
            verdict: offer.verdict,
            locator: None,
            payload: offer.payload,
        });
        Ok(ways)
    }

    /// The recorded configuration beside the present, and what terraform would do.
    fn offered(&self, difference: &Difference, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        // Forgotten by name in the same command: they may be there, and making them again would make a second one.
        let (forgotten, gone): (Vec<Resource>, Vec<Resource>) =
            difference.gone.iter().cloned().partition(|r| self.what.takes_out(&r.address));
        if !forgotten.is_empty() {
            let names: Vec<&str> = forgotten.iter().map(|r| r.address.as_str()).collect();
            let reason = format!(
                "{} were taken out of the state by name and may still exist: `terraform import` them, by the ids in the \
                 inventory that `fr restore ID --to DIR` gives",
                some(&names)
            );
            let name = format!("tf:forgotten in {}", self.root());
            steps.push(self.step(name, String::new(), StepVerdict::NotCaptured { reason }, How::Nothing));
        }
        let difference =
            &Difference { gone, changed: difference.changed.clone(), made: difference.made.clone() };
        let at = kit::place(self.before.terraform.as_path(), cx.event);
        let mut wish = Wish { expect: self.now.content(), ..Wish::default() };
        wish.addresses =
            difference.gone.iter().chain(&difference.changed).map(|r| r.address.clone()).collect();
        wish.whole = self.now.resources().is_empty() && forgotten.is_empty();
        let is_there = at.is_dir();
        if !wish.addresses.is_empty() {
            let what = "what is gone and what terraform would do";
            let action = format!("put the recorded configuration, {what} into {}", at.display());
            let verdict = if is_there { StepVerdict::Already } else { StepVerdict::Restore };
            let how = How::Kit { at: at.clone(), wish: wish.clone() };
            let name = format!("tf:recorded configuration of {}", self.root());
            steps.push(self.step(name, action, verdict, how));
        }
        if !difference.gone.is_empty() {
            let wish = Wish { addresses: addresses(&difference.gone), ..wish.clone() };
            let site = Site::of(&self.before, &self.captured.before.locator, None, cx.source)?;
            let planned = site.plan(&wish).map(|(planned, _)| planned);
            let how = How::Apply { at: at.clone(), wish: wish.clone(), present: false };
            let mut step = self.offer(resources_of(&self.before), planned.map_err(|e| e.to_string()), how);
            step.not_restored = difference.gone.iter().map(loss).collect();
            if !site.is_root {
                step.action.push_str(&format!(" from {}: the configuration has changed since", at.display()));
            }
            steps.push(step);
        }
        if !difference.changed.is_empty() {
            steps.push(self.changed(&difference.changed, &wish, &at, cx)?);
        }
        if !difference.made.is_empty() {
            let made = Wish { addresses: addresses(&difference.made), remove: true, whole: false, ..wish };
            let site = Site::of(&self.before, &self.captured.before.locator, None, cx.source)?;
            let planned = site.plan(&made).map(|(planned, _)| planned).map_err(|e| e.to_string());
            let how = How::Apply { at, wish: made, present: false };
            steps.push(self.offer(format!("tf:made in {}", self.root()), planned, how));
        }
        Ok(steps)
    }

    /// What was changed in place comes back where some configuration leads to what it was: the one that lies there now,
    /// if somebody has put the old one back, or the recorded one.
    fn changed(
        &self,
        changed: &[Resource],
        wish: &Wish,
        at: &std::path::Path,
        cx: &PlanCx<'_>,
    ) -> Result<Step> {
        let wish = Wish { addresses: addresses(changed), whole: false, ..wish.clone() };
        let locator = &self.captured.before.locator;
        let old = match &self.before.state {
            Some(kept) => serde_json::from_slice(&cx.source.get(&kept.object)?).unwrap_or_default(),
            None => Value::Null,
        };
        let name = format!("tf:changed in {}", self.root());
        for present in [true, false] {
            let site = match present {
                true => Site::present(&self.before, locator)?,
                false => Site::of(&self.before, locator, None, cx.source)?,
            };
            let Ok((planned, _)) = site.plan(&wish) else { continue };
            if planned.leads_to(&wish.addresses, &old) {
                let how = How::Apply { at: at.to_path_buf(), wish, present };
                let mut step = self.offer(name, Ok(planned), how);
                step.reversibility = Reversibility::Exact;
                return Ok(step);
            }
        }
        let commit = self
            .before
            .commit
            .as_deref()
            .map(|c| format!(" (commit {c} was checked out)"))
            .unwrap_or_default();
        let reason = format!(
            "{} were changed by a configuration that was there before the command; put back the one that made the old \
             state{commit} and undo again: then applying it is offered",
            some(&wish.addresses.iter().map(String::as_str).collect::<Vec<_>>())
        );
        Ok(self.step(name, String::new(), StepVerdict::NotCaptured { reason }, How::Nothing))
    }

    /// A step that is done only when asked.
    fn offer(&self, name: String, planned: Result<Planned, String>, how: How) -> Step {
        let (action, verdict) = match planned {
            Ok(planned) if planned.is_empty() => {
                let reason =
                    "terraform would change nothing: its configuration does not have them".to_owned();
                (String::new(), StepVerdict::NotCaptured { reason })
            }
            Ok(planned) => {
                let reason = "it changes real infrastructure: --apply-infra does it".to_owned();
                (format!("terraform apply: {}", planned.shown()), StepVerdict::OnRequest { reason })
            }
            Err(e) => {
                (String::new(), StepVerdict::NotCaptured { reason: format!("terraform made no plan: {e}") })
            }
        };
        let mut step = self.step(name, action, verdict, how);
        step.reversibility = Reversibility::Recreate;
        step
    }
}

impl Planned {
    /// All of these would be changed in place, to what the old state has of them.
    fn leads_to(&self, addresses: &[String], old: &Value) -> bool {
        let is_old = |address: &String| {
            let (Some(leaves), Some(was)) = (self.leaves.get(address), attributes(old, address)) else {
                return false;
            };
            let known = leaves.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            let mut known = known.peekable();
            known.peek().is_some()
                && known.all(|(name, value)| was.get(name).map(plain).as_ref() == Some(value))
        };
        self.create.is_empty() && self.delete.is_empty() && addresses.iter().all(is_old)
    }
}

/// The attributes of a resource in a state file.
fn attributes<'a>(state: &'a Value, address: &str) -> Option<&'a Value> {
    let resources = state["resources"].as_array()?.iter();
    let found = resources.flat_map(|resource| {
        let text = |name: &str| resource[name].as_str().unwrap_or_default();
        let module =
            Some(text("module")).filter(|m| !m.is_empty()).map(|m| format!("{m}.")).unwrap_or_default();
        let front = format!("{module}{}.{}", text("type"), text("name"));
        let instances = resource["instances"].as_array().into_iter().flatten();
        instances.map(move |instance| {
            let key = match &instance["index_key"] {
                Value::Null => String::new(),
                key => format!("[{key}]"),
            };
            (format!("{front}{key}"), &instance["attributes"])
        })
    });
    found.into_iter().find(|(own, _)| own == address).map(|(_, attributes)| attributes)
}

/// A value of any type is stored with its type beside it (terraform's `cty` in JSON).
fn plain(value: &Value) -> Value {
    match value.as_object() {
        Some(fields) if fields.len() == 2 && fields.contains_key("type") => {
            fields.get("value").cloned().unwrap_or_else(|| value.clone())
        }
        _ => value.clone(),
    }
}

impl Difference {
    fn between(before: &RootState, after: &RootState) -> Difference {
        let (old, new) = (before.resources(), after.resources());
        let mut difference = Difference { gone: Vec::new(), changed: Vec::new(), made: Vec::new() };
        let is_deposed = |r: &&Resource| r.address.contains(" (deposed ");
        difference.gone.extend(lost(old, new).into_iter().filter(|r| !is_deposed(r)).cloned());
        for was in old {
            let Some(is) = new.iter().find(|r| r.address == was.address && r.content != was.content) else {
                continue;
            };
            let list = if is.id == was.id { &mut difference.changed } else { &mut difference.gone };
            list.push(was.clone());
        }
        let names: BTreeSet<&str> = old.iter().map(|r| r.address.as_str()).collect();
        let made = new.iter().filter(|r| !names.contains(r.address.as_str()) && !is_deposed(r));
        difference.made.extend(made.cloned());
        difference
    }
}

fn addresses(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(|r| r.address.clone()).collect()
}

fn resources_of(state: &RootState) -> String {
    format!("tf:resources of {}", state.terraform.lossy())
}

/// What is lost with a resource, whatever is made in its place.
fn loss(resource: &Resource) -> String {
    let id = resource.id.as_deref().map(|id| format!(" (id {id})")).unwrap_or_default();
    let mut text = format!("{}{id} is gone; a new one has another identity", resource.address);
    if data::holds_data(resource) {
        text.push_str(" and none of its data");
    }
    let hints = data::hints(resource);
    if !hints.is_empty() {
        text.push_str(&format!("; the state says {hints}"));
    }
    text
}
