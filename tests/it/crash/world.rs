//! A small world that is prepared once and put back for each case.

use serde_json::{Value, json};

use super::fault::Ran;
use crate::env::{Output, SESSION, TestEnv};
use crate::fs_compare::{Tree, differences};

/// What the faults are tried on: files, a directory that goes, and git.
pub const COMMAND: &str = "rm -rf src; git reset -q --hard HEAD~1; echo x > config.yml; mkdir made";

/// The call id of the command under test.
pub const CALL: &str = "toolu_under_test";

/// A world, and a copy of it to come back to.
pub struct World {
    pub env: TestEnv,
}

impl World {
    /// A small project with two commits, something dirty, staged, untracked and ignored. Nothing is recorded yet.
    pub fn new() -> World {
        let env = TestEnv::new();
        let setup = r#"
            set -e; git init -q; mkdir -p src/deep docs
            printf 'one\n' > src/main.rs; printf 'lib\n' > src/deep/lib.rs; printf 'guide\n' > docs/guide.md
            printf 'a=1\n' > config.yml; printf '#!/bin/sh\n' > run.sh; chmod 750 run.sh; ln -s src/main.rs link
            printf '.env\n' > .gitignore; git add .; git commit -qm one
            printf 'two\n' >> src/main.rs; printf 'more\n' >> docs/guide.md; git commit -qam two
            printf 'dirty\n' >> src/main.rs; printf 'staged\n' > staged.txt; git add staged.txt
            printf 'note\n' > note.txt; printf 'S=1\n' > .env
        "#;
        env.sh(setup).ok();
        World { env }
    }

    /// Remembers project and store as they are now.
    pub fn keep(&self) {
        self.at_root(
            "rm -rf kept && mkdir kept && cp -a project kept/ && { [ ! -e fr ] || cp -a fr kept/; }",
        );
    }

    /// Puts back what was remembered.
    pub fn reset(&self) {
        self.at_root("rm -rf project fr && cp -a kept/. .");
    }

    fn at_root(&self, line: &str) {
        let mut command = self.env.command("sh");
        command.args(["-c", line]).current_dir(self.env.root());
        crate::env::run(command, b"").ok();
    }

    /// A hook payload for the command under test.
    pub fn payload(&self, hook: &str) -> Vec<u8> {
        let mut payload = json!({
            "hook_event_name": hook, "tool_name": "Bash", "tool_input": {"command": COMMAND},
            "tool_use_id": CALL, "session_id": SESSION, "cwd": self.env.project,
        });
        if hook == "PostToolUse" {
            payload["tool_response"] = json!({"stdout": "", "stderr": "", "interrupted": false});
        }
        payload.to_string().into_bytes()
    }

    /// All events, oldest first.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let listed = self.env.fr(&["timeline", "--json", "-n", "1000000"]);
        if listed.code == 10 {
            return Vec::new();
        }
        let mut events = listed.ok().json().as_array().unwrap().clone();
        events.sort_by_key(|e| e["id"].as_u64());
        events
    }

    /// The event of the command under test.
    pub fn event_under_test(&self) -> Option<Value> {
        self.events().into_iter().find(|e| e["call"] == CALL)
    }

    /// The project's files, without the repository's own.
    pub fn files(&self) -> Tree {
        let mut files = crate::fs_compare::tree(&self.env.project);
        files.retain(|path, _| !path.starts_with(".git"));
        files
    }

    /// Everything in the store is as it was written, but for ends that nobody acknowledged.
    #[track_caller]
    pub fn assert_sound(&self, what: &str) {
        let report = self.env.fr(&["store", "verify", "--json"]);
        if report.code == 10 {
            return;
        }
        let findings = report.json()["findings"].as_array().unwrap().clone();
        for finding in findings {
            assert!(finding["severity"] == "note" || finding["severity"] == "torn", "{what}: {finding}");
        }
        let events = self.env.fr(&["verify", "--all"]);
        assert_eq!(events.code, 0, "{what}: {events:?}");
    }

    /// A command that comes later is recorded, captured and taken back as if nothing had been.
    #[track_caller]
    pub fn assert_next_works(&self, what: &str) {
        let highest = self.events().iter().filter_map(|e| e["id"].as_u64()).max().unwrap_or(0);
        let before = self.files();
        let call = self.env.claude_pre("rm -rf docs");
        let silent = Output { stdout: String::new(), stderr: String::new(), code: 0 };
        assert_eq!(call.answer, silent, "{what}");
        self.env.sh("rm -rf docs").ok();
        assert_eq!(self.env.claude_post(&call), silent, "{what}");
        let event = self.events().pop().unwrap();
        let id = event["id"].as_u64().unwrap();
        assert!(id > highest && event["call"] == call.id.as_str(), "{what}: {event}");
        let undo = self.env.fr(&["undo", &id.to_string(), "--yes"]);
        assert_eq!(undo.code, 0, "{what}: {undo:?}");
        let left = self.files();
        assert!(before == left, "{what}: {:?}", differences(&before, &left));
    }
}

/// What to say where a case fails.
pub fn case(fault: &super::fault::Fault, ran: &Ran) -> String {
    format!("{fault}: {:?}, then {:?}", ran.hits, ran.output)
}
