//! What the runner does with each kind of step, and what it does not do.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{journal, marks, own, playbook, ran, step};
use crate::env::{TestEnv, run};
use crate::json::fits;
use crate::pty::{Pty, until};

#[test]
fn without_a_terminal_it_stops_at_the_first_step_that_a_person_agrees_to() {
    let env = TestEnv::new();
    own(
        &env,
        "tidy",
        "steps:
  - {id: look, title: look, phase: assess, verify: [ls]}
  - {id: write, title: write, phase: recover, run: [touch, made]}
  - {id: say, title: say, phase: learn, ask: what was it?, evidence: required}
",
    );
    let (code, report) = ran(&env, &["run", "tidy"]);
    assert_eq!(
        (code, &report["moment"], &report["at"]),
        (3, &json!("waiting"), &json!("write")),
        "{report:#}"
    );
    assert_eq!(report["flags"], json!(["--confirm write", "--skip write"]));
    assert!(!env.exists("made"));
    let run = report["run"].as_str().unwrap()[..12].to_owned();
    // Asking again leaves no second mark, and an answer is no agreement.
    let (code, again) = ran(&env, &["resume", &run, "--answer", "say=x"]);
    assert_eq!((code, &again["at"]), (3, &json!("write")));
    assert_eq!(marks(&env).iter().filter(|(moment, _)| moment == "waiting").count(), 1);
    let (code, report) = ran(&env, &["resume", &run, "--confirm", "write,say"]);
    assert_eq!((code, &report["at"]), (3, &json!("say")), "something has to be said: {report:#}");
    assert!(env.exists("made"));
    let (code, report) = ran(&env, &["resume", "--answer", "say=a disk = full, password=hunter2secret"]);
    assert_eq!((code, &report["moment"]), (0, &json!("finished")), "{report:#}");
    let told: Vec<String> = marks(&env).into_iter().map(|(moment, id)| format!("{id} {moment}")).collect();
    assert_eq!(
        told,
        [
            " started",
            "look step-begun",
            "look step-done",
            "write waiting",
            "write step-begun",
            "write step-done",
            "say waiting",
            "say step-done",
            " finished"
        ]
    );
    let text = journal(&env);
    assert!(
        text.contains("a disk = full") && !text.contains("hunter2secret"),
        "what was entered is redacted"
    );
    let events = fits(&env.fr(&["timeline", "--json"]).ok(), "timeline");
    let write = events.as_array().unwrap().iter().find(|e| e["command"]["line"] == "touch made").unwrap();
    assert_eq!(write["actor"]["kind"], "human");
    for event in events.as_array().unwrap() {
        fits(&env.fr(&["show", "--json", &event["id"].to_string()]).ok(), "event");
        env.fr(&["show", &event["id"].to_string()]).ok();
    }
    // What a step wrote is an event like any other.
    env.fr(&["undo", "--yes", &write["id"].to_string()]).ok();
    assert!(!env.exists("made"));
    fits(&playbook(&env, &["list", "--runs", "--json"]).ok(), "playbook-runs");
    assert_eq!(playbook(&env, &["resume", &run]).code, 5, "it is finished");
    env.fr(&["store", "verify"]).ok();
}

/// As `fr release` refuses an agent: it may look and contain, it agrees to nothing.
#[test]
fn an_agent_agrees_to_nothing() {
    let env = TestEnv::new();
    own(
        &env,
        "tidy",
        "steps:
  - {id: look, title: look, phase: assess, verify: [ls]}
  - {id: write, title: write, phase: recover, run: [touch, made]}
",
    );
    let as_agent = |args: &[&str]| {
        let mut command = env.command(TestEnv::binary());
        command.arg("playbook").args(args).env("CLAUDECODE", "1");
        run(command, b"")
    };
    let out = as_agent(&["run", "tidy", "--confirm", "write", "--yes-auto"]);
    assert_eq!(out.code, 1, "{out:?}");
    assert!(out.stdout.contains("claude is an agent: only a person agrees to write"), "{out:?}");
    assert!(!env.exists("made") && out.stdout.contains("[1/2] look"), "{out:?}");
    assert_eq!(as_agent(&["resume", "--confirm", "write"]).code, 1);
    assert_eq!(as_agent(&["resume", "--skip", "write"]).code, 1, "nor does it leave anything out");
    playbook(&env, &["resume", "--confirm", "write"]).ok();
    assert!(env.exists("made"));
}

#[test]
fn what_fails_is_passed_over_jumped_over_or_ends_it() {
    let env = TestEnv::new();
    own(
        &env,
        "paths",
        "steps:
  - {id: soft, title: a, phase: assess, verify: [test, -e, nothing], on-failure: continue}
  - {id: jump, title: a, phase: assess, verify: [test, -e, nothing], on-failure: 'goto:after'}
  - {id: over, title: a, phase: assess, verify: [ls]}
  - {id: after, title: a, phase: assess, verify: [ls], when: [{value: '${{ steps.soft.outcome }}', is: failed}, {value: '${{ steps.soft.code }}', is: '1'}]}
  - {id: not, title: a, phase: assess, verify: [ls], when: [{value: '${{ steps.over.outcome }}', is-set: true}]}
  - {id: hard, title: a, phase: verify, verify: [test, -e, mended]}
  - {id: last, title: a, phase: verify, verify: [ls]}
",
    );
    let (code, report) = ran(&env, &["run", "paths"]);
    assert_eq!(
        (code, &report["moment"], &report["at"]),
        (1, &json!("broken-off"), &json!("hard")),
        "{report:#}"
    );
    assert_eq!(step(&report, "soft"), ("step-failed".to_owned(), "exit code 1".to_owned()));
    assert_eq!(step(&report, "after").0, "step-done");
    assert_eq!(step(&report, "not").0, "step-skipped");
    assert!(report["steps"].as_array().unwrap().iter().all(|line| line["step"] != "over"), "{report:#}");
    env.write("mended", "");
    let (code, report) = ran(&env, &["resume"]);
    assert_eq!(
        (code, &report["moment"], &report["failed"]),
        (3, &json!("finished"), &json!(["soft", "jump"]))
    );
    assert_eq!(report["steps"].as_array().unwrap().len(), 2, "on from where it broke off: {report:#}");
}

#[test]
fn answers_are_compared_with_what_was_expected() {
    let env = TestEnv::new();
    env.write("a", "one\ntwo\n");
    for (expect, good) in [
        ("{}", true),
        ("{code: [1]}", false),
        ("{code: [0, 1]}", true),
        ("{fails: true}", false),
        ("{stdout-contains: two}", true),
        ("{stdout-contains: three}", false),
        ("{stdout-contains: '${{ vars.x }}'}", true),
        ("{stdout-lacks: two}", false),
        ("{stdout-lacks: three}", true),
        ("{stdout-matches: '(?m)^two$'}", true),
        ("{stdout-matches: '^two$'}", false),
        ("{stderr-matches: x}", false),
    ] {
        let rest = format!(
            "vars: {{x: {{about: x, default: two}}}}\nsteps:\n  - {{id: a, title: a, phase: verify, verify: [cat, a], expect: {expect}}}\n"
        );
        own(&env, "expects", &rest);
        assert_eq!(playbook(&env, &["run", "expects"]).code, i32::from(!good), "{expect}");
    }
}

/// A command that hangs, and has started others, must not hold up those who work on the incident.
#[test]
fn a_step_that_takes_too_long_is_killed_with_all_that_it_started() {
    let env = TestEnv::new();
    let line = "(while :; do echo x >> ticks; sleep 0.05; done) & sleep 60";
    own(
        &env,
        "slow",
        &format!("steps:\n  - {{id: a, title: a, phase: recover, shell: '{line}', timeout: 1s}}\n"),
    );
    let began = Instant::now();
    let (code, report) = ran(&env, &["run", "slow", "--confirm", "a"]);
    assert_eq!(code, 1);
    assert!(step(&report, "a").1.contains("did not end within 1 s and was killed"), "{report:#}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let size = || std::fs::metadata(env.project.join("ticks")).unwrap().len();
    let before = size();
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(size(), before, "what it started goes on");
}

#[test]
fn it_waits_until_something_is_so() {
    let env = TestEnv::new();
    let rest = |time: &str| {
        format!(
            "steps:\n  - {{id: a, title: a, phase: verify, wait-until: {{run: [cat, ready], every: 1s}}, timeout: {time}, expect: {{stdout-contains: 'yes'}}}}\n"
        )
    };
    own(&env, "waits", &rest("1s"));
    let (code, report) = ran(&env, &["run", "waits"]);
    assert_eq!(code, 1);
    assert!(step(&report, "a").1.contains("not so within 1 s"), "{report:#}");
    own(&env, "waits", &rest("30s"));
    std::thread::scope(|scope| {
        let late = scope.spawn(|| ran(&env, &["run", "waits"]));
        std::thread::sleep(Duration::from_millis(700));
        env.write("ready", "no\n");
        std::thread::sleep(Duration::from_millis(700));
        env.write("ready", "yes\n");
        assert_eq!(late.join().unwrap().0, 0);
    });
}

/// A later step fails, and what was done before would be worse than nothing.
#[test]
fn what_was_done_is_taken_back_by_its_compensation_where_somebody_agrees() {
    let env = TestEnv::new();
    own(
        &env,
        "saga",
        "steps:
  - {id: open, title: open, phase: recover, run: [touch, opened], compensate: [rm, opened]}
  - {id: check, title: check, phase: verify, verify: [test, -e, never]}
",
    );
    let out = playbook(&env, &["run", "saga", "--confirm", "open"]);
    assert_eq!(out.code, 1);
    assert!(out.stdout.contains("to take open back: rm opened") && env.exists("opened"), "{out:?}");
    let out = playbook(&env, &["run", "saga", "--confirm", "open,open.compensate"]);
    assert_eq!(out.code, 1);
    assert!(out.stdout.contains("taken back") && !env.exists("opened"), "{out:?}");
    assert!(marks(&env).contains(&("step-taken-back".to_owned(), "open".to_owned())));
    // Gone on with, it begins at what was taken back.
    let (_, report) = ran(&env, &["resume", "--confirm", "open"]);
    assert_eq!(step(&report, "open").0, "step-done");
}

/// Evidence before anybody touches it: stored, not run, and there to be had.
#[test]
fn a_capture_stores_what_a_command_would_destroy() {
    let env = TestEnv::new();
    env.write("data/a", "kept");
    own(
        &env,
        "keeps",
        "steps:
  - {id: keep, title: keep, phase: contain, capture: [rm, -rf, data]}
  - {id: none, title: none, phase: contain, capture: [rm, -rf, nothing-there], on-failure: continue}
",
    );
    let (code, report) = ran(&env, &["run", "keeps"]);
    assert!(env.exists("data/a"), "it was not run");
    assert_eq!(step(&report, "keep").0, "step-done", "{code} {report:#}");
    let event = report["steps"][0]["event"].to_string();
    std::fs::remove_dir_all(env.project.join("data")).unwrap();
    env.fr(&["restore", &event, "--to", env.root().join("back").to_str().unwrap()]).ok();
    let found = env.sh("cat $(find ../back -name a)").ok().stdout;
    assert_eq!(found, "kept");
    assert_eq!(env.fr(&["undo", &event, "--yes"]).code, 5, "it did nothing that could be undone");
}

fn served(answers: usize) -> (u16, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for _ in 0..answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            while !String::from_utf8_lossy(&bytes).contains("\"text\"") {
                let count = stream.read(&mut buffer).unwrap();
                if count == 0 {
                    break;
                }
                bytes.extend_from_slice(&buffer[..count]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").unwrap();
            heard.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        heard
    });
    (port, server)
}

/// The message goes where the playbook says only where that is this machine, or the user's settings say so too.
#[test]
fn a_webhook_reaches_loopback_and_no_other_host_without_the_settings() {
    let mut env = TestEnv::new();
    let (port, server) = served(1);
    env.vars.push(("HOOK".to_owned(), format!("http://127.0.0.1:{port}/T0KEN-in-the-url")));
    let rest = "vars: {hook: {about: where to, secret: {env: HOOK}}, x: {about: x, default: 'a \"b\" \\ c'}}
steps:
  - {id: tell, title: tell, phase: notify, notify: {webhook: '${{ secret.hook }}', text: 'it says ${{ vars.x }}'}}
";
    own(&env, "tells", rest);
    let (code, report) = ran(&env, &["run", "tells", "--confirm", "tell"]);
    assert_eq!(code, 0, "{report:#}");
    let heard = server.join().unwrap().remove(0);
    assert!(heard.starts_with("POST /T0KEN-in-the-url "), "{heard}");
    let body: Value = serde_json::from_str(heard.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["text"], "it says a \"b\" \\ c");
    assert!(!journal(&env).contains("T0KEN"), "a secret's value is never recorded");
    env.vars.push(("HOOK".to_owned(), "https://hooks.example.org/T0KEN".to_owned()));
    let (code, report) = ran(&env, &["run", "tells", "--confirm", "tell"]);
    assert_eq!(code, 1);
    assert!(step(&report, "tell").1.contains("neither this machine nor in the settings"), "{report:#}");
    env.fr(&["config", "set", "playbook.webhook-hosts", "hooks.example.org"]).ok();
    env.fr(&["config", "check"]).ok();
}

#[test]
fn a_secret_reaches_the_command_and_nothing_else() {
    let mut env = TestEnv::new();
    env.vars.push(("MY_TOKEN".to_owned(), "s3cr3t-0f-the-test".to_owned()));
    let file = env.write("pass", "fr0m-a-file\n");
    let rest = format!(
        "vars: {{t: {{about: t, secret: {{env: MY_TOKEN}}}}, f: {{about: f, secret: {{file: {}}}}}}}
steps:
  - {{id: use, title: use, phase: recover, shell: 'printf %s \"$TOKEN $OTHER\" | sha256sum > seen', env: {{TOKEN: '${{{{ secret.t }}}}', OTHER: '${{{{ secret.f }}}}'}}}}
",
        file.display()
    );
    own(&env, "uses", &rest);
    playbook(&env, &["run", "uses", "--confirm", "use"]).ok();
    let expected = env.sh("printf %s 's3cr3t-0f-the-test fr0m-a-file' | sha256sum").ok().stdout;
    assert_eq!(env.read("seen"), expected);
    let told = env.fr(&["timeline", "--json"]).ok().stdout
        + &journal(&env)
        + &playbook(&env, &["show", "uses"]).ok().stdout;
    assert!(!told.contains("s3cr3t-0f") && !told.contains("fr0m-a"), "{told}");
    assert_eq!(
        playbook(&env, &["run", "uses", "--var", "t=x"]).code,
        2,
        "a secret is not said on a command line"
    );
    env.vars.retain(|(name, _)| name != "MY_TOKEN");
    let (code, report) = ran(&env, &["run", "uses", "--confirm", "use"]);
    assert_eq!(code, 1);
    assert!(step(&report, "use").1.contains("MY_TOKEN is not set"), "{report:#}");
}

/// A person at a terminal: asked before it begins, at each step, and shown what was entered wrongly.
#[test]
fn a_person_is_asked_at_the_terminal() {
    let env = TestEnv::new();
    own(
        &env,
        "talks",
        "steps:
  - {id: look, title: look, phase: assess, verify: [ls]}
  - {id: write, title: write, phase: recover, run: [touch, made]}
  - {id: left, title: left, phase: recover, run: [touch, left]}
  - {id: say, title: say, phase: learn, ask: what was it?, evidence: required}
",
    );
    let mut command = env.command(TestEnv::binary());
    command.args(["playbook", "run", "talks"]);
    let mut pty = Pty::start(&command);
    pty.expect("4 steps; 1 of them only read or contain and run by themselves. Begin? [y/N] ");
    pty.send("y\n");
    pty.expect("run it? [y]es, [s]kip, [q]uit: ");
    pty.send("maybe\n");
    pty.expect("run it? [y]es, [s]kip, [q]uit: ");
    pty.send("y\n");
    until("it is made", || env.exists("made"));
    pty.expect("run it?");
    pty.send("s\n");
    pty.expect("your answer");
    pty.send("\n");
    pty.expect("go on: fr playbook resume ");
    assert_eq!(pty.end(), 3);
    assert!(!env.exists("left"));
    let mut command = env.command(TestEnv::binary());
    command.args(["playbook", "resume"]);
    let mut pty = Pty::start(&command);
    pty.expect("your answer");
    pty.send("nothing in particular\n");
    pty.expect("finished");
    assert_eq!(pty.end(), 0);
}
