//! Files that somebody, or the agent, changed in between.

use std::os::unix::fs::symlink;

use serde_json::json;

use super::{copy_program, lines, put, text, value};
use crate::env::{TestEnv, run};
use crate::pty::Pty;

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
