//! What people read of a run afterwards, what it was for, and what `fr undo` means then.

use serde_json::json;

use super::{own, playbook, ran};
use crate::env::{SESSION, TestEnv};

/// Three steps, the second of which fails and is passed over; the third writes.
const THREE: &str = "steps:
  - {id: look, title: look, phase: assess, verify: [ls]}
  - {id: missing, title: missing, phase: assess, verify: [test, -e, nothing], on-failure: continue}
  - {id: write, title: write, phase: recover, run: [touch, made]}
";

/// The lines of a timeline that tell of playbooks.
fn lines(env: &TestEnv, args: &[&str]) -> Vec<String> {
    let text = env.fr(&[&["timeline"], args].concat()).ok().stdout;
    text.lines().filter(|line| line.contains("playbook three")).map(|line| line.trim().to_owned()).collect()
}

/// Its words, without the number, the time and the run's id.
fn words(line: &str) -> &str {
    let (_, words) = line.split_once("playbook three").unwrap();
    words.split(" (run ").next().unwrap().trim_start_matches([' ', ':'])
}

#[test]
fn a_run_is_one_line_and_what_failed_in_it_stands_below() {
    let env = TestEnv::new();
    own(&env, "three", THREE);
    for name in ["a", "b", "c"] {
        env.write(name, "x");
        env.claude_runs(&format!("rm {name}"));
    }
    let (code, report) = ran(&env, &["run", "three"]);
    assert_eq!((code, &report["at"]), (3, &json!("write")));
    let told = lines(&env, &[]);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(words(&told[0]), "waits for a person at write: 1 step done, FAILED: missing");
    assert_eq!(words(&told[1]), "missing FAILED: exit code 1");
    assert!(told[1].contains("└ "), "{told:#?}");
    ran(&env, &["resume", "--confirm", "write"]);
    let told = lines(&env, &["--flat"]);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(words(&told[0]), "finished: 2 steps done, FAILED: missing");
    // What is folded leaves room for others: five lines are five lines.
    let text = env.fr(&["timeline", "-n", "6"]).ok().stdout;
    assert!(text.contains("rm a") && text.contains("touch made"), "{text}");
    let text = env.fr(&["timeline", "-n", "5"]).ok().stdout;
    assert!(!text.contains("rm a") && text.contains("rm b"), "{text}");
    // Each step of it, and all of it.
    let run = report["run"].as_str().unwrap();
    let steps = lines(&env, &["--session", &format!("playbook-{}", &run[..16])]);
    let steps: Vec<&str> = steps.iter().rev().map(|line| words(line)).collect();
    assert_eq!(
        steps,
        [
            "started".to_owned(),
            "look done".to_owned(),
            "missing FAILED: exit code 1".to_owned(),
            "write waits for a person: a person has to agree".to_owned(),
            "write done, confirmed by tester".to_owned(),
            "finished: failed: missing".to_owned(),
        ]
    );
    let shown = playbook(&env, &["show", &run[..12]]).ok().stdout;
    let steps: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(shown.starts_with("playbook three finished: 2 steps done, FAILED: missing (run "), "{shown}");
    let step =
        |id: &str| steps.iter().find(|line| line.get(1) == Some(&id)).unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(step("missing")[2..5], ["assess", "FAILED", "itself"], "{shown}");
    assert_eq!(step("write")[2..5], ["recover", "done", "tester"], "{shown}");
    let story = crate::json::fits(&playbook(&env, &["show", run, "--json"]).ok(), "playbook-story");
    let ids: Vec<&str> =
        story["steps"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["look", "missing", "write"], "{story:#}");
    assert_eq!(playbook(&env, &["show", "abcdef0123"]).code, 2);
    let json = crate::json::fits(&env.fr(&["timeline", "--json", "-n", "100"]).ok(), "timeline");
    let marks = json.as_array().unwrap().iter().filter(|event| event["kind"] == "playbook").count();
    assert_eq!(marks, 9, "JSON has all of it");
}

/// The machine went down in the middle of a step: the line says that its end is not known.
#[test]
fn a_run_that_broke_off_says_where() {
    let env = TestEnv::new();
    own(&env, "three", &THREE.replace(", on-failure: continue", ""));
    let (code, _) = ran(&env, &["run", "three"]);
    assert_eq!(code, 1);
    let told = lines(&env, &[]);
    assert_eq!(words(&told[0]), "broken off at missing: 1 step done, FAILED: missing");
    assert_eq!(words(&told[1]), "missing FAILED: exit code 1");
    let out = playbook(&env, &["resume"]);
    assert!(out.stdout.contains(" --skip missing"), "{out:?}");
    // A look that would fail again does not hold up what comes after it.
    let (code, report) = ran(&env, &["resume", "--skip", "missing", "--confirm", "write"]);
    assert_eq!((code, &report["failed"]), (0, &json!([])), "{report:#}");
    let told = lines(&env, &[]);
    assert_eq!(words(&told[0]), "finished: 2 steps done, 1 left out");
    assert_eq!(told.len(), 3, "that it had failed twice stays to be seen: {told:#?}");
}

#[test]
fn an_incident_is_named_by_its_number_and_is_what_the_run_is_about() {
    let env = TestEnv::new();
    for name in ["a", "b"] {
        env.write(name, name);
    }
    env.claude_runs("rm a");
    env.fr(&["incident", "open", "--event", "1"]).ok();
    let listed = env.fr(&["incident", "list", "--json"]).ok().json();
    let number = listed[0]["id"].to_string();
    env.claude_runs("rm b");
    for (wrong, said) in [
        ("1", "there is no incident 1"),
        ("999", "there is no incident 999"),
        ("INC-7", "is the number of an incident, INC-7 is none"),
    ] {
        let out = playbook(&env, &["run", "files-on-host", "--incident", wrong]);
        assert_eq!(out.code, 2, "{wrong}: {out:?}");
        assert!(out.stderr.contains(said) && out.stderr.contains("fr incident list"), "{wrong}: {out:?}");
    }
    // Not the latest damage of all, but this incident's.
    let (code, report) =
        ran(&env, &["run", "files-on-host", "--incident", &number, "--confirm", "undo,look,learn"]);
    assert_eq!(code, 0, "{report:#}");
    assert!(env.exists("a") && !env.exists("b"), "{report:#}");
    let case = env.fr(&["incident", "timeline", &number]).ok().stdout;
    assert!(case.contains("files-on-host"), "{case}");
}

/// Who has just worked through a playbook and types `fr undo` means what happened, not the repair.
#[test]
fn undo_without_an_id_does_not_mean_what_a_playbook_ran() {
    let env = TestEnv::new();
    own(&env, "three", THREE);
    env.write("a", "x");
    env.write("b", "x");
    env.claude_runs("rm a");
    env.sh("fr exec -- rm b").ok();
    ran(&env, &["run", "three", "--confirm", "write"]);
    assert!(env.exists("made"));
    env.fr(&["undo", "--yes"]).ok();
    assert!(env.exists("made") && env.exists("b") && !env.exists("a"), "a person's command counts");
    env.fr(&["undo", "--yes"]).ok();
    assert!(env.exists("made") && env.exists("a"));
    let none = env.fr(&["undo", "--yes"]);
    assert_eq!(none.code, 5, "{none:?}");
    let hint = none.stderr.lines().find(|line| line.contains("what a playbook ran last")).unwrap().to_owned();
    let id: String = hint.chars().filter(char::is_ascii_digit).collect();
    env.fr(&["undo", "--yes", &id]).ok();
    assert!(!env.exists("made"), "by its number it can be taken back");
    env.fr(&["redo", "--yes"]).ok();
    assert!(env.exists("made"), "and so can that");

    // The undo that a playbook ran is taken back by its number, too.
    let env = TestEnv::new();
    env.write("a", "x");
    env.claude_runs("rm a");
    let (_, report) = ran(&env, &["run", "files-on-host", "--confirm", "undo,look,learn"]);
    assert!(env.exists("a"));
    let line = report["steps"].as_array().unwrap().iter().find(|line| line["step"] == "undo").unwrap();
    assert_eq!(env.fr(&["undo", "--yes"]).code, 5);
    env.fr(&["undo", "--yes", &line["event"].to_string()]).ok();
    assert!(!env.exists("a"), "that is a redo");
}

/// An agent could call its session like that of a playbook. It is meant all the same.
#[test]
fn an_agent_does_not_hide_behind_the_name_of_a_playbook() {
    let env = TestEnv::new();
    env.write("a", "x");
    let tool = json!({"session_id": "playbook-0123456789abcdef", "tool_name": "Bash", "tool_input": {"command": "rm a"}, "tool_use_id": "t"});
    for (name, more) in [
        ("PreToolUse", json!({})),
        ("PostToolUse", json!({"tool_response": {"stdout": "", "stderr": "", "interrupted": false}})),
    ] {
        let mut payload = tool.clone();
        payload["hook_event_name"] = json!(name);
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(env.claude_hook(payload).code, 0);
        env.sh("rm -f a").ok();
    }
    assert_ne!(SESSION, "playbook-0123456789abcdef");
    let fitting = playbook(&env, &["list", "--for"]).ok().stdout;
    assert!(fitting.contains("files-on-host"), "{fitting}");
    env.fr(&["undo", "--yes"]).ok();
    assert!(env.exists("a"));
}
