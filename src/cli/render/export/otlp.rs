//! OpenTelemetry logs in OTLP/JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): 64-bit numbers are decimal
//! strings, ids are hex, enums are numbers. A line is a whole `LogsData`, as the file exporter writes it.

use serde_json::{Value, json};

use super::{Format, Item, host_name, kind_word, line};
use crate::cli::render::{class_of, command_cell};
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{EffectClass, EventKind, Gap, Kept, Outcome};

/// Records a line.
const BATCH: usize = 100;

pub struct Otlp {
    host: String,
    batch: Vec<Value>,
}

impl Otlp {
    /// For this machine.
    pub fn here() -> Otlp {
        Otlp { host: host_name(), batch: Vec::new() }
    }

    fn flush(&mut self) -> Result<String> {
        if self.batch.is_empty() {
            return Ok(String::new());
        }
        let records = std::mem::take(&mut self.batch);
        line(&json!({"resourceLogs": [{
            "resource": {"attributes": [
                text("service.name", "fr"), text("service.version", env!("CARGO_PKG_VERSION")),
                text("host.name", &self.host),
            ]},
            "scopeLogs": [{
                "scope": {"name": "fr.journal", "version": env!("CARGO_PKG_VERSION")},
                "logRecords": records,
            }],
        }]}))
    }
}

impl Format for Otlp {
    fn item(&mut self, item: Item<'_>) -> Result<String> {
        self.batch.push(match item {
            Item::Event(event) => of_event(event),
            Item::Gap(gap) => of_gap(gap),
        });
        if self.batch.len() < BATCH { Ok(String::new()) } else { self.flush() }
    }

    fn end(&mut self) -> Result<String> {
        self.flush()
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// 64 bits, so a string.
fn number(key: &str, value: impl ToString) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

fn flag(key: &str, value: bool) -> Value {
    json!({"key": key, "value": {"boolValue": value}})
}

fn of_event(event: &Event) -> Value {
    let before = &event.before;
    let (severity, word) = severity(event);
    let observed = event.after.as_ref().map_or(before.at_ns, |after| after.at_ns.max(before.at_ns));
    let uid = before.uid.to_string();
    json!({
        "timeUnixNano": before.at_ns.to_string(),
        "observedTimeUnixNano": observed.to_string(),
        "severityNumber": severity,
        "severityText": word,
        "eventName": format!("fr.{}", kind_word(&before.kind)),
        "body": {"stringValue": body(event)},
        "attributes": attributes(event),
        "traceId": trace_of(&before.session),
        // The random part of the global id.
        "spanId": uid.get(16..).unwrap_or_default(),
    })
}

fn body(event: &Event) -> String {
    match event.before.kind {
        EventKind::Command => event.before.command.line.lossy().into_owned(),
        _ => command_cell(event),
    }
}

/// Events of a session share a trace.
fn trace_of(session: &str) -> String {
    blake3::hash(session.as_bytes()).to_hex().get(..32).unwrap_or_default().to_owned()
}

fn attributes(event: &Event) -> Vec<Value> {
    let before = &event.before;
    let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let kind = word(serde_json::to_value(before.actor.kind).unwrap_or_default());
    let mut all = vec![
        number("fr.event", event.id.0),
        text("fr.uid", &before.uid.to_string()),
        text("fr.kind", &kind_word(&before.kind)),
        text("fr.actor.kind", &kind),
        text("fr.actor.name", &before.actor.name),
        text("fr.source", &word(serde_json::to_value(before.source).unwrap_or_default())),
        text("fr.tool", &before.command.tool),
        text("fr.class", class_of(event).as_str()),
        text("fr.kept", event.kept().as_str()),
        text("fr.comes_back", event.promise().as_str()),
        text("session.id", &before.session),
        text("process.command_line", &before.command.line.lossy()),
        text("process.working_directory", &before.cwd.lossy()),
    ];
    all.extend(before.actor.subagent.as_ref().map(|sub| text("fr.actor.subagent", sub)));
    let outcome = serde_json::to_value(event.outcome()).unwrap_or_default();
    all.push(text("fr.outcome", outcome.get("how").and_then(|how| how.as_str()).unwrap_or("open")));
    if let Some(Outcome::Exited { code }) = event.outcome() {
        all.push(number("process.exit.code", code));
    }
    if let Some(ms) = event.after.as_ref().and_then(|after| after.duration_ms) {
        all.push(number("fr.duration_ms", ms));
    }
    if let Some(verdict) = &before.verdict {
        all.push(text("fr.answer", verdict.as_str()));
        all.push(text("fr.answer.reason", verdict.reason().unwrap_or_default()));
    }
    all.extend(before.parent.map(|line| number("fr.part_of", line.0)));
    if let Some(undo) = event.undone_by {
        all.push(number("fr.undone_by", undo.0));
        all.push(flag("fr.undone_in_part", event.undone_in_part));
    }
    let resources: Vec<Value> =
        before.effects.iter().map(|effect| json!({"stringValue": effect.resource.lossy()})).collect();
    if !resources.is_empty() {
        all.push(json!({"key": "fr.resources", "value": {"arrayValue": {"values": resources}}}));
    }
    all
}

fn of_gap(gap: &Gap) -> Value {
    let mut attributes = vec![text("fr.kind", "gap"), number("fr.count", gap.count)];
    attributes.extend(gap.detail.as_ref().map(|detail| text("fr.detail", detail)));
    json!({
        "timeUnixNano": gap.at_ns.to_string(),
        "observedTimeUnixNano": gap.at_ns.to_string(),
        "severityNumber": 13, "severityText": "WARN", "eventName": "fr.gap",
        "body": {"stringValue": format!("not recorded as it should have been: {}", gap.reason)},
        "attributes": attributes,
    })
}

/// SeverityNumber: 9 INFO, 13 WARN, 17 ERROR, 21 FATAL.
fn severity(event: &Event) -> (u32, &'static str) {
    let refused = event.outcome() == Some(Outcome::Refused);
    match (&event.before.kind, class_of(event), event.kept()) {
        (EventKind::Alarm { .. }, _, _) => (21, "FATAL"),
        (EventKind::Contain { .. }, _, _) => (13, "WARN"),
        _ if refused => (13, "WARN"),
        (_, class, Kept::Nothing) if class.is_destructive() => (17, "ERROR"),
        (_, class, _) if class.is_destructive() => (13, "WARN"),
        (_, EffectClass::Opaque | EffectClass::Publish | EffectClass::Access | EffectClass::Disrupt, _) => {
            (13, "WARN")
        }
        _ => (9, "INFO"),
    }
}
