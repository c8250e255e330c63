//! Which objects are what they were. A listing tells entity tags, sizes, versions and times. What was written again with the
//! same content may have other metadata, tags or another class, and what was written in parts of another size has another entity
//! tag: those are asked for one by one.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::body::pieces;
use super::list::Listing;
use super::restore::HEADERS;
use super::{access, key};
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind, ObjectSource};
use crate::platform::scratch::ScratchDir;
use crate::systems::aws::cli::{Call, Cli, Reply};
use crate::systems::aws::snapshot::{Listed, Part, Snapshot};

/// An object that was written again, perhaps as it was.
struct Asked<'a> {
    name: &'a str,
    old: &'a Part,
    listed: &'a Listed,
    /// Its content has to be compared.
    content: bool,
}

/// The objects that are what an earlier state says, of those that are there.
///
/// # Errors
/// Where AWS is not reached.
pub fn as_before<'n>(
    cli: &Cli,
    earlier: &Snapshot,
    bucket: &str,
    listing: &Listing,
    names: impl Iterator<Item = &'n String>,
    source: &dyn ObjectSource,
) -> Result<BTreeSet<String>> {
    let (mut same, mut asked) = (BTreeSet::new(), Vec::new());
    for name in names {
        let (Some(old), Some(now)) = (earlier.part(&key(bucket, name)), listing.current.get(name)) else {
            continue;
        };
        let Some(listed) = &old.listed else { continue };
        let is_one = listed.etag == now.etag && listed.size == now.size;
        let content = !is_one
            && listed.size == now.size
            && old.body.is_some()
            && (listed.etag.contains('-') || now.etag.contains('-'));
        match is_one {
            true if is_untouched(listed, now) => drop(same.insert(name.clone())),
            true => asked.push(Asked { name, old, listed, content }),
            false if content => asked.push(Asked { name, old, listed, content }),
            false => {}
        }
    }
    same.extend(by_asking(cli, bucket, &asked, source)?);
    Ok(same)
}

/// The listing alone says that nobody wrote it since.
fn is_untouched(old: &Listed, now: &Listed) -> bool {
    if !old.version.is_empty() && old.version != "null" {
        return old.version == now.version;
    }
    // States of earlier versions of fr have no times.
    old.modified.is_empty() || (!old.fresh && old.modified == now.modified)
}

fn by_asking(cli: &Cli, bucket: &str, asked: &[Asked<'_>], source: &dyn ObjectSource) -> Result<Vec<String>> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let scratch = ScratchDir::new("s3")?;
    let file = |at: usize| scratch.path().join(at.to_string());
    // Of those without versions whose access list was read.
    let lists: Vec<Option<Value>> = asked
        .iter()
        .map(|one| {
            let kept = Snapshot::value(one.old, source).ok().filter(|_| one.listed.version.is_empty());
            kept.and_then(|kept| kept.get("Acl").cloned())
        })
        .collect();
    // Of each: what it is now, its tags, and what the old version is, where the bucket has it.
    let mut calls = Vec::new();
    for (at, one) in asked.iter().enumerate() {
        let name = json!({"Bucket": bucket, "Key": one.name});
        let mut version = name.clone();
        version["VersionId"] = Value::from(one.listed.version.as_str());
        calls.push(match one.content {
            true => Call { out: Some(file(at)), ..Call::new("s3api", "get-object", name.clone()) },
            false => Call::new("s3api", "head-object", name.clone()),
        });
        calls.push(Call::new("s3api", "get-object-tagging", name.clone()));
        if lists.get(at).is_some_and(Option::is_some) {
            calls.push(Call::new("s3api", "get-object-acl", name.clone()));
        }
        if !one.listed.version.is_empty() {
            calls.push(Call::new("s3api", "head-object", version.clone()));
            calls.push(Call::new("s3api", "get-object-tagging", version));
        }
    }
    let mut replies = cli.ask_all(&calls)?.replies.into_iter();
    let mut same = Vec::new();
    for (at, one) in asked.iter().enumerate() {
        let now = told(replies.next(), replies.next());
        let list = lists.get(at).cloned().flatten();
        let is_listed = list.is_none_or(|list| {
            replies.next().is_some_and(|reply| reply.is_ok_and(|acl| access::counted(&acl) == list))
        });
        let old = match one.listed.version.is_empty() {
            true => kept(one.old, source)?,
            false => told(replies.next(), replies.next()),
        };
        let contents = || pieces(&file(at), |piece| Ok(ObjectId::of(ObjectKind::Blob, piece))).ok();
        if old.is_some() && is_listed && now == old && (!one.content || contents() == one.old.body) {
            same.push(one.name.to_owned());
        }
    }
    Ok(same)
}

/// What counts of an object beside its content; `None` where it cannot be read.
fn told(head: Option<Reply>, tags: Option<Reply>) -> Option<Value> {
    Some(what_counts(&head?.ok()?, &tags?.ok()?["TagSet"]))
}

fn kept(old: &Part, source: &dyn ObjectSource) -> Result<Option<Value>> {
    let value = Snapshot::value(old, source)?;
    Ok(value.get("Head").map(|head| what_counts(head, &value["Tags"])))
}

/// What counts of an object beside its content.
pub fn what_counts(head: &Value, tags: &Value) -> Value {
    let is_there =
        |value: &&Value| !value.is_null() && value.as_object().is_none_or(|fields| !fields.is_empty());
    let fields: Map<String, Value> = HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), head.get(*name).filter(is_there)?.clone())))
        .collect();
    let mut tags = tags.as_array().cloned().unwrap_or_default();
    tags.sort_by_key(Value::to_string);
    json!([fields, tags])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_old_is_told_by_its_time() {
        let old = Listed { modified: "2026-01-01T00:00:00+00:00".into(), ..Listed::default() };
        assert!(is_untouched(&old, &old.clone()));
        assert!(!is_untouched(&Listed { fresh: true, ..old.clone() }, &old));
        let version = |id: &str| Listed { version: id.into(), ..old.clone() };
        assert!(is_untouched(&version("a"), &version("a")) && !is_untouched(&version("a"), &version("b")));
    }

    #[test]
    fn metadata_and_tags_count_and_empty_ones_do_not() {
        let one = what_counts(&json!({"Metadata": {}, "ContentType": "a", "ETag": "x"}), &json!([]));
        assert_eq!(one, what_counts(&json!({"ContentType": "a"}), &Value::Null));
        assert_ne!(one, what_counts(&json!({"ContentType": "b"}), &Value::Null));
        assert_ne!(one, what_counts(&json!({"ContentType": "a"}), &json!([{"Key": "k", "Value": "v"}])));
    }
}
