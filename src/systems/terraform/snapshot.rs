//! What a state file says (format 4): its serial and lineage, what makes two of them equal, and the resources in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::data;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind};

/// A state file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Counts the writes.
    pub serial: u64,
    /// Names the history that it belongs to.
    pub lineage: String,
    /// True where it has neither resources nor outputs.
    pub is_empty: bool,
    /// Equal where two states say the same, whatever their serials.
    pub content: Option<ObjectId>,
    /// Its resource instances.
    pub resources: Vec<Resource>,
}

/// A resource instance: what is needed to say what is gone. Values are kept where they help to find data again and are
/// not sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `module.db.aws_db_instance.main[0]`.
    pub address: String,
    /// `aws_db_instance`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `registry.terraform.io/hashicorp/aws`.
    pub provider: String,
    /// The provider's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Attributes that matter ([`data::TELLING`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Equal where nothing of it changed.
    pub content: ObjectId,
    /// The same, without what its place in the configuration makes of it: its index, what it depends on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substance: Option<ObjectId>,
}

impl Snapshot {
    /// Reads a state file; what is empty (terraform leaves such files behind) is a state without anything.
    ///
    /// # Errors
    /// Where it is no state file of a format that is known.
    pub fn read(text: &[u8]) -> Result<Snapshot> {
        if text.trim_ascii().is_empty() {
            return Ok(Snapshot { is_empty: true, ..Snapshot::default() });
        }
        let state: Value = serde_json::from_slice(text)
            .map_err(|e| Error::failure(format!("the state is no JSON: {}", position(&e))))?;
        let number = |name: &str| state.get(name).and_then(Value::as_u64);
        match number("version") {
            Some(4) => {}
            Some(other) => return Err(Error::failure(format!("the state has format {other}, fr knows 4"))),
            None => return Err(Error::failure("the state says nothing of its format (is it encrypted?)")),
        }
        let none = Vec::new();
        let resources = state.get("resources").and_then(Value::as_array).unwrap_or(&none);
        let outputs = state.get("outputs").and_then(Value::as_object).filter(|o| !o.is_empty());
        let is_empty = resources.is_empty() && outputs.is_none();
        let lineage = state.get("lineage").and_then(Value::as_str).unwrap_or_default().to_owned();
        let whole = json!({"lineage": &lineage, "resources": resources, "outputs": outputs});
        Ok(Snapshot {
            serial: number("serial").unwrap_or(0),
            is_empty,
            content: (!is_empty).then(|| digest(&whole)),
            resources: resources.iter().filter(|r| r["mode"] != "data").flat_map(instances).collect(),
            lineage,
        })
    }

    /// `serial 7`.
    pub fn shown(&self) -> String {
        format!("serial {}", self.serial)
    }
}

/// Where JSON broke off, without the text that was there.
fn position(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn digest(value: &Value) -> ObjectId {
    ObjectId::of(ObjectKind::State, value.to_string().as_bytes())
}

/// The instances of one resource of the file. Deposed ones are objects too that a destroy removes.
fn instances(resource: &Value) -> Vec<Resource> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    let module = Some(text("module")).filter(|m| !m.is_empty()).map(|m| format!("{m}.")).unwrap_or_default();
    let front = format!("{module}{}.{}", text("type"), text("name"));
    let provider = text("provider").split('"').nth(1).unwrap_or_else(|| text("provider")).to_owned();
    let all = resource.get("instances").and_then(Value::as_array);
    let one = |instance: &Value| {
        let key = match instance.get("index_key") {
            Some(Value::Number(n)) => format!("[{n}]"),
            Some(Value::String(s)) => format!("[{}]", Value::from(s.as_str())),
            _ => String::new(),
        };
        let deposed = instance.get("deposed").and_then(Value::as_str);
        let deposed = deposed.map(|d| format!(" (deposed {d})")).unwrap_or_default();
        Resource {
            address: format!("{front}{key}{deposed}"),
            kind: text("type").to_owned(),
            provider: provider.clone(),
            id: attribute(instance, "id"),
            attributes: data::TELLING
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), attribute(instance, name)?)))
                .collect(),
            content: digest(instance),
            substance: Some(digest(&substance(instance))),
        }
    };
    all.map(|all| all.iter().map(one).collect()).unwrap_or_default()
}

/// An instance without its place in the configuration.
fn substance(instance: &Value) -> Value {
    let mut out = instance.clone();
    if let Some(fields) = out.as_object_mut() {
        for field in ["index_key", "dependencies", "create_before_destroy"] {
            fields.remove(field);
        }
    }
    out
}

/// A plain attribute that is set and not sensitive.
fn attribute(instance: &Value, name: &str) -> Option<String> {
    let sensitive = instance.get("sensitive_attributes").and_then(Value::as_array);
    let named = |path: &Value| path.get(0).and_then(|step| step.get("value")).is_some_and(|v| v == name);
    if sensitive.is_some_and(|paths| paths.iter().any(named)) {
        return None;
    }
    match instance.get("attributes")?.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(serial: u64, password_is_sensitive: bool) -> Vec<u8> {
        let path = json!([[{"type": "get_attr", "value": "id"}]]);
        json!({
            "version": 4, "serial": serial, "lineage": "l", "terraform_version": "1.11.4", "outputs": {},
            "resources": [{
                "module": "module.db", "mode": "managed", "type": "aws_db_instance", "name": "main",
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances": [{
                    "index_key": "eu", "attributes": {
                        "id": "prod", "password": "hunter2", "deletion_protection": false,
                        "final_snapshot_identifier": "prod-final", "skip_final_snapshot": true,
                    },
                    "sensitive_attributes": if password_is_sensitive { path } else { json!([]) },
                }],
            }],
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn equality_is_of_what_it_says() {
        let (a, b) = (Snapshot::read(&state(3, false)).unwrap(), Snapshot::read(&state(9, false)).unwrap());
        assert_eq!((a.content, a.serial, b.serial), (b.content, 3, 9));
        assert_ne!(a.content, Snapshot::read(&state(3, true)).unwrap().content);
        let empty = Snapshot::read(b"").unwrap();
        let destroyed = br#"{"version":4,"serial":4,"lineage":"l","outputs":{},"resources":[]}"#;
        assert_eq!(empty.content, Snapshot::read(destroyed).unwrap().content, "both hold nothing");
        assert!(Snapshot::read(b"{\"version\": 3}").is_err() && Snapshot::read(b"{\"serial").is_err());
    }

    #[test]
    fn the_inventory_says_where_data_may_be_and_no_secret() {
        let found = Snapshot::read(&state(3, false)).unwrap().resources;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].address, "module.db.aws_db_instance.main[\"eu\"]");
        assert_eq!(found[0].id.as_deref(), Some("prod"));
        assert_eq!(found[0].attributes["final_snapshot_identifier"], "prod-final");
        assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"));
        let hidden = Snapshot::read(&state(3, true)).unwrap().resources;
        assert_eq!(hidden[0].id, None, "what is marked as sensitive is not taken over");
    }
}
