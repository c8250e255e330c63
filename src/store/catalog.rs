//! Where every committed object is, from the packs' own trailers, loaded newest pack first and only as far as asked.
//!
//! The trailers are checksummed and SQLite rows are not, so this is also what `has` may rely on.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::{Path, PathBuf};

use super::pack::name::{self, PackName};
use super::pack::scan::{Found, Scanner};
use super::pack::trailer::{self, Trailer};
use super::pack::{header, header::HEADER};
use super::{condemned, file};
use crate::error::{Error, Result};
use crate::model::ObjectId;

/// An id is a hash already: its first eight bytes are a good one.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>().filter(|_| bytes.len() == 32) {
            self.0 = u64::from_le_bytes(*first);
        }
    }
}

/// A map by object id.
pub(crate) type ById<V> = HashMap<ObjectId, V, BuildHasherDefault<IdHasher>>;

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The pack's position in the catalog.
    pub pack: u32,
    /// Where its block begins.
    pub block: u64,
}

struct Known {
    name: PackName,
    /// Committed bytes that have been looked at; 0 before the first look.
    seen: u64,
    condemned: bool,
}

/// The objects of a store.
#[derive(Default)]
pub(crate) struct Catalog {
    dir: PathBuf,
    packs: Vec<Known>,
    /// Positions of packs not yet looked at, newest last.
    waiting: Vec<usize>,
    objects: ById<Place>,
    listed: bool,
    /// A pack had bytes that no trailer lists: a batch being written, a torn end, or damage.
    irregular: bool,
}

impl Catalog {
    /// The catalog of a directory of packs; nothing is read yet.
    pub(crate) fn new(dir: PathBuf) -> Catalog {
        Catalog { dir, ..Catalog::default() }
    }

    /// Lists the packs again: those that are new or have grown will be looked at.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let condemned = condemned::names(&self.dir)?;
        let known: HashMap<String, usize> =
            self.packs.iter().enumerate().map(|(at, p)| (p.name.text.clone(), at)).collect();
        self.waiting.clear();
        for name in name::list(&self.dir)? {
            match known.get(&name.text) {
                Some(at) => self.waiting.push(*at),
                None => {
                    self.waiting.push(self.packs.len());
                    self.packs.push(Known { name, seen: 0, condemned: false });
                }
            }
        }
        for pack in &mut self.packs {
            pack.condemned = condemned.contains(&pack.name.text);
        }
        self.listed = true;
        Ok(())
    }

    /// Where an object is, as far as the packs seen so far tell; looks at more packs until it is found.
    pub(crate) fn locate(&mut self, id: &ObjectId) -> Result<Option<Place>> {
        if !self.listed {
            self.refresh()?;
        }
        loop {
            if let Some(place) = self.objects.get(id) {
                return Ok(Some(*place));
            }
            let Some(at) = self.waiting.pop() else { return Ok(None) };
            self.look_at(at)?;
        }
    }

    /// As [`Catalog::locate`], but only objects that will stay: none in a pack that gc has condemned.
    pub(crate) fn trusted(&mut self, id: &ObjectId) -> Result<Option<Place>> {
        let place = self.locate(id)?;
        Ok(place.filter(|p| self.packs.get(p.pack as usize).is_some_and(|k| !k.condemned)))
    }

    /// True where blocks may exist that no trailer lists.
    pub(crate) fn is_irregular(&self) -> bool {
        self.irregular
    }

    /// The name of a pack.
    pub(crate) fn name(&self, pack: u32) -> Option<&PackName> {
        self.packs.get(pack as usize).map(|k| &k.name)
    }

    /// The path of a pack.
    pub(crate) fn path(&self, pack: u32) -> Option<PathBuf> {
        self.name(pack).map(|n| n.path(&self.dir))
    }

    /// Forgets where objects of a pack are: it is gone, or damaged.
    pub(crate) fn forget(&mut self, pack: u32) {
        self.objects.retain(|_, place| place.pack != pack);
        if let Some(known) = self.packs.get_mut(pack as usize) {
            known.seen = 0;
        }
    }

    fn look_at(&mut self, at: usize) -> Result<()> {
        let Some(known) = self.packs.get(at) else { return Ok(()) };
        let path = known.name.path(&self.dir);
        let from = known.seen;
        let pack = match file::open_read(&path) {
            Ok(pack) => pack,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        let (trailers, seen) = trailers(&pack, &path, from)?;
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        for trailer in &trailers {
            self.take(number, trailer);
        }
        self.irregular |= pack.metadata().is_ok_and(|m| m.len() != seen.max(from));
        if let Some(known) = self.packs.get_mut(at) {
            known.seen = seen.max(from);
        }
        Ok(())
    }

    fn take(&mut self, pack: u32, trailer: &Trailer) {
        self.objects.reserve(trailer.entries.len());
        let mut entries = trailer.entries.iter();
        for row in &trailer.blocks {
            for entry in entries.by_ref().take(row.count as usize) {
                let place = Place { pack, block: row.offset };
                let slot = self.objects.entry(entry.id).or_insert(place);
                // A copy in a condemned pack gives way to one elsewhere.
                let condemned = |p: u32| self.packs.get(p as usize).is_some_and(|k| k.condemned);
                if condemned(slot.pack) && !condemned(pack) {
                    *slot = place;
                }
            }
        }
    }
}

/// The trailers of a pack that lie behind `from`, and where the last of them ends. Reads backward from the end; where
/// the end is torn or a trailer damaged, forward over everything.
pub(crate) fn trailers(pack: &File, path: &Path, from: u64) -> Result<(Vec<Trailer>, u64)> {
    let io = |e: std::io::Error| Error::io("read", path, &e);
    let size = pack.metadata().map_err(io)?.len();
    if size <= from.max(HEADER as u64) {
        return Ok((Vec::new(), from));
    }
    let mut first = [0u8; HEADER];
    file::read_at(pack, &mut first, 0).map_err(io)?;
    // A damaged header does not make the blocks unreadable; only a newer format does.
    if let Err(e) = header::check(&first, &path.display().to_string())
        && e.code == crate::error::ExitCode::NewerStore
    {
        return Err(e);
    }
    match backward(pack, size, from).map_err(io)? {
        Some(found) => Ok((found, size)),
        None => forward(pack, size, from).map_err(io),
    }
}

fn backward(pack: &File, size: u64, from: u64) -> std::io::Result<Option<Vec<Trailer>>> {
    let mut found = Vec::new();
    let mut end = size;
    while end > from.max(HEADER as u64) {
        let Some((_, trailer)) = trailer::ending_at(pack, end)? else { return Ok(None) };
        end = trailer.start;
        found.push(trailer);
    }
    Ok(Some(found))
}

fn forward(pack: &File, size: u64, from: u64) -> std::io::Result<(Vec<Trailer>, u64)> {
    let (mut found, mut end) = (Vec::new(), from);
    let mut scanner = Scanner::from(pack, size, from);
    while let Some(item) = scanner.next()? {
        if let Found::Trailer { offset, trailer } = item {
            end = offset + trailer.len();
            found.push(trailer);
        }
    }
    Ok((found, end))
}
