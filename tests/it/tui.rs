//! `fr tui`, driven through tmux as a person would: the built program on a real terminal, keys in, the screen out.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::env::TestEnv;

/// A shell in a tmux of its own, on a terminal of a size.
struct Tmux<'a> {
    env: &'a TestEnv,
    socket: String,
}

impl<'a> Tmux<'a> {
    fn start(env: &'a TestEnv, width: u16, height: u16) -> Tmux<'a> {
        let tmux = Tmux { env, socket: env.root().join("tmux").to_str().unwrap().to_owned() };
        let size = [width.to_string(), height.to_string()];
        // A shell below it shows what is left of the terminal when fr has ended.
        tmux.run(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &size[0],
            "-y",
            &size[1],
            "env PS1='ready$ ' bash --norc --noprofile -i",
        ]);
        tmux.shows("ready$");
        tmux
    }

    fn run(&self, args: &[&str]) -> String {
        let mut command: Command = self.env.command("tmux");
        let out = command.args(["-S", &self.socket]).args(args).output().expect("tests/run installs tmux");
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Presses keys, by tmux's names.
    fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys", "-t", ":0"], keys].concat());
    }

    /// Types a text.
    fn types(&self, text: &str) {
        self.run(&["send-keys", "-t", ":0", "-l", text]);
    }

    fn line(&self, text: &str) {
        self.types(text);
        self.keys(&["Enter"]);
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p", "-t", ":0"])
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until it does not any more.
    #[track_caller]
    fn hides(&self, text: &str) -> String {
        self.until(&format!("without {text}"), |screen| !screen.contains(text))
    }

    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "not in time: {what}\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The exit code of what ran last, and a terminal that echoes and is no alternate screen.
    #[track_caller]
    fn ended_with(&self, code: i32) {
        self.until("the shell again", |screen| screen.trim_end().ends_with("ready$"));
        self.line("echo \"code=$? tty=$(stty -a | grep -o -- ' -\\?echo ')\"");
        let screen = self.shows(&format!("code={code} tty= echo"));
        assert!(!screen.contains(" fr  "), "the screen of before is back: {screen}");
        let modes = self.run(&["display-message", "-p", "-t", ":0", "#{alternate_on} #{cursor_flag}"]);
        assert_eq!(modes.trim(), "0 1");
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = self.env.command("tmux").args(["-S", &self.socket, "kill-server"]).output();
    }
}

/// An agent that removed a directory and overwrote a file, with names that attack a terminal.
fn world() -> TestEnv {
    let env = TestEnv::new();
    env.write("src/main.rs", "fn main() {}\n");
    env.write("notes", "one\n");
    env.write("evil\x1b[2J\x1b]0;title\x07name", "x");
    env.claude_runs("ls -la");
    env.claude_runs("rm -rf src");
    env.claude_runs("echo two > notes");
    env.claude_runs("rm $'evil\\e[2J\\e]0;title\\aname'");
    env.claude_pre("rm \x1b[2J\x1b[31mred");
    env
}

/// Closing the window ends it: nothing is left that eats a processor.
#[test]
fn it_ends_with_its_terminal() {
    let env = TestEnv::new();
    env.claude_runs("rm -rf src").ok();
    let tmux = Tmux::start(&env, 100, 30);
    tmux.line("fr tui");
    tmux.shows("rm -rf src");
    let shell = tmux.run(&["list-panes", "-t", ":0", "-F", "#{pane_pid}"]).trim().to_owned();
    let below = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    let fr = below.split_whitespace().next().expect("fr runs below the shell").to_owned();
    tmux.run(&["kill-server"]);
    let start = Instant::now();
    while std::fs::read(format!("/proc/{fr}/cmdline")).is_ok_and(|line| line.starts_with(b"fr\0tui")) {
        assert!(start.elapsed() < Duration::from_secs(10), "fr tui goes on without a terminal");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_event_is_found_read_and_taken_back() {
    let env = world();
    let tmux = Tmux::start(&env, 110, 30);
    tmux.line("fr tui");
    let list = tmux.shows("rm -rf src");
    assert!(list.contains("claude, session 5e551011, in ") && list.contains("5 events"), "{list}");
    assert!(list.contains("rm \\x1b[2J\\x1b[31mred"), "{list}");
    for key in ["? help", "Enter open", "u undo", "/ filter", "q quit"] {
        assert!(list.contains(key), "{key}: {list}");
    }
    // Live: each letter narrows, what cannot be understood yet leaves the list as it is.
    tmux.keys(&["/"]);
    tmux.types("effect:destr");
    assert!(tmux.shows("no effect class is called destr").contains("rm -rf src"));
    tmux.types("oy rm -rf");
    let found = tmux.shows("filter: effect:destroy rm -rf");
    assert!(!found.contains("echo two") && !found.contains("no effect class"), "{found}");
    tmux.keys(&["Enter"]);
    tmux.keys(&["Enter"]);
    let record = tmux.shows("[1 record]");
    assert!(record.contains("event 2  rm -rf src") && record.contains("captured before it ran"), "{record}");
    tmux.keys(&["Tab"]);
    let change = tmux.shows("[2 change]");
    assert!(
        change.contains("removed") && change.contains("src/main.rs") && change.contains("-fn main"),
        "{change}"
    );
    tmux.keys(&["3"]);
    let now = tmux.shows("- before the command, + now");
    assert!(now.contains("removed") && now.contains("src/main.rs"), "{now}");

    tmux.keys(&["u"]);
    let plan = tmux.shows("nothing is written yet");
    assert!(plan.contains("1. path:src  bring back 2 paths") && plan.contains("y apply"), "{plan}");
    assert!(!env.exists("src"), "a plan writes nothing");
    tmux.keys(&["n"]);
    tmux.hides("nothing is written yet");
    assert!(!env.exists("src"));
    tmux.keys(&["u"]);
    tmux.shows("nothing is written yet");
    tmux.keys(&["y"]);
    tmux.shows("event 2 is undone and verified; this undo is event 6");
    assert_eq!(env.read("src/main.rs"), "fn main() {}\n");
    assert_eq!(env.read("notes"), "two\n", "and nothing else");
    tmux.keys(&["Escape"]);
    tmux.shows("[undone by 6]");
    tmux.keys(&["u"]);
    tmux.shows("undone already");
    tmux.keys(&["q"]);
    tmux.shows("1 event  filter: effect:destroy");
    tmux.keys(&["q"]);
    tmux.ended_with(0);
    env.fr(&["store", "verify"]).ok();
    assert_eq!(env.fr(&["show", "2", "--json"]).ok().json()["undone_by"], 6);
}

/// Somebody changed it since: the plan says so, and y does nothing.
#[test]
fn a_conflict_cannot_be_said_yes_to() {
    let env = world();
    env.write("notes", "three\n");
    let tmux = Tmux::start(&env, 100, 30);
    tmux.line("fr tui --effect overwrite");
    tmux.shows("echo two");
    tmux.keys(&["u"]);
    let plan = tmux.shows("cannot be applied here");
    assert!(
        plan.contains("conflict") && plan.contains("--on-conflict") && !plan.contains("y apply"),
        "{plan}"
    );
    tmux.keys(&["y"]);
    tmux.shows("see below the plan");
    assert_eq!(env.read("notes"), "three\n");
    tmux.keys(&["C-c"]);
    tmux.ended_with(130);
}

#[test]
fn what_comes_is_seen_and_help_names_every_key() {
    let env = world();
    let tmux = Tmux::start(&env, 80, 24);
    tmux.line("fr tui");
    tmux.shows("5 events");
    env.claude_runs("echo just-now");
    tmux.shows("echo just-now");
    env.claude_hook(
        json!({"session_id": "another-session", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": "touch theirs"}, "tool_use_id": "t"}),
    );
    let both = tmux.shows("touch theirs");
    assert!(both.contains("session another-session,") && both.contains("session 5e551011"), "{both}");
    tmux.keys(&["Home"]);
    tmux.keys(&["s"]);
    let one = tmux.shows("filter: session:another-session");
    assert!(!one.contains("just-now"), "{one}");
    tmux.keys(&["c"]);
    tmux.shows("just-now");
    tmux.keys(&["d"]);
    tmux.hides("just-now");
    tmux.keys(&["?"]);
    let help = tmux.shows(" fr  help");
    for text in ["Enter", "PgUp PgDn", "nothing is written before", "more below"] {
        assert!(help.contains(text), "{text}: {help}");
    }
    tmux.keys(&["End"]);
    tmux.shows("Nothing is written anywhere but by y on a plan.");
    tmux.keys(&["q"]);
    // What is pasted is text, not keys: it neither plans nor quits.
    tmux.run(&["set-buffer", "uuyyqq"]);
    tmux.run(&["paste-buffer", "-p", "-t", ":0"]);
    tmux.keys(&["/"]);
    tmux.run(&["paste-buffer", "-p", "-t", ":0"]);
    tmux.shows("filter: changes uuyyqq");
    tmux.keys(&["Escape"]);
    tmux.keys(&["q"]);
    tmux.ended_with(0);
}

#[test]
fn it_lives_through_any_size_and_gives_the_terminal_back_when_it_is_ended() {
    let env = world();
    let tmux = Tmux::start(&env, 80, 24);
    tmux.line("NO_COLOR=1 fr tui");
    tmux.shows("5 events");
    let painted = tmux.run(&["capture-pane", "-p", "-e", "-t", ":0"]);
    let color =
        |code: u32| painted.contains(&format!("\x1b[{code}m")) || painted.contains(&format!(";{code}m"));
    assert!(!(30..=37).any(color), "NO_COLOR: {painted:?}");
    for keys in [&["?"][..], &["Escape", "Enter"], &["Tab"], &["Escape", "u"], &[]] {
        for (width, height) in [("1", "1"), ("7", "2"), ("20", "3"), ("12", "5"), ("200", "60"), ("80", "24")]
        {
            tmux.run(&["resize-window", "-t", ":0", "-x", width, "-y", height]);
            std::thread::sleep(Duration::from_millis(60));
        }
        for key in keys {
            tmux.keys(&[key]);
            std::thread::sleep(Duration::from_millis(60));
        }
    }
    // Keys that came while it was busy may have led elsewhere: Escape leads back to the list from everywhere.
    tmux.until("5 events", |screen| {
        let is_there = screen.contains("5 events");
        if !is_there {
            tmux.keys(&["Escape"]);
            std::thread::sleep(Duration::from_millis(300));
        }
        is_there
    });
    let pids = env.sh("pgrep -f '^fr tui' -u $(id -u)").stdout;
    let own = pids.lines().find(|pid| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environ).contains(env.fr_home.to_str().unwrap())
    });
    env.sh(&format!("kill -TERM {}", own.unwrap())).ok();
    tmux.shows("ready$");
    tmux.ended_with(130);
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let env = world();
    for args in [&["tui"][..], &["tui", "--json"]] {
        let out = env.fr(args);
        assert_eq!(out.code, 2, "{out:?}");
        assert!(out.stderr.contains("hint: `fr timeline"), "{out:?}");
    }
    assert_eq!(TestEnv::new().fr(&["tui"]).code, 10);
    assert_eq!(env.fr(&["tui", "--effect", "nosuch"]).code, 2);
}

/// A long record: only what is on the screen is read at the start, more as somebody walks down.
#[test]
fn a_long_record_is_read_as_far_as_somebody_walks() {
    use crate::samples::{before, record};
    use fr::journal::{Durability, Journal};
    use fr::platform::home::Home;
    let env = TestEnv::new();
    env.fr(&["exec", "--", "true"]).ok();
    let journal = Journal::open(&Home::at(&env.fr_home)).unwrap();
    for n in 2..=3000u64 {
        let event = record(before(n, "long", &format!("echo number-{n}")));
        journal.append(&event, None, Durability::Buffered).unwrap();
    }
    env.fr(&["timeline"]).ok();
    let tmux = Tmux::start(&env, 80, 24);
    tmux.line("fr tui");
    let first = tmux.shows("number-3000");
    assert!(first.contains("200+ events"), "{first}");
    tmux.keys(&["End"]);
    tmux.shows("number-2801");
    let more = tmux.shows("400+ events");
    assert!(!more.contains("number-3000"), "{more}");
    tmux.keys(&["/"]);
    tmux.types("number-17 ");
    tmux.shows("number-17");
    tmux.keys(&["C-c"]);
    tmux.ended_with(130);
}
