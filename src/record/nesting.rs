//! How a command that runs inside a recorded one finds it: what an open event says about itself, and the search.
//!
//! The hook of an agent is a child of the agent, and so is the command it announces: the process that both descend from
//! ties them together, whatever agent it is and whatever it puts into the environment. Where that process cannot be
//! seen, the session's name in the environment must do.

use serde::{Deserialize, Serialize};

use super::open_events::{self, OpenEvent};
use crate::intake::{Action, Request};
use crate::model::{Actor, Before, Bytes, Effect, EffectClass, EventId, ObjectId, Source};
use crate::platform::home::Home;
use crate::platform::process::{self, Process};
use crate::shell::Understood;

/// What an event tells those that run inside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nest {
    /// Who runs it.
    pub actor: Actor,
    /// The process whose descendants belong to it.
    pub owner: Option<Owner>,
    /// Its end will be reported, and those inside it may leave theirs to it.
    pub ends: bool,
    /// What it runs, where that is one command whose words are all known ([`same_command`]).
    pub sole: Option<ObjectId>,
    /// The effects that its words tell for certain ([`effect_key`]).
    pub known: Vec<u64>,
    /// The event that it is itself a part of.
    pub parent: Option<EventId>,
}

/// A process, safe against reused numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its number.
    pub pid: u32,
    /// When it started.
    pub start: u64,
}

/// What only stands between an agent and its hook.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "fish", "ksh", "ash", "busybox", "env"];

impl Nest {
    /// What `record` tells those inside it.
    pub fn of(record: &Before, understood: Option<&Understood>) -> Nest {
        Nest {
            actor: record.actor.clone(),
            owner: owner(record),
            ends: matches!(record.source, Source::Hook | Source::Exec) && !record.background,
            sole: understood.and_then(sole_command),
            known: record.effects.iter().filter(|e| e.certain).map(effect_key).collect(),
            parent: record.parent,
        }
    }
}

fn owner(record: &Before) -> Option<Owner> {
    let found = match record.source {
        Source::Hook => process::ancestors().find(|p| !SHELLS.contains(&p.name.as_str())),
        Source::Shell => {
            let pid = record.session.strip_prefix("shell-")?.split('-').next()?;
            process::look(pid.parse().ok()?)
        }
        Source::Exec => process::own(),
        Source::Shim | Source::Trace | Source::Recorder => None,
    };
    // The first process of all is everybody's parent.
    found.filter(|p| p.pid > 1).map(|p| Owner { pid: p.pid, start: p.start })
}

/// The digest of a line that is one command, all of whose words and whose directory are known.
fn sole_command(understood: &Understood) -> Option<ObjectId> {
    let [inv] = understood.invocations.as_slice() else { return None };
    let plain = understood.opaque.is_empty()
        && inv.argv.iter().all(|word| word.certain)
        && inv.redirects.is_empty()
        && inv.remote.is_none()
        && inv.dynamic_args.is_none()
        && !inv.stale_risk;
    let words = inv.argv.iter().map(|word| &word.text);
    plain.then(|| digest(inv.cwd.as_ref()?, words)).flatten()
}

fn digest<'a>(cwd: &'a Bytes, argv: impl Iterator<Item = &'a Bytes>) -> Option<ObjectId> {
    let mut hasher = blake3::Hasher::new();
    for word in std::iter::once(cwd).chain(argv) {
        hasher.update(&(word.as_slice().len() as u64).to_le_bytes());
        hasher.update(word.as_slice());
    }
    (!cwd.is_empty()).then(|| ObjectId(*hasher.finalize().as_bytes()))
}

/// True where `request` is the very command that an event already is: it was looked at when nothing of its line had run,
/// so a second look would show the same.
pub fn same_command(open: &OpenEvent, request: &Request) -> bool {
    let Action::Argv(argv) = &request.action else { return false };
    let sole = open.nest.as_ref().and_then(|nest| nest.sole);
    sole.is_some() && sole == digest(&request.cwd, argv.iter())
}

/// What makes two effects on something outside of the file system the same: there the words name all of it.
pub fn effect_key(effect: &Effect) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in [effect.class.as_str().as_bytes(), effect.system.0.as_bytes(), effect.resource.as_slice()] {
        hasher.update(part);
        hasher.update(&[0]);
    }
    hasher.finalize().as_bytes().first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b))
}

/// The event told this effect already.
pub fn is_known(open: &OpenEvent, effect: &Effect) -> bool {
    effect.class != EffectClass::Opaque
        && open.nest.as_ref().is_some_and(|nest| nest.known.contains(&effect_key(effect)))
}

/// What a command knows of the one that it may run inside.
#[derive(Clone, Copy, Debug)]
pub struct Traces<'a> {
    /// The processes above it, the parent first.
    pub lineage: &'a [Process],
    /// Names of sessions in its environment.
    pub sessions: &'a [String],
    /// The call in its environment.
    pub call: Option<&'a str>,
}

/// The event that a command runs inside: the one of its call; else the latest one that the nearest of its parents owns;
/// else the latest one of its session.
pub fn find(home: &Home, traces: &Traces<'_>) -> Option<OpenEvent> {
    if let Some(call) = traces.call {
        let named = |session: &String| open_events::peek(home, session, call);
        if let Some(open) = traces.sessions.iter().find_map(named) {
            return Some(open);
        }
    }
    let mut best: Option<(usize, OpenEvent)> = None;
    for open in open_events::all(home) {
        let runs = |nest: &&Nest| nest.parent.is_none() && !open.report.denied;
        let Some(nest) = open.nest.as_ref().filter(runs) else { continue };
        let near = nest.owner.and_then(|owner| {
            traces.lineage.iter().position(|p| p.pid == owner.pid && p.start == owner.start)
        });
        let by_name = || traces.sessions.contains(&open.report.session).then_some(usize::MAX);
        let Some(distance) = near.or_else(by_name) else { continue };
        let nearer = best
            .as_ref()
            .is_none_or(|(than, other)| distance < *than || (distance == *than && open.event > other.event));
        if nearer {
            best = Some((distance, open));
        }
    }
    best.map(|(_, open)| open)
}
