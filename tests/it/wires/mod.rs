//! The hooks of Gemini CLI, opencode, Cursor and Windsurf: every payload that we have, recorded (the first two) or
//! built from documentation (the others), and hostile ones that none ever sent.

mod endings;
mod hostile;
mod kinds;
mod live;
mod plugin;

use std::path::{Path, PathBuf};

use fr::intake::{Action, Ending, Env, Happening, Request, hook};
use serde_json::{Value, json};

/// The agents of these tests, and how many payloads, befores and afters their corpus has.
const AGENTS: &[(&str, usize, usize, usize)] =
    &[("cursor", 15, 3, 2), ("gemini", 46, 21, 21), ("opencode", 42, 18, 18), ("windsurf", 10, 4, 4)];

/// One agent's payloads, by name.
fn corpus(agent: &str) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/payloads").join(agent);
    let mut paths: Vec<PathBuf> = dir.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "json"));
    paths.sort();
    let named = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let bytes = std::fs::read(&path).unwrap();
        let bytes = if agent == "opencode" { as_the_plugin_says(&name, &bytes) } else { bytes };
        (name, bytes)
    };
    paths.into_iter().map(named).collect()
}

/// A recorded hook call of opencode as our plugin passes it on; `plugin.rs` runs the plugin itself.
fn as_the_plugin_says(name: &str, recorded: &[u8]) -> Vec<u8> {
    let recorded: Value = serde_json::from_slice(recorded).unwrap();
    let mut said = json!({"directory": "/home/dev/app", "version": "1.18.33"});
    if name.starts_with("tool_execute_") {
        said["hook"] = json!(name.split('-').next().unwrap().replace('_', "."));
        said["input"] = recorded["input"].clone();
        said["output"] = recorded["output"].clone();
    } else {
        said["hook"] = recorded["type"].clone();
        said["input"] = json!({"sessionID": recorded["properties"]["sessionID"]});
        said["parent"] = recorded["properties"]["info"]["parentID"].clone();
        said["agent"] = recorded["properties"]["info"]["agent"].clone();
    }
    said.to_string().into_bytes()
}

fn env() -> Env {
    [("USER", "dev"), ("PWD", "/home/u/project")]
        .into_iter()
        .map(|(name, value)| (name.to_string(), value.into()))
        .collect()
}

fn heard(agent: &str, payload: &[u8]) -> Happening {
    hook(agent, payload, &env())
}

fn request(agent: &str, payload: &Value) -> Request {
    match heard(agent, payload.to_string().as_bytes()) {
        Happening::Before(request) => *request,
        other => panic!("{agent}: {other:?}"),
    }
}

fn ending(agent: &str, payload: &Value) -> Ending {
    match heard(agent, payload.to_string().as_bytes()) {
        Happening::After(ending) => ending,
        other => panic!("{agent}: {other:?}"),
    }
}

fn action(action: &Action) -> String {
    let text = String::from_utf8_lossy;
    match action {
        Action::Shell(line) => format!("shell {}", text(line)),
        Action::OtherTool { name, raw } => {
            let raw: Value = serde_json::from_slice(raw).unwrap_or_default();
            format!("tool {name} {raw}")
        }
        other => format!("{other:?}"),
    }
}

/// A happening in a few words, nothing left out but the environment.
fn shown(happening: &Happening) -> String {
    match happening {
        Happening::Before(request) => {
            let Request { session, call, actor, source, cwd, background, answers: _, action: act, env: with } =
                &**request;
            assert_eq!(*with, env());
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
        Happening::Session(signal) => {
            let actor =
                format!("{} {:?} {:?}", signal.actor.name, signal.actor.version, signal.actor.subagent);
            format!("{:?} {}\n  {actor} in {:?}", signal.moment, signal.session, signal.cwd)
        }
        other => format!("{other:?}"),
    }
}

/// Every payload of the corpus, in words. Both halves of every call in it must be there.
#[test]
fn all_payloads() {
    for &(agent, payloads, befores, afters) in AGENTS {
        let corpus = corpus(agent);
        let happenings: Vec<_> = corpus.iter().map(|(_, payload)| heard(agent, payload)).collect();
        let count = |kind: fn(&Happening) -> bool| happenings.iter().filter(|h| kind(h)).count();
        assert_eq!(
            (
                corpus.len(),
                count(|h| matches!(h, Happening::Before(_))),
                count(|h| matches!(h, Happening::After(_))),
                count(|h| matches!(h, Happening::Malformed(_))),
            ),
            (payloads, befores, afters, 0),
            "{agent}"
        );
        let lines = corpus.iter().zip(&happenings).map(|((name, _), h)| format!("{name}: {}\n", shown(h)));
        let ids = [
            ("c4b2f884-570d-4a80-8e5e-3c2f00e911aa", "SESSION"),
            ("668320d2-2fd8-4888-b33c-2a466fec86e7", "SESSION"),
            ("b1946ac9-2f6b-4d1e-9a53-7f2a0f2d4a11", "SESSION"),
            ("ses_dfcf99393ffe0BsfIm8NFS0Qbx", "SESSION"),
            ("ses_dfcf8e732ffeJ3YZ2DiC4YIC66", "SUB-SESSION"),
        ];
        let all = ids.iter().fold(lines.collect::<String>(), |all, (id, name)| all.replace(id, name));
        insta::assert_snapshot!(agent, all);
    }
}

/// An ending finds its beginning by the call's id, or, where the agent gives none, by what ran.
#[test]
fn every_after_repeats_its_before() {
    for agent in ["gemini", "opencode", "windsurf"] {
        let (mut begun, mut ended) = (Vec::new(), Vec::new());
        for (_, payload) in corpus(agent) {
            match heard(agent, &payload) {
                Happening::Before(request) => begun.push((request.session, request.call, request.action)),
                Happening::After(ending) => ended.push((ending.session, ending.call, ending.action.unwrap())),
                _ => {}
            }
        }
        for half in &ended {
            let at = begun.iter().position(|before| before == half);
            begun.swap_remove(at.unwrap_or_else(|| panic!("{agent}: {half:?}")));
        }
        assert!(begun.is_empty(), "{agent}: {begun:?}");
    }
}
