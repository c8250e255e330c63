//! What to type next, after the blast radius.

use super::{Item, Next, Outlook};
use crate::journal::index::Event;
use crate::model::ActorKind;

/// In the order in which people work: stop it, see what undo would do, see what is left.
pub(super) fn next(
    events: &[Event],
    items: &[Item],
    session: Option<&str>,
    interrupted: Option<&Event>,
) -> Vec<Next> {
    let mut next = Vec::new();
    let mut say = |command: String, why: &str| next.push(Next { command, why: why.to_owned() });
    let agents = events.iter().any(|event| event.before.actor.kind == ActorKind::Agent);
    if agents {
        let whose = session.map(|session| format!(" --session {session}")).unwrap_or_default();
        say(format!("fr contain{whose}"), "stop it first, if it still runs");
    }
    let open: Vec<&Item> = items.iter().filter(|item| !item.comes_back.is_back()).collect();
    let which = match session {
        Some(session) => format!("--session {session}"),
        None => {
            let mut ids: Vec<u64> = open.iter().flat_map(|item| item.events.iter().map(|id| id.0)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
        }
    };
    let can = |item: &&&Item| !matches!(item.comes_back, Outlook::NotAtAll | Outlook::Unknown);
    if let Some(undo) = interrupted {
        let why =
            format!("undo {} was interrupted: some of it may be back, some not, until it is ended", undo.id);
        say("fr undo --resume".to_owned(), &why);
    }
    if open.iter().any(|item| can(&item)) {
        say(format!("fr undo {which} --dry-run"), "what undo would do, step by step; nothing is written");
    }
    let anew =
        |item: &&&Item| item.comes_back == Outlook::Anew && matches!(&*item.system.0, "terraform" | "aws");
    if open.iter().any(|item| anew(&item)) {
        say(
            format!("fr undo {which} --apply-infra --dry-run"),
            "with what costs money or gets another identity",
        );
    }
    if let Some(item) = open.iter().find(|item| !can(item)).and_then(|item| item.events.first()) {
        say(format!("fr show {item}"), "all that is known of what does not come back");
    }
    next
}
