//! What a line lists before it acts on the list: the candidates of a command that does not name its targets.

use regex::Regex;

use super::cluster::Found;
use super::kubectl::Kubectl;
use super::object::Object;
use super::query::Query;
use crate::error::Result;
use crate::model::{Bytes, Missing};

/// How the record names what may be meant beside the candidates.
const BESIDE: &str = "targets beside those that `kubectl get ";
/// The same of releases.
const BESIDE_RELEASES: &str = "targets beside the releases of the namespace";
const WHY: &str = "the command's targets are named when it runs (shims see them then)";

/// Asks again what the line asks. What else may be meant is named as missing.
pub fn find(kubectl: &Kubectl, query: &Query) -> Result<Found> {
    let mut found = Found::default();
    let asks: Vec<Vec<&str>> =
        query.ask.split(String::is_empty).map(|ask| ask.iter().map(String::as_str).collect()).collect();
    for ask in &asks {
        found.extend(Found::of(kubectl.get(ask)?, "")?);
    }
    let is_sure = query.sure.as_ref().is_some_and(|patterns| !touches(patterns, &found));
    if !is_sure {
        let listed: Vec<String> = asks.iter().map(|ask| ask.join(" ")).collect();
        let what = format!("{BESIDE}{}` lists", listed.join("`, `kubectl get "));
        found.missing.push(Missing { what: Bytes::from(what), why: WHY.to_owned() });
    }
    Ok(found)
}

/// What else a command may take whose releases are not named.
pub fn beside_releases() -> Missing {
    Missing { what: BESIDE_RELEASES.into(), why: WHY.to_owned() }
}

/// True for what is missing because targets had no names: a part of the line that has them closes the gap.
pub fn is_about(missing: &Missing) -> bool {
    [BESIDE, BESIDE_RELEASES].iter().any(|known| missing.what.as_slice().starts_with(known.as_bytes()))
}

/// True where a text that a filter replaces is in what tells one of the objects apart.
fn touches(patterns: &[String], found: &Found) -> bool {
    let lines = || found.objects.iter().flat_map(|(object, _)| identity(object));
    patterns.iter().any(|pattern| {
        let pattern = regex::escape(pattern).replace("\\.", ".");
        Regex::new(&pattern).map_or(true, |pattern| lines().any(|line| pattern.is_match(&line)))
    })
}

/// The lines of an object's manifest that tell it apart, as YAML and as JSON.
fn identity(object: &Object) -> Vec<String> {
    let version = object.text("/apiVersion");
    let key = &object.key;
    let fields =
        [("apiVersion", version), ("kind", &key.kind), ("name", &key.name), ("namespace", &key.namespace)];
    let lines = fields.into_iter().flat_map(|(field, value)| {
        [format!("    {field}: {value}"), format!("        \"{field}\": \"{value}\",")]
    });
    lines.chain(["apiVersion: v1".into(), "kind: List".into(), "metadata:".into(), "items:".into()]).collect()
}
