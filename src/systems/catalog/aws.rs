//! The AWS command line: 18,000 operations, told apart by their verbs; the common ones by table.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

const FLAGS: &[&str] = &[
    "--debug",
    "--no-verify-ssl",
    "--no-paginate",
    "--no-sign-request",
    "--no-cli-pager",
    "--dry-run",
    "--no-dry-run",
    "--recursive",
    "--force",
    "--dryrun",
    "--delete",
    "--quiet",
    "--skip-final-snapshot",
    "--no-skip-final-snapshot",
    "--apply-immediately",
    "--deletion-protection",
    "--no-deletion-protection",
    "--force-delete-without-recovery",
    "--no-cli-auto-prompt",
    "--human-readable",
    "--summarize",
    "--delete-automated-backups",
    "--no-delete-automated-backups",
    "--exact-timestamps",
    "--size-only",
    "--force-delete",
];

/// Options of `aws s3` with a value.
const S3: &[&str] = &[
    "--exclude",
    "--include",
    "--acl",
    "--storage-class",
    "--content-type",
    "--cache-control",
    "--metadata",
    "--sse",
    "--sse-kms-key-id",
    "--grants",
    "--expires",
    "--source-region",
    "--page-size",
    "--request-payer",
    "--metadata-directive",
    "--expected-size",
    "--index-document",
    "--error-document",
    "--content-encoding",
    "--content-disposition",
];

/// Options of every command with one value: they may stand before the service.
const GLOBALS: &[&str] = &[
    "--region",
    "--profile",
    "--endpoint-url",
    "--output",
    "--query",
    "--color",
    "--ca-bundle",
    "--cli-read-timeout",
    "--cli-connect-timeout",
    "--cli-binary-format",
];

const READ_VERBS: &[&str] = &[
    "describe",
    "get",
    "list",
    "head",
    "lookup",
    "search",
    "query",
    "scan",
    "select",
    "estimate",
    "preview",
    "check",
    "validate",
    "verify",
    "simulate",
    "batch-get",
    "filter",
    "wait",
    "help",
    "ls",
    "tail",
    "presign",
    "view",
    "discover",
    "count",
    "poll",
    "decode",
    "assume",
    "download",
    "read",
    "test",
    "evaluate",
    "detect",
    "compare",
    "history",
];

/// Service and noun of an operation, the resource type, the options that name it.
const TYPES: &[(&str, &str, &str, &[&str])] = &[
    ("ec2", "instances", "instance", &["--instance-ids"]),
    ("ec2", "instance-attribute", "instance", &["--instance-id"]),
    ("ec2", "volume", "volume", &["--volume-id"]),
    ("ec2", "snapshot", "snapshot", &["--snapshot-id"]),
    ("ec2", "image", "image", &["--image-id"]),
    ("ec2", "security-group", "sg", &["--group-id", "--group-name"]),
    ("ec2", "security-group-ingress", "sg", &["--group-id", "--group-name"]),
    ("ec2", "security-group-egress", "sg", &["--group-id"]),
    ("ec2", "key-pair", "keypair", &["--key-name", "--key-pair-id"]),
    ("ec2", "address", "eip", &["--allocation-id", "--public-ip"]),
    ("ec2", "tags", "tags", &["--resources"]),
    ("rds", "db-instance", "db", &["--db-instance-identifier"]),
    ("rds", "db-cluster", "cluster", &["--db-cluster-identifier"]),
    ("rds", "db-snapshot", "snapshot", &["--db-snapshot-identifier"]),
    ("rds", "db-cluster-snapshot", "snapshot", &["--db-cluster-snapshot-identifier"]),
    ("dynamodb", "table", "table", &["--table-name"]),
    ("lambda", "function", "function", &["--function-name"]),
    ("lambda", "function-code", "function", &["--function-name"]),
    ("lambda", "function-configuration", "function", &["--function-name"]),
    ("iam", "access-key", "key", &["--access-key-id", "--user-name"]),
    ("iam", "user", "user", &["--user-name"]),
    ("iam", "role", "role", &["--role-name"]),
    ("iam", "policy", "policy", &["--policy-arn", "--policy-name"]),
    ("iam", "user-policy", "user", &["--user-name"]),
    ("iam", "role-policy", "role", &["--role-name"]),
    ("iam", "login-profile", "user", &["--user-name"]),
    ("sqs", "queue", "queue", &["--queue-url"]),
    ("sns", "topic", "topic", &["--topic-arn"]),
    ("sns", "", "topic", &["--topic-arn", "--target-arn"]),
    ("cloudformation", "", "stack", &["--stack-name"]),
    ("autoscaling", "desired-capacity", "asg", &["--auto-scaling-group-name"]),
    ("dynamodb", "continuous-backups", "table", &["--table-name"]),
    ("secretsmanager", "secret-value", "secret", &["--secret-id"]),
    ("ecs", "service", "service", &["--service"]),
    ("ecs", "cluster", "cluster", &["--cluster"]),
    ("efs", "file-system", "fs", &["--file-system-id"]),
    ("backup", "recovery-point", "rp", &["--recovery-point-arn"]),
    ("backup", "backup-vault", "vault", &["--backup-vault-name"]),
    ("cloudformation", "stack", "stack", &["--stack-name"]),
    ("secretsmanager", "secret", "secret", &["--secret-id"]),
    ("kms", "key-deletion", "key", &["--key-id"]),
    ("kms", "key", "key", &["--key-id"]),
    ("route53", "hosted-zone", "zone", &["--id"]),
    ("route53", "resource-record-sets", "zone", &["--hosted-zone-id"]),
    ("ecr", "repository", "repository", &["--repository-name"]),
    ("ecr", "image", "repository", &["--repository-name"]),
    ("eks", "cluster", "cluster", &["--name"]),
    ("eks", "nodegroup", "nodegroup", &["--nodegroup-name"]),
    ("logs", "log-group", "group", &["--log-group-name"]),
    ("logs", "log-stream", "stream", &["--log-stream-name"]),
    ("logs", "retention-policy", "group", &["--log-group-name"]),
    ("cloudtrail", "trail", "trail", &["--name"]),
    ("cloudtrail", "logging", "trail", &["--name"]),
    ("elasticache", "cache-cluster", "cluster", &["--cache-cluster-id"]),
    ("autoscaling", "auto-scaling-group", "asg", &["--auto-scaling-group-name"]),
    ("s3api", "bucket", "bucket", &["--bucket"]),
    ("ssm", "parameter", "parameter", &["--name"]),
];

/// `aws`
pub fn read(out: &mut Reader<'_>) {
    let mut args = Vec::new();
    let mut it = out.inv.args().iter();
    while let Some(word) = it.next() {
        let text = word.text.as_str().unwrap_or_default();
        if GLOBALS.contains(&text) {
            it.next();
        } else if !GLOBALS.iter().any(|g| text.strip_prefix(g).is_some_and(|r| r.starts_with('='))) {
            args.push(word.clone());
        }
    }
    let words = Words::split(&args, Takes::Many(FLAGS));
    if words.has(&["--generate-cli-skeleton", "--dryrun"])
        || words.options.iter().any(|(n, _)| n == "--dry-run")
    {
        return;
    }
    if words.operands.last().is_some_and(|w| w.as_str() == Some("help")) {
        return;
    }
    let (service, op) = (words.operand(0).to_owned(), words.operand(1).to_owned());
    match (service.as_str(), op.as_str()) {
        ("", _) => {}
        ("s3", op) => s3(op, &Words::split(&args, Takes::One(S3)), out),
        ("configure", "list" | "get" | "list-profiles" | "export-credentials") => {}
        ("configure", _) => out.add(C::Mutate, "path:~/.aws/config", R::Exact),
        ("sso" | "login", _) => out.add(C::Access, "path:~/.aws/sso", R::Compensating),
        ("sts", _) if op != "help" => {}
        // What these fetch goes into the file that their last word names.
        ("s3api", "get-object" | "get-object-torrent")
        | ("lambda", "invoke")
        | ("polly", "synthesize-speech")
        | ("glacier", "get-job-output") => {
            if service == "lambda" {
                let name = words.text(&["--function-name"]).unwrap_or_default();
                out.add(C::Opaque, format!("aws:lambda:function:{name}"), R::Irreversible);
            }
            out_file(&words, &args, out);
        }
        ("s3api", op) => s3api(op, &words, out),
        ("eks", "update-kubeconfig") => out.add(C::Mutate, "path:~/.kube/config", R::Exact),
        (service, op) => operation(service, op, &words, out),
    }
}

/// The positional file of an operation: after the operation, or the word that an option did not take.
fn out_file(words: &Words<'_>, args: &[Word], out: &mut Reader<'_>) {
    let stray = words.options.last().filter(|(_, values)| values.len() > 1).and_then(|_| args.last());
    if let Some(file) = words.operands.get(2).copied().or(stray) {
        out.word(C::Overwrite, "path:", file, R::Exact);
    }
}

fn verb_of(op: &str) -> (&str, &str) {
    let op = op.strip_prefix("admin-").unwrap_or(op);
    for verb in ["batch-delete", "batch-get", "batch-write", "transact-write", "schedule"] {
        if let Some(rest) = op.strip_prefix(verb) {
            return (verb, rest.trim_start_matches('-'));
        }
    }
    op.split_once('-').unwrap_or((op, ""))
}

/// An operation by its verb.
fn operation(service: &str, op: &str, words: &Words<'_>, out: &mut Reader<'_>) {
    let (verb, noun) = verb_of(op);
    let computes = match service {
        "kms" => matches!(verb, "decrypt" | "encrypt" | "generate" | "re" | "sign" | "verify"),
        "iam" => verb == "generate",
        "logs" => matches!(op, "start-query" | "start-live-tail" | "stop-query"),
        _ => false,
    };
    if READ_VERBS.contains(&verb) || verb.is_empty() || computes {
        return;
    }
    let text = |names: &[&str]| words.text(names);
    let unprotects = words.has(&["--no-deletion-protection"])
        || text(&["--deletion-protection"]).as_deref() == Some("false");
    let unprotects = unprotects
        || words.has(&["--no-disable-api-termination", "--no-disable-api-stop"])
        || noun == "continuous-backups"
            && text(&["--point-in-time-recovery-specification"]).is_some_and(|t| t.ends_with("=false"));
    let backup = noun.contains("snapshot")
        || noun.contains("recovery-point")
        || noun.contains("backup")
        || noun == "trail"
        || noun.contains("flow-logs");
    let stops_log = service == "cloudtrail" && verb == "stop";
    let recover = |r: R| if service == "sqs" && verb == "purge" { R::Irreversible } else { r };
    let (class, back) = match verb {
        _ if unprotects => (C::Weaken, R::Exact),
        // Log events beyond the new time are removed.
        "put" if noun == "retention-policy" => (C::Weaken, R::Irreversible),
        "put" if noun == "parameter" && words.has(&["--overwrite"]) => (C::Overwrite, R::Exact),
        "set" | "update" if text(&["--desired-capacity"]).as_deref() == Some("0") => (C::Disrupt, R::Exact),
        _ if stops_log => (C::Weaken, R::Compensating),
        "delete" | "batch-delete" | "terminate" | "deregister" | "purge" | "remove" if backup => {
            (C::Weaken, R::Irreversible)
        }
        _ if service == "iam" && verb != "tag" && verb != "untag" => {
            (C::Access, if verb == "delete" { R::Compensating } else { R::Exact })
        }
        // What runs on the other side is not told by the words.
        "send" | "start" if service == "ssm" => (C::Opaque, R::Irreversible),
        "authorize" | "revoke" | "add-permission" => (C::Access, R::Exact),
        "delete" | "batch-delete" | "terminate" | "deregister" | "release" | "purge" | "destroy"
        | "schedule" => (C::Destroy, recover(R::Recreate)),
        "remove" if noun.starts_with("tags") => (C::Mutate, R::Exact),
        "remove" => (C::Access, R::Exact),
        "disable" if noun.contains("logging") => (C::Weaken, R::Exact),
        "stop" | "reboot" | "suspend" | "disable" | "cancel" | "pause" | "failover" | "detach"
        | "restart" => (C::Disrupt, R::Exact),
        // Tags that are there are given new values.
        "create" if noun == "tags" => (C::Mutate, R::Exact),
        "create" | "run" | "allocate" | "import" | "copy" | "register" | "request" | "add" | "upload"
        | "restore" => (C::Create, R::Compensating),
        "update" if noun == "function-code" => (C::Overwrite, R::Exact),
        "update" if text(&["--desired-count"]).as_deref() == Some("0") => (C::Disrupt, R::Exact),
        "put" | "update" | "modify" | "set" | "tag" | "untag" | "associate" | "disassociate" | "attach"
        | "enable" | "start" | "resume" | "change" | "reset" | "replace" | "rotate" | "batch-write"
        | "transact-write" | "deploy" | "assign" | "unassign" | "promote" | "apply" | "complete" => {
            (C::Mutate, R::Exact)
        }
        "publish" | "send" => (C::Publish, R::Irreversible),
        "invoke" => (C::Opaque, R::Irreversible),
        _ => (C::Opaque, R::Irreversible),
    };
    resources(service, verb, noun, words, out, class, back);
}

fn resources(
    service: &str,
    verb: &str,
    noun: &str,
    words: &Words<'_>,
    out: &mut Reader<'_>,
    class: C,
    back: R,
) {
    if verb == "run" {
        out.add(class, "dyn:new resources, their ids are in the output", back);
        return;
    }
    let known = TYPES.iter().find(|(s, n, _, _)| *s == service && *n == noun);
    let typed = known.map_or_else(|| singular(noun), |(_, _, t, _)| (*t).to_owned());
    let exact: Vec<&Word> = match known {
        Some((_, _, _, options)) => options.iter().find_map(|o| named(words, o)).unwrap_or_default(),
        None => guess(words, noun),
    };
    if exact.is_empty() {
        out.add(class, format!("dyn:aws {service} {verb}-{noun}"), back);
        return;
    }
    for id in exact {
        let text = id.text.lossy();
        if !id.certain {
            out.add(class, format!("dyn:{text}"), back);
            continue;
        }
        let name = if service == "sqs" { text.rsplit('/').next().unwrap_or_default() } else { &text };
        let cluster = words.text(&["--cluster"]).filter(|_| service == "ecs" && noun == "service");
        let name = cluster.map_or_else(|| name.to_owned(), |c| format!("{c}/{name}"));
        out.add(class, format!("aws:{service}:{typed}:{name}"), back);
    }
}

/// The values of an option or of its unique abbreviation.
fn named<'w>(words: &'w Words<'_>, option: &str) -> Option<Vec<&'w Word>> {
    let fits = |n: &str| {
        n == option || (n.len() > 4 && option.starts_with(n)) || n.strip_suffix('s') == Some(option)
    };
    let found: Vec<&Word> = words.options.iter().filter(|(n, _)| fits(n)).flat_map(|(_, v)| v).collect();
    (!found.is_empty()).then_some(found)
}

/// The option that most likely names the resource: one that carries the noun, else the first that looks like an id.
fn guess<'w>(words: &'w Words<'_>, noun: &str) -> Vec<&'w Word> {
    const ENDS: &[&str] = &["-id", "-ids", "-identifier", "-name", "-names", "-arn", "-arns", "-url"];
    let looks = |n: &str| {
        ENDS.iter().any(|e| n.ends_with(e)) || matches!(n, "--name" | "--id" | "--arn" | "--names" | "--ids")
    };
    let noun = singular(noun);
    let first = words.options.iter().find(|(n, _)| looks(n) && n.contains(&noun));
    let found = first.or_else(|| words.options.iter().find(|(n, _)| looks(n)));
    found.map(|(_, v)| v.iter().collect()).unwrap_or_default()
}

fn singular(noun: &str) -> String {
    noun.strip_suffix("ies")
        .map(|n| format!("{n}y"))
        .unwrap_or_else(|| noun.strip_suffix('s').unwrap_or(noun).to_owned())
}

fn s3(op: &str, words: &Words<'_>, out: &mut Reader<'_>) {
    let places = words.from(2).to_vec();
    let recursive = words.has(&["--recursive"]);
    let key = |w: &Word| w.text.lossy().trim_start_matches("s3://").to_owned();
    let is_s3 = |w: &Word| w.text.as_slice().starts_with(b"s3://");
    match op {
        "rb" => {
            if let Some(bucket) = places.first() {
                let name = key(bucket);
                out.add(C::Destroy, format!("aws:s3:bucket:{}", name.trim_end_matches('/')), R::Recreate);
                if words.has(&["--force"]) {
                    out.add(C::Destroy, "dyn:all objects of the bucket", R::Recreate);
                }
            }
        }
        "mb" => places
            .first()
            .into_iter()
            .for_each(|b| out.add(C::Create, format!("aws:s3:bucket:{}", key(b)), R::Exact)),
        "rm" => match places.first() {
            Some(place) if !recursive && place.certain => {
                out.add(C::Destroy, format!("aws:s3:object:{}", key(place)), R::Exact)
            }
            Some(place) => out.add(C::Destroy, format!("dyn:{}", place.text.lossy()), R::Exact),
            None => {}
        },
        "cp" | "mv" => {
            let [from, to, ..] = places.as_slice() else { return };
            if recursive {
                if op == "mv" {
                    out.add(C::Destroy, format!("dyn:{}", from.text.lossy()), R::Exact);
                }
                out.add(C::Overwrite, format!("dyn:{}", to.text.lossy()), R::Exact);
                return;
            }
            if op == "mv" && is_s3(from) {
                out.add(C::Destroy, format!("aws:s3:object:{}", key(from)), R::Exact);
            } else if op == "mv" {
                out.word(C::Destroy, "path:", from, R::Exact);
            }
            // `-` is standard output.
            if to.as_str() != Some("-") {
                put(out, from, to, is_s3(to));
            }
        }
        "sync" => {
            let class = if words.has(&["--delete"]) { C::Destroy } else { C::Overwrite };
            let to = places.get(1).map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            out.add(class, format!("dyn:what s3 sync --dryrun lists for {to}"), R::Exact);
        }
        "website" => places
            .first()
            .into_iter()
            .for_each(|b| out.add(C::Mutate, format!("aws:s3:bucket:{}", key(b)), R::Exact)),
        _ => {}
    }
}

/// What a copy of one object writes: a name is added where the target is a directory.
fn put(out: &mut Reader<'_>, from: &Word, to: &Word, remote: bool) {
    let base = from.text.lossy().rsplit('/').next().unwrap_or_default().to_owned();
    let target = to.text.lossy().into_owned();
    if !to.certain || target == "-" {
        return out.add(C::Overwrite, format!("dyn:{target}"), R::Exact);
    }
    if remote {
        let key = target.trim_start_matches("s3://");
        let bare = key.ends_with('/') || !key.contains('/');
        let key = if bare { format!("{}/{base}", key.trim_end_matches('/')) } else { key.to_owned() };
        out.add(C::Overwrite, format!("aws:s3:object:{key}"), R::Exact);
    } else if target == "." || target.ends_with('/') {
        out.add(C::Overwrite, format!("path:{}/{base}", target.trim_end_matches('/')), R::Exact);
    } else {
        out.add(C::Overwrite, format!("path:{target}"), R::Exact);
    }
}

fn s3api(op: &str, words: &Words<'_>, out: &mut Reader<'_>) {
    let (verb, noun) = verb_of(op);
    if READ_VERBS.contains(&verb) {
        return;
    }
    let bucket = words.text(&["--bucket"]).unwrap_or_default();
    let key = words.text(&["--key"]);
    let text = |names: &[&str]| words.text(names).unwrap_or_default();
    match (op, key) {
        ("delete-object", Some(key)) => match words.text(&["--version-id"]) {
            Some(version) => {
                out.add(C::Destroy, format!("aws:s3:object:{bucket}/{key}@{version}"), R::Recreate)
            }
            None => out.add(C::Destroy, format!("aws:s3:object:{bucket}/{key}"), R::Exact),
        },
        ("delete-objects", _) => out.add(C::Destroy, "dyn:objects named in --delete", R::Exact),
        ("delete-bucket", _) => out.add(C::Destroy, format!("aws:s3:bucket:{bucket}"), R::Recreate),
        ("put-object" | "copy-object", Some(key)) => {
            out.add(C::Overwrite, format!("aws:s3:object:{bucket}/{key}"), R::Exact)
        }
        ("create-bucket", _) => out.add(C::Create, format!("aws:s3:bucket:{bucket}"), R::Exact),
        ("put-bucket-versioning", _) => {
            let off = text(&["--versioning-configuration"]).contains("Suspended");
            out.add(
                if off { C::Weaken } else { C::Mutate },
                format!("aws:s3:bucket:{bucket}/versioning"),
                R::Exact,
            );
        }
        (
            "put-bucket-policy"
            | "delete-bucket-policy"
            | "put-bucket-acl"
            | "put-public-access-block"
            | "put-object-acl",
            _,
        ) => {
            out.add(
                C::Access,
                format!("aws:s3:bucket:{bucket}/{}", noun.trim_start_matches("bucket-")),
                R::Exact,
            );
        }
        ("delete-public-access-block", _) => {
            out.add(C::Access, format!("aws:s3:bucket:{bucket}/public-access-block"), R::Exact)
        }
        _ => {
            let part = noun.trim_start_matches("bucket-").trim_end_matches("-configuration");
            let weak = matches!(part, "lifecycle" | "replication" | "logging" | "encryption");
            out.add(
                if weak { C::Weaken } else { C::Mutate },
                format!("aws:s3:bucket:{bucket}/{part}"),
                if weak { R::Compensating } else { R::Exact },
            );
        }
    }
}
