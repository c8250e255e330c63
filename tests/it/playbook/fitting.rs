//! Which playbook fits what happened.

use super::{SHIPPED, playbook};
use crate::env::TestEnv;
use crate::json::fits;

/// The names of those that fit the event of a line.
#[track_caller]
fn fitting(env: &TestEnv, line: &str) -> Vec<String> {
    // Announced, and refused by the user: what it would have done is on record.
    env.claude_pre(line);
    let id = env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0]["id"].to_string();
    let listed = fits(&playbook(env, &["list", "--for", &id, "--json"]).ok(), "playbook-list");
    listed.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_event_has_the_playbook_that_is_for_it() {
    let env = TestEnv::with_git();
    for (line, name) in [
        ("rm -rf docs", "files-on-host"),
        ("git push --force origin main", "git-force-push"),
        ("git reset --hard HEAD~1", "git-local-loss"),
        ("terraform destroy -auto-approve", "terraform-destroy"),
        ("terraform state rm aws_instance.x", "terraform-state"),
        ("kubectl delete namespace shop", "k8s-namespace"),
        ("aws ec2 terminate-instances --instance-ids i-0abc123", "ec2-terminated"),
        ("aws s3 rb s3://backups --force", "s3-bucket"),
        ("psql -c 'DROP TABLE users'", "database-loss"),
        ("aws kms schedule-key-deletion --key-id k", "secrets-kms-iam"),
        ("docker volume rm data", "docker-volume"),
        ("npm publish", "publish-leak"),
        ("kubectl create token robot", "revoke-agent-credentials"),
    ] {
        let found = fitting(&env, line);
        assert!(found.iter().any(|found| found == name), "{line}: {found:?}");
        assert!(found.len() < 7, "{line}: {found:?} is everything");
    }
    for (line, fits) in [
        ("git push -f", true),
        ("git commit --amend -m x && git push --force", true),
        ("git push --mirror backup", true),
        ("git branch -D feature", false),
        ("git update-ref -d refs/heads/main", false),
    ] {
        let found = fitting(&env, line);
        assert_eq!(found.iter().any(|found| found == "git-force-push"), fits, "{line}: {found:?}");
    }
    assert!(fitting(&env, "git status").is_empty(), "what only reads is no incident");
    let text = playbook(&env, &["list"]).ok().stdout;
    assert!(text.contains("first-five-minutes") && text.contains("event "), "{text}");
}

/// At night one number is at hand: that of the incident. It stands for what the incident is about.
#[test]
fn the_number_of_an_incident_stands_for_what_it_is_about() {
    let env = TestEnv::with_git();
    env.write("docs/a", "a");
    env.claude_runs("rm -rf docs").ok();
    env.claude_runs("git commit -q --amend -m other").ok();
    env.fr(&["incident", "open", "docs are gone"]).ok();
    let listed = fits(&playbook(&env, &["list", "--for", "3", "--json"]).ok(), "playbook-list");
    let files = listed.as_array().unwrap().iter().find(|row| row["name"] == "files-on-host").unwrap();
    assert_eq!(files["fits"], 1, "the event of it that it is for: {listed:#}");
    assert!(listed.as_array().unwrap().iter().all(|row| !row["fits"].is_null()), "{listed:#}");
}

#[test]
fn a_dry_run_shows_all_and_writes_nothing() {
    let env = TestEnv::with_git();
    env.write("precious", "x");
    env.claude_runs("rm precious");
    let before = env.fr(&["timeline", "--json"]).ok().stdout;
    for name in SHIPPED {
        let mut args = vec!["run", name, "--dry-run", "--event", "1"];
        // What the event does not tell has to be said.
        if name == "s3-bucket" {
            args.extend(["--var", "bucket=backups"]);
        }
        let text = playbook(&env, &args).ok().stdout;
        let shown = playbook(&env, &["show", name, "--json"]).ok().json();
        let plan = fits(&playbook(&env, &[&args[..], &["--json"]].concat()).ok(), "playbook-plan");
        let steps = shown["steps"].as_array().unwrap();
        assert_eq!(plan["steps"].as_array().unwrap().len(), steps.len(), "{name}");
        for step in steps {
            assert!(text.contains(&format!("] {}: ", step["id"].as_str().unwrap())), "{name}: {text}");
        }
        assert!(!text.contains("${{ event."), "{name}: {text}");
    }
    assert_eq!(env.fr(&["timeline", "--json"]).ok().stdout, before);
    assert!(!env.exists("precious"));
}

/// The agent pushed over main without naming it, and went on in its own clone: the playbook is about the push, and names what it hit.
#[test]
fn a_forced_push_that_names_nothing_is_what_its_playbook_is_about() {
    let env = TestEnv::with_git();
    env.sh("git branch -m main trunk; git init -q --bare ../remote.git; git remote add origin ../remote.git")
        .ok();
    env.sh("git push -q -u origin trunk; git branch feature; git tag v1").ok();
    env.claude_runs("git commit -q --amend -m rewritten && git push -q -f");
    env.claude_runs("git branch -D feature");
    env.claude_runs("git tag -d v1");
    let dry = playbook(&env, &["run", "git-force-push", "--dry-run"]).ok().stdout;
    assert!(dry.contains("    fr undo 1 --yes\n") && !dry.contains("fr undo 3"), "{dry}");
    assert!(dry.contains("ls-remote -- origin\n") && dry.contains("those who work on trunk"), "{dry}");
}

/// By default a run is about the latest event that the playbook is for. What happened since must not be taken back in its
/// place, and where nothing fits, nothing is.
#[test]
fn an_event_that_a_playbook_is_not_for_is_not_what_it_takes_back() {
    let env = TestEnv::new();
    env.write("a", "x");
    env.claude_pre("aws iam delete-role --role-name r");
    env.claude_runs("rm a");
    let about = |name: &str| {
        let out = playbook(&env, &["run", name, "--dry-run"]);
        (out.code, out.stdout.contains("fr undo 1"), out.stdout.contains("fr undo 2"))
    };
    assert_eq!(about("secrets-kms-iam"), (0, true, false));
    assert_eq!(about("files-on-host"), (0, false, true));
    let none = playbook(&env, &["run", "docker-volume", "--confirm", "undo"]);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(
        none.stderr.contains("none that it is for is on record") && none.stderr.contains("--event ID"),
        "{none:?}"
    );
    // The latest that any of them is for is what the list is about, also where nothing was destroyed.
    env.claude_pre("npm publish");
    let listed = playbook(&env, &["list", "--for"]).ok().stdout;
    assert!(listed.contains("publish-leak") && listed.contains("event 3"), "{listed}");
}
