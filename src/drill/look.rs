//! An independent eye: what a target looks like, by plain system calls and by what other programs say of it. Shares no
//! code with capture and undo, so that a mistake there is not made twice.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom;

/// What was seen: a name for each thing that must come back, and all that can be said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look(BTreeMap<String, String>);

/// How much of a difference is shown: enough to find it.
const MOST_SHOWN: usize = 200;

impl Look {
    /// Adds something that was seen.
    pub fn add(&mut self, what: impl Into<String>, seen: impl Into<String>) {
        self.0.insert(what.into(), seen.into());
    }

    /// Adds a program's output, line by line, so that a difference names the line.
    pub fn add_lines(&mut self, what: &str, output: &[u8]) {
        for (number, line) in String::from_utf8_lossy(output).lines().enumerate() {
            self.add(format!("{what}, line {}", number + 1), line);
        }
    }

    /// The same without identities (UUIDs): what was made again has others.
    pub fn without_identities(&self) -> Look {
        Look(self.0.iter().map(|(what, seen)| (what.clone(), anonymous(seen))).collect())
    }

    /// Adds everything below `root`, named relative to it, except what is called `except`.
    pub fn add_files(&mut self, root: &Path, except: Option<&OsStr>) -> io::Result<()> {
        let mut links = HashMap::new();
        self.visit(root, root, except, &mut links)
    }

    fn visit(&mut self, root: &Path, at: &Path, except: Option<&OsStr>, links: &mut Links) -> io::Result<()> {
        let meta = at.symlink_metadata()?;
        let name = at.strip_prefix(root).unwrap_or(at);
        let shown = name.as_os_str().as_bytes().escape_ascii().to_string();
        let mut seen = described(at, &meta);
        if meta.nlink() > 1 && !meta.is_dir() {
            let first = links.entry((meta.dev(), meta.ino())).or_insert_with(|| name.to_owned());
            let _ = write!(seen, ", the same file as {}", first.as_os_str().as_bytes().escape_ascii());
        }
        self.add(if shown.is_empty() { ".".to_owned() } else { shown }, seen);
        if !meta.is_dir() {
            return Ok(());
        }
        // A directory that cannot be read is a fact to compare, too.
        let Ok(entries) = std::fs::read_dir(at) else {
            self.add(format!("{}/", name.display()), "cannot be read");
            return Ok(());
        };
        let mut names = entries.map(|e| e.map(|e| e.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for name in names.iter().filter(|n| Some(n.as_os_str()) != except) {
            self.visit(root, &at.join(name), except, links)?;
        }
        Ok(())
    }
}

/// The first name of each inode.
type Links = HashMap<(u64, u64), PathBuf>;

/// Type, mode, owner, time, and the content with its holes or the target of a link.
fn described(at: &Path, meta: &Metadata) -> String {
    let kind = match meta.file_type() {
        t if t.is_file() => "file",
        t if t.is_dir() => "directory",
        t if t.is_symlink() => "link",
        t if t.is_fifo() => "fifo",
        _ => "special file",
    };
    let (mode, uid, gid) = (meta.mode() & 0o7777, meta.uid(), meta.gid());
    let mut text = format!("{kind}, mode {mode:o}, owner {uid}:{gid}");
    let _ = write!(text, ", modified {}.{:09}", meta.mtime(), meta.mtime_nsec());
    if meta.is_symlink() {
        let target = std::fs::read_link(at).unwrap_or_default();
        let _ = write!(text, ", to {}", target.as_os_str().as_bytes().escape_ascii());
    } else if meta.is_file() {
        let content = content(at).unwrap_or_else(|e| format!("cannot be read: {e}"));
        let _ = write!(text, ", {} bytes, {content}", meta.len());
    }
    if !meta.is_symlink() {
        text.push_str(&attributes(at));
    }
    text
}

/// Extended attributes, ACLs among them; nothing where the file system has none.
fn attributes(at: &Path) -> String {
    let mut names = vec![0u8; 1 << 16];
    let len = rustix::fs::llistxattr(at, &mut names[..]).unwrap_or(0);
    let mut names: Vec<&[u8]> = names.get(..len).unwrap_or_default().split(|b| *b == 0).collect();
    names.sort_unstable();
    let mut text = String::new();
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        let mut value = vec![0u8; 1 << 16];
        let len = rustix::fs::lgetxattr(at, name, &mut value[..]).unwrap_or(0);
        let value = value.get(..len).unwrap_or_default().escape_ascii();
        let _ = write!(text, ", {}={value}", name.escape_ascii());
    }
    text
}

/// The content's hash, and where it has data.
fn content(at: &Path) -> io::Result<String> {
    let mut file = File::open(at)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hasher.update(buffer.get(..n).unwrap_or_default()),
        };
    }
    let mut text = format!("content {}", hasher.finalize().to_hex().get(..16).unwrap_or_default());
    let (len, mut at) = (file.metadata()?.len(), 0);
    while at < len {
        // ENXIO: a hole to the end. File systems without holes report all as data.
        let Ok(start) = rustix::fs::seek(&file, SeekFrom::Data(at)) else { break };
        at = rustix::fs::seek(&file, SeekFrom::Hole(start))?;
        let _ = write!(text, ", data {start}-{at}");
    }
    Ok(text)
}

/// All in which two looks differ, one line for each thing: what is lost first, what is new last.
pub fn differences(wanted: &Look, got: &Look) -> Vec<String> {
    let (mut gone, mut changed) = (Vec::new(), Vec::new());
    for (what, was) in &wanted.0 {
        match got.0.get(what) {
            None => gone.push(format!("{what}: gone (was {})", cut(was))),
            Some(is) if is != was => changed.push(format!("{what}: was {}; is {}", cut(was), cut(is))),
            Some(_) => {}
        }
    }
    let new = got.0.iter().filter(|(what, _)| !wanted.0.contains_key(*what));
    let new = new.map(|(what, is)| format!("{what}: new ({})", cut(is)));
    gone.into_iter().chain(changed).chain(new).collect()
}

/// A text with `<id>` in the place of each UUID.
fn anonymous(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (part, shown) = match rest.get(..36).filter(|part| is_uuid(part)) {
            Some(uuid) => (uuid.len(), "<id>"),
            None => (first.len_utf8(), rest.get(..first.len_utf8()).unwrap_or_default()),
        };
        out.push_str(shown);
        rest = rest.get(part..).unwrap_or_default();
    }
    out
}

fn is_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.bytes().enumerate().all(fits)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_no_difference_where_they_are_taken_out() {
        let look = |id: &str| {
            let mut look = Look::default();
            look.add("web", format!("ü id = \"{id}\", size 2"));
            look
        };
        let (old, new) =
            (look("0b1f8b0a-3c5e-4b2a-9d43-7f1a2b3c4d5e"), look("ffffffff-3c5e-4b2a-9d43-7f1a2b3c4d5e"));
        assert_eq!(differences(&old, &new).len(), 1);
        assert_eq!(old.without_identities(), new.without_identities());
        assert_ne!(old.without_identities(), look("0b1f8b0a-3c5e").without_identities());
    }
}
