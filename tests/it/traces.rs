//! git's own trace as one more source (`fr install --git`): what an IDE's git did, which no hook, shell or shim saw.

use std::path::PathBuf;

use serde_json::Value;

use crate::env::{Output, TestEnv, run};

/// A repository of two commits, the second of which adds `work.txt`; git traces itself.
fn traced() -> TestEnv {
    let env = TestEnv::with_git();
    env.write("work.txt", "a day's work\n");
    env.git(&["add", "."]).ok();
    env.git(&["commit", "-qm", "work"]).ok();
    env.fr(&["install", "--git", "--yes"]).ok();
    env.fr(&["exec", "--", "true"]).ok();
    env
}

fn dir(env: &TestEnv) -> PathBuf {
    env.fr_home.join("git-trace")
}

fn traces(env: &TestEnv) -> usize {
    std::fs::read_dir(dir(env)).unwrap().count()
}

/// What an IDE runs: git with the clock as it is, not the tests' fixed one.
fn ide(env: &TestEnv, line: &str) -> Output {
    env.sh(&format!("unset GIT_COMMITTER_DATE GIT_AUTHOR_DATE; {line}")).ok()
}

/// The events that change something, newest first, parts included.
fn changes(env: &TestEnv) -> Vec<Value> {
    env.fr(&["timeline", "--changes", "--json"]).ok().json().as_array().unwrap().clone()
}

#[test]
fn an_ide_resets_a_branch_and_nobody_but_git_tells() {
    let env = traced();
    let lost = env.git(&["rev-parse", "HEAD"]).ok().stdout.trim().to_owned();
    ide(&env, "git -C . reset -q --hard HEAD~1");
    let events = changes(&env);
    let [event] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!((event["source"].as_str(), event["captures"].as_array()), (Some("trace"), None), "{event:#}");
    assert_eq!(event["command"]["line"], "git reset -q --hard 'HEAD~1'");
    assert_eq!(event["cwd"].as_str(), env.project.to_str());
    assert_eq!(event["outcome"]["code"], 0);
    let warning = event["warnings"][0].as_str().unwrap();
    assert!(warning.contains("nothing was captured") && warning.contains(&lost), "{warning}");
    let timeline = env.fr(&["timeline", "--changes"]).ok().stdout;
    assert!(timeline.contains("nothing") && timeline.contains("git reset -q --hard"), "{timeline}");
    // It is told once, and the traces are gone.
    assert_eq!((changes(&env).len(), traces(&env)), (1, 0));
    let id = event["id"].to_string();
    let undo = env.fr(&["undo", &id, "--yes"]);
    assert_ne!(undo.code, 0, "nothing can be taken back: {undo:?}");
    assert!(!undo.stdout.contains("undone"), "{undo:?}");
    // What the record says of the way back is true.
    env.git(&["branch", "rescued", &lost]).ok();
    assert_eq!(env.git(&["show", "rescued:work.txt"]).ok().stdout, "a day's work\n");
}

#[test]
fn what_destroys_nothing_is_no_event() {
    let env = traced();
    ide(&env, "git status; git log -1; git fetch -q . ; git stash list; git commit -q --allow-empty -m more");
    assert!(traces(&env) > 3);
    assert_eq!((changes(&env).len(), traces(&env)), (0, 0));
}

#[test]
fn what_a_hook_told_is_not_told_again() {
    let env = traced();
    env.claude_runs("git reset -q --hard HEAD~1");
    env.claude_runs("cd . && git stash drop; git branch -f other HEAD");
    let (events, again) = (changes(&env), changes(&env));
    assert_eq!((events.len(), again.len()), (2, 2), "{events:#?}");
}

#[test]
fn what_a_script_ran_inside_of_a_recorded_line_is_a_part_of_it() {
    let env = traced();
    env.write("release.sh", "git reset -q --hard HEAD~1\n");
    env.claude_runs("unset GIT_COMMITTER_DATE; sh release.sh");
    assert!(!env.exists("work.txt"));
    let events = changes(&env);
    let part = events.iter().find(|event| event["source"] == "trace").expect("the reset");
    let line = events.iter().find(|event| event["source"] == "hook").expect("the script");
    assert_eq!(part["parent"], line["id"]);
    assert_eq!(part["actor"]["name"], "claude");
    let undo = env.fr(&["undo", &line["id"].to_string(), "--yes"]);
    assert_eq!(env.read("work.txt"), "a day's work\n", "{undo:?}");
}

#[test]
fn who_ran_it_is_told_by_what_git_noted_of_its_environment() {
    let env = traced();
    ide(&env, "CLAUDECODE=1 CLAUDE_CODE_SESSION_ID=abc git reset -q --hard HEAD~1");
    let events = changes(&env);
    assert_eq!(events[0]["actor"]["name"], "claude");
    assert_eq!(events[0]["session"], "abc");
    let evidence = events[0]["actor"]["evidence"].as_str().unwrap();
    assert!(evidence.contains("CLAUDECODE") && evidence.contains("git ran below"), "{evidence}");
}

#[test]
fn a_password_in_the_words_of_git_is_not_recorded() {
    let env = traced();
    let _ = env.sh("git push -q --force https://ann:hunter2secret@127.0.0.1:1/x.git main");
    let shown = env.fr(&["timeline", "--changes", "--json"]).ok().stdout;
    assert!(shown.contains("\"trace\"") && !shown.contains("hunter2secret"), "{shown}");
    for file in walk(&env.fr_home) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(13).any(|window| window == b"hunter2secret"), "{}", file.display());
    }
}

fn walk(dir: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn the_users_own_trace_is_left_alone() {
    let env = TestEnv::with_git();
    let theirs = env.root().join("theirs");
    env.git(&["config", "--global", "trace2.eventTarget", theirs.to_str().unwrap()]).ok();
    let before = std::fs::read(env.home.join(".gitconfig")).unwrap();
    let refused = env.fr(&["install", "--git", "--yes"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stdout.contains("trace2.eventTarget"), "{refused:?}");
    assert_eq!(std::fs::read(env.home.join(".gitconfig")).unwrap(), before);
}

#[test]
fn uninstalling_gives_back_the_very_bytes() {
    let env = TestEnv::with_git();
    let config = env.home.join(".gitconfig");
    let before = std::fs::read(&config).unwrap();
    env.fr(&["install", "--git", "--yes"]).ok();
    let with = std::fs::read(&config).unwrap();
    assert_ne!(with, before);
    // Twice is once.
    env.fr(&["install", "--git", "--yes"]).ok();
    assert_eq!(std::fs::read(&config).unwrap(), with);
    env.git(&["status"]).ok();
    env.fr(&["uninstall", "--git"]).ok();
    assert_eq!(std::fs::read(&config).unwrap(), before);
}

#[test]
fn what_lies_among_the_traces_and_is_none_is_no_trap() {
    let env = traced();
    let at = dir(&env);
    std::fs::write(at.join("rubbish"), b"\xff{\"event\":\"start\"}\n\0").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", at.join("link")).unwrap();
    let mut fifo = env.command("mkfifo");
    fifo.arg(at.join("fifo"));
    run(fifo, b"").ok();
    ide(&env, "git reset -q --hard HEAD~1");
    // As git leaves it when there are too many; it writes no more then.
    std::fs::write(at.join("git-trace2-discard"), b"").unwrap();
    ide(&env, "git reset -q --hard HEAD");
    assert_eq!((changes(&env).len(), traces(&env)), (1, 0));
    let shown = env.fr(&["timeline"]).ok().stdout;
    assert!(shown.contains("git's trace was full"), "{shown}");
}

/// A person works in the directory in which an agent waits for an answer: that is not the agent's doing, and it is on record.
#[test]
fn a_person_beside_a_waiting_agent_is_not_taken_for_it() {
    let env = traced();
    env.claude_pre("npm publish");
    env.claude_pre("git push --force origin main");
    ide(&env, "git reset -q --hard HEAD~1");
    let events = changes(&env);
    let reset = events.iter().find(|event| event["source"] == "trace").expect("the reset is on record");
    assert_eq!((&reset["actor"]["kind"], &reset["parent"]), (&"human".into(), &Value::Null), "{reset:#}");
}
