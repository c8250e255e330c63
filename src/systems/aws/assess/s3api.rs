//! `aws s3api`: operations on buckets, their settings and their objects.

use serde_json::Value;

use super::{Reader, classes, local, types};
use crate::model::{EffectClass as C, Reversibility as R};
use crate::systems::aws::params::document;

/// Reads one of its operations.
pub fn read(op: &str, out: &mut Reader<'_>) {
    if matches!(op, "get-object" | "get-object-torrent") {
        return local::out_file(out);
    }
    if classes::of("s3api", op).is_some_and(|(class, _)| class == C::None) {
        return;
    }
    let of =
        |name: &str, out: &Reader<'_>| out.words.named(name).and_then(|v| v.first().map(|w| (*w).clone()));
    let (bucket, key) = (of("--bucket", out), of("--key", out));
    if let Some(open) = bucket.iter().chain(&key).find(|w| !w.certain) {
        return out.add(C::Destroy, format!("dyn:{}", open.text.lossy()), R::Recreate);
    }
    let bucket = bucket.map(|w| w.text.lossy().into_owned()).unwrap_or_default();
    let key = key.map(|w| w.text.lossy().into_owned());
    if bucket.is_empty() && out.words.text("--cli-input-json").is_some() {
        let (verb, _) = types::split(op);
        let class = if verb == "delete" { C::Destroy } else { C::Overwrite };
        return out.add(class, "dyn:what --cli-input-json names", R::Recreate);
    }
    match (op, key) {
        (_, Some(key)) => object(op, &format!("{bucket}/{key}"), out),
        ("delete-objects", _) => listed(&bucket, out),
        ("delete-bucket", _) => out.add(C::Destroy, format!("aws:s3:bucket:{bucket}"), R::Recreate),
        ("create-bucket", _) => out.add(C::Create, format!("aws:s3:bucket:{bucket}"), R::Exact),
        ("put-bucket-versioning", _) => {
            let off = out.words.text("--versioning-configuration").is_some_and(|t| t.contains("Suspended"));
            out.add(
                if off { C::Weaken } else { C::Mutate },
                format!("aws:s3:bucket:{bucket}/versioning"),
                R::Exact,
            );
        }
        _ => setting(op, &bucket, out),
    }
}

/// The objects that `--delete` lists on the command line; a document is read when it is captured.
fn listed(bucket: &str, out: &mut Reader<'_>) {
    let list = out.words.named("--delete").and_then(|words| {
        let text = words.first().filter(|word| word.certain && words.len() == 1)?.text.lossy().into_owned();
        document(&text)?.get("Objects")?.as_array().cloned()
    });
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return out.add(C::Destroy, "dyn:objects named in --delete", R::Exact);
    };
    for one in &list {
        let text = |field: &str| one.get(field).and_then(Value::as_str).unwrap_or_default();
        match text("VersionId") {
            "" => object("delete-object", &format!("{bucket}/{}", text("Key")), out),
            version => {
                let at = format!("aws:s3:object:{bucket}/{}@{version}", text("Key"));
                out.add(C::Destroy, at, R::Recreate);
            }
        }
    }
}

fn object(op: &str, at: &str, out: &mut Reader<'_>) {
    let version = out.words.text("--version-id").map(|v| format!("@{v}")).unwrap_or_default();
    let at = format!("aws:s3:object:{at}{version}");
    match op {
        "delete-object" if version.is_empty() => out.add(C::Destroy, at, R::Exact),
        "delete-object" => out.add(C::Destroy, at, R::Recreate),
        "put-object" | "copy-object" | "complete-multipart-upload" | "rename-object" => {
            out.add(C::Overwrite, at, R::Exact)
        }
        "put-object-acl" => out.add(C::Access, at, R::Exact),
        "put-object-legal-hold" | "put-object-retention" => out.add(C::Weaken, at, R::Compensating),
        "abort-multipart-upload" => out.add(C::Destroy, at, R::Irreversible),
        "create-multipart-upload" | "upload-part" | "upload-part-copy" => {
            out.add(C::Create, at, R::Compensating)
        }
        "restore-object" => out.add(C::Mutate, at, R::Compensating),
        _ => out.add(C::Mutate, at, R::Exact),
    }
}

fn setting(op: &str, bucket: &str, out: &mut Reader<'_>) {
    let (_, noun) = types::split(op);
    let part = noun.trim_start_matches("bucket-").trim_end_matches("-configuration");
    let (class, back) = match part {
        "policy" | "acl" | "ownership-controls" | "public-access-block" => (C::Access, R::Exact),
        "lifecycle" | "replication" | "logging" | "encryption" | "object-lock" => {
            (C::Weaken, R::Compensating)
        }
        _ => (C::Mutate, R::Exact),
    };
    out.add(class, format!("aws:s3:bucket:{bucket}/{part}"), back);
}
