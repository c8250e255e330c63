//! Claude Code.

use serde_json::json;

use super::{Live, installed};

pub const PROGRAM: &str = "npm-claude/node_modules/@anthropic-ai/claude-code-linux-x64/claude";

#[test]
fn claude_code_is_recorded_and_taken_back() {
    let Some(program) = installed("claude", PROGRAM) else { return };
    let live = claude_world("bash");
    let script = json!({
        "main": [
            {"shell": "git status"},
            {"shell": "rm -rf build2"},
            {"shell": "rm -r build"},
            {"shell": "cd src && ls -1 | sort | head -n 5 | wc -l && cd .. && pwd && export FR_X=1"},
            {"shell": "cd src"},
            {"shell": "echo \"${FR_X:-unset}\" > where.txt"},
            {"read": live.path("src/app.txt")},
            {"edit": [live.path("src/app.txt"), "hello", "goodbye"]},
            {"write": [live.path("notes.txt"), "new file\n"]},
            {"shell": "ls /nonexistent-fr; exit 3"},
            {"background": "sleep 1; echo late > late.txt"},
            [{"shell": "echo one > par1.txt"}, {"shell": "echo two > par2.txt"}],
            {"mcp": ["wipe", {"path": live.path("victim.txt")}]},
            {"agent": "[[script:sub]] Run the scripted command."},
            {"shell": "sleep 2; cat late.txt"},
        ],
        "sub": [{"shell": "echo from-subagent > sub.txt"}, {"text": "sub done"}],
    });
    let ran = live.run(&script, &claude(program.to_str().unwrap(), &mcp()));
    live.assert_silent("claude", &ran);
    live.assert_listed(
        &ran,
        &[
            "Bash: git status | . | succeeded",
            "Bash: rm -rf build2 | . | succeeded",
            "Bash: rm -r build | . | succeeded",
            "Bash: cd src && ls -1 | sort | head -n 5 | wc -l && cd .. && pwd && export FR_X=1 | . | succeeded",
            "Bash: cd src | . | succeeded",
            // Claude's next command starts where the last one went.
            "Bash: echo \"${FR_X:-unset}\" > where.txt | ./src | succeeded",
            "Read: src/app.txt | ./src | succeeded",
            "Edit: src/app.txt | ./src | succeeded",
            "Write: notes.txt | ./src | succeeded",
            "Bash: ls /nonexistent-fr; exit 3 | ./src | exit 3",
            "Bash: sleep 1; echo late > late.txt | ./src | background",
            "Bash: echo one > par1.txt | ./src | succeeded",
            "Bash: echo two > par2.txt | ./src | succeeded",
            "mcp__frlive__wipe: {\"path\":\"victim.txt\"} | ./src | succeeded",
            "Agent: {\"description\":\"scripted\",\"prompt\":\"[[script:sub]] Run the scripted command.\",\
             \"subagent_type\":\"general-purpose\"} | ./src | succeeded",
            "Bash: echo from-subagent > sub.txt | ./src | succeeded | general-purpose",
            "Bash: sleep 2; cat late.txt | ./src | succeeded",
        ],
    );
    live.assert_actor("claude", &[("its own hook", Some("2.1.197"))]);
    live.assert_one_session();

    live.undo("echo from-subagent > sub.txt");
    live.undo("victim.txt");
    live.undo("echo two > par2.txt");
    live.undo("echo one > par1.txt");
    live.undo("notes.txt");
    live.undo("Edit: src/app.txt");
    live.undo("> where.txt");
    live.undo("rm -r build");
    live.undo("rm -rf build2");
    // Nobody tells when a command in the background ends, so what it made cannot be told from what others made since.
    live.undo_is_refused("echo late > late.txt", "never reported back");
    std::fs::remove_file(live.path("src/late.txt")).unwrap();
    live.assert_as_before();
}

/// Claude prints what ~/.zshrc sets into a snapshot, in a zsh that reads that file: its own doing, nobody's command.
#[test]
fn claude_code_in_zsh_is_recorded_without_its_snapshot() {
    let Some(program) = installed("claude", PROGRAM) else { return };
    let mut live = claude_world("zsh");
    live.env.vars.push(("SHELL".to_string(), "/usr/bin/zsh".to_string()));
    let script =
        json!({"main": [{"shell": "rm -r build"}, {"shell": "ls ~/.claude/shell-snapshots > made.txt"}]});
    let ran = live.run(&script, &claude(program.to_str().unwrap(), &mcp()));
    live.assert_silent("claude in zsh", &ran);
    live.assert_listed(
        &ran,
        &[
            "Bash: rm -r build | . | succeeded",
            "Bash: ls ~/.claude/shell-snapshots > made.txt | . | succeeded",
        ],
    );
    assert!(live.env.read("made.txt").starts_with("snapshot-zsh-"), "{:?}", live.env.read("made.txt"));
    live.undo("> made.txt");
    live.undo("rm -r build");
    live.assert_as_before();
}

pub fn claude_world(shell: &str) -> Live {
    let mut live = Live::new();
    live.install("claude", &["--shell", shell]);
    for (name, value) in [
        ("ANTHROPIC_BASE_URL", "{MODEL}"),
        ("ANTHROPIC_API_KEY", "sk-test"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ] {
        live.env.vars.push((name.to_string(), value.to_string()));
    }
    live
}

pub fn mcp() -> String {
    json!({"mcpServers": {"frlive": {"command": Live::wiper(), "args": []}}}).to_string()
}

pub fn claude<'a>(program: &'a str, mcp: &'a str) -> Vec<&'a str> {
    vec![
        program,
        "-p",
        "Follow the script.",
        "--model",
        "claude-sonnet-4-5",
        "--mcp-config",
        mcp,
        "--strict-mcp-config",
        "--permission-mode",
        "acceptEdits",
        "--allowedTools",
        "Bash,Edit,Write,Read,Agent,Task,mcp__frlive__wipe",
    ]
}
