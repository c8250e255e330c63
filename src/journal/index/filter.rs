//! What a timeline is narrowed to.

use rusqlite::types::Value;

use super::facts::{ALARM, CONTAIN, PLAYBOOK, RELEASE};
use crate::model::{ANYBODY, EffectClass};

/// Which events are wanted; the default is the latest 20 of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Not before this wall time, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// Not after this wall time, nanoseconds since 1970.
    pub until_ns: Option<i64>,
    /// This session, or a prefix of its id.
    pub session: Option<String>,
    /// This actor's name, or kind (`agent`, `human`, `ci`, `recorder`); `any` for everybody.
    pub actor: Option<String>,
    /// With an effect on this system (`fs`, `git`).
    pub system: Option<String>,
    /// With an effect of this class.
    pub effect: Option<EffectClass>,
    /// Touching a path or resource that contains these bytes.
    pub path: Option<Vec<u8>>,
    /// With these bytes in the command line.
    pub grep: Option<Vec<u8>>,
    /// Only those that failed.
    pub failed: bool,
    /// Only those with an effect other than `none`.
    pub changes: bool,
    /// Containments, releases and alarms of that time as well, whatever else is asked for.
    pub orders: bool,
    /// Only what happened in runs of playbooks.
    pub playbooks: bool,
    /// Only events after this number.
    pub after: Option<u64>,
    /// Only events before this number.
    pub before: Option<u64>,
    /// How many at most.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            since_ns: None,
            until_ns: None,
            session: None,
            actor: None,
            system: None,
            effect: None,
            path: None,
            grep: None,
            failed: false,
            changes: false,
            orders: false,
            playbooks: false,
            after: None,
            before: None,
            limit: 20,
        }
    }
}

/// The bit of a class in `event.classes`.
pub(crate) fn class_bit(class: EffectClass) -> i64 {
    1 << class as i64
}

/// The top bit flipped, so that unsigned order is SQLite's signed order.
pub(crate) fn sortable(unsigned: u64) -> i64 {
    (unsigned ^ (1 << 63)).cast_signed()
}

impl Filter {
    /// True where nothing but a time is asked for.
    pub fn is_of_all(&self) -> bool {
        let Filter { since_ns, until_ns, after, before, limit, .. } = *self;
        let actor = self.actor.clone().filter(|name| name == ANYBODY);
        *self == Filter { since_ns, until_ns, actor, after, before, limit, ..Filter::default() }
    }

    /// The WHERE clause and its values.
    pub(crate) fn sql(&self) -> (String, Vec<Value>) {
        let (mut terms, mut values): (Vec<&str>, Vec<Value>) = (vec!["1"], Vec::new());
        let mut term = |sql: &'static str, given: &[Value]| {
            terms.push(sql);
            values.extend_from_slice(given);
        };
        let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        if let Some(ns) = self.since_ns {
            // Newest first and at most so many: without its first event all before it would be looked at, too.
            let first = "id >= (SELECT min(id) FROM event INDEXED BY event_at WHERE at_ns >= ?)";
            term(first, &[ns.into()]);
            term("at_ns >= ?", &[ns.into()]);
        }
        if let Some(ns) = self.until_ns {
            term("at_ns <= ?", &[ns.into()]);
        }
        if let Some(n) = self.after {
            term("id > ?", &[number(n)]);
        }
        if let Some(n) = self.before {
            term("id < ?", &[number(n)]);
        }
        let within = terms.join(" AND ");
        let (what, given) = self.what();
        values.extend(given);
        let orders = format!("kind IN ({CONTAIN}, {RELEASE}, {ALARM})");
        let what = if self.orders { format!("({what} OR {orders})") } else { what };
        (format!("{within} AND {what}"), values)
    }

    /// What is asked for beside the time.
    fn what(&self) -> (String, Vec<Value>) {
        let (mut terms, mut values): (Vec<&str>, Vec<Value>) = (vec!["1"], Vec::new());
        let mut term = |sql: &'static str, given: &[Value]| {
            terms.push(sql);
            values.extend_from_slice(given);
        };
        if let Some(name) = &self.session {
            let end = Value::Text(format!("{name}\u{10FFFF}"));
            let given = [name.clone().into(), end];
            term("session IN (SELECT id FROM session WHERE name >= ? AND name <= ?)", &given);
        }
        if let Some(name) = self.actor.as_ref().filter(|name| *name != ANYBODY) {
            let given = [name.clone().into(), name.clone().into()];
            term("actor IN (SELECT id FROM actor WHERE name = ? OR kind = ?)", &given);
        }
        if let Some(name) = &self.system {
            let sql = "systems & (SELECT coalesce(max(1 << min(id - 1, 62)), 0) FROM system WHERE name = ?)";
            term(sql, &[name.clone().into()]);
        }
        if let Some(class) = self.effect {
            term("classes & ?", &[class_bit(class).into()]);
        }
        if let Some(bytes) = &self.path {
            let sql =
                "id IN (SELECT event FROM touch JOIN path ON path.id = touch.path WHERE instr(bytes, ?))";
            term(sql, &[Value::Blob(bytes.clone())]);
        }
        if let Some(bytes) = &self.grep {
            term("instr(line, ?)", &[Value::Blob(bytes.clone())]);
        }
        if self.failed {
            term("failed = 1", &[]);
        }
        if self.changes {
            term("classes & ?", &[(!class_bit(EffectClass::None)).into()]);
        }
        if self.playbooks {
            term("kind = ?", &[PLAYBOOK.into()]);
        }
        (format!("({})", terms.join(" AND ")), values)
    }
}
