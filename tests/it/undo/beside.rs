//! `fr restore`: somebody looks at the old state before deciding. Who put what where is on record, and goes again.

use serde_json::{Value, json};

use super::project;
use crate::env::TestEnv;
use crate::fs_compare::tree;

fn latest(env: &TestEnv) -> Value {
    env.fr(&["timeline", "--limit", "1", "--json"]).ok().json()[0].clone()
}

/// A second person comes to the machine at four and finds a directory that nobody made.
#[test]
fn it_is_on_record_with_who_did_it_and_where_it_went() {
    let env = project();
    env.claude_runs("rm -rf docs old");
    let said = env.fr(&["restore", "1", "--to", "../beside"]).ok().stdout;
    assert!(said.contains("(event 2)") && said.contains("`fr undo 2` takes it away again"), "{said}");
    let to = env.root().join("beside");
    let to = to.to_str().unwrap();
    let event = latest(&env);
    assert_eq!((&event["kind"], &event["of"], &event["to"]), (&json!("restore"), &json!(1), &json!(to)));
    assert_eq!((&event["actor"]["kind"], &event["outcome"]["code"]), (&json!("human"), &json!(0)));
    let line = format!("fr restore 1 --to {to}");
    assert_eq!(event["command"]["line"], json!(line));
    let listed = env.fr(&["timeline"]).ok().stdout;
    assert!(listed.contains(&format!("restore: the state before 1 into {to}")), "{listed}");
    assert!(env.fr(&["show", "2"]).ok().stdout.contains(to));
    env.fr(&["incident", "open", "docs are gone"]).ok();
    let report = env.fr(&["incident", "report", "--format", "md"]).ok().stdout;
    assert!(
        report.contains(&format!("put the state before 1 beside the present, into {to}: all of it is there")),
        "{report}"
    );
    env.fr(&["store", "verify"]).ok();
}

/// What was looked at is taken away again: all that was made for it, directories on the way too, and nothing else.
#[test]
fn it_is_taken_back_and_brought_again() {
    let env = project();
    env.claude_runs("rm -rf docs old");
    std::fs::create_dir(env.root().join("kept")).unwrap();
    env.fr(&["restore", "1", "--to", "../kept/on/the/way"]).ok();
    let made = tree(&env.root().join("kept"));
    assert!(made.keys().any(|path| path.ends_with("guide.md")), "{made:?}");
    env.fr(&["undo", "2", "--yes"]).ok();
    assert!(env.root().join("kept").is_dir() && !env.root().join("kept/on").exists());
    assert!(!env.exists("docs"), "the event itself stands");
    env.fr(&["redo", "--yes"]).ok();
    let again = tree(&env.root().join("kept"));
    assert_eq!(again.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(env.read("docs/guide.md"), "guide\n");
}

/// An empty directory was somebody's: it stays. So does what somebody has written into the restored one since.
#[test]
fn what_somebody_made_or_changed_stays() {
    let env = project();
    env.claude_runs("rm -rf docs");
    std::fs::create_dir(env.root().join("mine")).unwrap();
    env.fr(&["restore", "1", "--to", "../mine"]).ok();
    env.fr(&["undo", "2", "--yes"]).ok();
    assert_eq!(tree(&env.root().join("mine")).len(), 1, "only itself");
    env.fr(&["restore", "1", "--to", "../mine"]).ok();
    env.write("../mine/docs/guide.md", "my notes on it\n");
    let undo = env.fr(&["undo", "4", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert_eq!(env.read("../mine/docs/guide.md"), "my notes on it\n");
}

/// `fr undo` without a word means what an agent or a person destroyed, not the look at it.
#[test]
fn undo_without_an_id_does_not_mean_it() {
    let env = project();
    env.claude_runs("rm -rf docs");
    env.fr(&["restore", "1", "--to", "../beside"]).ok();
    env.fr(&["undo", "--yes"]).ok();
    assert_eq!(env.read("docs/guide.md"), "guide\n");
    assert!(env.root().join("beside").is_dir());
}

/// It was tried and came to nothing: that is a part of the story too. What cannot be begun is no event.
#[test]
fn one_that_fails_is_on_record_and_one_that_cannot_begin_is_not() {
    let env = project();
    env.claude_runs("rm -rf docs");
    assert_eq!(env.fr(&["restore", "1", "--to", "src"]).code, 1, "it is not empty");
    assert_eq!(latest(&env)["id"], json!(1));
    let refused = env.fr(&["restore", "1", "--to", "schema:old"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    let event = latest(&env);
    assert_eq!((&event["kind"], &event["outcome"]["code"]), (&json!("restore"), &json!(1)), "{event:#}");
    let undo = env.fr(&["undo", "2", "--yes"]);
    assert_eq!(undo.code, 5, "{undo:?}");
    assert!(undo.stderr.contains("that goes by hand"), "{undo:?}");
}
