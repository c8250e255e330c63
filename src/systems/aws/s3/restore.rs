//! Bringing objects back: marks of deletion are removed, old versions are copied over newer ones, contents are written
//! again. Nothing is written where an object is not as the plan saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::closer::{self, Asked};
use super::list::{self, Listing};
use super::target::Which;
use super::{access, check_account, digest, key, same};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectSource, StepOutcome};
use crate::platform::scratch::ScratchDir;
use crate::systems::ApplyCx;
use crate::systems::aws::cli::{Call, Cli, Reply};
use crate::systems::aws::snapshot::{Part, Snapshot};

/// How many requests are made in one go.
const IN_ONE_GO: usize = 128;
/// How many marks one request may remove (the service's own limit).
const MARKS: usize = 1000;
/// What a put takes over from what a get has told.
pub const HEADERS: &[&str] = &[
    "ContentType",
    "Metadata",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "Expires",
    "WebsiteRedirectLocation",
    "StorageClass",
    "ServerSideEncryption",
    "SSEKMSKeyId",
];

/// Brings objects of a bucket back to what they were.
pub fn restore(
    cli: &Cli,
    before: &Snapshot,
    bucket: &str,
    objects: &BTreeMap<String, Option<ObjectId>>,
    cx: &ApplyCx<'_>,
) -> Result<StepOutcome> {
    check_account(cli, &before.account)?;
    let which = Which::Keys(objects.keys().cloned().collect());
    let listing = Listing::of(&which, &cli.ask_all(&list::calls(bucket, &which, None))?.replies)
        .map_err(Error::failure)?;
    let same = same::as_before(cli, before, bucket, &listing, objects.keys(), cx.source)?;
    let closely = closely(cli, bucket, objects, &same, &listing)?;
    let mut work = Work::default();
    for (name, left) in objects {
        let now = listing
            .current
            .get(name)
            .map(|listed| closely.get(name).copied().unwrap_or_else(|| digest(listed)));
        let old = before.part(&key(bucket, name));
        if same.contains(name) || (now.is_none() && old.is_none()) {
            continue;
        }
        if now != *left {
            return Ok(StepOutcome::Conflict {
                reason: format!("aws:s3:object:{bucket}/{name} was changed just now"),
            });
        }
        work.sort(bucket, name, old, now.is_some(), &listing);
    }
    work.run(cli, bucket, cx)
}

/// The identities of those of which the listing alone does not say that they are what the plan saw.
fn closely(
    cli: &Cli,
    bucket: &str,
    objects: &BTreeMap<String, Option<ObjectId>>,
    same: &BTreeSet<String>,
    listing: &Listing,
) -> Result<BTreeMap<String, ObjectId>> {
    let is_told =
        |name: &str, left: &ObjectId| listing.current.get(name).is_none_or(|listed| digest(listed) == *left);
    let unsure = objects.iter().filter_map(|(name, left)| Some((name, left.as_ref()?)));
    let unsure = unsure.filter(|(name, left)| !same.contains(*name) && !is_told(name, left));
    let asked: Vec<Asked<'_>> = unsure
        .filter_map(|(name, _)| Some(Asked { name, listed: listing.current.get(name)?, known: None }))
        .collect();
    closer::identities(cli, bucket, &asked)
}

/// What is to be done.
#[derive(Default)]
struct Work<'a> {
    marks: Vec<Value>,
    calls: Vec<Call>,
    /// Copies of old versions, and how these are named.
    copies: Vec<(Call, Value)>,
    bodies: Vec<(&'a str, &'a Part)>,
    failed: Vec<String>,
}

impl<'a> Work<'a> {
    fn sort(
        &mut self,
        bucket: &str,
        name: &'a str,
        old: Option<&'a Part>,
        is_there: bool,
        listing: &Listing,
    ) {
        let Some(old) = old else {
            self.calls.push(Call::new("s3api", "delete-object", json!({"Bucket": bucket, "Key": name})));
            return;
        };
        let version = old.listed.as_ref().map(|listed| listed.version.as_str()).unwrap_or_default();
        let versions = listing.versions.get(name).map(Vec::as_slice).unwrap_or_default();
        let Some(kept) = versions.iter().find(|v| !version.is_empty() && v.id == version) else {
            match old.body {
                Some(_) => self.bodies.push((name, old)),
                None => self.failed.push(format!("{name}: its version {version} is gone")),
            }
            return;
        };
        let is_newest = versions.iter().all(|other| other.id == kept.id || other.modified <= kept.modified);
        if !is_there && is_newest {
            let marks = listing.marks.get(name).into_iter().flatten();
            let above = marks.filter(|mark| mark.latest || mark.modified >= kept.modified);
            self.marks.extend(above.map(|mark| json!({"Key": name, "VersionId": mark.id})));
            return;
        }
        // The command line encodes it itself (botocore/handlers.py, handle_copy_source_param).
        let source = format!("{bucket}/{name}?versionId={version}");
        let input = json!({"Bucket": bucket, "Key": name, "CopySource": source});
        let old = json!({"Bucket": bucket, "Key": name, "VersionId": version});
        self.copies.push((Call::new("s3api", "copy-object", input), old));
    }

    fn run(mut self, cli: &Cli, bucket: &str, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        let mut done = 0;
        for group in self.marks.chunks(MARKS) {
            let input = json!({"Bucket": bucket, "Delete": {"Objects": group, "Quiet": true}});
            match cli.ask(Call::new("s3api", "delete-objects", input))? {
                Ok(answer) => {
                    let errors = answer["Errors"].as_array().cloned().unwrap_or_default();
                    self.failed.extend(errors.iter().map(|e| {
                        format!(
                            "{}: {}",
                            e["Key"].as_str().unwrap_or_default(),
                            e["Message"].as_str().unwrap_or_default()
                        )
                    }));
                    done += group.len();
                }
                Err(refusal) => self.failed.push(format!("marks of deletion: {}", refusal.shown())),
            }
            (cx.progress)(done as u64);
        }
        for group in self.calls.chunks(IN_ONE_GO) {
            let replies = cli.ask_all(group)?.replies;
            done += group.len();
            self.failed.extend(refused(group, &replies));
            (cx.progress)(done as u64);
        }
        for group in self.copies.chunks_mut(IN_ONE_GO) {
            let calls = with_lists(cli, group)?;
            let (replies, lost) = access::put(cli, &calls)?;
            done += group.len();
            self.failed.extend(refused(&calls, &replies).into_iter().chain(lost));
            (cx.progress)(done as u64);
        }
        for group in self.bodies.chunks(IN_ONE_GO) {
            self.failed.extend(write(cli, bucket, group, cx.source)?);
            done += group.len();
            (cx.progress)(done as u64);
        }
        match self.failed.as_slice() {
            [] => Ok(StepOutcome::Done),
            failed => {
                let named: Vec<&str> = failed.iter().take(3).map(String::as_str).collect();
                let more =
                    if failed.len() > 3 { format!(" and {} more", failed.len() - 3) } else { String::new() };
                Ok(StepOutcome::Failed { reason: format!("{}{more}", named.join("; ")) })
            }
        }
    }
}

/// Copies with the access lists of what they copy: the service gives a copy none.
fn with_lists(cli: &Cli, group: &[(Call, Value)]) -> Result<Vec<Call>> {
    let asks: Vec<Call> =
        group.iter().map(|(_, old)| Call::new("s3api", "get-object-acl", old.clone())).collect();
    let mut lists = cli.ask_all(&asks)?.replies.into_iter();
    let calls = group.iter().map(|(call, _)| {
        let mut call = call.clone();
        if let (Some(Ok(acl)), Some(input)) = (lists.next(), call.input.as_object_mut()) {
            input.extend(access::parameters(&access::counted(&acl)));
        }
        call
    });
    Ok(calls.collect())
}

/// Percent encoding (RFC 3986).
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// The key of what a call is about.
pub fn name_of(call: &Call) -> String {
    call.input["Key"].as_str().unwrap_or_default().to_owned()
}

fn refused(calls: &[Call], replies: &[Reply]) -> Vec<String> {
    let pairs = calls.iter().zip(replies);
    pairs
        .filter_map(|(call, reply)| reply.as_ref().err().map(|r| format!("{}: {}", name_of(call), r.shown())))
        .collect()
}

/// Writes contents again; what failed.
fn write(cli: &Cli, bucket: &str, group: &[(&str, &Part)], source: &dyn ObjectSource) -> Result<Vec<String>> {
    let scratch = ScratchDir::new("s3")?;
    let mut calls = Vec::new();
    let mut failed = Vec::new();
    for (at, (name, part)) in group.iter().enumerate() {
        let kept = Snapshot::value(part, source)?;
        let mut input = headers(&kept);
        input.insert("Bucket".to_owned(), Value::from(bucket));
        input.insert("Key".to_owned(), Value::from(*name));
        let pieces = part.body.as_deref().unwrap_or_default();
        let listed = part.listed.clone().unwrap_or_default();
        match listed.part.filter(|size| listed.size > *size) {
            Some(size) => failed.extend(in_parts(cli, input, pieces, size, source)?),
            None => {
                let file = scratch.path().join(at.to_string());
                join(&file, pieces, source)?;
                calls.push(Call {
                    body: Some(file),
                    ..Call::new("s3api", "put-object", Value::Object(input))
                });
            }
        }
    }
    if !calls.is_empty() {
        let (replies, lost) = access::put(cli, &calls)?;
        failed.extend(refused(&calls, &replies).into_iter().chain(lost));
    }
    Ok(failed)
}

fn headers(kept: &Value) -> Map<String, Value> {
    let head = &kept["Head"];
    let taken = HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), head.get(*name).filter(|v| !v.is_null())?.clone())));
    let mut out: Map<String, Value> = taken.collect();
    let text = |tag: &Value, field: &str| encoded(tag[field].as_str().unwrap_or_default());
    let tags: Vec<String> = kept["Tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| format!("{}={}", text(tag, "Key"), text(tag, "Value")))
        .collect();
    if !tags.is_empty() {
        out.insert("Tagging".to_owned(), Value::from(tags.join("&")));
    }
    out.extend(access::parameters(&kept["Acl"]));
    out
}

/// Writes one object in parts of the size that it had, so that its entity tag is the old one.
fn in_parts(
    cli: &Cli,
    input: Map<String, Value>,
    pieces: &[ObjectId],
    size: u64,
    source: &dyn ObjectSource,
) -> Result<Vec<String>> {
    let (bucket, name) = (input["Bucket"].clone(), input["Key"].clone());
    let scratch = ScratchDir::new("s3")?;
    let whole = scratch.path().join("whole");
    join(&whole, pieces, source)?;
    let fail = |what: String| Ok(vec![format!("{}: {what}", name.as_str().unwrap_or_default())]);
    let begin = Call::new("s3api", "create-multipart-upload", Value::Object(input));
    let (replies, lost) = access::put(cli, std::slice::from_ref(&begin))?;
    let begun = match replies.into_iter().next() {
        Some(Ok(answer)) => answer["UploadId"].clone(),
        Some(Err(refusal)) => return fail(refusal.shown()),
        None => return fail("no answer".to_owned()),
    };
    let mut calls = Vec::new();
    for (at, file) in parts(&whole, size, scratch.path())?.into_iter().enumerate() {
        let input = json!({"Bucket": bucket, "Key": name, "UploadId": begun, "PartNumber": at + 1});
        calls.push(Call { body: Some(file), ..Call::new("s3api", "upload-part", input) });
    }
    let mut tags = Vec::new();
    for (at, reply) in cli.ask_all(&calls)?.replies.into_iter().enumerate() {
        match reply {
            Ok(answer) => tags.push(json!({"ETag": answer["ETag"], "PartNumber": at + 1})),
            Err(refusal) => {
                let input = json!({"Bucket": bucket, "Key": name, "UploadId": begun});
                let _ = cli.ask(Call::new("s3api", "abort-multipart-upload", input))?;
                return fail(refusal.shown());
            }
        }
    }
    let input = json!({"Bucket": bucket, "Key": name, "UploadId": begun, "MultipartUpload": {"Parts": tags}});
    match cli.ask(Call::new("s3api", "complete-multipart-upload", input))? {
        Ok(_) => Ok(lost),
        Err(refusal) => fail(refusal.shown()),
    }
}

fn parts(whole: &Path, size: u64, dir: &Path) -> Result<Vec<std::path::PathBuf>> {
    use std::io::Read;
    let failed = |e: std::io::Error| Error::io("read", whole, &e);
    let mut open = std::fs::File::open(whole).map_err(failed)?;
    let mut out = Vec::new();
    loop {
        let file = dir.join(format!("part-{}", out.len()));
        let mut to = std::fs::File::create(&file).map_err(|e| Error::io("write", &file, &e))?;
        let copied = std::io::copy(&mut (&mut open).take(size), &mut to).map_err(failed)?;
        if copied == 0 {
            return Ok(out);
        }
        out.push(file);
    }
}

/// Puts the pieces of a content into a file.
fn join(file: &Path, pieces: &[ObjectId], source: &dyn ObjectSource) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("write", file, &e);
    let mut to = std::fs::File::create(file).map_err(failed)?;
    for id in pieces {
        to.write_all(&source.get(id)?).map_err(failed)?;
    }
    Ok(())
}
