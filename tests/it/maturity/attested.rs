//! What people vouch for: with a name and an end, never instead of a measure, and never by an agent.

use serde_json::json;

use super::{of, recorded, report, standing};
use crate::env::TestEnv;
use crate::json::fits;

const DAY: i64 = 86_400_000_000_000;
/// 2026-06-01T00:00:00Z.
const JUNE: i64 = 1_780_272_000_000_000_000;

fn at(env: &mut TestEnv, ns: i64) {
    env.vars.retain(|(name, _)| name != "FR_FAKE_TIME");
    env.vars.push(("FR_FAKE_TIME".to_owned(), ns.to_string()));
}

#[test]
fn it_lapses() {
    let mut env = recorded();
    at(&mut env, JUNE);
    let done = env.fr(&["maturity", "attest", "on-call", "--owner", "Ada", "--for", "30d", "--json"]).ok();
    let done = fits(&done, "maturity-attest");
    assert_eq!((&done["owner"], &done["until_ns"]), (&json!("Ada"), &json!(JUNE + 30 * DAY)));
    assert_eq!(standing(&env, "on-call").0, "attested");
    at(&mut env, JUNE + 29 * DAY);
    assert_eq!(standing(&env, "on-call").0, "attested");
    at(&mut env, JUNE + 30 * DAY);
    let (word, told) = standing(&env, "on-call");
    assert!(word == "lapsed" && told.contains("Ada"), "{told}");
    // Somebody else takes it over, and gives it back.
    env.fr(&["maturity", "attest", "on-call", "--owner", "Bob"]).ok();
    assert_eq!(standing(&env, "on-call").0, "attested");
    at(&mut env, JUNE + (30 + 180) * DAY);
    assert_eq!(standing(&env, "on-call").0, "lapsed", "180 days are the most");
    env.fr(&["maturity", "attest", "on-call", "--owner", "Bob"]).ok();
    env.fr(&["maturity", "attest", "on-call", "--owner", "Bob", "--withdraw"]).ok();
    assert_eq!(standing(&env, "on-call").0, "not-attested");
    let shown = env.fr(&["timeline"]).ok().stdout;
    assert!(
        shown.contains("Bob vouches for on-call until") && shown.contains("nobody vouches for on-call"),
        "{shown}"
    );
    for event in fits(&env.fr(&["timeline", "--json"]).ok(), "timeline").as_array().unwrap() {
        fits(&env.fr(&["show", "--json", &event["id"].to_string()]).ok(), "event");
    }
}

#[test]
fn nobodys_word_takes_the_place_of_a_measure() {
    let env = recorded();
    env.claude_runs("ls");
    let before = report(&env, &[]);
    for one in before["criteria"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        let said = env.fr(&["maturity", "attest", id, "--owner", "Ada"]);
        assert_eq!(said.code, if one["measured"] == json!(true) { 2 } else { 0 }, "{id}: {said:?}");
    }
    let after = report(&env, &[]);
    assert_eq!(before["level"]["level"], after["level"]["level"]);
    assert_eq!(before["levels"], after["levels"]);
    assert_eq!(of(&after, "budget")["standing"], "attested");
}

#[test]
fn an_agent_cannot() {
    let mut env = recorded();
    env.claude_runs("ls");
    env.vars.push(("CLAUDECODE".to_owned(), "1".to_owned()));
    let said = env.fr(&["maturity", "attest", "budget", "--owner", "Ada"]);
    assert!(said.code == 1 && said.stderr.contains("claude cannot vouch"), "{said:?}");
    env.vars.pop();
    assert_eq!(standing(&env, "budget").0, "not-attested");
}

#[test]
fn what_will_not_do_is_said() {
    let env = recorded();
    let attest = |args: &[&str]| {
        let all: Vec<&str> = ["maturity", "attest"].iter().chain(args).copied().collect();
        env.fr(&all)
    };
    for (args, says) in [
        (&["nosuch", "--owner", "A"][..], "no criterion nosuch"),
        (&["budget"], "--owner"),
        (&["budget", "--owner", " "], "one line with a name"),
        (&["budget", "--owner", "A\nB"], "one line with a name"),
        (&["budget", "--owner", "A", "--for", "181d"], "180 days"),
        (&["budget", "--owner", "A", "--for", "0s"], "at once"),
        (&["budget", "--owner", "A", "--until", "2020-01-01"], "at once"),
        (&["budget", "--owner", "A", "--until", "some day"], "not a time"),
    ] {
        let said = attest(args);
        assert!(said.code == 2 && said.stderr.contains(says), "{args:?}: {said:?}");
    }
    assert!(env.fr(&["timeline"]).stdout.is_empty() || !env.fr(&["timeline"]).stdout.contains("vouches"));
}

#[test]
fn a_secret_in_a_note_is_not_kept() {
    let env = recorded();
    let note = "see https://me:hunter2secret@wiki.example/x, AKIAIOSFODNN7EXAMPLE";
    env.fr(&["maturity", "attest", "budget", "--owner", "<b>Ada", "--note", note]).ok();
    for format in ["text", "md", "html", "json"] {
        let shown = env.fr(&["maturity", "--format", format]).ok().stdout;
        assert!(!shown.contains("hunter2secret"), "{format}: {shown}");
        assert_eq!(shown.contains("<b>Ada"), format == "text" || format == "json", "{format}");
    }
    let stored = std::fs::read_dir(env.fr_home.join("journal")).unwrap().flatten();
    for file in stored.filter(|entry| entry.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        assert!(!bytes.windows(13).any(|part| part == b"hunter2secret"));
    }
}
