//! An alarm: on the terminal and on record, and what it does about the session. Two things raise one: an agent that destroys
//! too fast ([`super::runaway`]), and one that destroys what is marked as production ([`super::production`]).

use serde::{Deserialize, Serialize};

use super::before::new_uid;
use super::containment::{self, Orders, Standing};
use super::own::{self, Own};
use super::policy;
use crate::error::Result;
use crate::intake::Request;
use crate::journal::Durability;
use crate::model::{Alarm, Contained, EventKind, Order, Verdict, Whose};
use crate::platform::{clock, home::Home, terminal};

/// What an alarm does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaction {
    /// Nothing is counted.
    Off,
    /// A line on the terminal and an event.
    #[default]
    Alert,
    /// The same, and the agent asks its user before each further one.
    Ask,
    /// The same, and the session is contained.
    Contain,
}

impl Reaction {
    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Reaction::Off => "off",
            Reaction::Alert => "alert",
            Reaction::Ask => "ask",
            Reaction::Contain => "contain",
        }
    }
}

/// Raises an alarm, where it is news, and does what is wanted: what the agent is to be told.
pub(super) fn react(
    alarm: &Alarm,
    reason: &str,
    reaction: Reaction,
    is_news: bool,
    request: &Request,
    home: &Home,
) -> Option<Verdict> {
    if is_news {
        raise(alarm, request, home);
    }
    let reason = policy::in_one_line(reason, home);
    match reaction {
        Reaction::Off | Reaction::Alert => None,
        Reaction::Ask => Some(Verdict::Ask { reason }),
        Reaction::Contain => {
            let order = Order {
                order: new_uid(),
                since_ns: clock::now_ns(),
                whose: Whose::Session { session: request.session.clone() },
                reason,
                by: "fr".to_owned(),
            };
            let told = containment::reason(&order);
            contain(order, request, home).ok()?;
            Some(Verdict::Deny { reason: policy::in_one_line(&told, home) })
        }
    }
}

/// On the terminal and on record. Neither may fail the command.
fn raise(alarm: &Alarm, request: &Request, home: &Home) {
    let Alarm { agent, commands, seconds, .. } = alarm;
    let what = match &alarm.production {
        Some(place) => format!("{agent} destroys production: {place}"),
        None => format!("{agent} ran {commands} destructive commands in {seconds} s"),
    };
    let hint = match alarm.reaction.as_str() {
        "contain" => "its session is contained: `fr release` ends that",
        _ => "`fr contain` stops it",
    };
    let text = format!("fr: ALARM: {what}; {hint}");
    terminal::alert(&policy::in_one_line(&text, home));
    let kind = EventKind::Alarm { alarm: alarm.clone() };
    let _ = write(kind, request, home);
}

fn contain(order: Order, request: &Request, home: &Home) -> Result<()> {
    Orders::change(home, |orders| {
        let is_there = orders.orders.iter().any(|standing| standing.order.whose == order.whose);
        if !is_there {
            orders.orders.push(Standing { order: order.clone(), stopped: Vec::new() });
        }
        Ok(())
    })?;
    let left = vec!["its processes go on: `fr contain` stops them".to_owned()];
    let containment = Contained { order, stopped: Vec::new(), terminated: false, left };
    write(EventKind::Contain { containment }, request, home)
}

fn write(kind: EventKind, request: &Request, home: &Home) -> Result<()> {
    let recorder = own::recorder("an alarm of the recorder");
    let own = Own { session: request.session.clone(), ..Own::now(kind, "fr hook", recorder) };
    own::write(own, Durability::Buffered, home).map(drop)
}
