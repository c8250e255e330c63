//! The objects that a remote's refs name, kept in the vault before a push drops them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use super::shadow::Shadow;
use super::state::RemoteState;
use crate::error::Result;
use crate::model::{Bytes, Missing};
use crate::systems::CaptureCx;
use crate::systems::git::objects::{Objects, holds, parse_oid};
use crate::systems::git::place::Place;
use crate::systems::git::vault::{Limits, Vault, Wanted};

/// Pins what the remote's refs name: from the repository where it has it, else fetched.
pub fn pin(
    shadow: &Shadow,
    place: Option<&Place>,
    vault: &Vault,
    state: &RemoteState,
    cx: &CaptureCx<'_>,
) -> Vec<Missing> {
    // A push that forces nothing leaves the old values in the history of the new ones.
    let is_kept = |name: &String| state.forces || state.sure.as_ref().is_none_or(|sure| sure.contains(name));
    let kept = state.refs.iter().filter(|(name, _)| is_kept(name));
    let values: BTreeMap<&String, &String> =
        kept.filter_map(|(name, id)| Some((name, id.as_ref()?))).collect();
    let tips: BTreeSet<git2::Oid> = values.values().filter_map(|id| parse_oid(id.as_bytes())).collect();
    // What the repository has is walked from there; the rest is fetched, with all that it points to.
    let wanted = Wanted {
        only_if_cheap: false,
        tips: &BTreeSet::new(),
        optional: &tips,
        logged: &BTreeSet::new(),
        // Its objects cannot be walked.
        everything: values.values().any(|id| id.len() == 64),
        limits: Limits { bytes: cx.caps.tree_bytes, until: cx.deadline },
        has_holes: true,
    };
    let mut missing = Vec::new();
    if let Some(Err(e)) = place.map(|place| vault.pin(place, &wanted)) {
        missing.push(Missing { what: Bytes::from(state.remote.as_str()), why: e.to_string() });
    }
    let absent = |vault: &Vault| -> Result<Vec<&String>> {
        if wanted.everything {
            let lacks = |id: &String| shadow.ask(&["cat-file", "-e", id].map(OsStr::new)).is_err();
            return Ok(values.iter().filter(|(_, id)| lacks(id)).map(|(name, _)| *name).collect());
        }
        let objects = Objects::open(&[&vault.objects()])?;
        let odb = objects.odb()?;
        let lacks = |id: &String| parse_oid(id.as_bytes()).is_none_or(|oid| !holds(&odb, oid));
        Ok(values.iter().filter(|(_, id)| lacks(id)).map(|(name, _)| *name).collect())
    };
    let left = absent(vault).and_then(|names| {
        fetch(shadow, &state.url, &names)?;
        absent(vault)
    });
    match left {
        Ok(names) => missing.extend(names.into_iter().map(|name| Missing {
            what: Bytes::from(format!("{} {name}", state.remote)),
            why: "its objects could not be fetched before the push".to_owned(),
        })),
        Err(e) => missing
            .push(Missing { what: Bytes::from(format!("objects of {}", state.remote)), why: e.to_string() }),
    }
    missing
}

/// Fetches refs into the vault. They are given names in the shadow only, which is thrown away.
fn fetch(shadow: &Shadow, url: &str, names: &[&String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let options = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--",
        url,
    ];
    let specs: Vec<String> =
        names.iter().enumerate().map(|(n, name)| format!("+{name}:refs/fr/{n}")).collect();
    let args: Vec<&OsStr> = options.iter().map(OsStr::new).chain(specs.iter().map(OsStr::new)).collect();
    shadow.ask(&args).map(|_| ())
}
