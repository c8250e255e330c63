//! Whether terraform's configuration refuses to destroy what holds data, and whether its state is where it cannot get lost: from
//! files alone, no terraform is started.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hcl_edit::structure::Body;
use serde_json::{Map, Value};

use super::data;
use super::place::{Backend, Place, is_configuration, small};
use crate::model::{Bytes, Locator};
use crate::systems::{Safeguard, SafeguardCx, Safety};

/// How many root modules are looked at.
const MOST: usize = 20;

/// Looks at every root module that agents worked in.
pub fn safeguards(cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let mut roots: BTreeSet<PathBuf> = cx.ways.iter().map(|way| way.at.as_path().to_path_buf()).collect();
    roots.extend(cx.dirs.iter().cloned());
    let is_root = |root: &&PathBuf| root.is_absolute() && has_configuration(root);
    roots.iter().filter(is_root).take(MOST).flat_map(|root| of_root(root)).collect()
}

fn has_configuration(dir: &Path) -> bool {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| is_configuration(&entry.path()))
}

fn of_root(root: &Path) -> Vec<Safeguard> {
    let locator = Locator { at: Bytes::from(root.to_path_buf()), ..Locator::default() };
    let place = match Place::find(&locator) {
        Ok(place) => place,
        Err(e) => return vec![Safeguard::unknown(Safety::RemoteState, root.display().to_string(), e.what)],
    };
    let mut found = vec![state(root, &place.backend)];
    for file in super::config::files(root, &place.data_dir).iter().filter(|file| is_configuration(file)) {
        let name = file.display().to_string();
        match resources(file) {
            Ok(resources) => found.extend(resources.into_iter().map(|(address, prevented)| {
                let evidence = format!("{name}, prevent_destroy = {prevented}");
                Safeguard::found(Safety::PreventDestroy, address, prevented, evidence)
            })),
            Err(why) => found.push(Safeguard::unknown(Safety::PreventDestroy, name, why)),
        }
    }
    found
}

fn state(root: &Path, backend: &Backend) -> Safeguard {
    let of = root.display().to_string();
    match backend {
        Backend::Local { state, .. } => Safeguard::found(
            Safety::RemoteState,
            of,
            false,
            format!("the state is a file of this machine: {}", state.display()),
        ),
        Backend::Uninitialised => {
            Safeguard::unknown(Safety::RemoteState, of, "its backend is not initialised")
                .next("terraform init")
        }
        Backend::Remote { kind, config } => {
            let (locked, why) = locks(kind, config);
            match locked {
                Some(locked) => {
                    Safeguard::found(Safety::RemoteState, of, locked, format!("backend {kind}: {why}"))
                }
                None => Safeguard::unknown(Safety::RemoteState, of, format!("backend {kind}: {why}")),
            }
        }
    }
}

/// developer.hashicorp.com/terraform/language/backend: which backends lock.
fn locks(kind: &str, config: &Map<String, Value>) -> (Option<bool>, &'static str) {
    let set = |name: &str| {
        config.get(name).is_some_and(|value| match value {
            Value::Bool(on) => *on,
            Value::String(text) => !text.is_empty(),
            _ => false,
        })
    };
    match kind {
        "s3" if set("use_lockfile") || set("dynamodb_table") => (Some(true), "locked"),
        "s3" => (Some(false), "neither use_lockfile nor dynamodb_table is set"),
        "http" if set("lock_address") => (Some(true), "locked"),
        "http" => (Some(false), "no lock_address is set"),
        "consul" if config.get("lock") == Some(&Value::Bool(false)) => (Some(false), "lock = false"),
        "azurerm" | "gcs" | "pg" | "kubernetes" | "consul" | "cos" | "remote" | "cloud" => {
            (Some(true), "it locks by itself")
        }
        "oss" if set("tablestore_table") => (Some(true), "locked"),
        "oss" => (Some(false), "no tablestore_table is set"),
        _ => (None, "it is not known whether it locks"),
    }
}

/// Resources of a file that hold data, and whether terraform refuses to destroy them.
fn resources(file: &Path) -> Result<Vec<(String, bool)>, String> {
    let text = small(file).map_err(|e| e.what)?.unwrap_or_default();
    if file.extension().is_some_and(|end| end == "json") {
        let value: Value = serde_json::from_str(&text).map_err(|_| "it is no JSON".to_owned())?;
        return Ok(in_json(&value));
    }
    // What the parser says quotes the line, which may hold a secret.
    let body: Body = hcl_edit::parser::parse_body(&text).map_err(|e| {
        let at = e.location();
        format!("it cannot be read as HCL, line {}", at.line())
    })?;
    Ok(in_hcl(&body))
}

fn in_hcl(body: &Body) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for block in body.get_blocks("resource") {
        let [kind, name] = block.labels.as_slice() else { continue };
        if !data::is_protected(kind.as_str()) {
            continue;
        }
        let rules = block.body.get_blocks("lifecycle");
        let mut prevented = rules.filter_map(|rule| rule.body.get_attribute("prevent_destroy"));
        let is_prevented = prevented.any(|attribute| attribute.value.as_bool() == Some(true));
        found.push((format!("{}.{}", kind.as_str(), name.as_str()), is_prevented));
    }
    found
}

/// The same in terraform's JSON syntax, where a block may be an object or a list of them.
fn in_json(value: &Value) -> Vec<(String, bool)> {
    fn each(value: Option<&Value>) -> Vec<&Value> {
        match value {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(value) => vec![value],
            None => Vec::new(),
        }
    }
    let mut found = Vec::new();
    for (kind, named) in each(value.get("resource")).into_iter().filter_map(Value::as_object).flatten() {
        if !data::is_protected(kind) {
            continue;
        }
        for (name, bodies) in each(Some(named)).into_iter().filter_map(Value::as_object).flatten() {
            let rules = each(Some(bodies)).into_iter().flat_map(|body| each(body.get("lifecycle")));
            let mut set = rules.filter_map(|rule| rule.get("prevent_destroy"));
            let is_prevented = set.any(|on| *on == Value::Bool(true));
            found.push((format!("{kind}.{name}"), is_prevented));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Result<Vec<(String, bool)>, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        resources(&file)
    }

    #[test]
    fn only_the_block_of_the_resource_counts() {
        let text = r#"
# resource "aws_db_instance" "commented" { lifecycle { prevent_destroy = true } }
resource "aws_db_instance" "orders" {
  password = "a { lifecycle { prevent_destroy = true } }"
  user_data = <<-EOT
    lifecycle { prevent_destroy = true }
  EOT
}
resource "aws_s3_bucket" "kept" {
  lifecycle {
    prevent_destroy = true /* on purpose */
  }
}
resource "aws_dynamodb_table" "off" {
  lifecycle { prevent_destroy = false }
}
resource "null_resource" "x" {}
"#;
        let bare = |name: &str, on: bool| (name.to_owned(), on);
        let expected = [
            bare("aws_db_instance.orders", false),
            bare("aws_s3_bucket.kept", true),
            bare("aws_dynamodb_table.off", false),
        ];
        assert_eq!(of("main.tf", text).unwrap(), expected);
        let json = r#"{"resource": [{"aws_s3_bucket": {"a": {"lifecycle": {"prevent_destroy": true}}, "b": [{}]}}]}"#;
        assert_eq!(
            of("main.tf.json", json).unwrap(),
            [bare("aws_s3_bucket.a", true), bare("aws_s3_bucket.b", false)]
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_without_quoting_it() {
        let why = of("main.tf", "resource \"aws_db_instance\" \"x\" {\n  password = \"s3cret\n").unwrap_err();
        assert!(why.contains("line") && !why.contains("s3cret"), "{why}");
        assert_eq!(of("main.tf.json", "{").unwrap_err(), "it is no JSON");
    }
}
