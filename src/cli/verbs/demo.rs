//! `fr demo`: a scratch project, real destructive commands reported through the real hook, the timeline, the undo,
//! and a proof that does not rest on `fr`'s own words: every file by system calls and git's own view, before and after.

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::DemoArgs;
use crate::cli::render::{safe, style};
use crate::drill::{Given, Incident, Look, Promise, Scene, differences, git_look};
use crate::error::{ExitCode, Result};
use crate::platform::scratch::ScratchDir;

/// What the agent of the demo does, and why it hurts.
const INCIDENTS: &[Incident] = &[
    Incident { why: "an agent tidies up, with the uncommitted work in it", line: "rm -rf src notes.txt" },
    Incident { why: "a template is written over the configuration", line: "echo 'debug: true' > config.yml" },
    Incident {
        why: "staged and unstaged work, and two commits, are thrown away",
        line: "git reset --hard HEAD~2",
    },
    Incident { why: "a branch that was never pushed is deleted", line: "git branch -D feature" },
    Incident { why: "ignored files go: the only copy of .env", line: "git clean -fdx" },
    Incident { why: "a script does who knows what", line: "sh ./cleanup.sh" },
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

#[derive(Serialize)]
struct Proof {
    command: String,
    event: u64,
    changed: bool,
    undo_exit_code: i32,
    identical: bool,
}

/// The state before an incident, and whether the incident changed it.
struct Shot {
    before: Look,
    changed: bool,
}

/// Runs the verb. Exit code 0 only where everything came back identical.
pub fn run(args: &DemoArgs, out: &mut Out) -> Result<u8> {
    let mut scratch = ScratchDir::new("demo")?;
    if args.keep {
        scratch.keep();
    }
    let scene = Scene::set(scratch.path(), &Given::default())?;
    let result = play(&scene, out);
    if args.keep {
        let store = scratch.path().join("store");
        out.talk(format!("kept: {} (FR_HOME={})", scene.project.display(), store.display()));
    }
    if let Err(error) = scratch.remove() {
        out.talk(safe(error.what.as_bytes()));
    }
    result
}

fn play(scene: &Scene, out: &mut Out) -> Result<u8> {
    scene.script(SETUP)?;
    let mut shots = Vec::new();
    for incident in INCIDENTS {
        let before = git_look(scene)?;
        scene.agent_runs(incident.line)?;
        let changed = git_look(scene)? != before;
        shots.push(Shot { before, changed });
        if !out.json {
            out.line(format!("agent$ {}", out.paint(style::ERROR, incident.line)))?;
            out.line(out.paint(style::DIM, format!("       {}", incident.why)))?;
        }
    }
    if !out.json {
        out.line("")?;
        show(scene, &["timeline"], out)?;
        out.line("")?;
    }
    let proofs = undo_all(scene, &shots, out)?;
    verdict(&proofs, out)
}

fn verdict(proofs: &[Proof], out: &mut Out) -> Result<u8> {
    let good = proofs.iter().filter(|p| p.identical && p.changed && p.undo_exit_code == 0).count();
    if out.json {
        out.json(&proofs)?;
    } else {
        out.line("")?;
        let text = format!(
            "{good} of {} commands taken back; files (bytes, modes, times) and git state identical each time",
            proofs.len()
        );
        out.line(out.paint(if good == proofs.len() { style::GOOD } else { style::ERROR }, text))?;
    }
    Ok(if good == proofs.len() { 0 } else { ExitCode::Partial as u8 })
}

/// Takes everything back, newest first, and compares each time.
fn undo_all(scene: &Scene, shots: &[Shot], out: &mut Out) -> Result<Vec<Proof>> {
    let mut proofs = Vec::new();
    for (number, (shot, incident)) in shots.iter().zip(INCIDENTS).enumerate().rev() {
        let event = number as u64 + 1;
        let (undo, _) = scene.undo(event, Promise::Same)?;
        let left = differences(&shot.before, &git_look(scene)?);
        let (command, identical) = (incident.line.to_owned(), left.is_empty());
        if !out.json {
            let word = if identical {
                out.paint(style::GOOD, "identical")
            } else {
                out.paint(style::ERROR, "DIFFERENT")
            };
            let command = out.paint(style::DIM, format!("# {command}"));
            out.line(format!("$ fr undo {event}   {command}  {word}"))?;
            if undo.code != 0 || !identical {
                out.raw(&undo.stdout)?;
                out.raw(&undo.stderr)?;
            }
            for difference in &left {
                out.line(format!("  {}", safe(difference.as_bytes())))?;
            }
        }
        let undo_exit_code = undo.code;
        proofs.push(Proof { command, event, changed: shot.changed, undo_exit_code, identical });
    }
    Ok(proofs)
}

fn show(scene: &Scene, args: &[&str], out: &mut Out) -> Result<()> {
    let color = if out.color { "--color=always" } else { "--color=never" };
    let shown = scene.fr(&[args, &[color]].concat(), b"")?;
    out.raw(&shown.stdout)
}
