//! `fr install` and `fr uninstall` on real files: what people have there stays, what we put there works and goes again.

mod edited;
mod line;
mod refused;
mod round_trip;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::env::{Output, TestEnv, run};

/// An agent's user file, the event of a tool call, and the shell that it runs hooks with.
struct Agent {
    name: &'static str,
    file: &'static str,
    event: &'static str,
    shell: &'static [&'static str],
}

const fn agent(
    name: &'static str,
    file: &'static str,
    event: &'static str,
    shell: &'static [&'static str],
) -> Agent {
    Agent { name, file, event, shell }
}

/// As measured (agents.md 5); Cursor's shell is not known, so it gets the least likely one.
const AGENTS: [Agent; 6] = [
    agent("claude", ".claude/settings.json", "PreToolUse", &["/bin/sh", "-c"]),
    agent("codex", ".codex/hooks.json", "PreToolUse", &["/bin/bash", "-c"]),
    agent("copilot", ".copilot/hooks/fr.json", "preToolUse", &["/bin/bash", "--norc", "--noprofile", "-c"]),
    agent("gemini", ".gemini/settings.json", "BeforeTool", &["bash", "-c"]),
    agent("cursor", ".cursor/hooks.json", "preToolUse", &["fish", "-c"]),
    agent("windsurf", ".codeium/windsurf/hooks.json", "pre_run_command", &["bash", "-c"]),
];

/// Every file below a directory, with its mode and bytes.
fn tree(root: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let bytes = if meta.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            if meta.is_dir() {
                open.push(path.clone());
            }
            found.insert(path, (meta.permissions().mode(), bytes));
        }
    }
    found
}

fn put(env: &TestEnv, file: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = env.home.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn text(path: &Path) -> String {
    String::from_utf8(std::fs::read(path).unwrap()).unwrap()
}

/// The value of JSON with comments, by a parser's other half than the one that edits.
fn value(text: &str) -> Value {
    let options = jsonc_parser::ParseOptions::default();
    jsonc_parser::parse_to_serde_value::<Value>(text.trim_start_matches('\u{feff}'), &options).unwrap()
}

/// Every line that calls `fr hook`, wherever it stands.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::String(line) if line.contains(" hook ") => vec![line.clone()],
        Value::Array(all) => all.iter().flat_map(lines).collect(),
        Value::Object(all) => all.values().flat_map(lines).collect(),
        _ => Vec::new(),
    }
}

fn actions(out: &Output) -> Vec<String> {
    let changes = out.json()["changes"].as_array().unwrap().clone();
    changes.iter().map(|change| change["action"].as_str().unwrap().to_string()).collect()
}

/// Copies a program. Not by this process: another test's child would inherit the open file, and nobody may run it then.
pub fn copy_program(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let mut command = std::process::Command::new("cp");
    command.args(["-p", "--remove-destination"]).args([from, to]);
    run(command, b"").ok();
}
