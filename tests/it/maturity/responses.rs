//! Response as it went: incidents with the time until agents were held and until all was back, playbooks that were run to their end,
//! drills, and whether it gets better.

use serde_json::{Value, json};

use super::{of, recorded, report, standing};
use crate::env::TestEnv;
use crate::json::fits;

const MINUTE: i64 = 60_000_000_000;
const DAY: i64 = 1440 * MINUTE;
/// 2026-01-15T00:00:00Z.
const JANUARY: i64 = 1_768_435_200_000_000_000;

fn at(env: &mut TestEnv, ns: i64) {
    env.vars.retain(|(name, _)| name != "FR_FAKE_TIME");
    env.vars.push(("FR_FAKE_TIME".to_owned(), ns.to_string()));
}

fn incident(env: &TestEnv, args: &[&str]) -> String {
    fits(&env.fr(&[&["incident"], args, &["--json"]].concat()).ok(), "incident")["id"].to_string()
}

/// The latest event's number.
fn latest(env: &TestEnv) -> String {
    env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0]["id"].to_string()
}

/// An agent destroys something; so many minutes later the incident is opened, and so on; nothing where it is not done.
#[track_caller]
fn night(env: &mut TestEnv, began: i64, [opened, contained, undone]: [Option<i64>; 3]) -> String {
    at(env, began);
    env.write("data/x", "1");
    env.claude_runs("rm -rf data");
    let event = latest(env);
    let mut id = String::new();
    let mut steps = vec![(opened, 'o'), (contained, 'c'), (undone, 'u')];
    steps.sort();
    for (minutes, step) in steps.into_iter().filter_map(|(minutes, step)| Some((minutes?, step))) {
        at(env, began + minutes * MINUTE);
        match step {
            'o' => id = incident(env, &["open", "gone", "--event", &event]),
            'c' => drop(env.fr(&["contain", "--session", crate::env::SESSION]).ok()),
            _ => drop(env.fr(&["undo", &event, "--yes"]).ok()),
        }
    }
    if contained.is_some() {
        env.fr(&["release"]).ok();
    }
    id
}

#[test]
fn how_soon_agents_are_held_is_measured_from_incidents() {
    let mut env = recorded();
    env.claude_runs("ls");
    at(&mut env, JANUARY);
    env.claude_runs("ls");
    assert_eq!(standing(&env, "contained-in-time").0, "does-not-apply");
    night(&mut env, JANUARY, [Some(1), Some(3), Some(20)]);
    let (word, told) = standing(&env, "contained-in-time");
    assert!(word == "met" && told.contains("2 min") && told.contains("after 120 s"), "{told}");
    // Who contains first and writes down afterwards is fast, not late.
    night(&mut env, JANUARY + DAY, [Some(9), Some(1), Some(20)]);
    assert_eq!(standing(&env, "contained-in-time").0, "met");
    night(&mut env, JANUARY + 2 * DAY, [Some(1), Some(31), Some(40)]);
    let (word, told) = standing(&env, "contained-in-time");
    assert!(word == "not-met" && told.contains("30 min"), "the slowest of nine in ten: {told}");
    // One of which nobody thought: that it took no time is not known.
    let id = night(&mut env, JANUARY + 10 * DAY, [Some(1), None, None]);
    let (word, told) = standing(&env, "contained-in-time");
    assert!(word == "unknown" && told.contains(&format!("incident {id}")), "{told}");
}

#[test]
fn incidents_that_nobody_closes_are_named() {
    let mut env = recorded();
    let id = night(&mut env, JANUARY, [Some(1), Some(2), Some(5)]);
    assert_eq!(standing(&env, "incidents-closed").0, "does-not-apply", "nobody expects it yet");
    at(&mut env, JANUARY + 6 * DAY);
    let (word, told) = standing(&env, "incidents-closed");
    assert!(word == "not-met" && told.contains(&format!("{id} \\\"gone\\\"")), "{told}");
    env.fr(&["incident", "close", &id, "--outcome", "back"]).ok();
    let (word, told) = standing(&env, "incidents-closed");
    assert!(word == "met" && told.contains("100 % (1 of 1)"), "{told}");
}

#[test]
fn how_soon_all_is_back_is_what_the_report_of_each_incident_says() {
    let mut env = recorded();
    at(&mut env, JANUARY);
    env.claude_runs("ls");
    assert_eq!(standing(&env, "recovered-in-time").0, "does-not-apply");
    let first = night(&mut env, JANUARY, [Some(1), Some(2), Some(30)]);
    env.fr(&["incident", "close", &first, "--outcome", "back"]).ok();
    let (word, told) = standing(&env, "recovered-in-time");
    assert!(word == "met" && told.contains("30 min"), "{told}");
    let said = env.fr(&["incident", "report", &first, "--format", "json"]).ok().json();
    let recover =
        said["metrics"].as_array().unwrap().iter().find(|m| m["name"] == "time-to-recover").unwrap().clone();
    assert_eq!(recover["number"], json!(30.0 * 60_000.0));
    // The slow one counts, and one that was given up is not known to have come back at all.
    let second = night(&mut env, JANUARY + DAY, [Some(1), None, Some(300)]);
    env.fr(&["incident", "close", &second, "--outcome", "back"]).ok();
    let (word, told) = standing(&env, "recovered-in-time");
    assert!(word == "not-met" && told.contains("300 min"), "{told}");
    let third = night(&mut env, JANUARY + 2 * DAY, [Some(1), None, None]);
    env.fr(&["incident", "close", &third, "--outcome", "given up"]).ok();
    let (word, told) = standing(&env, "recovered-in-time");
    assert!(word == "unknown" && told.contains(&format!("incident {third}")), "{told}");
    let next = of(&report(&env, &[]), "recovered-in-time")["next"].as_str().unwrap().to_owned();
    assert_eq!(next, format!("fr incident report {third}"));
    env.sh(&next).ok();
}

#[test]
fn a_playbook_counts_when_it_was_run_to_its_end() {
    let env = recorded();
    env.write("docs/a", "1");
    env.claude_runs("rm -rf docs");
    assert_eq!(standing(&env, "playbook-exercised").0, "not-met");
    // Stopped at its first question.
    let out = env.fr(&["playbook", "run", "files-on-host"]);
    assert_eq!(out.code, 3, "{out:?}");
    let (word, told) = standing(&env, "playbook-exercised");
    assert!(word == "not-met" && told.contains("none was run to its end"), "{told}");
    env.fr(&["playbook", "resume", "--confirm", "undo,look,learn"]).ok();
    let (word, told) = standing(&env, "playbook-exercised");
    assert!(word == "met" && told.contains("files-on-host (event "), "{told}");
    // One that breaks off is told beside it, and counts for nothing.
    env.fr(&["release"]).ok();
    env.write("a", "one");
    env.claude_runs("ls; echo gone > a");
    env.write("a", "somebody's work");
    let out = env.fr(&["playbook", "run", "files-on-host", "--confirm", "undo,look,learn"]);
    assert_eq!(out.code, 1, "{out:?}");
    let one = of(&report(&env, &[]), "playbook-exercised");
    assert_eq!(one["figure"], json!(1.0), "{one:#}");
    assert!(one.to_string().contains("broken off: files-on-host"), "{one:#}");
}

#[test]
fn a_drill_that_fails_is_no_rehearsal() {
    let mut env = recorded();
    env.write("x", "1");
    env.claude_runs("rm x");
    assert_eq!(standing(&env, "drilled").0, "not-met");
    env.fr(&["drill", "--system", "files"]).ok();
    assert_eq!((standing(&env, "drilled").0, standing(&env, "drilled-once").0), ("met".into(), "met".into()));
    // Something on this machine takes the place of rm and does not remove.
    env.write("bin/rm", "#!/bin/sh\nexit 0\n");
    env.sh("chmod +x bin/rm; for p in bash mv cp find chmod ln truncate touch sed; do \
            ln -s \"$(command -v $p)\" bin/$p; done")
        .ok();
    env.vars.push(("PATH".to_owned(), env.project.join("bin").to_str().unwrap().to_owned()));
    assert_eq!(env.fr(&["drill", "--system", "files"]).code, 1);
    env.vars.pop();
    let (word, told) = standing(&env, "drilled-once");
    assert!(word == "not-met" && told.contains("files failed"), "the latest counts: {told}");
    assert_eq!(standing(&env, "drilled").0, "not-met");
}

fn month(trend: &Value, name: &str) -> Value {
    let all = trend["months"].as_array().unwrap();
    all.iter().find(|month| month["month"] == name).unwrap_or_else(|| panic!("no {name}: {trend:#}")).clone()
}

#[test]
fn whether_response_gets_better_is_in_the_trend() {
    let mut env = recorded();
    night(&mut env, JANUARY, [Some(10), Some(12), Some(100)]);
    night(&mut env, JANUARY + DAY, [Some(20), Some(26), None]);
    night(&mut env, JANUARY + 31 * DAY, [Some(6), Some(2), Some(10)]);
    let trend = fits(&env.fr(&["maturity", "--trend", "--json"]).ok(), "maturity-trend");
    let minutes = |n: u64| json!(n * 60_000);
    let january = month(&trend, "2026-01");
    assert_eq!(january["incidents"], 2, "{january:#}");
    assert_eq!(january["detect"], json!({"mean_ms": minutes(15), "known": 2}), "{january:#}");
    assert_eq!(january["contain"], json!({"mean_ms": minutes(4), "known": 2}), "{january:#}");
    // One of them never came back: no time is made up for it.
    assert_eq!(january["recover"], json!({"mean_ms": minutes(100), "known": 1}), "{january:#}");
    let february = month(&trend, "2026-02");
    assert_eq!(
        february["detect"],
        json!({"mean_ms": minutes(2), "known": 1}),
        "contained before it was opened"
    );
    assert_eq!(february["contain"]["mean_ms"], 0, "its containment is the first sign");
    assert_eq!(february["recover"], json!({"mean_ms": minutes(10), "known": 1}));
    let shown = env.fr(&["maturity", "--trend"]).ok().stdout;
    assert!(
        shown.contains("TO DETECT") && shown.contains("TO RECOVER") && shown.contains("(1 of 2)"),
        "{shown}"
    );
    let since = env.fr(&["maturity", "--trend", "--json", "--since", "2026-02-01"]).ok();
    assert_eq!(fits(&since, "maturity-trend")["months"].as_array().unwrap().len(), 1);
    // Without incidents there is nothing to tell of.
    let quiet = recorded();
    quiet.claude_runs("ls");
    assert!(!quiet.fr(&["maturity", "--trend"]).ok().stdout.contains("TO DETECT"));
}
