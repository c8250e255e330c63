//! What belongs to an incident, who may do what about it, and what gc may not take.

use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::json::fits;

/// An agent removes two directories; a person works beside it.
fn after_an_agent() -> TestEnv {
    let env = TestEnv::with_git();
    env.write("docs/guide.md", "a guide\n");
    env.write("data/rows.csv", "1,2,3\n");
    env.claude_runs("ls");
    env.claude_runs("rm -rf docs");
    env.fr(&["exec", "-c", "rm README.md"]).ok();
    env.claude_runs("rm -rf data");
    env
}

fn show(env: &TestEnv, args: &[&str]) -> Value {
    fits(&env.fr(&[&["incident", "show", "--json"], args].concat()).ok(), "incident")
}

fn texts(env: &TestEnv, args: &[&str]) -> Vec<String> {
    let out = env.fr(&[&["incident", "timeline", "--json"], args].concat()).ok();
    let entries = fits(&out, "incident-timeline");
    let text =
        |one: &Value| format!("{}: {}", one["kind"].as_str().unwrap(), one["text"][0].as_str().unwrap());
    entries.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn without_words_it_is_about_the_agents_last_destruction() {
    let env = after_an_agent();
    let out = env.fr(&["incident", "open"]).ok().stdout;
    for part in [
        "incident 5 is open",
        "claude: destroy in fs",
        "sev3, commander tester",
        "3 commands of claude",
        "2 things: 2 exactly",
        "fr contain --session",
        "fr blast-radius --incident 5",
        "fr incident note 5",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("README"), "a person's command is not the agent's: {out}");
    // What the session does afterwards belongs to it, too.
    env.write("more/x", "x");
    env.claude_runs("rm -rf more");
    let shown = show(&env, &[]);
    assert_eq!((&shown["id"], &shown["commands"], &shown["hit"]), (&json!(5), &json!(4), &json!(3)));
    let list = fits(&env.fr(&["incident", "list", "--json"]).ok(), "incidents");
    assert_eq!((&list[0]["title"], &list[0]["locked"]), (&json!("claude: destroy in fs"), &json!(true)));
    let radius = fits(&env.fr(&["blast-radius", "--json", "--incident"]).ok(), "blast-radius");
    assert_eq!(radius["commands"].as_u64(), Some(3), "{radius:#}");
}

#[test]
fn what_is_named_belongs_and_what_is_left_out_does_not() {
    let env = after_an_agent();
    let id = fits(
        &env.fr(&["incident", "open", "a first look", "--event", "2..3", "--json"]).ok(),
        "incident",
    )["id"]
        .to_string();
    assert_eq!(texts(&env, &[&id])[..2], ["command: rm -rf docs", "command: rm README.md"]);
    env.fr(&["incident", "add", &id, "--event", "4"]).ok();
    env.fr(&["incident", "add", &id, "--event", "3", "--remove"]).ok();
    let found = texts(&env, &[&id]);
    assert_eq!(found[..2], ["command: rm -rf docs", "command: rm -rf data"], "{found:?}");
    assert_eq!(
        found[2..],
        ["opened: a first look (sev3, commander tester)", "revised: added 4", "revised: left out 3"]
    );
    env.fr(&["incident", "set", &id, "--severity", "sev1", "--commander", "ann"]).ok();
    let shown = show(&env, &[&id]);
    assert_eq!((&shown["severity"], &shown["commander"]), (&json!("sev1"), &json!("ann")));
    // Harmless commands are counted, and shown when asked for.
    env.fr(&["incident", "add", &id, "--session"]).ok();
    assert!(texts(&env, &[&id, "--all"]).contains(&"command: ls".to_owned()));
    let text = env.fr(&["incident", "timeline", &id]).ok().stdout;
    assert!(text.contains("1 command more changed nothing: --all shows them"), "{text}");
}

#[test]
fn what_is_wrong_is_said_with_a_next_step() {
    let env = after_an_agent();
    for (args, code, words) in [
        (vec!["incident", "show"], 2, "there is no incident"),
        (vec!["incident", "note", "7", "x"], 2, "there is no incident 7"),
        (vec!["incident", "open", "--event", "99"], 2, "there is no event 99"),
        (vec!["incident", "open", "--event", "8..9"], 2, "there is no command from 8 to 9"),
        (vec!["incident", "open", "--session", "zzz"], 2, "there is no session zzz"),
        (vec!["incident", "open", "--since", "yesterday-ish"], 2, "not a time"),
    ] {
        let out = env.fr(&args);
        assert_eq!(out.code, code, "{args:?} {out:?}");
        assert!(out.stderr.contains(words) && out.stderr.contains("hint:"), "{args:?} {out:?}");
    }
    env.fr(&["incident", "open"]).ok();
    env.fr(&["incident", "open", "another"]).ok();
    let several = env.fr(&["incident", "note", "which one?"]);
    assert!(several.code == 2 && several.stderr.contains("2 incidents are open: 6, 5"), "{several:?}");
    assert_eq!(env.fr(&["incident", "note", "5", " "]).code, 2);
    assert_eq!(env.fr(&["incident", "lock", "5", "--off"]).code, 2, "an open one stays locked");
    env.fr(&["incident", "close", "5"]).ok();
    assert_eq!(env.fr(&["incident", "close", "5"]).code, 5);
    let mark = env.fr(&["undo", "5", "--dry-run"]);
    assert_eq!(mark.code, 5, "an incident is nothing to take back: {mark:?}");
    assert_eq!(TestEnv::new().fr(&["incident", "list"]).code, 10);
}

#[test]
fn notes_come_from_words_and_from_pipes_and_say_who_wrote_them() {
    let mut env = after_an_agent();
    env.fr(&["incident", "open", "docs are gone"]).ok();
    env.fr(&["incident", "note", "the", "shop", "is", "down"]).ok();
    env.fr_with(
        &["incident", "note", "5", "-", "--decision"],
        b"we restore from the capture\nnot from the backup\n",
    )
    .ok();
    let long = env.fr_with(&["incident", "note", "-"], &vec![b'x'; 70_000]);
    assert!(long.code == 2 && long.stderr.contains("at most 65536 bytes"), "{long:?}");
    env.vars.push(("CLAUDECODE".to_owned(), "1".to_owned()));
    env.fr(&["incident", "note", "I removed docs by mistake"]).ok();
    for args in [
        vec!["incident", "close", "5"],
        vec!["incident", "note", "5", "--decision", "all is well"],
        vec!["incident", "add", "5", "--event", "2", "--remove"],
        vec!["incident", "set", "5", "--severity", "sev4"],
    ] {
        let out = env.fr(&args);
        assert!(
            out.code == 1 && out.stderr.contains("claude is an agent: only a person"),
            "{args:?} {out:?}"
        );
    }
    env.vars.pop();
    let entries = fits(&env.fr(&["incident", "timeline", "--json"]).ok(), "incident-timeline");
    let notes: Vec<String> = entries
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| ["note", "decision"].contains(&one["kind"].as_str().unwrap()))
        .map(|one| {
            format!("{} {}: {}", one["kind"].as_str().unwrap(), one["who"].as_str().unwrap(), one["text"])
        })
        .collect();
    assert_eq!(
        notes,
        [
            r#"note tester (person): ["the shop is down"]"#,
            r#"decision tester (person): ["we restore from the capture","not from the backup"]"#,
            r#"note claude (agent): ["I removed docs by mistake"]"#,
        ]
    );
    let timeline = env.fr(&["timeline"]).ok().stdout;
    assert!(timeline.contains("incident 5 decision: we restore from the capture …"), "{timeline}");
    fits(&env.fr(&["show", "--json", "7"]).ok(), "event");
    fits(&env.fr(&["timeline", "--json"]).ok(), "timeline");
}

/// All that is older than now may go, twice: what is condemned is swept by the second.
fn gc(env: &TestEnv) -> String {
    let run = || env.fr(&["store", "gc", "--keep-within", "0s", "--grace", "0s"]).ok().stdout;
    run() + &run()
}

#[test]
fn gc_keeps_what_an_incident_needs_and_it_can_still_be_taken_back() {
    let env = after_an_agent();
    env.write("other/x", "not of the incident\n".repeat(2000));
    env.fr(&["exec", "-c", "rm -rf other"]).ok();
    env.fr(&["incident", "open"]).ok();
    let told = gc(&env);
    assert!(told.contains("removed 1 pack"), "what is not of it is gone: {told}");
    assert_ne!(env.fr(&["undo", "5", "--yes"]).code, 0, "a person's command, long ago: nothing holds it");
    let undone = env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(
        (undone.code, env.read("docs/guide.md"), env.read("data/rows.csv")),
        (0, "a guide\n".into(), "1,2,3\n".into()),
        "{undone:?}"
    );
}

#[test]
fn a_closed_incident_stays_locked_until_somebody_unlocks_it() {
    let env = after_an_agent();
    env.fr(&["incident", "open"]).ok();
    let closed = env.fr(&["incident", "close", "--outcome", "nobody missed it"]).ok().stdout;
    assert!(closed.contains("fr incident lock 5 --off"), "{closed}");
    gc(&env);
    env.fr(&["verify", "2"]).ok();
    env.fr(&["undo", "2", "--yes"]).ok();
    assert_eq!(env.read("docs/guide.md"), "a guide\n");
    gc(&env);
    env.fr(&["redo", "--yes"]).ok();
    assert!(!env.exists("docs"), "the undo of what is locked is kept with it");
    env.fr(&["incident", "lock", "5", "--off"]).ok();
    gc(&env);
    assert_ne!(env.fr(&["undo", "4", "--yes"]).code, 0);
    assert!(!env.exists("data"));
    // Opened on the same events, it says honestly that nothing is left to give back.
    assert_eq!(env.fr(&["verify", "4"]).code, 1);
}
