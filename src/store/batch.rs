//! A set of objects that become durable together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::catalog::{ById, Place};
use super::handle::Store;
use super::pack::Entry;
use super::pack::block::{self, Block};
use super::pack::writer::{Last, PackWriter};
use super::reader::locked;
use super::{condemned, file};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};

/// Small objects are gathered into blocks of this many raw bytes; larger objects get a block of their own.
const BLOCK_BYTES: usize = 256 << 10;
/// What a batch may take in before it looks at what the store holds already: below, writing again is cheaper.
const BLIND_BYTES: u64 = 256 << 10;
/// What one question whether an object is there counts as, in bytes.
const QUESTION: u64 = 4 << 10;
/// A pack changed within this time may not have been synced by its writer yet.
const SETTLED: Duration = Duration::from_secs(60);

/// Objects on their way into a pack. Threads put in parallel. Dropped without [`Batch::commit`], nothing of it is to
/// be seen (packs that it had filled completely stay, and gc removes what nothing refers to).
pub struct Batch<'a> {
    store: &'a Store,
    input: AtomicU64,
    state: Mutex<State>,
    writer: Mutex<Writer>,
}

/// What a commit made durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Receipt {
    /// The pack that holds the end of it; empty where nothing new was put.
    pub pack: String,
    /// Objects written.
    pub objects: u64,
    /// Their bytes.
    pub raw_bytes: u64,
    /// Bytes the packs have grown by.
    pub stored_bytes: u64,
}

/// Objects gathered for one block.
#[derive(Default)]
struct Gathering {
    entries: Vec<Entry>,
    raw: Vec<u8>,
}

#[derive(Default)]
struct State {
    /// The objects of this batch and the number of the block that each is in.
    known: ById<u64>,
    /// The block being filled; its number is `next`.
    filling: Gathering,
    next: u64,
    /// Full blocks being compressed or written.
    in_flight: HashMap<u64, Arc<Block>>,
    /// Where written blocks are: (position in `Writer::files`, offset).
    written: HashMap<u64, (usize, u64)>,
    /// Objects not written because the store has them, by where.
    relied_on: ById<Place>,
}

#[derive(Default)]
struct Writer {
    pack: Option<PackWriter>,
    /// Packs of this batch, for reading back.
    packs: Vec<std::path::PathBuf>,
    receipt: Receipt,
    /// A write failed: objects that were promised are lost, so it must not commit.
    failed: Option<String>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(store: &'a Store) -> Batch<'a> {
        Batch { store, input: AtomicU64::new(0), state: Mutex::default(), writer: Mutex::default() }
    }

    /// True where the store has the object in a place that will stay.
    fn in_store(&self, id: &ObjectId, cost: u64) -> bool {
        if self.input.fetch_add(cost, Ordering::Relaxed) + cost <= BLIND_BYTES {
            return false;
        }
        // An unreadable catalog means "not known": the object is written again.
        let place = locked(&self.store.0.catalog).trusted(id).ok().flatten();
        if let Some(place) = place {
            locked(&self.state).relied_on.insert(*id, place);
        }
        place.is_some()
    }

    fn add(&self, id: ObjectId, kind: ObjectKind, content: &[u8]) -> Result<()> {
        let len = u32::try_from(content.len()).ok().filter(|l| *l as usize <= block::MAX_RAW);
        let len =
            len.ok_or_else(|| Error::failure(format!("an object of {} bytes is too large", content.len())))?;
        let entry = Entry { id, kind, len };
        let full = {
            let mut state = locked(&self.state);
            if state.known.contains_key(&id) {
                return Ok(());
            }
            if content.len() >= BLOCK_BYTES {
                // Alone in its block, which is numbered apart from the one being filled.
                let alone = Gathering { entries: vec![entry], raw: content.to_vec() };
                let filling = std::mem::replace(&mut state.filling, alone);
                state.known_at_next(id);
                let full = state.close();
                state.renumber(filling);
                full
            } else {
                state.known_at_next(id);
                state.filling.entries.push(entry);
                state.filling.raw.extend_from_slice(content);
                if state.filling.raw.len() < BLOCK_BYTES {
                    return Ok(());
                }
                state.close()
            }
        };
        full.map_or(Ok(()), |(number, block)| self.write(number, &block))
    }

    /// Stores a copy of an object whatever the store holds already: for gc, which is about to remove the old one.
    pub(crate) fn put_again(&self, id: ObjectId, kind: ObjectKind, content: &[u8]) -> Result<()> {
        self.add(id, kind, content)
    }

    fn write(&self, number: u64, block: &Block) -> Result<()> {
        let bytes = block::encode(&block.entries, &block.raw)?;
        let written = {
            let mut writer = locked(&self.writer);
            let written = self.append(&mut writer, &bytes, block);
            if let Err(e) = &written {
                writer.failed.get_or_insert_with(|| e.what.clone());
            }
            written
        }?;
        let mut state = locked(&self.state);
        state.written.insert(number, written);
        state.in_flight.remove(&number);
        Ok(())
    }

    fn append(&self, writer: &mut Writer, bytes: &[u8], block: &Block) -> Result<(usize, u64)> {
        if writer.pack.as_ref().is_some_and(PackWriter::is_full) {
            self.close_pack(writer, None)?;
        }
        let pack = self.pack(writer)?;
        let offset = pack.append(bytes, block.raw.len(), &block.entries)?;
        writer.count(block);
        Ok((writer.packs.len() - 1, offset))
    }

    fn pack<'w>(&self, writer: &'w mut Writer) -> Result<&'w mut PackWriter> {
        let dir = self.store.0.home.packs();
        if writer.pack.is_none() {
            let condemned = condemned::names(&dir)?;
            let pack = PackWriter::take(&dir, |name| condemned.contains(name))?;
            writer.packs.push(pack.name.path(&dir));
            writer.pack = Some(pack);
        }
        writer.pack.as_mut().ok_or_else(|| Error::failure("no pack to write to"))
    }

    /// Commits the pack being written. Where its sync fails, its blocks are copied into a new pack, once: what a failed
    /// sync left in the page cache is not to be trusted as durable, but it can still be read and is checked.
    fn close_pack(&self, writer: &mut Writer, last: Option<Last>) -> Result<()> {
        let Some(mut pack) = writer.pack.take() else { return Ok(()) };
        let committed = match pack.commit(last) {
            Err(_) if pack.sync_failed() => {
                pack = pack.copy(&self.store.0.home.packs())?;
                pack.commit(None)
            }
            other => other,
        };
        if committed.is_err() {
            writer.failed.get_or_insert_with(|| "a pack could not be committed".to_owned());
        }
        writer.receipt.stored_bytes += committed?;
        writer.receipt.pack = pack.name.text.clone();
        Ok(())
    }

    /// Makes all of it durable: data first, then the name of a new pack. Only when this has returned may a journal
    /// record name an object of the batch.
    pub fn commit(self) -> Result<Receipt> {
        self.settle()?;
        let last = {
            let mut state = locked(&self.state);
            state.close().map(|(_, block)| block)
        };
        let mut writer = locked(&self.writer);
        if let Some(why) = writer.failed.take() {
            return Err(Error::failure(format!("the store could not be written: {why}")));
        }
        let last = match last {
            Some(block) => {
                let bytes = block::encode(&block.entries, &block.raw)?;
                self.pack(&mut writer)?;
                writer.count(&block);
                Some(Last { bytes, raw_len: block.raw.len(), entries: block.entries.clone() })
            }
            None => None,
        };
        self.close_pack(&mut writer, last)?;
        Ok(std::mem::take(&mut writer.receipt))
    }

    /// Makes sure that what was relied on is there, will stay and is durable; what is not is written again.
    fn settle(&self) -> Result<()> {
        let relied_on = std::mem::take(&mut locked(&self.state).relied_on);
        if relied_on.is_empty() {
            return Ok(());
        }
        let condemned = condemned::names(&self.store.0.home.packs())?;
        let mut doubtful = HashMap::new();
        for place in relied_on.values() {
            doubtful.entry(place.pack).or_insert_with(|| !self.will_stay(place.pack, &condemned));
        }
        let reader = self.store.reader();
        for (id, place) in relied_on {
            if doubtful.get(&place.pack) == Some(&true) {
                let (kind, content) = reader.get_with_kind(&id)?;
                self.add(id, kind, &content)?;
            }
        }
        Ok(())
    }

    fn will_stay(&self, pack: u32, condemned: &std::collections::HashSet<String>) -> bool {
        let (name, path) = {
            let catalog = locked(&self.store.0.catalog);
            (catalog.name(pack).map(|n| n.text.clone()), catalog.path(pack))
        };
        let (Some(name), Some(path)) = (name, path) else { return false };
        let Ok(pack) = file::open_read(&path) else { return false };
        let changed = pack.metadata().and_then(|m| m.modified()).unwrap_or_else(|_| SystemTime::now());
        let settled = changed.elapsed().is_ok_and(|age| age > SETTLED);
        !condemned.contains(&name) && (settled || file::sync(&pack, &path).is_ok())
    }
}

impl Writer {
    fn count(&mut self, block: &Block) {
        self.receipt.objects += block.entries.len() as u64;
        self.receipt.raw_bytes += block.raw.len() as u64;
    }
}

impl State {
    fn known_at_next(&mut self, id: ObjectId) {
        let number = self.next;
        self.known.insert(id, number);
    }

    /// Takes the block being filled, if anything is in it, and begins the next.
    fn close(&mut self) -> Option<(u64, Arc<Block>)> {
        let Gathering { entries, raw } = std::mem::take(&mut self.filling);
        if entries.is_empty() {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let block = Arc::new(Block { entries, raw });
        self.in_flight.insert(number, Arc::clone(&block));
        Some((number, block))
    }

    /// Goes on filling a block under the present number.
    fn renumber(&mut self, filling: Gathering) {
        for entry in &filling.entries {
            self.known.insert(entry.id, self.next);
        }
        self.filling = filling;
    }
}

impl ObjectSink for Batch<'_> {
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
        let id = ObjectId::of(kind, content);
        if locked(&self.state).known.contains_key(&id) || self.in_store(&id, content.len() as u64) {
            return Ok(id);
        }
        self.add(id, kind, content)?;
        Ok(id)
    }

    fn has(&self, id: &ObjectId) -> bool {
        locked(&self.state).known.contains_key(id) || self.in_store(id, QUESTION)
    }
}

impl ObjectSource for Batch<'_> {
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        let Some(block) = self.own_block(id)? else { return self.store.reader().get(id) };
        let content = block.object(id).map(<[u8]>::to_vec);
        content.ok_or_else(|| Error::corrupt(format!("object {id} was not written as it was put")))
    }
}

impl Batch<'_> {
    /// The block of this batch that holds an object.
    fn own_block(&self, id: &ObjectId) -> Result<Option<Arc<Block>>> {
        let (file, offset) = {
            let state = locked(&self.state);
            let Some(number) = state.known.get(id) else { return Ok(None) };
            if let Some(block) = state.in_flight.get(number) {
                return Ok(Some(Arc::clone(block)));
            }
            match state.written.get(number) {
                Some(place) => *place,
                None => {
                    let Gathering { entries, raw } = &state.filling;
                    let block = Block { entries: entries.clone(), raw: raw.clone() };
                    return Ok(Some(Arc::new(block)));
                }
            }
        };
        let path = locked(&self.writer).packs.get(file).cloned();
        let path = path.ok_or_else(|| Error::failure("no such pack in this batch"))?;
        let io = |e: std::io::Error| Error::io("read", &path, &e);
        let pack = file::open_read(&path).map_err(io)?;
        let block = block::read(&pack, offset).map_err(io)?;
        block
            .map(|b| Some(Arc::new(b)))
            .map_err(|bad| Error::corrupt(format!("{} at {offset}: {bad}", path.display())))
    }
}
