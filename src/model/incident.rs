//! An incident: a span of events under one number, with what people noted and decided. It is told by marks in the journal,
//! so that nothing of it can be changed afterwards, and what it is about is worked out from them at any time ([`Scope`]).

use serde::{Deserialize, Serialize};

use super::{ActorKind, Before, EventId, EventKind};

/// How bad it is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Production is hit, and something of it does not come back by itself.
    Sev1,
    /// Production is hit.
    Sev2,
    /// Something was lost, and it is not production.
    Sev3,
    /// Nothing was lost.
    Sev4,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Severity; 4] = [Severity::Sev1, Severity::Sev2, Severity::Sev3, Severity::Sev4];

    /// The word in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Sev1 => "sev1",
            Severity::Sev2 => "sev2",
            Severity::Sev3 => "sev3",
            Severity::Sev4 => "sev4",
        }
    }
}

/// Which commands an incident is about. Sessions go on after it was opened, so they are named and not counted; `until_ns`
/// of what still goes on is its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// All of these sessions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<String>,
    /// All that agents did since this wall time, nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ns: Option<i64>,
    /// What began later does not belong to it by session or time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ns: Option<i64>,
    /// These events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventId>,
    /// Not these, whatever else covers them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<EventId>,
}

/// What [`Scope::covers`] has to know of an event.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// Its number.
    pub id: EventId,
    /// The event that it is part of.
    pub parent: Option<EventId>,
    /// Its session.
    pub session: &'a str,
    /// Who ran it.
    pub actor: ActorKind,
    /// When it began.
    pub at_ns: i64,
}

impl<'a> Covered<'a> {
    /// Of a recorded event.
    pub fn of(id: EventId, before: &'a Before) -> Covered<'a> {
        let Before { parent, session, actor, at_ns, .. } = before;
        Covered { id, parent: *parent, session, actor: actor.kind, at_ns: *at_ns }
    }
}

impl Scope {
    /// Whether an event belongs to it. A part belongs where its line does.
    pub fn covers(&self, event: Covered<'_>) -> bool {
        let is_named = |list: &[EventId]| {
            list.contains(&event.id) || event.parent.is_some_and(|parent| list.contains(&parent))
        };
        if is_named(&self.without) {
            return false;
        }
        let in_time = self.until_ns.is_none_or(|until| event.at_ns <= until);
        let is_agents = event.actor == ActorKind::Agent;
        let since = self.since_ns.is_some_and(|since| event.at_ns >= since && is_agents);
        let session = self.sessions.iter().any(|session| session == event.session);
        is_named(&self.events) || in_time && (since || session)
    }

    /// Takes in what was added, and leaves out what was removed.
    pub fn change(&mut self, added: &[EventId], sessions: &[String], removed: &[EventId]) {
        self.without.retain(|id| !added.contains(id));
        self.events.retain(|id| !removed.contains(id));
        put_each_once(&mut self.events, added);
        put_each_once(&mut self.sessions, sessions);
        put_each_once(&mut self.without, removed);
    }
}

fn put_each_once<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !list.contains(one) {
            list.push(one.clone());
        }
    }
}

/// One thing that was done about an incident, as its event keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentMark {
    /// Which incident: the number of the event that opened it. `None` in that event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<EventId>,
    /// What was done.
    #[serde(flatten)]
    pub change: IncidentChange,
}

/// What is done about an incident. Texts are redacted as command lines are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum IncidentChange {
    /// It was opened.
    Opened {
        /// What it is called.
        title: String,
        /// How bad it is.
        severity: Severity,
        /// Who decides.
        commander: String,
        /// Which commands it is about.
        scope: Scope,
    },
    /// Events or sessions were added, or events left out.
    Scoped {
        /// These belong to it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        added: Vec<EventId>,
        /// These sessions belong to it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sessions: Vec<String>,
        /// These do not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        removed: Vec<EventId>,
    },
    /// It is called, ranked or led otherwise from now on.
    Revised {
        /// Its title from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Its severity from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
        /// Who decides from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commander: Option<String>,
    },
    /// Somebody wrote something down.
    Note {
        /// What.
        text: String,
        /// It is a decision.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        decision: bool,
    },
    /// It is over. What it is about stays locked against gc.
    Closed {
        /// How it ended.
        outcome: String,
    },
    /// gc may take again, or may no more take, what its events need.
    Locked {
        /// It may not.
        locked: bool,
    },
}

/// How an incident ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When, nanoseconds since 1970.
    pub at_ns: i64,
    /// With which outcome, in words.
    pub outcome: String,
}

/// An incident as its marks make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number: the event that opened it.
    pub id: EventId,
    /// What it is called.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who decides.
    pub commander: String,
    /// When it was opened, nanoseconds since 1970.
    pub opened_ns: i64,
    /// Who opened it.
    pub opened_by: String,
    /// What it is about.
    pub scope: Scope,
    /// How it ended, where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// gc keeps what its events need.
    pub locked: bool,
    /// How many notes it has, decisions among them.
    pub notes: u64,
}

impl Incident {
    /// All incidents of a journal, oldest first, from its events in their order; those that are no marks do no harm.
    pub fn all<'a>(events: impl IntoIterator<Item = (EventId, &'a Before)>) -> Vec<Incident> {
        let mut all: Vec<Incident> = Vec::new();
        for (id, before) in events {
            let EventKind::Incident { incident: mark } = &before.kind else { continue };
            match (mark.of, &mark.change) {
                (None, IncidentChange::Opened { title, severity, commander, scope }) => all.push(Incident {
                    id,
                    title: title.clone(),
                    severity: *severity,
                    commander: commander.clone(),
                    opened_ns: before.at_ns,
                    opened_by: before.actor.name.clone(),
                    scope: scope.clone(),
                    closed: None,
                    locked: true,
                    notes: 0,
                }),
                (Some(of), change) => {
                    all.iter_mut()
                        .filter(|one| one.id == of)
                        .for_each(|one| one.follow(before.at_ns, change));
                }
                (None, _) => {}
            }
        }
        all
    }

    /// One that nobody has opened: what it would be about.
    pub fn sketch(scope: Scope) -> Incident {
        let (title, commander, opened_by) = (String::new(), String::new(), String::new());
        let severity = Severity::Sev4;
        Incident {
            id: EventId(0),
            title,
            severity,
            commander,
            opened_ns: 0,
            opened_by,
            scope,
            closed: None,
            locked: false,
            notes: 0,
        }
    }

    fn follow(&mut self, at_ns: i64, change: &IncidentChange) {
        match change {
            IncidentChange::Opened { .. } => {}
            IncidentChange::Scoped { added, sessions, removed } => {
                self.scope.change(added, sessions, removed)
            }
            IncidentChange::Revised { title, severity, commander } => {
                title.iter().for_each(|title| self.title.clone_from(title));
                self.severity = severity.unwrap_or(self.severity);
                commander.iter().for_each(|name| self.commander.clone_from(name));
            }
            IncidentChange::Note { .. } => self.notes += 1,
            IncidentChange::Closed { outcome } => {
                self.closed = Some(Closed { at_ns, outcome: outcome.clone() });
                self.scope.until_ns = Some(self.scope.until_ns.map_or(at_ns, |until| until.min(at_ns)));
            }
            IncidentChange::Locked { locked } => self.locked = *locked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u64, session: &str, actor: ActorKind, at_ns: i64) -> Covered<'_> {
        Covered { id: EventId(id), parent: None, session, actor, at_ns }
    }

    #[test]
    fn a_session_is_covered_until_the_incident_ends() {
        let scope = Scope { sessions: vec!["a".into()], until_ns: Some(10), ..Scope::default() };
        assert!(scope.covers(event(1, "a", ActorKind::Agent, 10)));
        assert!(!scope.covers(event(2, "a", ActorKind::Agent, 11)), "it began after the end");
        assert!(!scope.covers(event(3, "ab", ActorKind::Agent, 5)), "another session that begins alike");
    }

    #[test]
    fn time_covers_what_agents_did_and_not_what_people_did() {
        let scope = Scope { since_ns: Some(5), ..Scope::default() };
        assert!(scope.covers(event(1, "a", ActorKind::Agent, 5)));
        assert!(!scope.covers(event(2, "a", ActorKind::Human, 5)));
        assert!(!scope.covers(event(3, "a", ActorKind::Agent, 4)));
    }

    #[test]
    fn what_is_left_out_goes_with_its_parts_and_can_come_back() {
        let mut scope = Scope { sessions: vec!["a".into()], ..Scope::default() };
        scope.change(&[], &[], &[EventId(1)]);
        let part = Covered { parent: Some(EventId(1)), ..event(2, "a", ActorKind::Agent, 5) };
        assert!(!scope.covers(event(1, "a", ActorKind::Agent, 5)) && !scope.covers(part));
        scope.change(&[EventId(1)], &[], &[]);
        assert!(scope.covers(event(1, "a", ActorKind::Agent, 5)) && scope.covers(part));
    }
}
