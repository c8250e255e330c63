//! From a real channel to the record, through the built binary.

use serde_json::Value;

use crate::env::TestEnv;
use crate::pty::Pty;

/// The timeline, oldest first.
fn timeline(env: &TestEnv) -> Vec<Value> {
    let mut events: Vec<Value> = serde_json::from_value(env.fr(&["timeline", "--json"]).ok().json()).unwrap();
    events.sort_by_key(|event| event["id"].as_u64());
    events
}

/// All bytes below the store.
fn stored(env: &TestEnv) -> Vec<u8> {
    let mut all = Vec::new();
    let mut dirs = vec![env.fr_home.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { dirs.push(entry) } else { all.extend(std::fs::read(entry).unwrap()) }
        }
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Removes a file at a prompt, and takes that back.
fn a_line_is_recorded_and_undone(shell: &str, rc: &str, program: &[&str]) {
    let mut env = TestEnv::new();
    env.vars.push(("PS1".into(), "READY> ".into()));
    env.vars.push(("ENV".into(), String::new()));
    env.write("keep.txt", "precious\n");
    let path = env.home.join(rc);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, env.fr(&["init", shell]).ok().stdout).unwrap();
    let mut command = env.command(program[0]);
    command.args(&program[1..]);
    let mut pty = Pty::start(&command);
    pty.send("rm keep.txt; false\n");
    crate::pty::until("the line has ended", || {
        !env.exists("keep.txt") && {
            let events = if env.fr_home.join("format").exists() { timeline(&env) } else { Vec::new() };
            events.first().is_some_and(|event| event["outcome"]["code"] == 1)
        }
    });
    pty.send("exit\n");
    pty.end();
    let events = timeline(&env);
    assert_eq!(events[0]["command"]["line"], "rm keep.txt; false");
    assert_eq!(events[0]["source"], "shell");
    assert_eq!(events[0]["actor"]["kind"], "human");
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(env.read("keep.txt"), "precious\n");
}

#[test]
fn bash_line_to_undo() {
    a_line_is_recorded_and_undone("bash", ".bashrc", &["bash", "-i"]);
}

#[test]
fn zsh_line_to_undo() {
    a_line_is_recorded_and_undone("zsh", ".zshrc", &["zsh", "-d", "-i"]);
}

#[test]
fn fish_line_to_undo() {
    a_line_is_recorded_and_undone("fish", ".config/fish/config.fish", &["fish", "-i"]);
}

#[test]
fn a_secret_in_a_harmless_line_is_nowhere_in_the_store() {
    let env = TestEnv::new();
    let secret = "Zx9-hunter2-Qw7";
    let call =
        env.claude_pre(&format!("curl -s -u me:{secret} https://example.org; PGPASSWORD={secret} psql -l"));
    assert_eq!(call.answer.code, 0, "{:?}", call.answer);
    env.claude_hook(serde_json::json!({
        "hook_event_name": "PostToolUseFailure", "tool_name": "Bash", "tool_use_id": call.id,
        "tool_input": call.input, "error": format!("Exit code 2\nurl https://me:{secret}@example.org failed"),
    }))
    .ok();
    let line = timeline(&env)[0]["command"]["line"].as_str().unwrap().to_string();
    assert!(line.contains("curl -s -u me:[REDACTED:") && line.contains("PGPASSWORD=[REDACTED:"), "{line}");
    assert!(!holds(&stored(&env), secret));
    assert!(!holds(env.fr(&["show", "1"]).ok().stdout.as_bytes(), secret));
}

#[test]
fn what_the_hook_cannot_read_does_not_stop_the_agent() {
    let env = TestEnv::new();
    env.claude_pre("ls").answer.ok();
    for payload in [&b""[..], b"{\"session_id\":", b"\xff\xfe\x00", b"[[[[[["] {
        let answer = env.fr_with(&["hook", "claude"], payload);
        assert_eq!((answer.code, answer.stdout.as_str()), (0, ""), "{answer:?}");
        assert!(answer.stderr.starts_with("fr: not recorded: malformed hook payload"), "{answer:?}");
        assert!(answer.stderr.contains("hint:"), "{answer:?}");
    }
    let unknown = env.fr_with(&["hook", "claude"], br#"{"hook_event_name":"New","session_id":"s"}"#);
    assert_eq!((unknown.code, unknown.stdout.as_str(), unknown.stderr.as_str()), (0, "", ""));
    assert!(holds(&stored(&env), "malformed hook payload"), "the gaps are on record");
}
