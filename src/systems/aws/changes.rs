//! What differs between two recorded states, for people: the names of things and of their fields. Values may be secrets
//! (user data, environment variables, parameters, policies), so none is shown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::kinds::{self, Kind};
use super::shape;
use super::snapshot::{Key, Part, Snapshot};
use crate::error::Result;
use crate::model::{Bytes, Change, ChangeKind, ObjectSource, StateRef};

/// Every thing that differs.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
) -> Result<Vec<Change>> {
    let old = Snapshot::load(before, source)?;
    let new = after.map(|after| Snapshot::load(after, source)).transpose()?;
    let keys: BTreeSet<Key> =
        old.parts().chain(new.iter().flat_map(Snapshot::parts)).map(|(key, _)| key).collect();
    let mut out = Vec::new();
    for key in keys {
        let (b, a) = (old.part(&key), new.as_ref().map(|new| new.part(&key)));
        let how = match (b, a) {
            (_, None) => ChangeKind::Unknown,
            (None, Some(None)) => continue,
            (Some(b), Some(Some(a))) if a.digest == b.digest => continue,
            (None, Some(Some(_))) => ChangeKind::Added,
            (Some(_), Some(None)) => ChangeKind::Removed,
            (Some(_), Some(Some(_))) => ChangeKind::Changed,
        };
        let (before, after) = match (b, a.flatten()) {
            (Some(b), Some(a)) => told_apart(&key, b, a, source)?,
            _ => (None, None),
        };
        out.push(Change { what: Bytes::from(key.shown()), how, before, after });
    }
    Ok(out)
}

/// The names of the fields that differ, each on a line.
fn told_apart(
    key: &Key,
    b: &Part,
    a: &Part,
    source: &dyn ObjectSource,
) -> Result<(Option<Bytes>, Option<Bytes>)> {
    let any = Kind::default();
    let kind = kinds::by_id(&key.kind).unwrap_or(&any);
    let (b, a) = (
        shape::normal(kind, &Snapshot::value(b, source)?),
        shape::normal(kind, &Snapshot::value(a, source)?),
    );
    let (mut old, mut new) = (String::new(), String::new());
    let names: BTreeSet<&String> =
        [&b, &a].into_iter().filter_map(Value::as_object).flat_map(|fields| fields.keys()).collect();
    for name in names {
        let (was, is) = (b.get(name), a.get(name));
        if was != is {
            old.push_str(&line(name, was, "before"));
            new.push_str(&line(name, is, "after"));
        }
    }
    Ok((Some(Bytes::from(old)), Some(Bytes::from(new))))
}

/// Words of the service and numbers are shown, texts that anybody may have written are not.
fn line(name: &str, value: Option<&Value>, when: &str) -> String {
    let shown = match value {
        None => return String::new(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Array(list)) => format!("({} entries {when})", list.len()),
        Some(_) => format!("(as it was {when}, not shown)"),
    };
    format!("{name}: {shown}\n")
}
