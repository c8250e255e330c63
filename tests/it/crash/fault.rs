//! Running `fr` under strace with a fault at the n-th call of one kind.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;

use super::world::World;
use crate::env::{Output, TestEnv, run};

/// The calls that change something on disk, or on whose result `fr` relies before it does. strace skips those marked
/// `?` where this machine has none by that name.
const CALLS: &str = "?open,openat,openat2,?mkdir,mkdirat,write,pwrite64,ftruncate,fsync,fdatasync,syncfs,?rename,\
                     renameat,renameat2,?link,linkat,?unlink,unlinkat,symlinkat,?symlink,flock,fchmod,fchown,utimensat";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `kill -9` on entry: the call is not made any more.
    Kill,
    /// The call is not made and returns this error.
    Error(&'static str),
}

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The system call.
    pub call: String,
    /// What goes wrong.
    pub how: How,
    /// At which call of that kind, counted in each thread.
    pub nth: usize,
    /// At every later one, too.
    pub onwards: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let onwards = if self.onwards { " and all later ones" } else { "" };
        write!(f, "{:?} at {} number {}{onwards}", self.how, self.call, self.nth)
    }
}

impl Fault {
    fn option(&self) -> String {
        let what = match self.how {
            How::Kill => "signal=SIGKILL".to_owned(),
            How::Error(name) => format!("error={name}"),
        };
        format!("inject={}:{what}:when={}{}", self.call, self.nth, if self.onwards { "+" } else { "" })
    }
}

/// How a run with a fault went.
pub struct Ran {
    /// What `fr` said.
    pub output: Output,
    /// The calls that were hit, as strace shows them; empty where there was no such call.
    pub hits: Vec<String>,
}

impl Ran {
    /// The fault hit what `fr` says to people: silence proves nothing then.
    pub fn hit_stderr(&self) -> bool {
        self.hits.iter().any(|hit| hit.contains("write(2,"))
    }
}

/// True where strace can follow a process here. Where not, says so: what does not run is not tested.
pub fn can_trace() -> bool {
    let tried = Command::new("strace").args(["-f", "-qq", "-o", "/dev/null", "true"]).status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        eprintln!(
            "SKIPPED: strace is not here or may not trace; no fault is injected (tests/run installs it)"
        );
    }
    can
}

/// True where every call is to be hit.
pub fn exhaustive() -> bool {
    std::env::var_os("FR_EXHAUSTIVE").is_some()
}

/// One of those that are to be hit: `FR_EXHAUSTIVE=renameat2` means one kind of call only, `renameat2:20-40` some of them.
fn is_meant(call: &str, nth: usize) -> bool {
    let Ok(words) = std::env::var("FR_EXHAUSTIVE") else { return true };
    let (kind, range) = words.split_once(':').unwrap_or((&words, ""));
    let within = |(from, to): (&str, &str)| {
        let number = |word: &str| word.parse::<usize>().ok();
        number(from).is_none_or(|from| from <= nth) && number(to).is_none_or(|to| nth <= to)
    };
    kind == "1" || (kind == call && range.split_once('-').is_none_or(within))
}

/// Runs `fr`, with a fault or without.
pub fn traced(world: &World, args: &[&str], stdin: &[u8], fault: Option<&Fault>) -> Ran {
    let log = world.env.root().join("strace.log");
    let mut command = world.env.command("strace");
    command.args(["-f", "-qq", "-s", "200", "-o"]).arg(&log);
    if fault.is_none_or(|f| f.how != How::Kill) {
        // Faster, but with it strace 6.1 injects no signals.
        command.arg("--seccomp-bpf");
    }
    match fault {
        Some(fault) => command.args(["-e", &format!("trace={}", fault.call), "-e", &fault.option()]),
        None => command.args(["-e", &format!("trace={CALLS}")]),
    };
    command.arg(TestEnv::binary()).args(args);
    let output = run(command, stdin);
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let killed = |line: &&str| line.contains("killed by SIGKILL") || line.contains("<unfinished ...>) = ?");
    let hits: Vec<String> = match fault.map(|f| f.how) {
        None => Vec::new(),
        Some(How::Error(_)) => text.lines().filter(|l| l.contains("(INJECTED)")).map(str::to_owned).collect(),
        Some(How::Kill) if text.lines().any(|l| killed(&l)) => {
            text.lines().rev().take(3).map(str::to_owned).collect()
        }
        Some(How::Kill) => Vec::new(),
    };
    Ran { output, hits }
}

/// How often each call is made by the thread that makes it most often, in a run that ends with this code.
pub fn count(world: &World, args: &[&str], stdin: &[u8], code: i32) -> BTreeMap<String, usize> {
    let ran = traced(world, args, stdin, None);
    assert_eq!(ran.output.code, code, "{:?}", ran.output);
    let text = std::fs::read(world.env.root().join("strace.log")).unwrap();
    let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if call.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            *by_thread.entry((call.to_owned(), thread.to_owned())).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((call, _), count) in by_thread {
        let known: &mut usize = most.entry(call).or_default();
        *known = count.max(*known);
    }
    most
}

/// The faults to try: `each` of every kind of call, spread evenly with first and last, or all of them.
pub fn faults(counted: &BTreeMap<String, usize>, how: How, each: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (call, &last) in counted {
        let take = if exhaustive() { last } else { last.min(each) };
        let nth = |i: usize| if take < 2 { last } else { 1 + i * (last - 1) / (take - 1) };
        let meant = (0..take).map(nth).filter(|nth| is_meant(call, *nth));
        faults.extend(meant.map(|nth| Fault { call: call.clone(), how, nth, onwards: false }));
    }
    faults
}
