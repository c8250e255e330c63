//! Releases: their texts, and their assets byte for byte.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cli::Gh;
use super::kinds::{self, Kind, encoded};
use super::look::{Eyes, id_of, over};
use crate::error::Result;
use crate::model::{ObjectSource, StepOutcome};
use crate::systems::things::{Part, Taking, Thing};

/// The parts that hold assets begin so; the name follows.
const ASSET: &str = "asset:";

/// A release by its tag. Drafts have none that the API would find them by.
pub fn described(gh: &Gh, path: &str) -> Result<Option<Value>> {
    if let Some(found) = gh.get(path)? {
        return Ok(Some(found));
    }
    let Some((list, tag)) = path.split_once("/tags/") else { return Ok(None) };
    let tag = kinds::decoded(tag);
    let is_it = |one: &Value| one.get("tag_name").and_then(Value::as_str) == Some(tag.as_str());
    Ok(gh.list(list)?.into_iter().find(is_it))
}

fn list(release: &Value) -> impl Iterator<Item = &Value> {
    release.get("assets").and_then(Value::as_array).into_iter().flatten()
}

fn name_of(asset: &Value) -> &str {
    asset.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The path of an asset; `repo` is `repos/o/r`.
fn path_of(release: &Value, asset: &Value) -> String {
    let url = release.get("url").and_then(Value::as_str).unwrap_or_default();
    let repo = url.split_once("/repos/").map_or("", |(_, rest)| rest);
    let repo = repo.split("/releases/").next().unwrap_or_default();
    format!("repos/{repo}/releases/assets/{}", id_of(asset, "id"))
}

/// What of an asset counts. Servers before 2025 do not tell what is in it: then it is read.
fn form(eyes: &Eyes<'_>, release: &Value, asset: &Value) -> Result<Value> {
    let mut digest = asset.get("digest").cloned().unwrap_or_default();
    if digest.is_null() {
        let taking = Taking { sink: None, most: u64::MAX };
        let part = eyes.gh.read(&path_of(release, asset), |from| Part::take(from, taking))?;
        let chunks = part.map(|part| part.chunks.iter().map(ToString::to_string).collect::<Vec<_>>());
        digest = json!(chunks.unwrap_or_default());
    }
    Ok(json!([name_of(asset), asset.get("label"), asset.get("content_type"), asset.get("size"), digest]))
}

/// What of a release counts.
pub fn normal(eyes: &Eyes<'_>, kind: &Kind, release: &Value) -> Result<Value> {
    let mut assets = list(release).map(|asset| form(eyes, release, asset)).collect::<Result<Vec<_>>>()?;
    assets.sort_by_key(Value::to_string);
    let mut normal = kind.normal(release);
    normal.insert("assets".to_owned(), Value::Array(assets));
    Ok(Value::Object(normal))
}

/// Stores its assets.
pub fn assets(
    eyes: &Eyes<'_>,
    release: &Value,
    thing: &mut Thing,
    lacking: &mut Vec<(String, String)>,
) -> Result<()> {
    for asset in list(release) {
        let what = format!("the asset {}", name_of(asset));
        if asset.get("size").and_then(Value::as_u64).unwrap_or(0) > eyes.left.get() {
            lacking.push((what, over()));
            continue;
        }
        match eyes.gh.read(&path_of(release, asset), |from| Part::take(from, eyes.taking())) {
            Ok(Some(part)) => {
                eyes.spend(part.bytes);
                thing.parts.insert(format!("{ASSET}{}", name_of(asset)), part);
            }
            Ok(None) => lacking.push((what, over())),
            Err(error) => lacking.push((what, error.what)),
        }
    }
    Ok(())
}

/// Makes the assets of a release as they were.
pub fn bring(
    eyes: &Eyes<'_>,
    (before, thing): (&Value, &Thing),
    now: &Value,
    source: &dyn ObjectSource,
) -> Result<StepOutcome> {
    let gh = eyes.gh;
    let forms = |release: &Value| -> Result<BTreeMap<String, Value>> {
        list(release).map(|a| Ok((name_of(a).to_owned(), form(eyes, release, a)?))).collect()
    };
    let (old, new) = (forms(before)?, forms(now)?);
    let upload = now.get("upload_url").and_then(Value::as_str).unwrap_or_default();
    let upload = upload.split('{').next().unwrap_or_default();
    let mut lost = Vec::new();
    for asset in list(before) {
        let name = name_of(asset);
        if new.get(name).is_some_and(|form| Some(form) == old.get(name)) {
            continue;
        }
        let Some(part) = thing.parts.get(&format!("{ASSET}{name}")) else {
            lost.push(name.to_owned());
            continue;
        };
        remove(gh, now, name)?;
        let label = asset.get("label").and_then(Value::as_str).unwrap_or_default();
        let mut url = format!("{upload}?name={}", encoded(name));
        if !label.is_empty() {
            url.push_str(&format!("&label={}", encoded(label)));
        }
        let kind = asset.get("content_type").and_then(Value::as_str).unwrap_or("application/octet-stream");
        gh.send(&url, kind, |to| part.write(source, to)).map_err(|e| e.context(name))?;
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        remove(gh, now, name)?;
    }
    if lost.is_empty() {
        return Ok(StepOutcome::Done);
    }
    Ok(StepOutcome::Failed { reason: format!("the release is there again, without {}", lost.join(", ")) })
}

fn remove(gh: &Gh, release: &Value, name: &str) -> Result<()> {
    let Some(asset) = list(release).find(|asset| name_of(asset) == name) else { return Ok(()) };
    gh.api("DELETE", &path_of(release, asset), None)?.good().map(|_| ())
}
