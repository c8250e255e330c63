//! A record that a collector throws away is one that nobody sees. Every record of every kind is held against what OCSF and
//! OpenTelemetry publish (`tests/corpus/ocsf`, `tests/corpus/otlp`): no word that they do not have, each of its type, each number one
//! that means something, and its name beside it the one that they give it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{exported, lines, night};
use crate::env::TestEnv;

/// The night, and all that people do afterwards: one event of each kind at least.
fn every_kind() -> TestEnv {
    let env = night();
    env.fr(&["release"]).ok();
    env.fr(&["restore", "2", "--to", "../beside"]).ok();
    env.fr(&["redo", "--yes"]).ok();
    env.fr(&["undo", "--yes"]).ok();
    env.fr(&["incident", "open", "the night"]).ok();
    assert_eq!(env.fr(&["playbook", "run", "files-on-host", "--event", "2", "--yes-auto"]).code, 3);
    env.fr(&["maturity", "attest", "budget", "--owner", "Ada", "--note", "capped"]).ok();
    env.fr(&["maturity", "--save"]);
    env.fr(&["drill", "--system", "files"]).ok();
    // What ended in each way that there is: as an agent tells it, by a signal, not at all.
    env.fr(&["exec", "-c", "kill -9 $$; ls"]);
    env.claude_pre("touch never-reported");
    env
}

fn corpus(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All kinds of events that are recorded, by the schema of our own.
fn all_kinds() -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/event.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let words = schema["properties"]["kind"]["enum"].as_array().unwrap();
    words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// The published schema, and what is wrong with a record.
struct Ocsf {
    schema: Value,
    wrong: Vec<String>,
}

impl Ocsf {
    fn class(&self, uid: &Value) -> Option<Value> {
        self.schema["classes"].as_object().unwrap().values().find(|class| class["uid"] == *uid).cloned()
    }

    fn record(&mut self, record: &Value) {
        let Some(class) = self.class(&record["class_uid"]) else {
            return self.wrong.push(format!("no class {}", record["class_uid"]));
        };
        let declared = record["metadata"]["profiles"].as_array().cloned().unwrap_or_default();
        let known = class["profiles"].as_array().unwrap();
        for profile in declared.iter().filter(|profile| !known.contains(profile)) {
            self.wrong.push(format!("{} has no profile {profile}", class["caption"]));
        }
        let is_in_force =
            |attribute: &Value| attribute["profile"].is_null() || declared.contains(&attribute["profile"]);
        let names = [("class_name", &class["caption"]), ("category_uid", &class["category"][0])];
        for (name, wanted) in names.into_iter().chain([("category_name", &class["category"][1])]) {
            if record[name] != *wanted {
                self.wrong.push(format!("{name} is {}, not {wanted}", record[name]));
            }
        }
        let (uid, activity) = (record["class_uid"].as_u64(), record["activity_id"].as_u64());
        if record["type_uid"].as_u64() != uid.zip(activity).map(|(uid, activity)| uid * 100 + activity) {
            self.wrong.push(format!("type_uid {}", record["type_uid"]));
        }
        self.fields(record, &class, "", &is_in_force);
    }

    fn fields(&mut self, value: &Value, of: &Value, at: &str, is_in_force: &dyn Fn(&Value) -> bool) {
        let Some(fields) = value.as_object() else {
            return self.wrong.push(format!("{at} is no object: {value}"));
        };
        let known = of["attributes"].as_object().unwrap();
        for (name, attribute) in known.iter().filter(|(_, attribute)| is_in_force(attribute)) {
            if attribute["requirement"] == "required" && !fields.contains_key(name) {
                self.wrong.push(format!("{at}{name} is missing"));
            }
        }
        for (name, value) in fields {
            match known.get(name).filter(|attribute| is_in_force(attribute)) {
                None => self.wrong.push(format!("{at}{name} is no attribute of it")),
                Some(attribute) => self.attribute(value, attribute, &format!("{at}{name}"), is_in_force),
            }
            self.caption(name, value, known, fields, at);
        }
        let all = |name: &str| of["constraints"][name].as_array().cloned().unwrap_or_default();
        let has = |name: &Value| name.as_str().is_some_and(|name| fields.contains_key(name));
        if !all("at_least_one").is_empty() && !all("at_least_one").iter().any(has) {
            self.wrong.push(format!("{at} has none of {:?}", all("at_least_one")));
        }
        if !all("just_one").is_empty() && all("just_one").iter().filter(|name| has(name)).count() != 1 {
            self.wrong.push(format!("{at} has not just one of {:?}", all("just_one")));
        }
    }

    fn attribute(&mut self, value: &Value, of: &Value, at: &str, is_in_force: &dyn Fn(&Value) -> bool) {
        if of["deprecated"] == true {
            self.wrong.push(format!("{at} is deprecated"));
        }
        if of["is_array"] == true {
            let one = Value::Object(
                of.as_object().unwrap().clone().into_iter().filter(|(k, _)| k != "is_array").collect(),
            );
            return match value.as_array() {
                Some(values) => values.iter().for_each(|value| self.attribute(value, &one, at, is_in_force)),
                None => self.wrong.push(format!("{at} is no list")),
            };
        }
        let kind = of["type"].as_str().unwrap();
        let base = self.schema["types"][kind].as_str().unwrap_or(kind).to_owned();
        let fits = match base.as_str() {
            "string_t" => value.is_string(),
            "integer_t" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            "long_t" => value.is_i64() || value.is_u64(),
            "boolean_t" => value.is_boolean(),
            "float_t" => value.is_number(),
            "json_t" => true,
            // What has no attribute of its own: anything goes.
            "object" => value.is_object(),
            object => {
                let of = self.schema["objects"][object].clone();
                assert!(of.is_object(), "{at}: tests/corpus/ocsf/compile has to list {object}");
                return self.fields(value, &of, &format!("{at}."), is_in_force);
            }
        };
        if !fits {
            self.wrong.push(format!("{at} is no {kind}: {value}"));
        }
        let is_listed = of["enum"].as_object().is_none_or(|all| all.contains_key(&value.to_string()));
        if !is_listed {
            self.wrong.push(format!("{at} has no value {value}"));
        }
    }

    /// `status` is the caption of `status_id`, but for 99.
    fn caption(
        &mut self,
        name: &str,
        id: &Value,
        known: &Map<String, Value>,
        fields: &Map<String, Value>,
        at: &str,
    ) {
        let Some(stem) = name.strip_suffix("_id") else { return };
        let beside = [stem.to_owned(), format!("{stem}_name")];
        let Some(told) = beside.iter().find_map(|name| fields.get(name)) else { return };
        let caption = &known.get(name).map_or(Value::Null, |of| of["enum"][id.to_string()].clone());
        if *id != 99 && told != caption {
            self.wrong.push(format!("{at}{name} {id} is {caption}, not {told}"));
        }
    }
}

#[test]
fn every_ocsf_record_is_what_the_published_schema_says() {
    let env = every_kind();
    let schema: Value = serde_json::from_str(&corpus("ocsf/1.4.0.json")).unwrap();
    let mut seen = BTreeSet::new();
    for record in lines(&exported(&env, "ocsf", &[])) {
        let mut ocsf = Ocsf { schema: schema.clone(), wrong: Vec::new() };
        ocsf.record(&record);
        assert_eq!(ocsf.wrong, [""; 0], "{record:#}");
        assert_eq!(record["metadata"]["version"], schema["version"]);
        seen.extend(record["unmapped"]["kind"].as_str().map(str::to_owned));
    }
    assert_eq!(seen, all_kinds(), "each kind of event was held against it");
}

/// What a field of a message holds.
struct Field {
    kind: String,
    repeated: bool,
    oneof: bool,
}

/// The messages and the enumerations of the published `.proto` files.
#[derive(Default)]
struct Protos {
    messages: BTreeMap<String, BTreeMap<String, Field>>,
    enums: BTreeMap<String, BTreeSet<u64>>,
}

impl Protos {
    fn read() -> Protos {
        let mut all = Protos::default();
        ["logs", "common", "resource"]
            .iter()
            .for_each(|name| all.file(&corpus(&format!("otlp/{name}.proto"))));
        all
    }

    fn file(&mut self, text: &str) {
        let (mut message, mut enumeration, mut oneof) = (String::new(), String::new(), false);
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
        for line in lines.filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split([' ', ';', '{', '[']).filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                ["message", name] => (message, enumeration) = ((*name).to_owned(), String::new()),
                ["enum", name] => (enumeration, message) = ((*name).to_owned(), String::new()),
                ["oneof", _] => oneof = true,
                ["}"] => oneof = false,
                [_, "=", number, ..] if !enumeration.is_empty() => {
                    let number = number.parse().unwrap_or(u64::MAX);
                    self.enums.entry(enumeration.clone()).or_default().insert(number);
                }
                ["repeated", kind, name, "=", ..] if !message.is_empty() => {
                    self.field(&message, kind, name, (true, oneof))
                }
                [kind, name, "=", ..] if !message.is_empty() => {
                    self.field(&message, kind, name, (false, oneof))
                }
                _ => {}
            }
        }
    }

    fn field(&mut self, message: &str, kind: &str, name: &str, (repeated, oneof): (bool, bool)) {
        let kind = kind.rsplit('.').next().unwrap_or(kind).to_owned();
        let fields = self.messages.entry(message.to_owned()).or_default();
        fields.insert(camel(name), Field { kind, repeated, oneof });
    }

    /// What is wrong with a message, by the JSON encoding of Protocol Buffers and what OTLP says otherwise.
    fn message(&self, value: &Value, name: &str, at: &str, wrong: &mut Vec<String>) {
        let Some(fields) = value.as_object() else {
            return wrong.push(format!("{at} is no {name}: {value}"));
        };
        let known = self.messages.get(name).unwrap_or_else(|| panic!("{at}: no message {name}"));
        for (key, value) in fields {
            let at = format!("{at}.{key}");
            match (known.get(key), value.as_array()) {
                (None, _) => wrong.push(format!("{at} is no field of {name}")),
                (Some(field), Some(values)) if field.repeated => {
                    values.iter().for_each(|value| self.value(value, field, (key, &at), wrong));
                }
                (Some(field), None) if !field.repeated => self.value(value, field, (key, &at), wrong),
                (Some(_), _) => {
                    wrong.push(format!("{at}: a list where none is wanted, or none where one is"))
                }
            }
        }
        let oneof = |key: &&String| known.get(*key).is_some_and(|field| field.oneof);
        if known.values().any(|field| field.oneof) && fields.keys().filter(oneof).count() != 1 {
            wrong.push(format!("{at} has not one value"));
        }
        let keys: Vec<&Value> = fields
            .get("attributes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|a| &a["key"])
            .collect();
        let once: BTreeSet<String> = keys.iter().map(|key| key.to_string()).collect();
        if once.len() != keys.len() || once.contains("\"\"") {
            wrong.push(format!("{at}: a key is empty, or stands twice"));
        }
    }

    fn value(&self, value: &Value, field: &Field, (key, at): (&str, &str), wrong: &mut Vec<String>) {
        let decimal = |signed: bool| {
            let text = value.as_str().unwrap_or_default();
            if signed { text.parse::<i64>().is_ok() } else { text.parse::<u64>().is_ok() }
        };
        let fits = match field.kind.as_str() {
            "string" => value.is_string(),
            "bool" => value.is_boolean(),
            "double" => value.is_number(),
            "int32" | "uint32" | "fixed32" => value.as_u64().is_some_and(|n| u32::try_from(n).is_ok()),
            "int64" => decimal(true),
            "uint64" | "fixed64" => decimal(false),
            "bytes" if key == "traceId" => is_id(value, 32),
            "bytes" if key == "spanId" => is_id(value, 16),
            "bytes" => panic!("{at}: bytes that nobody has looked at"),
            name if self.enums.contains_key(name) => {
                value.as_u64().is_some_and(|number| self.enums[name].contains(&number))
            }
            name => return self.message(value, name, at, wrong),
        };
        if !fits {
            wrong.push(format!("{at} is no {}: {value}", field.kind));
        }
    }
}

/// OTLP/JSON has ids as hex, not as base64, and none of only zeros.
fn is_id(value: &Value, digits: usize) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit()) && text.bytes().any(|b| b != b'0')
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let (head, tail) = word.split_at(1);
        all + &head.to_uppercase() + tail
    })
}

#[test]
fn every_otlp_line_is_logs_data_as_the_published_messages_say() {
    let env = every_kind();
    let protos = Protos::read();
    assert!(protos.messages["LogRecord"].len() > 9 && protos.enums["SeverityNumber"].len() == 25);
    let mut seen = BTreeSet::new();
    for line in lines(&exported(&env, "otlp", &[])) {
        let mut wrong = Vec::new();
        protos.message(&line, "LogsData", "", &mut wrong);
        assert_eq!(wrong, [""; 0], "{line:#}");
        let records = line["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap();
        seen.extend(records.iter().map(|r| r["eventName"].as_str().unwrap().replace("fr.", "")));
    }
    assert!(seen.remove("gap"), "{seen:?}");
    assert_eq!(seen, all_kinds(), "each kind of event was held against it");
}

/// The checkers themselves: what is wrong is found.
#[test]
fn a_record_that_does_not_keep_to_them_is_found() {
    let env = night();
    let schema: Value = serde_json::from_str(&corpus("ocsf/1.4.0.json")).unwrap();
    let record = lines(&exported(&env, "ocsf", &[])).into_iter().find(|r| r["class_uid"] == 1007).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut record = record.clone();
        change(&mut record);
        let mut ocsf = Ocsf { schema: schema.clone(), wrong: Vec::new() };
        ocsf.record(&record);
        ocsf.wrong.join("; ")
    };
    assert_eq!(changed(&|_| {}), "");
    assert!(changed(&|r| r["colour"] = "red".into()).contains("colour is no attribute"));
    assert!(changed(&|r| r["severity_id"] = 9.into()).contains("severity_id has no value 9"));
    assert!(changed(&|r| r["status"] = "Fine".into()).contains("status_id"));
    assert!(changed(&|r| r["process"]["uid"] = 7.into()).contains("process.uid is no string_t"));
    assert!(changed(&|r| r["device"] = serde_json::json!({"type_id": 0})).contains("none of"));
    assert!(changed(&|r| drop(r.as_object_mut().unwrap().remove("actor"))).contains("actor is missing"));
    let protos = Protos::read();
    let otlp = lines(&exported(&env, "otlp", &[])).remove(0);
    let changed = |at: &str, value: Value| {
        let (mut line, mut wrong) = (otlp.clone(), Vec::new());
        line["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0][at] = value;
        protos.message(&line, "LogsData", "", &mut wrong);
        wrong.join("; ")
    };
    assert_eq!(changed("flags", 0.into()), "");
    assert!(changed("timeUnixNano", 5.into()).contains("is no fixed64"));
    assert!(changed("traceId", "zz".into()).contains("is no bytes"));
    assert!(changed("severityNumber", 30.into()).contains("is no SeverityNumber"));
    assert!(
        changed("body", serde_json::json!({"stringValue": "a", "boolValue": true})).contains("not one value")
    );
    assert!(changed("colour", "red".into()).contains("is no field"));
}
