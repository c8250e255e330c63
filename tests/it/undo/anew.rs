//! "The history is a mess, I start it anew": an agent throws the repository away that it has worked in, and makes another one in
//! its place.

use serde_json::Value;

use super::{Picture, assert_same, picture, project};
use crate::env::TestEnv;

/// Takes the session back, in as many rounds as it takes, then what was undone again, then the session once more.
fn there_and_back(env: &TestEnv, before: &Picture) {
    let worked = picture(env);
    let undos = taken_back(env, &["--session"], before);
    let redos = taken_back(env, &undos.iter().map(String::as_str).collect::<Vec<_>>(), &worked);
    taken_back(env, &redos.iter().map(String::as_str).collect::<Vec<_>>(), before);
}

/// The numbers of the undos.
fn taken_back(env: &TestEnv, which: &[&str], wanted: &Picture) -> Vec<String> {
    let done = env.fr(&[&["undo", "--yes"], which].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert_same(wanted, env);
    let told = done.stdout.split("this undo is event ").skip(1);
    told.map(|rest| rest.split(',').next().unwrap().to_owned()).collect()
}

/// The newest event.
fn latest(env: &TestEnv) -> Value {
    let newest = env.fr(&["timeline", "--json", "--limit", "1"]).ok().json();
    env.fr(&["show", &newest[0]["id"].to_string(), "--json"]).ok().json()
}

const ANEW: &str = "git init -q && git add -A && git commit -q -m initial";

#[test]
fn a_history_that_is_begun_anew_in_one_line() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("echo x > y && git add y && git commit -qm 'work before' && git branch -D topic");
    env.claude_runs(&format!("rm -rf .git && {ANEW}"));
    env.claude_runs("echo z >> y && git commit -qam 'work after' && git tag v9 && git gc -q");
    there_and_back(&env, &before);
}

#[test]
fn a_history_that_is_begun_anew_in_several_lines() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("git commit -q --allow-empty -m 'work before'");
    env.claude_runs("rm -rf .git");
    env.claude_runs(ANEW);
    env.claude_runs("echo z > y && git add y && git commit -qm 'work after'");
    there_and_back(&env, &before);
}

#[test]
fn a_history_that_is_begun_anew_twice() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("git commit -q --allow-empty -m 'work before'");
    for round in 1..3 {
        env.claude_runs(&format!("rm -rf .git; {ANEW}"));
        env.claude_runs(&format!("echo {round} > y && git add y && git commit -qm 'work {round}'"));
    }
    there_and_back(&env, &before);
}

#[test]
fn a_clone_that_the_agent_worked_in_is_put_in_the_place_of_another() {
    let env = project();
    env.sh("git clone -q ../remote.git lib && echo mine > lib/mine").ok();
    let look = "cd lib && git log --all --format=%H && git status -sb && git config --list --local && ls -A";
    let before = env.sh(look).ok();
    env.claude_runs("cd lib && git add mine && git commit -qm mine");
    env.claude_runs("rm -rf lib && git clone -q ../remote.git lib");
    env.claude_runs("cd lib && git commit -q --allow-empty -m other && git checkout -q -b more");
    let done = env.fr(&["undo", "--yes", "--session"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(env.sh(look).ok(), before);
}

/// What a person committed in the new repository is in the way, and nothing is written.
#[test]
fn a_person_s_commit_in_the_new_repository_stays() {
    let env = project();
    env.claude_runs("git commit -q --allow-empty -m 'work before'");
    env.claude_runs(&format!("rm -rf .git && {ANEW}"));
    env.sh("git commit -q --allow-empty -m 'of a person'").ok();
    env.claude_runs("git commit -q --allow-empty -m 'work after'");
    let now = picture(&env);
    let refused = env.fr(&["undo", "--yes", "--session"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert_same(&now, &env);
}

/// What a person committed in the old repository, before the agent threw it away, is known when that is back.
#[test]
fn a_person_s_commit_in_the_old_repository_stays() {
    let env = project();
    env.claude_runs("git commit -q --allow-empty -m 'work before'");
    env.sh("git commit -q --allow-empty -m 'of a person'").ok();
    let persons = picture(&env);
    env.claude_runs(&format!("rm -rf .git && {ANEW}"));
    let half = env.fr(&["undo", "--yes", "--session"]);
    assert_eq!(half.code, 3, "{half:?}");
    assert!(half.stderr.contains("but not 1") && half.stderr.contains("refs/heads/main"), "{half:?}");
    assert_same(&persons, &env);
}

/// The line that begins most projects.
#[test]
fn the_first_commit_of_a_new_project_is_captured_completely() {
    let env = TestEnv::new();
    env.write("src/main.rs", "fn main() {}\n");
    for line in [ANEW, "git init -q && cd src && git add . && git commit -q -m initial"] {
        env.claude_runs(line);
        let shown = latest(&env);
        assert_eq!(shown["warnings"].as_array().map_or(0, Vec::len), 0, "{shown:#}");
        let done = env.fr(&["undo", "--yes", "--last", "1"]);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(!env.exists(".git") && env.exists("src/main.rs"));
    }
}

/// A remote that is configured nowhere: git refuses, and there is nothing that could be lost.
#[test]
fn a_push_that_leads_nowhere_leaves_no_gap() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("echo 1 > new.txt; git push -f nowhere main");
    let shown = latest(&env);
    assert!(!shown.to_string().contains("not captured"), "{shown:#}");
    taken_back(&env, &["--session"], &before);
    // One that cannot be asked may have something, and so may a disk that is not mounted.
    env.sh("git remote add gone ../gone.git").ok();
    for push in ["git push -f https://127.0.0.1:1/far.git main", "git push -f gone main"] {
        env.claude_runs(push);
        let shown = latest(&env);
        assert!(shown.to_string().contains("the remote side is not captured"), "{shown:#}");
    }
}

/// Two remotes, a branch of one name on both: each has its own back when the undo is taken back.
#[test]
fn a_branch_that_went_to_two_remotes_goes_to_both_again() {
    let env = project();
    env.sh("git init -q --bare -b none ../backup.git").ok();
    let refs = |env: &TestEnv| {
        ["remote", "backup"].map(|far| env.sh(&format!("git -C ../{far}.git for-each-ref")).ok().stdout)
    };
    let was = refs(&env);
    env.claude_runs("git checkout -q -f -b b1");
    env.claude_runs("git remote add backup ../backup.git && git push -q backup --all");
    env.claude_runs("git push -q --all -f");
    let pushed = refs(&env);
    env.fr(&["undo", "--session", "--yes"]).ok();
    assert_eq!(refs(&env), was);
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(refs(&env), pushed);
}
