//! Shims first on PATH, in real shells: what they see, that they are not seen, and that they join the line's event.

mod aside;
mod finding;
mod lines;
mod pushes;
mod run;
mod same;
mod tools;
mod who;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::env::{Output, TestEnv, run};

/// A world with shims first on PATH, and a directory of programs of its own behind them.
struct World {
    env: TestEnv,
    /// The shims.
    shims: PathBuf,
    /// Programs of the test's own, before the machine's.
    bin: PathBuf,
}

impl World {
    fn new() -> World {
        World::over(TestEnv::new())
    }

    fn with_git() -> World {
        World::over(TestEnv::with_git())
    }

    fn over(mut env: TestEnv) -> World {
        let (shims, bin) = (env.fr_home.join("shims"), env.root().join("bin"));
        std::fs::create_dir(&bin).unwrap();
        let path = format!("{}:{}:{}", shims.display(), bin.display(), env.path());
        env.vars.push(("PATH".into(), path));
        let world = World { env, shims, bin };
        world.enable();
        world
    }

    /// Makes the links, after programs were added.
    fn enable(&self) {
        self.env.fr(&["shims", "enable"]).ok();
    }

    /// A program of the test's own.
    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.bin.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A process without shims on PATH.
    fn plain(&self, program: &str) -> Command {
        let mut command = self.env.command(program);
        command.env("PATH", format!("{}:{}", self.bin.display(), self.env.path()));
        command
    }

    /// All events, oldest first.
    fn events(&self) -> Vec<Value> {
        let listed = self.env.fr(&["timeline", "--json", "-n", "1000"]).ok().json();
        let mut events = listed.as_array().unwrap().clone();
        events.reverse();
        events
    }

    /// The commands of all events, oldest first; what is part of another begins with `+`.
    fn story(&self) -> Vec<String> {
        let line = |event: &Value| {
            let part = if event["parent"].is_null() { "" } else { "+" };
            format!("{part}{}", event["command"]["line"].as_str().unwrap())
        };
        self.events().iter().map(line).collect()
    }

    /// A directory outside of the work tree, with these files; each holds its name.
    fn outside(&self, names: &[&str]) -> PathBuf {
        let dir = self.env.root().join("outside");
        for name in names {
            let path = dir.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        dir
    }

    /// The files below a directory and what they hold.
    fn files(dir: &Path) -> Vec<(String, String)> {
        let mut list = Command::new("find");
        list.arg(dir).args(["-type", "f", "-printf", "%P\\n"]);
        let mut names: Vec<String> = run(list, b"").ok().stdout.lines().map(str::to_string).collect();
        names.sort();
        let read = |name: String| (name.clone(), std::fs::read_to_string(dir.join(name)).unwrap());
        names.into_iter().map(read).collect()
    }

    /// Takes an event back.
    fn undo(&self, id: &Value) -> Output {
        self.env.fr(&["undo", "--yes", &id.to_string()])
    }
}
