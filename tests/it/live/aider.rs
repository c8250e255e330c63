//! Aider has no hooks: what it runs goes through the user's shell, and there `eval "$(fr init bash)"` in ~/.bashrc sees it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Live, Ran, installed};
use crate::env::Output;
use crate::pty::Pty;

#[test]
fn aider_is_recorded_through_the_shell() {
    let Some(program) = installed("aider", "venv-aider/bin/aider") else { return };
    let mut live = Live::new();
    live.install("aider", &[]);
    for (name, value) in [("OPENAI_API_BASE", "{MODEL}/v1"), ("OPENAI_API_KEY", "sk-test")] {
        live.env.vars.push((name.to_string(), value.to_string()));
    }
    let block = |line: &str| format!("```bash\n{line}\n```\n\n");
    let commands = ["git status", "rm -r build", "cd src && ls -1 | sort | wc -l && cd .. && pwd"];
    let edit = "Edit.\n\nsrc/app.txt\n```\n<<<<<<< SEARCH\nhello\n=======\ngoodbye\n>>>>>>> REPLACE\n```\n";
    let script = json!({
        "run": [{"text": format!("I will run some commands.\n\n{}", commands.map(block).concat())}],
        "edit": [{"text": edit}],
        "commit": [{"text": "chore: scripted"}],
    });
    let agent = [
        program.to_str().unwrap(),
        "--model",
        "openai/scripted",
        "--no-show-model-warnings",
        "--no-check-update",
        "--analytics-disable",
        "--no-stream",
        "--edit-format",
        "diff",
        "--no-gitignore",
        "--no-show-release-notes",
        "--map-tokens",
        "0",
        "--commit-prompt",
        "[[script:commit]]",
        "--test-cmd",
        "test -e src/app.txt",
        "--no-fancy-input",
        "--no-pretty",
        "src/app.txt",
    ];
    let start = Instant::now();
    let mut aider = Pty::start(&live.command(&script, &["--terminal"], &agent));
    aider.patience = Duration::from_secs(120);
    let mut transcript = aider.expect("diff> ");
    aider.send("[[script:run]]\n");
    for command in commands {
        transcript += &aider.expect("Run shell command?");
        aider.send("y\n");
        if !command.starts_with("rm") {
            transcript += &aider.expect("Add command output to the chat?");
            aider.send("n\n");
        }
    }
    transcript += &aider.expect("diff> ");
    transcript += &aider.line("[[script:edit]]", "diff> ");
    transcript += &aider.line("/run echo run-cmd; pwd; (exit 3)", "[Yes]: ");
    transcript += &aider.line("n", "diff> ");
    transcript += &aider.line("/test", "diff> ");
    transcript += &aider.line("!rm victim.txt", "[Yes]: ");
    transcript += &aider.line("n", "diff> ");
    aider.send("/exit\n");
    assert_eq!(aider.end(), 0);
    let output = Output { stdout: aider.screen(), stderr: String::new(), code: 0 };
    let ran = Ran { output, took: start.elapsed() };
    println!("aider: {:.1} s", ran.took.as_secs_f64());

    // Aider's own git calls and its edit are not there: it makes those itself, and nobody tells fr.
    live.assert_listed(
        &ran,
        &[
            "shell: git status | . | exit 0",
            "shell: rm -r build | . | exit 0",
            "shell: cd src && ls -1 | sort | wc -l && cd .. && pwd | . | exit 0",
            "shell: echo run-cmd; pwd; (exit 3) | . | exit 3",
            "shell: test -e src/app.txt | . | exit 0",
            "shell: rm victim.txt | . | exit 0",
        ],
    );
    live.assert_actor("aider", &[("environment: OR_APP_NAME", None)]);
    // What a command prints is what Aider shows, and a silent one shows nothing.
    for words in [
        "Running rm -r build\r\n\r\ncd src",
        "diff> /run echo run-cmd; pwd; (exit 3)\r\n\r\nrun-cmd\r\n/",
        "diff> !rm victim.txt\r\n\r\nAdd 0.0k tokens",
    ] {
        assert!(transcript.contains(words), "{words:?} in {transcript:?}");
    }

    live.undo("rm victim.txt");
    live.undo("rm -r build");
    let own = [".aider.chat.history.md: new", ".aider.input.history: new", "src/app.txt"];
    live.assert_as_before_but(&own);
    assert_eq!(live.env.read("src/app.txt"), "goodbye\n");
    assert_eq!(live.env.git(&["log", "-1", "--format=%s"]).ok().stdout, "chore: scripted\n");
}
