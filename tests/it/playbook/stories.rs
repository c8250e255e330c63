//! The shipped playbooks, run to their end on the real thing.

use serde_json::json;

use super::{marks, playbook, ran, step, to_the_end};
use crate::env::{SESSION, TestEnv};

#[test]
fn the_first_five_minutes() {
    let env = TestEnv::with_git();
    env.write("precious", "x");
    env.claude_runs("rm precious");
    let fitting = playbook(&env, &["list", "--for"]).ok().stdout;
    assert!(fitting.lines().nth(1).unwrap().starts_with("first-five-minutes"), "{fitting}");
    // Nobody is there yet: it has held the agents all the same, and says how to go on.
    let out = playbook(&env, &["run", "first-five-minutes"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(
        out.stdout.contains("waits at declare") && out.stdout.contains("--answer declare=TEXT"),
        "{out:?}"
    );
    let call = env.claude_pre("ls");
    assert!(call.answer.stdout.contains("\"permissionDecision\":\"deny\""), "{call:?}");
    let (code, report) = ran(
        &env,
        &[
            "resume",
            "--confirm",
            "keep",
            "--answer",
            "declare=INC-7, severe, Ada",
            "--answer",
            "credentials=none",
            "--answer",
            "tell=the team",
            "--answer",
            "sign=one file; files-on-host comes next",
        ],
    );
    assert_eq!((code, &report["moment"]), (0, &json!("finished")), "{report:#}");
    assert_eq!(step(&report, "reach").0, "step-done");
    // What was answered is what is told to the others.
    let events = env.fr(&["timeline", "--json", "--limit", "100"]).ok().json();
    let declared = events
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["mark"]["step"]["id"] == "declare" && event["mark"]["moment"] == "step-done");
    let declared = declared.unwrap();
    assert_eq!(declared["mark"]["evidence"], "INC-7, severe, Ada");
    assert_eq!(declared["mark"]["confirmed_by"], "tester");
    assert_eq!(declared["mark"]["about"], json!([1]));
}

#[test]
fn files_on_a_host() {
    let env = TestEnv::new();
    env.write("docs/a", "one");
    env.write("docs/b/c", "two");
    env.claude_runs("rm -rf docs");
    let report = to_the_end(&env, &["files-on-host"], "undo,look,learn", &[]);
    assert_eq!((env.read("docs/a"), env.read("docs/b/c")), ("one".to_owned(), "two".to_owned()));
    assert_eq!(step(&report, "back").0, "step-done");
    // Held only as long as nobody releases it, and no agent does.
    assert!(env.claude_pre("ls").answer.stdout.contains("deny"));
    env.fr(&["release"]).ok();
    // Run once more, there is nothing left to do, and it says so instead of doing it again.
    let again = to_the_end(&env, &["files-on-host", "--event", "1"], "undo,look,learn", &[]);
    assert!(step(&again, "undo").1.contains("undone already"), "{again:#}");
}

/// Somebody has worked on the file since: the playbook stops before anything is written.
#[test]
fn a_conflict_breaks_it_off_and_nothing_is_written() {
    let env = TestEnv::new();
    env.write("a", "one");
    env.claude_runs("echo gone > a");
    env.write("a", "somebody's work");
    let (code, report) = ran(&env, &["run", "files-on-host", "--confirm", "undo,look,learn"]);
    assert_eq!((code, &report["at"]), (1, &json!("undo")), "{report:#}");
    assert!(step(&report, "undo").1.contains("changed since"), "{report:#}");
    assert_eq!(env.read("a"), "somebody's work");
    // The way out is the person's; then the run goes on.
    env.fr(&["undo", "1", "--yes", "--on-conflict", "force"]).ok();
    let (code, report) = ran(&env, &["resume", "--confirm", "undo,look,learn"]);
    assert_eq!((code, env.read("a")), (0, "one".to_owned()), "{report:#}");
}

#[test]
fn a_forced_push() {
    let env = TestEnv::new();
    env.sh(
        "set -e; git init -q -b main --bare ../remote.git; git init -q -b main; echo one > a; git add a; git commit -qm one
         git remote add origin ../remote.git; git push -q -u origin main
         git clone -q ../remote.git ../colleague; cd ../colleague; echo two >> a; git commit -qam two; git push -q origin main",
    )
    .ok();
    env.sh("echo mine > mine; git add mine; git commit -qm mine").ok();
    let remote = || env.sh("git -C ../remote.git rev-parse main").ok().stdout;
    let before = remote();
    env.claude_runs("git push -q --force origin main");
    assert_ne!(remote(), before);
    let report = to_the_end(&env, &["git-force-push"], "undo,pulled,requests,learn", &[]);
    assert_eq!(remote(), before, "{report:#}");
    env.sh("git -C ../remote.git fsck --connectivity-only").ok();
}

#[test]
fn work_that_was_reset_and_cleaned() {
    let env = TestEnv::with_git();
    env.write("README.md", "an hour's work\n");
    env.write("new", "untracked\n");
    env.claude_runs("git reset -q --hard && git clean -qfdx");
    assert_eq!((env.read("README.md").as_str(), env.exists("new")), ("hello\n", false));
    let fitting = playbook(&env, &["list", "--for"]).ok().stdout;
    assert!(fitting.contains("git-local-loss"), "{fitting}");
    to_the_end(&env, &["git-local-loss"], "undo,look,learn", &[]);
    assert_eq!(
        (env.read("README.md"), env.read("new")),
        ("an hour's work\n".to_owned(), "untracked\n".to_owned())
    );
}

/// The agent was somewhere else: the playbook looks at the repository, not at where it was called.
#[test]
fn work_in_a_repository_that_the_agent_only_named() {
    let env = TestEnv::new();
    env.sh("git init -q app && cd app && echo hello > a && git add a && git commit -qm one && echo work > a")
        .ok();
    env.claude_runs("git -C app reset -q --hard");
    let dry = playbook(&env, &["run", "git-local-loss", "--dry-run"]).ok().stdout;
    let looks = format!("git -C {} status", env.project.join("app").display());
    assert!(dry.contains(&looks), "{dry}");
    to_the_end(&env, &["git-local-loss"], "undo,look,learn", &[]);
    assert_eq!(env.read("app/a"), "work\n");
}

#[test]
fn an_agent_that_runs_wild() {
    let env = TestEnv::new();
    for number in 0..6 {
        env.write(&format!("f{number}"), "x");
        env.claude_runs(&format!("rm f{number}"));
    }
    let report = to_the_end(
        &env,
        &["runaway-agent", "--session", SESSION],
        "end,budget,brake,learn",
        &["why=a loop over the wrong list"],
    );
    assert_eq!(step(&report, "freeze-all").0, "step-skipped");
    assert!(env.claude_pre("rm f9").answer.stdout.contains("deny"));
    assert_eq!(env.fr(&["config", "get", "runaway.reaction"]).stdout.trim().trim_matches('"'), "contain");
    // Nothing on record: everybody is held.
    let env = TestEnv::new();
    let out = playbook(&env, &["run", "runaway-agent"]);
    assert!(out.stdout.contains("every agent contained"), "{out:?}");
}

#[test]
fn a_drill() {
    let env = TestEnv::new();
    let report = to_the_end(
        &env,
        &["drill", "--var", "systems=files"],
        "drill",
        &["sign=Ada and Bob, a second, nothing"],
    );
    assert_eq!(step(&report, "recorded").0, "step-done");
    assert!(marks(&env).iter().any(|mark| mark.1 == "sign"));
}
