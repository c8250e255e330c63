//! Every payload that a real agent sent, replayed, and hostile ones that none ever did. A module per agent; what they
//! share is here.

mod claude;
mod codex;
mod copilot;
mod vscode;

use std::path::{Path, PathBuf};

use fr::intake::{Action, Ending, Env, Happening, Request, hook};
use serde_json::Value;

use crate::env::TestEnv;

/// Replaces bytes of real payloads, one at a time, and may cut the rest off: understood or refused, never a panic.
macro_rules! damaged_payloads_do_not_panic {
    ($agent:literal, $dirs:expr) => {
        proptest::proptest! {
            #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]
            #[test]
            fn damaged_payloads_do_not_panic(
                which in proptest::prelude::any::<proptest::prelude::prop::sample::Index>(),
                at in proptest::prelude::any::<proptest::prelude::prop::sample::Index>(),
                byte in proptest::prelude::any::<u8>(),
                cut in proptest::prelude::any::<bool>(),
            ) {
                let all: Vec<_> = $dirs.iter().flat_map(|dir| crate::payloads::corpus(dir)).collect();
                let mut payload = std::fs::read(which.get(&all)).unwrap();
                let at = at.index(payload.len());
                payload[at] = byte;
                if cut {
                    payload.truncate(at);
                }
                let _ = fr::intake::hook($agent, &payload[..], &fr::intake::Env::new());
            }

            #[test]
            fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
                let _ = fr::intake::hook($agent, &bytes[..], &fr::intake::Env::new());
            }
        }
    };
}
use damaged_payloads_do_not_panic;

/// The payloads of one directory of the corpus, the first call first.
pub fn corpus(agent: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/payloads").join(agent);
    let is_payload = |path: &PathBuf| {
        let name = name(path);
        path.extension().is_some_and(|extension| extension == "json")
            && !name.starts_with("probe-")
            && !name.starts_with("notify-")
            && name != "command"
    };
    let mut paths: Vec<_> =
        dir.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(is_payload).collect();
    paths.sort_by_key(|path| {
        let (event, number) =
            name(path).rsplit_once('-').map(|(e, n)| (e.to_string(), n.to_string())).unwrap();
        (event, number.parse::<u32>().unwrap())
    });
    paths
}

/// The file's name without its extension: `PreToolUse-3`.
pub fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_string()
}

/// An environment.
pub fn environment(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| ((*name).to_string(), (*value).into())).collect()
}

/// The request that a payload announces.
#[track_caller]
pub fn request(agent: &str, payload: &[u8]) -> Request {
    match hook(agent, payload, &Env::new()) {
        Happening::Before(request) => *request,
        other => panic!("{other:?}"),
    }
}

/// The ending that a payload reports.
#[track_caller]
pub fn ending(agent: &str, payload: &[u8]) -> Ending {
    match hook(agent, payload, &Env::new()) {
        Happening::After(ending) => ending,
        other => panic!("{other:?}"),
    }
}

/// Why a payload was refused.
#[track_caller]
pub fn reason(agent: &str, payload: &[u8]) -> String {
    match hook(agent, payload, &Env::new()) {
        Happening::Malformed(malformed) => {
            assert!(!malformed.reason.contains('\n') && !malformed.hint.is_empty(), "{malformed:?}");
            malformed.reason
        }
        other => panic!("{other:?}"),
    }
}

pub fn action(action: &Action) -> String {
    let text = String::from_utf8_lossy;
    match action {
        Action::Shell(line) => format!("shell {}", text(line)),
        Action::OtherTool { name, raw } => format!("tool {name} {}", text(raw)),
        other => format!("{other:?}"),
    }
}

/// A happening in a few words, nothing left out but the environment.
pub fn shown(happening: &Happening, env: &Env) -> String {
    match happening {
        Happening::Before(request) => {
            let Request { session, call, actor, source, cwd, background, answers: _, action: act, env: seen } =
                &**request;
            assert_eq!(seen, env);
            let actor = format!("{} {:?} {:?}", actor.name, actor.version, actor.subagent);
            let call = call.as_deref().unwrap_or("-");
            let back = if *background { "background " } else { "" };
            format!("before {session} {call}\n  {actor} {source:?} in {cwd:?}\n  {back}{}", action(act))
        }
        Happening::After(Ending { session, call, outcome, duration_ms, note, action: act, .. }) => {
            let call = call.as_deref().unwrap_or("-");
            let note = String::from_utf8_lossy(note.as_deref().unwrap_or_default()).into_owned();
            let act = act.as_ref().map(action).unwrap_or_default();
            format!("after {session} {call}\n  {outcome:?} {duration_ms:?} {note:?}\n  {act}")
        }
        other => format!("{other:?}"),
    }
}

/// All payloads of some directories in a few words each.
pub fn all_shown(agent: &str, dirs: &[&str], env: &Env) -> String {
    let mut all = String::new();
    for dir in dirs {
        all.push_str(&format!("## {dir}\n"));
        for path in corpus(dir) {
            let happening = hook(agent, &std::fs::read(&path).unwrap()[..], env);
            all.push_str(&format!("{}: {}\n", name(&path), shown(&happening, env)));
        }
    }
    all
}

/// Sends a whole directory through the built `fr hook`: all announcements, then all endings, then the rest. The paths
/// that the agent saw are moved into this world.
pub fn replay(env: &TestEnv, agent: &str, dir: &str) {
    let mut paths = corpus(dir);
    let phase = |path: &PathBuf| match name(path).to_lowercase() {
        name if name.starts_with("pretooluse-") => 1,
        name if name.starts_with("posttooluse") => 2,
        name if name.starts_with("sessionstart-") => 0,
        name if name.starts_with("sessionend-") => 4,
        _ => 3,
    };
    paths.sort_by_key(phase);
    for path in paths {
        let out = env.fr_with(&["hook", agent], &here(env, &std::fs::read(&path).unwrap()));
        assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "", ""), "{path:?}: {out:?}");
    }
}

/// A payload with the paths of this world.
pub fn here(env: &TestEnv, payload: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(payload.to_vec()).unwrap();
    let root = env.root().to_str().unwrap();
    text.replace("/home/dev/app", env.project.to_str().unwrap()).replace("/home/dev", root).into_bytes()
}

/// The timeline, oldest first.
pub fn timeline(env: &TestEnv) -> Vec<Value> {
    let mut events: Vec<Value> =
        serde_json::from_value(env.fr(&["timeline", "--json", "-n", "1000"]).ok().json()).unwrap();
    events.sort_by_key(|event| event["id"].as_u64());
    events
}

/// Each event in a line: who, how it ended, whether what it left was looked at, what ran.
pub fn told(env: &TestEnv) -> String {
    let mut lines = String::new();
    for event in timeline(env) {
        let outcome = match &event["outcome"] {
            Value::Null => "open".to_string(),
            outcome if outcome["code"].is_number() => outcome["code"].to_string(),
            outcome => outcome["how"].as_str().unwrap().to_string(),
        };
        let sub = event["actor"]["subagent"].as_str().map(|_| "/sub").unwrap_or_default();
        let (captures, post) = (len(&event["captures"]), len(&event["after"]["post"]));
        lines.push_str(&format!(
            "{}{sub} {outcome} {captures}>{post} {} {}\n",
            event["actor"]["name"].as_str().unwrap(),
            event["command"]["tool"].as_str().unwrap(),
            event["command"]["line"].as_str().unwrap().replace(env.root().to_str().unwrap(), "ROOT"),
        ));
    }
    lines
}

fn len(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}
