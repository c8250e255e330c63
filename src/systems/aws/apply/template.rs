//! A launch template that is made anew: its versions come in their order, since a number is given by counting and never again.

use serde_json::{Map, Value, json};

use super::{Thing, failed};
use crate::error::Result;
use crate::model::StepOutcome;
use crate::systems::aws::cli::Call;
use crate::systems::aws::snapshot::{Key, Snapshot};

/// The kind of a launch template.
pub const TEMPLATE: &str = "ec2:launch-template";
/// The kind of the versions of a launch template.
pub const VERSIONS: &str = "ec2:launch-template-versions";

impl Thing<'_> {
    /// Makes it anew with its first version.
    pub fn template(&self, old: &Value) -> Result<StepOutcome> {
        let part = self.before.part(&Key::new(VERSIONS, &[self.key.id(0)]));
        let list = part.map(|part| Snapshot::value(part, self.source)).transpose()?;
        let versions = by_number(list.as_ref());
        let Some((_, first)) = versions.first() else {
            return Ok(failed(&format!("{}: its versions were not captured", self.key.shown())));
        };
        let mut input = version_of(self.key.id(0), first);
        // Its name is what it is known by, so it needs no mark.
        if let Some(tags) = old["Tags"].as_array().filter(|tags| !tags.is_empty()) {
            let tags = json!([{"ResourceType": "launch-template", "Tags": tags}]);
            input.insert("TagSpecifications".to_owned(), tags);
        }
        match self.cli.ask(Call::new("ec2", "create-launch-template", Value::Object(input)))? {
            Ok(_) => Ok(StepOutcome::Done),
            Err(refusal) => Ok(self.refused("create-launch-template", &refusal, &[])),
        }
    }

    /// Adds the versions that are missing, and lets the old one be the default.
    pub fn versions(&self, old: &Value, now: Option<&Value>) -> Result<StepOutcome> {
        let name = self.key.id(0);
        let (old, now) = (by_number(Some(old)), by_number(now));
        let mut last = now.last().map_or(0, |(number, _)| *number);
        let is_there = |number: u64| now.iter().any(|(known, _)| *known == number);
        for (number, version) in old.iter().filter(|(number, _)| !is_there(*number)) {
            if *number != last + 1 {
                return Ok(failed(&format!(
                    "{}: its versions had gaps, so version {number} would get the number {}; \
                     `fr restore ID --to DIR` has its data",
                    self.key.shown(),
                    last + 1
                )));
            }
            let input = Value::Object(version_of(name, version));
            if let Err(refusal) = self.cli.ask(Call::new("ec2", "create-launch-template-version", input))? {
                return Ok(self.refused("create-launch-template-version", &refusal, &[]));
            }
            last = *number;
        }
        let usual = old.iter().find(|(_, version)| version["DefaultVersion"] == true);
        if let Some((number, _)) = usual {
            let input = json!({"LaunchTemplateName": name, "DefaultVersion": number.to_string()});
            if let Err(refusal) = self.cli.ask(Call::new("ec2", "modify-launch-template", input))? {
                return Ok(self.refused("modify-launch-template", &refusal, &[]));
            }
        }
        Ok(StepOutcome::Done)
    }
}

fn version_of(name: &str, version: &Value) -> Map<String, Value> {
    let mut input = Map::new();
    input.insert("LaunchTemplateName".to_owned(), Value::from(name));
    input.insert("LaunchTemplateData".to_owned(), version["LaunchTemplateData"].clone());
    if let Some(said) = version["VersionDescription"].as_str().filter(|said| !said.is_empty()) {
        input.insert("VersionDescription".to_owned(), Value::from(said));
    }
    input
}

fn by_number(list: Option<&Value>) -> Vec<(u64, &Value)> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    let mut all: Vec<(u64, &Value)> =
        list.filter_map(|version| Some((version["VersionNumber"].as_u64()?, version))).collect();
    all.sort_by_key(|(number, _)| *number);
    all
}
