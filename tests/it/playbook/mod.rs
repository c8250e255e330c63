//! Playbooks: what people follow at three in the morning has to be right beforehand.

mod cacao;
mod fitting;
mod format;
mod hostile;
mod infra;
mod leaks;
mod resumed;
mod runs;
mod secrets;
mod servers;
mod stories;
mod told;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::env::{Output, TestEnv};

/// The shipped ones.
const SHIPPED: [&str; 16] = [
    "first-five-minutes",
    "revoke-agent-credentials",
    "git-force-push",
    "git-local-loss",
    "terraform-destroy",
    "terraform-state",
    "k8s-namespace",
    "ec2-terminated",
    "s3-bucket",
    "database-loss",
    "secrets-kms-iam",
    "docker-volume",
    "files-on-host",
    "publish-leak",
    "runaway-agent",
    "drill",
];

/// The user's own playbook: its head, and these steps.
fn own(env: &TestEnv, name: &str, rest: &str) -> PathBuf {
    let dir = env.fr_home.join("playbooks");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700)).unwrap();
    let path = dir.join(format!("{name}.yaml"));
    std::fs::write(&path, format!("apiVersion: fr/v1\nname: {name}\ntitle: a test\n{rest}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// `fr playbook …`.
fn playbook(env: &TestEnv, args: &[&str]) -> Output {
    env.fr(&[&["playbook"], args].concat())
}

/// The same as JSON, which fits its schema.
fn ran(env: &TestEnv, args: &[&str]) -> (i32, Value) {
    let out = playbook(env, &[args, &["--json"]].concat());
    assert!(!out.stdout.is_empty(), "{out:?}");
    (out.code, crate::json::fits(&out, "playbook-run"))
}

/// Runs one to its end; each step that is named is agreed to or answered. Then it is looked at what is on record of it.
#[track_caller]
fn to_the_end(env: &TestEnv, args: &[&str], confirm: &str, answers: &[&str]) -> Value {
    let mut all = vec!["run"];
    all.extend_from_slice(args);
    all.extend(["--confirm", confirm]);
    for answer in answers {
        all.extend(["--answer", answer]);
    }
    let (code, report) = ran(env, &all);
    let runs = || playbook(env, &["list", "--runs"]).stdout;
    assert_eq!((code, &report["moment"]), (0, &json!("finished")), "{report:#}\n{}", runs());
    on_record(env, &report);
    report
}

/// Each step has the end on record that the report names, one event for it, and its beginning before that where something
/// was done; and people read one line of all of it.
#[track_caller]
fn on_record(env: &TestEnv, report: &Value) {
    let runs = crate::json::fits(&playbook(env, &["list", "--runs", "--json"]).ok(), "playbook-runs");
    let run = runs.as_array().unwrap().iter().find(|run| run["run"] == report["run"]).unwrap();
    assert_eq!(run["moment"], report["moment"], "{run:#}");
    let events = env.fr(&["timeline", "--json", "--limit", "500"]).ok().json();
    let of_run = |event: &&Value| event["mark"]["run"] == report["run"];
    let marks: Vec<&Value> = events.as_array().unwrap().iter().rev().filter(of_run).collect();
    let playbook_name = report["playbook"].as_str().unwrap();
    for step in report["steps"].as_array().unwrap() {
        let of_step: Vec<&str> = marks
            .iter()
            .filter(|event| event["mark"]["step"]["id"] == step["step"])
            .filter_map(|event| event["mark"]["moment"].as_str())
            .filter(|moment| *moment != "waiting")
            .collect();
        let end = step["moment"].as_str().unwrap();
        assert!(of_step == [end] || of_step == ["step-begun", end], "{playbook_name}: {step}: {of_step:?}");
        if let Some(event) = step["event"].as_u64() {
            env.fr(&["show", &event.to_string()]).ok();
        }
    }
    let told = env.fr(&["timeline", "--limit", "500"]).ok().stdout;
    let run = format!("(run {})", &report["run"].as_str().unwrap()[..16]);
    let lines: Vec<&str> = told.lines().filter(|line| line.contains(&run)).collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert!(lines[0].contains(" finished: ") && !lines[0].contains("FAILED"), "{told}");
}

/// How a step ended, and why.
fn step(report: &Value, id: &str) -> (String, String) {
    let found = report["steps"].as_array().unwrap().iter().find(|line| line["step"] == id);
    let found = found.unwrap_or_else(|| panic!("no step {id} in {report:#}"));
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("moment"), text("note"))
}

/// The marks of all runs, the oldest first: moment and step.
fn marks(env: &TestEnv) -> Vec<(String, String)> {
    let mut events =
        env.fr(&["timeline", "--json", "--limit", "200"]).ok().json().as_array().unwrap().clone();
    events.reverse();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let marks = events.iter().filter(|event| event["kind"] == "playbook");
    marks.map(|event| (text(&event["mark"]["moment"]), text(&event["mark"]["step"]["id"]))).collect()
}

/// All that the journal holds, as text.
fn journal(env: &TestEnv) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(env.fr_home.join("journal")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
    text
}
