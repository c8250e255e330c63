//! az: verbs by table, resources from the nouns before them, and how each is shown.

use super::describe;
use crate::model::{EffectClass as C, Reversibility as R};
use crate::systems::AssessCx;
use crate::systems::words::{Reader, Takes, Words};

/// Verbs of az and what they do.
const AZ: &[(&str, C, R)] = &[
    ("delete", C::Destroy, R::Recreate),
    ("delete-batch", C::Destroy, R::Exact),
    ("purge", C::Destroy, R::Irreversible),
    ("remove", C::Destroy, R::Recreate),
    ("stop", C::Disrupt, R::Exact),
    ("deallocate", C::Disrupt, R::Exact),
    ("restart", C::Disrupt, R::Compensating),
    ("disable", C::Disrupt, R::Exact),
    ("create", C::Create, R::Exact),
    ("update", C::Mutate, R::Exact),
    ("set", C::Mutate, R::Exact),
    ("start", C::Mutate, R::Exact),
    ("add", C::Mutate, R::Exact),
    ("recover", C::Mutate, R::Exact),
    ("upload", C::Overwrite, R::Exact),
    ("upload-batch", C::Overwrite, R::Exact),
    ("login", C::Access, R::Compensating),
    ("logout", C::Access, R::Compensating),
];

const AZ_READS: &[&str] = &[
    "list",
    "show",
    "what-if",
    "validate",
    "exists",
    "get",
    "download",
    "version",
    "find",
    "wait",
    "query",
    "export",
    "get-credentials",
    "list-keys",
    "tail",
];

/// Options that choose which thing is meant, and whose: `az … show` takes them over.
const CHOOSE: &[&str] = &[
    "-n",
    "--name",
    "-g",
    "--resource-group",
    "--ids",
    "--subscription",
    "--account-name",
    "--vault-name",
    "--server",
    "-s",
    "--container-name",
    "-c",
    "--scope",
];

/// `az`
pub fn read(out: &mut Reader<'_>, cx: &AssessCx<'_>) {
    let takes = Takes::One(&[
        "-n",
        "--name",
        "-g",
        "--resource-group",
        "-s",
        "--source",
        "--account-name",
        "--ids",
        "-f",
        "--template-file",
        "--mode",
        "--subscription",
        "-o",
        "--output",
        "--query",
        "--vault-name",
        "--server",
        "--container-name",
        "-c",
        "-l",
        "--location",
        "-d",
        "--pattern",
        "--scope",
        "--assignee",
        "--role",
    ]);
    let words = Words::split(out.inv.args(), takes);
    let nouns: Vec<&str> = words.operands.iter().filter_map(|w| w.as_str()).collect();
    let Some((verb, group)) = nouns.split_last() else { return };
    let verb_at = nouns.iter().position(|n| AZ.iter().any(|(v, ..)| v == n) || AZ_READS.contains(n));
    let (verb, group) = verb_at.map_or((*verb, group), |at| {
        (nouns.get(at).copied().unwrap_or(verb), nouns.get(..at).unwrap_or(group))
    });
    if AZ_READS.contains(&verb)
        || verb.starts_with("list-")
        || verb.starts_with("show-")
        || words.has(&["--dryrun", "--what-if", "-h"])
    {
        return;
    }
    let Some((_, class, back)) = AZ.iter().find(|(v, ..)| *v == verb) else {
        out.opaque(&format!("az {}", nouns.join(" ")));
        return;
    };
    let (mut class, mut back) = (*class, *back);
    let complete = words.text(&["--mode"]).as_deref() == Some("Complete");
    match group {
        ["lock", ..] if class == C::Destroy => (class, back) = (C::Weaken, R::Exact),
        ["keyvault", ..] if verb == "delete" => back = R::Compensating,
        ["role", ..] | ["ad", ..] => class = C::Access,
        ["group"] if verb == "delete" => back = R::Irreversible,
        ["backup", ..] | [.., "snapshot"] if class == C::Destroy => {
            (class, back) = (C::Weaken, R::Compensating)
        }
        ["backup", ..] if verb == "disable" && words.has(&["--delete-backup-data"]) => {
            (class, back) = (C::Weaken, R::Compensating)
        }
        ["deployment", ..] if complete => (class, back) = (C::Destroy, R::Recreate),
        ["deployment", ..] => class = C::Mutate,
        _ => {}
    }
    if verb.ends_with("-batch") || group.first() == Some(&"deployment") {
        let source = words.text(&["-s", "--source", "-d"]).unwrap_or_default();
        out.add(class, format!("dyn:az {} {source}", group.join(" ")), back);
        return;
    }
    let name = words.text(&["-n", "--name", "--ids"]);
    let Some(name) = name else {
        out.add(class, format!("dyn:az {}", nouns.join(" ")), back);
        return;
    };
    let shown = shown(group, &words).filter(|_| class != C::Create);
    let outer = words.text(&["-g", "--resource-group"]).filter(|_| group.first() == Some(&"lock"));
    let name = outer.map_or(name.clone(), |g| format!("{g}/{name}"));
    out.add(class, format!("az:{}:{name}", group.join(":")), back);
    if let Some(effect) = out.effects.last_mut() {
        let named = shown.map(|argv| describe::named(&group.join(" "), &argv));
        effect.locator = named.map(|named| describe::place(&named, out.inv, cx));
    }
}

/// The words that show what a verb changes. `None` where a word is not known before it runs.
fn shown(group: &[&str], words: &Words<'_>) -> Option<Vec<String>> {
    let mut argv = vec!["az".to_owned()];
    argv.extend(group.iter().map(|word| (*word).to_owned()));
    argv.push("show".to_owned());
    argv.extend(describe::kept(words, CHOOSE)?);
    argv.extend(["-o", "json"].map(str::to_owned));
    Some(argv)
}
