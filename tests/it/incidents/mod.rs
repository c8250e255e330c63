//! The table of incidents. Each row builds a real project (`project.rs`), lets a real command destroy a part of it while
//! the recorder watches, shows that it is destroyed, takes it back with `fr undo --yes`, and compares bytes, metadata, refs,
//! index, stash, reflogs and the remote with what was there before, by means that are not `fr`'s (`look.rs`).
//!
//! Each file says at its top in which way the tools next to `fr` fail there; these are checkpoints of agents, shadow
//! repositories of IDEs, wrappers of `rm`, and snapshots by git.

mod endings;
mod git;
mod large;
mod look;
mod metadata;
mod outside;
mod project;
mod removed;
mod unseen;
mod written;

use crate::env::{Output, TestEnv, run};
use look::Picture;

/// How the recorder comes to see the command.
#[derive(Clone, Copy, PartialEq)]
enum Channel {
    /// The hook of an agent, before and after a `bash -c`.
    Hook,
    /// The same with shims first on PATH, which see the arguments that only the run brings to light.
    Shims,
    /// `fr exec -c`.
    Exec,
}

/// One row of the table.
struct Row {
    line: String,
    /// True before the command and after the undo, false between the two.
    probe: &'static str,
    channel: Channel,
    /// What cannot come back, by path below the world's root; the undo must name each.
    residue: &'static [&'static str],
    /// The repository's own files are compared byte for byte as well.
    whole_repository: bool,
}

/// The rows of one file as tests: a name, the line, a probe of what it destroys, and what is special about it.
macro_rules! incidents {
    ($($name:ident: $line:expr, lost $probe:expr $(, $how:ident($($arg:expr),*))*;)*) => { $(
        #[test]
        fn $name() {
            $crate::incidents::Row::new($line, $probe)$(.$how($($arg),*))*.comes_back();
        }
    )* };
}
use incidents;

impl Row {
    fn new(line: impl Into<String>, probe: &'static str) -> Row {
        Row { line: line.into(), probe, channel: Channel::Hook, residue: &[], whole_repository: false }
    }

    fn by(self, channel: Channel) -> Row {
        Row { channel, ..self }
    }

    fn but(self, residue: &'static [&'static str]) -> Row {
        Row { residue, ..self }
    }

    fn with_the_whole_repository(self) -> Row {
        Row { whole_repository: true, ..self }
    }

    #[track_caller]
    fn comes_back(self) {
        self.comes_back_in(project::project());
    }

    #[track_caller]
    fn comes_back_in(self, mut env: TestEnv) {
        let line = &self.line;
        let look = |env: &TestEnv| Picture::of(env, self.whole_repository).without(self.residue);
        let before = look(&env);
        assert!(holds(&env, self.probe), "{line}: the probe must hold before");
        destroy(line, self.channel, &mut env);
        assert!(!holds(&env, self.probe), "{line}: destroyed nothing, so the row proves nothing");
        let undo = undo(&env, &[]);
        let (code, verdict) = match self.residue {
            [] => (0, "undone and verified"),
            _ => (3, "undone in part"),
        };
        assert_eq!(undo.code, code, "{line}: {undo:?}");
        assert!(undo.stdout.contains(verdict), "{line}: {undo:?}");
        for gone in self.residue {
            let name = gone.rsplit('/').next().unwrap_or(gone);
            assert!(undo.stdout.contains(name), "{line}: {gone} is not named: {undo:?}");
        }
        let wrong = before.differences(&look(&env));
        assert!(wrong.is_empty(), "{line}: {} differences\n{}\n{undo:?}", wrong.len(), wrong.join("\n"));
        assert!(holds(&env, self.probe), "{line}: the probe must hold again");
    }
}

/// Runs the line while the recorder watches. How it ends is the line's own affair.
#[track_caller]
fn destroy(line: &str, channel: Channel, env: &mut TestEnv) -> Output {
    match channel {
        Channel::Hook => env.claude_runs(line),
        Channel::Shims => {
            put_shims_first(env);
            env.claude_runs(line)
        }
        Channel::Exec => env.fr(&["exec", "-c", line]),
    }
}

/// As `eval "$(fr init bash --shims)"` does.
fn put_shims_first(env: &mut TestEnv) {
    env.fr(&["shims", "enable"]).ok();
    env.vars.push(("PATH".into(), format!("{}:{}", env.fr_home.join("shims").display(), env.path())));
}

/// Takes the latest event back, from a directory that is still there.
fn undo(env: &TestEnv, more: &[&str]) -> Output {
    let mut fr = env.command(TestEnv::binary());
    if !env.project.exists() {
        fr.current_dir(env.root());
    }
    fr.args(["undo", "--yes"]).args(more);
    run(fr, b"")
}

/// True where a line of shell says so. The project may be gone.
fn holds(env: &TestEnv, probe: &str) -> bool {
    env.project.exists() && env.sh(probe).code == 0
}
