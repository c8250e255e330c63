//! What scripts and people read: JSON that keeps to its schema, text that keeps its shape, and nothing of what hostile
//! names and commands hold reaching the terminal raw.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::env::{Output, TestEnv};
use crate::pty::Pty;

/// 2026-01-02T03:04:05Z.
const FROZEN: i64 = 1_767_323_045_000_000_000;

fn schema(name: &str) -> Validator {
    let path = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{path}: {cause}"));
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// Checks output against a schema; the value.
#[track_caller]
pub fn fits(out: &Output, name: &str) -> Value {
    // A `Value` would hide a name that is there twice.
    assert_eq!(doubled_names(&out.stdout), Vec::<String>::new(), "{}", out.stdout);
    let value = out.json();
    let wrong: Vec<String> =
        schema(name).iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{value:#}");
    value
}

/// Names that stand twice in one object of pretty-printed JSON.
fn doubled_names(pretty: &str) -> Vec<String> {
    let mut open: Vec<Vec<&str>> = Vec::new();
    let mut doubled = Vec::new();
    for line in pretty.lines().map(str::trim) {
        if let Some(name) =
            line.strip_prefix('"').and_then(|rest| rest.split_once("\": ")).map(|(name, _)| name)
            // A string that holds JSON is no name.
            && !name.contains('\\')
            && let Some(names) = open.last_mut()
        {
            if names.contains(&name) {
                doubled.push(name.to_string());
            }
            names.push(name);
        }
        if line.starts_with('}') || line.starts_with(']') {
            open.pop();
        }
        if line.ends_with('{') || line.ends_with('[') {
            open.push(Vec::new());
        }
    }
    doubled
}

#[test]
fn doubled_names_are_seen() {
    assert_eq!(
        doubled_names("{\n  \"a\": {\n    \"a\": 1\n  },\n  \"b\": [\n    {\n      \"a\": 1\n    }\n  ]\n}"),
        [""; 0]
    );
    assert_eq!(doubled_names("{\n  \"a\": {\n    \"b\": 1\n  },\n  \"a\": 1\n}"), ["a"]);
}

/// A history with every kind of thing in it: git, edits, failures, sub-agents, odd bytes, an undo.
fn history() -> TestEnv {
    let env = TestEnv::with_git();
    env.write("notes.txt", "one\ntwo\n");
    env.claude_hook(json!({"hook_event_name": "SessionStart"}));
    env.claude_runs("rm notes.txt");
    env.claude_runs("printf 'x\\n' >> README.md && git reset -q --hard");
    env.claude_runs("ls; false");
    env.claude_tool("Edit", json!({"file_path": env.project.join("README.md").to_str().unwrap()}));
    env.claude_hook(json!({
        "hook_event_name": "PreToolUse", "tool_name": "mcp__x__y", "tool_input": {"a": 1}, "tool_use_id": "m",
        "agent_id": "a1", "agent_type": "Explore",
    }));
    std::fs::write(env.fr_home.join("config.toml"), "on-incomplete-capture = \"ask\"\n").unwrap();
    assert!(env.claude_pre("kubectl delete namespace prod").answer.stdout.contains("ask"));
    std::fs::remove_file(env.fr_home.join("config.toml")).unwrap();
    env.sh("printf x > $'caf\\xe9'; fr exec -- rm $'caf\\xe9'").ok();
    env
}

#[test]
fn every_json_output_fits_its_schema() {
    let env = history();
    let lines = [
        "rm -rf build && git push -f",
        "ls",
        "python x.py",
        "cat <<E | sh\n$(x)\nE",
        "rm caf\u{e9}",
        "(((",
        "",
    ];
    for line in lines {
        fits(&env.fr(&["explain", "--json", "-c", line]).ok(), "explain");
    }
    let events = fits(&env.fr(&["timeline", "--json"]).ok(), "timeline");
    assert!(events.as_array().unwrap().len() >= 6, "{events:#}");
    for event in events.as_array().unwrap() {
        let id = event["id"].to_string();
        assert_eq!(&fits(&env.fr(&["show", "--json", &id]).ok(), "event"), event);
        fits(&env.fr(&["diff", "--json", &id]).ok(), "diff");
        fits(&env.fr(&["diff", "--now", "--json", &id]).ok(), "diff");
        fits(&env.fr(&["verify", "--json", &id]).ok(), "verify");
        let aside = format!("../aside-{id}");
        let restored = env.fr(&["restore", &id, "--to", &aside, "--json"]);
        if restored.code != 5 {
            fits(&restored, "restore");
        }
        let plan = env.fr(&["undo", "--dry-run", "--json", &id]);
        if plan.code != 5 {
            fits(&plan, "undo-plan");
        }
    }
    let sessions = fits(&env.fr(&["sessions", "--json"]).ok(), "sessions");
    // What a person asked of the recorder itself has one of its own each time.
    let is_own = |one: &&Value| one["session"].as_str().is_some_and(|name| name.starts_with("fr-"));
    assert_eq!(sessions.as_array().unwrap().iter().filter(|one| !is_own(one)).count(), 2);
    fits(&env.fr(&["verify", "--all", "--json"]).ok(), "verify");
    fits(&env.fr(&["store", "stats", "--json"]).ok(), "store-stats");
    fits(&env.fr(&["store", "verify", "--json"]).ok(), "store-verify");
    fits(&env.fr(&["store", "gc", "--dry-run", "--json"]).ok(), "gc-plan");
    fits(
        &env.fr(&["store", "gc", "--dry-run", "--json", "--keep-within", "0s", "--grace", "0s"]).ok(),
        "gc-plan",
    );

    let undo = fits(&env.fr(&["undo", "1", "--yes", "--json"]).ok(), "undo-report");
    assert_eq!((&undo["of"], &undo["steps"][0]["verification"]["result"]), (&json!([1]), &json!("verified")));
    fits(&env.fr(&["redo", "--dry-run", "--json"]).ok(), "undo-plan");
    fits(&env.fr(&["redo", "--yes", "--json"]).ok(), "undo-report");
    fits(&env.fr(&["timeline", "--json"]).ok(), "timeline");
    fits(&env.fr(&["show", "1", "--json"]).ok(), "event");
    for action in ["enable", "status", "disable"] {
        fits(&env.fr(&["shims", action, "--json"]).ok(), "shims");
    }
}

#[test]
fn the_undo_of_several_events_fits_its_schemas() {
    let env = history();
    env.write("kept/x", "x");
    env.claude_runs("rm -rf kept");
    env.claude_runs("echo x > a; rm -f README.md");
    env.claude_runs("echo y > a");
    env.write("README.md", "a person's");
    let all = |more: &[&str]| env.fr(&[&["undo", "--session", "--json"], more].concat());
    fits(&all(&["--dry-run"]), "undo-plan");
    fits(&all(&["--dry-run", "--path", "kept", "--system", "fs"]), "undo-plan");
    let file = env.root().join("plan.json");
    all(&["--plan-out", file.to_str().unwrap()]);
    let written = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let errors: Vec<String> = schema("undo-plan-file").iter_errors(&written).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let report = fits(&all(&["--yes", "--path", "kept"]).ok(), "undo-report");
    let shown = fits(&env.fr(&["show", "--json", &report["event"].to_string()]).ok(), "event");
    assert!(!shown["net"].as_array().unwrap().is_empty(), "{shown}");
    fits(&all(&["--yes", "--on-conflict", "skip"]), "undo-report");
}

#[test]
fn installing_and_examining_fit_their_schemas() {
    let env = history();
    std::fs::create_dir(env.home.join(".claude")).unwrap();
    std::fs::create_dir(env.home.join(".codex")).unwrap();
    std::fs::create_dir(env.home.join(".gemini")).unwrap();
    std::fs::write(env.home.join(".gemini/settings.json"), "{").unwrap();
    env.claude_hook(json!({"hook_event_name": "PreToolUse"}));
    fits(&env.fr(&["install", "--dry-run", "--json"]), "install-plan");
    let done = fits(
        &env.fr(&["install", "--yes", "--json", "--shell", "bash", "--agent", "gemini"]),
        "install-plan",
    );
    assert_eq!(
        (&done["changes"][0]["action"], &done["changes"][1]["done"]),
        (&json!("refused"), &json!(true))
    );
    let report = fits(&env.fr(&["doctor", "--json"]), "doctor");
    assert!(!report["gaps"].as_array().unwrap().is_empty(), "{report:#}");
    fits(&env.fr(&["uninstall", "--json"]), "install-plan");
    fits(&TestEnv::new().fr(&["doctor", "--json"]).ok(), "doctor");
}

#[test]
fn a_drill_and_its_event_fit_their_schemas() {
    let mut env = TestEnv::new();
    let report = fits(&env.fr(&["drill", "--system", "files", "--json"]).ok(), "drill");
    assert_eq!(report["scenarios"][0]["outcome"], "passed");
    // One that fails, one that is skipped.
    env.write("bin/rm", "#!/bin/sh\nexit 0\n");
    env.sh("chmod +x bin/rm; for p in bash mv cp find chmod ln truncate touch sed; do \
            ln -s \"$(command -v $p)\" bin/$p; done")
        .ok();
    env.vars.push(("PATH".to_string(), env.project.join("bin").to_str().unwrap().to_string()));
    let report = env.fr(&["drill", "--json"]);
    let value = fits(&report, "drill");
    assert_eq!((report.code, &value["scenarios"][1]["outcome"]), (1, &json!("skipped")));
    let events = fits(&env.fr(&["timeline", "--json"]).ok(), "timeline");
    assert_eq!(events[0]["drilled"][0]["outcome"], "failed");
    fits(&env.fr(&["show", "2", "--json"]).ok(), "event");
}

#[test]
fn what_is_damaged_fits_its_schema_too() {
    let env = history();
    for entry in std::fs::read_dir(env.fr_home.join("packs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "frp") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let report = env.fr(&["store", "verify", "--json"]);
    let value = fits(&report, "store-verify");
    assert_eq!((report.code, &value["findings"][0]["severity"]), (1, &json!("damaged")));
    let verified = env.fr(&["verify", "1", "--json"]);
    assert_eq!((verified.code, &fits(&verified, "verify")[0]["whole"]), (1, &json!(false)));
}

/// Output with what differs from run to run taken out.
fn settled(env: &TestEnv, text: &str) -> String {
    let text = text.replace(env.root().to_str().unwrap(), "[ROOT]");
    let is_uid = |word: &str| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let settled = |line: &str| match line.rsplit_once(' ') {
        Some((head, word)) if is_uid(word) => format!("{head} [UID]"),
        _ => line.trim_end().to_string(),
    };
    text.lines().map(settled).collect::<Vec<_>>().join("\n")
}

/// Three events, all at [`FROZEN`], seen five minutes later.
fn frozen() -> TestEnv {
    let mut env = TestEnv::new();
    env.vars.push(("FR_FAKE_TIME".to_string(), FROZEN.to_string()));
    env.write("src/main.rs", "fn main() {}\n");
    env.write("notes", "one\n");
    env.claude_runs("ls -la");
    env.claude_runs("rm -rf src");
    env.claude_runs("echo two > notes; exit 3");
    env.vars.push(("FR_FAKE_TIME".to_string(), (FROZEN + 300_000_000_000).to_string()));
    env
}

#[test]
fn the_texts_keep_their_shape() {
    let env = frozen();
    let shown = |args: &[&str]| settled(&env, &env.fr(args).ok().stdout);
    insta::assert_snapshot!(shown(&["timeline"]), @r"
    ID  WHEN    EFFECT     BACK   KEPT  EXIT  COMMAND
    claude, session 5e551011, in [ROOT]/project: 3 events, 2 destructive, 1 failed; 5m ago
    3   5m ago  overwrite  exact  all   3     echo two > notes; exit 3
    2   5m ago  destroy    exact  all   ok    rm -rf src
    1   5m ago  -          -      -     ok    ls -la
    ");
    insta::assert_snapshot!(shown(&["timeline", "--flat", "--absolute", "--changes"]), @r"
    ID  WHEN                 WHO     EFFECT     BACK   KEPT  EXIT  COMMAND
    3   2026-01-02 03:04:05  claude  overwrite  exact  all   3     echo two > notes; exit 3
    2   2026-01-02 03:04:05  claude  destroy    exact  all   ok    rm -rf src
    ");
    insta::assert_snapshot!(shown(&["show", "2"]), @r"
    event 2  rm -rf src
      uid           [UID]
      time          2026-01-02 03:04:05
      actor         agent claude (its own hook)
      session       5e551011-0000-4000-8000-000000000001
      tool          Bash
      directory     [ROOT]/project
      outcome       succeeded after 12ms
      reversibility exact
      effects
        destroy    path:src  exact
      captured before it ran
        path:src  2 items, 13 B
    ");
    insta::assert_snapshot!(shown(&["sessions"]), @r"
    SESSION                               WHO           BEGAN   LAST    EVENTS  DESTRUCTIVE
    5e551011-0000-4000-8000-000000000001  agent claude  5m ago  5m ago  3       2
    ");
    insta::assert_snapshot!(shown(&["undo", "2", "--dry-run"]), @r"
    undo 2: rm -rf src
      1. path:src  bring back 2 paths  (exact)
    ");
    insta::assert_snapshot!(shown(&["undo", "3", "--yes"]), @r"
    undo 3: echo two > notes; exit 3
      1. path:notes  put back the old version of 1 path  (exact)
      path:notes  put back the old version of 1 path: verified
    event 3 is undone and verified; this undo is event 4, `fr redo 4` takes it back
    ");
}

/// What the verbs say about a history, one after the other.
fn everything(env: &TestEnv, color: &str) -> String {
    let mut all = String::new();
    for verb in [
        &["timeline"][..],
        &["timeline", "--absolute"],
        &["timeline", "--flat"],
        &["show", "1"],
        &["show", "2"],
        &["show", "3"],
        &["sessions"],
        &["diff", "1"],
        &["undo", "1", "--dry-run"],
        &["verify", "--all"],
        &["store", "verify"],
        &["store", "gc", "--dry-run"],
        &["explain", "-c", "rm \x1b[2J; \u{202e}evil; echo \x07 > \x1b]0;t\x07"],
        &["show", "\x1b[2J"],
        &["timeline", "--since", "\x1b[2J"],
        &["timeline", "--nosuch\x1b[2J"],
        &["undo", "1", "--yes"],
        &["redo", "--dry-run"],
        &["exec", "--", "no\x1b[2Jsuch"],
    ] {
        let args: Vec<&str> = ["--color", color].into_iter().chain(verb.iter().copied()).collect();
        // `exec` reads its arguments itself.
        let args = if verb[0] == "exec" { verb } else { &args };
        let out = env.fr(args);
        assert!(!out.stderr.contains("panicked"), "{out:?}");
        all.push_str(&out.stdout);
        all.push_str(&out.stderr);
    }
    all
}

/// A history in which every text that an agent can choose is an attack on the terminal.
fn hostile() -> TestEnv {
    let env = TestEnv::new();
    let evil = "\x1b[2J\x1b]52;c;eA==\x07\u{9b}31m\u{202e}\r\u{200b}\u{7f}";
    let name = format!("f{evil}");
    env.write(&name, format!("{evil}\nsecond\n"));
    let cwd = env.project.join(format!("d{evil}"));
    std::fs::create_dir(&cwd).unwrap();
    std::fs::write(cwd.join("\x1b[31mred\n"), evil).unwrap();
    let event = |name: &str, tool: &str, input: Value, id: &str| {
        json!({"hook_event_name": name, "tool_name": tool, "tool_input": input, "tool_use_id": id,
            "agent_id": evil, "agent_type": evil, "error": format!("Exit code 1\n{evil}")})
    };
    let line = json!({"command": format!("rm -- '{name}'")});
    env.claude_hook(event("PreToolUse", "Bash", line.clone(), "1"));
    std::fs::remove_file(env.project.join(&name)).unwrap();
    env.claude_hook(event("PostToolUseFailure", "Bash", line, "1"));
    env.claude_hook(event("PreToolUse", &format!("mcp{evil}"), json!({"k": evil}), "2"));
    let mut third = event("PreToolUse", "Bash", json!({"command": format!("rm -rf . # {evil}")}), "3");
    third["cwd"] = json!(cwd.to_str().unwrap());
    third["session_id"] = json!(format!("s{evil}"));
    env.claude_hook(third);
    env.fr_with(&["hook", "claude"], format!("{{\"hook_event_name\":\"{evil}").as_bytes());
    env
}

#[test]
fn hostile_bytes_never_reach_the_terminal_raw() {
    let env = hostile();
    let plain = everything(&env, "auto");
    let bad: Vec<char> = plain.chars().filter(|c| c.is_control() && *c != '\n').collect();
    assert!(bad.is_empty(), "{bad:?} in {plain}");
    assert!(!plain.contains('\u{202e}') && !plain.contains('\u{200b}'), "{plain}");
    assert!(plain.contains("\\x1b[2J"), "it is shown, not hidden: {plain}");

    let painted = everything(&hostile(), "always");
    assert!(painted.contains("\x1b["), "--color always paints");
    let sgr = without_colour(&painted);
    let bad: Vec<char> = sgr.chars().filter(|c| c.is_control() && *c != '\n').collect();
    assert!(bad.is_empty(), "{bad:?} in {sgr}");
    // All that is left of the attack's own colour is its visible form.
    assert!(!painted.contains("\x1b[31mred"), "{painted:?}");
}

/// The text without `ESC [ digits and semicolons m`.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        match part.find(|c: char| !(c.is_ascii_digit() || c == ';')) {
            Some(end) if part[end..].starts_with('m') => out.push_str(&part[end + 1..]),
            _ => out.push_str(&format!("\x1b[{part}")),
        }
    }
    out
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let env = frozen();
    assert!(!env.fr(&["timeline"]).ok().stdout.contains('\x1b'), "a pipe");
    assert!(env.fr(&["timeline", "--color", "always"]).ok().stdout.contains("\x1b["));
    let on_a_terminal = |vars: &[(&str, &str)], args: &[&str]| {
        let mut command = env.command(TestEnv::binary());
        command.env("TERM", "xterm-256color").envs(vars.iter().copied()).args(args);
        let mut pty = Pty::start(&command);
        assert_eq!(pty.end(), 0);
        pty.screen()
    };
    let colored = on_a_terminal(&[], &["timeline"]);
    assert!(colored.contains("\x1b[") && colored.contains("rm -rf src"), "{colored:?}");
    for (vars, args) in [
        (&[("NO_COLOR", "1")][..], &["timeline"][..]),
        (&[("TERM", "dumb")], &["timeline"]),
        (&[], &["timeline", "--color", "never"]),
    ] {
        let plain = on_a_terminal(vars, args);
        assert!(!plain.contains('\x1b') && plain.contains("rm -rf src"), "{vars:?}: {plain:?}");
    }
}
