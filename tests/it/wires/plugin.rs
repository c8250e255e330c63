//! The plugin for opencode in a real node, against the built `fr` and against ones that misbehave.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fr::intake::agents::opencode::plugin;
use serde_json::{Value, json};

use crate::env::{TestEnv, run};

/// Loads the plugin and takes these steps; says what came of each, and what the plugin logged.
fn play(env: &TestEnv, plugin: &str, steps: &[Value]) -> Value {
    let file = env.root().join("plugin.mjs");
    std::fs::write(&file, plugin).unwrap();
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/wires/harness.mjs");
    let mut node = env.command("node");
    node.arg(harness).arg(file).arg(&env.project);
    run(node, json!(steps).to_string().as_bytes()).ok().json()
}

fn with_fr() -> String {
    plugin(TestEnv::binary().to_str().unwrap())
}

/// A program that stands for `fr`.
fn stand_in(env: &TestEnv, script: &str) -> PathBuf {
    let path = env.root().join("stand-in");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

fn before(call: &str, tool: &str, args: &Value) -> Value {
    json!({"hook": "tool.execute.before", "input": {"tool": tool, "sessionID": "ses_1", "callID": call},
        "output": {"args": args}})
}

fn after(call: &str, tool: &str, args: &Value, output: &Value) -> Value {
    json!({"hook": "tool.execute.after",
        "input": {"tool": tool, "sessionID": "ses_1", "callID": call, "args": args}, "output": output})
}

fn timeline(env: &TestEnv) -> Vec<Value> {
    let mut events: Vec<Value> =
        serde_json::from_value(env.fr(&["timeline", "--limit", "100", "--json"]).ok().json()).unwrap();
    events.sort_by_key(|event| event["id"].as_u64());
    events
}

/// The recorded session of opencode 1.18.33, with this world's directories: what it called, in its order.
fn recorded(env: &TestEnv) -> Vec<Value> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/payloads/opencode");
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(dir.join(format!("{name}.json"))).unwrap();
        let text = text.replace("/home/dev/app", env.project.to_str().unwrap());
        serde_json::from_str(&text.replace("/home/dev/out", env.root().to_str().unwrap())).unwrap()
    };
    let event = |name: &str| json!({"event": read(name)});
    let hook = |hook: &str, number: usize| {
        let mut step = read(&format!("{}-{number}", hook.replace('.', "_")));
        step["hook"] = json!(hook);
        step
    };
    let mut steps = vec![event("event_session_created-1")];
    for number in 1..=18 {
        if number == 17 {
            steps.push(event("event_session_created-2"));
        }
        steps.push(hook("tool.execute.before", number));
    }
    for number in 1..=18 {
        steps.push(hook("tool.execute.after", number));
    }
    steps.extend([event("event_session_idle-1"), event("event_session_idle-2")]);
    steps
}

#[test]
fn a_recorded_session_is_on_the_timeline() {
    let env = TestEnv::with_git();
    let played = play(&env, &with_fr(), &recorded(&env));
    assert_eq!(played["logged"], json!([]));
    assert!(played["results"].as_array().unwrap().iter().all(|step| step["threw"].is_null()), "{played}");
    let events = timeline(&env);
    assert_eq!(events.len(), 18);
    let story: String = events
        .iter()
        .map(|event| {
            let line =
                event["command"]["line"].as_str().unwrap().replace(env.root().to_str().unwrap(), "ROOT");
            let line: String = line.chars().take(60).collect();
            let (tool, actor) = (&event["command"]["tool"], &event["actor"]);
            let sub = actor["subagent"].as_str().map(|name| format!(" [{name}]")).unwrap_or_default();
            let how = format!("{} {}", event["outcome"]["how"], event["outcome"]["code"]);
            format!("{} {how} {tool} {line}{sub}\n", actor["version"])
        })
        .collect();
    insta::assert_snapshot!("opencode_timeline", story.replace('"', ""));
    let sessions: std::collections::BTreeSet<_> = events.iter().map(|e| e["session"].to_string()).collect();
    assert_eq!(sessions.len(), 1, "a sub-agent's calls belong to the session: {sessions:?}");
    assert!(events.iter().all(|event| event["cwd"] == json!(env.project)));
}

#[test]
fn what_opencode_deletes_comes_back() {
    let env = TestEnv::new();
    env.write("build/a.txt", "precious\n");
    let args = json!({"command": "rm -rf build"});
    let steps = [
        before("c1", "bash", &args),
        json!({"run": "rm -rf build"}),
        after("c1", "bash", &args, &json!({"metadata": {"exit": 0, "output": "x".repeat(5 << 20)}})),
    ];
    play(&env, &with_fr(), &steps);
    assert!(!env.exists("build"));
    let event = &timeline(&env)[0];
    assert_eq!(event["outcome"], json!({"how": "exited", "code": 0}));
    env.fr(&["undo", "--yes"]).ok();
    assert_eq!(env.read("build/a.txt"), "precious\n");
}

#[test]
fn parallel_calls_find_their_own_endings() {
    let env = TestEnv::new();
    let args: Vec<Value> = (0..6).map(|n| json!({"command": format!("sleep 0; exit {n}")})).collect();
    let name = |n: usize| format!("c{n}");
    let befores: Vec<Value> = (0..6).map(|n| before(&name(n), "bash", &args[n])).collect();
    let afters: Vec<Value> =
        (0..6).map(|n| after(&name(n), "bash", &args[n], &json!({"metadata": {"exit": n}}))).collect();
    play(&env, &with_fr(), &[json!(befores), json!(afters)]);
    let events = timeline(&env);
    assert_eq!(events.len(), 6);
    for event in events {
        let line = event["command"]["line"].as_str().unwrap();
        assert!(line.ends_with(&event["outcome"]["code"].to_string()), "{event}");
    }
}

#[test]
fn a_tool_that_throws_is_closed() {
    let env = TestEnv::new();
    env.write("a.txt", "x\n");
    let args = json!({"filePath": env.project.join("a.txt"), "oldString": "z", "newString": "y"});
    let part = |call: &str, status: &str, error: &str| {
        json!({"event": {"type": "message.part.updated", "properties": {"part": {
            "type": "tool", "tool": "edit", "sessionID": "ses_1", "callID": call,
            "state": {"status": status, "input": args, "error": error}}}}})
    };
    let steps = [
        before("c1", "edit", &args),
        part("c1", "running", ""),
        part("c1", "error", "oldString not found in content"),
        part("c1", "error", "oldString not found in content"),
        before("c2", "edit", &args),
        part("c2", "error", "The user rejected permission to use this specific tool call."),
        part("c3", "error", "never announced"),
    ];
    play(&env, &with_fr(), &steps);
    let events = timeline(&env);
    let how: Vec<_> = events.iter().map(|event| event["outcome"]["how"].as_str().unwrap_or("open")).collect();
    assert_eq!(how, ["failed", "refused"]);
}

#[test]
fn only_a_deny_stops_a_call() {
    let env = TestEnv::new();
    let steps = [before("c1", "bash", &json!({"command": "ls"}))];
    let deny = r#"echo '{"decision":"deny","reason":"not without a backup"}'"#;
    for (script, threw) in [
        (deny.to_string(), Some("fr: not without a backup")),
        (format!("{deny}; exit 2"), None),
        ("echo '{\"decision\":\"allow\"}'".into(), None),
        ("echo deny".into(), None),
        ("echo null".into(), None),
        ("exit 1".into(), None),
        ("kill -9 $$".into(), None),
        // It may answer without having read.
        ("exec <&-".into(), None),
        ("cat >/dev/null; yes | head -c 9000000".into(), None),
    ] {
        let fr = stand_in(&env, &script);
        let played = play(&env, &plugin(fr.to_str().unwrap()), &steps);
        assert_eq!(played["results"][0]["threw"], json!(threw), "{script}");
    }
}

#[test]
fn a_missing_fr_is_no_obstacle() {
    let mut env = TestEnv::new();
    env.vars.push(("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()));
    let args = json!({"command": "ls"});
    let created = json!({"event": {"type": "session.created", "properties": {"info": {"id": "ses_1"}}}});
    let steps = [created, before("c1", "bash", &args), after("c1", "bash", &args, &json!(null))];
    // A name that must be escaped in the plugin, too.
    let played = play(&env, &plugin("/no such \"place\"\\fr"), &steps);
    for step in played["results"].as_array().unwrap() {
        assert!(step["threw"].is_null() && step["ms"].as_u64().unwrap() < 30_000, "{step}");
    }
    let logged = played["logged"].to_string();
    assert!(logged.contains("fr: not recorded") && logged.contains("ENOENT"), "{logged}");
}

#[test]
fn a_moved_fr_is_found_on_the_path() {
    let env = TestEnv::new();
    play(&env, &plugin("/opt/old/fr"), &[before("c1", "bash", &json!({"command": "ls"}))]);
    assert_eq!(timeline(&env)[0]["command"]["line"], "ls");
}

#[test]
fn a_hung_fr_is_not_waited_for() {
    let env = TestEnv::new();
    let fr = stand_in(&env, "exec sleep 100");
    let text = plugin(fr.to_str().unwrap());
    // `fr install` and `fr uninstall` know their own file by this.
    assert!(text.starts_with("// fr install wrote this file"));
    assert!(text.contains("WAIT_MS = 60_000") && text.contains("EVENT_WAIT_MS = 5_000"));
    let text = text.replace("60_000", "300").replace("5_000", "300");
    let args = json!({"command": "ls"});
    let idle = json!({"event": {"type": "session.idle", "properties": {"sessionID": "ses_1"}}});
    let played =
        play(&env, &text, &[before("c1", "bash", &args), after("c1", "bash", &args, &json!({})), idle]);
    for step in played["results"].as_array().unwrap() {
        let waited = step["ms"].as_u64().unwrap();
        assert!(step["threw"].is_null() && (250..30_000).contains(&waited), "{step}");
    }
    assert!(played["logged"].to_string().contains("no answer"), "{played}");
}

#[test]
fn what_fr_could_not_record_reaches_opencodes_log() {
    let env = TestEnv::new();
    let fr = stand_in(&env, "cat >/dev/null; echo 'fr: not recorded: the disk is full' >&2");
    let steps = [before("c1", "bash", &json!({"command": "ls"}))];
    let played = play(&env, &plugin(fr.to_str().unwrap()), &steps);
    assert_eq!(played["logged"][0]["message"], "fr: not recorded: the disk is full");
}

#[test]
fn odd_input_does_not_break_the_plugin() {
    let env = TestEnv::new();
    let steps = [
        json!({"hook": "tool.execute.before", "input": {}, "output": null}),
        json!({"hook": "tool.execute.after", "input": {}, "output": null}),
        json!({"event": {"type": "session.created"}}),
        json!({"event": {"type": "session.idle"}}),
        json!({"event": {"type": "message.part.updated", "properties": {"part": {"type": "tool"}}}}),
        json!({"event": {"type": "file.edited", "properties": {"file": "/a"}}}),
        json!({"event": {}}),
    ];
    let played = play(&env, &with_fr(), &steps);
    assert!(played["results"].as_array().unwrap().iter().all(|step| step["threw"].is_null()), "{played}");
}
