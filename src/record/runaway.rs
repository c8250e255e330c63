//! The detector of runaways: an agent that destroys faster than anybody can look. It counts only commands that surely
//! destroy something or remove a safety net: agents overwrite files all day.
//!
//! `$FR_HOME/pace.log` holds 16 bytes for each of them: the time (nanoseconds since 1970) and the session (8 bytes of its
//! blake3 hash, the last bit set where an alarm was raised), little-endian. What is lost of it costs a late alarm.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

use serde::{Deserialize, Serialize};

use super::Config;
use super::alarm::{self, Reaction};
use crate::intake::Request;
use crate::model::{ActorKind, Alarm, Effect, EffectClass, Verdict};
use crate::platform::{clock, home::Home};

/// The most of the log that is looked at, and what is left of it where it has grown.
const TAIL: u64 = 64 << 10;
/// Where it is cut.
const LONGEST: u64 = 1 << 20;
const ENTRY: usize = 16;

/// When is it too fast, and what then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runaway {
    /// So many destructive commands of one session …
    pub commands: u64,
    /// … in so many seconds are let pass; the next raises the alarm.
    pub seconds: u64,
    /// What the alarm does.
    pub reaction: Reaction,
}

impl Default for Runaway {
    fn default() -> Runaway {
        Runaway { commands: 20, seconds: 60, reaction: Reaction::Alert }
    }
}

/// Counts a command that is about to run; what the agent is to be told, where it has run too many. Best effort: a detector
/// that fails is no reason to hold a command up.
pub(super) fn look(request: &Request, effects: &[Effect], home: &Home) -> Option<Verdict> {
    let counts = |e: &Effect| e.certain && matches!(e.class, EffectClass::Destroy | EffectClass::Weaken);
    if request.actor.kind != ActorKind::Agent || !effects.iter().any(counts) {
        return None;
    }
    let limit = Config::load(home).unwrap_or_default().runaway;
    if limit.reaction == Reaction::Off {
        return None;
    }
    let pace = Pace::count(request, limit, home).ok()?;
    if pace.commands <= limit.commands {
        return None;
    }
    let alarm = Alarm {
        of: request.session.clone(),
        agent: request.actor.name.clone(),
        commands: pace.commands,
        seconds: pace.seconds,
        reaction: limit.reaction.as_str().to_owned(),
        production: None,
    };
    let reason = format!(
        "{} destructive commands in {} s are more than anybody can look at [runaway.commands = {}]",
        pace.commands, pace.seconds, limit.commands
    );
    alarm::react(&alarm, &reason, limit.reaction, pace.is_news, request, home)
}

/// How fast a session is.
struct Pace {
    commands: u64,
    seconds: u64,
    is_news: bool,
}

impl Pace {
    fn count(request: &Request, limit: Runaway, home: &Home) -> std::io::Result<Pace> {
        let now = clock::now_ns();
        let hash = blake3::hash(request.session.as_bytes());
        let mut first = [0u8; 8];
        first.copy_from_slice(hash.as_bytes().get(..8).unwrap_or(&[0; 8]));
        let session = u64::from_le_bytes(first) & !1;
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(home.pace())?;
        let length = file.metadata()?.len();
        let end = length - length % ENTRY as u64;
        file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        Read::by_ref(&mut file).take(TAIL).read_to_end(&mut tail)?;
        if length > LONGEST {
            file.set_len(0)?;
        }
        let since = now
            .saturating_sub(i64::try_from(limit.seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000));
        let entries = tail.chunks_exact(ENTRY).filter_map(entry).filter(|(at, _)| (since..=now).contains(at));
        let (mut commands, mut first_ns, mut alarmed) = (1, now, false);
        for (at, of) in entries.filter(|(_, of)| of & !1 == session) {
            match of & 1 {
                1 => alarmed = true,
                _ => (commands, first_ns) = (commands + 1, first_ns.min(at)),
            }
        }
        let is_news = commands > limit.commands && !alarmed;
        let mut line = Vec::with_capacity(2 * ENTRY);
        let marks: &[u64] = if is_news { &[session, session | 1] } else { &[session] };
        for mark in marks {
            line.extend_from_slice(&now.to_le_bytes());
            line.extend_from_slice(&mark.to_le_bytes());
        }
        file.write_all(&line)?;
        let seconds = u64::try_from((now - first_ns) / 1_000_000_000).unwrap_or(0).max(1);
        Ok(Pace { commands, seconds, is_news })
    }
}

fn entry(bytes: &[u8]) -> Option<(i64, u64)> {
    let (at, of) = bytes.split_at_checked(8)?;
    Some((i64::from_le_bytes(at.try_into().ok()?), u64::from_le_bytes(of.try_into().ok()?)))
}
