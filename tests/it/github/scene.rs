//! The double of GitHub that all tests of this process share, and a repository of its own for each test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::env::{Output, TestEnv};

/// A test's world, whose gh talks to the double. `R` in a line is the test's own repository.
pub struct Scene {
    /// Its world.
    pub env: TestEnv,
    /// `me/rN`
    pub repo: String,
}

fn server() -> Option<&'static (PathBuf, PathBuf)> {
    static SHARED: OnceLock<Option<(Child, (PathBuf, PathBuf))>> = OnceLock::new();
    let there = SHARED.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/github");
        let mut server = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut line).ok()?;
        let (socket, gh) = line.trim().split_once(' ')?;
        Some((server, (PathBuf::from(socket), PathBuf::from(gh))))
    });
    if there.is_none() {
        let why = "no gh; tests/testbed/github setup fetches one";
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
        eprintln!("skipped: {why}");
    }
    there.as_ref().map(|(_, place)| place)
}

impl Scene {
    /// A new one; `None` where there is no gh.
    #[track_caller]
    pub fn new() -> Option<Scene> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (socket, gh) = server()?;
        let mut env = TestEnv::with_git();
        let conf = env.root().join("gh");
        std::fs::create_dir(&conf).unwrap();
        std::fs::write(conf.join("config.yml"), format!("http_unix_socket: {}\n", socket.display())).unwrap();
        env.vars.push(("GH_CONFIG_DIR".to_owned(), conf.display().to_string()));
        env.vars.push(("GH_TOKEN".to_owned(), "tok-secret-4711".to_owned()));
        env.vars.push(("PATH".to_owned(), format!("{}:{}", gh.parent().unwrap().display(), env.path())));
        let repo = format!("me/r{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let scene = Scene { env, repo };
        scene.sh("gh api -X POST testbed/fresh/R; git remote add origin https://github.com/R.git").ok();
        Some(scene)
    }

    fn named(&self, line: &str) -> String {
        let words = line.split_inclusive([' ', '/', '"', '\'', '\n', ';', '.']);
        let named = |word: &str| {
            let bare = word.trim_end_matches([' ', '/', '"', '\'', '\n', ';', '.']);
            if bare == "R" { word.replacen('R', &self.repo, 1) } else { word.to_owned() }
        };
        words.map(named).collect()
    }

    /// Somebody runs a line, unseen by the recorder.
    pub fn sh(&self, line: &str) -> Output {
        self.env.sh(&self.named(line))
    }

    /// The agent runs a line, as Claude would.
    #[track_caller]
    pub fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(&self.named(line))
    }

    /// What GitHub says at a path, asked by other means than `fr`'s own.
    #[track_caller]
    pub fn api(&self, path: &str) -> Option<Value> {
        let socket = &server()?.0;
        let url = format!("http://x/{}", self.named(path.trim_matches('\'')));
        let out =
            self.sh(&format!("curl -sf -H 'Authorization: tok' --unix-socket {} '{url}'", socket.display()));
        (out.code == 0).then(|| out.json())
    }

    /// The latest event.
    #[track_caller]
    pub fn event(&self) -> Value {
        self.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
    }

    /// Takes the latest event back.
    pub fn undo(&self, more: &[&str]) -> Output {
        let id = self.event()["id"].to_string();
        let mut args = vec!["undo", "--yes"];
        args.extend(more);
        args.push(&id);
        self.env.fr(&args)
    }
}
