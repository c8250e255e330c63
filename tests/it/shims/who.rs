//! Who did it, with real process trees, and what the other side gets to see of it.

use std::process::Command;

use serde_json::Value;

use super::World;
use crate::env::run;

/// An agent that is a Node script by its package's name, as three of the agents are: runs the words behind `own` itself
/// and the lines behind `line` in a bash.
const AGENT: &str = "#!/usr/bin/env node
const { spawnSync } = require('child_process');
const [, , how, ...rest] = process.argv;
const env = { ...process.env, ...JSON.parse(process.env.MARKS || '{}') };
const done = how === 'own' ? spawnSync(rest[0], rest.slice(1), { stdio: 'inherit' })
                           : spawnSync('/bin/bash', ['-c', rest[0]], { stdio: 'inherit', env });
process.exit(done.status);
";

/// Without node, the same in Python.
const AGENT_IN_PYTHON: &str = "#!/usr/bin/env python3
import json, os, subprocess, sys
how, *rest = sys.argv[1:]
env = {**os.environ, **json.loads(os.environ.get('MARKS', '{}'))}
line = ['/bin/bash', '-c', rest[0]]
sys.exit(subprocess.run(rest if how == 'own' else line, env=None if how == 'own' else env).returncode)
";

impl World {
    /// An agent of that name. Its process is really there; only what it does is ours.
    pub fn agent(&self, name: &str) {
        let node = std::process::Command::new("node").arg("--version").output().is_ok();
        self.program(name, if node { AGENT } else { AGENT_IN_PYTHON });
    }

    /// The agent runs a line in a shell, with these marks in its environment.
    fn agent_line(&self, name: &str, marks: &Value, line: &str) {
        let mut agent = self.env.command(self.bin.join(name));
        agent.args(["line", line]).env("MARKS", marks.to_string());
        run(agent, b"").ok();
    }

    fn last_actor(&self) -> Value {
        self.events().pop().unwrap()["actor"].clone()
    }
}

#[test]
fn an_agents_own_calls_are_nobodys_news_and_its_commands_are() {
    let world = World::with_git();
    world.agent("gemini");
    let mut own = world.env.command(world.bin.join("gemini"));
    own.args(["own", "git", "branch", "own"]);
    run(own, b"").ok();
    assert_eq!(world.git_branches(), ["main", "own"]);
    assert_eq!(world.story(), [""; 0]);
    // bash becomes git here: no process stands between git and the agent.
    for (n, line) in
        ["git branch told", "env X=1 git branch told2", "true; git branch told3"].iter().enumerate()
    {
        world.agent_line("gemini", &serde_json::json!({}), line);
        assert_eq!(world.events().len(), n + 1, "{line}");
    }
    let actor = world.last_actor();
    assert_eq!((&actor["name"], &actor["confidence"]), (&"gemini".into(), &"medium".into()));
    assert!(actor["evidence"].as_str().unwrap().ends_with("(gemini) above it"), "{actor}");
    assert!(world.events()[0]["session"].as_str().unwrap().starts_with("gemini-"));
}

impl World {
    fn git_branches(&self) -> Vec<String> {
        let out = self.env.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]).ok().stdout;
        out.lines().map(str::to_string).collect()
    }
}

#[test]
fn marks_and_processes_together_are_sure_and_a_mark_alone_is_not() {
    let world = World::new();
    world.agent("claude");
    let out = world.outside(&["1", "2", "3", "4"]).display().to_string();
    let marks = serde_json::json!({"CLAUDECODE": "1", "AI_AGENT": "claude-code_2-1-197_agent",
        "CLAUDE_CODE_SESSION_ID": "s-1"});
    world.agent_line("claude", &marks, &format!("rm $(echo {out}/1)"));
    let actor = world.last_actor();
    assert_eq!((&actor["name"], &actor["confidence"]), (&"claude".into(), &"high".into()), "{actor}");
    assert_eq!(actor["version"], "2.1.197");
    assert_eq!(world.events()[0]["session"], "s-1");
    // Somebody exported the mark.
    world.env.sh(&format!("export CLAUDECODE=1; rm $(echo {out}/2)")).ok();
    let actor = world.last_actor();
    assert_eq!((&actor["kind"], &actor["confidence"]), (&"agent".into(), &"low".into()), "{actor}");
    // One agent inside the marks of another: the process is there, the mark is only a word.
    world.agent_line("claude", &serde_json::json!({"GEMINI_CLI": "1"}), &format!("rm $(echo {out}/3)"));
    let actor = world.last_actor();
    assert_eq!((&actor["name"], &actor["confidence"]), (&"claude".into(), &"medium".into()), "{actor}");
    assert!(actor["evidence"].as_str().unwrap().contains("GEMINI_CLI"), "{actor}");
    world.env.sh(&format!("rm $(echo {out}/4)")).ok();
    assert_eq!(world.last_actor()["kind"], "human");
    assert_eq!(world.last_actor()["name"], "tester");
}

#[test]
fn aider_has_no_hooks_so_what_it_runs_itself_counts() {
    let world = World::with_git();
    world.agent("aider");
    let mut own = world.env.command(world.bin.join("aider"));
    own.args(["own", "git", "branch", "by-aider"]);
    run(own, b"").ok();
    assert_eq!(world.story(), ["git branch by-aider"]);
    assert_eq!(world.last_actor()["name"], "aider");
    // And so does what changes nothing: nobody else would have told.
    world.agent_line("aider", &serde_json::json!({"OR_APP_NAME": "Aider"}), "git status --short; true");
    let last = world.events().pop().unwrap();
    assert_eq!((&last["command"]["line"], &last["class"]), (&"git status --short".into(), &"none".into()));
    assert_eq!(last["outcome"]["code"], 0);
}

#[test]
fn a_ci_job_is_named_with_the_way_to_its_log() {
    let world = World::new();
    world.env.write("f", "x");
    let mut bash = world.env.command("bash");
    bash.args(["-c", "rm $(echo f)"]).envs([
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_JOB_ID", "5"),
        ("CI_JOB_URL", "https://gitlab.example/o/r/-/jobs/5"),
    ]);
    run(bash, b"").ok();
    let actor = world.last_actor();
    assert_eq!((&actor["kind"], &actor["name"]), (&"ci".into(), &"gitlab".into()));
    assert!(actor["evidence"].as_str().unwrap().ends_with("https://gitlab.example/o/r/-/jobs/5"), "{actor}");
    assert_eq!(world.events()[0]["session"], "gitlab-5");
}

/// Prints what the program got in the fields that tools send along.
const FIELDS: &str = "#!/bin/sh\nenv | grep -E '^(AWS_SDK_UA_APP_ID|TF_APPEND_USER_AGENT|\
    GOOGLE_TERRAFORM_USERAGENT_EXTENSION|PGAPPNAME|AZURE_HTTP_USER_AGENT|GIT_TRACE2_PARENT_SID|\
    CLOUDSDK_METRICS_ENVIRONMENT)=' | sort\n";

pub const SESSION: &str = "5e551011-0000-4000-8000-000000000001";

pub fn claude() -> Value {
    serde_json::json!({"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": SESSION})
}

#[test]
fn an_agents_commands_carry_their_origin_and_a_persons_do_not() {
    let world = World::new();
    world.agent("claude");
    let names = ["aws", "terraform", "az", "gcloud", "psql", "kubectl"];
    for name in names {
        world.program(name, FIELDS);
    }
    world.enable();
    let by_agent = |line: &str, marks: Value| {
        let mut agent = world.env.command(world.bin.join("claude"));
        agent.args(["line", line]).env("MARKS", marks.to_string());
        run(agent, b"").stdout
    };
    let mark = format!("fr-claude-{SESSION}");
    assert_eq!(by_agent("aws s3 ls", claude()), format!("AWS_SDK_UA_APP_ID={mark}\n"));
    assert_eq!(by_agent("az account show", claude()), format!("AZURE_HTTP_USER_AGENT={mark}\n"));
    assert_eq!(by_agent("gcloud info", claude()), format!("CLOUDSDK_METRICS_ENVIRONMENT={mark}\n"));
    let terraform = format!(
        "AWS_SDK_UA_APP_ID={mark}\nGOOGLE_TERRAFORM_USERAGENT_EXTENSION={mark}\nTF_APPEND_USER_AGENT={mark}\n"
    );
    // One that changes something and one that does not.
    for line in ["terraform version", "terraform destroy -auto-approve"] {
        assert_eq!(by_agent(line, claude()), terraform, "{line}");
    }
    assert_eq!(by_agent("kubectl get pods", claude()), "", "kubectl has no such field");
    // What the user has set stays; a mark without the process behind it marks nobody.
    assert_eq!(by_agent("PGAPPNAME=nightly psql -c 'select 1'", claude()), "PGAPPNAME=nightly\n");
    for name in names {
        assert_eq!(world.env.sh(&format!("{name} --version")).stdout, "", "{name}");
        assert_eq!(world.env.sh(&format!("export CLAUDECODE=1; {name} --version")).stdout, "", "{name}");
    }
}

#[test]
fn git_sends_the_origin_in_its_session_id() {
    let world = World::with_git();
    world.agent("claude");
    let log = world.env.root().join("trace");
    let mut marks = claude();
    marks["GIT_TRACE2_EVENT"] = log.to_str().unwrap().into();
    world.agent_line("claude", &marks, "git log -1 >/dev/null; git -c alias.x='!git status' x >/dev/null");
    let text = std::fs::read_to_string(&log).unwrap();
    let ids: Vec<String> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["sid"].as_str().map(str::to_string))
        .collect();
    assert!(
        !ids.is_empty() && ids.iter().all(|id| id.starts_with(&format!("fr-claude-{SESSION}/"))),
        "{ids:?}"
    );
    assert!(
        ids.iter().any(|id| id.matches('/').count() == 2),
        "a git inside of git keeps its parent: {ids:?}"
    );
}

/// A real server says who is connected.
#[test]
fn postgres_shows_the_origin_of_a_session() {
    let Some(server) = Postgres::start() else {
        eprintln!(
            "postgres_shows_the_origin_of_a_session: no PostgreSQL server here, psql's environment is tested above"
        );
        return;
    };
    let world = World::new();
    world.agent("claude");
    world.enable();
    let ask = format!(
        "psql -X -A -t -h {} -U postgres -c 'select application_name from pg_stat_activity where pid = pg_backend_pid()' postgres",
        server.dir.path().display()
    );
    let mut agent = world.env.command(world.bin.join("claude"));
    agent.args(["line", &ask]).env("MARKS", claude().to_string());
    assert_eq!(run(agent, b"").ok().stdout, format!("fr-claude-{SESSION}\n"));
    assert_eq!(world.env.sh(&ask).ok().stdout, "psql\n");
}

/// A server on a socket of its own.
struct Postgres {
    dir: tempfile::TempDir,
    bin: std::path::PathBuf,
}

impl Postgres {
    fn start() -> Option<Postgres> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let bin = versions.map(|v| v.path().join("bin")).find(|bin| bin.join("initdb").exists())?;
        let dir = tempfile::Builder::new().prefix("fr-pg-").tempdir_in("/tmp").unwrap();
        let server = Postgres { dir, bin };
        if rustix::process::geteuid().is_root() {
            assert!(Command::new("chown").arg("65534").arg(server.dir.path()).status().unwrap().success());
        }
        let data = server.dir.path().join("data");
        let data = data.to_str().unwrap();
        server.run("initdb", &["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]);
        let options = format!("-c listen_addresses= -c fsync=off -k {}", server.dir.path().display());
        let log = server.dir.path().join("log");
        server.run("pg_ctl", &["-D", data, "-o", &options, "-l", log.to_str().unwrap(), "-w", "start"]);
        Some(server)
    }

    /// PostgreSQL does not run as root.
    fn run(&self, program: &str, args: &[&str]) {
        let mut command = if rustix::process::geteuid().is_root() {
            let mut other = Command::new("setpriv");
            other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(self.bin.join(program));
            other
        } else {
            Command::new(self.bin.join(program))
        };
        let quiet = || std::process::Stdio::null();
        command.args(args).current_dir("/tmp").stdin(quiet()).stdout(quiet()).stderr(quiet());
        assert!(command.status().unwrap().success(), "{program}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.dir.path().join("data");
        self.run("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
    }
}

/// `metadata.managedFields` can say which agent changed an object, but only an argument puts it there: so only where the
/// user wants that, and never for a person. What the recorder itself asks kubectl is not counted.
#[test]
fn kubectl_names_an_agent_as_field_manager_where_the_user_wants_that() {
    let world = World::new();
    world.agent("gemini");
    world.program(
        "kubectl",
        "#!/bin/sh\n[ \"$FR_SHIM\" = off ] || printf '%s\\n' \"$*\" >> \"$HOME/kubectl-ran\"\n",
    );
    let ran = || {
        let path = world.env.home.join("kubectl-ran");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        text
    };
    let marks = serde_json::json!({"GEMINI_CLI": "1"});
    let lines = "kubectl apply -f x.yaml; kubectl get pods; kubectl run x -- sleep 1";
    world.agent_line("gemini", &marks, lines);
    let typed = "apply -f x.yaml\nget pods\nrun x -- sleep 1\n";
    assert_eq!(ran(), typed, "by default a command stays as it was typed");
    std::fs::write(world.env.fr_home.join("config.toml"), "kubectl-field-manager = true\n").unwrap();
    world.agent_line("gemini", &marks, lines);
    let named =
        "apply -f x.yaml --field-manager=fr-gemini\nget pods\nrun x --field-manager=fr-gemini -- sleep 1\n";
    assert_eq!(ran(), named);
    world.env.sh(lines);
    assert_eq!(ran(), typed, "a person's command");
}
