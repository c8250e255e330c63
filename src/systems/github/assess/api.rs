//! `gh api`: a read unless a method or a field says otherwise.

use super::Asking;
use crate::model::{EffectClass as C, Reversibility as R};
use crate::systems::github::kinds;
use crate::systems::github::query::Ask;
use crate::systems::words::Words;

const FIELDS: &[&str] = &["-f", "-F", "--field", "--raw-field"];

/// One request.
pub fn read(words: &Words<'_>, out: &mut Asking<'_>) {
    let fields = words.has(FIELDS) || words.has(&["--input"]);
    let method = words.text(&["-X", "--method"]).map(|m| m.to_ascii_uppercase());
    let method = method.unwrap_or_else(|| if fields { "POST".to_owned() } else { "GET".to_owned() });
    if matches!(method.as_str(), "GET" | "HEAD") {
        return;
    }
    let path = words.operand(1);
    let path =
        path.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(path, |(_, rest)| rest);
    let path = path
        .trim_start_matches('/')
        .trim_start_matches("api/v3/")
        .split('?')
        .next()
        .unwrap_or_default()
        .to_owned();
    if path == "graphql" {
        let mutates = words.values(FIELDS).any(|f| f.text.lossy().contains("mutation"));
        if mutates || words.has(&["--input"]) {
            out.out.opaque("graphql mutation");
        }
        return;
    }
    effect(&method, &path, out);
    // What a POST makes has no name yet; only where it starts or stops something of a thing that is there is that read.
    let (method, path) = (method.as_str(), path.trim_end_matches('/').to_owned());
    if method == "POST" && !path.contains("/protection/") && !path.ends_with("/cancel") {
        let one = kinds::named(&format!("{path}/0"));
        if kinds::of(&one).is_some_and(|(kind, _)| kind.twins) {
            out.makes();
        }
        return;
    }
    let names = words.values(FIELDS).map(|field| field.text.lossy().into_owned());
    let names = names.filter_map(|field| Some(field.split(['=', '[']).next()?.to_owned())).collect();
    let with = if method == "DELETE" { vec!["whole".to_owned()] } else { Vec::new() };
    let fields = if method == "PATCH" && !words.has(&["--input"]) { names } else { Vec::new() };
    out.ask(Ask { kind: "path".to_owned(), name: path, with, fields, ..Ask::default() });
}

fn effect(method: &str, path: &str, out: &mut Asking<'_>) {
    let parts: Vec<&str> = path.split('/').collect();
    let class = match method {
        "DELETE" => C::Destroy,
        "PATCH" => C::Mutate,
        "PUT" => C::Overwrite,
        _ => C::Create,
    };
    match parts.as_slice() {
        ["repos", owner, repo, "branches", branch, "protection", ..] => {
            let class = if method == "DELETE" { C::Weaken } else { C::Access };
            out.add(class, format!("gh:branch-protection:{owner}/{repo}:{branch}"), R::Exact);
        }
        ["repos", owner, repo, "git", "refs", rest @ ..] if !rest.is_empty() => {
            let class = if method == "PATCH" { C::Overwrite } else { class };
            out.add(class, format!("git:{owner}/{repo}/refs/{}", rest.join("/")), R::Exact);
        }
        ["repos", owner, repo, "rulesets", id] if method == "DELETE" => {
            out.add(C::Weaken, format!("gh:ruleset:{owner}/{repo}:{id}"), R::Recreate);
        }
        ["repos", owner, repo, "pulls", number, "merge"] => {
            out.add(C::Mutate, format!("gh:pull:{owner}/{repo}:{number}"), R::Compensating);
        }
        ["repos", owner, repo] => out.add(class, format!("gh:repo:{owner}/{repo}"), R::Compensating),
        ["repos", owner, repo, noun, name, ..] => {
            let noun = noun.trim_end_matches('s');
            out.add(class, format!("gh:{noun}:{owner}/{repo}:{name}"), R::Compensating);
        }
        _ => out.add(class, format!("gh:api:{path}"), R::Compensating),
    }
}
