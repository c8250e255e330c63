//! What is left alone, and what of a file is kept.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::{put, text, tree};
use crate::env::TestEnv;

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
