//! An operation of any service: its class by the table, lowered or raised by what its options say, and what it acts on.

use super::{Reader, classes, inline, types};
use crate::model::{EffectClass as C, Reversibility as R};

/// Options by which a safety net is removed, whatever else the operation does.
const UNPROTECTS: &[&str] = &[
    "--no-deletion-protection",
    "--no-deletion-protection-enabled",
    "--no-enable-termination-protection",
    "--no-termination-protected",
    "--no-disable-api-termination",
    "--no-disable-api-stop",
    "--no-delete-protection",
    "--no-versioning",
];

/// Reads an operation.
pub fn read(service: &str, op: &str, out: &mut Reader<'_>) {
    let (verb, noun) = types::split(op);
    let Some((class, back)) = classes::of(service, op) else {
        let (class, back) = (C::Opaque, R::Irreversible);
        return targets(service, (verb, noun), (class, back), out);
    };
    if class == C::None {
        return;
    }
    let (class, back) = by_options(service, op, (class, back), out);
    targets(service, (verb, noun), (class, back), out);
}

fn by_options(service: &str, op: &str, (class, back): (C, R), out: &Reader<'_>) -> (C, R) {
    let is = |name: &str, value: &str| out.words.text(name).as_deref() == Some(value);
    let has = |name: &str, part: &str| out.words.text(name).is_some_and(|text| text.contains(part));
    let settable = matches!(class, C::Mutate | C::Create | C::Access);
    let unprotects = out.words.has(UNPROTECTS)
        || is("--deletion-protection", "false")
        || is("--deletion-protection-enabled", "false")
        || is("--backup-retention-period", "0")
        || has("--point-in-time-recovery-specification", "=false")
        || has("--disable-api-termination", "alse")
        || out.words.options.iter().any(|(name, values)| {
            name == "--attributes"
                && values.iter().any(|v| v.text.lossy().contains("deletion_protection.enabled,Value=false"))
        });
    if unprotects && settable {
        return (C::Weaken, R::Exact);
    }
    if settable
        && (is("--desired-capacity", "0")
            || is("--desired-count", "0")
            || has("--scaling-config", "desiredSize=0"))
    {
        return (C::Disrupt, R::Exact);
    }
    match (service, op) {
        ("ssm", "put-parameter") if out.words.has(&["--overwrite"]) => (C::Overwrite, R::Exact),
        // An image is made anew from its snapshots.
        ("ec2", "deregister-image") if out.words.has(&["--delete-associated-snapshots"]) => {
            (C::Destroy, R::Irreversible)
        }
        ("secretsmanager", "delete-secret") if out.words.has(&["--force-delete-without-recovery"]) => {
            (C::Destroy, R::Recreate)
        }
        ("route53", "change-resource-record-sets") if has("--change-batch", "DELETE") => {
            (C::Destroy, R::Exact)
        }
        ("autoscaling", "update-auto-scaling-group") if is("--max-size", "0") => (C::Disrupt, R::Exact),
        ("logs", "put-retention-policy") => (C::Weaken, R::Irreversible),
        _ => (class, back),
    }
}

fn targets(service: &str, (verb, noun): (&str, &str), (class, back): (C, R), out: &mut Reader<'_>) {
    if verb == "run" {
        out.not_kept("what it makes is named by its answer, which is not known before it runs");
        return out.add(class, "dyn:new resources, their ids are in the output", back);
    }
    let (typed, found) = types::named(service, noun, &out.words);
    let found: Vec<(String, bool)> = found.iter().map(|w| (w.text.lossy().into_owned(), w.certain)).collect();
    let ids = match found.is_empty() {
        true => inline::ids(out, noun).unwrap_or_default().into_iter().map(|id| (id, true)).collect(),
        false => found,
    };
    if ids.is_empty() {
        return out.add(class, format!("dyn:aws {service} {verb}-{noun}"), back);
    }
    for (text, certain) in ids {
        if !certain || text.starts_with("file://") {
            out.add(class, format!("dyn:{text}"), back);
            continue;
        }
        let name = if service == "sqs" { text.rsplit('/').next().unwrap_or_default() } else { &text };
        let cluster = out.words.text("--cluster").filter(|_| service == "ecs" && noun == "service");
        let name = cluster.map_or_else(|| name.to_owned(), |c| format!("{c}/{name}"));
        out.add(class, format!("aws:{service}:{typed}:{name}"), back);
    }
}
