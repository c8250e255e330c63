//! A command that may have destroyed, replaced, changed or made real resources. The state that it left is true and stays;
//! what terraform would do about it is shown, and done only when asked.

use serde_json::Value;

use super::super::declared::Declared;
use super::super::infra::{Planned, Site, Wish};
use super::super::snapshot::Resource;
use super::super::state::RootState;
use super::super::{data, kit};
use super::difference::Difference;
use super::{How, Moments, some};
use crate::error::Result;
use crate::model::{Policy, Reversibility, Step, StepVerdict, Way};
use crate::systems::PlanCx;

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
        let declared = Declared::of(&self.before, cx.source)?;
        let difference = Difference::between(&self.before, left, &self.what, &declared);
        let is_ours = match &self.after {
            Some(after) => content(after) == content(&self.now),
            None => self.only_lost(),
        };
        if !is_ours {
            return self.since(&difference, cx).map(|step| vec![step]);
        }
        if difference.is_of_the_state_alone() {
            return Ok(vec![self.pushed_back(&difference)]);
        }
        self.offered(&difference, cx)
    }

    /// The configuration says that no real resource was destroyed, changed or made: the old state is as true as before.
    fn pushed_back(&self, difference: &Difference) -> Step {
        let (before, now) = (self.before.shown(), self.now.shown());
        let mut action = match self.before.content() {
            Some(_) => format!("push the old state ({before}) over the present one ({now})"),
            None => format!("push a state without anything over the present one ({now})"),
        };
        let parts = [
            (names(&difference.forgotten), "was only forgotten"),
            (names(&difference.taken_over), "was there before it was imported"),
            (names_of(&difference.renamed), "was only renamed"),
        ];
        let told = parts.iter().filter(|(names, _)| !names.is_empty());
        let told: Vec<String> = told.map(|(names, what)| format!("{} {what}", some(names))).collect();
        if !told.is_empty() {
            action.push_str(&format!("; as the configuration says, {}", told.join(", ")));
        }
        let serial = self.now.state.as_ref().map(|kept| kept.serial);
        let how = How::Push { expect: self.now.content(), serial, force: false };
        let mut step = self.step(self.before.resource(), action, StepVerdict::Restore, how);
        let unknown = |r: &Resource| {
            format!(
                "settings of {} that the same command may have changed: no state knew them before",
                r.address
            )
        };
        step.not_restored = difference.taken_over.iter().map(unknown).collect();
        step
    }

    /// What is in the state for another reason than that it was made, or left it for another than that it is gone.
    fn kept_alive(&self, difference: &Difference) -> Vec<Step> {
        let inventory = "by the ids in the inventory that `fr restore ID --to DIR` gives";
        let named = match self.what.forgets_any() {
            true => {
                "left the state in a line that destroys and also forgets: which of them still exist is not known"
            }
            false => "were taken out of the state by name and may still exist",
        };
        let parts = [
            (
                "forgotten",
                names(&difference.named),
                format!("{named}: `terraform import` those that do, {inventory}"),
            ),
            (
                "forgotten",
                names(&difference.forgotten),
                format!(
                    "were taken out of the state by a block that says not to destroy them, and still exist: \
                     `terraform import` them, {inventory}"
                ),
            ),
            (
                "imported",
                names(&difference.taken_over),
                "were there before an `import` block took them into the state: they are not removed; `terraform state rm` \
                 takes them out of it again"
                    .to_owned(),
            ),
            (
                "renamed",
                names_of(&difference.renamed),
                "is the same resource by another name (a `moved` block) and stays; `terraform state mv` gives the old name back"
                    .to_owned(),
            ),
        ];
        let mut steps = Vec::new();
        for (what, names, text) in parts {
            if !names.is_empty() {
                let reason = format!("{} {text}", some(&names));
                let name = format!("tf:{what} in {}", self.root());
                steps.push(self.step(name, String::new(), StepVerdict::NotCaptured { reason }, How::Nothing));
            }
        }
        steps
    }

    /// What was replaced exists as another one, which the present configuration makes no other again.
    fn replaced(&self, replaced: &[Resource]) -> Step {
        let verb = if replaced.len() == 1 { "was" } else { "were" };
        let reason = format!(
            "{} {verb} destroyed and made anew by the command; what is there now stays, and what is lost is named",
            some(&names(replaced))
        );
        let name = format!("tf:replaced in {}", self.root());
        let mut step = self.step(name, String::new(), StepVerdict::NotCaptured { reason }, How::Nothing);
        step.reversibility = Reversibility::Recreate;
        step.not_restored = replaced.iter().map(loss).collect();
        step
    }

    /// Somebody has written the state since.
    fn since(&self, difference: &Difference, cx: &PlanCx<'_>) -> Result<Step> {
        let is_there = |r: &&Resource| self.now.resources().iter().any(|n| n.address == r.address);
        let again: Vec<&Resource> = difference.destroyed().filter(is_there).collect();
        let gone_again =
            !difference.made.iter().any(|r| self.now.resources().iter().any(|n| n.address == r.address));
        if again.len() == difference.destroyed().count()
            && !again.is_empty()
            && difference.changed.is_empty()
            && gone_again
        {
            let names: Vec<&str> = again.iter().map(|r| r.address.as_str()).collect();
            let action = format!("{} exist again, as new resources", some(&names));
            let mut step = self.step(resources_of(&self.before), action, StepVerdict::Already, How::Nothing);
            step.not_restored = difference.destroyed().map(loss).collect();
            return Ok(step);
        }
        let verdict = StepVerdict::Conflict { reason: self.somebody_wrote() };
        let mut step = self.step(resources_of(&self.before), String::new(), verdict, How::Nothing);
        let still: Vec<Resource> = difference.gone.iter().filter(|r| !is_there(r)).cloned().collect();
        step.ways = self.ways_since(&still, cx)?;
        step.not_restored = difference.destroyed().map(loss).collect();
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
        // Making again what still exists would make a second one; removing what was there before would destroy it.
        let mut steps = self.kept_alive(difference);
        let at = kit::place(self.before.terraform.as_path(), cx.event);
        let mut wish = Wish { expect: self.now.content(), ..Wish::default() };
        let touched = difference.destroyed().chain(&difference.changed);
        wish.addresses = touched.map(|r| r.address.clone()).collect();
        wish.whole = self.now.resources().is_empty() && steps.is_empty();
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
        if !difference.replaced.is_empty() {
            steps.push(self.replaced(&difference.replaced));
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

fn addresses(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(|r| r.address.clone()).collect()
}

fn names(resources: &[Resource]) -> Vec<&str> {
    resources.iter().map(|r| r.address.as_str()).collect()
}

fn names_of(renamed: &[(Resource, Resource, bool)]) -> Vec<&str> {
    renamed.iter().map(|(_, is, _)| is.address.as_str()).collect()
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
