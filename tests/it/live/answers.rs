//! Real agents are told no: the command does not run, the reason reaches the model, and the work goes on.

use serde_json::{Value, json};

use super::claude::{self, claude, claude_world};
use super::codex::{self, codex, codex_world};
use super::{Live, installed};

/// A directory of more than one file cannot be kept: whoever removes one is answered this.
fn strict(live: &Live, answer: &str) {
    std::fs::create_dir_all(&live.env.fr_home).unwrap();
    let settings = format!("on-incomplete-capture = \"{answer}\"\n[caps]\nnamed_files = 1\n");
    std::fs::write(live.env.fr_home.join("config.toml"), settings).unwrap();
}

fn script() -> Value {
    json!({"main": [
        {"shell": "rm -r build"},
        {"shell": "rm victim.txt"},
        {"shell": "ls -d build > still.txt"},
    ]})
}

/// All that the agent asked the model.
fn told_the_model(live: &Live) -> String {
    let mut all = String::new();
    for file in std::fs::read_dir(live.requests()).unwrap() {
        all += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    all
}

#[track_caller]
fn assert_refused(live: &Live, ran: &super::Ran, answer: &str, outcomes: [&str; 3]) {
    let account = live.account(ran);
    assert!(live.env.exists("build/deep/b.o"), "it ran all the same: {account}");
    assert_eq!(live.env.read("still.txt"), "build\n", "{account}");
    assert!(!live.env.exists("victim.txt"), "what can be kept runs: {account}");
    let model = told_the_model(live);
    assert!(model.contains("could not keep all that this destroys"), "the model was not told why: {account}");
    let lines = ["rm -r build", "rm victim.txt", "ls -d build > still.txt"];
    let listed: Vec<String> =
        lines.iter().zip(outcomes).map(|(line, outcome)| format!("Bash: {line} | . | {outcome}")).collect();
    live.assert_listed(ran, &listed.iter().map(String::as_str).collect::<Vec<_>>());
    let denied = live.event("rm -r build");
    assert_eq!(denied["verdict"]["answer"], answer, "{denied:#}");
    live.undo("still.txt");
    live.undo("rm victim.txt");
    live.assert_as_before();
}

#[test]
fn claude_code_does_not_run_what_is_denied() {
    let Some(program) = installed("claude", claude::PROGRAM) else { return };
    let live = claude_world("bash");
    strict(&live, "deny");
    let ran = live.run(&script(), &claude(program.to_str().unwrap(), &claude::mcp()));
    assert_refused(&live, &ran, "deny", ["refused", "succeeded", "succeeded"]);
}

/// Without a person at the keyboard, "ask" is "no".
#[test]
fn claude_code_asks() {
    let Some(program) = installed("claude", claude::PROGRAM) else { return };
    let live = claude_world("bash");
    strict(&live, "ask");
    let ran = live.run(&script(), &claude(program.to_str().unwrap(), &claude::mcp()));
    assert_refused(&live, &ran, "ask", ["unknown", "succeeded", "succeeded"]);
}

/// Codex knows no "ask" and would run the command: it is told no.
#[test]
fn codex_does_not_run_what_is_denied() {
    let Some(program) = installed("codex", codex::PROGRAM) else { return };
    for (model, answer) in [("gpt-5.5", "ask"), ("gpt-6-sol", "deny")] {
        let live = codex_world(model, &["--trust-codex-hooks"]);
        strict(&live, answer);
        let ran = live.run(&script(), &codex(program.to_str().unwrap()));
        assert_refused(&live, &ran, "deny", ["refused", "ended", "ended"]);
    }
}
