//! What gc would do, as a value that can be shown.

use serde::Serialize;

use super::mark::Places;
use super::mark::{Marked, mark};
use super::{GcOptions, References, ns};
use crate::error::{Error, Result};
use crate::platform::clock;
use crate::store::catalog::trailers;
use crate::store::condemned::{self, Condemned};
use crate::store::pack::name::{self, PackName};
use crate::store::{Store, file};

/// A pack is condemned when at least this part of it is dead: 1/5.
const DEAD_PART: u64 = 5;

/// What happens to a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It stays: most of it is needed, or it is too young.
    Keep,
    /// It is condemned now.
    Condemn,
    /// It is condemned and its grace time runs.
    Wait,
    /// Its grace time is over: what is needed is copied, then it is removed.
    Sweep,
    /// It was condemned and has been written to since: it stays after all.
    Acquit,
}

/// One pack in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackPlan {
    /// Its file name.
    pub pack: String,
    /// Its length.
    pub bytes: u64,
    /// Bytes in it that nobody needs (an estimate: blocks are shared).
    pub dead_bytes: u64,
    /// Objects in it that are needed.
    pub live_objects: u64,
    /// Objects in it that nobody needs.
    pub dead_objects: u64,
    /// What happens to it.
    pub action: Action,
}

/// What gc would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GcPlan {
    /// Captures of events since this wall time stay, nanoseconds since 1970.
    pub keep_since_ns: i64,
    /// Events whose captures stay.
    pub kept_events: u64,
    /// Events whose captures may go.
    pub expired_events: u64,
    /// Bytes that removing and condemning will set free, about.
    pub reclaim_bytes: u64,
    /// Needed objects that could not be read. While there are any, nothing is removed.
    pub unreadable_objects: u64,
    /// All packs, oldest first.
    pub packs: Vec<PackPlan>,
    /// The options of the locators of captures that stay: what systems keep beside the packs is named in them.
    #[serde(skip)]
    pub places: Places,
}

/// Looks; changes nothing.
pub fn plan(store: &Store, options: &GcOptions, references: References<'_>) -> Result<GcPlan> {
    Ok(plan_with_marks(store, options, references)?.0)
}

pub(crate) fn plan_with_marks(
    store: &Store,
    options: &GcOptions,
    references: References<'_>,
) -> Result<(GcPlan, Marked)> {
    let packs = store.home().packs();
    let condemned = condemned::read(&packs)?;
    // The list of packs comes first: a pack made while we mark is not looked at.
    let names = name::list(&packs)?;
    let marked = mark(store, options, references)?;
    let mut plan = GcPlan {
        keep_since_ns: marked.keep_since_ns,
        kept_events: marked.kept,
        expired_events: marked.expired,
        unreadable_objects: marked.unreadable.len() as u64,
        places: marked.places.clone(),
        ..GcPlan::default()
    };
    for name in names {
        let entry = condemned.iter().find(|c| c.pack == name.text);
        let pack = plan_pack(&packs, &name, entry, options, &marked)?;
        if matches!(pack.action, Action::Condemn | Action::Wait | Action::Sweep) {
            plan.reclaim_bytes += pack.dead_bytes;
        }
        plan.packs.push(pack);
    }
    Ok((plan, marked))
}

fn plan_pack(
    dir: &std::path::Path,
    name: &PackName,
    condemned: Option<&Condemned>,
    options: &GcOptions,
    marked: &Marked,
) -> Result<PackPlan> {
    let path = name.path(dir);
    let pack = file::open_read(&path).map_err(|e| Error::io("read", &path, &e))?;
    let bytes = pack.metadata().map_err(|e| Error::io("read", &path, &e))?.len();
    let (trailers, seen) = trailers(&pack, &path, 0)?;
    let mut plan = PackPlan {
        pack: name.text.clone(),
        bytes,
        dead_bytes: bytes.saturating_sub(seen),
        live_objects: 0,
        dead_objects: 0,
        action: Action::Keep,
    };
    for trailer in &trailers {
        let mut entries = trailer.entries.iter();
        for row in &trailer.blocks {
            let (mut live, mut dead) = (0u64, 0u64);
            for entry in entries.by_ref().take(row.count as usize) {
                let needed = marked.objects.contains(&entry.id);
                *(if needed { &mut live } else { &mut dead }) += u64::from(entry.len).max(1);
                *(if needed { &mut plan.live_objects } else { &mut plan.dead_objects }) += 1;
            }
            plan.dead_bytes += u64::from(row.len) * dead / (live + dead).max(1);
        }
    }
    let now = clock::now_ns();
    let old = |since: i64| since <= now.saturating_sub(ns(options.grace));
    let youngest = trailers.iter().map(|t| t.time_ns).max().unwrap_or(0).max(modified_ns(&pack));
    plan.action = match condemned {
        Some(c) if c.len != bytes => Action::Acquit,
        Some(c) if old(c.since_ns) => Action::Sweep,
        Some(_) => Action::Wait,
        None if old(youngest) && plan.dead_bytes > 0 && plan.dead_bytes * DEAD_PART >= bytes => {
            Action::Condemn
        }
        None => Action::Keep,
    };
    Ok(plan)
}

/// When the pack was written to last, by the file system.
fn modified_ns(pack: &std::fs::File) -> i64 {
    let since = pack.metadata().and_then(|m| m.modified()).ok();
    let since = since.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}
