//! `fr install` and `fr uninstall` on real files: what people have there stays, what we put there works and goes again.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::env::{Output, SESSION, TestEnv, run};
use crate::pty::Pty;

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

/// What people may have in such a file.
fn shapes(agent: &Agent) -> Vec<(&'static str, Option<String>)> {
    let other = json!({"matcher": "Bash", "hooks": [{"type": "command", "command": "echo other"}]});
    let hooks = json!({"zeta": 1, "hooks": {agent.event: [other, other]}, "alpha": {"b": [1, 2.50, "\u{e9}\\u0041"]}});
    let pretty = serde_json::to_string_pretty(&hooks).unwrap();
    let mut shapes = vec![
        ("nothing", None),
        ("empty", Some(String::new())),
        ("blank", Some(" \n\n".to_string())),
        ("braces", Some("{}".to_string())),
        ("empty hooks", Some(format!("{{\"hooks\": {{\"{}\": []}}}}\n", agent.event))),
        ("one line", Some("{\"b\":1,\"a\":[ ]}".to_string())),
        ("pretty", Some(format!("{pretty}\n"))),
        ("no last newline", Some(pretty.clone())),
        ("tabs", Some(pretty.replace("  ", "\t"))),
        ("crlf", Some(pretty.replace('\n', "\r\n"))),
        ("version", Some("{\n    \"version\": 1\n}\n".to_string())),
    ];
    if agent.name != "codex" {
        shapes.push(("byte order mark", Some(format!("\u{feff}{pretty}"))));
        let odd = format!(
            "// top\n{{\n  /* a */ \"a\" :1 , // one\n  \"hooks\": {{ // mine\n    \"{}\": [\n      // two\n      \
             {{ \"command\": \"x\" }}, // three\n    ],\n  }},\n  // last\n}}\n// end",
            agent.event
        );
        shapes.push(("comments and trailing commas", Some(odd)));
    }
    shapes
}

#[test]
fn every_agents_file_comes_back_to_the_byte() {
    for agent in &AGENTS {
        for (shape, before) in shapes(agent) {
            let env = TestEnv::new();
            if let Some(before) = &before {
                put(&env, agent.file, before);
            }
            let told = format!("{} {shape}", agent.name);
            let was = tree(&env.home);
            let install = ["install", "--agent", agent.name, "--yes", "--json"];
            assert_eq!(actions(&env.fr(&install).ok()).len(), 1, "{told}");
            let installed = text(&env.home.join(agent.file));
            let now = value(&installed);
            assert!(lines(&now).len() >= 5, "{told}: {installed}");
            if let Some(old) = before.as_deref().filter(|old| !old.trim().is_empty()) {
                assert_eq!(installed.contains("\r\n"), old.contains("\r\n"), "{told}");
                assert!(!installed.replace("\r\n", "").contains('\r'), "{told}");
                let mut left = now.clone();
                strip(&mut left, agent.event, &value(old));
                assert_eq!(left, value(old), "{told}: nothing else changed: {installed}");
            }
            assert_eq!(actions(&env.fr(&install).ok()), ["nothing"], "{told}");
            assert_eq!(text(&env.home.join(agent.file)), installed, "{told}");
            env.fr(&["uninstall", "--json"]).ok();
            assert_eq!(tree(&env.home), was, "{told}");
            assert!(!env.fr_home.join("install").exists(), "{told}");
        }
    }
}

/// Takes what we add out of a value, by rules of this test's own.
fn strip(now: &mut Value, event: &str, old: &Value) {
    let hooks = now["hooks"].as_object_mut().unwrap();
    hooks.retain(|name, _| name == event);
    hooks[event].as_array_mut().unwrap().retain(|element| lines(element).is_empty());
    if old.pointer(&format!("/hooks/{event}")).is_none() {
        now.as_object_mut().unwrap().remove("hooks");
    }
    if old.get("version").is_none() {
        now.as_object_mut().unwrap().remove("version");
    }
}

#[test]
fn every_shells_file_comes_back_to_the_byte() {
    let files = [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", ".config/fish/config.fish")];
    for (shell, file) in files {
        for before in
            [None, Some(""), Some("alias x=y"), Some("alias x=y\n"), Some("a\r\nb\r\n"), Some("\n\n")]
        {
            let env = TestEnv::new();
            if let Some(before) = before {
                put(&env, file, before);
            }
            let was = tree(&env.home);
            let install = ["install", "--shell", shell, "--yes", "--json"];
            env.fr(&install).ok();
            assert!(text(&env.home.join(file)).starts_with(before.unwrap_or_default()), "{shell} {before:?}");
            assert_eq!(actions(&env.fr(&install).ok()), ["nothing"]);
            env.fr(&["uninstall", "--shell", shell]).ok();
            assert_eq!(tree(&env.home), was, "{shell} {before:?}");
        }
    }
}

#[test]
fn a_plugin_is_a_file_that_goes_with_its_directories() {
    let env = TestEnv::new();
    put(&env, ".config/other/keep", "x");
    let was = tree(&env.home);
    env.fr(&["install", "--agent", "opencode", "--shell", "fish", "--yes"]).ok();
    assert!(
        text(&env.home.join(".config/opencode/plugin/fr.js")).contains(TestEnv::binary().to_str().unwrap())
    );
    // One after the other: the directory that both are in goes with the last.
    env.fr(&["uninstall", "--agent", "opencode"]).ok();
    env.fr(&["uninstall", "--shell", "fish"]).ok();
    assert_eq!(tree(&env.home), was);
    // Somebody's own file of that name is not ours to replace.
    put(&env, ".config/opencode/plugin/fr.js", "export const Mine = 1\n");
    let out = env.fr(&["install", "--agent", "opencode", "--yes"]);
    assert_eq!(out.code, 3);
    assert!(out.stdout.contains("did not write"), "{out:?}");
    env.fr(&["uninstall"]).ok();
    assert_eq!(text(&env.home.join(".config/opencode/plugin/fr.js")), "export const Mine = 1\n");
}

#[test]
fn all_at_once_and_all_gone_again() {
    let env = TestEnv::new();
    for agent in &AGENTS {
        std::fs::create_dir_all(env.home.join(agent.file).parent().unwrap()).unwrap();
    }
    std::fs::create_dir_all(env.home.join(".config/opencode")).unwrap();
    std::fs::create_dir_all(env.home.join(".vscode")).unwrap();
    let was = tree(&env.home);
    let out = env.fr(&["install", "--yes", "--json"]).ok();
    assert_eq!(actions(&out), ["create"; 7], "Copilot CLI and VS Code share a file");
    assert!(out.json()["changes"].as_array().unwrap().iter().all(|change| change["done"] == true));
    env.fr(&["uninstall"]).ok();
    assert_eq!(tree(&env.home), was);
}

#[test]
fn a_dry_run_shows_a_diff_and_writes_nothing() {
    let env = TestEnv::new();
    put(&env, ".claude/settings.json", "{\n  \"model\": \"x\"\n}\n");
    let was = tree(env.root());
    let out = env.fr(&["install", "--dry-run"]).ok();
    assert!(out.stdout.contains("+  \"hooks\": {") && out.stdout.contains("settings.json"), "{out:?}");
    assert!(out.stderr.contains("nothing was written"), "{out:?}");
    assert_eq!(tree(env.root()), was);
    // Without a terminal there is nobody to ask.
    assert_eq!(env.fr(&["install"]).code, 2);
    assert_eq!(tree(env.root()), was);
    env.fr(&["install", "--yes"]).ok();
    let installed = tree(env.root());
    assert!(env.fr(&["uninstall", "--dry-run"]).ok().stdout.contains("-  \"hooks\": {"));
    assert_eq!(tree(env.root()), installed);
}

#[test]
fn nothing_is_written_without_a_yes_or_over_a_newer_file() {
    let env = TestEnv::new();
    let path = put(&env, ".claude/settings.json", "{}\n");
    let ask = |answer: &str, meanwhile: &dyn Fn()| {
        let mut command = env.command(TestEnv::binary());
        command.arg("install");
        let mut pty = Pty::start(&command);
        pty.expect("[y/N]");
        meanwhile();
        pty.send(&format!("{answer}\n"));
        (pty.end(), pty.screen())
    };
    assert_eq!(ask("", &|| {}).0, 1);
    assert_eq!(text(&path), "{}\n");
    // Claude writes its own settings while the person reads the diff.
    let (code, screen) = ask("y", &|| std::fs::write(&path, "{\"model\": \"y\"}\n").unwrap());
    assert_eq!(code, 3, "{screen}");
    assert!(screen.contains("changed in the meantime"), "{screen}");
    assert_eq!(text(&path), "{\"model\": \"y\"}\n");
    assert_eq!(ask("y", &|| {}).0, 0);
    assert!(text(&path).contains("hook claude"));
}

#[test]
fn what_somebody_edited_since_stays_and_only_ours_goes() {
    let before = "{\n    // mine\n    \"model\": \"a\",\n    \"hooks\": {\n        \"Stop\": [ { \"hooks\": [] } ]\n    },\n    \"z\": 1\n}\n";
    type Edit = fn(&str) -> String;
    let edits: [(&str, Edit, Option<Edit>); 5] = [
        ("another value", |t| t.replace("\"a\"", "\"b\""), Some(|t| t.replace("\"a\"", "\"b\""))),
        (
            "a line behind",
            |t| t.replace("\"z\": 1\n", "\"z\": 1,\n    \"y\": 2\n"),
            Some(|t| t.replace("\"z\": 1\n", "\"z\": 1,\n    \"y\": 2\n")),
        ),
        (
            "a hook beside ours",
            |t| {
                t.replacen("\"PreToolUse\": [", "\"PreToolUse\": [\n {\"matcher\": \"X\", \"hooks\": [{\"type\": \"command\", \"command\": \"x\"}]},", 1)
            },
            None,
        ),
        (
            "a handler in our group",
            |t| {
                t.replacen(
                    "\"hooks\": [\n                    {",
                    "\"hooks\": [\n {\"type\": \"command\", \"command\": \"x\"},\n                    {",
                    1,
                )
            },
            None,
        ),
        ("all on one line", |t| value(t).to_string(), None),
    ];
    for (told, edit, expected) in edits {
        let env = TestEnv::new();
        let path = put(&env, ".claude/settings.json", before);
        env.fr(&["install", "--agent", "claude", "--yes"]).ok();
        let installed = text(&path);
        let edited = edit(&installed);
        assert_ne!(edited, installed, "{told}");
        std::fs::write(&path, &edited).unwrap();
        env.fr(&["uninstall"]).ok();
        let left = text(&path);
        assert!(!left.contains("FR_BIN"), "{told}: {left}");
        match expected {
            Some(expected) => assert_eq!(left, expected(before), "{told}"),
            None => {
                assert_eq!(value(&left)["model"], "a", "{told}");
                assert_eq!(value(&left)["hooks"]["Stop"][0], json!({"hooks": []}), "{told}: {left}");
                assert_eq!(edited.contains("\"x\""), left.contains("\"x\""), "{told}: {left}");
                assert_eq!(edited.contains("// mine"), left.contains("// mine"), "{told}: {left}");
                assert!(value(&left)["hooks"].get("SessionEnd").is_none(), "{told}");
            }
        }
    }
    // A file that we made stays where somebody put something into it.
    let env = TestEnv::new();
    env.fr(&["install", "--agent", "cursor", "--yes"]).ok();
    let path = env.home.join(".cursor/hooks.json");
    std::fs::write(&path, text(&path).replace("\"version\": 1", "\"version\": 1,\n  \"mine\": 2")).unwrap();
    env.fr(&["uninstall"]).ok();
    assert_eq!(value(&text(&path)), json!({"version": 1, "mine": 2}));
    // And a block in the middle of somebody's later lines goes alone.
    let path = put(&env, ".bashrc", "one");
    env.fr(&["install", "--shell", "bash", "--yes"]).ok();
    std::fs::write(&path, format!("zero\n{}two\n", text(&path))).unwrap();
    env.fr(&["uninstall"]).ok();
    assert_eq!(text(&path).replace("one\n", "one"), "zero\nonetwo\n");
}

#[test]
fn a_second_install_after_an_edit_still_gives_the_edit_back() {
    let env = TestEnv::new();
    let path = put(&env, ".claude/settings.json", "{\n  \"model\": \"a\"\n}\n");
    env.fr(&["install", "--yes"]).ok();
    std::fs::write(
        &path,
        text(&path).replace("\"a\"", "\"b\"").replacen("\"timeout\": 300", "\"timeout\": 5", 1),
    )
    .unwrap();
    // The binary moved: the lines are written anew, not beside the old ones.
    let moved = env.root().join("moved fr");
    copy_program(TestEnv::binary(), &moved);
    let mut command = env.command(&moved);
    command.args(["install", "--yes"]);
    run(command, b"").ok();
    let installed = text(&path);
    assert!(
        installed.contains("moved fr") && !installed.contains(TestEnv::binary().to_str().unwrap()),
        "{installed}"
    );
    assert_eq!(lines(&value(&installed)).len(), 9);
    env.fr(&["uninstall"]).ok();
    assert_eq!(text(&path), "{\n  \"model\": \"b\"\n}\n");
}

#[test]
fn without_a_record_our_lines_are_known_by_their_form() {
    for agent in &AGENTS {
        let mut env = TestEnv::new();
        let path = put(&env, agent.file, "{\n  \"model\": \"a\",\n  \"version\": 1\n}\n");
        env.fr(&["install", "--agent", agent.name, "--shell", "bash", "--yes"]).ok();
        env.fr_home = env.root().join("another");
        env.fr(&["uninstall"]).ok();
        assert_eq!(value(&text(&path)), json!({"model": "a", "version": 1}), "{}", agent.name);
        assert_eq!(text(&env.home.join(".bashrc")), "");
    }
}

#[test]
fn a_file_that_cannot_be_changed_is_left_alone_and_named() {
    let broken = [
        ("no JSON", "{\n  \"a\": \n"),
        ("two of a name", "{\"hooks\": {}, \"hooks\": {}}"),
        ("hooks are no object", "{\"hooks\": []}"),
        ("an event is no array", "{\"hooks\": {\"PreToolUse\": {}}}"),
        ("no object", "[1]"),
        ("single quotes", "{'a': 1}"),
    ];
    for (told, text_before) in broken {
        let env = TestEnv::new();
        std::fs::create_dir(env.home.join(".cursor")).unwrap();
        let path = put(&env, ".claude/settings.json", text_before);
        let out = env.fr(&["install", "--yes"]);
        assert_eq!(out.code, 3, "{told}: {out:?}");
        assert!(out.stdout.contains("left alone") && out.stdout.contains("settings.json"), "{told}: {out:?}");
        assert_eq!(text(&path), text_before, "{told}");
        assert!(env.home.join(".cursor/hooks.json").exists(), "{told}: the others go on");
    }
    let env = TestEnv::new();
    let path = put(&env, ".claude/settings.json", b"{\"a\": \"\xff\"}");
    assert_eq!(env.fr(&["install", "--yes"]).code, 3);
    assert_eq!(std::fs::read(&path).unwrap(), b"{\"a\": \"\xff\"}");
    // Codex reads strict JSON, and would load nothing of a file with a comment in it.
    let path = put(&env, ".codex/hooks.json", "{ /* x */ }");
    let out = env.fr(&["install", "--agent", "codex", "--yes"]);
    assert!(out.code == 3 && out.stdout.contains("strict JSON"), "{out:?}");
    assert_eq!(text(&path), "{ /* x */ }");
}

#[test]
fn a_read_only_file_stays_as_it_is() {
    let env = TestEnv::new();
    let path = put(&env, ".claude/settings.json", "{}\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    let out = env.fr(&["install", "--yes"]);
    assert!(out.code == 3 && out.stdout.contains("read-only"), "{out:?}");
    assert_eq!(text(&path), "{}\n");
    // Nothing to change is no reason to complain.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    env.fr(&["install", "--yes"]).ok();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    env.fr(&["install", "--yes"]).ok();
    assert_eq!(env.fr(&["uninstall"]).code, 3);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    env.fr(&["uninstall"]).ok();
    assert_eq!(text(&path), "{}\n");
}

#[test]
fn a_link_stays_a_link_and_the_file_behind_it_keeps_its_mode() {
    let env = TestEnv::new();
    let real = put(&env, "dotfiles/claude.json", "{}\n");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::create_dir(env.home.join(".claude")).unwrap();
    let link = env.home.join(".claude/settings.json");
    symlink("../dotfiles/claude.json", &link).unwrap();
    let was = tree(&env.home);
    env.fr(&["install", "--yes"]).ok();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(text(&real).contains("hook claude"));
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(tree(&env.home.join("dotfiles")).len(), 1, "no temporary file is left");
    env.fr(&["uninstall"]).ok();
    assert_eq!(tree(&env.home), was);
    // A link to nowhere: what is meant by it, nobody knows.
    std::fs::remove_file(&real).unwrap();
    let out = env.fr(&["install", "--yes"]);
    assert!(out.code == 3 && out.stdout.contains("it is a link"), "{out:?}");
    assert!(!real.exists());
}

#[test]
fn a_file_that_moved_behind_a_link_since_is_still_known() {
    let env = TestEnv::new();
    let path = put(&env, ".claude/settings.json", "{}\n");
    env.fr(&["install", "--yes"]).ok();
    let real = put(&env, "dotfiles/claude.json", text(&path));
    std::fs::remove_file(&path).unwrap();
    symlink(&real, &path).unwrap();
    env.fr(&["install", "--yes"]).ok();
    env.fr(&["uninstall"]).ok();
    assert_eq!(text(&real), "{}\n");
    env.fr(&["uninstall"]).ok();
    assert!(!env.fr_home.exists(), "no record is left");
}

#[test]
fn what_root_writes_for_a_user_is_the_users() {
    use std::os::unix::fs::{MetadataExt, chown};
    let env = TestEnv::new();
    let path = put(&env, ".claude/settings.json", "{}\n");
    std::fs::create_dir(env.home.join(".codex")).unwrap();
    if chown(&path, Some(12345), Some(12345)).is_err() {
        eprintln!("SKIPPED: not root; that owners are kept is NOT tested on this machine");
        return;
    }
    chown(env.home.join(".codex"), Some(12345), Some(12345)).unwrap();
    chown(&env.home, Some(12345), Some(12345)).unwrap();
    env.fr(&["install", "--yes"]).ok();
    env.fr(&["install", "--agent", "copilot", "--yes"]).ok();
    for file in
        [".claude/settings.json", ".codex/hooks.json", ".copilot", ".copilot/hooks", ".copilot/hooks/fr.json"]
    {
        let meta = env.home.join(file).metadata().unwrap();
        assert_eq!((meta.uid(), meta.gid()), (12345, 12345), "{file}");
    }
}

#[test]
fn time_outs_are_in_the_agents_own_unit() {
    let env = TestEnv::new();
    let mut args = vec!["install", "--yes"];
    for agent in &AGENTS {
        args.extend(["--agent", agent.name]);
    }
    env.fr(&args).ok();
    let hook = |file: &str, event: &str| value(&text(&env.home.join(file)))["hooks"][event][0].clone();
    assert_eq!(hook(".claude/settings.json", "PreToolUse")["hooks"][0]["timeout"], 300);
    assert_eq!(hook(".gemini/settings.json", "BeforeTool")["hooks"][0]["timeout"], 300_000);
    assert_eq!(hook(".copilot/hooks/fr.json", "preToolUse")["timeoutSec"], 300);
    assert_eq!(hook(".cursor/hooks.json", "preToolUse")["timeout"], 300);
    // Codex gives it no more, and hashes what it gives.
    assert_eq!(hook(".codex/hooks.json", "SessionEnd")["hooks"][0]["timeout"], 3);
    assert_eq!(hook(".codeium/windsurf/hooks.json", "pre_run_command")["show_output"], false);
}

#[test]
fn wrong_wishes_are_told_what_to_do() {
    let env = TestEnv::new();
    let none = env.fr(&["install"]);
    assert!(none.code == 1 && none.stderr.contains("--agent NAME"), "{none:?}");
    let unknown = env.fr(&["install", "--agent", "clippy"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("claude"), "{unknown:?}");
    assert_eq!(env.fr(&["install", "--agent", "claude", "--trust-codex-hooks", "--yes"]).code, 2);
    assert_eq!(env.fr(&["install", "--shell", "bash", "--project", "--yes"]).code, 2);
    assert_eq!(env.fr(&["install", "--agent", "aider", "--yes"]).code, 2, "SHELL is not set");
    assert_eq!(env.fr(&["uninstall"]).ok().stdout, "nothing to do\n");
    assert_eq!(tree(env.root()).len(), 3, "HOME, .gitconfig, project");
}

#[test]
fn a_registration_by_hand_is_not_doubled() {
    let env = TestEnv::new();
    let by_hand = "command -v fr >/dev/null || exit 0; exec fr hook claude";
    let before = json!({"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [{"type": "command", "command": by_hand}]}]}});
    let path = put(&env, ".claude/settings.json", serde_json::to_string_pretty(&before).unwrap());
    env.fr(&["install", "--yes"]).ok();
    assert_eq!(lines(&value(&text(&path))["hooks"]["PreToolUse"]), [by_hand]);
    assert_eq!(lines(&value(&text(&path))["hooks"]["PostToolUse"]).len(), 1);
    env.fr(&["uninstall"]).ok();
    assert_eq!(value(&text(&path)), before);
}

#[test]
fn a_projects_file_names_no_path_of_this_machine() {
    let env = TestEnv::new();
    env.fr(&["install", "--project", "--agent", "claude", "--agent", "opencode", "--yes"]).ok();
    let installed = env.read(".claude/settings.json");
    assert!(installed.contains("hook claude") && !installed.contains(TestEnv::binary().to_str().unwrap()));
    assert!(!env.read(".opencode/plugin/fr.js").contains(TestEnv::binary().to_str().unwrap()));
    assert!(!env.home.join(".claude").exists());
    env.fr(&["uninstall"]).ok();
    assert_eq!(std::fs::read_dir(&env.project).unwrap().count(), 0);
}

#[test]
fn settings_are_found_where_variables_put_them() {
    let mut env = TestEnv::new();
    for (variable, dir) in [
        ("CLAUDE_CONFIG_DIR", "c"),
        ("CODEX_HOME", "x"),
        ("COPILOT_HOME", "p"),
        ("XDG_CONFIG_HOME", "g"),
        ("ZDOTDIR", "z"),
    ] {
        env.vars.push((variable.into(), env.home.join(dir).to_str().unwrap().into()));
    }
    env.fr(&[
        "install", "--agent", "claude", "--agent", "codex", "--agent", "copilot", "--agent", "opencode",
        "--shell", "zsh", "--shell", "fish", "--yes",
    ])
    .ok();
    for file in [
        "c/settings.json",
        "x/hooks.json",
        "p/hooks/fr.json",
        "g/opencode/plugin/fr.js",
        "z/.zshrc",
        "g/fish/config.fish",
    ] {
        assert!(env.home.join(file).is_file(), "{file}");
    }
}

/// A world with a binary in a place that no shell likes, and everything installed from there.
struct Odd {
    env: TestEnv,
    binary: PathBuf,
    log: PathBuf,
}

impl Odd {
    fn new() -> Odd {
        let mut env = TestEnv::new();
        let dir = env.root().join("it's \"odd\" $HOME `x` \u{e9}");
        std::fs::create_dir(&dir).unwrap();
        let binary = dir.join("fr");
        copy_program(TestEnv::binary(), &binary);
        let log = env.root().join("log");
        env.vars.push(("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()));
        env.vars.push(("FR_LOG".into(), log.to_str().unwrap().into()));
        let mut command = env.command(&binary);
        command.args(["install", "--yes"]);
        for agent in &AGENTS {
            command.args(["--agent", agent.name]);
        }
        run(command, b"").ok();
        Odd { env, binary, log }
    }

    /// The line of an agent's tool event.
    fn line(&self, agent: &Agent) -> String {
        let value = value(&text(&self.env.home.join(agent.file)));
        lines(&value["hooks"][agent.event])[0].clone()
    }

    /// Runs it as the agent does, in a directory that holds an `fr` of somebody else.
    fn runs(&self, agent: &Agent, path: &str, stdin: &str) -> Output {
        let trap = fake(&self.env.project.join("fr"), "trap", 2);
        assert!(trap.is_file());
        let (shell, options) = agent.shell.split_first().unwrap();
        let mut command = self.env.command(shell);
        command.args(options).arg(self.line(agent)).env("PATH", path);
        run(command, stdin.as_bytes())
    }

    fn called(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Copies a program. Not by this process: another test's child would inherit the open file, and nobody may run it then.
pub fn copy_program(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let mut command = std::process::Command::new("cp");
    command.args(["-p", "--remove-destination"]).args([from, to]);
    run(command, b"").ok();
}

/// A program that writes down how it was called, talks, and fails.
fn fake(path: &Path, name: &str, code: u8) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let script = format!("#!/bin/sh\necho \"{name} $*\" >>\"$FR_LOG\"\ncat >>\"$FR_LOG\"\nexit {code}\n");
    let text = path.with_extension("text");
    std::fs::write(&text, script).unwrap();
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).unwrap();
    copy_program(&text, path);
    path.to_path_buf()
}

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[test]
fn the_line_calls_the_binary_and_never_lets_a_failure_through() {
    let odd = Odd::new();
    for code in [0, 1, 2, 127] {
        fake(&odd.binary, "odd", code);
        for agent in &AGENTS {
            let _ = std::fs::remove_file(&odd.log);
            let out = odd.runs(agent, PATH, "payload\n");
            // Windsurf has no other way to be told "no" (agents.md 5).
            let expected = if agent.name == "windsurf" && code == 2 { 2 } else { 0 };
            assert_eq!(
                (out.code, out.stdout.as_str(), out.stderr.as_str()),
                (expected, "", ""),
                "{}",
                agent.name
            );
            assert_eq!(odd.called(), format!("odd hook {}\npayload\n", agent.name));
        }
    }
}

#[test]
fn the_line_is_silent_where_the_binary_is_gone_and_finds_it_where_it_was_moved() {
    let odd = Odd::new();
    let silent = |agent: &Agent, path: &str| {
        let out = odd.runs(agent, path, "payload\n");
        assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "", ""), "{}", agent.name);
    };
    let elsewhere = odd.env.root().join("else where");
    let with_elsewhere = format!("{PATH}:{}", elsewhere.display());
    std::fs::remove_file(&odd.binary).unwrap();
    for agent in &AGENTS {
        silent(agent, PATH);
        // An agent that was started in the repository must not run the repository's `fr`.
        silent(agent, &format!(".:{PATH}"));
        silent(agent, &format!("{PATH}:"));
        assert_eq!(odd.called(), "", "{}", agent.name);
    }
    std::fs::create_dir(&odd.binary).unwrap();
    for agent in &AGENTS {
        silent(agent, PATH);
    }
    std::fs::remove_dir(&odd.binary).unwrap();
    std::fs::write(&odd.binary, "not executable").unwrap();
    fake(&elsewhere.join("fr"), "moved", 3);
    for agent in &AGENTS {
        let _ = std::fs::remove_file(&odd.log);
        silent(agent, &with_elsewhere);
        assert_eq!(odd.called(), format!("moved hook {}\npayload\n", agent.name));
    }
}

#[test]
fn claudes_line_records_what_it_is_told() {
    let odd = Odd::new();
    odd.env.write("notes.txt", "only copy\n");
    let payload = json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "rm notes.txt"},
        "tool_use_id": "t1", "session_id": SESSION, "cwd": odd.env.project.to_str().unwrap(),
    });
    let out = odd.runs(&AGENTS[0], PATH, &payload.to_string());
    assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "", ""));
    odd.env.sh("rm notes.txt").ok();
    odd.env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(odd.env.read("notes.txt"), "only copy\n");
}

#[test]
fn the_block_records_what_aider_runs_and_is_silent_without_the_binary() {
    let mut env = TestEnv::new();
    let binary = env.root().join("a b").join("fr");
    std::fs::create_dir(binary.parent().unwrap()).unwrap();
    copy_program(TestEnv::binary(), &binary);
    env.vars.push(("SHELL".into(), "/bin/bash".into()));
    env.vars.push(("OR_APP_NAME".into(), "Aider".into()));
    let mut command = env.command(&binary);
    command.args(["install", "--agent", "aider", "--yes"]);
    run(command, b"").ok();
    env.write("x", "1");
    // As Aider does on a terminal: an interactive bash for each command (agents.md 3).
    let aider = || {
        let mut command = env.command("bash");
        command.args(["-i", "-c", "rm -f x; echo done"]);
        let mut pty = Pty::start(&command);
        assert_eq!(pty.end(), 0);
        pty.screen()
    };
    assert_eq!(aider(), "done\r\n");
    let events = env.fr(&["timeline", "--json"]).ok().json();
    assert_eq!(events[0]["actor"]["name"], "aider", "{events:#}");
    std::fs::remove_file(&binary).unwrap();
    assert_eq!(aider(), "done\r\n");
}

#[test]
fn opencodes_plugin_reports_and_stops_nothing_when_fr_is_gone() {
    if !["/usr/bin/node", "/usr/local/bin/node"].iter().any(|node| Path::new(node).exists()) {
        eprintln!("SKIPPED: node is not installed; opencode's plugin is NOT tested on this machine");
        return;
    }
    let mut env = TestEnv::new();
    let log = env.root().join("log");
    let binary = env.root().join("o'\"dd").join("fr");
    std::fs::create_dir(binary.parent().unwrap()).unwrap();
    copy_program(TestEnv::binary(), &binary);
    env.vars.push(("FR_LOG".into(), log.to_str().unwrap().into()));
    env.vars.push(("PATH".into(), PATH.into()));
    let mut command = env.command(&binary);
    command.args(["install", "--agent", "opencode", "--yes"]);
    run(command, b"").ok();
    std::fs::copy(env.home.join(".config/opencode/plugin/fr.js"), env.project.join("fr.mjs")).unwrap();
    env.write(
        "drive.mjs",
        "import { Fr } from './fr.mjs'\nconst hooks = await Fr({ directory: '/d', worktree: '/w' })\n\
         await hooks['tool.execute.before']({ tool: 'bash', callID: 'c' }, { args: { command: 'ls' } })\n\
         await hooks['tool.execute.after']({ tool: 'bash', callID: 'c' }, { output: 'x' })\n\
         await hooks.event({ event: { type: 'session.idle' } })\nawait hooks.event({ event: { type: 'other' } })\n\
         console.log('went on')\n",
    );
    let drive = || {
        let mut command = env.command("node");
        command.arg("drive.mjs");
        run(command, b"")
    };
    fake(&binary, "plugin", 3);
    assert_eq!(drive().ok().stdout, "went on\n");
    let called = std::fs::read_to_string(&log).unwrap();
    assert_eq!(called.matches("plugin hook opencode").count(), 3, "{called}");
    assert!(
        called.contains(
            r#"{"hook":"tool.execute.before","directory":"/d","worktree":"/w","input":{"tool":"bash""#
        ),
        "{called}"
    );
    std::fs::remove_file(&binary).unwrap();
    assert_eq!(drive().ok().stdout, "went on\n");
}

/// Any JSON object, with names that the agents use too.
fn objects() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~\u{e9}\n\t]{0,12}".prop_map(Value::from),
    ];
    let any = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    });
    let group = json!({"matcher": "X", "hooks": [{"type": "command", "command": "x"}]});
    let events = prop::sample::subsequence(vec!["PreToolUse", "Stop", "Other", "SessionEnd"], 1..4);
    let hooks = (events, 1..3usize).prop_map(move |(events, n)| {
        let groups = |event: &str| (event.to_string(), Value::from(vec![group.clone(); n]));
        Value::Object(events.into_iter().map(groups).collect())
    });
    (prop::collection::btree_map("[a-z\"\\\\ ]{1,6}", any, 0..5), prop::option::of(hooks)).prop_map(
        |(map, hooks)| {
            let mut value = json!(map);
            if let Some(hooks) = hooks {
                value["hooks"] = hooks;
            }
            value
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The careful way, that of a file with no record, gives back the same value, and the recorded way the same bytes.
    #[test]
    fn any_settings_survive(settings in objects(), pretty in any::<bool>()) {
        let mut env = TestEnv::new();
        let before = if pretty { serde_json::to_string_pretty(&settings).unwrap() } else { settings.to_string() };
        let path = put(&env, ".claude/settings.json", &before);
        env.fr(&["install", "--agent", "claude", "--yes"]).ok();
        let installed: Value = serde_json::from_str(&text(&path)).unwrap();
        prop_assert_eq!(lines(&installed["hooks"]).len(), 9);
        let (record, other) = (env.fr_home.clone(), env.root().join("other"));
        let bytes = text(&path);
        env.fr_home = other;
        env.fr(&["uninstall"]).ok();
        prop_assert_eq!(serde_json::from_str::<Value>(&text(&path)).unwrap(), settings);
        std::fs::write(&path, bytes).unwrap();
        env.fr_home = record;
        env.fr(&["uninstall"]).ok();
        prop_assert_eq!(text(&path), before);
    }
}
