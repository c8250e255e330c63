//! Commands that failed, were killed or never reported back are taken back the same way; and what is not captured is
//! never called undone.

use super::{assert_same, picture, project};

#[test]
fn a_command_that_never_reported_back() {
    let env = project();
    let before = picture(&env);
    env.claude_pre("rm -rf src docs");
    env.sh("rm -rf src docs").ok();
    let show = env.fr(&["show", "1"]).ok();
    assert!(show.stdout.contains("may have run"), "{show:?}");
    env.fr(&["undo", "1", "--yes"]).ok();
    // Without a post-state nobody knows whether the parent directory's time is the command's doing: it stays.
    let mut now = picture(&env);
    now.set_root_time_of(&before);
    now.assert_same(&before);
}

#[test]
fn a_hard_link_whose_other_name_was_not_captured() {
    let env = project();
    env.claude_runs("echo y > old/x");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 3, "{undo:?}");
    assert!(undo.stdout.contains("hard link"), "{undo:?}");
    assert_eq!(env.read("old/x"), "x\n");
}

#[test]
fn a_command_that_was_killed_half_way() {
    let env = project();
    let before = picture(&env);
    let call = env.claude_pre("rm -rf src docs");
    env.sh("rm -rf src").ok();
    env.claude_fail(&call, 137);
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_same(&before, &env);
}

#[test]
fn what_fr_does_not_capture_is_said_and_not_called_undone() {
    let env = project();
    env.claude_pre("terragrunt destroy -auto-approve");
    let show = env.fr(&["show", "1"]).ok();
    assert!(show.stdout.contains("not captured"), "{show:?}");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_ne!(undo.code, 0, "{undo:?}");
    assert!(!undo.stdout.contains("verified"), "{undo:?}");
}

#[test]
fn an_edit_tool_is_taken_back() {
    let env = project();
    let before = picture(&env);
    let path = env.project.join("src/main.rs");
    let call = env
        .claude_tool("Edit", serde_json::json!({"file_path": path, "old_string": "one", "new_string": "1"}));
    env.sh("sed -i s/one/1/ src/main.rs").ok();
    env.claude_post(&call);
    let diff = env.fr(&["diff", "1"]).ok();
    assert!(diff.stdout.contains("-one") && diff.stdout.contains("+1"), "{diff:?}");
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_same(&before, &env);
}

#[test]
fn a_file_that_a_tool_created_goes_again() {
    let env = project();
    let before = picture(&env);
    let path = env.project.join("docs/new/file.md");
    let call = env.claude_tool("Write", serde_json::json!({"file_path": path, "content": "new\n"}));
    env.write("docs/new/file.md", "new\n");
    env.claude_post(&call);
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_same(&before, &env);
}
