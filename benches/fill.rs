//! Fills a journal with many events, for `benches/run timeline`: `FR_HOME=… cargo bench --bench fill -- 1000000`.

use fr::journal::{Durability, Journal};
use fr::model::{
    Actor, ActorKind, Before, Bytes, CommandText, Confidence, Effect, EffectClass, EventKind, Record,
    Reversibility, Source, SystemId, Uid,
};
use fr::platform::home::{Home, state_dir};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u64 = std::env::args().filter_map(|a| a.parse().ok()).next_back().unwrap_or(1000);
    let home = Home::at(state_dir()?);
    fr::store::Store::open_or_create(&home)?;
    let journal = Journal::open(&home)?;
    for n in 0..count {
        let record = Record::Before(Box::new(event(n)));
        journal.append(&record, None, Durability::Buffered)?;
    }
    Ok(())
}

fn event(n: u64) -> Before {
    let destroys = n.is_multiple_of(10);
    let line = if destroys { format!("rm -rf build-{n}") } else { format!("ls -la src/module-{}", n % 500) };
    let effect = || Effect {
        system: SystemId::new("fs"),
        class: EffectClass::Destroy,
        resource: Bytes::from(format!("path:build-{n}")),
        reversibility: Reversibility::Exact,
        certain: true,
        locator: None,
    };
    Before {
        uid: Uid::new(n, [n as u8; 10]),
        at_ns: 1_700_000_000_000_000_000 + n as i64 * 1_000_000_000,
        kind: EventKind::Command,
        session: format!("session-{}", n / 1000),
        call: Some(format!("call-{n}")),
        actor: Actor {
            kind: ActorKind::Agent,
            name: "claude".to_owned(),
            version: None,
            subagent: None,
            evidence: "bench".to_owned(),
            confidence: Confidence::High,
        },
        source: Source::Hook,
        parent: None,
        command: CommandText { tool: "Bash".to_owned(), line: Bytes::from(line), exact: None },
        cwd: Bytes::from("/home/dev/app"),
        effects: if destroys { vec![effect()] } else { Vec::new() },
        captures: Vec::new(),
        warnings: Vec::new(),
        background: false,
        verdict: None,
    }
}
