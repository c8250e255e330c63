//! Contents of objects: copied into the store within a budget of bytes and of time, the smallest first, so that what stays
//! out is as little as possible; it is named.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use super::list::Fetched;
use super::{access, digest, key};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind};
use crate::platform::scratch::ScratchDir;
use crate::systems::CaptureCx;
use crate::systems::aws::capture::Gathered;
use crate::systems::aws::cli::{Call, Cli, Reply};
use crate::systems::aws::snapshot::{Key, Listed, Part};

/// How many objects, and how many bytes, are fetched in one go.
pub const IN_ONE_GO: (usize, u64) = (256, 256 << 20);
/// The size of the pieces that a content is kept in.
pub const PIECE: usize = 8 << 20;

/// Copies objects into the store.
pub fn copy(
    cli: &Cli,
    bucket: &str,
    (mut objects, fetched): (Vec<(String, Listed)>, &BTreeMap<String, Fetched>),
    out: &mut Gathered,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    objects.sort_by(|a, b| (a.1.size, &a.0).cmp(&(b.1.size, &b.0)));
    let mut left = cx.caps.aws_bytes;
    let mut wanted = Vec::new();
    for (name, listed) in objects {
        match left.checked_sub(listed.size) {
            Some(rest) => {
                left = rest;
                wanted.push((name, listed));
            }
            None => lacking(
                bucket,
                &name,
                &listed,
                &format!("over the {} MiB that caps.aws_bytes allows", cx.caps.aws_bytes >> 20),
                out,
                cx,
            )?,
        }
    }
    let (here, wanted): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|(name, _)| fetched.contains_key(name));
    let mut lists = Lists::default();
    let has_lists =
        !wanted.is_empty() && !cli.is_late() && access::has_lists(&cli.ask(access::ownership(bucket))?);
    for (name, listed) in here {
        let Some(one) = fetched.get(&name) else { continue };
        let told = one.part.map(|size| Ok(json!({"ContentLength": size})));
        let listed = Listed { part: told.and_then(|reply| part_size(&listed, &reply)), ..listed };
        let acl = lists.take(one.acl.as_ref());
        match &one.head {
            Ok(head) => {
                keep((bucket, &name, listed), &Got { head, tags: &one.tags, acl, file: &one.file }, out, cx)?;
            }
            Err(refusal) => lacking(bucket, &name, &listed, &refusal.shown(), out, cx)?,
        }
    }
    for group in groups(&wanted) {
        if cli.is_late() {
            for (name, listed) in group {
                lacking(bucket, name, listed, "not read in time (caps.aws_bucket_seconds)", out, cx)?;
            }
            continue;
        }
        fetch(cli, bucket, group, has_lists.then_some(&mut lists), out, cx)?;
    }
    lists.name_what_is_missing(bucket, out);
    Ok(())
}

/// Access lists that could not be read: they are named together.
#[derive(Default)]
struct Lists {
    missing: u64,
    why: String,
}

impl Lists {
    fn take(&mut self, reply: Option<&Reply>) -> Option<Value> {
        let (list, why) = access::kept(reply);
        if let Some(why) = why {
            (self.missing, self.why) = (self.missing + 1, why);
        }
        list
    }

    fn name_what_is_missing(&self, bucket: &str, out: &mut Gathered) {
        if self.missing > 0 {
            let what = format!("who may read {} objects of aws:s3:bucket:{bucket}", self.missing);
            out.miss(what, &self.why);
        }
    }
}

/// What was fetched of an object.
struct Got<'a> {
    head: &'a Value,
    tags: &'a Value,
    acl: Option<Value>,
    file: &'a Path,
}

fn groups(all: &[(String, Listed)]) -> Vec<&[(String, Listed)]> {
    let (mut out, mut first, mut bytes) = (Vec::new(), 0, 0);
    for (at, (_, listed)) in all.iter().enumerate() {
        if at > first && (at - first >= IN_ONE_GO.0 || bytes + listed.size > IN_ONE_GO.1) {
            out.extend(all.get(first..at));
            (first, bytes) = (at, 0);
        }
        bytes += listed.size;
    }
    out.extend(all.get(first..).filter(|rest| !rest.is_empty()));
    out
}

/// It was there, and its content is not kept.
fn lacking(
    bucket: &str,
    name: &str,
    listed: &Listed,
    why: &str,
    out: &mut Gathered,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    let text = json!({"Listed": {"ETag": listed.etag, "Size": listed.size}}).to_string();
    let json = cx.sink.put(ObjectKind::Blob, text.as_bytes())?;
    let part = Part { digest: digest(listed), json, listed: Some(listed.clone()), body: None };
    out.snapshot.set(&key(bucket, name), Some(part));
    out.miss(format!("aws:s3:object:{bucket}/{name}"), why);
    Ok(())
}

fn fetch(
    cli: &Cli,
    bucket: &str,
    group: &[(String, Listed)],
    lists: Option<&mut Lists>,
    out: &mut Gathered,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    let scratch = ScratchDir::new("s3")?;
    let file = |at: usize| scratch.path().join(at.to_string());
    let get = |(at, (name, _)): (usize, &(String, Listed))| Call {
        out: Some(file(at)),
        ..Call::new("s3api", "get-object", json!({"Bucket": bucket, "Key": name}))
    };
    let mut calls: Vec<Call> = group.iter().enumerate().map(get).collect();
    // The size of its parts: written again with others, an object gets another entity tag.
    let parted: Vec<usize> =
        (0..group.len()).filter(|at| group.get(*at).is_some_and(|(_, l)| l.etag.contains('-'))).collect();
    calls.extend(parted.iter().filter_map(|at| group.get(*at)).map(|(name, _)| {
        Call::new("s3api", "head-object", json!({"Bucket": bucket, "Key": name, "PartNumber": 1}))
    }));
    let first_list = calls.len();
    if lists.is_some() {
        calls.extend(
            group.iter().map(|(name, _)| {
                Call::new("s3api", "get-object-acl", json!({"Bucket": bucket, "Key": name}))
            }),
        );
    }
    let replies = match cli.ask_all(&calls) {
        Ok(answers) => answers.replies,
        Err(e) => {
            for (name, listed) in group {
                lacking(bucket, name, listed, &e.what, out, cx)?;
            }
            return Ok(());
        }
    };
    let tags = tags(cli, bucket, group, &replies, out);
    let mut lists = lists;
    for (at, (name, listed)) in group.iter().enumerate() {
        let part = parted.iter().position(|p| *p == at).and_then(|nth| replies.get(group.len() + nth));
        let listed = Listed { part: part.and_then(|reply| part_size(listed, reply)), ..listed.clone() };
        match replies.get(at) {
            Some(Ok(head)) => {
                let tags = tags.get(at).cloned().unwrap_or_default();
                let acl = lists.as_mut().and_then(|lists| lists.take(replies.get(first_list + at)));
                keep((bucket, name, listed), &Got { head, tags: &tags, acl, file: &file(at) }, out, cx)?;
            }
            Some(Err(refusal)) => lacking(bucket, name, &listed, &refusal.shown(), out, cx)?,
            None => lacking(bucket, name, &listed, "no answer", out, cx)?,
        }
    }
    Ok(())
}

/// Keeps what was fetched of an object.
fn keep(
    (bucket, name, listed): (&str, &str, Listed),
    got: &Got<'_>,
    out: &mut Gathered,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    let Got { head, tags, .. } = got;
    let etag = head["ETag"].as_str().unwrap_or_default().trim_matches('"').to_owned();
    let listed = Listed { etag: if etag.is_empty() { listed.etag } else { etag }, ..listed };
    let body = pieces(got.file, |piece| cx.sink.put(ObjectKind::Blob, piece))?;
    let mut text = json!({"Head": head, "Tags": tags});
    if let Some(acl) = &got.acl {
        text["Acl"] = acl.clone();
    }
    let json = cx.sink.put(ObjectKind::Blob, text.to_string().as_bytes())?;
    out.bytes += listed.size;
    let part = Part { digest: digest(&listed), json, listed: Some(listed), body: Some(body) };
    out.snapshot.set(&key(bucket, name), Some(part));
    Ok(())
}

/// The tags of those that have some.
fn tags(
    cli: &Cli,
    bucket: &str,
    group: &[(String, Listed)],
    replies: &[Reply],
    out: &mut Gathered,
) -> Vec<Value> {
    let has = |at: usize| matches!(replies.get(at), Some(Ok(head)) if head["TagCount"].as_u64().unwrap_or_default() > 0);
    let tagged: Vec<usize> = (0..group.len()).filter(|at| has(*at)).collect();
    let mut all = vec![Value::Null; group.len()];
    if tagged.is_empty() {
        return all;
    }
    let calls: Vec<Call> = tagged
        .iter()
        .filter_map(|at| group.get(*at))
        .map(|(name, _)| Call::new("s3api", "get-object-tagging", json!({"Bucket": bucket, "Key": name})))
        .collect();
    let replies = cli.ask_all(&calls).map(|answers| answers.replies).unwrap_or_default();
    for (nth, at) in tagged.into_iter().enumerate() {
        match (replies.get(nth), all.get_mut(at), group.get(at)) {
            (Some(Ok(answer)), Some(slot), _) => *slot = answer["TagSet"].clone(),
            (_, _, Some((name, _))) => {
                out.miss(format!("the tags of aws:s3:object:{bucket}/{name}"), "they cannot be read")
            }
            _ => {}
        }
    }
    all
}

/// Asked for its first part, a service tells that part's size; one that does not know parts tells the whole size.
fn part_size(listed: &Listed, reply: &Reply) -> Option<u64> {
    let parts: u64 = listed.etag.rsplit_once('-')?.1.parse().ok()?;
    let told = reply.as_ref().ok().and_then(|head| head["ContentLength"].as_u64()).filter(|size| *size > 0);
    let fits = |size: &u64| listed.size.div_ceil(*size) == parts;
    // What tools use where they are not told otherwise: 8 MiB the AWS command line, 5 MiB the least that is allowed.
    told.filter(fits)
        .or_else(|| [8, 5, 16, 64, 10, 15, 32, 100, 128].map(|mib| mib << 20).into_iter().find(fits))
}

/// Does something with the pieces of a file, and collects what it gives.
pub fn pieces(file: &Path, mut each: impl FnMut(&[u8]) -> Result<ObjectId>) -> Result<Vec<ObjectId>> {
    let failed = |e: std::io::Error| Error::io("read", file, &e);
    let mut open = std::fs::File::open(file).map_err(failed)?;
    let mut out = Vec::new();
    loop {
        let mut piece = Vec::new();
        (&mut open).take(PIECE as u64).read_to_end(&mut piece).map_err(failed)?;
        if piece.is_empty() {
            return Ok(out);
        }
        out.push(each(&piece)?);
    }
}

/// Keeps a version that is removed by its id.
pub fn version(
    cli: &Cli,
    (bucket, name, version): (&str, &str, &str),
    out: &mut Gathered,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    let key = Key::new("s3api:version", &[bucket, name, version]);
    let scratch = ScratchDir::new("s3")?;
    let file = scratch.path().join("body");
    let input = json!({"Bucket": bucket, "Key": name, "VersionId": version});
    let reply = cli.ask(Call { out: Some(file.clone()), ..Call::new("s3api", "get-object", input) })?;
    match reply {
        Ok(head) => {
            let body = pieces(&file, |piece| cx.sink.put(ObjectKind::Blob, piece))?;
            let json = cx.sink.put(ObjectKind::Blob, head.to_string().as_bytes())?;
            let kind = crate::systems::aws::kinds::by_id(&key.kind).cloned().unwrap_or_default();
            let digest = crate::systems::aws::shape::digest(&kind, &head);
            out.snapshot.set(&key, Some(Part { digest, json, listed: None, body: Some(body) }));
        }
        // A mark of deletion has no content, and what is not there has none either.
        Err(refusal)
            if matches!(
                refusal.code.as_str(),
                "NoSuchVersion" | "NoSuchKey" | "405" | "MethodNotAllowed" | "404"
            ) => {}
        Err(refusal) => out.miss(key.shown(), &refusal.shown()),
    }
    Ok(())
}
