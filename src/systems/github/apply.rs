//! Carries out a step: on the recorded host and no other, and only while the thing is as the plan saw it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::cli::Gh;
use super::kinds::{self, Kind};
use super::look::{self, Eyes, ISSUES, Seen};
use super::query::Access;
use super::{capture, mirror, protection, release};
use crate::error::{Error, Result};
use crate::model::{ObjectSource, Step, StepOutcome};
use crate::systems::ApplyCx;
use crate::systems::things::{Job, Nowhere, Thing, Things, Verb};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let job = Job::of(step)?;
    let before = job.before(cx.source)?;
    let gh = Gh::of(&Access::of(&step.locator), Instant::now() + LIMIT);
    capture::same_place(&gh, &before)?;
    let eyes = Eyes {
        gh: &gh,
        sink: &Nowhere,
        contents: false,
        left: Cell::new(u64::MAX),
        scratch: cx.vault.clone(),
    };
    let old = before.get(&job.name);
    let now = look::one(&eyes, &job.name, old, None)?;
    if let Some(outcome) = job.check(old, now.as_ref().map(|now| &now.thing)) {
        return Ok(outcome);
    }
    let work = Work { eyes: &eyes, source: cx.source, before: &before };
    let outcome = work.act(&job, old, now.as_ref())?;
    (cx.progress)(1);
    Ok(outcome)
}

struct Work<'a> {
    eyes: &'a Eyes<'a>,
    source: &'a dyn ObjectSource,
    before: &'a Things,
}

impl Work<'_> {
    fn act(&self, job: &Job, old: Option<&Thing>, now: Option<&Seen>) -> Result<StepOutcome> {
        let unknown =
            || StepOutcome::Failed { reason: format!("fr does not know how to write {}", job.name) };
        let Some((kind, path)) = kinds::of(&job.name) else { return Ok(unknown()) };
        match (job.verb, old, now) {
            (Verb::Anew, Some(old), _) => self.anew(kind, path, &job.name, old),
            (Verb::Change, Some(old), Some(now)) => self.change(kind, path, old, now),
            (Verb::Remove, _, Some(now)) => {
                let Some((method, to)) = kinds::request(&kind.remove, path, &now.thing.id) else {
                    return Ok(unknown());
                };
                self.send(&method, &to, None)
            }
            _ => Ok(unknown()),
        }
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<StepOutcome> {
        let answer = self.eyes.gh.api(method, path, body)?;
        match answer.status {
            404 if method == "DELETE" => Ok(StepOutcome::Done),
            _ => answer.good().map(|_| StepOutcome::Done),
        }
    }

    fn described(&self, thing: &Thing) -> Result<Value> {
        serde_json::from_slice(&self.source.get(&thing.object)?)
            .map_err(|e| Error::corrupt(format!("a description from GitHub cannot be read: {e}")))
    }

    fn body(&self, kind: &Kind, described: &Value) -> Result<Value> {
        match kind.name.as_str() {
            "protection" => Ok(protection::wanted(described)),
            "gist" => look::gist(self.eyes.gh, kind, described),
            _ => {
                let mut fields = kind.normal(described);
                if kind.name != "issue" && kind.name != "pull" {
                    fields.retain(|_, value| !value.is_null());
                }
                if let Some(config) = fields.get_mut("config").and_then(Value::as_object_mut) {
                    // What GitHub shows instead of a secret would become the secret.
                    config.remove("secret");
                }
                Ok(Value::Object(fields))
            }
        }
    }

    fn anew(&self, kind: &Kind, path: &str, name: &str, old: &Thing) -> Result<StepOutcome> {
        let described = self.described(old)?;
        if let Some(other) = self.renamed_to(kind, name, old)? {
            let own = kinds::decoded(path.rsplit('/').next().unwrap_or_default());
            let body = json!({ kind.rename.as_str(): own });
            self.send("PATCH", &other, Some(&body))?;
            let now = look::one(self.eyes, name, Some(old), None)?;
            return match now {
                Some(now) if !now.thing.looks_like(old) => self.change(kind, path, old, &now),
                _ => Ok(StepOutcome::Done),
            };
        }
        if kind.name == "repo" {
            return mirror::make(self.eyes.gh, &self.eyes.scratch, kind, (path, old), self.source);
        }
        let Some((method, to)) = kinds::request(&kind.make, path, "") else {
            return Ok(StepOutcome::Failed { reason: "fr does not know how to make it".to_owned() });
        };
        let made = self.eyes.gh.api(&method, &to, Some(&self.body(kind, &described)?))?.good()?;
        match kind.name.as_str() {
            "release" => release::bring(self.eyes, (&described, old), &made, self.source),
            "protection" => self.signatures(path, &described),
            "label" => self.labelled(path, old),
            _ => Ok(StepOutcome::Done),
        }
    }

    /// Where a thing is by now, if it has only got another name.
    fn renamed_to(&self, kind: &Kind, name: &str, old: &Thing) -> Result<Option<String>> {
        if kind.rename.is_empty() {
            return Ok(None);
        }
        for other in self.before.names().filter(|other| *other != name) {
            let Some((_, path)) = kinds::of(other).filter(|(k, _)| k.name == kind.name) else { continue };
            if look::one(self.eyes, other, None, None)?.is_some_and(|now| now.thing.id == old.id) {
                return Ok(Some(path.to_owned()));
            }
        }
        Ok(None)
    }

    fn change(&self, kind: &Kind, path: &str, old: &Thing, seen: &Seen) -> Result<StepOutcome> {
        let described = self.described(old)?;
        let Seen { thing: now, described: present } = seen;
        match kind.name.as_str() {
            "workflow" => {
                let verb = if old.state == "active" { "enable" } else { "disable" };
                return self.send("PUT", &format!("{path}/{verb}"), None);
            }
            "run" => return self.send("POST", &format!("{path}/rerun"), None),
            "repo" => return self.repository(kind, path, &described, present),
            "hook" => return self.hook(path, &described, present),
            "issue" | "pull" => return self.conversation(kind, path, (&described, old), (present, now)),
            "api" => {
                let fields = old.fact("fields").split(' ').filter(|f| !f.is_empty());
                let body: Map<String, Value> =
                    fields.map(|f| (f.to_owned(), described.get(f).cloned().unwrap_or_default())).collect();
                return self.send("PATCH", path, Some(&Value::Object(body)));
            }
            _ => {}
        }
        let Some((method, to)) = kinds::request(&kind.change, path, &now.id) else {
            return Ok(StepOutcome::Failed { reason: "fr does not know how to change it".to_owned() });
        };
        let mut body = self.body(kind, &described)?;
        if let ("label" | "release" | "ruleset", Some(fields)) = (kind.name.as_str(), body.as_object_mut()) {
            fields.extend(emptied(kind, &described, present));
        }
        if let (true, Some(fields)) = (matches!(kind.name.as_str(), "ref" | "base"), body.as_object_mut()) {
            fields.remove("ref");
            fields.insert("force".to_owned(), json!(true));
        }
        if let ("gist", Some(files)) =
            (kind.name.as_str(), body.get_mut("files").and_then(Value::as_object_mut))
        {
            // A file that is named without content goes.
            for name in present.get("files").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
                files.entry(name.clone()).or_insert(Value::Null);
            }
        }
        self.send(&method, &to, Some(&body))?;
        match kind.name.as_str() {
            "release" => {
                let list = path.split("/tags/").next().unwrap_or_default();
                let now = self.eyes.gh.api("GET", &format!("{list}/{}", now.id), None)?.good()?;
                release::bring(self.eyes, (&described, old), &now, self.source)
            }
            "protection" => self.signatures(path, &described),
            _ => Ok(StepOutcome::Done),
        }
    }

    /// Its configuration is written part by part: written as a whole it would lose the secret, which nobody can read.
    fn hook(&self, path: &str, old: &Value, now: &Value) -> Result<StepOutcome> {
        let part = |of: &Value, name: &str| of.get("config").and_then(|config| config.get(name)).cloned();
        let config: Map<String, Value> = ["url", "content_type", "insecure_ssl"]
            .iter()
            .filter(|name| part(old, name) != part(now, name))
            .filter_map(|name| Some(((*name).to_owned(), part(old, name)?)))
            .collect();
        if !config.is_empty() {
            self.send("PATCH", &format!("{path}/config"), Some(&Value::Object(config)))?;
        }
        let fields: Map<String, Value> = ["active", "events"]
            .iter()
            .filter(|name| old.get(**name) != now.get(**name))
            .filter_map(|name| Some(((*name).to_owned(), old.get(*name)?.clone())))
            .collect();
        match fields.is_empty() {
            true => Ok(StepOutcome::Done),
            false => self.send("PATCH", path, Some(&Value::Object(fields))),
        }
    }

    /// Only what differs: GitHub refuses some fields even with their own value.
    fn repository(&self, kind: &Kind, path: &str, old: &Value, now: &Value) -> Result<StepOutcome> {
        let mut fields = kind.normal(old);
        let present = kind.normal(now);
        fields.retain(|name, value| !value.is_null() && present.get(name) != Some(value));
        fields.extend(emptied(kind, old, now));
        // Of an archived repository nothing else can be changed.
        if present.get("archived") == Some(&json!(true)) {
            self.send("PATCH", path, Some(&json!({ "archived": false })))?;
        }
        let archive = fields.remove("archived") == Some(json!(true));
        if fields.contains_key("visibility") {
            fields.remove("private");
        }
        if !fields.is_empty() {
            self.send("PATCH", path, Some(&Value::Object(fields)))?;
        }
        if old.get("topics") != now.get("topics") {
            self.send("PUT", &format!("{path}/topics"), Some(&json!({ "names": old.get("topics") })))?;
        }
        if archive {
            self.send("PATCH", path, Some(&json!({ "archived": true })))?;
        }
        Ok(StepOutcome::Done)
    }

    /// An issue or a pull request.
    fn conversation(
        &self,
        kind: &Kind,
        path: &str,
        (old, before): (&Value, &Thing),
        (present, now): (&Value, &Thing),
    ) -> Result<StepOutcome> {
        let mut fields = kind.normal(old);
        let is = kind.normal(present);
        fields.retain(|name, value| is.get(name) != Some(value) && name != "draft");
        if before.state != now.state {
            fields.insert("state".to_owned(), json!(before.state));
        }
        if !fields.is_empty() {
            self.send("PATCH", path, Some(&Value::Object(fields)))?;
        }
        if kind.name == "issue" && old.get("locked") != present.get("locked") {
            let method = if old.get("locked") == Some(&json!(true)) { "PUT" } else { "DELETE" };
            self.send(method, &format!("{path}/lock"), None)?;
        }
        if kind.name == "pull" && old.get("draft") != present.get("draft") {
            let parts: Vec<&str> = path.split('/').collect();
            if let ["repos", owner, repo, "pulls", number] = parts.as_slice() {
                let repo = format!("{owner}/{repo}");
                let mut words = vec!["pr", "ready", number, "-R", &repo];
                if old.get("draft") == Some(&json!(true)) {
                    words.push("--undo");
                }
                self.eyes.gh.ask(&words)?;
            }
        }
        Ok(StepOutcome::Done)
    }

    fn signatures(&self, path: &str, old: &Value) -> Result<StepOutcome> {
        let to = format!("{path}/required_signatures");
        self.send(if protection::signed(old) { "POST" } else { "DELETE" }, &to, None)
    }

    /// A label on the issues that had it.
    fn labelled(&self, path: &str, old: &Thing) -> Result<StepOutcome> {
        let Some(part) = old.parts.get(ISSUES) else { return Ok(StepOutcome::Done) };
        let (repo, label) = path.split_once("/labels/").unwrap_or_default();
        let text = part.whole(self.source)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        for number in text.lines().filter(|line| !line.is_empty()) {
            let body = json!({ "labels": [kinds::decoded(label)] });
            self.send("POST", &format!("{repo}/issues/{number}/labels"), Some(&body))?;
        }
        Ok(StepOutcome::Done)
    }
}

/// What had nothing and has something by now, as a request that takes it away says it: what is left out of a request stays.
fn emptied(kind: &Kind, old: &Value, now: &Value) -> Map<String, Value> {
    let present = kind.normal(now);
    let had_none = kind.normal(old).into_iter().filter(|(_, value)| value.is_null());
    had_none
        .filter_map(|(name, _)| match present.get(&name)? {
            Value::Null => None,
            Value::String(text) => (!text.is_empty()).then(|| (name, json!(""))),
            _ => Some((name, Value::Null)),
        })
        .collect()
}
