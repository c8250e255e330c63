//! Records to test the journal and its index with.

use fr::model::{
    Actor, ActorKind, After, Before, Bytes, CommandText, Confidence, Effect, EffectClass, EventKind, Locator,
    Outcome, Record, Reversibility, Source, SystemId, Uid,
};

/// An actor of a kind and name.
pub fn actor(kind: ActorKind, name: &str) -> Actor {
    Actor {
        kind,
        name: name.to_owned(),
        version: None,
        subagent: None,
        evidence: "test".to_owned(),
        confidence: Confidence::High,
    }
}

/// A command of an agent; `n` makes uid, time and call its own.
pub fn before(n: u64, session: &str, line: &str) -> Before {
    let mut random = [0u8; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    Before {
        uid: Uid::new(1_700_000_000_000 + n, random),
        at_ns: 1_700_000_000_000_000_000 + n as i64 * 1_000_000,
        kind: EventKind::Command,
        session: session.to_owned(),
        call: Some(format!("call-{n}")),
        actor: actor(ActorKind::Agent, "claude"),
        source: Source::Hook,
        parent: None,
        command: CommandText { tool: "Bash".to_owned(), line: line.into(), exact: None },
        cwd: "/work".into(),
        effects: Vec::new(),
        captures: Vec::new(),
        warnings: Vec::new(),
        background: false,
        verdict: None,
    }
}

/// An effect on a path.
pub fn effect(class: EffectClass, path: &str) -> Effect {
    Effect {
        system: SystemId::new("fs"),
        class,
        resource: Bytes::from(format!("path:{path}")),
        reversibility: Reversibility::Exact,
        certain: true,
        locator: Some(Locator { at: path.into(), ..Locator::default() }),
    }
}

/// The after-half of [`before`]'s `n`.
pub fn after(n: u64, session: &str, code: i32) -> After {
    After {
        at_ns: 1_700_000_000_000_000_000 + n as i64 * 1_000_000 + 500,
        session: session.to_owned(),
        call: Some(format!("call-{n}")),
        outcome: Outcome::Exited { code },
        duration_ms: Some(5),
        post: Vec::new(),
        note: None,
        lacking: Vec::new(),
    }
}

/// As a record.
pub fn record(before: Before) -> Record {
    Record::Before(Box::new(before))
}
