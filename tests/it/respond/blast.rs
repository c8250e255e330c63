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

/// The incident of one undo that a person's work stood in the way of: three commands, of which one is back, one is back but for a file,
/// and one is as the agent left it.
fn after_an_undo_in_part() -> TestEnv {
    let env = TestEnv::new();
    env.write("docs/a", "a");
    env.write("docs/b", "b");
    env.write("notes.txt", "one\n");
    env.write("log/x", "x\n");
    env.claude_runs("rm -rf docs");
    env.claude_runs("echo gone > notes.txt");
    env.claude_runs("sed -i s/x/y/ log/x");
    env.write("docs/b", "a person's");
    env.write("notes.txt", "a person's\n");
    let undo = env.fr(&["undo", "1", "2", "3", "--yes", "--on-conflict", "skip"]);
    assert_eq!(
        (undo.code, env.read("docs/a").as_str(), env.read("log/x").as_str()),
        (3, "a", "x\n"),
        "{undo:?}"
    );
    env
}

#[test]
fn after_an_undo_in_part_it_says_of_each_thing_what_is_back_and_what_is_not() {
    let env = after_an_undo_in_part();
    let found = radius(&env, &[]);
    let of = |word: &str| {
        let item = item(&found, "fs", word);
        (item["comes_back"].clone(), item["undone"]["restored"].clone(), item["undone"]["left"].clone())
    };
    let (docs, notes, log) = (of("docs"), of("notes.txt"), of("log/x"));
    assert_eq!((&docs.0, &docs.1), (&"in-part".into(), &"partial".into()), "{found:#}");
    assert!(docs.2.to_string().contains("docs/b") && !docs.2.to_string().contains("notes"), "{found:#}");
    assert_eq!((&notes.0, &notes.1), (&"not-back".into(), &"partial".into()), "{found:#}");
    assert!(notes.2.to_string().contains("changed since"), "{found:#}");
    assert_eq!((&log.0, &log.1, &log.2), (&"back".into(), &"exact".into(), &Value::Null), "{found:#}");
    assert_eq!(found["totals"], serde_json::json!({"back": 1, "in-part": 1, "not-back": 1}));
    let text = env.fr(&["blast-radius"]).ok().stdout;
    let line = |word: &str| {
        text.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {text}"))
    };
    assert!(
        line("path:log/x").starts_with("is back ") && line("(3 items)").starts_with("in part "),
        "{text}"
    );
    assert!(line("overwrite  2").starts_with("not back yet "), "{text}");
    assert!(line("left by undo 4: path:docs").contains("docs/b"), "{text}");
    assert!(text.contains("\n  left by undo 4: path:notes.txt: it was changed since (event 2)\n"), "{text}");
    assert!(!text.contains("left by undo 4: path:log"), "{text}");
    // The person gives the file up. The rest comes back, and nothing of before is said any more.
    env.sh("rm docs/b; echo gone > notes.txt").ok();
    env.fr(&["undo", "1", "2", "3", "--yes"]).ok();
    let found = radius(&env, &[]);
    assert_eq!(found["totals"], serde_json::json!({"back": 3}), "{found:#}");
    assert!(!env.fr(&["blast-radius"]).ok().stdout.contains("left by"), "{found:#}");
}

/// What was back when the agent came again was lost by the later command alone; what never was, by both.
#[test]
fn what_was_back_in_between_is_judged_by_the_later_command() {
    let env = after_an_undo_in_part();
    env.claude_runs("rm log/x");
    env.claude_runs("rm notes.txt");
    let found = radius(&env, &[]);
    let of = |word: &str| {
        let item = item(&found, "fs", word);
        (item["comes_back"].clone(), item["events"].clone(), item["undone"].clone())
    };
    assert_eq!(of("log/x"), ("exactly".into(), serde_json::json!([3, 5]), Value::Null), "{found:#}");
    assert_eq!(of("notes.txt"), ("exactly".into(), serde_json::json!([2, 6]), Value::Null), "{found:#}");
}

/// Two commands hit one file, and only the second was taken back: the file is as the first one left it.
#[test]
fn a_thing_of_which_only_the_later_command_was_taken_back_is_not_back() {
    let env = TestEnv::new();
    env.write("notes.txt", "one\n");
    env.claude_runs("echo two > notes.txt");
    env.claude_runs("echo three > notes.txt");
    env.fr(&["incident", "open"]).ok();
    env.fr(&["undo", "2", "--yes"]).ok();
    assert_eq!(env.read("notes.txt"), "two\n");
    let found = radius(&env, &[]);
    assert_eq!(item(&found, "fs", "notes.txt")["comes_back"], "exactly", "{found:#}");
    let report = env.fr(&["incident", "report", "--format", "json"]).ok().json();
    let row = &report["recovery"][0];
    assert_eq!(row["restored"], "not-yet", "{row:#}");
    assert_eq!(row["verified"], "event 1 of it was not taken back");
    env.fr(&["undo", "1", "--yes"]).ok();
    let report = env.fr(&["incident", "report", "--format", "json"]).ok().json();
    assert_eq!(
        (&report["recovery"][0]["restored"], env.read("notes.txt").as_str()),
        (&"exact".into(), "one\n")
    );
    assert_eq!(item(&radius(&env, &[]), "fs", "notes.txt")["comes_back"], "back");
}

/// Why nothing was kept is said where it is known; and which engine it was, not where its settings lie.
#[test]
fn what_was_not_kept_says_why_and_of_what() {
    let mut env = TestEnv::new();
    env.vars.push(("DOCKER_HOST".to_owned(), "unix:///nowhere/docker.sock".to_owned()));
    env.claude_pre("docker volume rm pgdata cache");
    let found = radius(&env, &[]);
    let contexts = item(&found, "docker", "pgdata")["contexts"].clone();
    assert_eq!(contexts, serde_json::json!([{"kind": "host", "name": "unix:///nowhere/docker.sock"}]));
    let text = env.fr(&["blast-radius"]).ok().stdout;
    let why = "  not kept of 1, docker:volume:pgdata: nothing was captured: ";
    assert!(text.contains(why) && text.contains("/nowhere/docker.sock"), "{text}");
    let of_second =
        text.lines().find(|line| line.contains("docker:volume:cache: ")).unwrap_or_else(|| panic!("{text}"));
    assert!(of_second.contains("/nowhere/docker.sock"), "the second one was tried with the first: {text}");
}

/// A command whose server did not answer has destroyed nothing, as far as anybody knows. Who reads "not at all" at night runs for a
/// backup that nobody needs.
#[test]
fn of_a_command_that_failed_and_of_which_nothing_was_kept_that_is_said() {
    let env = TestEnv::with_git();
    env.claude_runs("psql -h 127.0.0.1 -p 1 shop -c 'DROP TABLE customers'");
    let found = radius(&env, &[]);
    let customers = item(&found, "postgres", "customers");
    assert_eq!((&customers["failed"], &customers["comes_back"]), (&Value::Bool(true), &"not-at-all".into()));
    let text = env.fr(&["blast-radius"]).ok().stdout;
    let how = "The command failed (exit 2): it may be as it was";
    assert!(text.contains("destroy, failed") && text.contains(how), "{text}");
    env.fr(&["incident", "open", "customers?"]).ok();
    let report = env.fr(&["incident", "report", "--format", "md"]).ok().stdout;
    assert!(report.contains(how), "{report}");
    // The second one was reported to have gone well.
    let call = env.claude_pre("psql -h 127.0.0.1 -p 1 shop -c 'DROP TABLE customers'");
    env.claude_post(&call).ok();
    assert_eq!(item(&radius(&env, &[]), "postgres", "customers")["failed"], Value::Null);
}

/// How the recorder finds out what a command means is not what it hit.
#[test]
fn what_was_hit_is_named_in_words_for_people() {
    let env = TestEnv::with_git();
    env.write("docs/a.md", "a");
    env.write("src/b", "b");
    env.sh("git init -q --bare ../remote.git; git tag v1; git remote add there ../remote.git; git push -q there main v1")
        .ok();
    env.claude_runs("find docs -name '*.md' -delete");
    env.claude_runs("chmod -R 700 src");
    env.claude_runs("git push -q there --delete v1");
    for text in [env.fr(&["blast-radius"]).ok().stdout, env.fr(&["show", "1"]).ok().stdout] {
        assert!(
            text.contains("what find names") && !text.contains("dyn:") && !text.contains("-print0"),
            "{text}"
        );
    }
    let text = env.fr(&["blast-radius"]).ok().stdout;
    assert!(
        text.contains("all below src")
            && text.lines().any(|row| row.contains("tag v1 ") && row.contains("git:there/refs/tags/v1")),
        "{text}"
    );
}

/// The remote of a bare `git push -f` is the one of its branch, whatever that is called.
/// `--delete v1` does not say what v1 is; the remote did. Somebody who looks for a branch of that name looks in vain.
#[test]
fn a_tag_that_is_deleted_by_its_short_name_is_called_a_tag() {
    let env = TestEnv::with_git();
    env.sh("git init -q --bare ../remote.git; git tag v1; git tag v2; git branch topic; git remote add origin ../remote.git; git push -q origin main topic v1 v2")
        .ok();
    let rows = |env: &TestEnv| {
        let text = env.fr(&["blast-radius"]).ok().stdout;
        text.lines().filter(|row| row.contains(" git ")).map(str::to_owned).collect::<Vec<_>>()
    };
    env.claude_runs("git push -q origin --delete v1").ok();
    let found = rows(&env);
    assert!(
        found.iter().any(|row| row.contains("tag v1 ") && row.contains("git:origin/refs/tags/v1")),
        "{found:#?}"
    );
    assert!(!found.iter().any(|row| row.contains("branch")), "{found:#?}");
    let shown = env.fr(&["show", "1"]).ok().stdout;
    assert!(shown.contains("git:origin/refs/tags/v1") && !shown.contains("refs/heads/v1"), "{shown}");
    // Of several that one push deletes, each is what it is.
    env.claude_runs("git push -q origin --delete v2 topic").ok();
    let found = rows(&env);
    for (place, name) in
        [("tag v2 ", "git:origin/refs/tags/v2"), ("branch topic ", "git:origin/refs/heads/topic")]
    {
        assert!(found.iter().any(|row| row.contains(place) && row.contains(name)), "{name}: {found:#?}");
    }
    assert!(!found.iter().any(|row| row.contains("branch v")), "{found:#?}");
}

#[test]
fn a_push_that_names_no_remote_is_about_the_one_of_its_branch() {
    let env = TestEnv::with_git();
    env.sh("git init -q --bare ../remote.git; git init -q --bare ../other.git; git remote add company ../remote.git
        git remote add fork ../other.git; git push -q -u company main; git push -q fork main; git commit -q --amend -m other")
        .ok();
    env.claude_runs("git push -q -f");
    assert_eq!(of_git(&radius(&env, &[])), ["git:company/refs/heads/main"]);
    let shown = env.fr(&["show", "1"]).ok().stdout;
    assert!(shown.contains("git:company/refs/heads/main") && !shown.contains("git:origin"), "{shown}");
    // Where the branch pushes elsewhere than it pulls from, that counts.
    env.sh("git config branch.main.pushRemote fork; git commit -q --amend -m third").ok();
    let told = env.fr(&["explain", "-c", "git push -f"]).ok().stdout;
    assert!(told.contains("git:fork/refs/heads/main"), "{told}");
}

/// Without a kubeconfig nothing says which cluster it was: no name is made up for it.
#[test]
fn a_cluster_that_nothing_names_has_no_name() {
    let env = TestEnv::with_git();
    env.claude_runs("kubectl delete namespace shop");
    let found = radius(&env, &[]);
    let shop = item(&found, "kubernetes", "shop");
    assert_eq!(shop["resource"], "k8s:?//namespace/shop + everything in it");
    assert!(!shop["contexts"].to_string().contains("dev"), "{shop:#}");
}

/// The last command was never captured, and each round of the undo says so. That is nothing of what the undo brought back.
#[test]
fn what_an_undo_passed_over_leaves_nothing_else_in_doubt() {
    let env = TestEnv::new();
    env.write("a", "a");
    env.write("b", "b");
    env.claude_runs("rm a");
    env.claude_runs("rm b");
    let call = env.claude_pre("kubectl --context prod delete namespace shop");
    env.claude_fail(&call, 1);
    let undo = env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(undo.code, 3, "{undo:?}");
    let found = radius(&env, &[]);
    assert_eq!(found["totals"], serde_json::json!({"back": 2, "not-at-all": 1}), "{found:#}");
    assert_eq!(found["left"], Value::Null, "it has a row of its own");
}
