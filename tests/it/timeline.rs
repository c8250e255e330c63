//! `fr timeline`: what somebody reads who was woken at three in the morning.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use fr::journal::{Durability, Journal};
use fr::platform::home::Home;
use serde_json::{Value, json};

use crate::env::{Output, TestEnv};
use crate::json::fits;
use crate::pty::{Pty, until};
use crate::samples::{before, record};

/// 2026-01-02T03:04:05Z.
const START: i64 = 1_767_323_045;

/// It is so many seconds later than [`START`].
fn at(env: &mut TestEnv, seconds: i64) {
    let now = (START + seconds) * 1_000_000_000;
    env.vars.retain(|(name, _)| name != "FR_FAKE_TIME");
    env.vars.push(("FR_FAKE_TIME".to_owned(), now.to_string()));
}

/// An agent announces a line in a session of its own, runs it, and reports how it went.
fn runs(env: &TestEnv, session: &str, call: &str, line: &str) {
    let tool = json!({"session_id": session, "tool_name": "Bash", "tool_input": {"command": line}, "tool_use_id": call});
    let tell = |name: &str| {
        let mut payload = tool.clone();
        payload["hook_event_name"] = json!(name);
        payload["tool_response"] = json!({"stdout": "", "stderr": "", "interrupted": false});
        env.claude_hook(payload)
    };
    let answer = tell("PreToolUse");
    assert_eq!(answer.code, 0, "{answer:?}");
    if answer.stdout.contains("deny") {
        return;
    }
    env.sh(line);
    tell("PostToolUse");
}

/// Two agents at work at the same time, something that could not be recorded, a containment of everybody, an undo.
fn night() -> TestEnv {
    let mut env = TestEnv::new();
    for name in ["one", "two", "three"] {
        env.write(&format!("{name}/file"), name);
    }
    for (seconds, session, line) in [
        (0, "aaaaaaaa-1", "rm -rf one"),
        (10, "bbbbbbbb-2", "rm -rf two"),
        (20, "aaaaaaaa-1", "kubectl --kubeconfig /nowhere delete namespace shop"),
        (40, "bbbbbbbb-2", "ls"),
    ] {
        at(&mut env, seconds);
        runs(&env, session, &format!("call-{seconds}"), line);
    }
    at(&mut env, 30);
    env.fr_with(&["hook", "claude"], b"{\"hook_event_name\":");
    env.fr_with(&["hook", "claude"], b"{\"hook_event_name\":");
    at(&mut env, 50);
    env.fr(&["contain", "--reason", "it deletes things"]).ok();
    at(&mut env, 60);
    runs(&env, "aaaaaaaa-1", "call-60", "rm -rf three");
    at(&mut env, 70);
    env.fr(&["undo", "1", "--yes"]).ok();
    at(&mut env, 130);
    env
}

fn shown(env: &TestEnv, args: &[&str]) -> String {
    let text = env.fr(args).ok().stdout;
    text.replace(env.root().to_str().unwrap(), "[ROOT]")
}

#[test]
fn what_two_agents_did_is_told_by_session_with_gaps_where_they_happened() {
    let env = night();
    insta::assert_snapshot!(shown(&env, &["timeline"]), @r"
    ID  WHEN     WHO     EFFECT     BACK          KEPT     EXIT     COMMAND
    claude, session aaaaaaaa-1, in [ROOT]/project: 3 events, 3 destructive, 1 not kept, 1 failed; 2m ago to 70s ago
    7   60s ago  tester  overwrite  exact         all      0        undo of 1
    6   70s ago          destroy    -             -        refused  [denied] rm -rf three
        denied: contained by tester: it deletes things. No command of any agent runs until a person releases it; stop working and say so. Not run: if it is meant, ask the user to run it in a terminal of their own
    5   80s ago  tester  -          -             -        0        contained every agent: it deletes things
    gap 1m ago: malformed hook payload: EOF while parsing a value at line 1 column 19 (2 times)
    3   1m ago           destroy    irreversible  nothing  ok       kubectl --kubeconfig /nowhere delete namespace shop
    1   2m ago           destroy    exact         all      ok       [undone by 7] rm -rf one
    claude, session bbbbbbbb-2, in [ROOT]/project: 2 events, 1 destructive; 2m ago to 90s ago
    4   90s ago          -          -             -        ok       ls
    2   2m ago           destroy    exact         all      ok       rm -rf two
    ");
    insta::assert_snapshot!(shown(&env, &["timeline", "--flat", "-n", "3"]), @r"
    ID  WHEN     WHO     EFFECT     BACK   KEPT  EXIT     COMMAND
    7   60s ago  tester  overwrite  exact  all   0        undo of 1
    6   70s ago  claude  destroy    -      -     refused  [denied] rm -rf three
        denied: contained by tester: it deletes things. No command of any agent runs until a person releases it; stop working and say so. Not run: if it is meant, ask the user to run it in a terminal of their own
    5   80s ago  tester  -          -      -     0        contained every agent: it deletes things
    2 gaps in the record outside of this time; `-n` shows further back
    ");
    // What is narrowed to one session has the gaps of its time, too.
    let one = shown(&env, &["timeline", "--session", "bbbbbbbb"]);
    assert!(one.contains("gap 1m ago: malformed hook payload") && !one.contains("rm -rf one"), "{one}");
    let json = fits(&env.fr(&["timeline", "--json"]).ok(), "timeline");
    let of = |id: u64| json.as_array().unwrap().iter().find(|event| event["id"] == id).unwrap();
    assert_eq!((&of(1)["kept"], &of(1)["comes_back"]), (&json!("all"), &json!("exact")));
    assert_eq!((&of(3)["kept"], &of(3)["comes_back"]), (&json!("nothing"), &json!("irreversible")));
    assert_eq!((&of(4)["kept"], &of(4)["comes_back"]), (&json!("n/a"), &json!("n/a")));
    let sessions = fits(&env.fr(&["sessions", "--json"]).ok(), "sessions");
    let first = sessions.as_array().unwrap().iter().find(|s| s["session"] == "aaaaaaaa-1").unwrap();
    assert_eq!(first["unkept"], 1, "{first}");
}

/// Whoever looks for the session of the damage does not have to find it among their own undos of it.
#[test]
fn what_fr_itself_did_is_no_session_of_work() {
    let env = TestEnv::with_git();
    env.write("notes", "kept");
    env.claude_runs("rm notes").ok();
    env.fr(&["undo", "1", "--yes"]).ok();
    env.fr(&["redo", "--yes"]).ok();
    env.fr(&["incident", "open", "who did that"]).ok();
    let sessions = env.fr(&["sessions", "--json"]).ok().json();
    let of: Vec<&Value> = sessions.as_array().unwrap().iter().map(|session| &session["actor"]).collect();
    assert_eq!(of, ["claude"], "{sessions:#}");
    let shown = env.fr(&["sessions"]).ok();
    assert_eq!(shown.stdout.lines().count(), 2, "{shown:?}");
    assert!(shown.stderr.contains("3 events of fr itself"), "they are not hidden: {shown:?}");
    let timeline = env.fr(&["timeline"]).ok().stdout;
    assert!(timeline.contains("undo of 1") && timeline.contains("who did that"), "{timeline}");
}

/// What was refused never ran: it must not read as a loss.
#[test]
fn what_was_denied_is_not_lost() {
    let env = night();
    let json = env.fr(&["timeline", "--json"]).ok().json();
    let denied =
        json.as_array().unwrap().iter().find(|event| event["command"]["line"] == "rm -rf three").unwrap();
    assert_eq!((&denied["outcome"]["how"], &denied["kept"]), (&json!("refused"), &json!("n/a")));
    assert!(env.exists("three/file"));
}

/// `fr timeline --follow` with its output in a pipe.
struct Following {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Following {
    fn start(env: &TestEnv, args: &[&str]) -> Following {
        let mut command = env.command(TestEnv::binary());
        command.args(["timeline", "--follow"]).args(args);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Following { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// A line that is JSON and fits the schema.
    fn json(&mut self) -> Value {
        let stdout = self.line();
        let value = fits(&Output { stdout: stdout.clone(), stderr: String::new(), code: 0 }, "timeline-line");
        if value["kind"] != "gap" {
            fits(&Output { stdout, stderr: String::new(), code: 0 }, "event");
        }
        value
    }

    fn interrupt(&mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }

    /// Clock ticks that it has worked.
    fn worked(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn new_events_gaps_and_ends_come_as_json_lines() {
    let env = TestEnv::new();
    env.write("old/file", "x");
    env.claude_runs("rm -rf old");
    let mut following = Following::start(&env, &["--json"]);
    assert_eq!(following.json()["command"]["line"], "rm -rf old", "the past comes first");

    env.write("new/file", "x");
    let call = env.claude_pre("rm -rf new");
    let begun = following.json();
    assert_eq!((&begun["command"]["line"], &begun["outcome"]), (&json!("rm -rf new"), &Value::Null));
    env.claude_fail(&call, 7);
    let ended = following.json();
    assert_eq!((&ended["id"], &ended["outcome"]["code"]), (&begun["id"], &json!(7)));
    env.fr_with(&["hook", "claude"], b"{\"hook_event_name\":");
    let gap = following.json();
    assert_eq!((&gap["kind"], &gap["count"]), (&json!("gap"), &json!(1)));

    // While nothing happens it does nothing: 5 looks a second.
    let before = following.worked();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(following.worked() - before <= 15, "{} ticks", following.worked() - before);
    assert_eq!(following.interrupt(), Some(130));
}

/// A journal goes on in a new file now and then, and the one that is followed must not be the old one.
#[test]
fn following_goes_on_over_the_end_of_a_segment() {
    let env = TestEnv::new();
    env.claude_runs("ls");
    let mut following = Following::start(&env, &["--json"]);
    following.json();
    let journal = Journal::open(&Home::at(&env.fr_home)).unwrap().with_segment_bytes(2000);
    for n in 1..=30u64 {
        let event = record(before(n, "s", &format!("echo {n}")));
        journal.append(&event, None, Durability::Buffered).unwrap();
    }
    assert!(std::fs::read_dir(env.fr_home.join("journal")).unwrap().count() > 3);
    for n in 1..=30u64 {
        assert_eq!(following.json()["command"]["line"], format!("echo {n}"));
    }
    // An index that somebody makes anew meanwhile loses nothing.
    env.fr(&["store", "rebuild"]).ok();
    env.claude_runs("pwd");
    assert_eq!(following.json()["command"]["line"], "pwd");
    assert_eq!(following.interrupt(), Some(130));
}

#[test]
fn following_ends_with_its_reader_and_by_ctrl_c_on_a_terminal() {
    let env = TestEnv::new();
    env.claude_runs("ls -la");
    let mut following = Following::start(&env, &[]);
    assert!(following.line().starts_with("claude, session 5e551011, in "));
    assert!(following.line().contains("ls -la"));
    drop(std::mem::replace(&mut following.out, BufReader::new(empty())));
    let mut status = None;
    until("it ends when nobody reads", || {
        status = following.child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(0));

    let mut command = env.command(TestEnv::binary());
    command.args(["timeline", "--follow", "--failed"]).env("TERM", "xterm");
    let earlier = env.claude_pre("cat earlier.txt");
    env.claude_fail(&earlier, 1);
    let mut pty = Pty::start(&command);
    // It follows from here on.
    pty.expect("earlier.txt");
    let call = env.claude_pre("echo \x1b]52;c;eA==\x07");
    env.claude_fail(&call, 3);
    let came = pty.expect("eA==");
    assert!(!came.contains("\x1b]52") && !came.contains("ls -la"), "{came:?}");
    pty.send("\x03");
    assert_eq!(pty.end(), 130);
}

/// The output of a program that says nothing.
fn empty() -> ChildStdout {
    std::process::Command::new("true").stdout(Stdio::piped()).spawn().unwrap().stdout.take().unwrap()
}

#[test]
fn explain_says_what_guard_mode_would_answer() {
    let env = TestEnv::with_git();
    let allowed = env.fr(&["explain", "-c", "rm README.md"]).ok().stdout;
    assert!(allowed.contains("guard mode would let it run"), "{allowed}");
    let line = "kubectl --context prod-eu delete namespace shop";
    let ask = env.fr(&["explain", "-c", line]).ok().stdout;
    assert!(ask.contains("guard mode would ask: destroy of k8s:prod-eu"), "{ask}");
    assert!(ask.contains("mode is observe"), "{ask}");

    env.fr(&["exec", "--", "true"]).ok();
    env.fr(&["config", "set", "mode", "guard"]).ok();
    env.fr(&["config", "set", "production.branches", "main"]).ok();
    let irreversible = "gh secret delete TOKEN --repo a/b";
    let foretold = fits(&env.fr(&["explain", "--json", "-c", irreversible]).ok(), "explain");
    assert_eq!(foretold["policy"]["mode"], "guard");
    assert_eq!(foretold["policy"]["guard"]["answer"], "ask", "{foretold:#}");
    // It says what the hook then does.
    let told = env.claude_pre(irreversible).answer.stdout;
    assert!(told.contains("\"permissionDecision\":\"ask\""), "{told}");
    let allowed = fits(&env.fr(&["explain", "--json", "-c", "rm README.md"]).ok(), "explain");
    assert_eq!(allowed["policy"]["guard"], json!({"answer": "allow"}));
    assert_eq!(env.claude_pre("rm README.md").answer.stdout, "");
}

/// The session that is to be stopped may have begun just now; a slip of the pen must not look like a success.
#[test]
fn containing_a_session_that_is_not_on_record_says_so() {
    let env = TestEnv::new();
    env.claude_runs("ls");
    let known = env.fr(&["contain", "--session", "5e55"]).ok();
    assert!(!known.stderr.contains("on record:"), "{known:?}");
    let other = env.fr(&["contain", "--session", "nobodys"]).ok();
    assert!(
        other.stderr.contains("no session nobodys is on record: it is contained if it begins"),
        "{other:?}"
    );
    let call = env.claude_hook(json!({
        "session_id": "nobodys", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": "ls"}, "tool_use_id": "x",
    }));
    assert!(call.stdout.contains("deny"), "{call:?}");
}

/// Every verb that asks whose doing is meant takes `any` for everybody's.
#[test]
fn any_is_everybody_wherever_somebody_can_be_named() {
    let env = night();
    env.write("mine", "1");
    env.fr(&["exec", "-c", "rm mine"]).ok();
    let ids = |env: &TestEnv, args: &[&str]| -> Vec<u64> {
        let all = env.fr(args).ok().json();
        all.as_array().unwrap().iter().map(|event| event["id"].as_u64().unwrap()).collect()
    };
    let all = ids(&env, &["timeline", "--json", "-n", "100"]);
    assert_eq!(ids(&env, &["timeline", "--json", "-n", "100", "--actor", "any"]), all);
    assert_ne!(ids(&env, &["timeline", "--json", "-n", "100", "--actor", "agent"]), all);
    assert!(ids(&env, &["timeline", "--json", "--actor", "nobody"]).is_empty());
    let lines = |args: &[&str]| env.fr(args).ok().stdout.lines().count();
    assert_eq!(lines(&["export", "--actor", "any"]), lines(&["export"]));
    // What else is told with it, gaps among them, is the same.
    let shown = |args: &[&str]| env.fr(args).ok().stdout;
    assert_eq!(shown(&["timeline", "--actor", "any"]), shown(&["timeline"]));
    let radius = |args: &[&str]| {
        env.fr(&[&["blast-radius", "--since", "2026-01-01", "--json"], args].concat()).ok().json()
    };
    assert!(radius(&["--actor", "any"])["commands"].as_u64() > radius(&[])["commands"].as_u64());
    let plan = |args: &[&str]| {
        env.fr(&[&["undo", "--last", "50", "--dry-run", "--json"], args].concat()).ok().json()
    };
    assert!(
        plan(&["--actor", "any"])["events"].as_array().unwrap().len()
            >= plan(&[])["events"].as_array().unwrap().len()
    );
}
