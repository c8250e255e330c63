//! What a command is about to change, by the names that GitHub gives it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cli::Gh;
use super::kinds::{self, encoded};
use super::query::Ask;
use crate::error::{Error, Result};

/// What was found.
#[derive(Default)]
pub struct Found {
    /// Things by their names, those that are not there too.
    pub names: BTreeSet<String>,
    /// Things that are about to be removed with all that is in them.
    pub whole: BTreeSet<String>,
    /// The fields of a thing that a request names.
    pub fields: BTreeMap<String, Vec<String>>,
    /// What could not be found out.
    pub missing: Vec<(String, String)>,
}

/// Finds the targets of a question.
pub fn find(gh: &Gh, ask: &Ask, out: &mut Found) -> Result<()> {
    if ask.kind == "path" {
        return by_path(gh, ask, out);
    }
    let top = match ask.kind.as_str() {
        "gist" | "user-key" | "gpg-key" => String::new(),
        _ if ask.scope.starts_with("org:") || ask.scope == "user" => String::new(),
        _ => repository(gh, ask.repo.as_deref())?,
    };
    let name = match ask.kind.as_str() {
        "repo" => format!("repo/repos/{top}"),
        "renamed" => {
            let owner = top.split('/').next().unwrap_or_default();
            format!("repo/repos/{owner}/{}", encoded(&ask.name))
        }
        "branch" => return branch(gh, &top, &ask.name, out),
        "pull" => return pull(gh, &top, ask, out),
        "gist" => format!("gist/gists/{}", ask.name.rsplit('/').next().unwrap_or_default()),
        "user-key" => format!("key/user/keys/{}", encoded(&ask.name)),
        "gpg-key" => gpg_key(gh, &ask.name)?,
        "workflow" => workflow(gh, &top, &ask.name)?,
        "secret" | "variable" => format!("{}/{}", ask.kind, setting(&top, ask)),
        "deploy-key" => format!("key/repos/{top}/keys/{}", encoded(&ask.name)),
        "autolink" => format!("autolink/repos/{top}/autolinks/{}", encoded(&ask.name)),
        "label" => format!("label/repos/{top}/labels/{}", encoded(&ask.name)),
        "release" => format!("release/repos/{top}/releases/tags/{}", encoded(&ask.name)),
        "issue" => format!("issue/repos/{top}/issues/{}", number(&ask.name)),
        "run" => format!("run/repos/{top}/actions/runs/{}", encoded(&ask.name)),
        other => return Err(Error::corrupt(format!("{other} is nothing on GitHub that this fr knows"))),
    };
    for with in &ask.with {
        match with.as_str() {
            "tag" => drop(out.names.insert(format!("ref/repos/{top}/git/ref/tags/{}", spread(&ask.name)))),
            "whole" => drop(out.whole.insert(name.clone())),
            _ => {}
        }
    }
    out.names.insert(name);
    Ok(())
}

/// A path of the API, with gh's own placeholders filled in.
fn by_path(gh: &Gh, ask: &Ask, out: &mut Found) -> Result<()> {
    let mut path = ask.name.clone();
    let holders = ["{owner}", "{repo}", ":owner", ":repo"];
    if holders.iter().any(|holder| path.contains(holder)) {
        let top = repository(gh, None)?;
        let (owner, repo) = top.split_once('/').unwrap_or((&top, ""));
        path = path.replace("{owner}", owner).replace(":owner", owner);
        path = path.replace("{repo}", repo).replace(":repo", repo);
    }
    let name = kinds::named(&path);
    if ask.with.iter().any(|with| with == "whole") {
        out.whole.insert(name.clone());
    }
    out.fields.insert(name.clone(), ask.fields.clone());
    out.names.insert(name);
    Ok(())
}

/// `OWNER/NAME` of a repository, as its words or its directory say.
fn repository(gh: &Gh, words: Option<&str>) -> Result<String> {
    match words {
        Some(words) if words.contains('/') => Ok(words.to_owned()),
        Some(name) => {
            let user = gh.api("GET", "user", None)?.good()?;
            let login = user.get("login").and_then(Value::as_str).unwrap_or_default();
            Ok(format!("{login}/{name}"))
        }
        None => {
            let repo = gh.api("GET", "repos/{owner}/{repo}", None)?.good()?;
            let name = repo.get("full_name").and_then(Value::as_str).map(str::to_owned);
            name.ok_or_else(|| {
                Error::failure("GitHub does not say which repository this directory belongs to")
            })
        }
    }
}

fn setting(top: &str, ask: &Ask) -> String {
    let (plural, name) = (format!("{}s", ask.kind), encoded(&ask.name));
    match ask.scope.split_once(':') {
        Some(("env", env)) => format!("repos/{top}/environments/{}/{plural}/{name}", encoded(env)),
        Some(("org", org)) => format!("orgs/{}/actions/{plural}/{name}", encoded(org)),
        Some(("app", app)) => format!("repos/{top}/{app}/{plural}/{name}"),
        _ if ask.scope == "user" => format!("user/codespaces/{plural}/{name}"),
        _ => format!("repos/{top}/actions/{plural}/{name}"),
    }
}

fn branch(gh: &Gh, top: &str, name: &str, out: &mut Found) -> Result<()> {
    let name = match name {
        "" => {
            let repo = gh.api("GET", &format!("repos/{top}"), None)?.good()?;
            repo.get("default_branch").and_then(Value::as_str).unwrap_or("main").to_owned()
        }
        name => name.to_owned(),
    };
    out.names.insert(format!("ref/repos/{top}/git/ref/heads/{}", spread(&name)));
    Ok(())
}

fn pull(gh: &Gh, top: &str, ask: &Ask, out: &mut Found) -> Result<()> {
    let mut found = number(&ask.name);
    if !found.bytes().all(|b| b.is_ascii_digit()) || found.is_empty() {
        let mut words = vec!["pr", "view"];
        if !ask.name.is_empty() {
            words.push(&ask.name);
        }
        words.extend(["-R", top, "--json", "number", "-q", ".number"]);
        found = gh.ask(&words)?;
    }
    let path = format!("repos/{top}/pulls/{found}");
    let Some(pull) = gh.get(&path)? else {
        out.names.insert(format!("pull/{path}"));
        return Ok(());
    };
    let text = |at: &str| pull.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    for (with, kind, side) in [("branch", "ref", "head"), ("base", "base", "base")] {
        let (repo, name) = (text(&format!("/{side}/repo/full_name")), text(&format!("/{side}/ref")));
        if ask.with.iter().any(|w| w == with) && !repo.is_empty() {
            out.names.insert(format!("{kind}/repos/{repo}/git/ref/heads/{}", spread(&name)));
        }
    }
    out.names.insert(format!("pull/{path}"));
    Ok(())
}

/// A workflow by its file, its id or its name.
fn workflow(gh: &Gh, top: &str, word: &str) -> Result<String> {
    let list = format!("repos/{top}/actions/workflows");
    let by_word = format!("{list}/{}", encoded(word.rsplit('/').next().unwrap_or_default()));
    if gh.get(&by_word)?.is_some() {
        return Ok(format!("workflow/{by_word}"));
    }
    let all = gh.list(&list)?;
    let named = all.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(word));
    let id = named.and_then(|one| one.get("id")).map(Value::to_string);
    Ok(id.map_or(format!("workflow/{by_word}"), |id| format!("workflow/{list}/{id}")))
}

/// gh takes the key's own id, the API its number.
fn gpg_key(gh: &Gh, word: &str) -> Result<String> {
    let all = gh.list("user/gpg_keys")?;
    let is = |key: &&Value| {
        key.get("key_id").and_then(Value::as_str).is_some_and(|id| id.eq_ignore_ascii_case(word))
    };
    let id = all.iter().find(is).and_then(|key| key.get("id")).map_or(word.to_owned(), Value::to_string);
    Ok(format!("gpg-key/user/gpg_keys/{id}"))
}

/// `12`, `#12`, `https://github.com/o/r/issues/12`
fn number(word: &str) -> String {
    word.trim_end_matches('/').rsplit('/').next().unwrap_or_default().trim_start_matches('#').to_owned()
}

/// Slashes of a ref stay.
fn spread(name: &str) -> String {
    name.split('/').map(encoded).collect::<Vec<_>>().join("/")
}
