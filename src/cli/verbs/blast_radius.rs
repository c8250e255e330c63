//! `fr blast-radius`: what was hit, where, and what of it can come back.

use crate::cli::Out;
use crate::cli::args::BlastRadiusArgs;
use crate::cli::render::{Table, count, safe, style, when};
use crate::error::Result;
use crate::model::spoken;
use crate::platform::clock;
use crate::record::Config;
use crate::respond::{Item, Of, Outlook, Radius, incident, radius, radius_of};

/// Runs the verb.
pub fn run(args: &BlastRadiusArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let production = Config::load(&home)?.production;
    if let Some(id) = args.incident {
        let incident = incident::find(&index, Some(id).filter(|id| *id > 0))?;
        let session = match incident.scope.sessions.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        let events = incident::commands(&index, &incident)?;
        let found = radius_of(&index, events, session, incident.scope.until_ns, &production)?;
        return put(&found, out);
    }
    let now = clock::now_ns();
    let moment = |text: &Option<String>| text.as_ref().map(|t| when::parse_moment(t, now)).transpose();
    let of = Of {
        session: args.session.clone(),
        since_ns: moment(&args.since)?,
        until_ns: moment(&args.until)?,
        actor: args.actor.clone(),
    };
    put(&radius(&index, &of, &production)?, out)
}

fn put(found: &Radius, out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(found)?;
    } else {
        show(found, out)?;
    }
    Ok(0)
}

fn show(found: &Radius, out: &mut Out) -> Result<()> {
    let who = safe(found.actors.join(", ").as_bytes());
    let session =
        found.session.as_ref().map(|s| format!(", session {}", safe(s.as_bytes()))).unwrap_or_default();
    let refused =
        if found.refused > 0 { format!(", {} more not let run", found.refused) } else { String::new() };
    out.line(format!(
        "{} {who}{session}: {} that changed something{refused}, {} to {}",
        out.paint(style::BOLD, "blast radius of"),
        count(found.commands, "command"),
        when::absolute(found.first_ns),
        when::absolute(found.last_ns),
    ))?;
    let mut table =
        Table::new(&["COMES BACK", "SYSTEM", "DONE", "EVENT", "WHERE", "WHAT"], out.color, out.width);
    for item in &found.items {
        table.row(row(item));
    }
    for line in table.lines() {
        out.line(line)?;
    }
    totals(found, out)?;
    for item in found.items.iter().filter(|item| item.comes_back.is_loss()) {
        let event = item.events.first().map(ToString::to_string).unwrap_or_default();
        let what = format!("not kept of {event}, {}", name(item));
        warn(&what, &item.missing, &event, out)?;
    }
    left_by_undos(found, out)?;
    if found.unreported > 0 {
        let text = format!(
            "{} never reported back: whether they ran is not known",
            count(found.unreported, "command")
        );
        out.line(out.paint(style::WARN, text))?;
    }
    if found.gaps > 0 {
        let text = format!("{} in the record in that time: fr timeline shows them", count(found.gaps, "gap"));
        out.line(out.paint(style::WARN, text))?;
    }
    out.line("next:")?;
    let width = found.next.iter().map(|next| next.command.len()).max().unwrap_or(0);
    for next in &found.next {
        out.line(format!("  {:<width$}  {}", safe(next.command.as_bytes()), next.why))?;
    }
    Ok(())
}

/// What undos did not bring back, thing by thing, and what they do not say of what it is.
fn left_by_undos(found: &Radius, out: &mut Out) -> Result<()> {
    for item in &found.items {
        let Some(undone) = &item.undone else { continue };
        let (by, name) = (undone.by, name(item));
        let verb = match item.comes_back {
            Outlook::BackAnew => "other than before",
            _ => "left",
        };
        warn(&format!("{verb} by undo {by}: {name}"), &undone.left, &by.to_string(), out)?;
        if item.comes_back == Outlook::Unknown {
            let text =
                format!("  undo {by} was done in part, and does not say whether of {name}: fr diff compares");
            out.line(out.paint(style::WARN, text))?;
        }
    }
    let whole = found.left.iter().take(SHOWN);
    for left in whole {
        out.line(out.paint(style::WARN, format!("  not back, {}", safe(left.as_bytes()))))?;
    }
    match found.left.len().checked_sub(SHOWN) {
        None | Some(0) => Ok(()),
        Some(more) => out.line(format!("  and {more} more: fr show ID of the undo")),
    }
}

/// How many lines are shown of one thing.
const SHOWN: usize = 3;

fn warn(what: &str, lines: &[String], event: &str, out: &mut Out) -> Result<()> {
    for line in lines.iter().take(SHOWN) {
        out.line(out.paint(style::WARN, format!("  {what}: {}", safe(line.as_bytes()))))?;
    }
    match lines.len().checked_sub(SHOWN) {
        None | Some(0) => Ok(()),
        Some(more) => out.line(format!("  and {more} more: fr show {event}")),
    }
}

fn name(item: &Item) -> String {
    safe(spoken(&item.resource).as_slice())
}

fn row(item: &Item) -> Vec<(String, Option<anstyle::Style>)> {
    let mark = match item.comes_back {
        Outlook::Back | Outlook::BackAnew | Outlook::Exactly => style::GOOD,
        Outlook::NotBack | Outlook::NotAtAll | Outlook::Unknown => style::ERROR,
        _ => style::WARN,
    };
    let place = match (&item.production, item.contexts.first()) {
        (Some(found), _) => (format!("PRODUCTION {}", safe(found.place().as_bytes())), Some(style::ERROR)),
        (None, Some(context)) => (safe(context.words().as_bytes()), None),
        (None, None) => ("-".to_owned(), None),
    };
    let events: Vec<String> = item.events.iter().map(ToString::to_string).collect();
    let events = match events.as_slice() {
        [first, .., last] if events.len() > 3 => format!("{first}..{last}"),
        _ => events.join(","),
    };
    let done = format!("{}{}", item.class, if item.failed { ", failed" } else { "" });
    let size = if item.items > 1 { format!(" ({})", count(item.items, "item")) } else { String::new() };
    vec![
        (item.comes_back.words().to_owned(), Some(mark)),
        (item.system.to_string(), None),
        (done, Some(style::of_class(item.class))),
        (events, Some(style::BOLD)),
        place,
        (format!("{}{size}", name(item)), None),
    ]
}

fn totals(found: &Radius, out: &mut Out) -> Result<()> {
    let parts: Vec<String> =
        found.totals.iter().map(|(outlook, n)| format!("{n} {}", outlook.words())).collect();
    let marked = found.items.iter().filter(|item| item.production.is_some()).count();
    let production = if marked > 0 { format!("; {marked} of them production") } else { String::new() };
    out.line(format!("{}: {}{production}", count(found.items.len() as u64, "thing"), parts.join(", ")))
}
