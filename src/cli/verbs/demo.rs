//! `fr demo`: a scratch project, real destructive commands reported through the real hook, the timeline, the undo,
//! and a proof that does not rest on `fr`'s own words: a hash of every file and git's own view, before and after.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::DemoArgs;
use crate::cli::render::style;
use crate::error::{Error, ExitCode, Result};
use crate::platform::runner;

/// What the agent of the demo does, and why it hurts.
const INCIDENTS: &[(&str, &str)] = &[
    ("an agent tidies up, with the uncommitted work in it", "rm -rf src notes.txt"),
    ("a template is written over the configuration", "echo 'debug: true' > config.yml"),
    ("staged and unstaged work, and two commits, are thrown away", "git reset --hard HEAD~2"),
    ("a branch that was never pushed is deleted", "git branch -D feature"),
    ("ignored files go: the only copy of .env", "git clean -fdx"),
    ("a script does who knows what", "sh ./cleanup.sh"),
];

const SETUP: &str = r"
git init -q -b main . && git config user.email demo@example.com && git config user.name Demo
mkdir -p src/parser && printf 'fn main() {}\n' > src/main.rs && printf 'struct Parser;\n' > src/parser/mod.rs
printf 'name: shop\nreplicas: 3\n' > config.yml && printf '.env\n' > .gitignore
printf 'rm -r docs\nmv config.yml config.bak\nchmod 600 README\n' > cleanup.sh
mkdir docs && printf 'how to recover\n' > docs/runbook.md && printf 'shop\n' > README
git add . && git commit -q -m one && printf 'fn two() {}\n' >> src/main.rs && git commit -q -am two
git checkout -q -b feature && printf 'fn feature() {}\n' > src/feature.rs && git add . && git commit -q -m feature
git checkout -q main && printf 'fn three() {}\n' >> src/main.rs && git commit -q -am three
printf 'SECRET=only-copy\n' > .env && printf 'call the bank at nine\n' > notes.txt
printf 'staged\n' >> README && git add README && printf 'not staged\n' >> src/parser/mod.rs
";

/// What the project looks like, by means that are not `fr`'s own.
#[derive(PartialEq, Eq)]
struct Fingerprint {
    files: String,
    git: String,
}

#[derive(Serialize)]
struct Proof {
    command: String,
    event: u64,
    changed: bool,
    undo_exit_code: i32,
    identical: bool,
}

struct Scene {
    project: PathBuf,
    env: Vec<(OsString, OsString)>,
    fr: OsString,
}

/// Runs the verb. Exit code 0 only where everything came back identical.
pub fn run(args: &DemoArgs, out: &mut Out) -> Result<u8> {
    let scratch = scratch_dir()?;
    let result = play(&scratch, out);
    if args.keep {
        out.talk(format!(
            "kept: {} (FR_HOME={})",
            scratch.join("project").display(),
            scratch.join("store").display()
        ));
    } else if let Err(e) = std::fs::remove_dir_all(&scratch) {
        out.talk(format!("could not remove {}: {e}", scratch.display()));
    }
    result
}

fn play(scratch: &Path, out: &mut Out) -> Result<u8> {
    let scene = Scene::set(scratch)?;
    scene.must(&["bash", "-c", SETUP], b"")?;
    let mut states = Vec::new();
    for (number, (why, command)) in INCIDENTS.iter().enumerate() {
        let before = scene.fingerprint()?;
        scene.agent_runs(number, command)?;
        let changed = scene.fingerprint()? != before;
        states.push((before, changed));
        if !out.json {
            out.line(format!("agent$ {}", out.paint(style::ERROR, command)))?;
            out.line(out.paint(style::DIM, format!("       {why}")))?;
        }
    }
    if !out.json {
        out.line("")?;
        scene.show(&["timeline"], out)?;
        out.line("")?;
    }
    let proofs = scene.undo_all(&states, out)?;
    verdict(&proofs, out)
}

fn verdict(proofs: &[Proof], out: &mut Out) -> Result<u8> {
    let good = proofs.iter().filter(|p| p.identical && p.changed && p.undo_exit_code == 0).count();
    if out.json {
        out.json(&proofs)?;
    } else {
        out.line("")?;
        let text = format!(
            "{good} of {} commands taken back; files (bytes, modes) and git state identical each time",
            proofs.len()
        );
        out.line(out.paint(if good == proofs.len() { style::GOOD } else { style::ERROR }, text))?;
    }
    Ok(if good == proofs.len() { 0 } else { ExitCode::Partial as u8 })
}

impl Scene {
    fn set(scratch: &Path) -> Result<Scene> {
        let project = scratch.join("project");
        std::fs::create_dir(&project).map_err(|e| Error::io("create", &project, &e))?;
        let fr = std::env::current_exe()
            .map_err(|e| Error::failure(format!("cannot find the path of fr itself: {e}")))?;
        let set = |name: &str, value: OsString| (OsString::from(name), value);
        let env = vec![
            set("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into())),
            set("HOME", scratch.into()),
            set("FR_HOME", scratch.join("store").into()),
            set("GIT_CONFIG_NOSYSTEM", "1".into()),
            set("LC_ALL", "C.UTF-8".into()),
        ];
        Ok(Scene { project, env, fr: fr.into_os_string() })
    }

    /// One tool call of the agent: before-hook, the command in a shell, after-hook.
    fn agent_runs(&self, number: usize, command: &str) -> Result<()> {
        let payload = |event: &str| {
            let response = (event == "PostToolUse")
                .then(|| serde_json::json!({"stdout": "", "stderr": "", "interrupted": false}));
            let mut payload = serde_json::json!({
                "session_id": "demo-session", "cwd": self.project, "permission_mode": "acceptEdits", "hook_event_name": event,
                "tool_name": "Bash", "tool_input": {"command": command}, "tool_use_id": format!("demo-{number}"),
            });
            if let (Some(object), Some(response)) = (payload.as_object_mut(), response) {
                object.insert("tool_response".to_owned(), response);
            }
            payload.to_string().into_bytes()
        };
        self.fr(&["hook", "claude"], &payload("PreToolUse"))?;
        self.run(&["bash".into(), "-c".into(), command.into()], b"")?;
        self.fr(&["hook", "claude"], &payload("PostToolUse"))?;
        Ok(())
    }

    /// Takes everything back, newest first, and compares each time.
    fn undo_all(&self, states: &[(Fingerprint, bool)], out: &mut Out) -> Result<Vec<Proof>> {
        let mut proofs = Vec::new();
        for (number, (before, changed)) in states.iter().enumerate().rev() {
            let event = number as u64 + 1;
            let undo = self.fr(&["undo", &event.to_string(), "--yes"], b"")?;
            let identical = self.fingerprint()? == *before;
            let command = INCIDENTS.get(number).map(|i| i.1).unwrap_or_default().to_owned();
            if !out.json {
                let word = if identical {
                    out.paint(style::GOOD, "identical")
                } else {
                    out.paint(style::ERROR, "DIFFERENT")
                };
                out.line(format!(
                    "$ fr undo {event}   {}  {word}",
                    out.paint(style::DIM, format!("# {command}"))
                ))?;
                if undo.code != 0 || !identical {
                    out.raw(&undo.stdout)?;
                    out.raw(&undo.stderr)?;
                }
            }
            proofs.push(Proof { command, event, changed: *changed, undo_exit_code: undo.code, identical });
        }
        Ok(proofs)
    }

    /// Every path below the project with type, mode and content hash; and what git says about itself.
    fn fingerprint(&self) -> Result<Fingerprint> {
        let mut files = Vec::new();
        list(&self.project, &mut files).map_err(|e| Error::io("read", &self.project, &e))?;
        files.sort();
        let mut git = Vec::new();
        for args in [["git", "for-each-ref"], ["git", "ls-files"], ["git", "status"]] {
            let mut argv: Vec<OsString> = args.iter().map(OsString::from).collect();
            if args[1] == "ls-files" {
                argv.push("-s".into());
            }
            if args[1] == "status" {
                argv.extend(["--porcelain=v2", "--branch", "--ignored"].map(OsString::from));
            }
            git.extend(self.run(&argv, b"")?.stdout);
        }
        Ok(Fingerprint { files: files.join("\n"), git: String::from_utf8_lossy(&git).into_owned() })
    }

    fn show(&self, args: &[&str], out: &mut Out) -> Result<()> {
        let color = if out.color { "--color=always" } else { "--color=never" };
        let shown = self.fr(&[args, &[color]].concat(), b"")?;
        out.raw(&shown.stdout)
    }

    fn fr(&self, args: &[&str], stdin: &[u8]) -> Result<runner::Finished> {
        let argv: Vec<OsString> =
            std::iter::once(self.fr.clone()).chain(args.iter().map(OsString::from)).collect();
        self.run(&argv, stdin)
    }

    fn must(&self, argv: &[&str], stdin: &[u8]) -> Result<()> {
        let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
        let done = self.run(&argv, stdin)?;
        if done.code == 0 {
            return Ok(());
        }
        Err(Error::failure(format!(
            "the demo could not be set up: {}",
            String::from_utf8_lossy(&done.stderr).trim()
        )))
    }

    fn run(&self, argv: &[OsString], stdin: &[u8]) -> Result<runner::Finished> {
        runner::output(argv, stdin, &self.env, &self.project)
    }
}

fn list(dir: &Path, into: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.ends_with(".git") {
            continue;
        }
        let meta = path.symlink_metadata()?;
        let mode = meta.permissions().mode();
        let content = if meta.is_file() {
            blake3::hash(&std::fs::read(&path)?).to_hex().to_string()
        } else {
            String::new()
        };
        into.push(format!("{} {mode:o} {content}", path.display()));
        if meta.is_dir() {
            list(&path, into)?;
        }
    }
    Ok(())
}

fn scratch_dir() -> Result<PathBuf> {
    let mut noise = [0u8; 6];
    crate::platform::random::fill(&mut noise);
    let name: String = noise.iter().map(|b| format!("{b:02x}")).collect();
    let dir = std::env::temp_dir().join(format!("fr-demo-{name}"));
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(&dir).map_err(|e| Error::io("create", &dir, &e))?;
    Ok(dir)
}
