//! Codex's trust gate. It runs no hook whose hash the user has not accepted in its `/hooks` review, and `codex exec`
//! says nothing about it (agents.md 5, measured). The hash is of what the hook is, not of the file's text: SHA-256 of
//! compact, key-sorted JSON (codex-rs hooks/src/engine/discovery.rs, `command_hook_hash`).
//!
//! The gate is a person's consent. So `fr doctor` reads it, and `fr install` writes it only when told so by name.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use toml_edit::{DocumentMut, Item, Table};

use super::json;
use crate::error::{Error, Result};

/// What Codex asks when the file names no time-out.
const DEFAULT_TIMEOUT: u64 = 600;

/// Events whose matcher counts; of the others it is dropped before hashing.
const WITH_MATCHER: [&str; 6] =
    ["PreToolUse", "PostToolUse", "PermissionRequest", "SessionStart", "SubagentStart", "SubagentStop"];

/// One hook's entry in `config.toml`: the name of its table below `hooks.state`, and the hash that means "trusted".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// `PATH:EVENT:GROUP:HANDLER`.
    pub key: String,
    /// `sha256:` and 64 hex digits.
    pub hash: String,
}

/// What Codex makes of our hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs them all.
    Trusted,
    /// It runs none, or not all: nobody has accepted them.
    Untrusted,
    /// They were changed since somebody accepted them; it does not run them.
    Modified,
    /// Somebody switched them off.
    Disabled,
}

/// The entries that make Codex run our hooks in the text of `hooks.json`, which Codex finds at `path`.
pub fn wanted(path: &Path, hooks: &str) -> Vec<Trust> {
    let of = |(event, group, handler, element): (String, usize, usize, Value)| Trust {
        key: format!("{}:{}:{group}:{handler}", path.display(), snake(&event)),
        hash: hash(&event, &element, handler),
    };
    json::positions(hooks).into_iter().map(of).collect()
}

/// Where Codex looks for its user settings; it resolves links in `CODEX_HOME`, and in nothing else.
pub fn home(dir: PathBuf, from_variable: bool) -> PathBuf {
    if from_variable { dir.canonicalize().unwrap_or(dir) } else { dir }
}

/// `config.toml` with these entries.
pub fn insert(config: &str, trust: &[Trust]) -> Result<String> {
    let mut document = parse(config)?;
    let hooks = table(document.as_table_mut(), "hooks")?;
    let state = table(hooks, "state")?;
    for Trust { key, hash } in trust {
        let entry = state.entry(key).or_insert_with(|| Item::Table(Table::new()));
        let entry = entry.as_table_like_mut().ok_or_else(|| not_a_table(key))?;
        if entry.get("trusted_hash").and_then(Item::as_str) != Some(hash) {
            entry.insert("trusted_hash", toml_edit::value(hash.as_str()));
        }
    }
    Ok(document.to_string())
}

/// `config.toml` without the entries that `fr` added: those in `written` that are not in `before`, where they still
/// say the same.
pub fn remove(config: &str, before: &str, written: &str) -> Result<String> {
    let mut document = parse(config)?;
    let (before, written) = (entries(before), entries(written));
    let ours = |key: &str, hash: Option<&str>| {
        let has = |all: &[Trust]| all.iter().any(|t| t.key == key && Some(t.hash.as_str()) == hash);
        has(&written) && !has(&before)
    };
    let Some(hooks) = document.get_mut("hooks").and_then(Item::as_table_like_mut) else {
        return Ok(config.to_string());
    };
    let Some(state) = hooks.get_mut("state").and_then(Item::as_table_like_mut) else {
        return Ok(config.to_string());
    };
    let keys: Vec<String> = state
        .iter()
        .filter(|(key, item)| ours(key, item.get("trusted_hash").and_then(Item::as_str)))
        .map(|(key, _)| key.to_string())
        .collect();
    for key in &keys {
        // What else somebody wrote beside the hash (`enabled`) is theirs.
        let entry = state.get_mut(key).and_then(Item::as_table_like_mut);
        if let Some(entry) = entry.filter(|entry| entry.len() > 1) {
            entry.remove("trusted_hash");
        } else {
            state.remove(key);
        }
    }
    if state.is_empty() {
        hooks.remove("state");
        if hooks.is_empty() {
            document.remove("hooks");
        }
    }
    Ok(document.to_string())
}

/// How Codex judges our hooks in `hooks`, by what `config` says.
pub fn judge(path: &Path, hooks: &str, config: &str) -> Verdict {
    let Ok(document) = parse(config) else { return Verdict::Untrusted };
    let off = |pointer: &[&str]| {
        let mut item = Some(document.as_item());
        for name in pointer {
            item = item.and_then(|item| item.get(name));
        }
        item.and_then(Item::as_bool) == Some(false)
    };
    if off(&["features", "hooks"]) || off(&["features", "codex_hooks"]) {
        return Verdict::Disabled;
    }
    let mut worst = Verdict::Trusted;
    for Trust { key, hash } in wanted(path, hooks) {
        if off(&["hooks", "state", &key, "enabled"]) {
            return Verdict::Disabled;
        }
        match entries(config).iter().find(|t| t.key == key) {
            Some(entry) if entry.hash == hash => {}
            Some(_) => return Verdict::Modified,
            None => worst = Verdict::Untrusted,
        }
    }
    worst
}

/// True where `config.toml` itself registers hooks: Codex warns of two places at every start.
pub fn has_hooks(config: &str) -> bool {
    let hooks = parse(config).ok().and_then(|document| document.get("hooks").cloned());
    hooks.as_ref().and_then(Item::as_table_like).is_some_and(|t| t.iter().any(|(name, _)| name != "state"))
}

/// The entries with a hash in the text of `config.toml`.
fn entries(config: &str) -> Vec<Trust> {
    let document = parse(config).unwrap_or_default();
    let state = document.get("hooks").and_then(|hooks| hooks.get("state")).and_then(Item::as_table_like);
    let entry = |(key, item): (&str, &Item)| {
        let hash = item.get("trusted_hash").and_then(Item::as_str)?;
        Some(Trust { key: key.to_string(), hash: hash.to_string() })
    };
    state.into_iter().flat_map(|state| state.iter()).filter_map(entry).collect()
}

fn parse(config: &str) -> Result<DocumentMut> {
    config.parse().map_err(|e: toml_edit::TomlError| {
        let what = e.to_string();
        let first = what.lines().next().unwrap_or("no reason given");
        Error::failure(format!("it is not TOML: {first}")).hint("mend the file, then run this again")
    })
}

/// The table of that name; a new one shows only what is in it.
fn table<'a>(
    parent: &'a mut dyn toml_edit::TableLike,
    name: &str,
) -> Result<&'a mut dyn toml_edit::TableLike> {
    let new = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    parent.entry(name).or_insert_with(new).as_table_like_mut().ok_or_else(|| not_a_table(name))
}

fn not_a_table(name: &str) -> Error {
    Error::failure(format!("{name:?} in it is not a table"))
}

/// `PreToolUse` as `pre_tool_use`.
fn snake(event: &str) -> String {
    let mut out = String::new();
    for c in event.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The hash of one handler of a group.
fn hash(event: &str, group: &Value, handler: usize) -> String {
    let handler = group.get("hooks").and_then(|hooks| hooks.get(handler)).cloned().unwrap_or(Value::Null);
    let field = |name: &str| handler.get(name).cloned();
    let timeout = field("timeout").and_then(|t| t.as_u64()).unwrap_or(DEFAULT_TIMEOUT).max(1);
    // Codex gives SessionEnd 3 seconds at the most, and hashes what it gives (agents.md 5).
    let timeout = if event == "SessionEnd" { timeout.min(3) } else { timeout };
    let mut normal = json!({
        "async": field("async").unwrap_or(Value::Bool(false)),
        "command": field("command").unwrap_or_default(),
        "timeout": timeout,
        "type": "command",
    });
    if let (Some(normal), Some(status)) = (normal.as_object_mut(), field("statusMessage")) {
        normal.insert("statusMessage".to_string(), status);
    }
    let mut identity = json!({"event_name": snake(event), "hooks": [normal]});
    let matcher = group.get("matcher").filter(|_| WITH_MATCHER.contains(&event));
    if let (Some(identity), Some(matcher)) = (identity.as_object_mut(), matcher) {
        identity.insert("matcher".to_string(), matcher.clone());
    }
    let digest = Sha256::digest(sorted(&identity).as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Compact JSON with sorted names, whatever order a map of serde_json has in this build.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(all) => {
            let mut names: Vec<&String> = all.keys().collect();
            names.sort();
            let part = |name: &String| {
                let value = all.get(name).map(sorted).unwrap_or_default();
                format!("{}:{value}", Value::String(name.clone()))
            };
            format!("{{{}}}", names.into_iter().map(part).collect::<Vec<_>>().join(","))
        }
        Value::Array(all) => format!("[{}]", all.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by the algorithm of the fixture that drove the real Codex (agents.md 5: hooks trusted so did run).
    #[test]
    fn the_hash_is_codexs() {
        let group = json!({"matcher": "*", "hooks": [{"type": "command", "command": "FR_BIN='/usr/bin/é'; x", "timeout": 60}]});
        assert_eq!(
            hash("PreToolUse", &group, 0),
            "sha256:ead380d15dcbf516a880b4f518445d1d8fcda601bb08577fb008443cda18cc0b"
        );
        // A matcher does not count for an event that has none, and SessionEnd is given 3 seconds.
        assert_eq!(
            hash("SessionEnd", &group, 0),
            "sha256:5ea1bebaca1674378200421cc77f82314340e0617c5891ac990be8c66f1b09cb"
        );
    }

    #[test]
    fn trust_is_added_beside_what_is_there_and_taken_out_again() {
        let before =
            "# mine\nmodel = \"m\"  # x\n\n[hooks.state.\"/other:stop:0:0\"]\ntrusted_hash = \"sha256:1\"\n";
        let trust = [Trust { key: "/h/hooks.json:pre_tool_use:0:0".into(), hash: "sha256:2".into() }];
        let with = insert(before, &trust).unwrap();
        assert_eq!(insert(&with, &trust).unwrap(), with);
        assert!(with.starts_with(before), "{with}");
        assert_eq!(remove(&with, before, &with).unwrap(), before);
        let edited = with.replace("\"m\"", "\"n\"");
        assert_eq!(remove(&edited, before, &with).unwrap(), before.replace("\"m\"", "\"n\""));
        assert!(insert("hooks = 1", &trust).is_err() && insert("x =", &trust).is_err());
    }
}
