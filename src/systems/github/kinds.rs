//! What is known by hand of the things of GitHub, as data (`kinds.toml`): where they are, what counts, what brings them back.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::Reversibility;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Vec<Kind>,
}

/// A kind of thing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// `label`
    pub name: String,
    /// Where things of this kind are.
    path: Vec<String>,
    /// Last segments that are parts of it.
    #[serde(default)]
    covers: Vec<String>,
    /// What counts, and what is sent back.
    pub fields: Vec<String>,
    /// The field that says what it is doing.
    #[serde(default)]
    pub state: String,
    /// The request that makes it anew; empty: there is none.
    #[serde(default)]
    pub make: String,
    /// Gives it its old values.
    #[serde(default)]
    pub change: String,
    /// Removes it.
    #[serde(default)]
    pub remove: String,
    /// The field of a change that gives it another name.
    #[serde(default)]
    pub rename: String,
    /// The field that is its own identity; empty: it has none.
    #[serde(default = "id")]
    pub identity: String,
    /// Made anew it has another path, and is found again by what it is.
    #[serde(default)]
    pub twins: bool,
    /// What bringing it back promises.
    pub back: Reversibility,
    /// What of it cannot be read.
    #[serde(default)]
    pub lacks: String,
}

fn id() -> String {
    "id".to_owned()
}

/// All kinds.
pub fn all() -> &'static [Kind] {
    static ALL: OnceLock<Vec<Kind>> = OnceLock::new();
    ALL.get_or_init(|| {
        toml::from_str::<File>(include_str!("kinds.toml")).map(|file| file.kind).unwrap_or_default()
    })
}

/// The kind of a thing and its path, by its name (`label/repos/o/r/labels/bug`).
pub fn of(name: &str) -> Option<(&'static Kind, &str)> {
    let (word, path) = name.split_once('/')?;
    all().iter().find(|kind| kind.name == word).map(|kind| (kind, path))
}

/// The thing that a path of the API means or is a part of, by its name.
pub fn named(path: &str) -> String {
    // A ref is read at one path and written at another.
    let path = match path.split_once("/git/refs/") {
        Some((repo, name)) => format!("{repo}/git/ref/{name}"),
        None => path.to_owned(),
    };
    let mut front = path.as_str();
    loop {
        let found = all().iter().find(|kind| kind.path.iter().any(|pattern| fits(pattern, front)));
        let rest = path.get(front.len()..).unwrap_or_default();
        if let Some(kind) = found
            && rest
                .split('/')
                .filter(|part| !part.is_empty())
                .all(|part| kind.covers.iter().any(|c| c == part))
        {
            return format!("{}/{front}", kind.name);
        }
        match front.rsplit_once('/') {
            Some((shorter, _)) => front = shorter,
            None => return format!("api/{path}"),
        }
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some("*"), Some(part)) if !part.is_empty() => {}
            (Some(word), Some(part)) if word == part => {}
            _ => return false,
        }
    }
}

/// Method and path of a request on a thing: `.`, `..`, `{id}` and the stars of its pattern are filled in.
pub fn request(template: &str, path: &str, id: &str) -> Option<(String, String)> {
    let (method, to) = template.split_once(' ')?;
    let to = match to {
        "." => path.to_owned(),
        ".." => path.rsplit_once('/')?.0.to_owned(),
        other => {
            let parts: Vec<&str> = path.split('/').collect();
            let mut out = Vec::new();
            for (at, word) in other.split('/').enumerate() {
                match word {
                    "*" => out.push((*parts.get(at)?).to_owned()),
                    // Behind `repos/o/r/git/ref`, which the reading path has at the same depth.
                    "**" => out.push(parts.get(at..)?.join("/")),
                    "{id}" => out.push(id.to_owned()),
                    _ => out.push(word.to_owned()),
                }
            }
            out.join("/")
        }
    };
    Some((method.to_owned(), to))
}

impl Kind {
    /// What of a description counts, in the form in which it is sent back. What it does not have is left out.
    pub fn normal(&self, description: &Value) -> Map<String, Value> {
        let mut out = Map::new();
        for field in &self.fields {
            let (name, from) = field.split_once('=').unwrap_or((field, field));
            if let Some(value) = pick(description, from) {
                out.insert(name.to_owned(), value);
            }
        }
        out
    }
}

fn pick(value: &Value, from: &str) -> Option<Value> {
    if let Some((list, field)) = from.split_once("[].") {
        let list = value.get(list)?.as_array()?;
        let mut values: Vec<Value> = list.iter().filter_map(|one| one.get(field).cloned()).collect();
        values.sort_by_key(Value::to_string);
        return Some(Value::Array(values));
    }
    let mut at = value;
    for part in from.split('.') {
        if at.is_null() {
            return Some(Value::Null);
        }
        at = at.get(part)?;
    }
    Some(at.clone())
}

/// A name as one segment of a path (RFC 3986).
pub fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// For people.
pub fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let code = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_to_what_it_is_a_part_of() {
        assert_eq!(all().len(), 19, "the table can be read");
        for (path, name) in [
            ("repos/o/r/labels/bug", "label/repos/o/r/labels/bug"),
            ("repos/o/r", "repo/repos/o/r"),
            ("repos/o/r/topics", "repo/repos/o/r"),
            ("repos/o/r/git/refs/heads/a/b", "ref/repos/o/r/git/ref/heads/a/b"),
            ("repos/o/r/branches/main/protection", "protection/repos/o/r/branches/main/protection"),
            (
                "repos/o/r/branches/main/protection/required_status_checks/contexts",
                "protection/repos/o/r/branches/main/protection",
            ),
            ("repos/o/r/pulls/5/merge", "pull/repos/o/r/pulls/5"),
            ("repos/o/r/pulls/5/comments", "api/repos/o/r/pulls/5/comments"),
            ("orgs/o/teams/x", "api/orgs/o/teams/x"),
        ] {
            assert_eq!(named(path), name);
        }
        let to = |template, path| request(template, path, "7").unwrap();
        assert_eq!(to("POST ..", "repos/o/r/labels/x"), ("POST".to_owned(), "repos/o/r/labels".to_owned()));
        assert_eq!(
            to("PATCH repos/*/*/git/refs/**", "repos/o/r/git/ref/heads/a/b").1,
            "repos/o/r/git/refs/heads/a/b"
        );
        assert_eq!(
            to("DELETE repos/*/*/releases/{id}", "repos/o/r/releases/tags/v1").1,
            "repos/o/r/releases/7"
        );
        assert_eq!(decoded(&encoded("a b/ü%")), "a b/ü%");
    }
}
