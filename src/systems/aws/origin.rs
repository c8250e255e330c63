//! Snapshots, images and backups that things came back from, and how old they were.

use chrono::DateTime;
use serde_json::Value;

use super::kinds::{self, Kind};
use super::snapshot::{Key, Snapshot};
use crate::error::Result;
use crate::model::{Capture, ObjectSource};
use crate::systems::Origin;

/// What each is called for people, the field of its name, and that of its time.
const FIELDS: &[(&str, &str, &str)] = &[
    ("image", "ImageId", "CreationDate"),
    ("snapshot", "SnapshotId", "StartTime"),
    ("snapshot", "DBSnapshotIdentifier", "SnapshotCreateTime"),
    ("snapshot", "DBClusterSnapshotIdentifier", "SnapshotCreateTime"),
    ("backup", "BackupName", "BackupCreationDateTime"),
];

/// Of everything whose data is not in the capture.
///
/// # Errors
/// Where a state cannot be read.
pub fn origins(captured: &Capture, then: Option<&Capture>, source: &dyn ObjectSource) -> Result<Vec<Origin>> {
    let before = Snapshot::load(&captured.state, source)?;
    // The newest is looked for when the undo makes the thing anew: a final snapshot is younger than the capture.
    let then = then.map(|capture| Snapshot::load(&capture.state, source)).transpose()?;
    let mut found = Vec::new();
    for (key, _) in before.parts().filter(|(_, part)| part.is_some()) {
        let Some((kind, other)) = kinds::by_id(&key.kind).and_then(|kind| Some((kind, elsewhere(kind)?)))
        else {
            continue;
        };
        // What was copied into the store needs no backup.
        if !kind.unless.is_empty() && before.covers(&Key::new(&kind.unless, &[key.id(0)])) {
            continue;
        }
        let list = Key::new(other, &[key.id(0)]);
        let part = then.as_ref().and_then(|then| then.part(&list)).or_else(|| before.part(&list));
        let newest = part.map(|part| Snapshot::value(part, source)).transpose()?;
        let newest = newest.as_ref().and_then(|list| list.get(0));
        found.push(origin(&key, newest));
    }
    Ok(found)
}

/// The kind that its data comes back from.
fn elsewhere(kind: &Kind) -> Option<&str> {
    let needed = kind.needs.split_once('/').map(|(other, _)| other);
    needed.or(Some(kind.saved.as_str()).filter(|saved| !saved.is_empty()))
}

fn origin(key: &Key, newest: Option<&Value>) -> Origin {
    let target = key.shown();
    let text = |one: &Value, field: &str| one.get(field).and_then(Value::as_str).map(str::to_owned);
    let named = newest.and_then(|one| {
        FIELDS.iter().find_map(|(what, name, time)| Some((one, format!("{what} {}", text(one, name)?), time)))
    });
    match named {
        None => Origin { target, from: "nothing was kept of its data".to_owned(), at_ns: None },
        Some((one, from, field)) => match one.get(field).and_then(moment) {
            Some(at_ns) => Origin { target, from, at_ns: Some(at_ns) },
            None => Origin { target, from: format!("{from}, whose time is not told"), at_ns: None },
        },
    }
}

/// As the command line's versions write times: RFC 3339, or seconds since 1970.
fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt(),
        Value::Number(seconds) => Some((seconds.as_f64()? * 1e9) as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_snapshot_is_named_with_its_time_however_it_is_written() {
        let volume = Key::new("ec2:volume", &["vol-1"]);
        let at = |value: Value| {
            let found = origin(&volume, Some(&value));
            (found.from, found.at_ns.map(|ns| ns / 1_000_000_000))
        };
        let snapshot = ("snapshot snap-1".to_owned(), Some(1_700_000_000));
        for time in
            [json!("2023-11-14T22:13:20.000Z"), json!("2023-11-14T22:13:20+00:00"), json!(1_700_000_000.25)]
        {
            assert_eq!(at(json!({"SnapshotId": "snap-1", "StartTime": time, "VolumeId": "vol-1"})), snapshot);
        }
        assert_eq!(
            at(json!({"SnapshotId": "snap-1"})),
            ("snapshot snap-1, whose time is not told".to_owned(), None)
        );
        let none = origin(&volume, None);
        assert_eq!((none.target.as_str(), none.at_ns), ("aws:ec2:volume:vol-1", None));
        assert!(none.from.contains("nothing was kept"), "{none:?}");
    }

    #[test]
    fn what_comes_back_from_elsewhere_is_known_by_its_kind() {
        let of = |id: &str| kinds::by_id(id).and_then(elsewhere);
        assert_eq!(of("ec2:volume"), Some("ec2:volume-snapshots"));
        assert_eq!(of("ec2:instance"), Some("ec2:instance-images"));
        assert_eq!(of("dynamodb:table"), Some("dynamodb:backups"));
        assert_eq!((of("iam:role"), of("s3:bucket")), (None, None));
    }
}
