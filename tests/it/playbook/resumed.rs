//! It goes on: after `kill -9`, from another directory, with another playbook of that name in its place.

use std::process::Stdio;

use serde_json::json;

use super::{marks, own, playbook, ran, step};
use crate::env::TestEnv;
use crate::pty::until;

/// Its second step writes, waits, and would write again.
const LONG: &str = "vars: {x: {about: x, default: a}}
steps:
  - {id: first, title: first, phase: assess, verify: [ls]}
  - {id: writes, title: writes, phase: recover, shell: 'echo once >> log; sleep 60'}
  - {id: last, title: last, phase: verify, verify: [cat, log], expect: {stdout-contains: '${{ vars.x }}'}}
";

/// A run whose runner was killed in the middle of its second step.
fn killed(env: &TestEnv, args: &[&str]) {
    let mut command = env.command(TestEnv::binary());
    command.args(["playbook", "run"]).args(args).args(["--confirm", "writes"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the step works", || env.exists("log"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(marks(env).last().unwrap(), &("step-begun".to_owned(), "writes".to_owned()));
}

/// Nobody knows whether the step has ended: repeating it could do the damage twice.
#[test]
fn a_step_that_was_begun_and_has_no_end_is_asked_about_and_never_silently_repeated() {
    let env = TestEnv::new();
    own(&env, "long", LONG);
    killed(&env, &["long", "--var", "x=once"]);
    // Another playbook of this name does not change what goes on.
    own(&env, "long", "steps:\n  - {id: other, title: other, phase: assess, verify: [ls]}\n");
    let (code, report) = ran(&env, &["resume", "--confirm", "writes"]);
    assert_eq!(
        (code, &report["at"]),
        (3, &json!("writes")),
        "agreeing to the step is not enough: {report:#}"
    );
    assert_eq!(report["flags"], json!(["--again writes", "--done writes", "--skip writes"]));
    assert_eq!(env.read("log"), "once\n", "it was not repeated");
    let (code, report) = ran(&env, &["resume", "--done", "writes"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(step(&report, "last").0, "step-done", "by the values of its beginning");
    assert_eq!(env.read("log"), "once\n");
    assert_eq!(
        marks(&env).iter().filter(|mark| mark.1 == "first").count(),
        2,
        "what is done is not done again"
    );
    env.fr(&["store", "verify"]).ok();
}

#[test]
fn it_is_run_again_where_somebody_says_so_and_in_the_directory_where_it_began() {
    let env = TestEnv::new();
    own(&env, "long", LONG.replace("sleep 60", "test -e quick || sleep 60").as_str());
    killed(&env, &["long", "--var", "x=once"]);
    env.write("quick", "");
    let mut command = env.command(TestEnv::binary());
    command.args(["playbook", "resume", "--again", "writes"]).current_dir(env.root());
    let out = crate::env::run(command, b"").ok();
    assert!(out.stdout.contains("finished"), "{out:?}");
    assert_eq!(env.read("log"), "once\nonce\n");
    assert!(!env.root().join("log").exists());
}

/// What only reads is read again: nothing is asked.
#[test]
fn a_step_that_only_reads_is_repeated_without_a_word() {
    let env = TestEnv::new();
    own(
        &env,
        "reads",
        "steps:\n  - {id: wait, title: wait, phase: assess, wait-until: {run: [test, -e, there], every: 1s}}\n",
    );
    let mut command = env.command(TestEnv::binary());
    command.args(["playbook", "run", "reads"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it waits", || marks_are_there(&env));
    // Two people must not work on one run.
    let second = playbook(&env, &["resume"]);
    assert_eq!(second.code, 11, "{second:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    env.write("there", "");
    let (code, report) = ran(&env, &["resume"]);
    assert_eq!((code, &report["moment"]), (0, &json!("finished")), "{report:#}");
}

fn marks_are_there(env: &TestEnv) -> bool {
    env.fr(&["timeline", "--json"]).code == 0 && marks(env).iter().any(|mark| mark.0 == "step-begun")
}

#[test]
fn an_interrupt_ends_the_command_and_the_run_goes_on_later() {
    let env = TestEnv::new();
    own(&env, "long", LONG);
    let mut command = env.command(TestEnv::binary());
    command.args(["playbook", "run", "long", "--confirm", "writes"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until("the step works", || env.exists("log"));
    env.sh(&format!("kill -INT {}", child.id())).ok();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(marks(&env).last().unwrap().0, "broken-off");
    assert_eq!(env.sh("pgrep -f 'echo once >> log; sleep 6[0]'").stdout, "");
    let (code, report) = ran(&env, &["resume"]);
    assert_eq!((code, &report["at"]), (3, &json!("writes")), "{report:#}");
    assert_eq!(report["flags"][0], "--again writes", "nobody knows how far it came");
}

#[test]
fn there_is_nothing_to_go_on_with() {
    let env = TestEnv::new();
    env.fr(&["exec", "--", "true"]).ok();
    assert_eq!(playbook(&env, &["resume"]).code, 5);
    assert_eq!(playbook(&env, &["resume", "0123456789ab"]).code, 2);
    assert_eq!(playbook(&env, &["run", "files-on-host"]).code, 2, "there is nothing that it could be about");
}
