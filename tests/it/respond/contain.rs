//! `fr contain`: from that moment no command of an agent runs, wherever it comes from; people go on working.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::env::{Output, TestEnv, run};
use crate::pty::until;

/// An agent that runs, with a loop in a shell below it, as one that deletes things in the background would have.
struct Agent {
    child: Child,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = Command::new("pkill").args(["-9", "-P", &self.child.id().to_string()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent {
    fn start(env: &TestEnv, name: &str, counter: &str) -> Agent {
        let bin = env.root().join("agents");
        std::fs::create_dir_all(&bin).unwrap();
        let path = bin.join(name);
        let script =
            "#!/bin/bash\nbash -c 'while :; do echo x >> \"$1\"; sleep 0.02; done' loop \"$1\" &\nwait\n";
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = env.command(&path);
        command.arg(env.project.join(counter)).stdin(Stdio::null()).stdout(Stdio::null());
        let agent = Agent { child: command.spawn().unwrap() };
        until("the agent works", || env.exists(counter));
        agent
    }

    fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with('T')
    }
}

fn size(env: &TestEnv, counter: &str) -> u64 {
    std::fs::metadata(env.project.join(counter)).unwrap().len()
}

/// True where something goes on writing.
fn grows(env: &TestEnv, counter: &str) -> bool {
    let before = size(env, counter);
    std::thread::sleep(Duration::from_millis(300));
    size(env, counter) > before
}

/// The numbers of an agent and its loop; a `sleep` of the loop may have been over by itself.
fn shells(halted: &Value) -> BTreeSet<u64> {
    let halted = halted.as_array().unwrap().iter().filter(|process| process["name"] != "sleep");
    halted.map(|process| process["pid"].as_u64().unwrap()).collect()
}

fn is_denied(answer: &Output) -> bool {
    answer.code == 0 && answer.stdout.contains("\"permissionDecision\":\"deny\"")
}

fn latest(env: &TestEnv) -> Value {
    env.fr(&["timeline", "--limit", "1", "--json"]).ok().json()[0].clone()
}

#[test]
fn no_command_of_an_agent_runs_until_a_person_releases_it() {
    let env = TestEnv::with_git();
    env.write("precious", "x");
    env.claude_runs("ls");
    let said = env.fr(&["contain", "--reason", "it deletes\u{1b}[31m production"]).ok().stdout;
    assert!(said.contains("no command of any agent runs") && !said.contains('\u{1b}'), "{said:?}");
    for line in ["rm precious", "ls"] {
        let call = env.claude_pre(line);
        assert!(is_denied(&call.answer), "{call:?}");
        assert!(call.answer.stdout.contains("contained by tester: it deletes"), "{call:?}");
    }
    let event = latest(&env);
    assert_eq!((&event["verdict"]["answer"], &event["outcome"]["how"]), (&json!("deny"), &json!("refused")));
    let listed = env.fr(&["timeline"]).ok().stdout;
    assert!(listed.contains("[denied] ls") && listed.contains("contained every agent"), "{listed}");
    env.fr(&["exec", "--", "ls"]).ok();
    let status = env.fr(&["contain", "--status"]).ok().stdout;
    assert!(status.starts_with("every agent contained by tester"), "{status}");

    env.fr(&["release"]).ok();
    env.claude_runs("rm precious");
    assert_eq!(env.fr(&["contain", "--status"]).ok().stdout, "nothing is contained\n");
    assert_eq!(env.fr(&["release"]).code, 5);
    let kinds: Vec<Value> = env
        .fr(&["timeline", "--json"])
        .ok()
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].clone())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "contain" || **kind == "release").count(), 2);
    env.fr(&["store", "verify"]).ok();
}

/// It has no hook that answers, or does not ask it: what it executes is refused all the same.
#[test]
fn shims_and_exec_refuse_an_agent_and_serve_a_person() {
    let mut env = TestEnv::new();
    env.write("precious", "x");
    env.fr(&["exec", "--", "true"]).ok();
    env.fr(&["shims", "enable"]).ok();
    let path = format!("{}:{}", env.fr_home.join("shims").display(), env.path());
    env.vars.push(("PATH".to_owned(), path));
    env.fr(&["contain", "--agent", "claude"]).ok();
    let as_agent = |line: &str| {
        let mut command = env.command("bash");
        command.args(["--norc", "-c", line]).env("CLAUDECODE", "1");
        run(command, b"")
    };
    for line in ["rm precious", "fr exec -- /bin/rm precious", "fr exec -c 'rm precious'"] {
        let refused = as_agent(line);
        assert_eq!(refused.code, 126, "{line}: {refused:?}");
        assert!(refused.stderr.contains("contained by tester"), "{line}: {refused:?}");
        assert!(env.exists("precious"), "{line}");
        assert_eq!(latest(&env)["outcome"]["how"], "refused", "{line}");
    }
    let mut other = env.command("bash");
    other.args(["--norc", "-c", "rm -f nothing"]).env("GEMINI_CLI", "1");
    run(other, b"").ok();
    env.sh("rm precious").ok();
    assert!(!env.exists("precious"));
}

/// What is running already is stopped where it stands, and nothing of it is lost: it can go on.
#[test]
fn process_trees_are_stopped_and_go_on() {
    let env = TestEnv::new();
    let (claude, gemini) = (Agent::start(&env, "claude", "a"), Agent::start(&env, "gemini", "b"));
    let started = Instant::now();
    let said = env.fr(&["contain", "--agent", "claude", "--json"]).ok().json();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(shells(&said["stopped"]).len() >= 2, "{said:#}");
    until("it stands", || claude.is_stopped());
    assert!(!grows(&env, "a") && !gemini.is_stopped() && grows(&env, "b"));
    let released = env.fr(&["release", "--json"]).ok().json();
    assert_eq!(shells(&released["resumed"]), shells(&said["stopped"]));
    until("it goes on", || grows(&env, "a"));

    let ended = env.fr(&["contain", "--all", "--terminate"]).ok().stdout;
    assert!(ended.contains("(claude)") && ended.contains("(gemini)"), "{ended}");
    assert!(!grows(&env, "a") && !grows(&env, "b"));
}

/// A session by the beginning of its id; what another session does is its own affair.
#[test]
fn one_session_is_held_and_others_go_on() {
    let env = TestEnv::new();
    let ask = |session: &str, id: &str| {
        env.claude_hook(json!({
            "session_id": session, "hook_event_name": "PreToolUse", "tool_name": "Bash",
            "tool_input": {"command": "rm -rf build"}, "tool_use_id": id,
        }))
    };
    ask("aaaa-1", "1").ok();
    ask("bbbb-2", "2").ok();
    env.fr(&["contain", "--session", "aaaa"]).ok();
    assert!(is_denied(&ask("aaaa-1", "3")));
    assert_eq!(ask("bbbb-2", "4").stdout, "");
    let ambiguous = env.fr(&["contain", "--session", ""]);
    assert_eq!(ambiguous.code, 2, "{ambiguous:?}");
}

/// An agent that finds the word does not free itself, and neither does a file that it has damaged.
#[test]
fn an_agent_does_not_release_itself() {
    let env = TestEnv::new();
    env.fr(&["contain"]).ok();
    let mut command = env.command("fr");
    command.arg("release").env("CLAUDECODE", "1");
    let refused = run(command, b"");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("only a person releases"), "{refused:?}");
    std::fs::write(env.fr_home.join("contained.json"), "{").unwrap();
    assert!(is_denied(&env.claude_pre("ls").answer), "somebody meant to stop something");
    env.fr(&["release"]).ok();
    assert_eq!(env.claude_pre("ls").answer.stdout, "");
    let mode = env.sh("stat -c %a $FR_HOME/contained.lock").ok().stdout;
    assert_eq!(mode, "600\n");
}

/// What a reboot leaves: the disk. Everything that ran is gone, with its numbers and what lay in `/run`; the first thing that
/// starts again is the agent.
#[test]
fn it_survives_a_reboot() {
    let mut env = TestEnv::new();
    env.write("precious", "x");
    let runtime = env.root().join("run");
    std::fs::create_dir(&runtime).unwrap();
    env.vars.push(("XDG_RUNTIME_DIR".to_owned(), runtime.to_str().unwrap().to_owned()));
    env.claude_runs("ls");
    env.fr(&["shims", "enable"]).ok();
    let path = format!("{}:{}", env.fr_home.join("shims").display(), env.path());
    let agent = Agent::start(&env, "claude", "a");
    let said = env.fr(&["contain", "--reason", "it deletes production", "--json"]).ok().json();
    assert!(!shells(&said["stopped"]).is_empty(), "{said:#}");

    drop(agent);
    std::fs::remove_dir_all(&runtime).unwrap();
    env.vars.retain(|(name, _)| name != "XDG_RUNTIME_DIR");
    env.vars.push(("PATH".to_owned(), path));

    let call = env.claude_pre("rm precious");
    assert!(is_denied(&call.answer) && call.answer.stdout.contains("it deletes production"), "{call:?}");
    // Also where the numbers of processes begin anew, and /proc knows none of the old ones.
    for front in [&[][..], &["unshare", "--pid", "--fork", "--mount-proc"]] {
        let words: Vec<&str> = front.iter().copied().chain(["bash", "--norc", "-c", "rm precious"]).collect();
        let mut command = env.command(words[0]);
        command.args(&words[1..]).env("CLAUDECODE", "1");
        let refused = run(command, b"");
        if front.len() > 1 && refused.stderr.contains("unshare failed") {
            eprintln!("skipped: no namespaces of processes here: {refused:?}");
            continue;
        }
        assert_eq!(refused.code, 126, "{refused:?}");
        assert!(refused.stderr.contains("contained by tester") && env.exists("precious"), "{refused:?}");
    }
    let status = env.fr(&["contain", "--status"]).ok().stdout;
    assert!(status.starts_with("every agent contained by tester"), "{status}");
    env.fr(&["release"]).ok();
    env.claude_runs("rm precious");
}

/// Two hundred commands are under way when somebody contains: each that asks after that is refused, each is on record.
#[test]
fn none_of_two_hundred_commands_slips_through() {
    const THREADS: u32 = 10;
    let env = TestEnv::new();
    env.claude_runs("true");
    for n in 0..THREADS * 20 {
        env.write(&format!("f{n}"), "x");
    }
    let contained = AtomicBool::new(false);
    let (asked, late) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (env, contained, asked, late) = (&env, &contained, &asked, &late);
            scope.spawn(move || {
                for n in 0..20 {
                    let file = format!("f{}", thread * 20 + n);
                    let was_contained = contained.load(Ordering::SeqCst);
                    let call = env.claude_pre(&format!("rm {file}"));
                    asked.fetch_add(1, Ordering::SeqCst);
                    if !is_denied(&call.answer) {
                        late.fetch_add(u32::from(was_contained), Ordering::SeqCst);
                        std::fs::remove_file(env.project.join(&file)).unwrap();
                        env.claude_post(&call).ok();
                    }
                }
            });
        }
        until("some have run", || asked.load(Ordering::SeqCst) > 40);
        env.fr(&["contain", "--reason", "stop"]).ok();
        contained.store(true, Ordering::SeqCst);
    });
    assert_eq!(late.load(Ordering::SeqCst), 0, "a command that asked after the containment was let run");
    let listed = env.fr(&["timeline", "--json", "--limit", "1000", "--grep", "rm f"]).ok().json();
    assert_eq!(listed.as_array().unwrap().len(), 200, "each is on record");
    let gone = (0..THREADS * 20).filter(|n| !env.exists(&format!("f{n}"))).count();
    let refused = listed.as_array().unwrap().iter().filter(|e| e["outcome"]["how"] == "refused").count();
    assert_eq!(gone + refused, 200);
    assert!(refused > 0, "the race was lost by all: nothing was tested");
}
