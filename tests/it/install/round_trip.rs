//! In and out again: every agent, every shell, every odd way of writing a file.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AGENTS, Agent, actions, lines, put, text, tree, value};
use crate::env::TestEnv;

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
