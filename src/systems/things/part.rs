//! Contents beside a description, of any size: cut into chunks by their content, so that the same volume captured twice is
//! stored once.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};

use fastcdc::v2020::{Error as CdcError, StreamCDC};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};

/// Chunk sizes, bytes. Part of the format.
const CHUNK_MIN: usize = 256 << 10;
const CHUNK_AVG: usize = 1 << 20;
const CHUNK_MAX: usize = 4 << 20;

/// Stored bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its pieces.
    pub chunks: Vec<ObjectId>,
    /// How many bytes they are together.
    pub bytes: u64,
    /// How many things are in it, where that can be counted (entries of an archive).
    #[serde(default)]
    pub entries: u64,
}

/// How bytes are taken.
#[derive(Clone, Copy)]
pub struct Taking<'a> {
    /// Where they go; `None`: only their identity is wanted.
    pub sink: Option<&'a dyn ObjectSink>,
    /// The most of them.
    pub most: u64,
}

impl Part {
    /// Takes a stream as it is. `None` where it is larger than allowed.
    pub fn take(from: &mut dyn Read, taking: Taking<'_>) -> Result<Option<Part>> {
        Part::take_and_show(from, taking, &mut |_| ())
    }

    /// Takes a tar archive, and the identity of what is in it: names, kinds, modes, owners, sizes, targets and contents;
    /// not times and not the order, which differ from one reading to the next. `top` is the directory that all names begin
    /// with, and no part of it.
    pub fn take_tar(from: &mut dyn Read, taking: Taking<'_>, top: &str) -> Result<Option<(Part, ObjectId)>> {
        let (to, chunks) = sync_channel::<Vec<u8>>(2);
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || identity(&mut Chunks { chunks, now: Vec::new(), at: 0 }, top));
            // A reader that has failed takes no more; its failure is told below.
            let part = Part::take_and_show(from, taking, &mut |chunk| drop(to.send(chunk.to_vec())));
            drop(to);
            let read = reading.join().unwrap_or_else(|_| Err(Error::failure("an archive was not read")));
            let Some(mut part) = part? else { return Ok(None) };
            let (entries, identity) = read?;
            part.entries = entries;
            Ok(Some((part, identity)))
        })
    }

    fn take_and_show(
        from: &mut dyn Read,
        taking: Taking<'_>,
        show: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<Part>> {
        let mut part = Part::default();
        for chunk in StreamCDC::new(from, CHUNK_MIN, CHUNK_AVG, CHUNK_MAX) {
            let data = match chunk {
                Ok(chunk) => chunk.data,
                Err(CdcError::IoError(e)) => return Err(Error::failure(format!("reading stopped: {e}"))),
                Err(e) => return Err(Error::failure(format!("reading stopped: {e}"))),
            };
            part.bytes += data.len() as u64;
            if part.bytes > taking.most {
                return Ok(None);
            }
            show(&data);
            part.chunks.push(match taking.sink {
                Some(sink) => sink.put(ObjectKind::Blob, &data)?,
                None => ObjectId::of(ObjectKind::Blob, &data),
            });
        }
        Ok(Some(part))
    }

    /// Writes it out.
    pub fn write(&self, source: &dyn ObjectSource, to: &mut dyn Write) -> Result<()> {
        for id in &self.chunks {
            let chunk = source.get(id)?;
            to.write_all(&chunk).map_err(|e| Error::failure(format!("writing stopped: {e}")))?;
        }
        Ok(())
    }

    /// Reads it as a stream.
    pub fn read_with<T>(
        &self,
        source: &dyn ObjectSource,
        take: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        take(&mut Stored { chunks: self.chunks.iter(), source, now: Vec::new(), at: 0 })
    }

    /// All of it in memory.
    pub fn whole(&self, source: &dyn ObjectSource) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.write(source, &mut out)?;
        Ok(out)
    }
}

/// Stored bytes as a stream.
struct Stored<'s> {
    chunks: std::slice::Iter<'s, ObjectId>,
    source: &'s dyn ObjectSource,
    now: Vec<u8>,
    at: usize,
}

impl Read for Stored<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.now.len() {
            let Some(id) = self.chunks.next() else { return Ok(0) };
            self.now = self.source.get(id).map_err(|e| io::Error::other(e.to_string()))?;
            self.at = 0;
        }
        Ok(handed(&self.now, &mut self.at, to))
    }
}

/// Copies what is left of a piece.
fn handed(now: &[u8], at: &mut usize, to: &mut [u8]) -> usize {
    let left = now.get(*at..).unwrap_or_default();
    let count = left.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..count), left.get(..count)) {
        to.copy_from_slice(from);
    }
    *at += count;
    count
}

struct Chunks {
    chunks: Receiver<Vec<u8>>,
    now: Vec<u8>,
    at: usize,
}

impl Read for Chunks {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.now.len() {
            match self.chunks.recv() {
                Ok(chunk) => (self.now, self.at) = (chunk, 0),
                Err(_) => return Ok(0),
            }
        }
        Ok(handed(&self.now, &mut self.at, to))
    }
}

/// How many entries an archive has, and the identity of them all.
fn identity(from: &mut dyn Read, top: &str) -> Result<(u64, ObjectId)> {
    let failed = |e: io::Error| Error::failure(format!("an archive cannot be read: {e}"));
    let mut lines = Vec::new();
    let mut archive = tar::Archive::new(&mut *from);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = entry.path_bytes().into_owned();
        let name = below(&name, top).to_vec();
        let target = entry.link_name_bytes().map(|t| t.into_owned()).unwrap_or_default();
        let is_hard = entry.header().entry_type() == tar::EntryType::Link;
        let target = if is_hard { below(&target, top).to_vec() } else { target };
        let header = entry.header();
        let fields = format!(
            "{:?} {:o} {} {} {}",
            header.entry_type(),
            header.mode().unwrap_or(0) & 0o7777,
            header.uid().unwrap_or(0),
            header.gid().unwrap_or(0),
            entry.size(),
        );
        let mut hash = blake3::Hasher::new();
        io::copy(&mut entry, &mut hash).map_err(failed)?;
        let mut line = name;
        for field in [target.as_slice(), fields.as_bytes(), hash.finalize().as_bytes()] {
            line.push(0);
            line.extend_from_slice(field);
        }
        lines.push(line);
    }
    // What follows the end of the archive is padding.
    io::copy(from, &mut io::sink()).map_err(failed)?;
    let entries = lines.len() as u64;
    lines.sort();
    Ok((entries, ObjectId::of(ObjectKind::State, &lines.join(&b"\n"[..]))))
}

/// A name without what all names begin with and without slashes at its ends.
fn below<'n>(name: &'n [u8], top: &str) -> &'n [u8] {
    let name = name.strip_prefix(b"./").unwrap_or(name);
    let name = match name.strip_prefix(top.as_bytes()) {
        Some(rest) if rest.is_empty() || top.is_empty() || rest.starts_with(b"/") => rest,
        _ => name,
    };
    let name = name.strip_prefix(b"/").unwrap_or(name);
    name.strip_suffix(b"/").unwrap_or(name)
}
