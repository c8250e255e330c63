//! A playbook as CACAO 2.0 (OASIS, Security Playbooks Version 2.0; the schemas are those of oasis-open/cacao-json-schemas).
//! Ids are made from names, so the same playbook is the same document every time.
//!
//! What CACAO has no word for is kept in the description of its step: modes, conditions and expectations. Names
//! (`${{ vars.x }}`) are CACAO's variables (`__x__:value`).

use serde_json::{Map, Value, json};

use super::format::{OnFailure, Playbook, Step};
use super::{duration, markdown, template, uuid};
use crate::model::{PlaybookKind, PlaybookMode, PlaybookPhase};

/// The date of the format's first version: a playbook in a binary has no date of its own.
const CREATED: &str = "2026-11-27T00:00:00.000Z";

/// The document.
pub fn cacao(playbook: &Playbook) -> Value {
    // "All CACAO step objects MUST use UUIDv4", section 10.10.
    let id = |kind: &str, name: &str| {
        format!("{kind}--{}", uuid::v4_of(&format!("{}/{kind}/{name}", playbook.name)))
    };
    let (start, end) = (id("start", "start"), id("end", "end"));
    let action = |step: &Step| id("action", &step.id);
    let person = format!("individual--{}", uuid::v4_of("individual/responder"));
    let machine = format!("linux--{}", uuid::v4_of("linux/localhost"));
    let mut workflow = Map::new();
    let first = playbook.steps.first().map_or_else(|| end.clone(), action);
    workflow.insert(start.clone(), json!({"type": "start", "on_completion": first}));
    for (at, step) in playbook.steps.iter().enumerate() {
        let next = playbook.steps.get(at + 1).map_or_else(|| end.clone(), action);
        let on_failure = match step.follows() {
            Some(OnFailure::Continue) => next.clone(),
            Some(OnFailure::Goto(id)) => {
                playbook.steps.iter().find(|step| step.id == id).map_or_else(|| end.clone(), action)
            }
            _ => end.clone(),
        };
        let by_person = step.mode() == PlaybookMode::Manual;
        let mut value = json!({
            "type": "action",
            "name": step.title,
            "description": description(step),
            "on_success": next,
            "on_failure": on_failure,
            "commands": [command(step)],
            "agent": if by_person { &person } else { &machine },
        });
        if let Some(time) = step.timeout.as_deref().and_then(duration::parse) {
            value["timeout"] = json!(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        }
        workflow.insert(action(step), value);
    }
    workflow.insert(end, json!({"type": "end"}));
    let mut document = json!({
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": format!("playbook--{}", uuid::of(&format!("{}/playbook/playbook", playbook.name))),
        "name": playbook.name,
        "description": format!("{}\n\n{}", playbook.title, playbook.about.trim()).trim(),
        "playbook_types": if playbook.types.is_empty() { vec!["mitigation".to_owned()] } else { playbook.types.clone() },
        // Where types are named, at least one activity is, and each is that of a step (section 3.1).
        "playbook_activities": activities(playbook),
        "created_by": format!("identity--{}", uuid::v4_of("identity/fr")),
        "created": CREATED,
        "modified": CREATED,
        "labels": playbook.csf.iter().cloned().chain(["ai-coding-agent".to_owned()]).collect::<Vec<_>>(),
        "workflow_start": start,
        "workflow": workflow,
        "agent_definitions": {
            &person: {"type": "individual", "name": "the person who responds"},
            &machine: {"type": "linux", "name": "the machine that fr runs on", "address": {"dname": ["localhost"]}},
        },
    });
    let variables = variables(playbook);
    if !variables.is_empty() {
        document["playbook_variables"] = Value::Object(variables);
    }
    document
}

/// `vars.access-key` is `__vars_access-key__`.
fn variable(name: &str) -> String {
    format!("__{}__", name.replace('.', "_"))
}

/// Each name that is used, with what is known of it.
fn variables(playbook: &Playbook) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, var) in &playbook.vars {
        let kind = if var.secret.is_some() { "secret" } else { "vars" };
        let mut value =
            json!({"type": "string", "description": var.about.trim(), "constant": false, "external": true});
        if let Some(text) = &var.default {
            value["value"] = json!(text);
        }
        out.insert(variable(&format!("{kind}.{name}")), value);
    }
    let mut text = serde_json::to_string(&playbook.steps).unwrap_or_default();
    // What is not said is named as well: whose session is held.
    playbook.steps.iter().for_each(|step| text.push_str(&markdown::does(step, &str::to_owned)));
    for name in template::names(&text) {
        let about = if name.starts_with("steps.") {
            "what an earlier step told"
        } else {
            "told by the flight recorder"
        };
        let value = json!({"type": "string", "description": about, "constant": false, "external": true});
        out.entry(variable(&name)).or_insert(value);
    }
    out
}

fn named(text: &str) -> String {
    let pieces = template::pieces(text).unwrap_or_else(|_| vec![template::Piece::Text(text.to_owned())]);
    let one = |piece| match piece {
        template::Piece::Text(text) => text,
        template::Piece::Name(name) => format!("{}:value", variable(&name)),
    };
    pieces.into_iter().map(one).collect()
}

/// What is done in its steps, each once, in their order.
fn activities(playbook: &Playbook) -> Vec<&'static str> {
    let mut out: Vec<&str> = Vec::new();
    for activity in playbook.steps.iter().map(|step| activity(step.phase)) {
        if !out.contains(&activity) {
            out.push(activity);
        }
    }
    out
}

/// CACAO's word for a phase of the work.
fn activity(phase: PlaybookPhase) -> &'static str {
    match phase {
        PlaybookPhase::Contain => "restrict-access",
        PlaybookPhase::Assess => "analyze-collected-data",
        PlaybookPhase::Notify => "deliver-content",
        PlaybookPhase::Recover => "restore-data",
        PlaybookPhase::Verify => "scan-system",
        PlaybookPhase::Learn => "identify-steps",
    }
}

fn command(step: &Step) -> Value {
    let by_person = step.mode() == PlaybookMode::Manual;
    let text = markdown::does(step, &named);
    let kind = if by_person || step.kind() == Some(PlaybookKind::Capture) { "manual" } else { "bash" };
    json!({"type": kind, "command": text, "playbook_activity": activity(step.phase)})
}

fn description(step: &Step) -> String {
    let mut lines = vec![format!("phase {}, mode {}", step.phase.as_str(), step.mode().as_str())];
    lines.extend(markdown::conditions(step).into_iter().map(|text| format!("only where {text}")));
    lines.extend(markdown::after(step));
    lines.extend(step.compensate.iter().map(|argv| format!("takes it back: {}", argv.join(" "))));
    lines.join("\n")
}
