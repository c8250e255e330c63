//! What other tools are given: CACAO 2.0, by the schemas that OASIS publishes (`tests/corpus/cacao`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use super::{SHIPPED, own, playbook};
use crate::env::TestEnv;

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/cacao/schemas")
}

fn read(name: &str) -> Value {
    let path = dir().join(name);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"))).unwrap()
}

/// The published schemas under the addresses that they give themselves.
fn schemas() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            found.push((schema["$id"].as_str().unwrap().to_owned(), schema));
        }
    }
    assert!(found.len() > 40, "{}", found.len());
    found
}

#[track_caller]
fn fits(validator: &Validator, what: &str, value: &Value) {
    let wrong: Vec<String> =
        validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:#?}\n{value:#}");
}

/// The words that a schema has a property for, those that it takes over included.
fn words(name: &str) -> BTreeSet<String> {
    let schema = read(name);
    let mut found = BTreeSet::new();
    for part in std::iter::once(&schema).chain(schema["allOf"].as_array().into_iter().flatten()) {
        found.extend(part["properties"].as_object().into_iter().flat_map(|map| map.keys().cloned()));
        if let Some(other) = part["$ref"].as_str().filter(|other| !other.starts_with('#')) {
            let place = Path::new(name).parent().unwrap().join(other.trim_start_matches("./"));
            found.extend(words(place.to_str().unwrap()));
        }
    }
    found
}

/// `unevaluatedProperties` is no word of the draft that the schemas name: what they do not know is looked for here.
#[track_caller]
fn only_known(schema: &str, value: &Value) {
    let known = words(schema);
    let odd: Vec<&String> = value.as_object().unwrap().keys().filter(|word| !known.contains(*word)).collect();
    assert!(odd.is_empty(), "{schema} does not know {odd:?}: {value:#}");
}

#[test]
fn every_export_fits_the_published_schemas() {
    let schemas = schemas();
    let registry = Registry::new()
        .extend(schemas.iter().map(|(id, schema)| (id.as_str(), schema)))
        .unwrap()
        .prepare()
        .unwrap();
    let of = |name: &str| jsonschema::options().with_registry(&registry).build(&read(name)).unwrap();
    let whole = of("playbook.json");
    let kinds = ["start", "end", "action"].map(|kind| (kind, of(&format!("workflows/{kind}.json"))));
    let commands = ["bash", "manual"].map(|kind| (kind, of(&format!("commands/{kind}.json"))));
    let agents = ["linux", "individual"].map(|kind| (kind, of(&format!("agent-target/{kind}.json"))));
    let variable = of("data-types/variable.json");
    let env = TestEnv::new();
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/corpus/playbooks/everything.yaml"
    ));
    let text = text.unwrap();
    let (_, rest) = text.split_once("\ntitle:").unwrap();
    own(&env, "everything", &format!("# {rest}"));
    for name in SHIPPED.iter().chain(&["everything"]) {
        let value = playbook(&env, &["export", name, "--format", "cacao"]).ok().json();
        fits(&whole, name, &value);
        only_known("playbook.json", &value);
        let mut activities = BTreeSet::new();
        for step in value["workflow"].as_object().unwrap().values() {
            let (kind, schema) = kinds.iter().find(|(kind, _)| step["type"] == *kind).unwrap();
            fits(schema, name, step);
            only_known(&format!("workflows/{kind}.json"), step);
            for command in step["commands"].as_array().into_iter().flatten() {
                let (kind, schema) = commands.iter().find(|(kind, _)| command["type"] == *kind).unwrap();
                fits(schema, name, command);
                only_known(&format!("commands/{kind}.json"), command);
                activities.insert(command["playbook_activity"].as_str().unwrap());
            }
        }
        for agent in value["agent_definitions"].as_object().unwrap().values() {
            let (kind, schema) = agents.iter().find(|(kind, _)| agent["type"] == *kind).unwrap();
            fits(schema, name, agent);
            only_known(&format!("agent-target/{kind}.json"), agent);
        }
        for one in value["playbook_variables"].as_object().into_iter().flat_map(|map| map.values()) {
            fits(&variable, name, one);
            only_known("data-types/variable.json", one);
        }
        // "Each listed activity MUST be reflected in a CACAO workflow step", and steps are of version 4.
        let listed = value["playbook_activities"].as_array().unwrap().iter().map(|a| a.as_str().unwrap());
        assert_eq!(listed.collect::<BTreeSet<_>>(), activities, "{name}");
        let is_v4 = |id: &String| id.rsplit("--").next().and_then(|uuid| uuid.chars().nth(14)) == Some('4');
        assert!(value["workflow"].as_object().unwrap().keys().all(is_v4), "{name}");
    }
    // The schemas would notice.
    let mut broken = playbook(&env, &["export", "drill"]).ok().json();
    broken["created"] = json!("yesterday");
    assert!(!whole.is_valid(&broken));
}

/// What the schemas do not say: each step that is named is there, is led to, and ends; variables that are used are named.
#[test]
fn the_export_is_cacao() {
    let env = TestEnv::new();
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
    let variable = regex::Regex::new("^__[a-zA-Z_][a-zA-Z0-9_-]{0,199}__$").unwrap();
    let used = regex::Regex::new("__[a-zA-Z_][a-zA-Z0-9_-]*__").unwrap();
    for name in SHIPPED {
        let out = playbook(&env, &["export", name, "--format", "cacao"]).ok();
        assert_eq!(out, playbook(&env, &["export", name]).ok(), "the same every time");
        let value = out.json();
        for field in [
            "type",
            "spec_version",
            "id",
            "name",
            "created_by",
            "created",
            "modified",
            "workflow_start",
            "workflow",
            "playbook_types",
        ] {
            assert!(!value[field].is_null(), "{name}: no {field}");
        }
        assert_eq!((&value["type"], &value["spec_version"]), (&json!("playbook"), &json!("cacao-2.0")));
        let is_id = |text: &Value, kind: &str| {
            regex::Regex::new(&format!("^{kind}--{uuid}"))
                .unwrap()
                .is_match(text.as_str().unwrap_or_default())
        };
        assert!(is_id(&value["id"], "playbook") && is_id(&value["created_by"], "identity"), "{value:#}");
        let known = [
            "attack",
            "detection",
            "engagement",
            "investigation",
            "mitigation",
            "notification",
            "prevention",
            "remediation",
        ];
        assert!(
            value["playbook_types"]
                .as_array()
                .unwrap()
                .iter()
                .all(|kind| known.contains(&kind.as_str().unwrap()))
        );
        let steps = value["workflow"].as_object().unwrap();
        assert!(steps.contains_key(value["workflow_start"].as_str().unwrap()), "{name}");
        let variables = value["playbook_variables"].as_object().cloned().unwrap_or_default();
        assert!(variables.keys().all(|name| variable.is_match(name)), "{variables:?}");
        let (mut seen, mut ends) = (BTreeSet::new(), 0);
        for (id, step) in steps {
            let kind = step["type"].as_str().unwrap();
            assert!(is_id(&json!(id), kind), "{id}");
            ends += usize::from(kind == "end");
            for next in
                ["on_completion", "on_success", "on_failure"].iter().filter_map(|name| step[name].as_str())
            {
                assert!(steps.contains_key(next), "{name}: {id} goes on to {next}, which is not there");
                seen.insert(next.to_owned());
            }
            let goes = !step["on_completion"].is_null() || !step["on_success"].is_null();
            assert_eq!(goes, kind != "end", "{id}");
            if kind != "action" {
                continue;
            }
            assert!(!value["agent_definitions"][step["agent"].as_str().unwrap()].is_null(), "{name}: {id}");
            for command in step["commands"].as_array().unwrap() {
                assert!(["bash", "manual"].contains(&command["type"].as_str().unwrap()), "{command:#}");
                let text = command["command"].as_str().unwrap();
                assert!(!text.is_empty() && !text.contains("${{"), "{command:#}");
                for name in used.find_iter(text) {
                    assert!(variables.contains_key(name.as_str()), "{}", name.as_str());
                }
            }
        }
        assert_eq!(ends, 1, "{name}");
        let reached = steps.keys().filter(|id| !id.starts_with("start--")).all(|id| seen.contains(id));
        assert!(reached, "{name}: a step that nothing leads to");
        let markdown = playbook(&env, &["export", name, "--format", "markdown"]).ok().stdout;
        assert_eq!(markdown.matches("\n### ").count() + 2, steps.len(), "{name}");
    }
}
