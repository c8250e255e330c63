//! What a listing cannot tell. It has times in seconds: of what was written a moment ago, somebody may write the same content once
//! more in the same second with other metadata, tags or rights, and the listing says the same of both. Such objects are asked for
//! one by one, and what is told goes into their identity.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::same::what_counts;
use super::{digest, is_object};
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind};
use crate::platform::clock;
use crate::systems::CaptureCx;
use crate::systems::aws::cli::{Call, Cli, Reply};
use crate::systems::aws::snapshot::{Key, Listed, Part, Snapshot};

/// The bucket gives it no version that would tell it from another.
pub fn is_unsure(listed: &Listed) -> bool {
    listed.fresh && has_no_version(listed)
}

fn has_no_version(listed: &Listed) -> bool {
    matches!(listed.version.as_str(), "" | "null")
}

/// An object that is looked at more closely.
pub struct Asked<'a> {
    /// Its key.
    pub name: &'a str,
    /// What the listing tells.
    pub listed: &'a Listed,
    /// What its get has told, where there was one: `Head` and `Tags`.
    pub known: Option<Value>,
}

/// The identities of objects, by what they are and who may read them.
///
/// # Errors
/// Where AWS is not reached.
pub fn identities(cli: &Cli, bucket: &str, asked: &[Asked<'_>]) -> Result<BTreeMap<String, ObjectId>> {
    if asked.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut calls = Vec::new();
    for one in asked {
        let call = |op: &str| Call::new("s3api", op, json!({"Bucket": bucket, "Key": one.name}));
        if one.known.is_none() {
            calls.extend([call("head-object"), call("get-object-tagging")]);
        }
        calls.push(call("get-object-acl"));
    }
    let mut replies = cli.ask_all(&calls)?.replies.into_iter();
    let mut said = || replies.next().and_then(Reply::ok).unwrap_or_default();
    let mut out = BTreeMap::new();
    for one in asked {
        let (head, tags) = match &one.known {
            Some(known) => (known["Head"].clone(), known["Tags"].clone()),
            None => (said(), said()["TagSet"].clone()),
        };
        let told = json!([what_counts(&head, &tags), grants(&said())]);
        let text = format!("{} {told}", digest(one.listed));
        out.insert(one.name.to_owned(), ObjectId::of(ObjectKind::State, text.as_bytes()));
    }
    Ok(out)
}

/// Who may do what, in an order of its own; nothing where the bucket knows no such lists, or where it may not be read.
fn grants(acl: &Value) -> Value {
    let mut all = acl["Grants"].as_array().cloned().unwrap_or_default();
    all.sort_by_key(Value::to_string);
    Value::from(all)
}

/// Looks closely at those objects of a state that `is_meant` takes.
///
/// # Errors
/// Where AWS is not reached.
pub fn look(
    cli: &Cli,
    snapshot: &mut Snapshot,
    is_meant: impl Fn(&Key, &Listed) -> bool,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    let mut all: BTreeMap<String, Vec<(Key, Part)>> = BTreeMap::new();
    for (key, part) in snapshot.parts().filter(|(key, _)| is_object(key)) {
        let part = part.filter(|part| part.listed.as_ref().is_some_and(|listed| is_meant(&key, listed)));
        if let Some(part) = part {
            all.entry(key.id(0).to_owned()).or_default().push((key, part.clone()));
        }
    }
    for (bucket, parts) in all {
        let asked: Vec<Asked<'_>> = parts
            .iter()
            .filter_map(|(key, part)| {
                let known = Snapshot::value(part, cx.source).ok().filter(|value| value.get("Head").is_some());
                Some(Asked { name: key.id(1), listed: part.listed.as_ref()?, known })
            })
            .collect();
        let mut found = identities(cli, &bucket, &asked)?;
        drop(asked);
        for (key, part) in parts {
            if let Some(digest) = found.remove(key.id(1)) {
                snapshot.set(&key, Some(Part { digest, ..part }));
            }
        }
    }
    Ok(())
}

/// Looks closely before a command runs. Where that cannot be done, what is unsure is like no other: what is there afterwards is
/// compared in detail.
pub fn look_before(cli: &Cli, snapshot: &mut Snapshot, cx: &CaptureCx<'_>) {
    if look(cli, snapshot, |_, listed| is_unsure(listed), cx).is_ok() {
        return;
    }
    let unsure: Vec<(Key, Part)> = snapshot
        .parts()
        .filter_map(|(key, part)| {
            Some((key, part.filter(|p| p.listed.as_ref().is_some_and(is_unsure))?.clone()))
        })
        .collect();
    let now = clock::now_ns();
    for (key, part) in unsure {
        let digest = ObjectId::of(ObjectKind::State, format!("{} {now}", part.digest).as_bytes());
        snapshot.set(&key, Some(Part { digest, ..part }));
    }
}

/// Whether something that is there may be taken for what a command left, and be another: the listing says the same of both, and
/// the command had only just written it.
pub fn may_be_another(left: Option<&Listed>, now: &Listed) -> bool {
    let Some(left) = left.filter(|left| is_unsure(left)) else { return false };
    has_no_version(now) && (&left.etag, left.size, &left.modified) == (&now.etag, now.size, &now.modified)
}
