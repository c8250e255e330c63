//! What to type next, in the order in which people work: stop it, see what it did, tell, recover, verify, learn.

use super::case::Case;
use crate::model::{ActorKind, EventKind};
use crate::respond::blast::{Next, Radius};

/// The next commands for an incident, each with its reason.
pub fn next(case: &Case, radius: Option<&Radius>) -> Vec<Next> {
    let id = case.incident.id;
    let mut next: Vec<Next> = Vec::new();
    let mut say = |command: String, why: &str| next.push(Next { command, why: why.to_owned() });
    let is_open = case.incident.closed.is_none();
    let contained = case.response.iter().any(|event| matches!(event.before.kind, EventKind::Contain { .. }));
    let agents = case.events.iter().any(|event| event.before.actor.kind == ActorKind::Agent);
    if is_open && agents && !contained {
        let whose = match case.incident.scope.sessions.as_slice() {
            [one] => format!(" --session {one}"),
            _ => String::new(),
        };
        say(format!("fr contain{whose}"), "stop it first, if it still runs");
    }
    if is_open {
        say(format!("fr blast-radius --incident {id}"), "what it hit, and what of it comes back");
        say(
            format!("fr incident note {id} '…'"),
            "what you see, whom you told; --decision for what was decided",
        );
    }
    let items = radius.map(|radius| radius.items.as_slice()).unwrap_or_default();
    let is_back = items.iter().all(|item| item.comes_back.is_back());
    let not_contain = |one: &&Next| !one.command.starts_with("fr contain");
    let of_radius = radius.map(|radius| radius.next.as_slice()).unwrap_or_default();
    for one in of_radius.iter().filter(not_contain).filter(|_| !is_back) {
        say(one.command.clone(), &one.why);
    }
    // Production first, and of it what is lost: as the blast radius lists them.
    let open = || items.iter().filter(|item| !item.comes_back.is_back());
    let worst = open().find(|item| item.class.is_destructive()).or_else(|| open().next());
    if let Some(event) = worst.and_then(|item| item.events.first()).filter(|_| is_open) {
        let why = format!("procedures that fit; `fr playbook run NAME --incident {id}`");
        say(format!("fr playbook list --for {event}"), &why);
    }
    if is_open && is_back {
        say(format!("fr incident close {id} --outcome '…'"), "nothing is left to take back");
    }
    say(format!("fr incident report {id} --format html --out incident-{id}.html"), "for everybody else");
    next
}
