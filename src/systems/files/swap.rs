//! One path at a time: what is staged goes in its place, what the event made goes away. What is displaced is looked at after
//! it was taken out of its place and before it is let go, so that nothing that somebody wrote a moment ago is lost.

use std::os::fd::BorrowedFd;

use super::build::Builder;
use super::compare::Difference;
use super::content::Keep;
use super::entry::{Content, Entry, Kind};
use super::judge::Verdict;
use super::node::{Reading, in_words, is_absent, is_link, read_now};
use super::stage::{Dirs, Staged, temp_name};
use crate::error::Result;
use crate::model::Bytes;
use crate::platform::fs::{move_new, remove_dir, remove_file, split_parent, swap_in};

/// How a directory that cannot go is described.
pub const STAYS: &str = "stays: it holds things made since";

/// One path that is written.
pub struct Op {
    /// Below the base.
    pub path: Vec<u8>,
    /// What is done.
    pub verdict: Verdict,
    /// Before the event.
    pub before: Option<Entry>,
    /// Now.
    pub now: Option<Entry>,
}

impl Op {
    /// What is made at the path, where something is.
    pub fn makes(&self) -> Option<&Entry> {
        match self.verdict {
            Verdict::Create | Verdict::Replace => self.before.as_ref(),
            _ => None,
        }
    }

    /// Only metadata is set.
    pub fn mends(&self) -> bool {
        self.verdict == Verdict::Metadata
    }

    /// A file takes the place of a directory, which must be empty first.
    pub fn waits_for_removal(&self) -> bool {
        let dir = |e: &Option<Entry>| e.as_ref().is_some_and(Entry::is_dir);
        self.verdict == Verdict::Replace && dir(&self.now)
    }
}

/// What writing gave.
#[derive(Default)]
pub struct Written {
    /// How many operations are done.
    pub done: u64,
    /// What failed.
    pub problems: Vec<String>,
    /// What had changed in the last moment.
    pub conflicts: Vec<String>,
    /// Directories that stay because they hold other things.
    pub stays: Vec<String>,
}

/// Puts one staged thing in its place.
pub fn place(op: &Op, item: &Staged, dirs: &mut Dirs, written: &mut Written) -> std::io::Result<()> {
    let name = split_parent(&op.path).1;
    let shown = Bytes::from(op.path.as_slice());
    let fd = dirs.open(&item.dir)?;
    let Some(now) = &op.now else {
        match move_new(fd, &item.temp, name) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                written.conflicts.push(format!("{}: something was put there a moment ago", shown.lossy()));
            }
            other => other?,
        }
        dirs.forget();
        return Ok(());
    };
    match swap_in(fd, &item.temp, name) {
        Err(e) if is_absent(&e) => {
            written.conflicts.push(format!("{}: it was removed a moment ago", shown.lossy()));
            return Ok(());
        }
        other => other?,
    }
    let gone = match now.is_dir() {
        true => remove_dir(fd, &item.temp).is_ok(),
        false => still(fd, &item.temp, now) && remove_file(fd, &item.temp).is_ok(),
    };
    if !gone {
        swap_in(fd, &item.temp, name)?;
        written.conflicts.push(format!("{}: it was changed a moment ago", shown.lossy()));
    }
    dirs.forget();
    Ok(())
}

/// Sets the metadata of what stays where it is.
pub fn set_metadata(
    op: &Op,
    dirs: &mut Dirs,
    builder: &mut Builder<'_>,
    written: &mut Written,
) -> std::io::Result<()> {
    let (dir, name) = split_parent(&op.path);
    let fd = dirs.open(dir)?;
    let (Some(before), Some(now)) = (&op.before, &op.now) else { return Ok(()) };
    let mut wanted = before.clone();
    if wanted.is_dir() {
        // A directory's time follows its names and is set at the very end.
        wanted.meta.mtime_ns = now.meta.mtime_ns;
    }
    if let Err(e) = builder.set_in_place(fd, name, &wanted, &op.path) {
        written.conflicts.push(e.to_string());
    }
    Ok(())
}

/// What was taken out of its place is what was expected there.
fn still(dir: BorrowedFd<'_>, temp: &[u8], expected: &Entry) -> bool {
    read_like(dir, temp, expected).is_ok_and(|found| found.is_some_and(|found| found.same_but_time(expected)))
}

/// Takes away what the event made, if it is still that.
pub fn remove(op: &Op, tag: &str, dirs: &mut Dirs, written: &mut Written) -> std::io::Result<()> {
    let (dir, name) = split_parent(&op.path);
    let shown = Bytes::from(op.path.as_slice());
    let fd = match dirs.open(dir) {
        Err(e) if is_absent(&e) => return Ok(()),
        other => other?,
    };
    let Some(now) = &op.now else { return Ok(()) };
    if now.is_dir() {
        match remove_dir(fd, name) {
            Err(e) if is_absent(&e) => {}
            Err(e) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                written.stays.push(format!("{} {STAYS}", shown.lossy()));
            }
            other => other?,
        }
        dirs.forget();
        return Ok(());
    }
    let temp = temp_name(tag, &op.path);
    match move_new(fd, name, &temp) {
        Err(e) if is_absent(&e) => return Ok(()),
        other => other?,
    }
    if still(fd, &temp, now) {
        // Under its own name a next undo finds it again.
        return remove_file(fd, &temp).inspect_err(|_| drop(move_new(fd, &temp, name)));
    }
    move_new(fd, &temp, name)?;
    written.conflicts.push(format!("{}: it was changed a moment ago", shown.lossy()));
    Ok(())
}

/// Reads a name as deeply as `like` was read.
pub fn read_like(dir: BorrowedFd<'_>, name: &[u8], like: &Entry) -> Result<Option<Entry>> {
    let contents = !matches!(like.kind, Kind::File { content: Content::Unread });
    read_now(dir, name, Reading { keep: Keep::Identity, contents }, &mut Vec::new())
}

/// What is at a path now. A directory above it that is gone means that it is, too.
pub fn read_present(dirs: &mut Dirs, at: &Difference) -> Result<Option<Entry>> {
    let (dir, name) = split_parent(&at.path);
    let unread =
        |e: Option<&Entry>| e.is_some_and(|e| matches!(e.kind, Kind::File { content: Content::Unread }));
    let contents = !(unread(at.before.as_ref()) || unread(at.after.entry()));
    if name.is_empty() {
        return Ok(at.before.clone());
    }
    match dirs.open(dir) {
        Ok(fd) => read_now(fd, name, Reading { keep: Keep::Identity, contents }, &mut Vec::new()),
        // Behind a link there is nothing of ours. Whether the link itself may go is judged at its own path.
        Err(e) if is_absent(&e) || is_link(&e) => Ok(None),
        Err(e) => Ok(Some(Entry::skipped(in_words(&e)))),
    }
}
