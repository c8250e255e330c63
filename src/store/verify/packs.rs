//! Reading every byte of a pack.

use std::fs::File;
use std::path::Path;

use super::{Finding, Severity};
use crate::error::{Error, Result};
use crate::model::ObjectId;
use crate::store::catalog::ById;
use crate::store::file;
use crate::store::pack::block::{self, Head};
use crate::store::pack::header::{self, HEADER};
use crate::store::pack::scan::{Found, Scanner};
use crate::store::pack::trailer::{self, Trailer};

/// What reading packs has shown so far.
#[derive(Default)]
pub(crate) struct PackCheck {
    /// Objects with a whole copy, and the length of their content.
    pub whole: ById<u32>,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong. `objects` holds what was there; those with a whole copy elsewhere are taken out at the end.
    pub findings: Vec<Finding>,
}

/// One pack being checked.
struct Walk<'a> {
    pack: &'a File,
    path: &'a Path,
    size: u64,
    /// Whole blocks since the last trailer.
    blocks: Vec<(u64, Head)>,
    /// Where the last trailer began and ended.
    last: (u64, u64),
    /// Damage since the last trailer.
    damaged: bool,
    /// Damaged places, with the index of their finding.
    places: Vec<(u64, u64, usize)>,
}

impl PackCheck {
    /// Reads a pack.
    pub(crate) fn pack(&mut self, path: &Path) -> Result<()> {
        let io = |e: std::io::Error| Error::io("read", path, &e);
        let pack = match file::open_read(path) {
            // Removed by gc since it was listed.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(io)?,
        };
        // While a writer has it, its end is not yet written: only committed bytes are checked.
        let busy = file::lock(&pack, path, true, std::time::Duration::ZERO).is_err();
        let size = pack.metadata().map_err(io)?.len();
        self.bytes += size;
        let mut first = [0u8; HEADER];
        let got = file::read_at(&pack, &mut first, 0).map_err(io)?;
        if let Err(e) = header::check(first.get(..got).unwrap_or_default(), &path.display().to_string()) {
            let severity = if size < HEADER as u64 { Severity::Torn } else { Severity::Damaged };
            self.findings.push(Finding::new(severity, path, 0, e.what));
        }
        let last = (0, HEADER as u64);
        let (blocks, places) = (Vec::new(), Vec::new());
        let mut walk = Walk { pack: &pack, path, size, blocks, last, damaged: false, places };
        let mut scanner = Scanner::new(&pack, size);
        while let Some(found) = scanner.next().map_err(io)? {
            self.found(&mut walk, found).map_err(io)?;
        }
        self.end(&walk, busy).map_err(io)
    }

    fn report(&mut self, walk: &mut Walk<'_>, offset: u64, len: u64, what: String) {
        walk.damaged = true;
        walk.places.push((offset, offset + len, self.findings.len()));
        self.findings.push(Finding::new(Severity::Damaged, walk.path, offset, what));
    }

    fn found(&mut self, walk: &mut Walk<'_>, found: Found) -> std::io::Result<()> {
        match found {
            Found::Damage { offset, len, why } => {
                if offset + len < walk.size {
                    self.report(walk, offset, len, format!("{len} bytes: {why}"));
                } else {
                    let severity = if was_whole(walk, offset)? { Severity::Damaged } else { Severity::Torn };
                    walk.damaged = true;
                    walk.places.push((offset, offset + len, self.findings.len()));
                    let what = format!("{len} bytes at the end: {why}");
                    self.findings.push(Finding::new(severity, walk.path, offset, what));
                }
            }
            Found::Block { offset, head } => {
                self.block(walk, offset, &head)?;
                walk.blocks.push((offset, head));
            }
            Found::Trailer { offset, trailer } => self.trailer(walk, offset, &trailer),
        }
        Ok(())
    }

    fn block(&mut self, walk: &mut Walk<'_>, offset: u64, head: &Head) -> std::io::Result<()> {
        let len = head.block_len();
        let block = match block::read(walk.pack, offset)? {
            Ok(block) => block,
            Err(bad) => {
                self.report(walk, offset, len, bad.to_string());
                self.name_objects(head.entries.iter().map(|e| e.id));
                return Ok(());
            }
        };
        for entry in &head.entries {
            if block.object(&entry.id).is_some() {
                self.whole.insert(entry.id, entry.len);
            } else {
                self.report(walk, offset, len, "an object is not what its address says".to_owned());
                self.name_objects(std::iter::once(entry.id));
            }
        }
        Ok(())
    }

    fn name_objects(&mut self, ids: impl Iterator<Item = ObjectId>) {
        if let Some(finding) = self.findings.last_mut() {
            finding.objects.extend(ids);
        }
    }

    fn trailer(&mut self, walk: &mut Walk<'_>, offset: u64, trailer: &Trailer) {
        let mut entries = trailer.entries.iter();
        for row in &trailer.blocks {
            let of_block: Vec<_> = entries.by_ref().take(row.count as usize).copied().collect();
            let whole = walk.blocks.iter().find(|(at, _)| *at == row.offset);
            let fits = whole.is_some_and(|(_, head)| {
                head.entries == of_block
                    && head.block_len() == u64::from(row.len)
                    && head.raw_len == row.raw_len
                    && head.stored_len == row.stored_len
            });
            if fits {
                continue;
            }
            match walk.places.iter().find(|(from, to, _)| (*from..*to).contains(&row.offset)) {
                Some((_, _, at)) => {
                    if let Some(finding) = self.findings.get_mut(*at) {
                        finding.objects.extend(of_block.iter().map(|e| e.id));
                    }
                }
                None => {
                    self.report(
                        walk,
                        row.offset,
                        0,
                        "there is no such block as the trailer lists".to_owned(),
                    );
                    self.name_objects(of_block.iter().map(|e| e.id));
                }
            }
        }
        let continues = trailer.start == walk.last.1 && trailer.prev == walk.last.0;
        if !walk.damaged && (!continues || trailer.blocks.len() != walk.blocks.len()) {
            self.report(walk, offset, 0, "a trailer does not continue what lies before it".to_owned());
        }
        walk.last = (offset, offset + trailer.len());
        walk.blocks.clear();
        walk.damaged = false;
    }

    /// What lies behind the last trailer.
    fn end(&mut self, walk: &Walk<'_>, busy: bool) -> std::io::Result<()> {
        let (_, end) = walk.last;
        if walk.size <= end {
            return Ok(());
        }
        if busy {
            // Not committed yet: what looks torn is being written.
            self.findings.retain(|f| f.file != walk.path || f.offset < end || f.severity != Severity::Torn);
            self.findings.push(Finding::new(Severity::Note, walk.path, end, "is being written"));
        } else if !walk.damaged {
            let what = format!("{} whole blocks that were not committed", walk.blocks.len());
            self.findings.push(Finding::new(Severity::Torn, walk.path, end, what));
        }
        Ok(())
    }
}

/// True where the end of the pack was a whole trailer once: its end mark is there, or all the length its start claims.
fn was_whole(walk: &Walk<'_>, offset: u64) -> std::io::Result<bool> {
    let mut end = [0u8; 4];
    file::read_at(walk.pack, &mut end, walk.size.saturating_sub(4))?;
    let mut head = vec![0u8; trailer::HEAD];
    let got = file::read_at(walk.pack, &mut head, offset)?;
    head.truncate(got);
    let claimed = Trailer::claimed_len(&head).map(|len| offset + len as u64);
    let block = block::claimed_head_len(&head).ok().map(|len| offset + len as u64);
    Ok(end == trailer::END || claimed.or(block).is_some_and(|to| to <= walk.size))
}
