//! Shells with the integration, and in place of `fr` a script that writes down what it was told.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use fr::intake::shells::{Shell, script};

use crate::env::TestEnv;
use crate::pty::Pty;

/// The prompt of all shells here.
pub const PROMPT: &str = "READY> ";

/// One report of a shell: the words behind `hook shell`, the directory, and the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub words: Vec<String>,
    pub cwd: String,
    pub line: String,
}

/// A world whose `fr` writes down its calls.
pub struct World {
    pub env: TestEnv,
    pub fake: PathBuf,
    pub log: PathBuf,
}

impl World {
    pub fn new() -> World {
        let mut env = TestEnv::new();
        let (fake, log) = (env.root().join("it's fr"), env.root().join("log"));
        let script = "#!/bin/sh\n\
            { printf '%s\\t' \"$@\"; printf '\\036%s\\036' \"$PWD\"; cat; printf '\\035'; } >\"$FR_LOG.$$\"\n\
            cat \"$FR_LOG.$$\" >>\"$FR_LOG\"\nrm \"$FR_LOG.$$\"\necho NOISE; echo NOISE >&2\nexit 3\n";
        std::fs::write(&fake, script).unwrap();
        std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
        env.vars.push(("FR_LOG".into(), log.to_str().unwrap().into()));
        env.vars.push(("PS1".into(), PROMPT.into()));
        World { env, fake, log }
    }

    /// The integration, written to a file below the root.
    pub fn integration(&self, shell: Shell) -> PathBuf {
        let path = self.env.root().join(format!("init.{shell:?}"));
        std::fs::write(&path, script(shell, &self.fake).unwrap()).unwrap();
        path
    }

    /// A bash at its prompt, its rc file as given; `@INIT@` stands for the integration.
    pub fn bash(&self, rc: &str) -> Pty {
        let init = format!(". '{}'", self.integration(Shell::Bash).display());
        let path = self.env.root().join("bashrc");
        std::fs::write(&path, format!("PS1='{PROMPT}'\n{}\n", rc.replace("@INIT@", &init))).unwrap();
        let mut command = self.env.command("bash");
        command.arg("--noprofile").arg("--rcfile").arg(&path).arg("-i");
        self.at_prompt(&command)
    }

    pub fn zsh(&self, rc: &str) -> Pty {
        let init = format!(". '{}'", self.integration(Shell::Zsh).display());
        let rc = format!("PS1='{PROMPT}'\nunsetopt zle prompt_sp\n{}\n", rc.replace("@INIT@", &init));
        std::fs::write(self.env.home.join(".zshrc"), rc).unwrap();
        let mut command = self.env.command("zsh");
        command.args(["-d", "-i"]);
        self.at_prompt(&command)
    }

    pub fn fish(&self, rc: &str) -> Pty {
        let init = format!("source '{}'", self.integration(Shell::Fish).display());
        let dir = self.env.home.join(".config/fish");
        std::fs::create_dir_all(&dir).unwrap();
        let rc = format!(
            "function fish_prompt; printf '{PROMPT}'; end\nset -g fish_greeting\n{}\n",
            rc.replace("@INIT@", &init)
        );
        std::fs::write(dir.join("config.fish"), rc).unwrap();
        let mut command = self.env.command("fish");
        command.arg("-i");
        self.at_prompt(&command)
    }

    pub fn at_prompt(&self, command: &Command) -> Pty {
        let mut pty = Pty::start(command);
        pty.expect(PROMPT);
        pty
    }

    pub fn reports(&self) -> Vec<Report> {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let report = |entry: &str| {
            let mut parts = entry.splitn(3, '\x1e');
            let words = parts.next().unwrap().split_terminator('\t').skip(2).map(str::to_string).collect();
            Report { words, cwd: parts.next().unwrap().into(), line: parts.next().unwrap().trim_end().into() }
        };
        log.split_terminator('\x1d').map(report).collect()
    }

    /// The lines that were reported before they ran, and the codes that were reported after.
    pub fn told(&self) -> Vec<String> {
        let told = |report: &Report| match report.words[0].as_str() {
            "before" => report.line.clone(),
            _ => format!("={}", report.words[3]),
        };
        self.reports().iter().map(told).collect()
    }
}

/// True where the shell is installed; says so loudly where it is not. The project's setup installs all three.
pub fn have(shell: &str) -> bool {
    let found = ["/bin", "/usr/bin", "/usr/local/bin"].iter().any(|dir| Path::new(dir).join(shell).exists());
    if !found {
        eprintln!("SKIPPED: {shell} is not installed; its integration is NOT tested on this machine");
    }
    found
}
