//! What is to be done at one path, from its states before (B), after (A) and now (N). Planning asks with the recorded
//! present, applying asks again with the file system in hand: the same rules guard both.

use super::compare::After;
use super::entry::{Entry, Kind};

/// The verdict on one path. Directories are judged by themselves; what is in them is judged name by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The event did not change it, or what is left of the change is not ours to touch.
    Nothing,
    /// It is as before already.
    Already,
    /// Make what was there before.
    Create,
    /// Put what was there before in the place of what the command left.
    Replace,
    /// Set mode, owner, attributes, time back; the content is right.
    Metadata,
    /// Remove what the command made.
    Remove,
    /// Somebody changed it since.
    Conflict(String),
    /// The capture does not hold it.
    NotCaptured(String),
    /// It does not come back, as was said when it was captured.
    Unable(String),
}

impl Verdict {
    /// Something is written.
    pub fn acts(&self) -> bool {
        matches!(self, Verdict::Create | Verdict::Replace | Verdict::Metadata | Verdict::Remove)
    }
}

/// The same path once more, where an earlier undo ended in part: a file whose content it brought back may lack its time, and
/// a directory its mode.
pub fn judge_again(before: Option<&Entry>, after: &After, now: Option<&Entry>) -> Verdict {
    match (judge_made_again(before, after, now), before, now) {
        (Verdict::Already, Some(before), Some(now))
            if !before.is_dir() && !now.is_dir() && before.meta.mtime_ns != now.meta.mtime_ns =>
        {
            Verdict::Metadata
        }
        (verdict, ..) => verdict,
    }
}

/// A directory that an undo has brought back, closed to others as it is while it is being filled: the rest of its metadata could
/// not be set then.
pub fn judge_made_again(before: Option<&Entry>, after: &After, now: Option<&Entry>) -> Verdict {
    match (judge(before, after, now), before, now) {
        (Verdict::Already, Some(before), Some(now))
            if after.entry().is_none()
                && before.is_dir()
                && now.is_dir()
                && now.meta.mode & 0o7777 == STAGED_MODE
                && !before.meta.same_but_time(&now.meta) =>
        {
            Verdict::Metadata
        }
        (verdict, ..) => verdict,
    }
}

/// The mode of a directory that is being filled ([`crate::platform::fs::make_dir`]).
const STAGED_MODE: u32 = 0o700;

/// Judges one path.
pub fn judge(before: Option<&Entry>, after: &After, now: Option<&Entry>) -> Verdict {
    if let Some(why) = before.and_then(Entry::why_skipped) {
        return match (after.entry(), now) {
            (None, None) => Verdict::NotCaptured(why.to_owned()),
            _ => Verdict::Nothing,
        };
    }
    if before.is_some_and(Entry::is_unreadable_dir) && after.entry().is_none() && now.is_none() {
        return Verdict::NotCaptured("its names could not be read".to_owned());
    }
    if let Some(why) = now.and_then(Entry::why_skipped) {
        return Verdict::Conflict(format!("it cannot be read now: {why}"));
    }
    match after {
        After::Unknown => unreported(before, now),
        After::Known(Some(after)) if after.why_skipped().is_some() => unreported(before, now),
        After::Known(after) => match (before, after.as_ref()) {
            (None, None) => Verdict::Nothing,
            (None, Some(after)) => made(after, now),
            (Some(before), None) => destroyed(before, now),
            (Some(before), Some(after)) => changed(before, after, now),
        },
    }
}

fn unreported(before: Option<&Entry>, now: Option<&Entry>) -> Verdict {
    const WHY: &str = "the command never reported back, so its change cannot be told from a later one";
    match (before, now) {
        (None, None) => Verdict::Already,
        (None, Some(_)) => Verdict::Conflict(WHY.to_owned()),
        (Some(before), None) => create(before),
        (Some(before), Some(now)) if same_node(before, now) => Verdict::Already,
        (Some(_), Some(_)) => Verdict::Conflict(WHY.to_owned()),
    }
}

fn made(after: &Entry, now: Option<&Entry>) -> Verdict {
    match now {
        None => Verdict::Already,
        Some(now) if after.is_dir() && now.is_dir() => Verdict::Remove,
        Some(now) if same_node(after, now) => Verdict::Remove,
        Some(_) => Verdict::Conflict("the command made it and it was changed since".to_owned()),
    }
}

fn destroyed(before: &Entry, now: Option<&Entry>) -> Verdict {
    match now {
        None => create(before),
        // Somebody made the directory again: what was in it comes back beside what is in it now.
        Some(now) if before.is_dir() && now.is_dir() => Verdict::Already,
        Some(now) if same_node(before, now) => Verdict::Already,
        Some(_) => Verdict::Conflict("the command removed it and something else is there now".to_owned()),
    }
}

fn changed(before: &Entry, after: &Entry, now: Option<&Entry>) -> Verdict {
    let Some(now) = now else {
        return Verdict::Conflict("it was removed since".to_owned());
    };
    if same_node(before, after) {
        return nearly_unchanged(before, after, now);
    }
    if same_node(now, before) {
        return Verdict::Already;
    }
    if !same_node(now, after) {
        return Verdict::Conflict("it was changed since".to_owned());
    }
    match (before.is_dir(), after.is_dir()) {
        (true, true) => Verdict::Metadata,
        (false, false)
            if before.kind == after.kind && !(was_unlinked(before, after, now) && is_read(before)) =>
        {
            Verdict::Metadata
        }
        _ => match unable(before) {
            Some(why) => Verdict::Unable(why),
            None => Verdict::Replace,
        },
    }
}

/// Only the time, or which names share one inode, differs between before and after.
fn nearly_unchanged(before: &Entry, after: &Entry, now: &Entry) -> Verdict {
    if !same_node(now, after) {
        return Verdict::Nothing;
    }
    if was_unlinked(before, after, now) {
        return Verdict::Replace;
    }
    if before.is_dir() || before.meta.mtime_ns == after.meta.mtime_ns {
        return Verdict::Nothing;
    }
    match now.meta.mtime_ns {
        mtime if mtime == after.meta.mtime_ns => Verdict::Metadata,
        mtime if mtime == before.meta.mtime_ns => Verdict::Already,
        // Touched since: the later time is the truth.
        _ => Verdict::Nothing,
    }
}

/// The name is another inode since the command, so it no longer shares what its other names show: `git checkout` writes files
/// anew whose owner the index does not know.
fn was_unlinked(before: &Entry, after: &Entry, now: &Entry) -> bool {
    let inode = |e: &Entry| e.links.map(|l| (l.dev, l.ino));
    before.links.is_some() && inode(before) != inode(after) && inode(now) == inode(after)
}

fn is_read(entry: &Entry) -> bool {
    !matches!(entry.kind, Kind::File { content: super::entry::Content::Unread })
}

fn create(before: &Entry) -> Verdict {
    match unable(before) {
        Some(why) => Verdict::Unable(why),
        None => Verdict::Create,
    }
}

/// Why an entry cannot be made again.
pub fn unable(entry: &Entry) -> Option<String> {
    match entry.kind {
        Kind::Socket => Some("a socket: its program makes it again".to_owned()),
        Kind::Device { .. } => Some("a device node".to_owned()),
        Kind::File { content: super::entry::Content::Unread } => {
            Some("only its metadata was captured".to_owned())
        }
        _ => None,
    }
}

/// Equal as nodes: a directory's names are not looked at, times do not count.
fn same_node(a: &Entry, b: &Entry) -> bool {
    match (a.is_dir(), b.is_dir()) {
        (true, true) => a.meta.same_but_time(&b.meta),
        (false, false) => a.same_but_time(b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectId, ObjectKind};
    use crate::systems::files::entry::{Content, Meta};

    fn file(text: &str) -> Entry {
        let content =
            Content::Whole { id: ObjectId::of(ObjectKind::Blob, text.as_bytes()), len: text.len() as u64 };
        Entry { kind: Kind::File { content }, meta: Meta { mode: 0o644, ..Meta::default() }, links: None }
    }

    fn known(entry: Option<&Entry>) -> After {
        After::Known(entry.cloned())
    }

    #[test]
    fn the_table_of_the_conflict_policy() {
        let (b, a, n) = (&file("before"), &file("after"), &file("now"));
        let conflict = |v: Verdict| matches!(v, Verdict::Conflict(_));
        assert_eq!(judge(Some(b), &known(Some(a)), Some(a)), Verdict::Replace);
        assert_eq!(judge(Some(b), &known(Some(a)), Some(b)), Verdict::Already);
        assert!(conflict(judge(Some(b), &known(Some(a)), Some(n))));
        assert!(conflict(judge(Some(b), &known(Some(a)), None)));
        assert_eq!(judge(Some(b), &known(None), None), Verdict::Create);
        assert_eq!(judge(Some(b), &known(None), Some(b)), Verdict::Already);
        assert!(conflict(judge(Some(b), &known(None), Some(n))));
        assert_eq!(judge(None, &known(Some(a)), Some(a)), Verdict::Remove);
        assert_eq!(judge(None, &known(Some(a)), None), Verdict::Already);
        assert!(conflict(judge(None, &known(Some(a)), Some(n))));
        assert_eq!(judge(Some(b), &After::Unknown, None), Verdict::Create);
        assert_eq!(judge(Some(b), &After::Unknown, Some(b)), Verdict::Already);
        assert!(conflict(judge(Some(b), &After::Unknown, Some(a))));
        let unread = Entry::skipped("permission denied");
        assert!(matches!(judge(Some(&unread), &known(None), None), Verdict::NotCaptured(_)));
        assert!(conflict(judge(Some(b), &known(Some(a)), Some(&unread))));
    }

    #[test]
    fn metadata_alone_is_set_in_place() {
        let (before, mut after) = (file("x"), file("x"));
        after.meta.mode = 0o777;
        assert_eq!(judge(Some(&before), &known(Some(&after)), Some(&after)), Verdict::Metadata);
        let mut touched = before.clone();
        touched.meta.mtime_ns = 9;
        assert_eq!(judge(Some(&before), &known(Some(&touched)), Some(&touched)), Verdict::Metadata);
        let mut later = before.clone();
        later.meta.mtime_ns = 12;
        assert_eq!(judge(Some(&before), &known(Some(&touched)), Some(&later)), Verdict::Nothing);
    }
}
