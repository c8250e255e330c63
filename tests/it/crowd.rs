//! Fifty processes at one store: every event is there once, and nobody waits long.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::env::{Output, TestEnv};

const PROCESSES: usize = 50;

/// One after the other of this many events, each a hook process of its own, from fifty threads at once.
fn each() -> usize {
    if std::env::var_os("FR_EXHAUSTIVE").is_some() { 200 } else { 20 }
}

/// What one sender sends: mostly harmless, now and then something that must be captured and made durable, and ends.
fn payloads(env: &TestEnv, sender: usize, turn: usize) -> Vec<Value> {
    let call = format!("call-{sender}-{turn}");
    let command = match turn % 5 {
        0 => format!("rm -rf dir{sender}"),
        3 => format!("echo {turn} > dir{sender}/file"),
        _ => format!("ls dir{sender}"),
    };
    let payload = |hook: &str| {
        json!({
            "hook_event_name": hook, "tool_name": "Bash", "tool_input": {"command": command},
            "tool_use_id": call, "session_id": format!("session-{sender}"), "cwd": env.project,
            "tool_response": {"stdout": "", "stderr": "", "interrupted": false},
        })
    };
    if turn.is_multiple_of(2) {
        vec![payload("PreToolUse"), payload("PostToolUse")]
    } else {
        vec![payload("PreToolUse")]
    }
}

#[test]
fn fifty_processes_lose_nothing() {
    let env = TestEnv::new();
    for sender in 0..PROCESSES {
        env.write(&format!("dir{sender}/file"), format!("content of {sender}\n"));
    }
    let latencies = Mutex::new(Vec::new());
    let send = |sender: usize| {
        for turn in 0..each() {
            for payload in payloads(&env, sender, turn) {
                let start = Instant::now();
                let answer = env.fr_with(&["hook", "claude"], payload.to_string().as_bytes());
                latencies.lock().unwrap().push(start.elapsed());
                let silent = Output { stdout: String::new(), stderr: String::new(), code: 0 };
                assert_eq!(answer, silent, "{payload}");
            }
        }
    };
    let start = Instant::now();
    std::thread::scope(|scope| {
        for sender in 0..PROCESSES {
            scope.spawn(move || send(sender));
        }
    });
    let mut latencies = latencies.into_inner().unwrap();
    latencies.sort();
    report(&latencies, start.elapsed());
    assert_all_there(&env);
    let verify = env.fr(&["store", "verify", "--json"]).ok().json();
    assert_eq!(verify["findings"], json!([]));
    env.fr(&["verify", "--all"]).ok();
    // The five seconds are the bound of a wait for a lock. On a machine with fewer cores than processes most of a
    // latency is the wait for a core.
    assert!(latencies.last().is_some_and(|l| *l < Duration::from_secs(10)), "{latencies:?}");
}

fn assert_all_there(env: &TestEnv) {
    let listed = env.fr(&["timeline", "--json", "-n", "1000000"]).ok().json();
    let events = listed.as_array().unwrap();
    let calls: BTreeSet<&str> = events.iter().filter_map(|e| e["call"].as_str()).collect();
    let ids: BTreeSet<u64> = events.iter().filter_map(|e| e["id"].as_u64()).collect();
    let expected = PROCESSES * each();
    assert_eq!((events.len(), calls.len()), (expected, expected), "every event once");
    assert_eq!(ids, (1..=expected as u64).collect(), "numbers are given once, without holes");
    for event in events {
        let (_, turn) = event["call"].as_str().unwrap().rsplit_once('-').unwrap();
        let turn: usize = turn.parse().unwrap();
        let captures = event["captures"].as_array().map_or(0, Vec::len);
        assert_eq!(captures > 0, matches!(turn % 5, 0 | 3), "{event}");
        assert_eq!(event["outcome"].is_null(), turn % 2 == 1, "{event}");
    }
    assert!(!env.fr(&["timeline"]).ok().stdout.contains("gap "));
}

fn report(sorted: &[Duration], whole: Duration) {
    let at =
        |share: usize| sorted.get(sorted.len() * share / 100).or(sorted.last()).copied().unwrap_or_default();
    eprintln!(
        "{} hooks by {PROCESSES} senders in {whole:.1?}: median {:.1?}, 99 % {:.1?}, longest {:.1?}",
        sorted.len(),
        at(50),
        at(99),
        at(100)
    );
}
