//! Payloads that no agent ever sent.

use fr::intake::{Action, Env, Happening, hook};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::kinds::{announced, line};
use super::{AGENTS, corpus, heard, request};

#[test]
fn what_cannot_be_understood_is_said_in_one_line() {
    for (agent, ..) in AGENTS {
        for payload in
            [&b""[..], b"{", b"null", b"[]", b"\xff\xfe", b"{\"hook_event_name\":3}", b"{\"hook\":[]}"]
        {
            let Happening::Malformed(malformed) = heard(agent, payload) else {
                panic!("{agent}: {payload:?}")
            };
            let reason = malformed.reason;
            assert!(reason.starts_with("malformed hook payload: ") && !reason.contains('\n'), "{reason}");
            assert!(malformed.hint.contains(&format!("docs/agents/{agent}.md")), "{}", malformed.hint);
        }
    }
}

#[test]
fn half_a_payload_is_a_gap_and_tomorrows_event_is_none() {
    let cases = [
        ("gemini", "hook_event_name", "BeforeTool"),
        ("cursor", "hook_event_name", "beforeShellExecution"),
        ("cursor", "hook_event_name", "preToolUse"),
        ("opencode", "hook", "tool.execute.before"),
        ("windsurf", "agent_action_name", "pre_run_command"),
    ];
    for (agent, key, event) in cases {
        let nobody = json!({ key: event }).to_string();
        assert!(matches!(heard(agent, nobody.as_bytes()), Happening::Malformed(_)), "{agent}");
        let future = json!({key: "FromTheFuture", "x": {}}).to_string();
        assert_eq!(heard(agent, future.as_bytes()), Happening::Ignore, "{agent}");
    }
    for (agent, payload) in [
        ("gemini", json!({"hook_event_name": "BeforeTool", "session_id": "s"})),
        ("cursor", json!({"hook_event_name": "beforeShellExecution", "conversation_id": "s"})),
        ("cursor", json!({"hook_event_name": "preToolUse", "conversation_id": "s"})),
        ("opencode", json!({"hook": "tool.execute.before", "input": {"sessionID": "s"}})),
    ] {
        let happening = heard(agent, payload.to_string().as_bytes());
        assert!(matches!(happening, Happening::Malformed(_)), "{agent}: {happening:?}");
    }
    // Windsurf's events say what they are about even where nothing else does: never lost, never harmless.
    let bare = json!({"agent_action_name": "pre_run_command", "trajectory_id": "s", "tool_info": 3});
    let opaque = Action::OtherTool { name: "run_command".into(), raw: b"3".to_vec() };
    assert_eq!(request("windsurf", &bare).action, opaque);
}

#[test]
fn names_that_are_not_text_survive() {
    for (agent, ..) in AGENTS {
        let payload = line(agent, &json!("rm caf@")).to_string().into_bytes();
        let payload: Vec<u8> = payload.iter().map(|byte| if *byte == b'@' { 0xe9 } else { *byte }).collect();
        let Happening::Before(call) = heard(agent, &payload) else { panic!("{agent}") };
        assert_eq!(call.action, Action::Shell(b"rm caf\xe9".to_vec()), "{agent}");
        let half = line(agent, &json!("rm x@y")).to_string().replace('@', "\\ud800");
        let Happening::Before(call) = heard(agent, half.as_bytes()) else { panic!("{agent}") };
        assert_eq!(call.action, Action::Shell("rm x\u{fffd}y".into()), "{agent}: as node would run it");
    }
}

#[test]
fn depth_is_harmless() {
    let (open, close) = ("[".repeat(200_000), "]".repeat(200_000));
    for agent in ["gemini", "opencode", "cursor"] {
        let payload =
            announced(agent, "deep", json!("@")).to_string().replace("\"@\"", &format!("{open}{close}"));
        let Happening::Before(call) = heard(agent, payload.as_bytes()) else { panic!("{agent}") };
        assert!(matches!(call.action, Action::OtherTool { .. }));
        let cut = payload.split(']').next().unwrap();
        assert!(matches!(heard(agent, cut.as_bytes()), Happening::Malformed(_)), "{agent}");
    }
}

/// The tool that a payload names, wherever its agent puts that.
fn names_a_reader(payload: &Value) -> bool {
    let text = payload.to_string();
    ["read_file", "pre_read_code", "\"read\"", "\"Read\""].iter().any(|reader| text.contains(reader))
}

/// One value somewhere in a payload replaced.
fn replaced(payload: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *payload = with.clone();
    }
    *at = at.wrapping_sub(1);
    match payload {
        Value::Object(fields) => fields.values_mut().for_each(|field| replaced(field, at, with)),
        Value::Array(items) => items.iter_mut().for_each(|item| replaced(item, at, with)),
        _ => {}
    }
}

fn any_payload() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let agent = (0..AGENTS.len()).prop_map(|at| (AGENTS[at].0, corpus(AGENTS[at].0)));
    agent.prop_flat_map(|(name, all)| (0..all.len()).prop_map(move |at| (name, all[at].1.clone())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for (agent, ..) in AGENTS {
            let _ = hook(agent, &bytes[..], &Env::new());
        }
    }

    #[test]
    fn damaged_payloads_do_not_panic(
        (agent, mut payload) in any_payload(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let at = at.index(payload.len());
        payload[at] = byte;
        if cut {
            payload.truncate(at);
        }
        let _ = heard(agent, &payload);
    }

    /// Whatever one value of a payload becomes, no writer turns into a reader.
    #[test]
    fn nothing_becomes_harmless_by_damage(
        (agent, payload) in any_payload(), at in 0usize..40,
        with in prop_oneof![Just(json!(null)), Just(json!(7)), Just(json!({})), Just(json!([])), Just(json!("")), Just(json!("x"))]
    ) {
        let mut payload: Value = serde_json::from_slice(&payload).unwrap();
        replaced(&mut payload, &mut at.clone(), &with);
        if let Happening::Before(call) = heard(agent, payload.to_string().as_bytes()) {
            let harmless = matches!(call.action, Action::ReadOnly { .. });
            prop_assert!(!harmless || names_a_reader(&payload), "{agent}: {payload}");
        }
    }

    /// The line that the agent runs is the line that is recorded.
    #[test]
    fn lines_survive_their_json(text in any::<String>()) {
        for (agent, ..) in AGENTS {
            let call = request(agent, &line(agent, &json!(text)));
            prop_assert_eq!(call.action, Action::Shell(text.clone().into_bytes()));
        }
    }
}
