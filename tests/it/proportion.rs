//! What a verb reads is in proportion to what it shows, not to how much is on record: the reads of each are counted on a journal
//! and again when it is twenty times as long. Times would say less on a busy machine.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fr::journal::{Durability, Journal};
use fr::model::{EffectClass, Gap, Record};
use fr::platform::home::Home;

use crate::env::{TestEnv, run};
use crate::pty::Pty;
use crate::samples;

/// Events of a session.
const SESSION: u64 = 100;

/// A second apart from each other.
fn time_of(n: u64) -> i64 {
    (1_700_000_000 + i64::try_from(n).unwrap()) * 1_000_000_000
}

/// More events, from this one on: each tenth destroys something, each ends, each hundredth is followed by a gap.
fn grow(journal: &Journal, from: u64, to: u64) {
    for n in from..to {
        let session = format!("session-{:05}", n / SESSION);
        let path = format!("/work/app/build-{n}");
        let mut before = samples::before(n, &session, &format!("rm -r {path}"));
        let at_ns = time_of(n);
        before.at_ns = at_ns;
        if n % 10 == 0 {
            before.effects = vec![samples::effect(EffectClass::Destroy, &path)];
        }
        let event = journal.append(&samples::record(before), None, Durability::Buffered).unwrap().event;
        let after = Record::After(Box::new(samples::after(n, &session, 0)));
        journal.append(&after, Some(event), Durability::Buffered).unwrap();
        if n % 100 == 0 {
            let gap = Gap { at_ns, reason: "a test".to_owned(), count: 1, detail: None };
            journal.append(&Record::Gap(gap), None, Durability::Buffered).unwrap();
        }
    }
}

/// Reads of files of the store in a log of strace's, by file.
fn counted(log: &Path, env: &TestEnv) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned();
    let home = env.fr_home.to_str().unwrap();
    for line in text.lines().filter(|line| line.contains(home)) {
        let file = if line.contains("index.sqlite") { "index" } else { "journal" };
        *counts.entry(file.to_owned()).or_default() += 1;
    }
    counts
}

fn strace(env: &TestEnv, log: &Path, args: &[&str]) -> std::process::Command {
    let mut command = env.command("strace");
    command.args(["-f", "-y", "-s", "0", "-e", "trace=read,pread64,readv,preadv,preadv2", "-o"]).arg(log);
    command.arg(TestEnv::binary()).args(args);
    command
}

/// What a verb reads that prints and ends.
fn reads(env: &TestEnv, args: &[&str]) -> BTreeMap<String, usize> {
    let log = env.root().join("strace.log");
    run(strace(env, &log, args), b"").ok();
    counted(&log, env)
}

/// What is read until the past stands there, and nobody reads any more.
fn reads_of_follow(env: &TestEnv) -> BTreeMap<String, usize> {
    let log = env.root().join("strace.log");
    let mut command = strace(env, &log, &["timeline", "--follow", "-n", "20"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let shown = (0..20).filter(|_| lines.next().is_some_and(|line| line.is_ok())).count();
    assert_eq!(shown, 20);
    drop(lines);
    assert!(child.wait().unwrap().success());
    counted(&log, env)
}

/// What is read until the list is on the screen, and for as long as it stands there.
fn reads_of_tui(env: &TestEnv, newest: &str) -> BTreeMap<String, usize> {
    let log = env.root().join("strace.log");
    let mut pty = Pty::start(&strace(env, &log, &["tui"]));
    pty.patience = Duration::from_secs(180);
    pty.expect(newest);
    pty.send("q");
    assert_eq!(pty.end(), 0);
    counted(&log, env)
}

#[test]
fn what_is_read_does_not_grow_with_the_journal() {
    let mut env = TestEnv::new();
    env.vars.push(("TERM".to_owned(), "xterm-256color".to_owned()));
    let home = Home::at(env.fr_home.clone());
    fr::store::Store::open_or_create(&home).unwrap();
    let journal = Journal::open(&home).unwrap();
    let (short, long) = (1_000, 20_000);
    let mut look = |events: u64| {
        let session = format!("session-{:05}", events / SESSION - 1);
        let newest = format!("build-{}", events - 1);
        env.vars.retain(|(name, _)| name != "FR_FAKE_TIME");
        env.vars.push(("FR_FAKE_TIME".to_owned(), time_of(events).to_string()));
        let env = &env;
        // The index is made once; that it takes in what is new costs what is new.
        env.fr(&["timeline"]).ok();
        vec![
            ("timeline", reads(env, &["timeline"])),
            ("timeline -n 5 --json", reads(env, &["timeline", "-n", "5", "--json"])),
            ("timeline --session", reads(env, &["timeline", "--session", &session])),
            ("timeline --since", reads(env, &["timeline", "--since", "10s"])),
            ("timeline --changes", reads(env, &["timeline", "--changes"])),
            ("timeline --follow", reads_of_follow(env)),
            ("tui", reads_of_tui(env, &newest)),
            ("blast-radius --session", reads(env, &["blast-radius", "--session", &session])),
            ("show", reads(env, &["show", &events.to_string()])),
        ]
    };
    grow(&journal, 0, short);
    let first = look(short);
    grow(&journal, short, long);
    let second = look(long);
    let mut grown = Vec::new();
    for ((verb, before), (_, after)) in first.iter().zip(&second) {
        for (file, count) in after {
            let had = before.get(file).copied().unwrap_or(0);
            // Not twenty times as much. A tree is a level deeper, a page of gaps more may be read, and what stands on a screen is
            // written anew every few seconds.
            let most = had * 2 + 15;
            if *count > most {
                grown.push(format!("{verb}: {count} reads of the {file}, {had} before"));
            }
        }
    }
    assert!(grown.is_empty(), "{grown:#?}\n{first:?}\n{second:?}");
}
