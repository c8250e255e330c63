//! Where things are on this machine: the user's directories, the agents that are there, this binary.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::agents::Spec;
use super::codex;
use crate::error::{Error, ExitCode, Result};
use crate::intake::Env;
use crate::intake::shells::Shell;

/// What installing and looking need to know of the machine.
#[derive(Clone, Debug)]
pub struct World {
    /// The user's home directory.
    pub home: PathBuf,
    /// Where we were started; projects' files lie below.
    pub cwd: PathBuf,
    /// The environment.
    pub env: Env,
    /// `$FR_HOME`.
    pub state: PathBuf,
    /// The path of this binary that is likeliest to stay.
    pub fr: PathBuf,
}

/// What shows that an agent is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// A directory of settings.
    pub directory: Option<PathBuf>,
    /// A program on `PATH`.
    pub program: Option<PathBuf>,
}

impl Presence {
    /// True where anything does.
    pub fn is_there(&self) -> bool {
        self.directory.is_some() || self.program.is_some()
    }
}

/// For the user everywhere, or for one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The user's file.
    User,
    /// The file in the directory that we were started in.
    Project,
}

impl World {
    /// This machine.
    ///
    /// # Errors
    /// No home directory, or no path of this binary.
    pub fn here(env: Env, state: PathBuf) -> Result<World> {
        let home = crate::platform::home::user_home().ok_or_else(|| {
            Error::failure("HOME is not an absolute path").hint("set HOME to the user's home directory")
        })?;
        let cwd = std::env::current_dir()
            .map_err(|e| Error::failure(format!("cannot tell the working directory: {e}")))?;
        let mut world = World { home, cwd, env, state, fr: PathBuf::new() };
        world.fr = world.own_path()?;
        Ok(world)
    }

    /// The file that takes an agent's hooks.
    pub fn file(&self, spec: &Spec, scope: Scope) -> PathBuf {
        match scope {
            Scope::User => self.settings(spec).join(spec.file),
            Scope::Project => self.cwd.join(spec.project_file),
        }
    }

    /// The directory of an agent's settings.
    pub fn settings(&self, spec: &Spec) -> PathBuf {
        let moved = spec.dir.variable.and_then(|(name, below)| Some(self.directory(name)?.join(below)));
        let from_variable = moved.is_some();
        let dir = moved.unwrap_or_else(|| self.home.join(spec.dir.below_home));
        // An empty piece at the end would leave a slash there.
        let dir = dir.components().collect();
        if spec.name == "codex" { codex::home(dir, from_variable) } else { dir }
    }

    /// What shows that an agent is there.
    pub fn presence(&self, spec: &Spec) -> Presence {
        let mut directories: Vec<PathBuf> = spec.signs.iter().map(|sign| self.home.join(sign)).collect();
        // `~/.copilot` is VS Code's too, but proves nothing of it.
        if spec.signs.contains(&spec.dir.below_home) {
            directories.insert(0, self.settings(spec));
        }
        Presence {
            directory: directories.into_iter().find(|dir| dir.is_dir()),
            program: spec.binaries.iter().find_map(|name| self.program(name)),
        }
    }

    /// The program of that name on `PATH`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.env.get("PATH")?.as_path().to_path_buf();
        let absolute = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect::<Vec<_>>();
        absolute.into_iter().map(|dir| dir.join(name)).find(|file| is_program(file))
    }

    /// A shell's start-up file.
    pub fn startup_file(&self, shell: Shell) -> PathBuf {
        match shell {
            Shell::Bash => self.home.join(".bashrc"),
            Shell::Zsh => self.directory("ZDOTDIR").unwrap_or_else(|| self.home.clone()).join(".zshrc"),
            Shell::Fish => {
                let config = self.directory("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config"));
                config.join("fish/config.fish")
            }
        }
    }

    /// The other directory of git's configuration (git-config(1), FILES).
    pub fn git_config_dir(&self) -> PathBuf {
        self.directory("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config")).join("git")
    }

    /// The shell that the user logs in to, where it is one that we integrate with.
    pub fn login_shell(&self) -> Option<Shell> {
        let path = self.env.get("SHELL")?.as_path().to_path_buf();
        match path.file_name()?.to_str()? {
            "bash" => Some(Shell::Bash),
            "zsh" => Some(Shell::Zsh),
            "fish" => Some(Shell::Fish),
            _ => None,
        }
    }

    /// A directory that a variable names; relative values are ignored.
    fn directory(&self, variable: &str) -> Option<PathBuf> {
        let dir = self.env.get(variable)?.as_path().to_path_buf();
        dir.is_absolute().then_some(dir)
    }

    /// The name of this binary that is likeliest to stay: a link on `PATH` outlives the versions that it points to.
    fn own_path(&self) -> Result<PathBuf> {
        let exe = std::env::current_exe()
            .map_err(|e| Error::failure(format!("cannot find the path of fr itself: {e}")))?;
        let Ok(real) = exe.canonicalize() else {
            return Err(Error::new(ExitCode::Failure, format!("{} is not there any more", exe.display()))
                .hint("it was replaced while it ran: run the new one"));
        };
        match self.program("fr") {
            Some(on_path) if on_path.canonicalize().is_ok_and(|path| path == real) => Ok(on_path),
            _ => Ok(exe),
        }
    }
}

/// True for a file that can be run.
pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
