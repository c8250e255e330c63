//! Reading objects back, each checked against its address.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use super::catalog::Place;
use super::file;
use super::handle::Inner;
use super::pack::block::{self, Block};
use super::pack::name;
use super::pack::scan::{Found, Scanner};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSource};

/// Unpacked blocks kept, by their raw bytes: neighbours in a tree are neighbours in a block.
const CACHE_BYTES: usize = 32 << 20;

/// Reads objects of a store. Never returns bytes that are not what their address says.
#[derive(Clone)]
pub struct Reader(pub(crate) Arc<Inner>);

/// The blocks read last.
#[derive(Default)]
pub(crate) struct BlockCache {
    blocks: VecDeque<(Place, Arc<Block>)>,
    bytes: usize,
}

impl BlockCache {
    fn get(&mut self, place: Place) -> Option<Arc<Block>> {
        let at = self.blocks.iter().position(|(p, _)| *p == place)?;
        let hit = self.blocks.remove(at)?;
        let block = Arc::clone(&hit.1);
        self.blocks.push_front(hit);
        Some(block)
    }

    fn put(&mut self, place: Place, block: Arc<Block>) {
        self.bytes += block.raw.len();
        self.blocks.push_front((place, block));
        while self.bytes > CACHE_BYTES && self.blocks.len() > 1 {
            if let Some((_, old)) = self.blocks.pop_back() {
                self.bytes -= old.raw.len();
            }
        }
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic elsewhere cannot leave these maps half-changed in a way that yields wrong bytes: all reads are checked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reader {
    fn block(&self, place: Place) -> Result<Arc<Block>> {
        if let Some(block) = locked(&self.0.blocks).get(place) {
            return Ok(block);
        }
        let path = locked(&self.0.catalog).path(place.pack);
        let path = path.ok_or_else(|| Error::failure("no such pack"))?;
        let io = |e: std::io::Error| Error::io("read", &path, &e);
        let pack = file::open_read(&path).map_err(io)?;
        let block = block::read(&pack, place.block)
            .map_err(io)?
            .map_err(|bad| Error::corrupt(format!("{} at {}: {bad}", path.display(), place.block)))?;
        let block = Arc::new(block);
        locked(&self.0.blocks).put(place, Arc::clone(&block));
        Ok(block)
    }

    fn at_place(&self, id: &ObjectId, place: Place) -> Result<Vec<u8>> {
        let block = self.block(place)?;
        let content = block.object(id).map(<[u8]>::to_vec);
        content.ok_or_else(|| Error::corrupt(format!("object {id} is not what its pack says")))
    }

    /// The content of an object and its kind.
    pub(crate) fn get_with_kind(&self, id: &ObjectId) -> Result<(ObjectKind, Vec<u8>)> {
        let content = self.get(id)?;
        let kinds = (0..=u8::MAX).filter_map(ObjectKind::from_u8);
        let kind = kinds.into_iter().find(|kind| ObjectId::of(*kind, &content) == *id);
        kind.map(|kind| (kind, content)).ok_or_else(|| Error::corrupt(format!("object {id} has no kind")))
    }

    fn locate(&self, id: &ObjectId) -> Result<Option<Place>> {
        let mut catalog = locked(&self.0.catalog);
        match catalog.locate(id)? {
            Some(place) => Ok(Some(place)),
            None => {
                // Another process may have committed since, or gc moved it.
                catalog.refresh()?;
                catalog.locate(id)
            }
        }
    }

    /// Looks for a whole copy in every block of every pack, trailers or not.
    fn salvage(&self, id: &ObjectId) -> Result<Option<Vec<u8>>> {
        for name in name::list(&self.0.home.packs())?.iter().rev() {
            let Ok(pack) = file::open_read(&name.path(&self.0.home.packs())) else { continue };
            let Ok(size) = pack.metadata().map(|m| m.len()) else { continue };
            if let Some(content) = salvage_from(&pack, size, id) {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }
}

fn salvage_from(pack: &File, size: u64, id: &ObjectId) -> Option<Vec<u8>> {
    let mut scanner = Scanner::new(pack, size);
    while let Ok(Some(found)) = scanner.next() {
        let Found::Block { offset, head } = found else { continue };
        if !head.entries.iter().any(|e| e.id == *id) {
            continue;
        }
        if let Ok(Ok(block)) = block::read(pack, offset)
            && let Some(content) = block.object(id)
        {
            return Some(content.to_vec());
        }
    }
    None
}

impl ObjectSource for Reader {
    /// The content of an object. A damaged copy is not returned: another one is looked for.
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        let first = match self.locate(id)? {
            Some(place) => match self.at_place(id, place) {
                Ok(content) => return Ok(content),
                Err(e) => {
                    locked(&self.0.catalog).forget(place.pack);
                    Some(e)
                }
            },
            None => None,
        };
        // The pack may have been rewritten by gc since it was listed.
        locked(&self.0.catalog).refresh()?;
        if let Ok(Some(place)) = self.locate(id)
            && let Ok(content) = self.at_place(id, place)
        {
            return Ok(content);
        }
        let damaged = first.is_some() || locked(&self.0.catalog).is_irregular();
        if damaged && let Some(content) = self.salvage(id)? {
            return Ok(content);
        }
        Err(first.unwrap_or_else(|| Error::failure(format!("object {id} is not in the store"))))
    }
}
