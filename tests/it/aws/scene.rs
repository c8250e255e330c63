//! An account of moto's server that the tests of this process share, and an agent that works in it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::env::{Output, TestEnv, run};

/// A test's own world with credentials for the account.
pub struct Scene {
    /// Its world.
    pub env: TestEnv,
    /// A name that no other test of this process has: `NS` in lines and scripts.
    pub ns: String,
    port: String,
}

fn testbed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/moto")
}

/// The shared server.
struct Server {
    _process: Child,
    port: String,
    /// Where `python` and `aws` are, kept warm.
    warm: PathBuf,
}

/// The shared server; `None`, with a line that says so, where there is none.
fn server() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    let there = SHARED.get_or_init(|| {
        // It is gone with the server, which ends with this process.
        let warm = tempfile::Builder::new().prefix("fr-warm-").tempdir().ok()?.keep();
        let mut start = Command::new(testbed());
        let mut process =
            start.arg("warm").arg(&warm).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut port = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut port).ok()?;
        let port = port.trim().to_owned();
        (!port.is_empty()).then_some(Server { _process: process, port, warm })
    });
    let there = there.as_ref().filter(|_| aws().is_some());
    if there.is_none() {
        let why = "no moto or no aws; tests/testbed/moto setup installs both";
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
        eprintln!("skipped: {why}");
    }
    there
}

/// The directory of the real `aws`: what pyenv puts in front of it looks into HOME, which is another one here.
fn aws() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let path = std::env::var_os("PATH")?;
        let dir = std::env::split_paths(&path).find(|dir| dir.join("aws").is_file())?;
        if !dir.ends_with("shims") {
            return Some(dir);
        }
        let out = Command::new("pyenv").args(["which", "aws"]).output().ok()?;
        Path::new(String::from_utf8(out.stdout).ok()?.trim()).parent().map(Path::to_path_buf)
    };
    FOUND.get_or_init(find).as_deref()
}

impl Scene {
    /// A world in the shared account; `None` where there is no server. Its `aws` is the real one, kept warm.
    #[track_caller]
    pub fn new() -> Option<Scene> {
        let warm = server()?.warm.clone();
        Some(Scene::cold()?.with_aws(&warm))
    }

    /// The same with an `aws` in front of all others.
    fn with_aws(mut self, dir: &Path) -> Scene {
        let path = self.env.vars.iter_mut().find(|(name, _)| name == "PATH").unwrap();
        path.1 = format!("{}:{}", dir.display(), path.1);
        self
    }

    /// A world in the shared account, with the `aws` that the machine has.
    #[track_caller]
    pub fn cold() -> Option<Scene> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let port = server()?.port.clone();
        let mut env = TestEnv::new();
        let mut set = |name: &str, value: String| env.vars.push((name.to_owned(), value));
        let dir = aws()?.display();
        set(
            "PATH",
            format!("{}:{dir}:/usr/local/bin:/usr/bin:/bin", TestEnv::binary().parent().unwrap().display()),
        );
        set("AWS_ACCESS_KEY_ID", "test".to_owned());
        set("AWS_SECRET_ACCESS_KEY", "test".to_owned());
        set("AWS_DEFAULT_REGION", "us-east-1".to_owned());
        set("AWS_EC2_METADATA_DISABLED", "true".to_owned());
        set("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
        let ns = format!("t{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Some(Scene { env, ns, port })
    }

    /// With version 2, as Debian packages it; `None` where it is not there.
    pub fn second() -> Option<Scene> {
        let out = Command::new(testbed().with_file_name("aws2")).output().ok()?;
        let text = String::from_utf8(out.stdout).ok()?;
        let Some((bin, packages)) = text.trim().split_once('\n') else {
            eprintln!("skipped: no version 2 of aws; tests/testbed/aws2 setup unpacks it");
            return None;
        };
        let mut scene = Scene::cold()?.with_aws(Path::new(bin));
        scene.env.vars.push(("PYTHONPATH".to_owned(), packages.to_owned()));
        Some(scene)
    }

    /// As with the bundle of version 2: `aws` is a program in which nothing can be shared.
    pub fn bundled(self) -> Scene {
        use std::os::unix::fs::PermissionsExt;
        let dir = self.env.root().join("bundle");
        let warm = server().map(|server| server.warm.as_path()).filter(|warm| warm.join("aws").is_file());
        let warm = warm.or(aws()).unwrap();
        std::fs::create_dir(&dir).unwrap();
        let file = dir.join("aws");
        std::fs::write(&file, format!("#!/bin/sh\nexec {}/aws \"$@\"\n", warm.display())).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.with_aws(&dir)
    }

    /// A text with the names of this test.
    pub fn named(&self, text: &str) -> String {
        // The name of a directory may hold these letters by chance.
        text.replace("-NS", &format!("-{}", self.ns)).replace("@NS", &self.ns)
    }

    /// Somebody works with boto3, unseen by the recorder: `c('s3')` is a client. What the script puts into `out`, as JSON.
    #[track_caller]
    pub fn python(&self, script: &str) -> Value {
        let front = "import boto3, os, sys, json, hashlib\nfrom botocore.config import Config\nout = None\n\
                     def c(name): return boto3.client(name, config=Config(retries={'max_attempts': 1}))\n";
        let text = format!("{front}{}\njson.dump(out, sys.stdout, default=str)\n", self.named(script));
        let mut command = Command::new(server().unwrap().warm.join("python"));
        command.arg("-");
        for (name, value) in self.env.vars.iter().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env(name, value);
        }
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port))
            .current_dir(&self.env.project);
        run(command, text.as_bytes()).ok().json()
    }

    /// The agent runs a line, as Claude would.
    pub fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(&self.named(line))
    }

    /// Somebody runs a line, unseen.
    pub fn sh(&self, line: &str) -> Output {
        self.env.sh(&self.named(line))
    }

    /// The latest event.
    #[track_caller]
    pub fn event(&self) -> Value {
        self.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
    }

    /// What of the latest event is in the store: `all`, `part`, `nothing`.
    #[track_caller]
    pub fn kept(&self) -> &'static str {
        let event = self.event();
        let captures = event["captures"].as_array().cloned().unwrap_or_default();
        let is_whole = |capture: &Value| capture["missing"].as_array().is_none_or(Vec::is_empty);
        let warned = event["warnings"].as_array().is_some_and(|list| !list.is_empty());
        match captures.is_empty() {
            true => "nothing",
            false if warned || !captures.iter().all(is_whole) => "part",
            false => "all",
        }
    }

    /// Takes the latest event back.
    pub fn undo(&self, more: &[&str]) -> Output {
        let id = self.event()["id"].to_string();
        self.env.fr(&[&["undo", "--yes", &id], more].concat())
    }

    /// A setting of the recorder.
    pub fn setting(&self, text: &str) {
        std::fs::create_dir_all(&self.env.fr_home).unwrap();
        std::fs::write(self.env.fr_home.join("config.toml"), text).unwrap();
    }
}
