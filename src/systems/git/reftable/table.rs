//! One table: a sorted, immutable file of ref records and log records in blocks (gitformat-reftable). Indexes and the
//! object section, which only make lookups faster, are passed over when reading and left out when writing, as the format
//! allows.

use std::collections::BTreeMap;

use flate2::{Decompress, FlushDecompress};

use super::block::{Block, Blocks, records};
use super::wire::{Reader, damaged, put_number, put_string, put_varint};
use crate::error::{Error, Result};

/// git's own block size.
pub const BLOCK: usize = 4096;
/// The most bytes that the logs of one table may have unpacked: a small file must not fill the memory.
const MOST_LOGS: usize = 256 << 20;

/// What a ref is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefValue {
    /// An object, and for a tag object what it leads to in the end.
    Id {
        /// Its id.
        id: Vec<u8>,
        /// The id of what the tag is of.
        peeled: Option<Vec<u8>>,
    },
    /// Another ref.
    Symbolic(Vec<u8>),
}

/// One line of a reflog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The value before.
    pub old: Vec<u8>,
    /// The value after.
    pub new: Vec<u8>,
    /// Who.
    pub name: Vec<u8>,
    /// Their address.
    pub email: Vec<u8>,
    /// Seconds since 1970.
    pub time: u64,
    /// The zone as git writes it: 530 is `+0530`.
    pub zone: i16,
    /// Why, with a line end.
    pub message: Vec<u8>,
}

/// The records of a table. `None` takes away what an older table has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The lowest update index in it.
    pub min: u64,
    /// The highest.
    pub max: u64,
    /// Bytes of an object id.
    pub hash_len: usize,
    /// Bytes of a block; 0 where blocks are not aligned.
    pub block_size: usize,
    /// Refs by name.
    pub refs: BTreeMap<Vec<u8>, Option<RefValue>>,
    /// Log entries by the name of their ref and their update index.
    pub logs: BTreeMap<(Vec<u8>, u64), Option<LogEntry>>,
}

impl Table {
    /// Reads a table.
    pub fn parse(bytes: &[u8]) -> Result<Table> {
        let mut at = Reader(bytes);
        if at.take(4)? != b"REFT" {
            return Err(damaged());
        }
        let version = at.number(1)?;
        let block_size = at.number(3)? as usize;
        let (min, max) = (at.number(8)?, at.number(8)?);
        let (header, hash_len) = match version {
            1 => (24, 20),
            2 => (28, if at.take(4)? == b"s256" { 32 } else { 20 }),
            _ => return Err(Error::failure(format!("reftable version {version} is not known"))),
        };
        let body = bytes.len().checked_sub(header + 44).filter(|len| *len >= header).ok_or_else(damaged)?;
        let footer = bytes.get(body..).unwrap_or_default();
        let (checked, sum) = footer.split_at_checked(header + 40).ok_or_else(damaged)?;
        if bytes.get(..header) != checked.get(..header) || Reader(sum).number(4)? != u64::from(crc(checked)) {
            return Err(damaged());
        }
        let log_at = Reader(checked.get(header + 24..).unwrap_or_default()).number(8)?;
        let mut table = Table { min, max, hash_len, block_size, ..Table::default() };
        let blocks = Blocks { bytes: bytes.get(..body).unwrap_or_default(), header, block_size };
        table.read_refs(&blocks)?;
        table.read_logs(&blocks, usize::try_from(log_at).map_err(|_| damaged())?)?;
        Ok(table)
    }

    fn read_refs(&mut self, blocks: &Blocks<'_>) -> Result<()> {
        let mut at = 0;
        while let Some((b'r', len, head)) = blocks.at(at) {
            let block = blocks.bytes.get(at..at + len).ok_or_else(damaged)?;
            records(block, head, |key, kind, rest| self.read_ref(key, kind, rest))?;
            at += blocks.step(at, len);
        }
        Ok(())
    }

    fn read_ref(&mut self, key: &[u8], kind: u64, rest: &mut Reader<'_>) -> Result<()> {
        let _update_index = rest.varint()?;
        let value = match kind {
            0 => None,
            1 => Some(RefValue::Id { id: rest.take(self.hash_len)?.to_vec(), peeled: None }),
            2 => {
                let id = rest.take(self.hash_len)?.to_vec();
                Some(RefValue::Id { id, peeled: Some(rest.take(self.hash_len)?.to_vec()) })
            }
            3 => Some(RefValue::Symbolic(rest.string()?)),
            _ => return Err(damaged()),
        };
        self.refs.insert(key.to_vec(), value);
        Ok(())
    }

    /// Log blocks follow each other without padding; each is compressed but for its header, which has the full length.
    fn read_logs(&mut self, blocks: &Blocks<'_>, from: usize) -> Result<()> {
        let mut at = from;
        let mut total = 0;
        while let Some((b'g', len, head)) = blocks.at(at) {
            total += len;
            if total > MOST_LOGS {
                return Err(Error::failure("the reflogs of one table are over 256 MiB"));
            }
            let packed = blocks.bytes.get(at + head..).ok_or_else(damaged)?;
            let mut block = Vec::with_capacity(len);
            block.extend_from_slice(blocks.bytes.get(at..at + head).unwrap_or_default());
            let mut inflate = Decompress::new(true);
            inflate.decompress_vec(packed, &mut block, FlushDecompress::Finish).map_err(|_| damaged())?;
            if block.len() != len {
                return Err(damaged());
            }
            records(&block, head, |key, kind, rest| self.read_log(key, kind, rest))?;
            at += head + usize::try_from(inflate.total_in()).unwrap_or(usize::MAX - at - head);
        }
        Ok(())
    }

    fn read_log(&mut self, key: &[u8], kind: u64, rest: &mut Reader<'_>) -> Result<()> {
        let cut = key.len().checked_sub(9).filter(|cut| key.get(*cut) == Some(&0)).ok_or_else(damaged)?;
        let (name, index) = key.split_at(cut);
        let index = !Reader(index.get(1..).unwrap_or_default()).number(8)?;
        let entry = match kind {
            0 => None,
            1 => Some(LogEntry {
                old: rest.take(self.hash_len)?.to_vec(),
                new: rest.take(self.hash_len)?.to_vec(),
                name: rest.string()?,
                email: rest.string()?,
                time: rest.varint()?,
                zone: rest.number(2)? as u16 as i16,
                message: rest.string()?,
            }),
            _ => return Err(damaged()),
        };
        self.logs.insert((name.to_vec(), index), entry);
        Ok(())
    }

    /// The ids that its refs have.
    pub fn ids(&self) -> Vec<&[u8]> {
        let ids = self.refs.values().flatten().filter_map(|value| match value {
            RefValue::Id { id, .. } => Some(id.as_slice()),
            RefValue::Symbolic(_) => None,
        });
        ids.collect()
    }

    /// The file of a table.
    ///
    /// # Errors
    /// Where a record does not fit into a block: git could not write it either.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let block_size = if self.block_size == 0 { BLOCK } else { self.block_size };
        let mut out = self.header(block_size);
        let header = out.len();
        self.put_refs(&mut out, header, block_size)?;
        // git 2.47 dies of a position at which there is no log.
        let log_at = if out.len() == header || self.logs.is_empty() { 0 } else { out.len() };
        self.put_logs(&mut out, header, block_size)?;
        let mut footer = self.header(block_size);
        for position in [0, 0, 0, log_at as u64, 0] {
            put_number(&mut footer, position, 8);
        }
        let sum = crc(&footer);
        put_number(&mut footer, u64::from(sum), 4);
        out.extend(footer);
        Ok(out)
    }

    fn header(&self, block_size: usize) -> Vec<u8> {
        let mut out = b"REFT".to_vec();
        out.push(if self.hash_len == 32 { 2 } else { 1 });
        put_number(&mut out, block_size as u64, 3);
        put_number(&mut out, self.min, 8);
        put_number(&mut out, self.max, 8);
        if self.hash_len == 32 {
            out.extend_from_slice(b"s256");
        }
        out
    }

    /// Blocks of refs begin at multiples of the block size; the first one holds the file's header.
    fn put_refs(&self, out: &mut Vec<u8>, header: usize, block_size: usize) -> Result<()> {
        let mut block = Block::new(header);
        for (name, value) in &self.refs {
            let record = self.ref_record(name, value.as_ref());
            if !block.fits(&record, block_size) && !block.is_empty() {
                block.put(b'r', out);
                out.resize(out.len().next_multiple_of(block_size), 0);
                block = Block::new(0);
            }
            block.add(&record, block_size)?;
        }
        block.put(b'r', out);
        Ok(())
    }

    fn ref_record(&self, name: &[u8], value: Option<&RefValue>) -> Vec<u8> {
        let kind = match value {
            None => 0,
            Some(RefValue::Id { peeled: None, .. }) => 1,
            Some(RefValue::Id { peeled: Some(_), .. }) => 2,
            Some(RefValue::Symbolic(_)) => 3,
        };
        let mut record = key_of(name, kind);
        put_varint(&mut record, self.max - self.min);
        match value {
            None => {}
            Some(RefValue::Id { id, peeled }) => {
                record.extend_from_slice(id);
                record.extend_from_slice(peeled.as_deref().unwrap_or_default());
            }
            Some(RefValue::Symbolic(target)) => put_string(&mut record, target),
        }
        record
    }

    fn put_logs(&self, out: &mut Vec<u8>, header: usize, block_size: usize) -> Result<()> {
        let first = |out: &Vec<u8>| if out.len() == header { header } else { 0 };
        // By key: the newest entry of a ref comes first.
        let mut keys: BTreeMap<Vec<u8>, Option<&LogEntry>> = BTreeMap::new();
        for ((name, index), entry) in &self.logs {
            let mut key = [name.as_slice(), b"\0"].concat();
            put_number(&mut key, !index, 8);
            keys.insert(key, entry.as_ref());
        }
        let mut block = Block::new(first(out));
        for (key, entry) in keys {
            let record = log_record(&key, entry);
            if !block.fits(&record, block_size) && !block.is_empty() {
                block.put(b'g', out);
                block = Block::new(first(out));
            }
            block.add(&record, block_size)?;
        }
        block.put(b'g', out);
        Ok(())
    }
}

fn log_record(key: &[u8], entry: Option<&LogEntry>) -> Vec<u8> {
    let mut record = key_of(key, u64::from(entry.is_some()));
    if let Some(entry) = entry {
        record.extend_from_slice(&entry.old);
        record.extend_from_slice(&entry.new);
        put_string(&mut record, &entry.name);
        put_string(&mut record, &entry.email);
        put_varint(&mut record, entry.time);
        record.extend_from_slice(&entry.zone.to_be_bytes());
        put_string(&mut record, &entry.message);
    }
    record
}

/// A key in full: it shares nothing with the one before it, so that every record is a restart point.
fn key_of(key: &[u8], kind: u64) -> Vec<u8> {
    let mut out = vec![0];
    put_varint(&mut out, (key.len() as u64) << 3 | kind);
    out.extend_from_slice(key);
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(refs: usize, logs: u64) -> Table {
        let id = |n: usize| vec![n as u8; 20];
        let mut table = Table { min: 7, max: 7 + logs, hash_len: 20, block_size: BLOCK, ..Table::default() };
        for n in 0..refs {
            let value = match n % 4 {
                0 => None,
                1 => Some(RefValue::Id { id: id(n), peeled: None }),
                2 => Some(RefValue::Id { id: id(n), peeled: Some(id(n + 1)) }),
                _ => Some(RefValue::Symbolic(b"refs/heads/main".to_vec())),
            };
            table.refs.insert(format!("refs/heads/{n:05}").into_bytes(), value);
        }
        for index in 0..logs {
            let entry = LogEntry {
                old: id(0),
                new: id(1),
                name: b"A U Thor".to_vec(),
                email: b"a@example.org".to_vec(),
                time: 1_700_000_000 + index,
                zone: if index % 2 == 0 { -330 } else { 530 },
                message: format!("commit: {index}\n").into_bytes(),
            };
            let entry = (index % 5 != 0).then_some(entry);
            table.logs.insert((format!("refs/heads/{}", index % 3).into_bytes(), 7 + index), entry);
        }
        table
    }

    #[test]
    fn tables_of_any_size_come_back() {
        for (refs, logs) in [(0, 1), (1, 0), (3, 4), (700, 0), (0, 900), (700, 900)] {
            let table = table(refs, logs);
            assert_eq!(Table::parse(&table.encode().unwrap()).unwrap(), table, "{refs} refs, {logs} lines");
        }
        let empty = Table { hash_len: 32, ..table(0, 0) };
        assert_eq!(Table::parse(&empty.encode().unwrap()).unwrap(), empty);
    }

    #[test]
    fn the_footer_names_the_logs_only_where_there_are_some() {
        for (refs, logs, named) in [(3, 0, false), (0, 3, false), (3, 3, true)] {
            let bytes = table(refs, logs).encode().unwrap();
            let position = &bytes[bytes.len() - 20..bytes.len() - 12];
            assert_eq!(position.iter().any(|b| *b != 0), named, "{refs} refs, {logs} logs");
        }
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let good = table(40, 40).encode().unwrap();
        for at in 0..good.len() {
            let _must_not_panic = Table::parse(&good[..at]);
            let mut bad = good.clone();
            bad[at] ^= 0xff;
            let _must_not_panic = Table::parse(&bad);
        }
        let mut bad = good.clone();
        let last = bad.len() - 1;
        bad[last] ^= 1;
        assert!(Table::parse(&bad).is_err(), "the sum of the footer");
        let mut long = table(1, 0);
        long.refs.insert(vec![b'x'; 5000], None);
        assert!(long.encode().is_err(), "no record is longer than a block");
    }
}
