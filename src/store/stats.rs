//! `fr store stats`: what is kept, and how much room it takes.

use serde::Serialize;

use super::catalog::trailers;
use super::pack::name;
use super::{Store, condemned, file};
use crate::error::{Error, Result};
use crate::journal::index::Index;
use crate::journal::{Journal, index};

/// The store in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Pack files.
    pub packs: u64,
    /// Of these, condemned by gc and waiting for its grace time.
    pub condemned_packs: u64,
    /// Committed objects, copies counted.
    pub objects: u64,
    /// Their bytes, unpacked.
    pub raw_bytes: u64,
    /// Bytes of the packs.
    pub stored_bytes: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Events.
    pub events: u64,
    /// Events that captured something.
    pub captured_events: u64,
    /// Bytes that captures refer to, each capture counted in full.
    pub captured_bytes: u64,
    /// `captured_bytes / stored_bytes`: what dedup and compression save together; 0 where nothing is stored.
    pub saving: f64,
}

fn size(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// Counts everything. Reads the packs' trailers, not their blocks.
pub fn stats(store: &Store) -> Result<Stats> {
    let home = store.home();
    let mut stats =
        Stats { condemned_packs: condemned::read(&home.packs())?.len() as u64, ..Stats::default() };
    for name in name::list(&home.packs())? {
        let path = name.path(&home.packs());
        let pack = file::open_read(&path).map_err(|e| Error::io("read", &path, &e))?;
        let (trailers, _) = trailers(&pack, &path, 0)?;
        stats.packs += 1;
        stats.stored_bytes += size(&path);
        for entry in trailers.iter().flat_map(|t| &t.entries) {
            stats.objects += 1;
            stats.raw_bytes += u64::from(entry.len);
        }
    }
    stats.journal_bytes = Journal::open(home)?.bytes();
    let totals: index::Totals = Index::open(home)?.totals()?;
    for suffix in ["", "-wal"] {
        let mut name = home.index().into_os_string();
        name.push(suffix);
        stats.index_bytes += size(std::path::Path::new(&name));
    }
    stats.events = totals.events;
    stats.captured_events = totals.captured_events;
    stats.captured_bytes = totals.captured_bytes;
    if stats.stored_bytes > 0 {
        stats.saving = stats.captured_bytes as f64 / stats.stored_bytes as f64;
    }
    Ok(stats)
}
