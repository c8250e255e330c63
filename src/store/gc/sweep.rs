//! Carrying out a plan.

use std::path::Path;

use serde::Serialize;

use super::mark::Marked;
use super::plan::{Action, GcPlan, plan_with_marks};
use super::{GcOptions, References, horizon};
use crate::error::{Error, Result};
use crate::platform::clock;
use crate::platform::home::Home;
use crate::store::catalog::trailers;
use crate::store::condemned::{self, Condemned};
use crate::store::pack::block;
use crate::store::pack::name::PackName;
use crate::store::{Store, file};

/// What gc did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GcReport {
    /// The plan it carried out.
    pub plan: GcPlan,
    /// Packs condemned now.
    pub condemned: u64,
    /// Packs removed now.
    pub removed: u64,
    /// Bytes of the removed packs, less what was copied out of them.
    pub freed_bytes: u64,
    /// Objects copied into new packs.
    pub copied_objects: u64,
    /// Packs that were due and stay, with the reason.
    pub left: Vec<String>,
}

/// Plans afresh and carries it out. Exit code 11 where another gc runs.
pub fn run(store: &Store, options: &GcOptions, references: References<'_>) -> Result<GcReport> {
    let packs = store.home().packs();
    let lock_path = packs.join("gc.lock");
    let lock = file::open_write(&lock_path, true).map_err(|e| Error::io("open", &lock_path, &e))?;
    file::lock(&lock, &lock_path, false, std::time::Duration::ZERO)?;
    let done = collect(store, &packs, options, references);
    // A child that somebody starts at this moment has the lock's file open until it becomes its program.
    file::unlock(&lock);
    done
}

fn collect(store: &Store, packs: &Path, options: &GcOptions, references: References<'_>) -> Result<GcReport> {
    let (plan, marked) = plan_with_marks(store, options, references)?;
    let mut report = GcReport::default();
    let mut list = condemned::read(packs)?;
    // Entries of packs that are gone, and of those that were used since.
    list.retain(|c| plan.packs.iter().any(|p| p.pack == c.pack && p.action != Action::Acquit));
    if marked.unreadable.is_empty() {
        horizon::advance(packs, marked.keep_since_ns)?;
        for due in plan.packs.iter().filter(|p| p.action == Action::Sweep) {
            match sweep(store, packs, &due.pack, due.bytes, &marked, &mut report) {
                Ok(()) => list.retain(|c| c.pack != due.pack),
                Err(e) => report.left.push(format!("{}: {}", due.pack, e.what)),
            }
        }
    } else {
        report.left.push(format!("{} needed objects cannot be read", marked.unreadable.len()));
    }
    let since_ns = clock::now_ns();
    for p in plan.packs.iter().filter(|p| p.action == Action::Condemn) {
        list.push(Condemned { pack: p.pack.clone(), len: p.bytes, since_ns });
        report.condemned += 1;
    }
    if list != condemned::read(packs)? {
        condemned::write(packs, &list)?;
    }
    if report.condemned > 0 {
        // Stat caches vouch for objects in the store. From here on none may vouch for what was just condemned; a
        // capture that has loaded one already ends within the grace time, and its event is marked before the sweep.
        raise_generation(store.home())?;
    }
    report.plan = plan;
    Ok(report)
}

/// Makes every stat cache void.
fn raise_generation(home: &Home) -> Result<()> {
    let path = home.generation();
    let last: u64 =
        std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, format!("{}\n", last + 1)).map_err(|e| Error::io("write", &fresh, &e))?;
    std::fs::rename(&fresh, &path).map_err(|e| Error::io("rename", &fresh, &e))?;
    file::sync_dir(&home.root)
}

/// Copies what is needed out of a pack, durably, and removes it.
fn sweep(
    store: &Store,
    dir: &Path,
    pack: &str,
    len: u64,
    marked: &Marked,
    report: &mut GcReport,
) -> Result<()> {
    let name = PackName::parse(pack).ok_or_else(|| Error::failure("not a pack"))?;
    let path = name.path(dir);
    let io = |e: std::io::Error| Error::io("read", &path, &e);
    let file = file::open_write(&path, false).map_err(io)?;
    // No writer can take it while we hold this, and one that waits for nothing else sees that the file is gone.
    if !file::try_lock(&file).map_err(io)? || file.metadata().map_err(io)?.len() != len {
        return Err(Error::failure("it is being written to"));
    }
    let batch = store.batch();
    let (trailers, _) = trailers(&file, &path, 0)?;
    for trailer in &trailers {
        let mut entries = trailer.entries.iter();
        for row in &trailer.blocks {
            let of_block: Vec<_> = entries.by_ref().take(row.count as usize).collect();
            if !of_block.iter().any(|e| marked.objects.contains(&e.id)) {
                continue;
            }
            let block = block::read(&file, row.offset).map_err(io)?;
            let block = block.map_err(|bad| Error::corrupt(format!("at {}: {bad}", row.offset)))?;
            for entry in of_block.into_iter().filter(|e| marked.objects.contains(&e.id)) {
                let content = block.object(&entry.id);
                let content = content.ok_or_else(|| Error::corrupt(format!("object {}", entry.id)))?;
                batch.put_again(entry.id, entry.kind, content)?;
            }
        }
    }
    let receipt = batch.commit()?;
    std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, &e))?;
    file::sync_dir(dir)?;
    report.removed += 1;
    report.copied_objects += receipt.objects;
    report.freed_bytes += len.saturating_sub(receipt.stored_bytes);
    Ok(())
}
