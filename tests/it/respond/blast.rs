//! "What did it hit?": the answer that the person on call needs before anything else, from the record alone.

use serde_json::Value;

use super::super::env::TestEnv;

/// An agent force-pushes over main, removes a directory, and deletes a namespace of a cluster that nobody can reach.
fn after_an_agent() -> TestEnv {
    let env = TestEnv::with_git();
    env.fr(&["config", "set", "production.branches", "main"]).ok();
    env.fr(&["config", "set", "production.clusters", "prod"]).ok();
    env.write("docs/guide.md", "a guide");
    env.sh("git init -q --bare ../remote.git; git remote add origin ../remote.git; git push -q origin main; git commit -q --amend -m rewritten")
        .ok();
    env.claude_runs("git push -q --force origin main");
    env.claude_runs("rm -rf docs");
    env.claude_runs("rm -rf docs/guide.md");
    let _ = env.claude_runs("kubectl --context prod delete namespace shop");
    env.fr(&["exec", "-c", "rm README.md"]).ok();
    env
}

fn radius(env: &TestEnv, args: &[&str]) -> Value {
    let out = env.fr(&[&["blast-radius", "--json"], args].concat()).ok();
    super::super::json::fits(&out, "blast-radius")
}

fn item<'v>(radius: &'v Value, system: &str, word: &str) -> &'v Value {
    let items = radius["items"].as_array().unwrap();
    let is = |item: &&Value| item["system"] == system && item["resource"].as_str().unwrap().contains(word);
    items.iter().find(is).unwrap_or_else(|| panic!("no {word} of {system}: {radius:#}"))
}

#[test]
fn it_says_what_was_hit_what_is_production_and_what_comes_back() {
    let env = after_an_agent();
    let radius = radius(&env, &[]);
    assert_eq!((radius["actors"].to_string(), radius["commands"].as_u64()), ("[\"claude\"]".into(), Some(4)));
    let pushed = item(&radius, "git", "origin/refs/heads/main");
    assert_eq!(
        (&pushed["comes_back"], &pushed["production"]["pattern"]),
        (&"exactly".into(), &"main".into())
    );
    let files = item(&radius, "fs", "docs");
    assert_eq!((&files["comes_back"], &files["production"]), (&"exactly".into(), &Value::Null));
    let lost = item(&radius, "kubernetes", "shop");
    assert_eq!((&lost["comes_back"], &lost["class"]), (&"not-at-all".into(), &"destroy".into()));
    assert_eq!(lost["production"]["context"]["name"], "prod");
    // What a person did is not the agent's doing.
    assert!(!radius.to_string().contains("README.md"));
    // Production first, and of it the worst first.
    assert_eq!(radius["items"][0]["system"], "kubernetes");
    let text = env.fr(&["blast-radius"]).ok().stdout;
    for part in
        ["PRODUCTION cluster prod", "not at all", "fr contain --session", "fr undo --session", "not kept of"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let next = radius["next"]
        .as_array()
        .unwrap()
        .iter()
        .find(|next| next["command"].as_str().unwrap().contains("undo"));
    let command = next.unwrap()["command"].as_str().unwrap().to_owned();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let dry = env.fr(&words).ok();
    assert!(dry.stdout.contains("namespace/shop") && dry.stdout.contains("nothing was captured"), "{dry:?}");
}

#[test]
fn what_is_back_is_said_to_be_back() {
    let env = after_an_agent();
    env.fr(&["undo", "1", "--yes"]).ok();
    let radius = radius(&env, &[]);
    assert_eq!(item(&radius, "git", "origin/refs/heads/main")["comes_back"], "back");
    assert_eq!(radius["totals"]["not-at-all"].as_u64(), Some(1), "{:#}", radius["totals"]);
}

#[test]
fn whose_doing_and_since_when_can_be_said() {
    let env = after_an_agent();
    let everybodys = radius(&env, &["--since", "1h", "--actor", "any"]);
    assert_eq!(everybodys["commands"].as_u64(), Some(5));
    item(&everybodys, "fs", "README.md");
    assert_eq!(radius(&env, &["--since", "1h"])["commands"].as_u64(), Some(4));
    let none = env.fr(&["blast-radius", "--since", "1h", "--actor", "codex"]);
    assert_eq!(none.code, 5, "{none:?}");
    let unknown = env.fr(&["blast-radius", "--session", "zzz"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
}

/// A command that was only announced (its user was asked) may not have run: it is counted, and said.
#[test]
fn what_nobody_reported_back_is_said_to_be_uncertain() {
    let env = TestEnv::new();
    env.write("docs/a.txt", "a");
    env.claude_runs("rm -rf docs");
    env.claude_pre("kubectl --context prod delete namespace shop");
    assert_eq!(radius(&env, &[])["unreported"].as_u64(), Some(1));
    let text = env.fr(&["blast-radius"]).ok().stdout;
    assert!(text.contains("1 command never reported back"), "{text}");
    let undo = env.fr(&["undo", "--session", "--yes"]);
    assert!(undo.stdout.contains("nobody reported whether it ran"), "{undo:?}");
}

/// The refs of the remote, and what the work tree around it is called.
fn of_git(radius: &Value) -> Vec<String> {
    let items = radius["items"].as_array().unwrap().iter().filter(|item| item["system"] == "git");
    items.map(|item| item["resource"].as_str().unwrap().to_owned()).collect()
}

fn with_remote() -> TestEnv {
    let env = TestEnv::with_git();
    env.sh(
        "git init -q --bare ../remote.git; git remote add origin ../remote.git; git push -q -u origin main",
    )
    .ok();
    env.fr(&["config", "set", "production.branches", "main"]).ok();
    env
}

#[test]
fn a_remote_that_was_pushed_over_is_listed_once_however_it_was_said() {
    let env = with_remote();
    // Named; as the branch that one is on; and together with what makes it necessary.
    env.claude_runs("git commit -q --amend -m one && git push -q --force origin main");
    env.claude_runs("git commit -q --amend -m two");
    env.claude_runs("git push -q --force");
    let radius = radius(&env, &[]);
    let remote: Vec<String> =
        of_git(&radius).into_iter().filter(|name| name.starts_with("git:origin")).collect();
    assert_eq!(remote, ["git:origin/refs/heads/main"], "{radius:#}");
    let pushed = item(&radius, "git", "git:origin/refs/heads/main");
    assert_eq!((&pushed["class"], &pushed["events"]), (&"overwrite".into(), &serde_json::json!([1, 3])));
    assert_eq!(pushed["production"]["pattern"], "main", "also where the words name no branch");
    let local: Vec<&Value> = radius["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| !item["resource"].as_str().unwrap().starts_with("git:origin"))
        .collect();
    assert_eq!(local.len(), 1, "what the amend changed: {radius:#}");
}

#[test]
fn a_remote_of_which_many_refs_were_hit_is_one_thing() {
    let env = with_remote();
    env.sh("git branch dev; git push -q origin dev").ok();
    env.sh("git commit -q --amend -m one; git branch -f dev").ok();
    env.claude_runs("git push -q --force origin main");
    env.sh("git commit -q --amend -m two; git branch -f dev").ok();
    env.claude_runs("git push -q --force --all");
    let before = radius(&env, &[]);
    let remote: Vec<String> =
        of_git(&before).into_iter().filter(|name| name.starts_with("git:origin")).collect();
    assert_eq!(remote, ["git:origin"], "{before:#}");
    let pushed = item(&before, "git", "git:origin");
    assert_eq!((&pushed["events"], &pushed["comes_back"]), (&serde_json::json!([1, 2]), &"exactly".into()));
    env.fr(&["undo", "--session", "--yes"]).ok();
    assert_eq!(item(&radius(&env, &[]), "git", "git:origin")["comes_back"], "back");
}
