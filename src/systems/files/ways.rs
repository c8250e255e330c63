//! The ways out of a conflict at one path: what `merge`, `side-by-side` and `force` would do, worked out when the plan is
//! made, so that the preview shows it and applying only carries it out.

use super::beside;
use super::compare::{After, Difference, entry_at, load_state};
use super::entry::{Content, Entry, Kind};
use super::judge::unable;
use super::merge::{Merged, Sides, merged};
use super::node::in_words;
use super::plan::{How, Only, Payload, encode};
use super::scope::{Above, Scope, exact};
use super::tree::digest_unlisted;
use crate::error::Result;
use crate::model::{
    Bytes, EventId, Locator, ObjectId, ObjectKind, ObjectSource, Policy, StepVerdict, Verification, Way,
};
use crate::platform::fs::open_file;

/// How many bytes one plan may merge: the ways are worked out for every conflict, chosen or not.
const MERGED: u64 = 64 << 20;

/// Works out the ways of one plan.
pub struct Ways<'a> {
    /// Stored objects.
    pub source: &'a dyn ObjectSource,
    /// The event that is taken back.
    pub event: EventId,
    /// The directory that the captured path is in.
    pub parent: &'a [u8],
    /// How many bytes were merged.
    pub merged: u64,
}

impl Ways<'_> {
    /// The ways at one path.
    pub fn at(&mut self, at: &Difference, payload: &Payload) -> Result<Vec<Way>> {
        Ok(vec![self.merge(at, payload)?, self.beside(at, payload)?, self.force(at, payload)?])
    }

    fn merge(&mut self, at: &Difference, payload: &Payload) -> Result<Way> {
        let closed = |why: &str| Ok(Way::closed(Policy::Merge, why));
        let (before, after, now) = match (&at.before, &at.after, &at.now) {
            (_, After::Unknown, _) => {
                return closed("the command never reported back, what it left is not known");
            }
            (None, ..) => return closed("there was nothing before the command"),
            (_, _, None) => return closed("there is nothing now"),
            (_, After::Known(None), _) => {
                return closed("the command removed it: nothing is common to both versions");
            }
            (Some(before), After::Known(Some(after)), Some(now)) => (before, after, now),
        };
        self.merged += [before, after, now].map(size).iter().sum::<u64>();
        if self.merged > MERGED {
            return closed("there is too much to merge in one undo");
        }
        let path = self.full(&at.path);
        match merged(Sides { before, after, now }, self.source, || present_bytes(&path, now)) {
            Err(why) => closed(&why),
            Ok(Merged { entry, .. }) => {
                let (result, present) = (fingerprint(Some(&entry)), fingerprint(Some(now)));
                let verdict = if result == present { StepVerdict::Already } else { StepVerdict::Restore };
                let action = "merge: take the command's change out, keep what was changed since";
                self.way(Policy::Merge, action, verdict, None, at, payload, How::Merge { result })
            }
        }
    }

    fn beside(&self, at: &Difference, payload: &Payload) -> Result<Way> {
        let closed = |why: String| Ok(Way::closed(Policy::SideBySide, why));
        let before = match &at.before {
            None => {
                return closed("there was nothing before the command: what is there now stays".to_owned());
            }
            Some(before) => before,
        };
        if is_alone(at) {
            return closed("only the directory's own mode and owner differ: they stay".to_owned());
        }
        if let Some(why) = before.why_skipped().map(str::to_owned).or_else(|| unable(before)) {
            return closed(why);
        }
        match beside::free_name(&self.full(&at.path), before, self.event, self.source) {
            Err(why) => closed(why),
            Ok((name, is_there)) => {
                let place = sibling(&self.full(&at.path), &name);
                let action = format!("put the old version beside it as {}", place.lossy());
                let verdict = if is_there { StepVerdict::Already } else { StepVerdict::Restore };
                let scope = if before.is_dir() { Scope::Tree } else { Scope::Node };
                let locator = Some(locator(place, scope));
                self.way(Policy::SideBySide, &action, verdict, locator, at, payload, How::Beside { name })
            }
        }
    }

    fn force(&self, at: &Difference, payload: &Payload) -> Result<Way> {
        let closed = |why: String| Ok(Way::closed(Policy::Force, why));
        if let Some(why) = at.now.as_ref().and_then(Entry::why_skipped) {
            return closed(format!("what is there now cannot be captured: {why}"));
        }
        if matches!(at.now.as_ref().map(|now| &now.kind), Some(Kind::Socket | Kind::Device { .. })) {
            return closed("what is there now could not be brought back".to_owned());
        }
        let same_kind = at.before.as_ref().map(|b| &b.kind) == at.now.as_ref().map(|n| &n.kind);
        if let Some(why) = at.before.as_ref().and_then(unable).filter(|_| !same_kind) {
            return closed(why);
        }
        if at.now.as_ref().is_some_and(Entry::is_dir) && !is_alone(at) {
            return closed("a directory is there now: move it out of the way".to_owned());
        }
        let action = match (&at.before, &at.now) {
            (None, _) => "remove what is there now, after it was captured",
            (Some(_), None) => "bring it back although it was removed since",
            _ => "overwrite what is there now, after it was captured",
        };
        let is_tree = [&at.before, &at.now].into_iter().flatten().any(Entry::is_dir) && !is_alone(at);
        let scope = if is_tree { Scope::Tree } else { Scope::Node };
        let locator = Some(locator(self.full(&at.path), scope));
        self.way(Policy::Force, action, StepVerdict::Restore, locator, at, payload, How::Overwrite)
    }

    #[allow(clippy::too_many_arguments)]
    fn way(
        &self,
        policy: Policy,
        action: &str,
        verdict: StepVerdict,
        locator: Option<Locator>,
        at: &Difference,
        payload: &Payload,
        how: How,
    ) -> Result<Way> {
        let payload = encode(&only(payload, at, how))?;
        Ok(Way { policy, action: action.to_owned(), verdict, locator, payload })
    }

    fn full(&self, path: &[u8]) -> Bytes {
        Bytes([self.parent, b"/", path].concat())
    }
}

/// The payload that is about this path only.
pub fn only(payload: &Payload, at: &Difference, how: How) -> Payload {
    let only =
        Only { path: at.path.as_slice().into(), now: fingerprint(at.now.as_ref()), alone: is_alone(at), how };
    Payload { skip: Vec::new(), skip_alone: Vec::new(), only: Some(only), ..payload.clone() }
}

/// What is there, as it can be compared again by looking at the path itself: a directory without what is in it.
pub fn fingerprint(entry: Option<&Entry>) -> ObjectId {
    match entry {
        Some(dir) if dir.is_dir() => {
            let kind = Kind::Dir { tree: None, digest: digest_unlisted() };
            super::tree::digest_state(Some(&Entry { kind, ..dir.clone() }))
        }
        other => super::tree::digest_state(other),
    }
}

/// A directory before and now: its own metadata is in conflict, not what is in it.
fn is_alone(at: &Difference) -> bool {
    let is_dir = |e: &Option<Entry>| e.as_ref().is_some_and(Entry::is_dir);
    is_dir(&at.before) && is_dir(&at.now)
}

fn size(entry: &Entry) -> u64 {
    match &entry.kind {
        Kind::File { content } => content.len(),
        _ => 0,
    }
}

fn locator(at: Bytes, scope: Scope) -> Locator {
    Locator { at, opts: [("scope".to_owned(), Bytes::from(scope.word()))].into(), ..Locator::default() }
}

/// Another name in the same directory.
pub fn sibling(path: &Bytes, name: &Bytes) -> Bytes {
    let dir = crate::platform::fs::split_parent(path.as_slice()).0;
    Bytes([dir, b"/", name.as_slice()].concat())
}

/// The bytes that are at a path now, if they still are those of `entry`.
pub fn present_bytes(path: &Bytes, entry: &Entry) -> std::result::Result<Vec<u8>, String> {
    use std::io::Read as _;
    use std::os::fd::AsFd as _;
    let Some(Content::Whole { id, len }) = entry.stored() else {
        return Err("it is not a plain file now".to_owned());
    };
    let place = exact(path.as_slice()).map_err(|e| e.to_string())?;
    let Above::Open(dir) = &place.above else { return Err("its directory is not there any more".to_owned()) };
    let file = open_file(dir.as_fd(), place.name()).map_err(|e| in_words(&e))?;
    let mut bytes = Vec::new();
    file.take(len + 1).read_to_end(&mut bytes).map_err(|e| in_words(&e))?;
    match ObjectId::of(ObjectKind::Blob, &bytes) == id {
        true => Ok(bytes),
        false => Err("it is being written right now".to_owned()),
    }
}

/// Compares what a chosen way has left with what it was to leave.
pub fn verify(payload: &Payload, source: &dyn ObjectSource) -> Result<Verification> {
    let Some(only) = &payload.only else {
        return Ok(Verification::NotVerified { reason: "the step is about no single path".to_owned() });
    };
    let before = load_state(source, &payload.before)?;
    let parent = crate::platform::fs::split_parent(before.path.as_slice()).0;
    let path = Bytes([parent, b"/", only.path.as_slice()].concat());
    let same = match &only.how {
        How::Merge { result } => fingerprint(beside::look(&path, None)?.as_ref()) == *result,
        How::Beside { name } => match entry_at(source, &before, only.path.as_slice())? {
            Some(entry) => beside::holds(&sibling(&path, name), &entry, source)?,
            None => false,
        },
        How::Overwrite => {
            let entry = entry_at(source, &before, only.path.as_slice())?;
            fingerprint(beside::look(&path, entry.as_ref())?.as_ref()) == fingerprint(entry.as_ref())
        }
    };
    Ok(match same {
        true => Verification::Verified,
        false => Verification::Failed { reason: "it is not what the plan said".to_owned() },
    })
}
