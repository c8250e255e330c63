//! Real agents, installed by `tests/live/setup`, drive the built `fr` through their own hooks; only the model is
//! scripted (`tests/live/model`). What the timeline must hold is written down as the whole list, so that a command that
//! is missing, listed twice, or the agent's own shows. `docs/testing.md` says how to run one and look into it.

mod afterwards;
mod aider;
mod answers;
mod claude;
mod codex;
mod under_run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::env::{Output, TestEnv, run};
use crate::fs_compare::{Tree, differences, tree};

/// The tests measure themselves against the machine's patience with real agents, not with `fr`.
const LIMIT: Duration = Duration::from_secs(240);

/// The project that an agent works in, and the way to run it there.
pub struct Live {
    /// Its world.
    pub env: TestEnv,
    began: Tree,
}

/// What an agent's run left to look at.
pub struct Ran {
    /// What the agent printed.
    pub output: Output,
    /// From start to end.
    pub took: Duration,
}

/// One call of `fr`.
#[derive(Debug)]
struct Call {
    took: f64,
    code: i32,
    #[expect(dead_code, reason = "for whoever reads a failure")]
    words: String,
}

impl Call {
    fn parse(line: &str) -> Call {
        let [began, ended, code, words] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let seconds = |text: &str| text.parse::<f64>().unwrap();
        Call { took: seconds(ended) - seconds(began), code: code.parse().unwrap(), words: words.to_string() }
    }
}

/// The installed program of an agent, by its path below `$FR_AGENTS_DIR`. Where it is missing the test is skipped, with
/// a line that says so; in CI it fails.
pub fn installed(agent: &str, below: &str) -> Option<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let dir = std::env::var("FR_AGENTS_DIR").unwrap_or_else(|_| format!("{home}/.cache/fr-agents"));
    let program = Path::new(&dir).join(below);
    if program.exists() {
        return Some(program);
    }
    let missing =
        format!("{agent} is not installed ({}); tests/live/setup {agent} installs it", program.display());
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "{missing}");
    eprintln!("skipped: {missing}");
    None
}

impl Live {
    /// A small project under git with something to destroy in it.
    pub fn new() -> Live {
        let mut env = TestEnv::with_git();
        for (path, content) in [
            ("src/app.txt", "hello\n"),
            ("src/b.txt", "b\n"),
            ("build/a.o", "\u{1}object\n"),
            ("build/deep/b.o", "more\n"),
            ("build2/c.o", "cache\n"),
            ("victim.txt", "dear\n"),
        ] {
            env.write(path, content);
        }
        env.sh("git add -A && git commit -qm tour && mkdir ../tmp").ok();
        let tmp = env.root().join("tmp").display().to_string();
        // SHLVL as from a terminal: without it bash takes Node's socket for rshd and skips BASH_ENV (agents.md 3.1).
        for (name, value) in [("SHELL", "/bin/bash"), ("SHLVL", "1"), ("TMPDIR", &tmp)] {
            env.vars.push((name.to_string(), value.to_string()));
        }
        let began = tree(&env.project);
        Live { env, began }
    }

    /// What is there now is what must be there again afterwards.
    pub fn begin(&mut self) {
        self.began = tree(&self.env.project);
    }

    /// What a user does: `fr install` of the built `fr` for this agent. Afterwards a program stands in its place, calls it,
    /// and keeps how long each hook took and what it printed.
    #[track_caller]
    pub fn install(&self, agent: &str, options: &[&str]) {
        let (bin, calls) = (self.env.root().join("bin"), self.calls_dir());
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir_all(&calls).unwrap();
        let (fr, real) = (bin.join("fr"), bin.join("fr.real"));
        // By cp: a file that this process wrote and another still inherits cannot be run.
        self.env.sh(&format!("cp {} {}", TestEnv::binary().display(), fr.display())).ok();
        let mut install = self.env.command(&fr);
        install.env("PATH", self.path_of_agent()).args(["install", "--yes", "--agent", agent]).args(options);
        run(install, b"").ok();
        std::fs::rename(&fr, &real).unwrap();
        let script = format!(
            "#!/bin/bash -p\n[ \"$1\" = hook ] || exec {real} \"$@\"\n\
             began=$EPOCHREALTIME\n{real} \"$@\" >{calls}/$$.out 2>{calls}/$$.err\ncode=$?\n\
             echo \"$began $EPOCHREALTIME $code $*\" >>{calls}/list\n\
             cat {calls}/$$.out\ncat {calls}/$$.err >&2\nexit $code\n",
            real = real.display(),
            calls = calls.display()
        );
        self.env.write("../bin/fr", script);
        self.env.sh(&format!("chmod +x {}", fr.display())).ok();
    }

    fn calls_dir(&self) -> PathBuf {
        self.env.root().join("calls")
    }

    /// `PATH` of the agent.
    fn path_of_agent(&self) -> String {
        format!("{}:{}", self.env.root().join("bin").display(), self.env.path())
    }

    /// Every call of the hook succeeded and printed nothing. Prints what they cost.
    #[track_caller]
    pub fn assert_silent(&self, agent: &str, ran: &Ran) {
        let list = std::fs::read_to_string(self.calls_dir().join("list")).unwrap();
        let calls: Vec<Call> = list.lines().map(Call::parse).collect();
        let failed: Vec<&Call> = calls.iter().filter(|call| call.code != 0).collect();
        assert!(failed.is_empty(), "{failed:?}");
        for file in std::fs::read_dir(self.calls_dir()).unwrap().map(|file| file.unwrap().path()) {
            let words =
                if file.ends_with("list") { String::new() } else { std::fs::read_to_string(&file).unwrap() };
            assert_eq!(words, "", "{}", file.display());
        }
        let total: f64 = calls.iter().map(|call| call.took).sum();
        let slowest = calls.iter().map(|call| call.took).fold(0.0, f64::max);
        println!(
            "{agent}: {:.1} s, in it {} calls of `fr hook`: {:.0} ms together, {:.0} ms the slowest",
            ran.took.as_secs_f64(),
            calls.len(),
            total * 1e3,
            slowest * 1e3
        );
        assert!(total < ran.took.as_secs_f64() / 2.0, "fr took {total} s of {:?}", ran.took);
    }

    /// A path in the project, as the agents are given it.
    pub fn path(&self, path: &str) -> String {
        self.env.project.join(path).display().to_string()
    }

    /// Writes a file of the agent's below HOME.
    pub fn configure(&self, path: &str, content: &str) {
        let path = self.env.home.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The program of an MCP server with one tool, `wipe`, that deletes a file.
    pub fn wiper() -> String {
        live_dir().join("wipe.py").display().to_string()
    }

    /// The command that runs an agent on this script.
    pub fn command(&self, script: &Value, options: &[&str], agent: &[&str]) -> Command {
        let file = self.env.root().join("script.json");
        std::fs::write(&file, script.to_string()).unwrap();
        let mut command = self.env.command(live_dir().join("run"));
        command.env("PATH", self.path_of_agent());
        command.args(["--limit", &LIMIT.as_secs().to_string()]).args(options);
        command.arg(file).arg(self.requests()).arg("--").args(agent);
        command
    }

    /// Runs an agent on this script to its end.
    #[track_caller]
    pub fn run(&self, script: &Value, agent: &[&str]) -> Ran {
        let start = Instant::now();
        let output = run(self.command(script, &[], agent), b"");
        let ran = Ran { output, took: start.elapsed() };
        assert_eq!(ran.output.code, 0, "{}", self.account(&ran));
        ran
    }

    /// What the agent asked the model, one file a request.
    fn requests(&self) -> PathBuf {
        self.env.root().join("requests")
    }

    /// For a test that fails: what the agent said, and what `fr` saw.
    pub fn account(&self, ran: &Ran) -> String {
        let timeline = self.env.fr(&["timeline", "--limit", "100"]);
        format!(
            "{:?}\n{}\n{}{}",
            ran.took,
            ran.output.stdout,
            ran.output.stderr,
            timeline.stdout + &timeline.stderr
        )
    }

    /// The commands in the timeline, oldest first.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let timeline = self.env.fr(&["timeline", "--limit", "1000", "--json"]).ok().json();
        let mut events: Vec<Value> = timeline.as_array().unwrap().clone();
        events.retain(|event| event["kind"] == "command");
        events.reverse();
        events
    }

    /// The one event whose line in the list (see [`Live::assert_listed`]) contains this.
    #[track_caller]
    fn event(&self, command: &str) -> Value {
        let found: Vec<Value> =
            self.events().into_iter().filter(|event| self.line(event).contains(command)).collect();
        assert_eq!(found.len(), 1, "{command}: {found:#?}");
        found[0].clone()
    }

    /// Takes that event back, and expects the proof.
    #[track_caller]
    pub fn undo(&self, command: &str) {
        let id = self.event(command)["id"].to_string();
        let undone = self.env.fr(&["undo", &id, "--yes"]).ok();
        assert!(undone.stdout.contains("undone and verified"), "{command}: {undone:?}");
    }

    /// Takes that event back as far as it is known, and expects to be told what is not.
    #[track_caller]
    pub fn undo_in_part(&self, command: &str, because: &str) {
        let undone = self.env.fr(&["undo", &self.event(command)["id"].to_string(), "--yes"]);
        assert_eq!(undone.code, 3, "{command}: {undone:?}");
        assert!(undone.stdout.contains(because), "{command}: {undone:?}");
    }

    /// That event is not taken back, nothing is written, and the reason is given.
    #[track_caller]
    pub fn undo_is_refused(&self, command: &str, because: &str) {
        let before = tree(&self.env.project);
        let refused = self.env.fr(&["undo", &self.event(command)["id"].to_string(), "--yes"]);
        assert_eq!(refused.code, 4, "{command}: {refused:?}");
        assert!(refused.stderr.contains(because), "{command}: {refused:?}");
        assert_eq!(differences(&before, &tree(&self.env.project)), Vec::<String>::new());
    }

    /// The project is what it was before the agent came, byte for byte.
    #[track_caller]
    pub fn assert_as_before(&self) {
        self.assert_as_before_but(&[]);
    }

    /// The same, but for these differences, by how they begin.
    #[track_caller]
    pub fn assert_as_before_but(&self, known: &[&str]) {
        let bare = |tree: &Tree| -> Tree {
            let mut tree = tree.clone();
            tree.retain(|path, _| !path.starts_with(".git"));
            tree.values_mut().filter(|seen| seen.kind == "dir").for_each(|seen| seen.mtime_ns = 0);
            tree
        };
        let found = differences(&bare(&self.began), &bare(&tree(&self.env.project)));
        let expected = found.len() == known.len()
            && found.iter().zip(known).all(|(found, known)| found.starts_with(known));
        assert!(expected, "{found:#?}");
    }

    /// The timeline holds these commands, each once, and nothing else. One a line: tool, command, directory, outcome, kind
    /// of sub-agent. The project is `.`. In any order: some run at the same time.
    #[track_caller]
    pub fn assert_listed(&self, ran: &Ran, expected: &[&str]) {
        let mut listed: Vec<String> = self.events().iter().map(|event| self.line(event)).collect();
        let mut expected = expected.to_vec();
        listed.sort();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{}", self.account(ran));
    }

    /// Every command is this agent's, by one of these: how it was told, and the version that is known there.
    #[track_caller]
    pub fn assert_actor(&self, name: &str, told: &[(&str, Option<&str>)]) {
        for event in self.events() {
            let actor = &event["actor"];
            assert_eq!((&actor["kind"], &actor["name"]), (&json!("agent"), &json!(name)), "{event:#}");
            let (by, version) = (actor["evidence"].as_str().unwrap(), actor["version"].as_str());
            assert!(told.contains(&(by, version)), "{event:#}");
        }
    }

    /// Every command is of one session, a sub-agent's too.
    #[track_caller]
    pub fn assert_one_session(&self) {
        let sessions: BTreeSet<String> =
            self.events().iter().map(|event| event["session"].to_string()).collect();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
    }

    fn line(&self, event: &Value) -> String {
        let project = self.env.project.display().to_string();
        let cwd = event["cwd"].as_str().unwrap_or("?").replace(&project, ".");
        let outcome = match &event["outcome"] {
            Value::Null => "open".to_string(),
            outcome => match (&outcome["how"], &outcome["code"]) {
                (how, Value::Null) => how.as_str().unwrap().to_string(),
                (_, code) => format!("exit {code}"),
            },
        };
        // "general-purpose a8f3…": the kind, then its id.
        let by = event["actor"]["subagent"].as_str().and_then(|agent| agent.split(' ').next());
        let by = by.map(|agent| format!(" | {agent}")).unwrap_or_default();
        let tool = event["command"]["tool"].as_str().map(|tool| format!("{tool}: ")).unwrap_or_default();
        format!("{tool}{} | {cwd} | {outcome}{by}", said(event).replace(&format!("{project}/"), ""))
    }
}

/// The words of the command.
fn said(event: &Value) -> &str {
    event["command"]["line"].as_str().unwrap_or("")
}

/// `tests/live`.
fn live_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live")
}
