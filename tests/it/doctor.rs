//! `fr doctor` tells what is not recorded, by name, and Codex's trust as Codex judges it.

use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::env::{Output, TestEnv, run};
use crate::install::copy_program;

fn doctor(env: &TestEnv) -> (i32, Value) {
    let out = env.fr(&["doctor", "--json"]);
    (out.code, out.json())
}

fn agent(report: &Value, name: &str) -> Value {
    let agents = report["agents"].as_array().unwrap();
    agents.iter().find(|agent| agent["name"] == name).unwrap().clone()
}

fn protection(env: &TestEnv, name: &str) -> (i32, String, String) {
    let (code, report) = doctor(env);
    let agent = agent(&report, name);
    let word = |field: &str| agent[field].as_str().unwrap_or_default().to_string();
    (code, word("protection"), word("problem"))
}

fn with(agents: &[&str]) -> TestEnv {
    let env = TestEnv::new();
    for agent in agents {
        std::fs::create_dir_all(env.home.join(agent)).unwrap();
    }
    env
}

#[test]
fn an_agent_that_is_here_and_not_installed_is_unprotected() {
    let env = with(&[".claude"]);
    let (code, word, problem) = protection(&env, "claude");
    assert_eq!((code, word.as_str()), (3, "unprotected"));
    assert!(problem.contains("not installed"), "{problem}");
    assert_eq!(protection(&env, "gemini").1, "absent");
    let shown = env.fr(&["doctor"]);
    assert_eq!(shown.code, 3);
    assert!(
        shown.stdout.contains("UNPROTECTED") && shown.stdout.contains("fr install --agent claude"),
        "{shown:?}"
    );
    env.fr(&["install", "--yes"]).ok();
    assert_eq!(protection(&env, "claude"), (0, "protected".into(), String::new()));
    // An event of it makes it alive.
    assert_eq!(agent(&doctor(&env).1, "claude")["last_event_ns"], Value::Null);
    env.claude_runs("ls");
    let (_, report) = doctor(&env);
    assert!(agent(&report, "claude")["last_event_ns"].as_i64().unwrap() > 0);
    assert_eq!(report["store"]["problems"], json!([]));
    assert!(report["fr"]["hook_ms"].as_f64().unwrap() > 0.0);
    env.fr(&["doctor"]).ok();
}

#[test]
fn hooks_that_would_reach_nothing_are_no_protection() {
    let mut env = with(&[".claude"]);
    let binary = env.root().join("elsewhere/fr");
    copy_program(TestEnv::binary(), &binary);
    env.vars.push(("PATH".into(), "/usr/bin:/bin".into()));
    let mut command = env.command(&binary);
    command.args(["install", "--yes", "--agent", "claude", "--shell", "bash"]);
    run(command, b"").ok();
    assert_eq!(protection(&env, "claude").1, "protected");
    std::fs::remove_file(&binary).unwrap();
    let (code, word, problem) = protection(&env, "claude");
    assert_eq!((code, word.as_str()), (3, "unprotected"));
    assert!(problem.contains("is gone"), "{problem}");
    let (_, report) = doctor(&env);
    assert_eq!(
        (&report["shells"][0]["name"], &report["shells"][0]["integrated"]),
        (&json!("bash"), &json!(false))
    );
    env.fr(&["install", "--yes", "--agent", "claude", "--shell", "bash"]).ok();
    assert_eq!(protection(&env, "claude").0, 0);
    // One event of nine is missing.
    let path = env.home.join(".claude/settings.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"PostToolUse\"", "\"Elsewhere\"")).unwrap();
    assert!(protection(&env, "claude").2.contains("PostToolUse"));
    // All hooks are off, with ours among them.
    std::fs::write(&path, text.replacen('{', "{\"disableAllHooks\": true,", 1)).unwrap();
    assert!(protection(&env, "claude").2.contains("disableAllHooks"));
    std::fs::write(&path, "{").unwrap();
    assert!(protection(&env, "claude").2.contains("cannot be read"));
}

#[test]
fn codex_is_protected_only_when_it_trusts_the_hooks() {
    let env = with(&[".codex"]);
    let config = env.home.join(".codex/config.toml");
    let before = "# mine\nmodel = \"m\"\n";
    std::fs::write(&config, before).unwrap();
    let out = env.fr(&["install", "--yes"]).ok();
    assert!(out.stdout.contains("/hooks"), "{out:?}");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), before, "never without being told");
    let (code, word, problem) = protection(&env, "codex");
    assert_eq!((code, word.as_str()), (3, "unprotected"));
    assert!(problem.contains("accepted"), "{problem}");

    env.fr(&["install", "--agent", "codex", "--trust-codex-hooks", "--yes"]).ok();
    assert_eq!(protection(&env, "codex").0, 0);
    let trusted = std::fs::read_to_string(&config).unwrap();
    assert!(trusted.starts_with(before), "{trusted}");
    let out = env.fr(&["install", "--agent", "codex", "--trust-codex-hooks", "--yes", "--json"]).ok();
    let again = out.json();
    let nothing = |change: &Value| change["action"] == "nothing";
    assert!(again["changes"].as_array().unwrap().iter().all(nothing), "{again:#}");

    // Somebody changes a hook after it was accepted: Codex stops running it, silently.
    let hooks = env.home.join(".codex/hooks.json");
    let text = std::fs::read_to_string(&hooks).unwrap();
    std::fs::write(&hooks, text.replacen("\"timeout\": 300", "\"timeout\": 301", 1)).unwrap();
    assert!(protection(&env, "codex").2.contains("changed since"));
    std::fs::write(&hooks, &text).unwrap();
    // Switched off in Codex's own review.
    std::fs::write(&config, trusted.replacen("trusted_hash", "enabled = false\ntrusted_hash", 1)).unwrap();
    assert!(protection(&env, "codex").2.contains("switched off"));
    std::fs::write(&config, format!("{trusted}\n[features]\nhooks = false\n")).unwrap();
    assert!(protection(&env, "codex").2.contains("switched off"));

    // What somebody else's review has added since is theirs.
    let other = "\n[hooks.state.\"/p/.codex/hooks.json:stop:0:0\"]\ntrusted_hash = \"sha256:1\"\n";
    std::fs::write(&config, format!("{trusted}{other}")).unwrap();
    env.fr(&["uninstall"]).ok();
    let left: toml::Table = std::fs::read_to_string(&config).unwrap().parse().unwrap();
    let expected: toml::Table = format!("{before}{other}").parse().unwrap();
    assert_eq!(left, expected);
    assert!(std::fs::read_to_string(&config).unwrap().starts_with(before));
    assert!(!hooks.exists());
}

#[test]
fn codexs_trust_is_taken_back_to_the_byte() {
    for before in [
        None,
        Some(""),
        Some("model = \"m\""),
        Some("# c\r\nmodel = \"m\"\r\n"),
        Some("[hooks.state.\"/x:stop:0:0\"]\ntrusted_hash = \"sha256:1\"\n"),
    ] {
        let env = with(&[".codex"]);
        let config = env.home.join(".codex/config.toml");
        before.inspect(|text| std::fs::write(&config, text).unwrap());
        env.fr(&["install", "--trust-codex-hooks", "--yes"]).ok();
        assert_eq!(protection(&env, "codex").0, 0, "{before:?}");
        env.fr(&["uninstall"]).ok();
        assert_eq!(std::fs::read_to_string(&config).ok().as_deref(), before);
    }
    let env = with(&[".codex"]);
    std::fs::write(env.home.join(".codex/config.toml"), "model =").unwrap();
    let out = env.fr(&["install", "--trust-codex-hooks", "--yes"]);
    assert!(out.code == 3 && out.stdout.contains("not TOML"), "{out:?}");
}

/// A program by the name of an agent that does nothing for a while.
fn idle(env: &TestEnv, name: &str) -> std::process::Child {
    let program = env.root().join("bin").join(name);
    let sleep = ["/bin/sleep", "/usr/bin/sleep"].into_iter().find(|path| Path::new(path).is_file()).unwrap();
    copy_program(Path::new(sleep), &program);
    let mut command = env.command(&program);
    command.arg("60");
    command.spawn().unwrap()
}

#[test]
fn an_agent_that_runs_and_is_silent_is_named() {
    let env = TestEnv::new();
    let mut process = idle(&env, "codex");
    let seen = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        protection(&env, "codex").1 == "unprotected"
    });
    let (code, report) = doctor(&env);
    let codex = agent(&report, "codex");
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(seen && code == 3, "{codex:#}");
    assert_eq!(
        (&codex["running"][0]["pid"], &codex["running"][0]["silent"]),
        (&json!(process.id()), &json!(true))
    );
    let problem = codex["problem"].as_str().unwrap();
    assert!(problem.contains("running now") && problem.contains(&process.id().to_string()), "{problem}");
}

#[test]
fn the_silence_of_an_agent_is_a_gap_in_the_timeline() {
    let env = TestEnv::with_git();
    env.claude_runs("true");
    let mut process = idle(&env, "codex");
    let gaps = || env.fr(&["timeline"]).ok().stdout.matches("reports nothing").count();
    assert_eq!(gaps(), 0);
    let seen = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        doctor(&env);
        gaps() == 1
    });
    doctor(&env);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(seen && gaps() == 1, "it is written down, and once");
    let timeline = env.fr(&["timeline"]).ok().stdout;
    assert!(timeline.contains(&format!("codex (process {})", process.id())), "{timeline}");
}

#[test]
fn a_store_that_others_can_read_or_that_is_torn_is_no_sound_store() {
    let env = TestEnv::with_git();
    env.write("x", "1");
    env.claude_runs("rm x");
    env.claude_runs("git commit -q --allow-empty -m x; git reset -q --hard HEAD~1");
    assert_eq!(doctor(&env).0, 0, "{:#}", doctor(&env).1["store"]);
    let problems = |env: &TestEnv| {
        let (code, report) = doctor(env);
        (code, report["store"]["problems"].to_string())
    };
    std::fs::set_permissions(&env.fr_home, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, text) = problems(&env);
    assert!(code == 3 && text.contains("others may read"), "{text}");
    std::fs::set_permissions(&env.fr_home, std::fs::Permissions::from_mode(0o700)).unwrap();
    let segment = newest(&env.fr_home.join("journal"));
    let mut file = std::fs::OpenOptions::new().write(true).open(segment).unwrap();
    file.seek(std::io::SeekFrom::End(0)).unwrap();
    file.write_all(b"torn").unwrap();
    let (code, text) = problems(&env);
    assert!(code == 3 && text.contains("torn"), "{text}");
    env.claude_runs("ls");
    let (code, report) = doctor(&env);
    assert_eq!((code, &report["store"]["problems"]), (0, &json!([])));
    assert_eq!(report["gaps"].as_array().unwrap().len(), 1, "the repair is on record");
    std::fs::write(env.fr_home.join("format"), "fr store 9.0\n").unwrap();
    assert_eq!(problems(&env).0, 3);
}

fn newest(dir: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    files.pop().unwrap()
}

#[test]
fn looking_changes_nothing() {
    let env = with(&[".claude", ".codex"]);
    let list = |env: &TestEnv| {
        let mut command = env.command("find");
        command.arg(env.root());
        run(command, b"").ok()
    };
    let before: Output = list(&env);
    doctor(&env);
    assert_eq!(list(&env), before);
}
