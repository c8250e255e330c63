//! Codex CLI: in code mode, where the model calls the tools from JavaScript, and with direct tools.

use serde_json::json;

use super::{Live, installed};

pub const PROGRAM: &str =
    "npm-codex/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex";

#[test]
fn codex_in_code_mode_is_recorded_and_taken_back() {
    let Some(program) = installed("codex", PROGRAM) else { return };
    let live = codex_world("gpt-6-sol", &["--trust-codex-hooks", "--shell", "bash"]);
    let script = json!({
        "main": [
            {"shell": "git status"},
            {"shell": "rm -rf build2"},
            {"shell": "rm -r build"},
            {"shell": "cd src && ls -1 | sort | head -n 5 | wc -l && cd .. && pwd && export FR_X=1"},
            {"shell": "cd src"},
            {"shell": "echo \"${FR_X:-unset}\" > where.txt"},
            {"edit": [live.path("src/app.txt"), "hello", "goodbye"]},
            {"write": [live.path("notes.txt"), "new file\n"]},
            {"shell": "ls /nonexistent-fr; exit 3"},
            {"background": "sleep 1; echo late > late.txt"},
            {"js": "const [a, b] = await Promise.all([tools.exec_command({cmd: 'echo one > par1.txt'}), \
                    tools.exec_command({cmd: 'echo two > par2.txt'})]); text(a); text(b);"},
            {"mcp": ["wipe", {"path": live.path("victim.txt")}]},
            {"agent": "[[script:sub]] Run the scripted command."},
            {"shell": "sleep 2; cat late.txt"},
            {"patch": "*** Begin Patch\n*** Delete File: src/b.txt\n*** End Patch\n"},
            {"shell": "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: heredoc.txt\n+via shell\n*** End Patch\nEOF"},
            {"js": "const r = await tools.exec_command({cmd: 'bash', tty: true, yield_time_ms: 500}); text(r); \
                    const w = await tools.write_stdin({session_id: r.session_id, chars: 'rm README.md\\n', \
                    yield_time_ms: 800}); text(w); \
                    const x = await tools.write_stdin({session_id: r.session_id, chars: 'exit\\n', \
                    yield_time_ms: 800}); text(x);"},
        ],
        "sub": [{"shell": "echo from-subagent > sub.txt"}, {"text": "sub done"}],
    });
    let ran = live.run(&script, &codex(program.to_str().unwrap()));
    live.assert_silent("codex", &ran);
    live.assert_listed(
        &ran,
        &[
            "Bash: git status | . | ended",
            // Codex itself refuses -f; the hook comes before that, and nobody says what became of it.
            "Bash: rm -rf build2 | . | unknown",
            "Bash: rm -r build | . | ended",
            "Bash: cd src && ls -1 | sort | head -n 5 | wc -l && cd .. && pwd && export FR_X=1 | . | ended",
            "Bash: cd src | . | ended",
            // Each command starts where the session did.
            "Bash: echo \"${FR_X:-unset}\" > where.txt | . | ended",
            "apply_patch: src/app.txt | . | exit 0",
            "apply_patch: notes.txt | . | exit 0",
            "Bash: ls /nonexistent-fr; exit 3 | . | ended",
            "Bash: sleep 1; echo late > late.txt | . | unknown",
            "Bash: echo one > par1.txt | . | ended",
            "Bash: echo two > par2.txt | . | ended",
            "mcp__frlive__wipe: {\"path\":\"victim.txt\"} | . | succeeded",
            "collaborationspawn_agent: {\"message\":\"[[script:sub]] Run the scripted command.\",\"task_name\":\"sub\",\
             \"fork_turns\":\"none\"} | . | ended",
            "Bash: echo from-subagent > sub.txt | . | ended | default",
            "Bash: sleep 2; cat late.txt | . | ended",
            "apply_patch: src/b.txt | . | exit 0",
            // Codex takes this over: no bash, no report, but a file.
            "Bash: apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: heredoc.txt\n+via shell\n*** End Patch\nEOF | . | unknown",
            // What is typed into a terminal has no hook; the integration in ~/.bashrc sees it.
            "Bash: bash | . | ended",
            "shell: rm README.md | . | exit 0",
            "shell: exit | . | open",
        ],
    );
    live.assert_actor(
        "codex",
        &[("its own hook's payload", None), ("environment: CODEX_THREAD_ID", Some("0.169.0"))],
    );

    live.undo("rm README.md");
    // Nobody told its end, but the patch says what it was to leave.
    live.undo("heredoc.txt");
    live.undo("apply_patch: src/b.txt");
    live.undo("> sub.txt");
    live.undo("victim.txt");
    live.undo("> par2.txt");
    live.undo("> par1.txt");
    live.undo_is_refused("> late.txt", "never reported back");
    std::fs::remove_file(live.path("late.txt")).unwrap();
    live.undo("apply_patch: notes.txt");
    live.undo("apply_patch: src/app.txt");
    live.undo("> where.txt");
    live.undo("rm -r build");
    live.assert_as_before();
}

#[test]
fn codex_with_direct_tools_is_recorded_and_taken_back() {
    let Some(program) = installed("codex", PROGRAM) else { return };
    let live = codex_world("gpt-5.5", &["--trust-codex-hooks", "--shell", "bash"]);
    let script = json!({
        "main": [
            {"shell": "git status"},
            {"shell": "rm -r build"},
            {"edit": [live.path("src/app.txt"), "hello", "goodbye"]},
            {"write": [live.path("notes.txt"), "new file\n"]},
            {"shell": "ls /nonexistent-fr; exit 3"},
            [{"shell": "echo one > par1.txt"}, {"shell": "echo two > par2.txt"}],
            // MCP tools are not on offer until a search finds them, but can be called.
            {"raw": ["mcp__frlive/wipe", {"path": live.path("victim.txt")}]},
            {"patch": "*** Begin Patch\n*** Delete File: src/b.txt\n*** End Patch\n"},
        ],
    });
    let ran = live.run(&script, &codex(program.to_str().unwrap()));
    live.assert_silent("codex, direct tools", &ran);
    live.assert_listed(
        &ran,
        &[
            "Bash: git status | . | ended",
            "Bash: rm -r build | . | ended",
            "apply_patch: src/app.txt | . | exit 0",
            "apply_patch: notes.txt | . | exit 0",
            "Bash: ls /nonexistent-fr; exit 3 | . | ended",
            "Bash: echo one > par1.txt | . | ended",
            "Bash: echo two > par2.txt | . | ended",
            "mcp__frlive__wipe: {\"path\":\"victim.txt\"} | . | succeeded",
            "apply_patch: src/b.txt | . | exit 0",
        ],
    );
    live.assert_actor("codex", &[("its own hook's payload", None)]);
    live.assert_one_session();

    live.undo("apply_patch: src/b.txt");
    live.undo("victim.txt");
    live.undo("> par2.txt");
    live.undo("> par1.txt");
    live.undo("apply_patch: notes.txt");
    live.undo("apply_patch: src/app.txt");
    live.undo("rm -r build");
    live.assert_as_before();
}

/// Why `fr install` tells its user to accept the hooks, and why `fr doctor` looks.
#[test]
fn codex_runs_no_hook_that_nobody_accepted() {
    let Some(program) = installed("codex", PROGRAM) else { return };
    let live = codex_world("gpt-5.5", &[]);
    live.run(&json!({"main": [{"shell": "rm -r build"}]}), &codex(program.to_str().unwrap()));
    assert!(!live.env.exists("build"));
    assert_eq!(live.env.fr(&["timeline"]).code, 10, "something was recorded");
    let doctor = live.env.fr(&["doctor"]);
    assert!(doctor.stdout.contains("UNPROTECTED"), "{doctor:?}");
}

pub fn codex_world(model: &str, options: &[&str]) -> Live {
    let mut live = Live::new();
    live.install("codex", options);
    let config = live.env.home.join(".codex/config.toml");
    let trust = std::fs::read_to_string(&config).unwrap_or_default();
    let own = format!(
        "model = \"{model}\"\nmodel_provider = \"scripted\"\ncheck_for_update_on_startup = false\n\
         [analytics]\nenabled = false\n[mcp_servers.frlive]\ncommand = \"{}\"\n",
        Live::wiper()
    );
    live.configure(".codex/config.toml", &format!("{own}{trust}"));
    live.env.vars.push(("SCRIPTED_KEY".to_string(), "sk-test".to_string()));
    live
}

pub fn codex(program: &str) -> Vec<&str> {
    vec![
        program,
        "exec",
        "--dangerously-bypass-approvals-and-sandbox",
        "-c",
        "model_providers.scripted={name=\"scripted\",base_url=\"{MODEL}/v1\",wire_api=\"responses\",env_key=\"SCRIPTED_KEY\"}",
        "Follow the script.",
    ]
}
