//! Twenty destructive commands in seconds, faster than anybody reviews.

use serde_json::{Value, json};

use crate::env::{Output, TestEnv};
use crate::pty::Pty;

fn with(reaction: &str) -> TestEnv {
    let env = TestEnv::new();
    env.claude_runs("true");
    let settings = format!("[runaway]\ncommands = 20\nseconds = 300\nreaction = \"{reaction}\"\n");
    std::fs::write(env.fr_home.join("config.toml"), settings).unwrap();
    for n in 0..30 {
        env.write(&format!("f{n}"), "x");
    }
    env
}

/// The agent deletes them one by one; the answers.
fn deletes(env: &TestEnv, from: u32, to: u32) -> Vec<Output> {
    (from..to)
        .map(|n| {
            let call = env.claude_pre(&format!("rm f{n}"));
            if call.answer.stdout.is_empty() {
                env.sh(&format!("rm f{n}")).ok();
                env.claude_post(&call).ok();
            }
            call.answer
        })
        .collect()
}

fn alarms(env: &TestEnv) -> Vec<Value> {
    let events = env.fr(&["timeline", "--limit", "500", "--json"]).ok().json();
    events.as_array().unwrap().iter().filter(|e| e["kind"] == "alarm").map(|e| e["alarm"].clone()).collect()
}

#[test]
fn twenty_are_recorded_and_the_next_is_stopped() {
    let env = with("contain");
    let answers = deletes(&env, 0, 20);
    assert!(answers.iter().all(|a| a.stdout.is_empty()), "{answers:?}");
    assert_eq!(alarms(&env), [Value::Null; 0]);
    let stopped = deletes(&env, 20, 22);
    assert!(stopped.iter().all(|a| a.stdout.contains("\"deny\"")), "{stopped:?}");
    assert!(env.exists("f20") && env.exists("f21"));
    let alarms = alarms(&env);
    assert_eq!(alarms.len(), 1, "once is enough");
    assert_eq!((&alarms[0]["commands"], &alarms[0]["reaction"]), (&json!(21), &json!("contain")));
    let listed = env.fr(&["timeline", "--json", "--limit", "100", "--grep", "rm f"]).ok().json();
    assert_eq!(listed.as_array().unwrap().len(), 22);
    assert!(env.fr(&["contain", "--status"]).ok().stdout.contains("contained by fr"));
    env.fr(&["undo", "--session", "--yes"]).ok();
    assert!((0..20).all(|n| env.exists(&format!("f{n}"))), "all that it did is taken back");
}

#[test]
fn where_it_is_to_ask_it_asks_and_by_default_it_only_says_so() {
    let env = with("ask");
    deletes(&env, 0, 20);
    let answers = deletes(&env, 20, 22);
    assert!(answers.iter().all(|a| a.stdout.contains("\"ask\"")), "{answers:?}");
    assert!(env.fr(&["contain", "--status"]).ok().stdout.contains("nothing"));
    let env = with("alert");
    let answers = deletes(&env, 0, 25);
    assert!(answers.iter().all(|a| a.stdout.is_empty() && a.code == 0), "{answers:?}");
    assert_eq!(alarms(&env).len(), 1);
    let listed = env.fr(&["timeline"]).ok().stdout;
    assert!(listed.contains("ALARM: claude ran 21 destructive commands"), "{listed}");
    let env = with("off");
    deletes(&env, 0, 25);
    assert_eq!(alarms(&env).len(), 0);
}

/// Files are edited all day, and people may delete what they like.
#[test]
fn edits_and_people_are_no_runaways() {
    let env = with("contain");
    for n in 0..25 {
        let call = env
            .claude_tool("Edit", json!({"file_path": env.project.join(format!("f{n}")).to_str().unwrap()}));
        assert_eq!(call.answer.stdout, "");
        env.fr(&["exec", "--", "rm", &format!("f{n}")]).ok();
    }
    assert_eq!(alarms(&env).len(), 0);
}

/// A script that the agent runs is one command for its hook; what it executes is counted, and stopped.
#[test]
fn a_loop_in_a_script_is_stopped_by_the_shims() {
    let mut env = with("contain");
    env.fr(&["shims", "enable"]).ok();
    let path = format!("{}:{}", env.fr_home.join("shims").display(), env.path());
    env.vars.push(("PATH".to_owned(), path));
    env.vars.push(("CLAUDECODE".to_owned(), "1".to_owned()));
    let out = tempfile::tempdir().unwrap();
    for n in 0..30 {
        std::fs::write(out.path().join(format!("g{n}")), "x").unwrap();
    }
    let script = format!("#!/bin/bash\nfor n in $(seq 0 29); do rm {}/g$n; done\n", out.path().display());
    env.write("clean.sh", script);
    let call = env.claude_pre("bash clean.sh");
    env.sh("bash clean.sh");
    env.claude_post(&call).ok();
    let left = std::fs::read_dir(out.path()).unwrap().count();
    assert_eq!(left, 10, "twenty went, and each of them can be brought back");
    env.fr(&["undo", "--session", "--yes", "--on-conflict", "skip"]);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 30);
}

/// Somebody sits at that terminal.
#[test]
fn the_alarm_is_seen_on_the_terminal() {
    let env = with("alert");
    deletes(&env, 0, 20);
    let payload = json!({
        "session_id": crate::env::SESSION, "cwd": env.project, "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": "rm f20"}, "tool_use_id": "last",
    });
    env.write("payload", payload.to_string());
    let mut command = env.command("bash");
    command.args(["--norc", "-c", "fr hook claude < payload > answer 2>&1"]);
    let mut pty = Pty::start(&command);
    let shown = pty.expect("`fr contain` stops it");
    assert!(shown.contains("fr: ALARM: claude ran 21 destructive commands"), "{shown:?}");
}
