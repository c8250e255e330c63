//! What an operation acts on: the type in the record, and the words that name it.

use crate::model::Word;
use crate::systems::aws::words::Words;

const TABLE: &str = include_str!("types.tsv");

/// The verb and the noun of an operation.
pub fn split(op: &str) -> (&str, &str) {
    let op = op.strip_prefix("admin-").unwrap_or(op);
    for verb in ["batch-delete", "batch-get", "batch-write", "transact-write", "schedule"] {
        if let Some(rest) = op.strip_prefix(verb) {
            return (verb, rest.trim_start_matches('-'));
        }
    }
    op.split_once('-').unwrap_or((op, ""))
}

/// The type of what an operation acts on, and the words that name it; none where the words do not.
pub fn named<'w>(service: &str, noun: &str, words: &'w Words<'_>) -> (String, Vec<&'w Word>) {
    match known(service, noun) {
        Some((typed, options)) => {
            let named = options.split(' ').find_map(|option| words.named(option));
            (typed.to_owned(), named.unwrap_or_default())
        }
        None => (singular(noun), guess(words, noun)),
    }
}

fn known(service: &str, noun: &str) -> Option<(&'static str, &'static str)> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        let (of, noun) = (columns.next()?, columns.next()?);
        (of == service).then_some((noun, columns.next()?, columns.next()?))
    });
    let mut any = None;
    for (of, typed, options) in rows {
        if of == noun {
            return Some((typed, options));
        }
        if of.is_empty() {
            any = Some((typed, options));
        }
    }
    any
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
