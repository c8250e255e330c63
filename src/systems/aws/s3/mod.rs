//! Buckets and their objects: settings are kinds like others, objects are listed, and those of which the bucket keeps no
//! versions are copied into the store, within a budget.

mod access;
mod body;
mod closer;
mod list;
mod restore;
mod same;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

pub use restore::restore;

use super::capture::{Gathered, same_account};
use super::cli::{Cli, Fetch};
use super::params::Params;
use super::query::Query;
use super::read;
use super::snapshot::{Account, Key, Listed, Part, Snapshot};
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind};
use crate::platform::scratch::ScratchDir;
use crate::systems::CaptureCx;
use list::Listing;
use target::{Targets, Which};

/// The kind of the objects of a bucket.
pub const OBJECT: &str = "s3api:object";

/// True for an object of a bucket.
pub fn is_object(key: &Key) -> bool {
    key.kind == OBJECT
}

/// The bucket keeps it as a version.
pub fn has_version(part: &Part) -> bool {
    part.listed.as_ref().is_some_and(|listed| !listed.version.is_empty())
}

/// It can be brought back.
pub fn can_return(part: &Part) -> bool {
    has_version(part) || part.body.is_some()
}

/// What a listing tells apart: what was written again is another, whatever is in it ([`same`] and [`closer`] know better).
fn digest(listed: &Listed) -> ObjectId {
    let Listed { etag, size, version, modified, .. } = listed;
    ObjectId::of(ObjectKind::State, format!("{etag} {size} {version} {modified}").as_bytes())
}

fn key(bucket: &str, name: &str) -> Key {
    Key::new(OBJECT, &[bucket, name])
}

/// What a command of `aws s3` or `aws s3api` is about to change.
pub fn gather(cli: &Cli, params: &Params, query: &Query, cx: &CaptureCx<'_>) -> Result<Gathered> {
    let targets = Targets::of(cli, params, query)?;
    let operation = format!("{} {}", params.service, params.op);
    // Who asks, the settings and the first listing share one process.
    let mut calls = vec![read::who()];
    let spans = read::plan(&targets.keys, &mut calls);
    // Contents come with the listing, as far as they go in one go.
    let scratch = ScratchDir::new("s3")?;
    let asked: Vec<(usize, &String, &Which)> = targets
        .objects
        .iter()
        .map(|(bucket, which)| {
            let at = calls.len();
            let fetch = Fetch {
                dir: scratch.path().to_path_buf(),
                bytes: cx.caps.aws_bytes.min(body::IN_ONE_GO.1),
                count: body::IN_ONE_GO.0,
                only: which.names().cloned(),
            };
            calls.extend(list::calls(bucket, which, Some(&fetch).filter(|_| !which.forgets_versions())));
            (at, bucket, which)
        })
        .collect();
    let answers = cli.ask_all(&calls)?;
    let account = read::account(answers.replies.first(), answers.region.clone());
    let mut out = Gathered::new(account, &operation);
    for (key, span) in targets.keys.iter().zip(spans) {
        out.add(key, &read::found(key, answers.replies.get(span).unwrap_or_default()), cx.sink)?;
    }
    for (at, bucket, which) in asked {
        let replies = answers.replies.get(at..).unwrap_or_default();
        match list::Listing::of(which, replies) {
            Ok(listing) => objects(cli, bucket, which, &listing, &mut out, cx)?,
            Err(why) => out.miss(format!("the objects of aws:s3:bucket:{bucket}"), &why),
        }
    }
    for (bucket, name, version) in &targets.versions {
        body::version(cli, (bucket, name, version), &mut out, cx)?;
    }
    for (what, why) in targets.unknown {
        out.miss(what, &why);
    }
    closer::look_before(cli, &mut out.snapshot, cx);
    Ok(out)
}

/// Notes the objects of a listing; those without versions are copied.
fn objects(
    cli: &Cli,
    bucket: &str,
    which: &Which,
    listing: &Listing,
    out: &mut Gathered,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    let mut copies = Vec::new();
    for (name, listed) in listing.current.iter().filter(|(name, _)| which.takes(name)) {
        let is_kept = !listed.version.is_empty() && !which.forgets_versions();
        if is_kept {
            let text =
                json!({"Listed": {"ETag": listed.etag, "Size": listed.size, "VersionId": listed.version}})
                    .to_string();
            let json = cx.sink.put(ObjectKind::Blob, text.as_bytes())?;
            let part = Part { digest: digest(listed), json, listed: Some(listed.clone()), body: None };
            out.snapshot.set(&key(bucket, name), Some(part));
        } else {
            copies.push((name.clone(), Listed { version: String::new(), ..listed.clone() }));
        }
    }
    for name in which.names().into_iter().flatten().filter(|name| !listing.current.contains_key(*name)) {
        out.snapshot.set(&key(bucket, name), None);
    }
    body::copy(cli, bucket, (copies, &listing.fetched), out, cx)
}

/// Looks at the objects of an earlier capture again; `bodies`: their contents are kept, since an undo is about to write.
pub fn look_again(
    cli: &Cli,
    earlier: &Snapshot,
    keys: &[Key],
    bodies: bool,
    out: &mut Gathered,
    cx: &CaptureCx<'_>,
) -> Result<()> {
    let left = cx.left.map(|left| Snapshot::load(&left, cx.source)).transpose()?;
    let mut as_before = BTreeSet::new();
    for (bucket, names) in by_bucket(keys) {
        let which = Which::Keys(names.clone());
        let answers = cli.ask_all(&list::calls(&bucket, &which, None))?;
        let listing = Listing::of(&which, &answers.replies).map_err(crate::error::Error::failure)?;
        let same = same::as_before(cli, earlier, &bucket, &listing, names.iter(), cx.source)?;
        if bodies {
            objects(cli, &bucket, &which, &listing, out, cx)?;
        } else {
            for name in &names {
                let part = listing.current.get(name).map(|listed| seen(listed, cx)).transpose()?;
                out.snapshot.set(&key(&bucket, name), part);
            }
        }
        as_before.extend(same.iter().map(|name| key(&bucket, name)));
    }
    let is_meant = |key: &Key, listed: &Listed| match &left {
        _ if as_before.contains(key) => false,
        // What is to be compared with what a command left is looked at as closely as that was.
        Some(left) => closer::may_be_another(left.part(key).and_then(|part| part.listed.as_ref()), listed),
        None => closer::is_unsure(listed),
    };
    closer::look(cli, &mut out.snapshot, is_meant, cx)?;
    for key in &as_before {
        if let (Some(part), Some(old)) = (out.snapshot.part(key).cloned(), earlier.part(key)) {
            out.snapshot.set(key, Some(Part { digest: old.digest, ..part }));
        }
    }
    Ok(())
}

fn seen(listed: &Listed, cx: &CaptureCx<'_>) -> Result<Part> {
    let json = cx.sink.put(
        ObjectKind::Blob,
        json!({"Listed": {"ETag": listed.etag, "Size": listed.size}}).to_string().as_bytes(),
    )?;
    Ok(Part { digest: digest(listed), json, listed: Some(listed.clone()), body: None })
}

fn by_bucket(keys: &[Key]) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in keys {
        out.entry(key.id(0).to_owned()).or_default().insert(key.id(1).to_owned());
    }
    out
}

/// The account that these credentials are of is still the recorded one.
fn check_account(cli: &Cli, recorded: &Account) -> Result<()> {
    let reply = cli.ask(read::who())?;
    same_account(recorded, &read::account(Some(&reply), None))
}
