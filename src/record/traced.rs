//! Commands that only git's own trace tells of (`fr install --git`): an IDE's, a script's, where no hook and no shim was on
//! the way. They are recorded when somebody looks, as what they are: seen afterwards, with nothing captured. What already
//! is on record is left out, and what ran inside a recorded command becomes a part of it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::before::{command_text, journal, new_uid, read};
use super::gap;
use super::nesting::effect_key;
use crate::error::{Error, Result};
use crate::intake::attribution::{self, ancestry};
use crate::intake::git_trace::{self, FULL, Traced};
use crate::intake::{Action, shims};
use crate::journal::Durability;
use crate::journal::index::{Event, Filter, Index};
use crate::model::{
    Actor, ActorKind, After, Before, Effect, EffectClass, EventId, EventKind, Outcome, Record, Source,
};
use crate::platform::{home::Home, libgit};

/// How far apart the clocks of two records of one command may be: a hook reports the end after it.
const SLACK_NS: i64 = 250_000_000;

/// How long before a trace a command may have begun that it is looked for in.
const LONGEST_NS: i64 = 3_600_000_000_000;

/// How long a command whose end nobody reported counts as the one that the trace is of, if it says the same.
const UNREPORTED_NS: i64 = 60_000_000_000;

/// A trace whose git has not said that it ended is left for later until it is as old as this.
const PATIENCE: Duration = Duration::from_secs(3600);

/// How many events around a trace are looked through.
const LOOK_AROUND: usize = 500;

/// How many entries of HEAD's reflog are looked through.
const REFLOG: usize = 200;

/// Records what the traces tell and nobody else told, and removes them. Cheap where `fr install --git` was never said.
///
/// # Errors
/// Where the traces cannot be read or the journal cannot be written; what was not recorded is still there then.
pub fn collect(home: &Home) -> Result<()> {
    let dir = home.git_trace();
    let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(()) };
    let io = |e: &std::io::Error| Error::io("read", &dir, e);
    let lock = File::open(&dir).map_err(|e| io(&e))?;
    // Somebody else collects: it will be there when they are done.
    if rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    // Their names begin with the time.
    files.sort();
    for file in files {
        if file.file_name().is_some_and(|name| name == FULL) {
            gap(home, "git's trace was full: what only git itself tells of is missing until now", None)?;
        } else if !is_told(&file, home)? {
            continue;
        }
        std::fs::remove_file(&file).map_err(|e| Error::io("remove", &file, &e))?;
    }
    Ok(())
}

/// False where the trace is not at its end yet.
fn is_told(file: &Path, home: &Home) -> Result<bool> {
    let Ok(traces) = git_trace::read(file) else {
        gap(
            home,
            "a trace of git could not be read",
            file.file_name().map(std::os::unix::ffi::OsStrExt::as_bytes),
        )?;
        return Ok(true);
    };
    if traces.runs_still && !is_old(file) {
        return Ok(false);
    }
    for traced in &traces.ran {
        let action = Action::Argv(traced.argv.clone());
        let mut effects = read(&action, &traced.cwd, &traced.env).effects;
        effects.retain(|effect| effect.class.is_destructive());
        if effects.is_empty() {
            continue;
        }
        match around(traced, &effects, home)? {
            Place::Known => {}
            Place::Alone => record(traced, &action, effects, None, home)?,
            Place::Inside(event) => record(traced, &action, effects, Some(&event), home)?,
        }
    }
    Ok(true)
}

fn is_old(file: &Path) -> bool {
    let age = |meta: std::fs::Metadata| SystemTime::now().duration_since(meta.modified().ok()?).ok();
    file.symlink_metadata().ok().and_then(age).is_none_or(|age| age > PATIENCE)
}

/// Where a traced command stands in the record.
enum Place {
    /// It is there.
    Known,
    /// It ran inside this one, which is on record.
    Inside(Box<Event>),
    /// Nobody else tells of it.
    Alone,
}

fn around(traced: &Traced, effects: &[Effect], home: &Home) -> Result<Place> {
    let filter = Filter {
        since_ns: Some(traced.began_ns - LONGEST_NS),
        until_ns: Some(traced.began_ns + SLACK_NS),
        changes: true,
        limit: LOOK_AROUND,
        ..Filter::default()
    };
    let events = Index::open(home)?.timeline(&filter)?;
    let with_parts = events.iter().flat_map(|event| std::iter::once(event).chain(&event.parts));
    let near: Vec<&Event> =
        with_parts.filter(|event| ran_around(event, traced) && is_at(event, traced)).collect();
    if near.iter().any(|event| tells_of(event, effects)) {
        return Ok(Place::Known);
    }
    let outer = near.into_iter().filter(|event| may_run_git(event, traced));
    Ok(match outer.max_by_key(|event| event.id) {
        Some(event) => Place::Inside(Box::new(event.clone())),
        None => Place::Alone,
    })
}

fn ran_around(event: &Event, traced: &Traced) -> bool {
    let refused = event.after.as_ref().is_some_and(|after| after.outcome == Outcome::Refused);
    let until = match &event.after {
        Some(after) => after.at_ns + SLACK_NS,
        None => event.before.at_ns + UNREPORTED_NS,
    };
    matches!(event.before.kind, EventKind::Command)
        && !refused
        && (event.before.at_ns - SLACK_NS..=until).contains(&traced.began_ns)
}

/// It says of this repository all that the trace says for certain: that is the command, or a line with it in it.
fn tells_of(event: &Event, effects: &[Effect]) -> bool {
    let said: Vec<u64> = event.before.effects.iter().map(effect_key).collect();
    let certain: Vec<&Effect> = effects.iter().filter(|effect| effect.certain).collect();
    match certain.is_empty() {
        true => effects.iter().any(|effect| said.contains(&effect_key(effect))),
        false => certain.into_iter().all(|effect| said.contains(&effect_key(effect))),
    }
}

/// A program ran that nobody can look into, and ended after the git began; and git has not noted that somebody else ran it. Only
/// then is it a part: a person who works in the same directory meanwhile must not be taken for the agent.
fn may_run_git(event: &Event, traced: &Traced) -> bool {
    let is_opaque = event.before.effects.iter().any(|effect| effect.class == EffectClass::Opaque);
    let marked = attribution::agent(&traced.env).map(|(name, _)| name);
    let is_others = marked.is_some_and(|name| name != event.before.actor.name);
    event.before.parent.is_none() && event.after.is_some() && is_opaque && !is_others
}

fn is_at(event: &Event, traced: &Traced) -> bool {
    let top = traced.cwd.as_path();
    let below = |path: &Path| path.starts_with(top) || top.starts_with(path);
    let places = event.before.effects.iter().filter_map(|effect| effect.locator.as_ref());
    let mut paths = std::iter::once(event.before.cwd.as_path()).chain(places.map(|place| place.at.as_path()));
    !traced.cwd.is_empty() && paths.any(|path| path.is_absolute() && below(path))
}

fn record(
    traced: &Traced,
    action: &Action,
    effects: Vec<Effect>,
    inside: Option<&Event>,
    home: &Home,
) -> Result<()> {
    let (actor, session) = match inside {
        Some(event) => (event.before.actor.clone(), event.before.session.clone()),
        None => whose(traced),
    };
    let before = Before {
        uid: new_uid(),
        at_ns: traced.began_ns,
        kind: EventKind::Command,
        session: session.clone(),
        call: None,
        actor,
        source: Source::Trace,
        parent: inside.map(|event| event.id),
        command: command_text(action, Source::Trace, home),
        cwd: traced.cwd.clone(),
        effects,
        captures: Vec::new(),
        warnings: vec![warning(traced, inside.map(|event| event.id))],
        background: false,
        verdict: None,
    };
    let after = After {
        at_ns: traced.ended_ns,
        session,
        call: None,
        outcome: traced.outcome,
        duration_ms: u64::try_from((traced.ended_ns - traced.began_ns) / 1_000_000).ok(),
        post: Vec::new(),
        note: None,
        lacking: Vec::new(),
    };
    let journal = journal(home)?;
    let before = super::before::without_secrets(before, home);
    let event = journal.append(&Record::Before(Box::new(before)), None, Durability::Buffered)?.event;
    journal.append(&Record::After(Box::new(after)), Some(event), Durability::Buffered)?;
    Ok(())
}

/// Who ran it, by the marks in its environment and the names of the processes above it, and in which session.
fn whose(traced: &Traced) -> (Actor, String) {
    let mut actor = attribution::actor(&traced.env);
    let named = traced.above.iter().find_map(|name| ancestry::agent_called(name));
    if let Some(agent) = named.filter(|_| actor.kind != ActorKind::Agent) {
        actor.kind = ActorKind::Agent;
        agent.clone_into(&mut actor.name);
    }
    if !traced.above.is_empty() {
        actor.evidence = format!("{}; git ran below {}", actor.evidence, traced.above.join(" < "));
    }
    let (sessions, _) = shims::Call::names(&traced.env);
    let session = sessions.into_iter().next();
    (actor, session.unwrap_or_else(|| format!("git-{}-{:x}", traced.pid, traced.began_ns / 1_000_000_000)))
}

fn warning(traced: &Traced, inside: Option<EventId>) -> String {
    let mut text = match inside {
        Some(event) => format!(
            "only git's own trace tells of this, afterwards: what can be taken back is what event {event} captured"
        ),
        None => "only git's own trace tells of this, afterwards: nothing was captured".to_owned(),
    };
    if let Some((from, to)) = head_moved(traced) {
        text.push_str(&format!(
            "; HEAD went from {from} to {to}: `git branch NAME {from}` brings those commits back, as long as git keeps them"
        ));
    }
    text
}

/// From where to where HEAD went while the command ran, by its reflog.
fn head_moved(traced: &Traced) -> Option<(String, String)> {
    libgit::isolate();
    let repo = git2::Repository::open(traced.cwd.as_path()).ok()?;
    let log = repo.reflog("HEAD").ok()?;
    // The reflog knows whole seconds.
    let (first, last) = (traced.began_ns / 1_000_000_000, traced.ended_ns / 1_000_000_000 + 1);
    let during = |entry: &git2::ReflogEntry<'_>| (first..=last).contains(&entry.committer().when().seconds());
    let moves: Vec<_> = log.iter().take(REFLOG).filter(during).collect();
    let (to, from) = (moves.first()?.id_new(), moves.last()?.id_old());
    (from != to && !from.is_zero()).then(|| (from.to_string(), to.to_string()))
}
