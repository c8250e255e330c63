//! Playbooks: what people follow at three in the morning has to be right beforehand.

mod fitting;
mod format;
mod hostile;
mod resumed;
mod runs;
mod servers;
mod stories;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

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
