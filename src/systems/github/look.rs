//! Looking at a thing: its description as received, what of it counts, and the contents beside it where it is about to go.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::cli::Gh;
use super::find::Found;
use super::kinds::{self, Kind};
use super::{mirror, protection, release};
use crate::error::{Error, Result};
use crate::model::{Bytes, Missing, ObjectId, ObjectKind, ObjectSink};
use crate::systems::things::{Part, Taking, Thing, Things};

/// Fact of a thing of a kind with twins: the ids of its like that were there with it.
const OTHERS: &str = "others";
/// Fact of what is only known by its path: the fields that a request names.
const FIELDS: &str = "fields";
/// Fact: what of its contents is not in the store.
pub const LACKING: &str = "lacking";
/// The part that holds the numbers of the issues that carry a label.
pub const ISSUES: &str = "issues";
/// Fact of a label: the issues that carry it are a part of its form.
const CARRIED: &str = "carried";

/// What looking works with.
pub struct Eyes<'a> {
    /// GitHub.
    pub gh: &'a Gh,
    /// Where descriptions and contents go.
    pub sink: &'a dyn ObjectSink,

    /// Contents are stored, not only their identities.
    pub contents: bool,
    /// How many bytes of them may still be.
    pub left: Cell<u64>,
    /// A directory of our own for clones.
    pub scratch: std::path::PathBuf,
}

impl Eyes<'_> {
    /// How bytes are taken.
    pub fn taking(&self) -> Taking<'_> {
        Taking { sink: self.contents.then_some(self.sink), most: self.left.get() }
    }

    /// Takes from the budget.
    pub fn spend(&self, bytes: u64) {
        self.left.set(self.left.get().saturating_sub(bytes));
    }
}

/// A thing and its description.
pub struct Seen {
    /// The thing.
    pub thing: Thing,
    /// As received.
    pub described: Value,
}

/// Looks at all that was found.
pub fn look(eyes: &Eyes<'_>, found: &Found, things: &mut Things, missing: &mut Vec<Missing>) -> Result<()> {
    for name in &found.names {
        let mut lacking: Vec<(String, String)> = Vec::new();
        let mut seen = one(eyes, name, None, found.fields.get(name).map(Vec::as_slice))?;
        if let (Some(seen), Some((kind, path))) = (seen.as_mut(), kinds::of(name)) {
            beside(eyes, kind, path, seen, found.whole.contains(name), &mut lacking)?;
            let what = lacking.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>().join(", ");
            if !what.is_empty() {
                seen.thing.facts.insert(LACKING.to_owned(), what);
            }
        }
        things.note(name, seen.map(|seen| seen.thing));
        missing.extend(lacking.into_iter().map(|(what, why)| Missing { what: Bytes::from(what), why }));
    }
    Ok(())
}

/// What goes with a thing and is not in its description.
fn beside(
    eyes: &Eyes<'_>,
    kind: &Kind,
    path: &str,
    seen: &mut Seen,
    whole: bool,
    lacking: &mut Vec<(String, String)>,
) -> Result<()> {
    let Seen { thing, described } = seen;
    let own = kinds::decoded(path.rsplit('/').next().unwrap_or_default());
    if !kind.lacks.is_empty() {
        lacking.push((format!("{} {own}: {}", kind.name, kind.lacks), "it cannot be read".to_owned()));
    }
    if kind.twins {
        let list = path.rsplit_once('/').map_or(path, |(list, _)| list);
        let ids: Vec<String> = eyes.gh.list(list)?.iter().map(|one| id_of(one, "id")).collect();
        thing.facts.insert(OTHERS.to_owned(), ids.join(" "));
    }
    match kind.name.as_str() {
        "secret" => lacking.push((
            format!("the value of the secret {own}"),
            "GitHub never gives out the value of a secret".to_owned(),
        )),
        "release" => release::assets(eyes, described, thing, lacking)?,
        "label" if whole => {
            let text = carried(eyes.gh, path, thing)?;
            if let Some(part) = Part::take(&mut text.as_bytes(), eyes.taking())? {
                thing.parts.insert(ISSUES.to_owned(), part);
            }
        }
        "issue" if whole => {
            let comments = eyes.gh.list(&format!("{path}/comments"))?;
            let text = Value::Array(comments).to_string();
            if let Some(part) = Part::take(&mut text.as_bytes(), eyes.taking())? {
                thing.parts.insert("comments.json".to_owned(), part);
            }
        }
        "run" if whole => logs(eyes, path, &own, thing, lacking),
        "repo" if whole => mirror::take(eyes, path, (described, thing), lacking)?,
        _ => {}
    }
    Ok(())
}

/// The numbers of the issues that carry a label, which are a part of its form from then on.
fn carried(gh: &Gh, path: &str, label: &mut Thing) -> Result<String> {
    let (repo, own) = path.split_once("/labels/").unwrap_or_default();
    let issues = gh.list(&format!("{repo}/issues?state=all&labels={own}"))?;
    let mut numbers: Vec<String> = issues.iter().map(|one| id_of(one, "number")).collect();
    numbers.sort();
    let text = numbers.join("\n");
    label.digest = ObjectId::of(ObjectKind::State, format!("{}\n{text}", label.digest).as_bytes());
    label.facts.insert(CARRIED.to_owned(), "yes".to_owned());
    Ok(text)
}

fn logs(eyes: &Eyes<'_>, path: &str, own: &str, thing: &mut Thing, lacking: &mut Vec<(String, String)>) {
    let what = format!("the log of run {own}");
    match eyes.gh.read(&format!("{path}/logs"), |from| Part::take(from, eyes.taking())) {
        Ok(Some(part)) => {
            eyes.spend(part.bytes);
            thing.parts.insert("logs.zip".to_owned(), part);
        }
        Ok(None) => lacking.push((what, over())),
        Err(error) => lacking.push((what, error.what)),
    }
    lacking.push((format!("the artifacts of run {own}"), "fr does not download them".to_owned()));
}

/// Why something is left out.
pub fn over() -> String {
    "over the cap (caps.github_bytes)".to_owned()
}

/// A thing as it is now. `earlier`: what is compared with it; where it has no thing of its own path any more, an equal one
/// that was not there then is it, made anew.
pub fn one(
    eyes: &Eyes<'_>,
    name: &str,
    earlier: Option<&Thing>,
    fields: Option<&[String]>,
) -> Result<Option<Seen>> {
    let (kind, path) = kinds::of(name)
        .ok_or_else(|| Error::corrupt(format!("{name} is nothing on GitHub that this fr knows")))?;
    let noted: Vec<String> = match (fields, earlier) {
        (Some(fields), _) => fields.to_vec(),
        (None, Some(earlier)) => {
            earlier.fact(FIELDS).split(' ').filter(|f| !f.is_empty()).map(str::to_owned).collect()
        }
        (None, None) => Vec::new(),
    };
    let mut found = match described(eyes.gh, kind, path)? {
        Some(found) => Some(thing_of(eyes, kind, found, &noted)?),
        None => None,
    };
    if let Some(seen) = found.as_mut().filter(|_| earlier.is_some_and(|e| !e.fact(CARRIED).is_empty())) {
        carried(eyes.gh, path, &mut seen.thing)?;
    }
    match (found, earlier) {
        (None, Some(earlier)) if kind.twins => twin(eyes, kind, path, earlier),
        (found, _) => Ok(found),
    }
}

/// Its description; `None` where nothing is there, or what is there has gone on to another name.
fn described(gh: &Gh, kind: &Kind, path: &str) -> Result<Option<Value>> {
    if kind.name == "release" {
        return release::described(gh, path);
    }
    let Some(found) = gh.get(path)? else { return Ok(None) };
    // GitHub answers for a repository that was renamed, and for an issue that was moved, from where it is now.
    let moved = match kind.name.as_str() {
        "repo" => found.get("full_name").and_then(Value::as_str).map(|name| format!("repos/{name}")),
        "issue" => found.get("repository_url").and_then(Value::as_str).and_then(|url| {
            let (_, repo) = url.split_once("/repos/")?;
            Some(format!("repos/{repo}/issues/{}", id_of(&found, "number")))
        }),
        _ => None,
    };
    Ok(moved.is_none_or(|now| now.eq_ignore_ascii_case(path)).then_some(found))
}

fn thing_of(eyes: &Eyes<'_>, kind: &Kind, described: Value, fields: &[String]) -> Result<Seen> {
    let found = &described;
    let mut thing = Thing::new(found.to_string().as_bytes(), eyes.sink)?;
    if !kind.identity.is_empty() && kind.name != "api" {
        thing.id = id_of(found, &kind.identity);
    }
    thing.state = found.get(&kind.state).and_then(Value::as_str).unwrap_or_default().to_owned();
    if found.get("merged").and_then(Value::as_bool) == Some(true) {
        thing.state = "merged".to_owned();
    }
    let normal = match kind.name.as_str() {
        "protection" => serde_json::json!([protection::wanted(found), protection::signed(found)]),
        "release" => release::normal(eyes, kind, found)?,
        "gist" => gist(eyes.gh, kind, found)?,
        "api" if fields.is_empty() => found.clone(),
        "api" => {
            thing.facts.insert(FIELDS.to_owned(), fields.join(" "));
            Value::Object(fields.iter().filter_map(|f| Some((f.clone(), found.get(f)?.clone()))).collect())
        }
        "repo" => {
            let mut normal = kind.normal(found);
            normal.insert("topics".to_owned(), found.get("topics").cloned().unwrap_or_default());
            Value::Object(normal)
        }
        "issue" => {
            let mut normal = kind.normal(found);
            normal.insert("locked".to_owned(), found.get("locked").cloned().unwrap_or_default());
            Value::Object(normal)
        }
        _ => Value::Object(kind.normal(found)),
    };
    let normal = without_empty(normal);
    thing.digest = ObjectId::of(ObjectKind::State, normal.to_string().as_bytes());
    Ok(Seen { thing, described })
}

/// A text that was set to nothing is told as an empty one or as none: they are the same.
fn without_empty(normal: Value) -> Value {
    let Value::Object(fields) = normal else { return normal };
    let plain = |value: Value| if value == "" { Value::Null } else { value };
    Value::Object(fields.into_iter().map(|(name, value)| (name, plain(value))).collect())
}

/// A gist's files with all that is in them: a long one is cut off in the answer (docs.github.com/rest/gists, truncation).
pub fn gist(gh: &Gh, kind: &Kind, found: &Value) -> Result<Value> {
    let mut files = Map::new();
    for (name, file) in found.get("files").and_then(Value::as_object).into_iter().flatten() {
        let mut content = file.get("content").cloned().unwrap_or_default();
        if file.get("truncated").and_then(Value::as_bool) == Some(true)
            && let Some(url) = file.get("raw_url").and_then(Value::as_str)
        {
            content = gh.read(url, |from| {
                let mut text = String::new();
                from.read_to_string(&mut text)
                    .map_err(|e| Error::failure(format!("a gist is no text: {e}")))?;
                Ok(Value::String(text))
            })?;
        }
        files.insert(name.clone(), serde_json::json!({ "content": content }));
    }
    let mut normal = kind.normal(found);
    normal.insert("files".to_owned(), Value::Object(files));
    Ok(Value::Object(normal))
}

/// An equal one that was not there at the time.
fn twin(eyes: &Eyes<'_>, kind: &Kind, path: &str, earlier: &Thing) -> Result<Option<Seen>> {
    let Some((list, _)) = path.rsplit_once('/') else { return Ok(None) };
    let others: Vec<&str> = earlier.fact(OTHERS).split(' ').collect();
    for one in eyes.gh.list(list)? {
        let id = id_of(&one, "id");
        if others.contains(&id.as_str()) {
            continue;
        }
        let Some(found) = eyes.gh.get(&format!("{list}/{id}"))? else { continue };
        let seen = thing_of(eyes, kind, found, &[])?;
        if seen.thing.looks_like(earlier) {
            return Ok(Some(seen));
        }
    }
    Ok(None)
}

/// A field that is a number or a text.
pub fn id_of(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
