//! The integration beside real prompt frameworks, loaded before it and after it: every line is recorded once with its
//! exit code, what `rm` takes comes back, the framework sees the status it would have seen, and the screen is the same.
//!
//! Most come as Debian packages, which `tests/run` installs. The others are driven where `FR_FRAMEWORKS` names a
//! directory that holds them: `starship`, `bash-preexec.sh`, `pure/`.

use std::path::PathBuf;
use std::process::Command;

use fr::intake::shells::{Shell, script};
use serde_json::Value;

use crate::env::TestEnv;
use crate::pty::{Pty, until};
use crate::shell_world::have;

/// What all prompts end with.
const PROMPT: &str = "READY>";

/// A framework as a person would load it.
struct Framework {
    name: &'static str,
    /// Without it the framework is not installed.
    file: PathBuf,
    /// Lines of the rc file. It leaves `READY> ` at the end of the prompt.
    load: String,
    /// What tells its prompt, where that is not `READY>`: titles of windows may hold the prompt as well.
    prompt: &'static str,
    /// What the screen shows of a command that ended with 7, if anything.
    shows: &'static str,
    /// True where the first line's status is lost before the integration can stand in front.
    hides_first: bool,
    /// False where what it draws depends on the time or on threads.
    steady: bool,
}

impl Framework {
    fn new(name: &'static str, file: &str, load: &str) -> Framework {
        Framework {
            name,
            file: file.into(),
            load: load.into(),
            prompt: PROMPT,
            shows: "",
            hides_first: false,
            steady: true,
        }
    }

    /// One that is not in Debian.
    fn extra(name: &'static str, file: &str, load: &str) -> Framework {
        let file = PathBuf::from(std::env::var("FR_FRAMEWORKS").unwrap_or_default()).join(file);
        let load = load.replace("@FILE@", file.to_str().unwrap());
        Framework { name, file, load, prompt: PROMPT, shows: "", hides_first: false, steady: true }
    }

    fn showing(self, shows: &'static str) -> Framework {
        Framework { shows, ..self }
    }

    fn with_prompt(self, prompt: &'static str) -> Framework {
        Framework { prompt, ..self }
    }

    fn unsteady(self) -> Framework {
        Framework { steady: false, ..self }
    }
}

/// A shell with a framework and, where `fr` is `Some`, the integration before or after it.
struct Session {
    env: TestEnv,
    pty: Pty,
    prompt: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    FrFirst,
    FrLast,
    Without,
}

impl Session {
    fn start(shell: Shell, framework: &Framework, order: Order) -> Session {
        let mut env = TestEnv::new();
        env.vars.push(("TERM".into(), "xterm-256color".into()));
        env.vars.push(("HISTCONTROL".into(), "ignoreboth".into()));
        env.vars.push(("PATH".into(), env.path()));
        env.write("precious", "p");
        env.write(".liquidpromptrc", "");
        let init = env.root().join("init");
        std::fs::write(&init, script(shell, TestEnv::binary()).unwrap()).unwrap();
        let init = format!(". '{}'", init.display());
        let load = &framework.load;
        let rc = match order {
            Order::FrFirst => format!("{init}\n{load}\n"),
            Order::FrLast => format!("{load}\n{init}\n"),
            Order::Without => format!("{load}\n"),
        };
        let command = rc_file(shell, &env, &rc);
        let mut pty = Pty::start(&command);
        pty.expect(framework.prompt);
        Session { env, pty, prompt: framework.prompt }
    }

    fn events(&self) -> Vec<Value> {
        let out = self.env.fr(&["timeline", "--json"]);
        if out.code == NO_STORE {
            return Vec::new();
        }
        let mut events = out.ok().json().as_array().unwrap().clone();
        events.sort_by_key(|event| event["id"].as_u64());
        events
    }

    /// The recorded lines with their exit codes.
    fn recorded(&self) -> Vec<(String, i64)> {
        let pair = |event: &Value| {
            let line = event["command"]["line"].as_str().unwrap().to_string();
            (line, event["outcome"]["code"].as_i64().unwrap_or(UNKNOWN))
        };
        self.events().iter().map(pair).collect()
    }
}

fn rc_file(shell: Shell, env: &TestEnv, rc: &str) -> Command {
    match shell {
        Shell::Bash => {
            let path = env.home.join(".bashrc");
            std::fs::write(&path, format!("PS1='{PROMPT} '\n{rc}")).unwrap();
            let mut command = env.command("bash");
            command.arg("-i");
            command
        }
        Shell::Zsh => {
            let text = format!("PS1='{PROMPT} '\nunsetopt prompt_sp\nsetopt hist_ignore_space\n{rc}");
            std::fs::write(env.home.join(".zshrc"), text).unwrap();
            let mut command = env.command("zsh");
            command.args(["-d", "-i"]);
            command
        }
        Shell::Fish => {
            let dir = env.home.join(".config/fish");
            std::fs::create_dir_all(&dir).unwrap();
            let text = format!("function fish_prompt; printf '{PROMPT} '; end\nset -g fish_greeting\n{rc}");
            std::fs::write(dir.join("config.fish"), text).unwrap();
            let mut command = env.command("fish");
            command.arg("-i");
            command
        }
    }
}

/// The lines that everything is tried with, and their codes.
const LINES: [(&str, i64); 6] = [
    ("echo one | tr a-z A-Z; true", 0),
    ("sh -c 'exit 7'", 7),
    ("echo st=$?", 0),
    ("rm precious", 0),
    ("cd /; cd \"$OLDPWD\"; (exit 3)", 3),
    ("true", 0),
];

/// What `fr` ends with before anything was recorded.
const NO_STORE: i32 = 10;

/// Stands for an exit code that is not known.
const UNKNOWN: i64 = -1;

/// Runs the lines; what the screen showed, with what differs between two runs taken out.
fn drive(session: &mut Session) -> String {
    for (line, _) in LINES {
        session.pty.line(line, session.prompt);
    }
    let screen = session.pty.screen();
    let end = screen.rfind(session.prompt).unwrap();
    screen[..end].replace(session.env.root().file_name().unwrap().to_str().unwrap(), "ROOT")
}

fn check(shell: Shell, framework: &Framework) {
    if !framework.file.exists() {
        eprintln!("SKIPPED: {} is not installed; it is NOT tested on this machine", framework.name);
        return;
    }
    let plain = drive(&mut Session::start(shell, framework, Order::Without));
    assert!(plain.contains(framework.shows), "{} does not work here: {plain:?}", framework.name);
    for order in [Order::FrFirst, Order::FrLast] {
        let what = format!("{shell:?}, {}, {order:?}", framework.name);
        let mut session = Session::start(shell, framework, order);
        let screen = drive(&mut session);
        if framework.steady {
            assert_eq!(screen, plain, "{what}: the same screen");
        }
        assert!(screen.contains("st=7") && screen.contains(framework.shows), "{what}: {screen:?}");
        let mut expected: Vec<_> = LINES.iter().map(|(line, code)| ((*line).to_string(), *code)).collect();
        if framework.hides_first {
            expected[0].1 = UNKNOWN;
        }
        assert_eq!(session.recorded(), expected, "{what}: {screen:?}");
        assert!(!session.env.exists("precious"), "{what}");
        session.env.fr(&["undo", "4", "--yes"]).ok();
        assert_eq!(session.env.read("precious"), "p", "{what}");
    }
}

/// Tries all, then says which failed.
fn check_all(shell: Shell, all: &[Framework]) {
    let failed = |framework: &&Framework| std::panic::catch_unwind(|| check(shell, framework)).is_err();
    let failed: Vec<_> = all.iter().filter(failed).map(|framework| framework.name).collect();
    assert!(failed.is_empty(), "{shell:?} beside {failed:?}");
}

fn bash_preexec(name: &'static str, file: &str) -> Framework {
    let load = ". @FILE@\nprecmd() { echo \"PRECMD:$?\"; }\npreexec() { echo \"PREEXEC:$1\"; }";
    Framework::extra(name, file, load).showing("PRECMD:7")
}

#[test]
fn bash_beside_its_frameworks() {
    let all = [
        Framework::new("nothing", "/bin/bash", "PROMPT_COMMAND='echo PC:$?:${PIPESTATUS[@]}'").showing("PC:7:7"),
        Framework::new("an array of commands", "/bin/bash", "PROMPT_COMMAND=('echo A:$?' 'echo B:$?')").showing("B:7"),
        Framework::new(
            "liquidprompt",
            "/usr/share/liquidprompt/liquidprompt",
            "LP_ENABLE_LOAD=0 LP_ENABLE_TEMP=0 LP_ENABLE_BATT=0 LP_ENABLE_TIME=0 LP_ENABLE_RUNTIME=1 LP_RUNTIME_THRESHOLD=600 \
             LP_ENABLE_TITLE=1 LP_ENABLE_SCREEN_TITLE=1 LP_ENABLE_ERROR=1 LP_PS1_POSTFIX='READY> '\n. /usr/share/liquidprompt/liquidprompt",
        )
        .with_prompt("m READY>")
        .showing("35m7"),
        Framework::new(
            "powerline",
            "/usr/share/powerline/bindings/bash/powerline.sh",
            "POWERLINE_NO_DAEMON=1\n. /usr/share/powerline/bindings/bash/powerline.sh\n\
             PROMPT_COMMAND=\"$PROMPT_COMMAND\"$'\\nPS1=$PS1\"READY> \"'",
        )
        .showing("52m7"),
        Framework::new(
            "bash-completion",
            "/usr/share/bash-completion/bash_completion",
            ". /usr/share/bash-completion/bash_completion",
        ),
        Framework::new("fzf", "/usr/share/doc/fzf/examples/key-bindings.bash", ". /usr/share/doc/fzf/examples/key-bindings.bash"),
        Framework::new("direnv", "/usr/bin/direnv", "eval \"$(direnv hook bash)\""),
        Framework::new("zoxide", "/usr/bin/zoxide", "eval \"$(zoxide init bash)\""),
        Framework::new("undistract-me", "/etc/profile.d/undistract-me.sh", ". /etc/profile.d/undistract-me.sh"),
        Framework::new(
            "preexec of undistract-me",
            "/usr/share/undistract-me/preexec.bash",
            ". /usr/share/undistract-me/preexec.bash\npreexec() { echo \"PREEXEC:$1\"; }\n\
             precmd() { echo \"PRECMD:$__preexec_exit_status\"; }\npreexec_install",
        )
        .showing("PRECMD:7"),
        Framework::new("vte", "/etc/profile.d/vte-2.91.sh", "VTE_VERSION=7006\n. /etc/profile.d/vte-2.91.sh"),
        Framework::new(
            "kitty",
            "/usr/lib/kitty/shell-integration/bash/kitty.bash",
            "KITTY_SHELL_INTEGRATION=enabled\n. /usr/lib/kitty/shell-integration/bash/kitty.bash",
        ),
        bash_preexec("bash-preexec", "bash-preexec.sh"),
        Framework { hides_first: true, ..bash_preexec("bash-preexec 0.4.1", "bash-preexec-0.4.1.sh") },
        Framework { hides_first: true, ..bash_preexec("bash-preexec 0.5.0", "bash-preexec-0.5.0.sh") },
        Framework::extra(
            "starship",
            "starship",
            "export STARSHIP_CONFIG=$HOME/starship.toml\n\
             printf 'add_newline = false\\nformat = \"$status READY> \"\\n[status]\\ndisabled = false\\n' >$STARSHIP_CONFIG\n\
             eval \"$(@FILE@ init bash)\"",
        )
        .showing("❌7"),
        Framework::extra(
            "bash-preexec and starship",
            "bash-preexec.sh",
            ". @FILE@\nexport STARSHIP_CONFIG=$HOME/starship.toml\n\
             printf 'add_newline = false\\nformat = \"$status READY> \"\\n[status]\\ndisabled = false\\n' >$STARSHIP_CONFIG\n\
             eval \"$(\"$(dirname @FILE@)/starship\" init bash)\"",
        )
        .showing("❌7"),
        Framework::new(
            "direnv, bash-completion and liquidprompt",
            "/usr/share/liquidprompt/liquidprompt",
            "LP_ENABLE_LOAD=0 LP_ENABLE_TEMP=0 LP_ENABLE_BATT=0 LP_ENABLE_ERROR=1 LP_PS1_POSTFIX='READY> '\n\
             eval \"$(direnv hook bash)\"\n. /usr/share/bash-completion/bash_completion\n. /usr/share/liquidprompt/liquidprompt",
        )
        .showing("35m7"),
    ];
    check_all(Shell::Bash, &all);
}

#[test]
fn zsh_beside_its_frameworks() {
    if !have("zsh") {
        return;
    }
    let all = [
        Framework::new("nothing", "/usr/bin/zsh", "unsetopt zle\nprecmd() { echo \"PC:$?:$pipestatus\" }").showing("PC:7:7"),
        Framework::new(
            "powerlevel9k",
            "/usr/share/powerlevel9k/powerlevel9k.zsh-theme",
            "unsetopt zle\nPOWERLEVEL9K_LEFT_PROMPT_ELEMENTS=(status)\nPOWERLEVEL9K_RIGHT_PROMPT_ELEMENTS=()\n\
             POWERLEVEL9K_STATUS_VERBOSE=true\nPOWERLEVEL9K_PROMPT_ADD_NEWLINE=false\n\
             . /usr/share/powerlevel9k/powerlevel9k.zsh-theme\nready() { PROMPT+='READY> ' }\nprecmd_functions+=(ready)",
        )
        .showing("226m7"),
        Framework::new(
            "liquidprompt",
            "/usr/share/liquidprompt/liquidprompt",
            "unsetopt zle\nLP_ENABLE_LOAD=0 LP_ENABLE_TEMP=0 LP_ENABLE_BATT=0 LP_ENABLE_TIME=0 LP_ENABLE_ERROR=1\n\
             LP_PS1_POSTFIX='READY> '\n. /usr/share/liquidprompt/liquidprompt",
        )
        .showing("35m7"),
        Framework::new(
            "autosuggestions and syntax highlighting",
            "/usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh",
            ". /usr/share/zsh-autosuggestions/zsh-autosuggestions.zsh\n\
             . /usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh",
        )
        .unsteady(),
        Framework::new("fzf", "/usr/share/doc/fzf/examples/key-bindings.zsh", "unsetopt zle\n. /usr/share/doc/fzf/examples/key-bindings.zsh 2>/dev/null"),
        Framework::new("direnv", "/usr/bin/direnv", "unsetopt zle\neval \"$(direnv hook zsh)\""),
        Framework::new("zoxide", "/usr/bin/zoxide", "unsetopt zle\neval \"$(zoxide init zsh)\""),
        Framework::new("vte", "/etc/profile.d/vte-2.91.sh", "unsetopt zle\nVTE_VERSION=7006\n. /etc/profile.d/vte-2.91.sh"),
        Framework::new(
            "kitty",
            "/usr/lib/kitty/shell-integration/zsh/kitty.zsh",
            "KITTY_SHELL_INTEGRATION=enabled\nautoload -Uz -- /usr/lib/kitty/shell-integration/zsh/kitty-integration\n\
             kitty-integration\nunfunction kitty-integration",
        )
        .unsteady(),
        Framework::extra(
            "starship",
            "starship",
            "unsetopt zle\nexport STARSHIP_CONFIG=$HOME/starship.toml\n\
             print 'add_newline = false\\nformat = \"$status READY> \"\\n[status]\\ndisabled = false' >$STARSHIP_CONFIG\n\
             eval \"$(@FILE@ init zsh)\"",
        )
        .showing("❌7"),
        Framework::extra(
            "pure",
            "pure/pure.zsh",
            "fpath+=(${${:-@FILE@}:h})\nautoload -U promptinit; promptinit\nPURE_PROMPT_SYMBOL='READY>'\nprompt pure",
        )
        .unsteady()
        .showing("31mREADY>"),
    ];
    check_all(Shell::Zsh, &all);
}

/// What fish is tried with.
const FISH_LINES: [(&str, i64); 6] = [
    ("echo one | tr a-z A-Z; true", 0),
    ("sh -c 'exit 7'", 7),
    ("echo st=$status", 0),
    ("rm precious", 0),
    ("cd /; cd -; sh -c 'exit 3'", 3),
    ("true", 0),
];

/// fish draws its prompt again at every key, so the record says when a line is through, and no two screens are alike.
fn check_fish(framework: &Framework) {
    if !framework.file.exists() {
        eprintln!("SKIPPED: {} is not installed; it is NOT tested on this machine", framework.name);
        return;
    }
    for order in [Order::FrFirst, Order::FrLast] {
        let what = format!("{}, {order:?}", framework.name);
        let mut session = Session::start(Shell::Fish, framework, order);
        let mut expected = Vec::new();
        for (line, code) in FISH_LINES {
            session.pty.send(&format!("{line}\n"));
            expected.push((line.to_string(), code));
            until(&format!("{what}: {line}"), || {
                let recorded = session.recorded();
                recorded.len() == expected.len() && recorded.last().is_some_and(|(_, code)| *code != UNKNOWN)
            });
        }
        assert_eq!(session.recorded(), expected, "{what}: {:?}", session.pty.screen());
        session.pty.expect("st=7");
        session.pty.expect(framework.shows);
        session.env.fr(&["undo", "4", "--yes"]).ok();
        assert_eq!(session.env.read("precious"), "p", "{what}");
    }
}

#[test]
fn fish_beside_its_frameworks() {
    if !have("fish") {
        return;
    }
    let all = [
        Framework::new("nothing", "/usr/bin/fish", "").with_prompt(PROMPT),
        Framework::new("fzf", "/usr/share/fish/vendor_functions.d/fzf_key_bindings.fish", "fzf_key_bindings"),
        Framework::new(
            "powerline",
            "/usr/share/powerline/bindings/fish/powerline-setup.fish",
            "set -x POWERLINE_NO_DAEMON 1\nset fish_function_path $fish_function_path /usr/share/powerline/bindings/fish\n\
             source /usr/share/powerline/bindings/fish/powerline-setup.fish\npowerline-setup",
        )
        .with_prompt("\u{e0b0}"),
        Framework::new("direnv", "/usr/bin/direnv", "direnv hook fish | source"),
        Framework::new("zoxide", "/usr/bin/zoxide", "zoxide init fish | source"),
        Framework::new(
            "kitty",
            "/usr/lib/kitty/shell-integration/fish/vendor_conf.d/kitty-shell-integration.fish",
            "set -g KITTY_SHELL_INTEGRATION enabled\n\
             source /usr/lib/kitty/shell-integration/fish/vendor_conf.d/kitty-shell-integration.fish",
        ),
        Framework::extra(
            "starship",
            "starship",
            "set -x STARSHIP_CONFIG $HOME/starship.toml\n\
             printf 'add_newline = false\\nformat = \"$status READY> \"\\n[status]\\ndisabled = false\\n' >$STARSHIP_CONFIG\n\
             @FILE@ init fish | source",
        )
        .showing("❌3"),
    ];
    let failed = |framework: &&Framework| std::panic::catch_unwind(|| check_fish(framework)).is_err();
    let failed: Vec<_> = all.iter().filter(failed).map(|framework| framework.name).collect();
    assert!(failed.is_empty(), "fish beside {failed:?}");
}
