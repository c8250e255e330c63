//! What runs a command in a terminal of its own: `script`, `tmux`, `screen`.

use super::super::state::Shell;
use super::super::walk::{Ready, Status, Walker};
use super::table;
use crate::model::{Redirect, RedirectMode, Word};

const SCRIPT: table::Wrapper = table::plain(
    "script",
    "cEIOBTmo",
    &["--command", "--log-in", "--log-out", "--log-io", "--log-timing"],
    0,
);
const SCREEN: table::Wrapper = table::plain("screen", "ScehpstT", &[], 0);
const TMUX: table::Wrapper = table::plain("tmux", "LSfcT", &[], 0);

impl Walker<'_> {
    /// `script [-c text] [file]`; BSD: `script file command …`. The typescript is written.
    pub(super) fn script_wrapper(&mut self, sh: &mut Shell, ready: Ready) -> Status {
        let peeled = table::peel(&SCRIPT, &ready.argv);
        if peeled.has(&["--help", "--version", "-h", "-V"]) {
            return Status::Unknown;
        }
        let mode =
            if peeled.has(&["-a", "--append"]) { RedirectMode::Append } else { RedirectMode::Truncate };
        let text = peeled.value(&["-c", "--command"]).cloned();
        let log = peeled.value(&["-O", "-B", "--log-out", "--log-io"]).cloned();
        let rest = ready.argv.get(peeled.rest..).unwrap_or_default();
        let file = log.or_else(|| rest.first().cloned()).unwrap_or_else(|| Word::literal("typescript"));
        let command = rest.get(1..).unwrap_or_default().to_vec();
        let mut redirects = ready.redirects;
        redirects.push(Redirect { mode, target: file });
        self.inside(sh, "script", redirects, |w, sh| match text {
            Some(text) => w.word_script(sh, &text),
            None if !command.is_empty() => w.program(sh, command, Vec::new()),
            None => Status::Unknown,
        })
    }

    /// `screen -dmS name command …`
    pub(super) fn screen(&mut self, sh: &mut Shell, mut ready: Ready) -> Status {
        let peeled = table::peel(&SCREEN, &ready.argv);
        if peeled.has(&["-X"]) || ready.argv.iter().any(|w| w.as_str() == Some("-X")) {
            self.push(sh, ready);
            return Status::Unknown;
        }
        let rest = peeled.rest;
        let looks = ready.argv.iter().any(|w| matches!(w.as_str(), Some("-ls" | "-list" | "-wipe")));
        if looks || peeled.has(&["-r", "-R", "-x", "-v"]) || rest >= ready.argv.len() {
            return Status::Unknown;
        }
        let command = ready.argv.split_off(rest);
        self.inside(sh, "screen", ready.redirects, |w, sh| w.program(sh, command, Vec::new()))
    }

    /// `tmux new-session -d 'text'`, `tmux send-keys -t x 'text' Enter`, joined by `;`.
    pub(super) fn tmux(&mut self, sh: &mut Shell, mut ready: Ready) -> Status {
        let rest = table::peel(&TMUX, &ready.argv).rest;
        let words = ready.argv.split_off(rest);
        if !ready.redirects.is_empty() {
            self.push(sh, Ready { argv: Vec::new(), redirects: ready.redirects });
        }
        for command in words.split(|w| w.as_str() == Some(";")) {
            self.tmux_command(sh, command);
        }
        Status::Unknown
    }

    fn tmux_command(&mut self, sh: &mut Shell, command: &[Word]) {
        let verb = command.first().and_then(Word::as_str).unwrap_or_default();
        let short = match verb {
            "new-session" | "new" => "ceFfnstxy",
            "new-window" | "neww" => "ceFnt",
            "split-window" | "splitw" => "ceFltp",
            "respawn-pane" | "respawnp" | "respawn-window" | "respawnw" => "cet",
            "run-shell" | "run" => "dtc",
            "send-keys" | "send" => return self.typed(sh, command),
            "" | "ls" | "has" | "lsp" | "lsw" | "lsc" | "capturep" | "display" | "info" | "attach" | "a"
            | "attach-session" | "detach" | "set" | "setw" | "bind" | "start-server" | "start" => return,
            look if [
                "list-", "has-", "capture-", "display-", "show", "select-", "rename-", "resize-", "set-",
            ]
            .iter()
            .any(|p| look.starts_with(p)) =>
            {
                return;
            }
            _ => {
                let mut argv = vec![Word::literal("tmux")];
                argv.extend_from_slice(command);
                return self.push(sh, Ready { argv, redirects: Vec::new() });
            }
        };
        let peeled = table::peel(&table::plain("tmux", short, &[], 0), command);
        let dir = peeled.value(&["-c"]).cloned();
        let rest = command.get(peeled.rest..).unwrap_or_default().to_vec();
        self.inside(sh, "tmux", Vec::new(), |w, sh| {
            if let Some(dir) = dir {
                sh.cwd = dir.as_str().and_then(|d| super::super::builtin::join(sh.cwd.as_deref(), d));
            }
            match rest.as_slice() {
                [] => Status::Unknown,
                [text] => w.word_script(sh, text),
                _ => w.program(sh, rest, Vec::new()),
            }
        });
    }

    /// Keys that are typed into whatever runs there, most often a shell in a directory that is not known.
    fn typed(&mut self, sh: &mut Shell, command: &[Word]) {
        let peeled = table::peel(&table::plain("tmux", "cNt", &[], 0), command);
        let keys = command.get(peeled.rest..).unwrap_or_default();
        let is_key = |w: &&Word| {
            w.as_str().is_none_or(|t| {
                matches!(
                    t,
                    "Enter" | "Escape" | "Space" | "Tab" | "BSpace" | "Up" | "Down" | "Left" | "Right" | "q"
                ) || t.starts_with("C-")
                    || t.starts_with("M-")
            })
        };
        for text in keys.iter().filter(|w| !is_key(w)) {
            self.inside(sh, "tmux", Vec::new(), |w, sh| {
                sh.cwd = None;
                w.word_script(sh, text)
            });
        }
    }
}
