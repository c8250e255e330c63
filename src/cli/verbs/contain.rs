//! `fr contain` and `fr release`: an agent's commands are not run any more, and run again.

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::{ContainArgs, ReleaseArgs};
use crate::cli::render::{safe, style, when};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Index;
use crate::model::{Order, Whose};
use crate::platform::home::{self, Home};
use crate::record::Orders;
use crate::{intake, respond};

/// Runs `fr contain`.
pub fn contain(args: &ContainArgs, out: &mut Out) -> Result<u8> {
    let home = Home::at(home::state_dir()?);
    if args.status {
        return status(&home, out);
    }
    let whose = whose(args.session.as_deref(), args.agent.as_deref(), &home)?.unwrap_or(Whose::All);
    if let Whose::Session { session } = &whose
        && !is_on_record(session, &home)
    {
        out.talk(format!(
            "warning: no session {} is on record: it is contained if it begins; `fr sessions` lists those there are",
            safe(session.as_bytes())
        ));
    }
    let done = respond::contain(whose, args.reason.clone(), args.terminate, actor(), &home)?;
    if out.json {
        out.json(&done)?;
    } else {
        let told = format!("contained: no command of {} runs", done.done.order.whose.denied());
        out.line(out.paint(style::GOOD, safe(told.as_bytes())))?;
        let verb = if done.done.terminated { "ended" } else { "stopped" };
        for process in &done.done.stopped {
            out.line(format!("  {verb}  process {} ({})", process.pid, safe(process.name.as_bytes())))?;
        }
        for left in &done.done.left {
            out.line(out.paint(style::WARN, format!("  not stopped  {}", safe(left.as_bytes()))))?;
        }
        if let Some(event) = done.event {
            out.line(out.paint(style::DIM, format!("recorded as event {event}; `fr release` ends it")))?;
        }
    }
    told_if_not_recorded(done.not_recorded.as_deref())?;
    Ok(if done.done.left.is_empty() { 0 } else { ExitCode::Partial as u8 })
}

/// Runs `fr release`.
pub fn release(args: &ReleaseArgs, out: &mut Out) -> Result<u8> {
    let home = super::existing_home()?;
    let whose = whose(args.session.as_deref(), args.agent.as_deref(), &home)?;
    let done = respond::release(whose.as_ref(), actor(), &home)?;
    if out.json {
        out.json(&done)?;
    } else {
        let told = format!("released: {}", done.done.whose.join(", "));
        out.line(out.paint(style::GOOD, safe(told.as_bytes())))?;
        for process in &done.done.resumed {
            out.line(format!("  goes on  process {} ({})", process.pid, safe(process.name.as_bytes())))?;
        }
    }
    told_if_not_recorded(done.not_recorded.as_deref())?;
    Ok(0)
}

#[derive(Serialize)]
struct Status {
    orders: Vec<Order>,
}

fn status(home: &Home, out: &mut Out) -> Result<u8> {
    let orders: Vec<Order> = Orders::load(home)?.orders.into_iter().map(|standing| standing.order).collect();
    if out.json {
        out.json(&Status { orders })?;
        return Ok(0);
    }
    if orders.is_empty() {
        out.line("nothing is contained")?;
    }
    let now = crate::platform::clock::now_ns();
    for order in &orders {
        let why = if order.reason.is_empty() { String::new() } else { format!(": {}", order.reason) };
        let since = when::relative(order.since_ns, now);
        let told = format!("{} contained by {} {since}{why}", order.whose.words(), order.by);
        out.line(safe(told.as_bytes()))?;
    }
    Ok(0)
}

/// Whose commands are meant; a session by the beginning of its id.
fn whose(session: Option<&str>, agent: Option<&str>, home: &Home) -> Result<Option<Whose>> {
    Ok(match (session, agent) {
        (Some(session), _) => Some(Whose::Session { session: whole(session, home)? }),
        (None, Some(agent)) => Some(Whose::Agent { agent: agent.to_owned() }),
        (None, None) => None,
    })
}

/// The one session whose id begins like this. One that is not on record is taken as it is: it may have begun just now.
fn whole(begin: &str, home: &Home) -> Result<String> {
    let Ok(index) = Index::open(home) else { return Ok(begin.to_owned()) };
    let found: Vec<String> = index
        .sessions()?
        .into_iter()
        .map(|session| session.session)
        .filter(|session| session.starts_with(begin))
        .collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Ok(begin.to_owned()),
        several if several.iter().any(|session| session == begin) => Ok(begin.to_owned()),
        several => Err(crate::cli::usage(format!("{} sessions begin with {begin}", several.len()))
            .hint("`fr sessions` lists them")),
    }
}

fn is_on_record(session: &str, home: &Home) -> bool {
    Index::open(home).and_then(|index| index.session(session)).is_ok_and(|found| found.is_some())
}

fn actor() -> crate::model::Actor {
    intake::attribution::actor_here(&intake::current_env())
}

fn told_if_not_recorded(why: Option<&str>) -> Result<()> {
    match why {
        None => Ok(()),
        Some(why) => Err(Error::new(ExitCode::Partial, format!("it is in force, but not on record: {why}"))),
    }
}
