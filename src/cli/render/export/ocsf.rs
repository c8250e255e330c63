//! OCSF (schema.ocsf.io) 1.4: a command is a Process Activity (1007), an alarm a Detection Finding (2004), what `fr` did itself
//! and a gap a Base Event (0). What OCSF has no attribute for stands in `unmapped`.

use serde_json::{Value, json};

use super::{Format, Item, host_name, kind_word, line};
use crate::cli::render::{class_of, command_cell};
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{ActorKind, Alarm, EffectClass, EventKind, Gap, Kept, Outcome, Verdict};

/// The version of the schema that the records say they keep to.
const VERSION: &str = "1.4.0";

const MS: i64 = 1_000_000;

pub struct Ocsf {
    host: String,
}

impl Ocsf {
    /// For this machine.
    pub fn here() -> Ocsf {
        Ocsf { host: host_name() }
    }
}

impl Format for Ocsf {
    fn item(&mut self, item: Item<'_>) -> Result<String> {
        line(&match item {
            Item::Gap(gap) => self.gap(gap),
            Item::Event(event) => match &event.before.kind {
                EventKind::Command => self.command(event),
                EventKind::Alarm { alarm } => self.alarm(event, alarm),
                _ => self.own(event),
            },
        })
    }
}

impl Ocsf {
    fn command(&self, event: &Event) -> Value {
        let mut record = self.base(Class::Process, 1, event);
        let before = &event.before;
        let line = before.command.line.lossy();
        let name = line.split_whitespace().next().unwrap_or(&before.command.tool);
        let mut process = json!({
            "uid": before.uid.to_string(),
            "name": name,
            "cmd_line": line,
            "created_time": before.at_ns / MS,
            "working_directory": before.cwd.lossy(),
        });
        if let Some(after) = &event.after {
            set(&mut process, "terminated_time", json!(after.at_ns / MS));
        }
        set(&mut record, "process", process);
        set(&mut record, "actor", actor(event));
        set(&mut record, "device", json!({"hostname": self.host, "type_id": 0, "type": "Unknown"}));
        if let Some(Outcome::Exited { code }) = event.outcome() {
            set(&mut record, "exit_code", json!(code));
        }
        let (action, disposition) = answered(event);
        set(&mut record, "action_id", json!(action));
        set(&mut record, "disposition_id", json!(disposition));
        record
    }

    fn alarm(&self, event: &Event, alarm: &Alarm) -> Value {
        let mut record = self.base(Class::Finding, 1, event);
        let title = match alarm.production {
            Some(_) => "An AI agent destroys production",
            None => "An AI agent destroys faster than anybody can look",
        };
        let info = json!({
            "uid": event.before.uid.to_string(),
            "title": title,
            "desc": command_cell(event),
            "created_time": event.before.at_ns / MS,
        });
        set(&mut record, "finding_info", info);
        set(&mut record, "severity_id", json!(5));
        set(&mut record, "severity", json!("Critical"));
        set(&mut record, "is_alert", json!(true));
        set(&mut record, "status_id", json!(1));
        set(&mut record, "status", json!("New"));
        record
    }

    fn own(&self, event: &Event) -> Value {
        let mut record = self.base(Class::Base, 99, event);
        set(&mut record, "activity_name", json!(kind_word(&event.before.kind)));
        record
    }

    fn gap(&self, gap: &Gap) -> Value {
        json!({
            "activity_id": 99, "activity_name": "gap", "category_uid": 0, "category_name": "Uncategorized",
            "class_uid": 0, "class_name": "Base Event", "type_uid": 99,
            "severity_id": 3, "severity": "Medium", "time": gap.at_ns / MS,
            "message": format!("not recorded as it should have been: {}", gap.reason),
            "count": gap.count.max(1),
            "metadata": metadata(&json!(null)),
            "unmapped": {"host": self.host, "detail": gap.detail},
        })
    }

    /// What every record has: the required attributes of the base event, and what is ours.
    fn base(&self, class: Class, activity: u32, event: &Event) -> Value {
        let (uid, name, category, category_name) = class.names();
        let (severity, severity_name) = severity(event);
        let (status, status_name) = status(event);
        let mut record = json!({
            "activity_id": activity, "activity_name": if activity == 1 { class.activity() } else { "Other" },
            "category_uid": category, "category_name": category_name,
            "class_uid": uid, "class_name": name,
            "type_uid": uid * 100 + activity,
            "severity_id": severity, "severity": severity_name,
            "status_id": status, "status": status_name,
            "time": event.before.at_ns / MS,
            "message": command_cell(event),
            "metadata": metadata(&json!(event.before.uid.to_string())),
            "unmapped": unmapped(event, &self.host),
        });
        if let Some(after) = &event.after {
            set(&mut record, "start_time", json!(event.before.at_ns / MS));
            set(&mut record, "end_time", json!(after.at_ns / MS));
            if let Some(ms) = after.duration_ms {
                set(&mut record, "duration", json!(ms));
            }
        }
        record
    }
}

#[derive(Clone, Copy)]
enum Class {
    Base,
    Process,
    Finding,
}

impl Class {
    /// Its number and name, those of its category.
    fn names(self) -> (u32, &'static str, u32, &'static str) {
        match self {
            Class::Base => (0, "Base Event", 0, "Uncategorized"),
            Class::Process => (1007, "Process Activity", 1, "System Activity"),
            Class::Finding => (2004, "Detection Finding", 2, "Findings"),
        }
    }

    fn activity(self) -> &'static str {
        if matches!(self, Class::Finding) { "Create" } else { "Launch" }
    }
}

fn set(record: &mut Value, name: &str, value: Value) {
    if let Some(fields) = record.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

fn metadata(uid: &Value) -> Value {
    let mut metadata = json!({
        "version": VERSION,
        "product": {"name": "fr", "vendor_name": "fr", "version": env!("CARGO_PKG_VERSION")},
        "profiles": ["host", "security_control"],
        "log_name": "journal",
    });
    if !uid.is_null() {
        set(&mut metadata, "uid", uid.clone());
    }
    metadata
}

fn actor(event: &Event) -> Value {
    let actor = &event.before.actor;
    let session = json!({"uid": event.before.session});
    match actor.kind {
        ActorKind::Human => {
            json!({"user": {"name": actor.name, "type_id": 1, "type": "User"}, "session": session})
        }
        _ => {
            json!({"app_name": actor.name, "app_uid": actor.subagent.as_ref().unwrap_or(&actor.name), "session": session})
        }
    }
}

/// Destroyed and not kept is worse than destroyed; what only reads is information.
fn severity(event: &Event) -> (u32, &'static str) {
    let refused = event.outcome() == Some(Outcome::Refused);
    match (class_of(event), event.kept()) {
        _ if refused => (2, "Low"),
        (EffectClass::None, _) => (1, "Informational"),
        (class, Kept::Nothing) if class.is_destructive() => (5, "Critical"),
        (class, _) if class.is_destructive() => (4, "High"),
        (EffectClass::Create | EffectClass::StateOnly, _) => (2, "Low"),
        _ => (3, "Medium"),
    }
}

fn status(event: &Event) -> (u32, &'static str) {
    match (event.outcome(), event.failed()) {
        (_, Some(true)) => (2, "Failure"),
        (_, Some(false)) => (1, "Success"),
        (_, None) => (0, "Unknown"),
    }
}

/// The action and the disposition: 1 allowed, 2 denied (blocked), 0 where a person was asked and what they said is not known.
fn answered(event: &Event) -> (u32, u32) {
    match (&event.before.verdict, event.outcome()) {
        (_, Some(Outcome::Refused)) => (2, 2),
        (Some(Verdict::Deny { .. }), None) => (2, 2),
        (Some(Verdict::Ask { .. }), None) => (0, 0),
        _ => (1, 1),
    }
}

fn unmapped(event: &Event, host: &str) -> Value {
    let before = &event.before;
    let effects: Vec<Value> = before
        .effects
        .iter()
        .map(|e| {
            json!({"system": e.system, "class": e.class, "resource": e.resource.lossy(), "reversibility": e.reversibility})
        })
        .collect();
    json!({
        "event": event.id.0, "kind": kind_word(&before.kind), "host": host,
        "actor_kind": before.actor.kind, "actor_evidence": before.actor.evidence, "source": before.source,
        "session": before.session, "tool": before.command.tool, "class": class_of(event),
        "kept": event.kept(), "comes_back": event.promise(), "effects": effects,
        "outcome": event.outcome(), "answer": before.verdict,
        "part_of": before.parent, "undone_by": event.undone_by, "undone_in_part": event.undone_in_part,
    })
}
