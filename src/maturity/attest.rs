//! What people vouch for: with their name, until a day, on record. An agent cannot.

use std::collections::BTreeMap;

use serde::Serialize;

use super::criteria::Table;
use crate::error::{Error, ExitCode, Result};
use crate::journal::Durability;
use crate::journal::index::Index;
use crate::model::{Actor, ActorKind, Attested, EventId, EventKind};
use crate::platform::home::Home;
use crate::record::own::{self, Own};
use crate::record::redact::{self, TagKey};

/// The longest that anybody can vouch for something.
pub const LONGEST_NS: i64 = 180 * 86_400_000_000_000;
/// The most characters of a name or a note.
const MOST: usize = 300;

/// One that is on record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attestation {
    /// What was vouched for.
    #[serde(flatten)]
    pub attested: Attested,
    /// When, nanoseconds since 1970.
    pub since_ns: i64,
    /// The event that holds it.
    pub event: EventId,
    /// The login of whoever wrote it down.
    pub by: String,
}

/// The latest for each criterion. What an agent wrote down does not count.
///
/// # Errors
/// Where the index cannot be read.
pub fn on_record(home: &Home) -> Result<BTreeMap<String, Attestation>> {
    let mut latest = BTreeMap::new();
    if !home.exists() {
        return Ok(latest);
    }
    for event in Index::open(home)?.attestations()? {
        let EventKind::Attest { attestation } = &event.before.kind else { continue };
        if event.before.actor.kind != ActorKind::Human {
            continue;
        }
        latest.entry(attestation.criterion.clone()).or_insert_with(|| Attestation {
            attested: Attested {
                // Whatever a record says, it lapses.
                until_ns: attestation.until_ns.min(event.before.at_ns.saturating_add(LONGEST_NS)),
                ..attestation.clone()
            },
            since_ns: event.before.at_ns,
            event: event.id,
            by: event.before.actor.name.clone(),
        });
    }
    Ok(latest)
}

/// Writes one down.
///
/// # Errors
/// Usage, where there is no such criterion, it is measured, or the name or the end will not do; failure, where an agent asks.
pub fn attest(
    attested: Attested,
    table: &Table,
    actor: Actor,
    now_ns: i64,
    home: &Home,
) -> Result<Attestation> {
    let usage = |what: String| Error::new(ExitCode::Usage, what);
    let id = &attested.criterion.clone();
    let Some(criterion) = table.find(id) else {
        let open: Vec<&str> =
            table.criteria.iter().filter(|c| c.measure.is_none()).map(|c| c.id.as_str()).collect();
        return Err(usage(format!("there is no criterion {}", id.escape_debug()))
            .hint(format!("people vouch for: {}", open.join(", "))));
    };
    if let Some(measure) = &criterion.measure {
        return Err(usage(format!("{id} is measured ({measure}): nobody's word takes the place of that"))
            .hint(criterion.next.clone().unwrap_or_default()));
    }
    if actor.kind != ActorKind::Human {
        let what = format!("{} cannot vouch for anything ({})", actor.name, actor.evidence);
        return Err(Error::failure(what).hint("a person does that, in a terminal of their own"));
    }
    let is_line = |text: &str| text.chars().count() <= MOST && !text.chars().any(char::is_control);
    if attested.owner.trim().is_empty() || !is_line(&attested.owner) {
        return Err(usage("--owner is one line with a name".to_owned()));
    }
    if !is_line(&attested.note) {
        return Err(usage(format!("--note is one line of at most {MOST} characters")));
    }
    if attested.until_ns > now_ns.saturating_add(LONGEST_NS) {
        return Err(usage("nobody can vouch for something for more than 180 days".to_owned())
            .hint("leave --until and --for out: it lapses after 180 days"));
    }
    let key = TagKey::load(home);
    let redacted = |text: &str| String::from_utf8_lossy(&redact::redact(text.as_bytes(), &key)).into_owned();
    let attested =
        Attested { owner: redacted(attested.owner.trim()), note: redacted(&attested.note), ..attested };
    let line = format!("fr maturity attest {id}");
    let by = actor.name.clone();
    let own = Own {
        began_ns: now_ns,
        ..Own::now(EventKind::Attest { attestation: attested.clone() }, line, actor)
    };
    let event = own::write(own, Durability::Durable, home)?;
    Ok(Attestation { attested, since_ns: now_ns, event, by })
}
