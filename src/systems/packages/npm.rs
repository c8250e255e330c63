//! npm: tags, deprecations, owners, visibility, versions.

use serde_json::Value;

use super::run::{Run, said};
use crate::error::{Error, Result};

/// The most versions that one deprecation is read for.
const MOST: usize = 200;

/// The things that a command is about to change.
pub fn things(run: &Run, verb: &str, words: &[&str]) -> Result<Vec<String>> {
    Ok(match (verb, words) {
        ("dist-tag" | "dist-tags", [how, spec, rest @ ..])
            if matches!(*how, "add" | "set" | "rm" | "remove") =>
        {
            let (name, _) = parts(spec);
            vec![format!("npm-tag/{name} {}", rest.first().unwrap_or(&"latest"))]
        }
        ("deprecate" | "undeprecate", [spec, ..]) => {
            let name = parts(spec).0;
            versions(run, spec)?.iter().map(|version| format!("npm-deprecated/{name} {version}")).collect()
        }
        ("owner", ["add" | "rm" | "remove", user, rest @ ..]) => {
            let name = match rest.first() {
                Some(name) => (*name).to_owned(),
                None => own(run, ".")?.0,
            };
            vec![format!("npm-owner/{name} {user}")]
        }
        ("access", ["set", setting, name, ..]) if setting.starts_with("status=") => {
            vec![format!("npm-access/{name}")]
        }
        ("access", ["public" | "restricted", name, ..]) => vec![format!("npm-access/{name}")],
        ("unpublish", [spec, ..]) => {
            let name = parts(spec).0;
            let mut all: Vec<String> =
                versions(run, spec)?.iter().map(|version| format!("npm-version/{name} {version}")).collect();
            all.extend(tags(run, name)?.iter().map(|(tag, _)| format!("npm-tag/{name} {tag}")));
            all
        }
        ("publish", [place, tag, ..]) => {
            let (name, version) = own(run, place)?;
            vec![format!("npm-version/{name} {version}"), format!("npm-tag/{name} {tag}")]
        }
        _ => return Err(Error::failure("npm does not tell what it was before")),
    })
}

/// One thing's value; `None`: it is not there.
pub fn look(run: &Run, kind: &str, name: &str, which: &str) -> Result<Option<String>> {
    match kind {
        "npm-tag" => {
            Ok(tags(run, name)?.into_iter().find(|(tag, _)| tag == which).map(|(_, version)| version))
        }
        "npm-deprecated" => {
            let spec = format!("{name}@{which}");
            view(run, &[&spec, "deprecated"]).map(|found| found.and_then(|v| v.as_str().map(str::to_owned)))
        }
        "npm-owner" => {
            let text = run.ask(&["npm", "owner", "ls", name])?;
            let is_there = text.lines().any(|line| line.split_whitespace().next() == Some(which));
            Ok(is_there.then(|| which.to_owned()))
        }
        "npm-access" => {
            let text = run.ask(&["npm", "access", "get", "status", name])?;
            Ok(text.rsplit(':').next().map(|status| status.trim().to_owned()))
        }
        "npm-version" => {
            let spec = format!("{name}@{which}");
            view(run, &[&spec, "version"]).map(|found| found.map(|_| which.to_owned()))
        }
        _ => Err(Error::corrupt(format!("{kind} is nothing of npm that this fr knows"))),
    }
}

/// The commands that give a thing its value.
pub fn write(kind: &str, name: &str, which: &str, value: Option<&str>) -> Option<Vec<String>> {
    let words = match (kind, value) {
        ("npm-tag", Some(version)) => {
            vec!["dist-tag".to_owned(), "add".to_owned(), format!("{name}@{version}"), which.to_owned()]
        }
        ("npm-tag", None) => ["dist-tag", "rm", name, which].map(str::to_owned).to_vec(),
        // An empty text takes it away (npm-deprecate(1)).
        ("npm-deprecated", text) => {
            vec!["deprecate".to_owned(), format!("{name}@{which}"), text.unwrap_or_default().to_owned()]
        }
        ("npm-owner", Some(_)) => ["owner", "add", which, name].map(str::to_owned).to_vec(),
        ("npm-owner", None) => ["owner", "rm", which, name].map(str::to_owned).to_vec(),
        ("npm-access", Some(status)) => {
            vec!["access".to_owned(), "set".to_owned(), format!("status={status}"), name.to_owned()]
        }
        _ => return None,
    };
    Some(std::iter::once("npm".to_owned()).chain(words).collect())
}

/// Name and range of `@scope/name@range`.
fn parts(spec: &str) -> (&str, &str) {
    match spec.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (spec.get(..at).unwrap_or(spec), spec.get(at + 1..).unwrap_or_default()),
        None => (spec, ""),
    }
}

/// The versions that a spec means.
fn versions(run: &Run, spec: &str) -> Result<Vec<String>> {
    let field = if parts(spec).1.is_empty() { "versions" } else { "version" };
    let found = view(run, &[spec, field])?;
    let all: Vec<String> = match found {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    if all.len() > MOST {
        return Err(Error::failure(format!("{spec} means {} versions, more than {MOST}", all.len())));
    }
    Ok(all)
}

fn tags(run: &Run, name: &str) -> Result<Vec<(String, String)>> {
    let found = view(run, &[name, "dist-tags"])?;
    let map = found.as_ref().and_then(Value::as_object);
    let pair = |(tag, version): (&String, &Value)| Some((tag.clone(), version.as_str()?.to_owned()));
    Ok(map.into_iter().flatten().filter_map(pair).collect())
}

/// `npm view`, past its cache; `None`: it is not there.
fn view(run: &Run, words: &[&str]) -> Result<Option<Value>> {
    let mut argv = vec!["npm", "view", "--json", "--prefer-online"];
    argv.extend(words);
    let done = run.run(&argv)?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.code == 0 {
        return Ok(serde_json::from_str(&text).ok());
    }
    let absent = text.contains("E404") || String::from_utf8_lossy(&done.stderr).contains("E404");
    if absent { Ok(None) } else { Err(said(&argv, &done)) }
}

/// Name and version of the package in a directory.
fn own(run: &Run, place: &str) -> Result<(String, String)> {
    let path = run.cwd.join(place).join("package.json");
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?;
    let all: Value = serde_json::from_str(&text).map_err(|e| Error::failure(format!("package.json: {e}")))?;
    let field = |name: &str| all.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((field("name"), field("version")))
}
