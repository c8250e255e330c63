//! gcloud and gsutil: verbs by table, resources from the nouns before them, and how each is described.

use super::describe;
use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::AssessCx;
use crate::systems::words::{Reader, Takes, Words};

const GCLOUD: Takes<'static> = Takes::One(&[
    "--project",
    "--zone",
    "--region",
    "--format",
    "--filter",
    "--account",
    "--configuration",
    "--impersonate-service-account",
    "--location",
    "--keyring",
    "--limit",
    "--sort-by",
    "--member",
    "--role",
    "--dataset",
    "--instance",
    "--cluster",
    "--database",
    "--verbosity",
    "--keys",
    "--machine-type",
    "--image",
    "--size",
    "--source-ranges",
    "--allow",
    "--secret",
    "--data-file",
    "--destination",
    "--snapshot-names",
    "--num-nodes",
    "--bucket",
    "--service",
    "--version",
    "--file",
    "--key",
    "--labels",
    "--update-labels",
    "--tags",
    "--metadata",
    "--network",
    "--subnet",
    "--description",
    "--disk",
    "--boot-disk-size",
    "--boot-disk-type",
    "--scopes",
    "--service-account",
    "--rules",
    "--direction",
    "--priority",
    "--target-tags",
    "--update-env-vars",
    "--set-env-vars",
    "--memory",
    "--cpu",
    "--timeout",
    "--max-instances",
    "--min-instances",
    "--runtime",
    "--entry-point",
    "--ttl",
    "--rrdatas",
    "--type",
    "--source",
    "--organization",
    "--folder",
    "--billing-account",
    "--tier",
    "--activation-policy",
    "--network-tier",
    "--flags-file",
]);

/// Options that choose which thing is meant, and whose: a description takes them over.
const CHOOSE: &[&str] = &[
    "--project",
    "--zone",
    "--region",
    "--global",
    "--location",
    "--account",
    "--configuration",
    "--impersonate-service-account",
    "--keyring",
    "--key",
    "--secret",
    "--cluster",
    "--instance",
    "--database",
    "--dataset",
    "--service",
    "--type",
    "--organization",
    "--folder",
];

/// Verbs of gcloud and what they do.
const VERBS: &[(&str, C, R)] = &[
    ("delete", C::Destroy, R::Recreate),
    ("remove", C::Destroy, R::Recreate),
    ("destroy", C::Destroy, R::Compensating),
    ("rm", C::Destroy, R::Exact),
    ("stop", C::Disrupt, R::Exact),
    ("reset", C::Disrupt, R::Compensating),
    ("restart", C::Disrupt, R::Compensating),
    ("suspend", C::Disrupt, R::Exact),
    ("disable", C::Disrupt, R::Exact),
    ("failover", C::Disrupt, R::Compensating),
    ("create", C::Create, R::Exact),
    ("add-iam-policy-binding", C::Access, R::Exact),
    ("remove-iam-policy-binding", C::Access, R::Exact),
    ("set-iam-policy", C::Access, R::Exact),
    ("update", C::Mutate, R::Exact),
    ("set", C::Mutate, R::Exact),
    ("patch", C::Mutate, R::Exact),
    ("start", C::Mutate, R::Exact),
    ("resume", C::Mutate, R::Exact),
    ("enable", C::Mutate, R::Exact),
    ("resize", C::Mutate, R::Exact),
    ("undelete", C::Mutate, R::Exact),
    ("import", C::Overwrite, R::Exact),
    ("deploy", C::Overwrite, R::Recreate),
    ("add", C::Create, R::Exact),
    ("cp", C::Overwrite, R::Exact),
    ("mv", C::Overwrite, R::Exact),
    ("rsync", C::Overwrite, R::Exact),
];

const READS: &[&str] = &[
    "list",
    "describe",
    "get",
    "get-iam-policy",
    "info",
    "version",
    "print-access-token",
    "print-identity-token",
    "ls",
    "cat",
    "du",
    "read",
    "tail",
    "search",
    "help",
    "lookup",
    "get-value",
    "stat",
    "hash",
    "get-server-config",
    "export",
    "explain",
    "show",
    "head",
];

/// The same where no other verb follows: they are also groups (`gcloud secrets versions destroy`, `gcloud logging logs delete`).
const READS_ALONE: &[&str] = &["topic", "configurations", "access", "logs", "versions"];

/// `gcloud`, `gsutil`
pub fn read(program: &str, out: &mut Reader<'_>, cx: &AssessCx<'_>) {
    if program == "gsutil" {
        return gsutil(out);
    }
    let words = Words::split(out.inv.args(), GCLOUD);
    let nouns: Vec<&str> = words
        .operands
        .iter()
        .filter_map(|w| w.as_str())
        .filter(|w| !matches!(*w, "alpha" | "beta"))
        .collect();
    if nouns.first() == Some(&"config") {
        if nouns.get(1) == Some(&"set") || nouns.get(1) == Some(&"unset") {
            out.add(C::Mutate, "path:~/.config/gcloud", R::Exact);
        }
        return;
    }
    if nouns.first() == Some(&"auth") {
        if !matches!(
            nouns.get(1),
            Some(&("list" | "print-access-token" | "print-identity-token" | "describe"))
        ) {
            out.add(C::Access, "path:~/.config/gcloud", R::Compensating);
        }
        return;
    }
    if nouns.first() == Some(&"storage") && matches!(nouns.get(1), Some(&("rm" | "cp" | "mv" | "rsync"))) {
        return storage(nouns.get(1).copied().unwrap_or_default(), &words, 2, out);
    }
    let is_verb = |n: &&str| READS.contains(n) || VERBS.iter().any(|(v, ..)| v == n) || n.starts_with("set-");
    let at = nouns.iter().position(is_verb).or_else(|| nouns.iter().position(|n| READS_ALONE.contains(n)));
    let Some(at) = at.filter(|at| *at > 0) else {
        if nouns.len() > 1 {
            out.opaque(&format!("gcloud {}", nouns.join(" ")));
        }
        return;
    };
    let verb = nouns.get(at).copied().unwrap_or_default();
    if READS.contains(&verb) || READS_ALONE.contains(&verb) {
        return;
    }
    let (_, class, back) =
        VERBS.iter().find(|(v, ..)| *v == verb).copied().unwrap_or(("", C::Mutate, R::Exact));
    let group = nouns.get(..at).unwrap_or_default();
    let (class, back) = match group {
        ["iam", "service-accounts", ..] if class == C::Destroy => (C::Access, R::Compensating),
        ["iam", ..] => (C::Access, R::Exact),
        [.., "firewall-rules"] => (C::Access, R::Exact),
        [.., "snapshots" | "backups"] if class == C::Destroy => (C::Weaken, R::Irreversible),
        [.., "versions"] if verb == "destroy" => (C::Destroy, R::Compensating),
        ["projects"] if class == C::Destroy => (C::Destroy, R::Compensating),
        _ => (class, back),
    };
    let skip = words.operands.iter().position(|w| w.as_str() == Some(verb)).map_or(0, |i| i + 1);
    let prefix = match group {
        ["iam", "service-accounts"] => "gcp:iam:sa:".to_owned(),
        ["secrets"] => "gcp:secret:".to_owned(),
        ["container", "clusters"] => "gcp:gke:cluster:".to_owned(),
        [one] => format!("gcp:{}:", one.trim_end_matches('s')),
        [first, .., last] => format!("gcp:{first}:{}:", last.trim_end_matches('s')),
        [] => "gcp:".to_owned(),
    };
    let names = words.from(skip);
    if names.is_empty() {
        out.add(class, format!("dyn:gcloud {}", nouns.join(" ")), back);
    }
    for name in names {
        let text = name.text.lossy();
        let short = text.split_once(".iam.gserviceaccount").map_or(text.as_ref(), |(s, _)| s).to_owned();
        out.word(class, &prefix, &Word { text: short.as_str().into(), ..(*name).clone() }, back);
        if let (true, Some(effect)) = (class != C::Create, out.effects.last_mut()) {
            let named =
                described(verb, &words, skip, name).map(|argv| describe::named(&group.join(" "), &argv));
            effect.locator = named.map(|named| describe::place(&named, out.inv, cx));
        }
    }
}

/// The words that describe what a verb changes. `None` where a word is not known before it runs.
fn described(verb: &str, words: &Words<'_>, skip: usize, name: &Word) -> Option<Vec<String>> {
    if words.has(&["--flags-file"]) {
        return None;
    }
    let group = words.operands.get(..skip.saturating_sub(1))?;
    let reads = if verb.ends_with("iam-policy") || verb.ends_with("iam-policy-binding") {
        "get-iam-policy"
    } else {
        "describe"
    };
    let mut argv = vec!["gcloud".to_owned()];
    argv.extend(describe::certain(group)?);
    argv.extend([reads.to_owned(), name.as_str()?.to_owned()]);
    argv.extend(describe::kept(words, CHOOSE)?);
    argv.push("--format=json".to_owned());
    Some(argv)
}

fn gsutil(out: &mut Reader<'_>) {
    let args: Vec<Word> = out.inv.args().to_vec();
    let at = args.iter().position(|w| !w.text.as_slice().starts_with(b"-")).unwrap_or(args.len());
    let verb = args.get(at).and_then(Word::as_str).unwrap_or_default().to_owned();
    let words = Words::split(
        args.get(at + 1..).unwrap_or_default(),
        Takes::One(&["-x", "-o", "-h", "-a", "-l", "-p"]),
    );
    match verb.as_str() {
        "rm" | "cp" | "mv" | "rsync" => storage(&verb, &words, 0, out),
        "rb" => out.each(C::Destroy, "gcp:storage:bucket:", words.from(0), R::Recreate),
        "mb" => out.each(C::Create, "gcp:storage:bucket:", words.from(0), R::Exact),
        "versioning" if words.operand(0) == "set" => {
            let class = if words.operand(1) == "off" { C::Weaken } else { C::Mutate };
            out.each(class, "gcp:storage:bucket:", words.from(2), R::Exact);
        }
        "iam" | "acl" | "defacl" if !matches!(words.operand(0), "get") => {
            out.add(C::Access, "dyn:bucket policy", R::Exact)
        }
        "lifecycle" | "retention" if !matches!(words.operand(0), "get") => {
            out.add(C::Weaken, "dyn:bucket lifecycle", R::Compensating)
        }
        "setmeta" | "rewrite" | "label" => out.add(C::Mutate, "dyn:object metadata", R::Exact),
        "ls" | "cat" | "du" | "stat" | "hash" | "help" | "version" | "versioning" | "iam" | "acl"
        | "defacl" | "lifecycle" | "retention" | "test" | "perfdiag" | "" => {}
        other => out.opaque(&format!("gsutil {other}")),
    }
}

fn storage(verb: &str, words: &Words<'_>, from: usize, out: &mut Reader<'_>) {
    if words.has(&["-n", "--dry-run"]) && verb == "rsync" || words.has(&["--dry-run"]) {
        return;
    }
    let places = words.from(from);
    let deletes = words.has(&["-d", "--delete-unmatched-destination-objects"]);
    match verb {
        "rm" => {
            for place in places {
                let text = place.text.lossy();
                let single = place.certain && !text.contains('*') && !words.has(&["-r", "-R", "--recursive"]);
                let name = text.trim_start_matches("gs://");
                out.add(
                    C::Destroy,
                    if single { format!("gcp:storage:object:{name}") } else { format!("dyn:{text}") },
                    R::Exact,
                );
            }
        }
        _ => {
            let class = if verb == "rsync" && deletes { C::Destroy } else { C::Overwrite };
            let to = places.last().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            let many = verb == "rsync" || words.has(&["-r", "-R", "--recursive"]) || to.ends_with('/');
            match (many, to.strip_prefix("gs://")) {
                (true, _) => out.add(class, format!("dyn:{to}"), R::Exact),
                (false, Some(name)) => out.add(class, format!("gcp:storage:object:{name}"), R::Exact),
                (false, None) => out.add(class, format!("path:{to}"), R::Exact),
            }
        }
    }
}
