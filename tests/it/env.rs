//! A world of its own for each test: HOME, store, project directory, PATH with the built `fr`, git configuration,
//! environment. Nothing of the machine's user leaks in, nothing is left behind.
#![allow(dead_code, reason = "each test module uses a part of it")]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// The session id of the hook payloads that [`TestEnv`] sends.
pub const SESSION: &str = "5e551011-0000-4000-8000-000000000001";

/// The world of one test.
pub struct TestEnv {
    /// Owns everything below.
    dir: tempfile::TempDir,
    /// `$HOME`.
    pub home: PathBuf,
    /// `$FR_HOME`, not made yet.
    pub fr_home: PathBuf,
    /// Where commands run unless told otherwise.
    pub project: PathBuf,
    /// More variables for every process, last one wins.
    pub vars: Vec<(String, String)>,
    calls: AtomicU32,
}

/// How a process ended and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Standard output, lossy.
    pub stdout: String,
    /// Standard error, lossy.
    pub stderr: String,
    /// The exit code; 128 + n where signal n ended it.
    pub code: i32,
}

impl Output {
    /// Itself, after checking that it succeeded.
    #[track_caller]
    pub fn ok(self) -> Output {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|cause| panic!("{cause}: {self:?}"))
    }
}

/// A tool call that Claude announced.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its `tool_use_id`.
    pub id: String,
    /// Its tool.
    pub tool: String,
    /// Its input.
    pub input: Value,
    /// What the hook answered.
    pub answer: Output,
}

impl TestEnv {
    /// A fresh world with an empty project directory.
    pub fn new() -> TestEnv {
        let dir = tempfile::Builder::new().prefix("fr-it-").tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (home, project) = (root.join("home"), root.join("project"));
        std::fs::create_dir(&home).unwrap();
        std::fs::create_dir(&project).unwrap();
        let gitconfig = "[user]\n\tname = Test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n\
                         [commit]\n\tgpgSign = false\n[gc]\n\tauto = 0\n[protocol \"file\"]\n\tallow = always\n";
        std::fs::write(home.join(".gitconfig"), gitconfig).unwrap();
        let fr_home = root.join("fr");
        TestEnv { dir, home, fr_home, project, vars: Vec::new(), calls: AtomicU32::new(0) }
    }

    /// A fresh world whose project is a git repository with one commit (`README.md`).
    pub fn with_git() -> TestEnv {
        let env = TestEnv::new();
        env.git(&["init", "-q"]).ok();
        env.write("README.md", "hello\n");
        env.git(&["add", "."]).ok();
        env.git(&["commit", "-qm", "first"]).ok();
        env
    }

    /// The built binary.
    pub fn binary() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_fr"))
    }

    /// The directory that holds HOME, project and store.
    pub fn root(&self) -> &Path {
        self.home.parent().unwrap()
    }

    /// `PATH` of every process: the built `fr` first.
    pub fn path(&self) -> String {
        format!("{}:/usr/local/bin:/usr/bin:/bin", TestEnv::binary().parent().unwrap().display())
    }

    /// The whole environment of every process.
    pub fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().unwrap().to_string();
        let mut vars: Vec<(String, String)> = [
            ("HOME", text(&self.home)),
            ("FR_HOME", text(&self.fr_home)),
            ("PATH", self.path()),
            ("USER", "tester".to_string()),
            ("LANG", "C.UTF-8".to_string()),
            ("TZ", "UTC".to_string()),
            ("TERM", "dumb".to_string()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_string()),
            ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z".to_string()),
            ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z".to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect();
        vars.extend(self.vars.iter().cloned());
        vars
    }

    /// A process in the project directory with this world's environment and nothing else.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).current_dir(&self.project);
        command
    }

    /// Runs `fr` with these arguments.
    pub fn fr(&self, args: &[&str]) -> Output {
        self.fr_with(args, b"")
    }

    /// Runs `fr` with this on its standard input.
    pub fn fr_with(&self, args: &[&str], stdin: &[u8]) -> Output {
        let mut command = self.command(TestEnv::binary());
        command.args(args);
        run(command, stdin)
    }

    /// Runs a line in a real bash in the project directory.
    pub fn sh(&self, line: &str) -> Output {
        let mut command = self.command("bash");
        command.args(["--norc", "--noprofile", "-c", line]);
        run(command, b"")
    }

    /// Runs git in the project directory.
    pub fn git(&self, args: &[&str]) -> Output {
        let mut command = self.command("git");
        command.args(args);
        run(command, b"")
    }

    /// Writes a file below the project, making its directories.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.project.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file below the project.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        String::from_utf8(std::fs::read(self.project.join(path)).unwrap()).unwrap()
    }

    /// True where the project holds something by that name.
    pub fn exists(&self, path: &str) -> bool {
        self.project.join(path).symlink_metadata().is_ok()
    }

    /// What waits for its after-half: nothing where all was told.
    pub fn waiting(&self) -> String {
        let log = std::fs::read(self.fr_home.join("open.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).trim().to_owned()
    }

    /// Sends one Claude hook payload; session and directory are filled in where they are missing.
    pub fn claude_hook(&self, mut payload: Value) -> Output {
        let fields = payload.as_object_mut().unwrap();
        let cwd = json!(self.project.to_str().unwrap());
        for (name, value) in [("session_id", json!(SESSION)), ("cwd", cwd)] {
            fields.entry(name).or_insert(value);
        }
        self.fr_with(&["hook", "claude"], payload.to_string().as_bytes())
    }

    /// Claude announces a tool call.
    pub fn claude_tool(&self, tool: &str, input: Value) -> Call {
        let id = format!("toolu_{:04}", self.calls.fetch_add(1, Ordering::Relaxed));
        let answer = self.claude_hook(json!({
            "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input, "tool_use_id": id,
        }));
        Call { id, tool: tool.to_string(), input, answer }
    }

    /// Claude announces a line of shell.
    pub fn claude_pre(&self, command: &str) -> Call {
        self.claude_tool("Bash", json!({"command": command}))
    }

    /// Claude reports that a call succeeded.
    pub fn claude_post(&self, call: &Call) -> Output {
        self.claude_hook(json!({
            "hook_event_name": "PostToolUse", "tool_name": call.tool, "tool_input": call.input,
            "tool_use_id": call.id, "duration_ms": 12,
            "tool_response": {"stdout": "", "stderr": "", "interrupted": false},
        }))
    }

    /// Claude reports that a call failed with this exit code.
    pub fn claude_fail(&self, call: &Call, code: i32) -> Output {
        self.claude_hook(json!({
            "hook_event_name": "PostToolUseFailure", "tool_name": call.tool, "tool_input": call.input,
            "tool_use_id": call.id, "duration_ms": 12, "error": format!("Exit code {code}\n"),
        }))
    }

    /// What Claude does with a line: announce it, run it in a real bash, report how it went.
    #[track_caller]
    pub fn claude_runs(&self, command: &str) -> Output {
        let call = self.claude_pre(command);
        assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""), "{:?}", call.answer);
        let ran = self.sh(command);
        let told = if ran.code == 0 { self.claude_post(&call) } else { self.claude_fail(&call, ran.code) };
        assert_eq!(told.code, 0, "{told:?}");
        ran
    }
}

/// Runs a process to its end with this on its standard input.
pub fn run(mut command: Command, stdin: &[u8]) -> Output {
    use std::os::unix::process::ExitStatusExt;
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A process may end without reading; that is its right.
        scope.spawn(move || drop(to.write_all(stdin)));
        child.wait_with_output().unwrap()
    });
    Output {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
    }
}

#[test]
fn each_world_is_its_own() {
    let (one, two) = (TestEnv::with_git(), TestEnv::new());
    assert_ne!(one.root(), two.root());
    assert_eq!(one.git(&["log", "--format=%an"]).ok().stdout, "Test\n");
    assert_eq!(
        two.sh("echo $HOME; pwd").ok().stdout,
        format!("{}\n{}\n", two.home.display(), two.project.display())
    );
    assert_eq!(two.sh("kill -TERM $$").code, 143);
}
