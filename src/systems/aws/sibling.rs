//! Operations that are not known by hand: the operation that reads the same thing is tried, by the words for verbs and
//! the same names. What it answers is kept; the way back is a person's.

use super::capture::Gathered;
use super::cli::{Call, Cli};
use super::params::Params;
use super::read::{self, ANY, Found};
use super::snapshot::Key;
use crate::error::Result;
use crate::systems::CaptureCx;

/// How the reading operation is called where the changing one's noun says more or less.
const ENDS: &[&str] = &["", "s", "es"];

/// What may be read of what an operation changes.
pub fn gather(cli: &Cli, params: &Params, operation: &str, cx: &CaptureCx<'_>) -> Result<Gathered> {
    let loose = params.naming();
    let candidates = if loose.is_empty() { Vec::new() } else { readers(&params.op) };
    let mut calls = vec![read::who()];
    calls.extend(
        candidates
            .iter()
            .map(|op| Call { loose: loose.clone(), ..Call::new(&params.service, op, serde_json::json!({})) }),
    );
    // Where each costs a process, only the likely ones are tried.
    calls.truncate(if cli.is_quick() { calls.len() } else { 4 });
    let answers = cli.ask_all(&calls)?;
    let account = read::account(answers.replies.first(), answers.region);
    let mut out = Gathered::new(account, operation);
    let mut refused = None;
    for (op, reply) in candidates.iter().zip(answers.replies.iter().skip(1)) {
        match reply {
            Ok(value) => {
                let key = Key {
                    kind: format!("{ANY}{} {op}", params.service),
                    ids: vec![serde_json::to_string(&loose).unwrap_or_default()],
                };
                out.add(&key, &Found::There(value.clone()), cx.sink)?;
                return Ok(out);
            }
            Err(refusal) if refusal.is_grammar() => {}
            Err(refusal) => refused = refused.or_else(|| Some(refusal.shown())),
        }
    }
    let why = refused.unwrap_or_else(|| "fr knows no operation that reads it".to_owned());
    out.miss(format!("what aws {operation} changes"), &why);
    Ok(out)
}

/// The operations that may read what this one changes, most likely first.
fn readers(op: &str) -> Vec<String> {
    let Some((_, noun)) = op.split_once('-') else { return Vec::new() };
    let noun = noun.strip_prefix("delete-").unwrap_or(noun);
    let mut out: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if !out.contains(&name) {
            out.push(name);
        }
    };
    for noun in [noun, noun.trim_end_matches("-attributes").trim_end_matches("-attribute")] {
        for end in ENDS {
            add(format!("describe-{noun}{end}"));
            if end.is_empty() {
                add(format!("get-{noun}"));
            }
        }
        if let Some(front) = noun.strip_suffix('y') {
            add(format!("describe-{front}ies"));
        }
        add(format!("get-{}", noun.trim_end_matches('s')));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::readers;

    #[test]
    fn verbs_become_those_that_read() {
        let has = |op: &str, reader: &str| readers(op).iter().any(|r| r == reader);
        assert!(has("delete-db-subnet-group", "describe-db-subnet-groups"));
        assert!(has("update-rest-api", "get-rest-api"));
        assert!(has("delete-proxy", "describe-proxy"));
        assert!(has("modify-load-balancer-attributes", "describe-load-balancer-attributes"));
        assert!(readers("purge").is_empty());
    }
}
