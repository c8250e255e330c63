//! What real agents tell only afterwards: edits without a before-hook, and the end of what runs in the background.

use serde_json::{Value, json};

use super::claude::{self, claude, claude_world};
use super::{Live, installed};

/// Takes the before-hook out of Claude's settings, as if it had never been installed or had failed.
fn without_before_hook(live: &Live) {
    let path = live.env.home.join(".claude/settings.json");
    let mut settings: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    settings["hooks"].as_object_mut().unwrap().remove("PreToolUse").unwrap();
    std::fs::write(path, settings.to_string()).unwrap();
}

#[test]
fn claude_code_tells_what_a_file_held_before_its_edit() {
    let Some(program) = installed("claude", claude::PROGRAM) else { return };
    let live = claude_world("bash");
    without_before_hook(&live);
    let windows = live.env.write("windows.txt", "one\r\ntwo\r\nthree\r\n");
    let script = json!({"main": [
        {"read": live.path("src/app.txt")},
        {"edit": [live.path("src/app.txt"), "hello", "goodbye"]},
        {"read": live.path("windows.txt")},
        {"edit": [live.path("windows.txt"), "two", "2"]},
        {"write": [live.path("notes.txt"), "new file\n"]},
    ]});
    let ran = live.run(&script, &claude(program.to_str().unwrap(), &claude::mcp()));
    live.assert_silent("claude without its before-hook", &ran);
    assert_eq!(std::fs::read(&windows).unwrap(), b"one\r\n2\r\nthree\r\n", "{}", live.account(&ran));
    live.assert_listed(
        &ran,
        &[
            "Edit: src/app.txt | . | succeeded",
            "Edit: windows.txt | . | succeeded",
            "Write: notes.txt | . | succeeded",
        ],
    );
    for edit in ["notes.txt", "windows.txt", "src/app.txt"] {
        live.undo_in_part(edit, "the agent's own word");
    }
    assert_eq!(std::fs::read(&windows).unwrap(), b"one\r\ntwo\r\nthree\r\n");
    std::fs::remove_file(windows).unwrap();
    // Its old time nobody told.
    assert_eq!(live.env.read("src/app.txt"), "hello\n");
    live.assert_as_before_but(&["src/app.txt"]);
}

#[test]
fn claude_code_tells_the_end_of_a_task_in_the_background() {
    let Some(program) = installed("claude", claude::PROGRAM) else { return };
    let live = claude_world("bash");
    let script = json!({"main": [
        {"background": "sleep 1; echo late > late.txt; rm -r build; exit 3"},
        {"output": "task"},
    ]});
    let ran = live.run(&script, &claude(program.to_str().unwrap(), &claude::mcp()));
    live.assert_silent("claude with a task in the background", &ran);
    let events = live.events();
    let task = events.iter().find(|event| event["command"]["tool"] == "Bash").unwrap();
    assert_eq!(task["outcome"], json!({"how": "exited", "code": 3}), "{}", live.account(&ran));
    assert!(live.env.exists("late.txt") && !live.env.exists("build"));
    live.undo("late.txt");
    live.assert_as_before();
}
