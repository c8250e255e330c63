//! A root module in a test's project: real terraform, real backends, and files as the "real resources" that its
//! provisioners make and remove.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::backends::Backend;
use crate::env::{Output, TestEnv};

/// Where terraform is; `None`, with a line that says so, where it is not (it is in no registry).
pub fn terraform() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|dir| dir.join("terraform")).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: terraform is not installed");
    }
    found
}

/// A project with a root module in `infra/`.
pub struct Scene {
    /// Its world.
    pub env: TestEnv,
    /// The root module.
    pub root: PathBuf,
    backend: Backend,
}

/// Three resources. Making one makes a file, destroying it removes the file: what a state claims can be compared with
/// what is there.
const RESOURCES: &str = r#"
variable "size" {
  default = "small"
}
resource "terraform_data" "disk" {
  for_each = toset(["a", "b"])
  input    = "${each.key}-${var.size}"
  provisioner "local-exec" {
    command = "while test -e REAL/hold-${self.input}; do sleep 0.1; done; echo disk > REAL/disk-${self.input}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "test ! -e REAL/stuck && rm REAL/disk-${self.output}"
  }
}
resource "terraform_data" "web" {
  input = "web on ${terraform_data.disk["a"].id}"
  provisioner "local-exec" {
    command = "echo web > REAL/web"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm REAL/web"
  }
}
output "token" {
  value     = "tf-secret-in-state"
  sensitive = true
}
"#;

impl Scene {
    /// Makes and applies it.
    #[track_caller]
    pub fn on(backend: Backend) -> Scene {
        let mut env = TestEnv::new();
        env.vars.push(("CHECKPOINT_DISABLE".to_owned(), "1".to_owned()));
        let block = backend.block();
        let root = env.project.join("infra");
        env.write(
            "infra/main.tf",
            format!(
                "terraform {{\n{block}}}\n{}",
                RESOURCES.replace("REAL", root.join("real").to_str().unwrap())
            ),
        );
        std::fs::create_dir(root.join("real")).unwrap();
        // Whoever holds a lock in these tests holds it until undo has given up.
        std::fs::create_dir(&env.fr_home).unwrap();
        std::fs::write(env.fr_home.join("config.toml"), "[caps]\nlock_seconds = 3\n").unwrap();
        let scene = Scene { env, root, backend };
        scene.tf("init -input=false").ok();
        scene.tf("apply -auto-approve").ok();
        assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"]);
        scene
    }

    /// Where its state is.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Somebody runs terraform, unseen by the recorder.
    pub fn tf(&self, args: &str) -> Output {
        self.env.sh(&format!("terraform -chdir=infra {args}"))
    }

    /// The agent runs a line, as Claude would.
    pub fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(line)
    }

    /// The files that stand for real resources.
    pub fn real(&self) -> Vec<String> {
        names(&self.root.join("real"))
    }

    /// The addresses in the state, as terraform lists them.
    #[track_caller]
    pub fn listed(&self) -> Vec<String> {
        self.tf("state list").ok().stdout.lines().map(str::to_owned).collect()
    }

    /// The state.
    #[track_caller]
    pub fn state(&self) -> Value {
        self.tf("state pull").ok().json()
    }

    /// The state without what every write changes.
    #[track_caller]
    pub fn says(&self) -> Value {
        let mut state = self.state();
        for field in ["serial", "terraform_version"] {
            state.as_object_mut().unwrap().remove(field);
        }
        state
    }

    /// The number of the latest event that is no part of another.
    #[track_caller]
    pub fn event(&self) -> String {
        let events = self.env.fr(&["timeline", "--json"]).ok().json();
        let whole = events.as_array().unwrap().iter().find(|event| event["parent"].is_null());
        whole.unwrap()["id"].to_string()
    }

    /// Takes the latest event back.
    #[track_caller]
    pub fn undo(&self, more: &[&str]) -> Output {
        let event = self.event();
        let mut args = vec!["undo", event.as_str(), "--yes"];
        args.extend(more);
        self.env.fr(&args)
    }

    /// Nothing that `fr` has written to be read, and nothing in its journal, holds the secret of the state.
    #[track_caller]
    pub fn keeps_secrets(&self) {
        let found = self.env.sh("grep -rl tf-secret-in-state $FR_HOME");
        assert_eq!(found.stdout, "", "packs are compressed; all else is readable");
        for args in
            [vec!["timeline", "--json"], vec!["show", "1"], vec!["show", "1", "--json"], vec!["diff", "1"]]
        {
            let said = self.env.fr(&args);
            assert!(!format!("{said:?}").contains("tf-secret-in-state"), "{args:?}: {said:?}");
        }
    }
}

/// `terraform apply` at its question.
pub struct Apply(std::process::Child);

impl Apply {
    /// Starts it and waits for the question.
    pub fn waiting(scene: &Scene) -> Apply {
        let mut command = scene.env.command("terraform");
        command.args(["-chdir=infra", "apply", "-no-color"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut said, mut byte) = (Vec::new(), [0u8; 1]);
        let out = child.stdout.as_mut().unwrap();
        while !said.ends_with(b"Enter a value:") && matches!(out.read(&mut byte), Ok(1)) {
            said.extend(byte);
        }
        assert!(said.ends_with(b"Enter a value:"), "{}", String::from_utf8_lossy(&said));
        Apply(child)
    }

    /// Answers, and waits for the end.
    pub fn answer(mut self, word: &str) {
        self.0.stdin.take().unwrap().write_all(format!("{word}\n").as_bytes()).unwrap();
        let _ = std::io::copy(self.0.stdout.as_mut().unwrap(), &mut std::io::sink());
        self.0.wait().unwrap();
    }
}

impl Drop for Apply {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The sorted names in a directory.
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
