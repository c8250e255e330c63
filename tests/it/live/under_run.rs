//! `fr run -- AGENT`: shims on PATH and shell integration around a real agent that has its hooks, too.

use serde_json::json;

use super::claude::{self, claude, claude_world};
use super::codex::{self, codex, codex_world};
use super::{Live, installed};

/// A script whose removal no line of shell tells, and a loop whose words do not tell it.
fn world(live: &mut Live) {
    live.env.write("wipe.sh", "#!/bin/sh\nrm victim.txt ../outside.txt\n");
    std::fs::write(live.env.root().join("outside.txt"), "beyond\n").unwrap();
    live.env.sh("chmod +x wipe.sh && git add -A && git commit -qm script").ok();
    live.begin();
}

fn script() -> serde_json::Value {
    json!({"main": [
        {"shell": "git status"},
        {"shell": "rm -r build"},
        {"shell": "./wipe.sh"},
        {"shell": "for f in $(ls src); do rm src/$f; done"},
    ]})
}

/// Each command is there once, what a script removes out of sight of its line is a part of it, and nothing that the agent
/// does for itself is there, though it runs git and shells of its own through the same shims.
#[test]
fn claude_code_under_run_is_recorded_once_with_its_parts() {
    let Some(program) = installed("claude", claude::PROGRAM) else { return };
    let mut live = claude_world("bash");
    world(&mut live);
    let mcp = claude::mcp();
    let mut agent = vec!["fr", "run", "--"];
    agent.extend(claude(program.to_str().unwrap(), &mcp));
    let ran = live.run(&script(), &agent);
    live.assert_silent("claude under fr run", &ran);
    live.assert_listed(
        &ran,
        &[
            "Bash: git status | . | succeeded",
            "Bash: rm -r build | . | succeeded",
            "Bash: ./wipe.sh | . | succeeded",
            "exec: rm victim.txt ../outside.txt | . | ended",
            "Bash: for f in $(ls src); do rm src/$f; done | . | succeeded",
        ],
    );
    let (line, part) = (live.event("./wipe.sh"), live.event("../outside.txt"));
    assert_eq!(part["parent"], line["id"], "{part:#}");
    assert_eq!(part["actor"], line["actor"], "{part:#}");
    live.undo("for f in");
    live.undo("./wipe.sh");
    assert_eq!(std::fs::read_to_string(live.env.root().join("outside.txt")).unwrap(), "beyond\n");
    live.undo("rm -r build");
    live.assert_as_before();
}

/// Codex takes PATH from a login shell, where /etc/profile sets it anew: there `fr run` alone brings no shims, and what a
/// script removes outside of the work tree is not seen. The line in ~/.bashrc that `fr init bash --shims` asks for does.
#[test]
fn codex_under_run_is_recorded_once() {
    let Some(program) = installed("codex", codex::PROGRAM) else { return };
    for with_shims in [false, true] {
        let mut live = codex_world("gpt-5.5", &["--trust-codex-hooks"]);
        world(&mut live);
        if with_shims {
            let fr = live.env.root().join("bin/fr");
            live.configure(".bashrc", &format!("eval \"$({} init bash --shims)\"\n", fr.display()));
            live.configure(".profile", ". ~/.bashrc\n");
        }
        let mut agent = vec!["fr", "run", "--"];
        agent.extend(codex(program.to_str().unwrap()));
        let ran = live.run(&script(), &agent);
        live.assert_silent("codex under fr run", &ran);
        let mut listed = vec![
            "Bash: git status | . | ended",
            "Bash: rm -r build | . | ended",
            "Bash: ./wipe.sh | . | ended",
            "Bash: for f in $(ls src); do rm src/$f; done | . | ended",
        ];
        if with_shims {
            listed.push("exec: rm victim.txt ../outside.txt | . | ended");
        }
        live.assert_listed(&ran, &listed);
        live.undo("for f in");
        live.undo("./wipe.sh");
        assert_eq!(live.env.root().join("outside.txt").exists(), with_shims);
        live.undo("rm -r build");
        live.assert_as_before();
    }
}
