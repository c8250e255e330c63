//! Old objects in another namespace, beside the present: the same names, and what in them names their old namespace names the
//! new one, where that is what the field is for.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::Api;
use super::kubectl::Kubectl;
use super::object::{Key, Object};
use super::query::Access;
use super::resources::Server;
use super::snapshot::Snapshot;
use super::{capture, kinds, prune, recreate};
use crate::error::{Error, ExitCode, Result};
use crate::model::{Capture, StepOutcome};
use crate::systems::ApplyCx;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(1800);
/// How many of a kind of note are told one by one.
const TOLD: usize = 12;

/// Makes what a namespace held in another namespace; what was left out or still names the old one is told.
pub fn restore_into(
    captured: &Capture,
    (kind, name): (&str, &str),
    cx: &ApplyCx<'_>,
) -> Result<(StepOutcome, Vec<String>)> {
    if kind != "namespace" || !is_label(name) {
        return Err(Error::new(
            ExitCode::Usage,
            format!("{kind}:{name} is no place for objects of a cluster"),
        )
        .hint("`--to namespace:NAME` names a namespace, `--to DIR` a directory"));
    }
    let snapshot = Snapshot::load(&captured.state, cx.source)?;
    let mut moving = Moving { old: old_namespace(&snapshot, name)?, new: name.to_owned(), notes: Vec::new() };
    let objects = moving.objects(&snapshot, cx)?;
    let access = Access::of(&captured.locator);
    let until = Instant::now() + LIMIT;
    let kubectl = Kubectl::trusted(&access, until);
    capture::same_cluster(&kubectl, &access, &snapshot.cluster)?;
    let api = Api::start(&kubectl, until)?;
    let server = Server::of(&api);
    let space = moving.namespace(&snapshot, &server, cx)?;
    let all = space.into_iter().chain(objects).collect();
    let outcome = recreate::make((&kubectl, &server), all, HashSet::new(), cx)?;
    Ok((outcome, moving.notes))
}

/// The one namespace that was captured.
fn old_namespace(snapshot: &Snapshot, new: &str) -> Result<String> {
    let there = snapshot.entries().filter(|(key, entry)| entry.is_some() && !key.namespace.is_empty());
    let spaces: BTreeSet<String> = there.map(|(key, _)| key.namespace).collect();
    let mut spaces = spaces.into_iter();
    match (spaces.next(), spaces.next()) {
        (Some(one), None) if one != new => Ok(one),
        (Some(one), None) => Err(Error::failure(format!("they were in namespace {one} before"))
            .hint("`fr undo` brings them back there")),
        (None, _) => Err(Error::failure("nothing in a namespace was captured")),
        (Some(one), Some(other)) => {
            Err(Error::failure(format!("the capture holds several namespaces ({one}, {other}, …)"))
                .hint("`--to DIR` writes all of them as files"))
        }
    }
}

/// A name as the server takes it for a namespace (RFC 1123 label).
fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && name.chars().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

struct Moving {
    old: String,
    new: String,
    notes: Vec<String>,
}

impl Moving {
    /// The objects as they are to be in the new namespace.
    fn objects(&mut self, snapshot: &Snapshot, cx: &ApplyCx<'_>) -> Result<Vec<Object>> {
        let (mut out, mut outside) = (Vec::new(), Vec::new());
        for (key, entry) in snapshot.entries() {
            let Some(entry) = entry.filter(|entry| entry.is_there() && !entry.left) else { continue };
            let object = Snapshot::object(entry, cx.source)?;
            if key.namespace.is_empty() {
                if !key.is("", "Namespace") {
                    outside.push(key.short());
                }
                continue;
            }
            match kinds::must_not_return(&object) {
                Some(why) => self.notes.push(format!("left out: {}: {why}", key.short())),
                None => out.push(object),
            }
        }
        if !outside.is_empty() {
            self.notes.push(format!("left as they are, they have no namespace: {}", some(&outside)));
        }
        let uids: BTreeSet<String> = out.iter().map(|o| o.uid().to_owned()).collect();
        out.iter_mut().for_each(|object| self.rewrite(object, &uids));
        let still: Vec<String> = out.iter().filter_map(|object| self.still_names(object)).collect();
        if !still.is_empty() {
            self.notes.push(format!("still names {}: {}", self.old, some(&still)));
        }
        Ok(out)
    }

    fn rewrite(&mut self, object: &mut Object, uids: &BTreeSet<String>) {
        let new = json!(self.new);
        object.key.namespace.clone_from(&self.new);
        if let Some(meta) = object.metadata() {
            meta.insert("namespace".to_owned(), new.clone());
            self.applied(meta);
        }
        // An owner in another namespace is none: the garbage collector would delete what names it.
        if let Some(owners) = object.metadata().and_then(|meta| meta.get_mut("ownerReferences"))
            && let Some(owners) = owners.as_array_mut()
        {
            owners.retain(|owner| {
                owner.get("uid").and_then(Value::as_str).is_some_and(|uid| uids.contains(uid))
            });
        }
        let key = object.key.clone();
        kinds::loosen(object);
        if key.is("", "PersistentVolumeClaim") {
            object.remove("/spec", &["volumeName"]);
            self.notes.push(format!("{} asks for a new volume, the data stays where it is", key.short()));
        }
        let lists: &[&str] = match key.kind.as_str() {
            "RoleBinding" => &["/subjects"],
            "Endpoints" => &["/subsets"],
            "EndpointSlice" => &["/endpoints"],
            _ => &[],
        };
        for list in lists {
            if let Some(value) = object.value.pointer_mut(list) {
                self.fields(value, "namespace", &new);
            }
        }
        if key.kind == "NetworkPolicy"
            && let Some(spec) = object.value.get_mut("spec")
        {
            self.fields(spec, "kubernetes.io/metadata.name", &new);
        }
    }

    /// Fields of this name that hold the old namespace.
    fn fields(&self, value: &mut Value, name: &str, new: &Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(|item| self.fields(item, name, new)),
            Value::Object(map) => {
                for (field, item) in map.iter_mut() {
                    if field == name && item.as_str() == Some(&self.old) {
                        item.clone_from(new);
                    } else {
                        self.fields(item, name, new);
                    }
                }
            }
            _ => {}
        }
    }

    /// `kubectl apply` compares with what it has noted of the last time.
    fn applied(&self, meta: &mut serde_json::Map<String, Value>) {
        let note = meta.get_mut("annotations").and_then(|notes| notes.get_mut(prune::APPLIED));
        let Some(note) = note else { return };
        let Some(mut value) = note.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
            return;
        };
        if let Some(namespace) = value.pointer_mut("/metadata/namespace") {
            *namespace = json!(self.new);
        }
        *note = json!(format!("{value}\n"));
    }

    /// A field that holds the old namespace, or a host name in it.
    fn still_names(&self, object: &Object) -> Option<String> {
        let host = format!(".{}.svc", self.old);
        let is_named = |text: &str| text == self.old || text.contains(&host);
        let found = find(&object.value, "", &|path, text| {
            !path.contains("last-applied-configuration") && path != "metadata.name" && is_named(text)
        })?;
        Some(format!("{} {found}", object.key.short()))
    }

    /// The new namespace, where it is not there yet: with the labels and annotations of the old one.
    fn namespace(
        &mut self,
        snapshot: &Snapshot,
        server: &Server<'_>,
        cx: &ApplyCx<'_>,
    ) -> Result<Option<Object>> {
        let mut line = server.api.line();
        if line.get(&format!("/api/v1/namespaces/{}", self.new))?.is_ok() {
            return Ok(None);
        }
        let old = snapshot.entry(&Key::cluster_wide("", "Namespace", &self.old));
        let mut space = match old {
            Some(entry) => kinds::strip(&Snapshot::object(entry, cx.source)?),
            None => {
                Object::of(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.new}}))?
            }
        };
        if let Some(meta) = space.metadata() {
            meta.insert("name".to_owned(), json!(self.new));
            if let Some(notes) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
                notes.remove(prune::APPLIED);
            }
        }
        space.remove("/metadata/labels", &["kubernetes.io/metadata.name"]);
        space.key.name.clone_from(&self.new);
        self.notes.push(format!(
            "namespace {} is new: `kubectl delete namespace {}` removes all of this",
            self.new, self.new
        ));
        Ok(Some(space))
    }
}

/// The path of the first text that is meant.
fn find(value: &Value, path: &str, is: &dyn Fn(&str, &str) -> bool) -> Option<String> {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::String(text) => is(path, text).then(|| path.to_owned()),
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(at, item)| find(item, &below(&at.to_string()), is))
        }
        Value::Object(map) => map.iter().find_map(|(name, item)| find(item, &below(name), is)),
        _ => None,
    }
}

fn some(all: &[String]) -> String {
    let mut text = all.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > TOLD {
        text.push_str(&format!(" and {} more", all.len() - TOLD));
    }
    text
}
