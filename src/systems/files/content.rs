//! A file's bytes into the store (or only into an identity), in bounded memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

use fastcdc::v2020::{Error as CdcError, StreamCDC};

use super::entry::{Content, Entry, Extent, Kind, WHOLE_MAX};
use super::tree::encode_chunks;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};
use crate::platform::fs::data_extents;
use crate::systems::git_index::{self, Index};

/// Chunk sizes, bytes. Part of the format: other sizes would give the same file another identity.
const CHUNK_MIN: usize = 512 << 10;
const CHUNK_AVG: usize = 2 << 20;
const CHUNK_MAX: usize = 8 << 20;
/// What a hole is made of, in a sparse file. Part of the format, as the next one.
const PAGE: u64 = 4096;
/// A shorter one between data is kept as zeros: each extent is a blob of its own.
const SHORTEST_HOLE: u64 = 64 << 10;
/// How much of a sparse file is looked through at once.
const WINDOW: u64 = 1 << 20;

/// Where bytes go: into a sink, or nowhere, with the same identity either way.
#[derive(Clone, Copy)]
pub enum Keep<'a> {
    /// Store them.
    Store(&'a dyn ObjectSink),
    /// Store what describes directories and paths, not the contents of files.
    Trees(&'a dyn ObjectSink),
    /// Only compute what their identity would be.
    Identity,
}

impl Keep<'_> {
    /// The address of the bytes, stored where that was asked for.
    pub fn put(&self, kind: ObjectKind, bytes: &[u8]) -> Result<ObjectId> {
        match self {
            Keep::Store(sink) => sink.put(kind, bytes),
            Keep::Trees(sink) if matches!(kind, ObjectKind::Tree | ObjectKind::State) => {
                sink.put(kind, bytes)
            }
            Keep::Trees(_) | Keep::Identity => Ok(ObjectId::of(kind, bytes)),
        }
    }
}

/// Why a content was not taken.
pub enum Trouble {
    /// The file could not be read: it is left out, the rest goes on.
    Read(io::Error),
    /// The store failed: the capture has failed.
    Store(Error),
}

impl From<io::Error> for Trouble {
    fn from(e: io::Error) -> Trouble {
        Trouble::Read(e)
    }
}

/// Larger files are no index whose meaning counts: a few hundred thousand entries.
const INDEX_MAX: u64 = 64 << 20;

/// Reads `file` from its start. `size` and `blocks` (of 512 bytes) are what `stat` said; `buffer` is reused between
/// calls.
pub fn take(
    mut file: &File,
    size: u64,
    blocks: u64,
    keep: Keep<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Content, Trouble> {
    if blocks.saturating_mul(512) < size
        && let Some(extents) = data_extents(file, size)?
    {
        return take_sparse(file, size, &extents, keep, buffer);
    }
    if size <= WHOLE_MAX {
        buffer.clear();
        // One byte more than the limit tells a file that grew beyond it while we were looking.
        file.take(WHOLE_MAX + 1).read_to_end(buffer)?;
        if buffer.len() as u64 <= WHOLE_MAX {
            return Ok(with_meaning(whole(buffer, keep)?, buffer));
        }
        file.seek(SeekFrom::Start(0))?;
    }
    let content = chunked(file, keep)?;
    let mut magic = [0; git_index::MAGIC.len()];
    if content.len() > INDEX_MAX || file.read_exact_at(&mut magic, 0).is_err() || magic != git_index::MAGIC {
        return Ok(content);
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(content.len()).read_to_end(&mut bytes)?;
    // Written meanwhile: what was kept is not what was read here.
    Ok(if chunked(bytes.as_slice(), Keep::Identity)? == content {
        with_meaning(content, &bytes)
    } else {
        content
    })
}

/// The content of git's index is equal to another that says the same.
fn with_meaning(content: Content, bytes: &[u8]) -> Content {
    match (Index::meaning(bytes), content) {
        (Some(says), Content::Whole { id, len }) => Content::GitIndex { id, chunked: false, len, says },
        (Some(says), Content::Chunked { list: id, len }) => {
            Content::GitIndex { id, chunked: true, len, says }
        }
        (_, content) => content,
    }
}

/// The same for bytes in hand.
pub fn of_bytes(bytes: &[u8], keep: Keep<'_>) -> Result<Content> {
    let taken = if bytes.len() as u64 <= WHOLE_MAX { whole(bytes, keep) } else { chunked(bytes, keep) };
    taken.map(|content| with_meaning(content, bytes)).map_err(|trouble| match trouble {
        Trouble::Store(e) => e,
        Trouble::Read(e) => Error::failure(format!("cannot cut a content into chunks: {e}")),
    })
}

/// A file holds exactly these bytes.
pub fn holds(entry: &Entry, bytes: &[u8]) -> bool {
    let Kind::File { content } = &entry.kind else { return false };
    of_bytes(bytes, Keep::Identity).is_ok_and(|same| same == *content)
}

/// The bytes of a file of one blob.
pub fn small_text(entry: &Entry, source: &dyn ObjectSource) -> Option<Vec<u8>> {
    let Some(Content::Whole { id, .. }) = entry.stored() else { return None };
    source.get(&id).ok()
}

fn whole(bytes: &[u8], keep: Keep<'_>) -> Result<Content, Trouble> {
    let id = keep.put(ObjectKind::Blob, bytes).map_err(Trouble::Store)?;
    Ok(Content::Whole { id, len: bytes.len() as u64 })
}

fn chunked(source: impl Read, keep: Keep<'_>) -> Result<Content, Trouble> {
    let mut chunks = Vec::new();
    let mut total = 0u64;
    for chunk in StreamCDC::new(source, CHUNK_MIN, CHUNK_AVG, CHUNK_MAX) {
        let data = match chunk {
            Ok(chunk) => chunk.data,
            Err(CdcError::IoError(e)) => return Err(Trouble::Read(e)),
            Err(e) => return Err(Trouble::Read(io::Error::other(e.to_string()))),
        };
        let id = keep.put(ObjectKind::Blob, &data).map_err(Trouble::Store)?;
        chunks.push((id, data.len() as u32));
        total += data.len() as u64;
    }
    let list =
        encode_chunks(&chunks).and_then(|b| keep.put(ObjectKind::Chunks, &b)).map_err(Trouble::Store)?;
    Ok(Content::Chunked { list, len: total })
}

/// The parts of bytes that stand at `at` in a file which are more than zeros, by pages of the file: where in the bytes each
/// begins and ends.
pub fn filled(bytes: &[u8], at: u64) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    let mut begin = 0;
    while begin < bytes.len() {
        let rest = PAGE - (at + begin as u64) % PAGE;
        let end = bytes.len().min(begin + rest as usize);
        if bytes.get(begin..end).is_some_and(|page| page.iter().any(|byte| *byte != 0)) {
            match out.last_mut().filter(|(_, last)| *last == begin) {
                Some((_, last)) => *last = end,
                None => out.push((begin, end)),
            }
        }
        begin = end;
    }
    out
}

/// What of the ranges that a file system calls data is more than zeros. A file's identity must not depend on it: ext4 calls
/// what was set aside and never written a hole until somebody has read it, and data from then on.
fn without_zeros(file: &File, ranges: &[(u64, u64)], buffer: &mut Vec<u8>) -> io::Result<Vec<(u64, u64)>> {
    let mut out: Vec<(u64, u64)> = Vec::new();
    for &(offset, len) in ranges {
        let (mut at, end) = (offset - offset % PAGE, offset + len);
        while at < end {
            buffer.resize(WINDOW.min(end - at) as usize, 0);
            let read = file.read_at(buffer, at)?;
            let bytes = buffer.get(..read).filter(|bytes| !bytes.is_empty());
            let Some(bytes) = bytes else { break };
            for (first, last) in filled(bytes, at) {
                // A page that was read in two halves begins where it begins.
                let (first, last) = (at + first as u64, at + last as u64);
                let first = first - first % PAGE;
                match out.last_mut().filter(|(start, long)| first < start + long + SHORTEST_HOLE) {
                    Some((start, long)) => *long = last - *start,
                    None => out.push((first, last - first)),
                }
            }
            at += read as u64;
        }
    }
    Ok(out)
}

fn take_sparse(
    mut file: &File,
    size: u64,
    ranges: &[(u64, u64)],
    keep: Keep<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Content, Trouble> {
    let ranges = without_zeros(file, ranges, buffer)?;
    let mut extents = Vec::with_capacity(ranges.len());
    for (offset, len) in ranges {
        file.seek(SeekFrom::Start(offset))?;
        let mut part = file.take(len);
        let content = if len <= WHOLE_MAX {
            buffer.clear();
            part.read_to_end(buffer)?;
            whole(buffer, keep)?
        } else {
            chunked(part, keep)?
        };
        extents.push(Extent { offset, content });
    }
    Ok(Content::Sparse { len: size, extents })
}
