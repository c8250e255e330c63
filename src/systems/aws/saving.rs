//! What the recorder makes in an account before a command destroys something there: an image, a snapshot, a backup. Only what
//! the user switched on (`[aws]` in the settings) is made, because each costs money until somebody removes it; it is named in
//! the record with how to do that. Undo takes it as it takes any other snapshot.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::capture::Gathered;
use super::cli::{Call, Cli};
use super::params::Params;
use super::read::Found;
use super::snapshot::Key;
use crate::error::Result;
use crate::platform::clock;
use crate::systems::{CaptureCx, Saving};

/// What was made so lately is not made again: a line and what it runs are captured both.
const LATELY: u64 = 600;
/// How long the command waits for what has to be ready before it may go on.
const PATIENCE: Duration = Duration::from_secs(150);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// How one kind of thing is saved.
struct Way {
    /// Before which operation: `ec2 terminate-instances`.
    before: &'static str,
    /// Of which kind of thing.
    kind: &'static str,
    /// It is switched on.
    is_on: fn(&Saving) -> bool,
    /// The operation that tells what was made already, where its answers are, the field of the name, that of the id.
    known: (&'static str, &'static str, &'static str, &'static str),
    /// The operation that makes it.
    make: &'static str,
    /// The parameters of both, by the id of the thing and the name of what is made.
    input: fn(&str, &str) -> (Value, Value),
    /// Until its answer has this, the thing may not be deleted.
    ready: Option<(&'static str, &'static str)>,
    /// The kind that undo looks for it in.
    kept: &'static str,
    /// For people: what it is called, how it is removed.
    shown: (&'static str, &'static str),
}

const WAYS: &[Way] = &[
    Way {
        before: "ec2 terminate-instances",
        kind: "ec2:instance",
        is_on: |saving| saving.image_before_terminate,
        known: ("describe-images", "/Images", "Name", "ImageId"),
        make: "create-image",
        input: |id, name| {
            let tags = json!([{"ResourceType": "image", "Tags": [{"Key": SAVES, "Value": id}]}]);
            let known =
                json!({"Owners": ["self"], "Filters": [{"Name": format!("tag:{SAVES}"), "Values": [id]}]});
            (known, json!({"InstanceId": id, "Name": name, "NoReboot": true, "TagSpecifications": tags}))
        },
        ready: None,
        kept: "ec2:instance-images",
        shown: ("image", "aws ec2 deregister-image"),
    },
    Way {
        before: "ec2 delete-volume",
        kind: "ec2:volume",
        is_on: |saving| saving.snapshot_before_delete,
        known: ("describe-snapshots", "/Snapshots", "Description", "SnapshotId"),
        make: "create-snapshot",
        input: |id, name| {
            let known = json!({"Filters": [{"Name": "volume-id", "Values": [id]}]});
            (known, json!({"VolumeId": id, "Description": name}))
        },
        ready: None,
        kept: "ec2:volume-snapshots",
        shown: ("snapshot", "aws ec2 delete-snapshot"),
    },
    Way {
        before: "rds delete-db-instance",
        kind: "rds:db-instance",
        is_on: |saving| saving.snapshot_before_delete,
        known: ("describe-db-snapshots", "/DBSnapshots", "DBSnapshotIdentifier", "DBSnapshotIdentifier"),
        make: "create-db-snapshot",
        input: |id, name| {
            let known = json!({"DBInstanceIdentifier": id, "SnapshotType": "manual"});
            (known, json!({"DBInstanceIdentifier": id, "DBSnapshotIdentifier": name}))
        },
        // An instance that is being backed up cannot be deleted.
        ready: Some(("Status", "available")),
        kept: "rds:db-snapshots",
        shown: ("snapshot", "aws rds delete-db-snapshot"),
    },
    Way {
        before: "rds delete-db-cluster",
        kind: "rds:db-cluster",
        is_on: |saving| saving.snapshot_before_delete,
        known: (
            "describe-db-cluster-snapshots",
            "/DBClusterSnapshots",
            "DBClusterSnapshotIdentifier",
            "DBClusterSnapshotIdentifier",
        ),
        make: "create-db-cluster-snapshot",
        input: |id, name| {
            let known = json!({"DBClusterIdentifier": id, "SnapshotType": "manual"});
            (known, json!({"DBClusterIdentifier": id, "DBClusterSnapshotIdentifier": name}))
        },
        ready: Some(("Status", "available")),
        kept: "rds:cluster-snapshots",
        shown: ("snapshot", "aws rds delete-db-cluster-snapshot"),
    },
    Way {
        before: "dynamodb delete-table",
        kind: "dynamodb:table",
        is_on: |saving| saving.backup_before_delete,
        known: ("list-backups", "/BackupSummaries", "BackupName", "BackupArn"),
        make: "create-backup",
        input: |id, name| (json!({"TableName": id}), json!({"TableName": id, "BackupName": name})),
        ready: Some(("BackupStatus", "AVAILABLE")),
        kept: "dynamodb:backups",
        shown: ("backup", "aws dynamodb delete-backup"),
    },
];

/// The tag by which an image names the instance that it saves.
pub const SAVES: &str = "fr:saves";

/// Makes what is switched on, of what is there, and notes it.
///
/// # Errors
/// Where AWS is not reached. What it refuses is noted as missing.
pub fn save(cli: &Cli, params: &Params, cx: &CaptureCx<'_>, out: &mut Gathered) -> Result<()> {
    let operation = format!("{} {}", params.service, params.op);
    let Some(way) = WAYS.iter().find(|way| way.before == operation && (way.is_on)(cx.saving)) else {
        return Ok(());
    };
    let there: Vec<Key> = out
        .snapshot
        .parts()
        .filter(|(key, part)| key.kind == way.kind && part.is_some())
        .map(|(key, _)| key)
        .collect();
    let own = Instant::now() + PATIENCE;
    let cli = cli.until(cx.deadline.map_or(own, |deadline| deadline.min(own)));
    for key in there {
        match one(&cli, &params.service, way, key.id(0))? {
            Ok((id, made)) => {
                let (what, removed) = way.shown;
                let of = key.shown();
                out.saved.push(format!("{of} saved as {what} {id}, which costs money until {removed}"));
                out.add(&Key::new(way.kept, &[key.id(0)]), &Found::There(json!([made])), cx.sink)?;
            }
            Err(why) => out.miss(format!("the {} of {} that [aws] asks for", way.shown.0, key.shown()), &why),
        }
    }
    Ok(())
}

/// Its id and what it is, or why there is none.
fn one(
    cli: &Cli,
    service: &str,
    way: &Way,
    id: &str,
) -> Result<std::result::Result<(String, Value), String>> {
    let now = u64::try_from(clock::now_ns() / 1_000_000_000).unwrap_or_default();
    let name = format!("fr-{id}-{now}");
    let (known, make) = (way.input)(id, &name);
    let (look, at, name_field, id_field) = way.known;
    let look = Call::new(service, look, known);
    let found = |list: &Value, fits: &dyn Fn(&str) -> bool| {
        let all = list.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
        all.into_iter().find(|one| one[name_field].as_str().is_some_and(fits))
    };
    let lately = |name: &str| {
        let made = name.strip_prefix(&format!("fr-{id}-")).and_then(|time| time.parse::<u64>().ok());
        made.is_some_and(|made| made + LATELY > now)
    };
    let listed = cli.ask(look.clone())?.unwrap_or_default();
    if found(&listed, &lately).is_none()
        && let Err(refusal) = cli.ask(Call::new(service, way.make, make))?
    {
        return Ok(Err(refusal.shown()));
    }
    loop {
        let listed = cli.ask(look.clone())?.unwrap_or_default();
        let made = found(&listed, &lately);
        let is_ready = |made: &Value| way.ready.is_none_or(|(field, wanted)| made[field] == wanted);
        match made {
            Some(made) if is_ready(&made) => {
                return Ok(Ok((made[id_field].as_str().unwrap_or(&name).to_owned(), made)));
            }
            _ if cli.is_late() => return Ok(Err(format!("{name} was not ready in time"))),
            _ => std::thread::sleep(PAUSE),
        }
    }
}
