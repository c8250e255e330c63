//! Captured events that await their after-half: one small file each, so that the after-hook finds its captures without
//! a database, and the after-hook of a harmless command costs one failed open.
//!
//! The file is made before anything is captured. That is also how a second report of the same call (an agent that runs
//! another agent's hooks too, agents.md 4.8) learns that it is the second, and captures nothing again.
//!
//! A call with an id has the file `HASH`. Calls without one are told apart by what they run: the directory `HASH` has a
//! file `TIME-PID` for each such call that is open. Beside a file is a mark, `….by-CHANNEL`, for each channel that has
//! reported it as well. An after-half without an id takes the oldest call that its own registration has reported.
//!
//! Events that nobody ended (a killed agent's) stay for days, so nothing here reads all of them to find one: the name of
//! such a directory begins with the key of what runs, and beside the file of a call with an id lies a mark
//! `….key-KEY-CHANNEL`, beside that of a part `….part-EVENT`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Result as Io};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::nesting::Nest;
use crate::error::{Error, Result};
use crate::model::{Call, Capture, EventId};
use crate::platform::{clock, fs::list_dir, home::Home};

/// How long after the first report of a call was recorded a second one may come (agents.md 4.8).
const TOLD_AGAIN: Duration = Duration::from_secs(2);

/// The longest that the first report may still be at work on its capture.
const AT_WORK: Duration = Duration::from_secs(300);

/// How long the agent may have asked its user, for a shell that knows the call's id (Codex tells it).
const ASKED: Duration = Duration::from_secs(3600);

/// What nobody has asked for during this time never will be.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often a directory is made anew that another process has just found empty and removed.
const TRIES: usize = 8;

/// A call as it is reported: what tells it from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its session.
    pub session: String,
    /// Its call.
    pub call: String,
    /// [`Call::key`] of what it runs: some model servers give ids like `call_0` again and again.
    pub key: String,
    /// The name of the agent that runs it; empty for a person.
    pub agent: String,
    /// Who reports it: `id` for whoever has call ids, `shell`, else the registration.
    pub channel: String,
    /// The record says already that nobody told how it ended. Somebody still may.
    #[serde(default)]
    pub closed: bool,
    /// The recorder said no, and the record says that it never ran. An agent may run it all the same, and say so.
    #[serde(default)]
    pub denied: bool,
}

/// What the after-half needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenEvent {
    /// The call. The files hold it from the beginning.
    #[serde(flatten)]
    pub report: Report,
    /// The event.
    pub event: EventId,
    /// What to look at again.
    pub captures: Vec<Capture>,
    /// What it tells those that run inside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nest: Option<Nest>,
}

/// The answer to "may I record this call?".
pub enum Claim {
    /// Nobody has; the slot is ours.
    Mine(Slot),
    /// Another channel has reported it, and its process records it.
    Twin,
}

/// The place of an event that is being captured.
pub struct Slot {
    path: PathBuf,
    mark: PathBuf,
    file: File,
}

/// What an after-half finds.
pub enum Taken {
    /// Nothing was captured.
    Nothing,
    /// Its event.
    Open(Box<OpenEvent>),
    /// Another registration has reported this call's end.
    Told,
}

impl Slot {
    /// Leaves word for the after-half. Not synced: without it the event is closed as "not known", which is true then.
    pub fn fill(self, open: &OpenEvent) -> Result<()> {
        let text = serde_json::to_vec(open)
            .map_err(|e| Error::failure(format!("cannot encode an open event: {e}")))?;
        rewrite(&self.file, &text).map_err(|e| Error::io("write", &self.path, &e))?;
        // Not before: a new file would be one more thing for the capture's own syncs to write. Channels with ids find
        // each other by the file itself, and a shell reports only when the hook has answered.
        if self.mark.extension().is_some_and(|extension| extension.as_bytes().starts_with(KEY.as_bytes())) {
            make_mark(&self.path, &self.mark)?;
        }
        if let Some(line) = open.nest.as_ref().and_then(|nest| nest.parent) {
            let mark = self.path.with_extension(format!("{PART}{line}"));
            make_mark(&self.path, &mark)?;
        }
        Ok(())
    }

    /// Gives the place up: nothing was captured, or not by us.
    pub fn release(self) {
        for path in [&self.mark, &self.path] {
            let _ = fs::remove_file(path);
        }
        if let Some(dir) = self.path.parent() {
            let _only_if_empty = fs::remove_dir(dir);
        }
    }
}

/// Asks for the place of a call that is about to be captured.
pub fn claim(home: &Home, call: &Call, report: &Report) -> Result<Claim> {
    if is_twin(home, report) {
        return Ok(Claim::Twin);
    }
    let place = path_of(home, &report.session, call);
    let claimed = match call {
        Call::Id(_) => claim_id(&place, report),
        Call::Args { by, .. } => claim_args(&place, by, report).map(Claim::Mine),
    };
    claimed.map_err(|e| Error::io("make", &place, &e))
}

/// Whether this is what another channel has just reported: the same action in the same session, or a shell's report of
/// what its agent has announced. One call is told once by each channel, so each leaves its mark on it; the same channel
/// reporting the same line again has run it again.
fn is_twin(home: &Home, report: &Report) -> bool {
    let from_agent = |there: &Report| report.channel == "shell" && there.agent == report.agent;
    let named = |there: &Report| from_agent(there) && there.channel == "id" && there.call == report.call;
    let same = |there: &Report| {
        there.key == report.key
            && !there.closed
            && there.channel != report.channel
            && (there.session == report.session || (!report.agent.is_empty() && from_agent(there)))
    };
    let files = by_others(home, report).into_iter();
    files.filter(|file| file.extension().is_none() && age(file).is_some_and(|age| age <= ASKED)).any(|file| {
        let twin = read_report(&file).is_some_and(|there| same(&there) && (named(&there) || is_fresh(&file)));
        twin && make_new(&mark_of(&file, &report.channel)).is_ok()
    })
}

/// The open calls that run this and may have been reported by another channel.
fn by_others(home: &Home, report: &Report) -> Vec<PathBuf> {
    let key = report.key.as_str();
    let (mark, ours) = (key_mark(key, ""), key_mark(key, &report.channel));
    let dir = home.open_events();
    let mut found = Vec::new();
    // Names as the kernel gives them: there may be many, and none but ours costs an allocation.
    let _nothing_is_open = names(&dir, |name| {
        let (stem, extension) = match name.iter().position(|byte| *byte == b'.') {
            Some(dot) => (&name[..dot], &name[dot + 1..]),
            None => (name, &name[..0]),
        };
        if extension.starts_with(mark.as_bytes()) {
            found.extend((extension != ours.as_bytes()).then(|| dir.join(OsStr::from_bytes(stem))));
        } else if stem.starts_with(key.as_bytes()) && stem.get(key.len()) == Some(&b'-') {
            found.extend(entries(&dir.join(OsStr::from_bytes(name))));
        }
    });
    found
}

fn names(dir: &Path, each: impl FnMut(&[u8])) -> Io<()> {
    list_dir(File::open(dir)?.as_fd(), &mut Vec::new(), each)
}

/// Takes the word back: the event's after-half is being written.
pub fn take(home: &Home, session: &str, call: &Call) -> Taken {
    let place = path_of(home, session, call);
    match call {
        Call::Id(_) => {
            let open = read(&place);
            // A leftover that cannot be removed is closed again at the session's end; the index keeps what is known.
            if open.is_some() {
                remove_with_marks(&place);
            }
            open.map_or(Taken::Nothing, |open| Taken::Open(Box::new(open)))
        }
        Call::Args { by, .. } => take_args(&place, by),
    }
}

/// Leaves word for the end of what goes on in the background, under another name of its call.
pub fn keep_as(home: &Home, call: &str, mut open: OpenEvent) -> Result<()> {
    // What runs from now on is not known to run inside of it.
    open.nest = None;
    open.report.closed = true;
    let place = path_of(home, &open.report.session, &Call::Id(call.to_owned()));
    let text =
        serde_json::to_vec(&open).map_err(|e| Error::failure(format!("cannot encode an open event: {e}")))?;
    let written = make_new(&place).and_then(|file| rewrite(&file, &text));
    written.map_err(|e| Error::io("write", &place, &e))
}

/// What a session has left open and the record does not say so yet. At the end of the session (`end`) the places are
/// given up; before, an ending may still come for them (a sub-agent goes on after its parent's turn).
pub fn close_session(home: &Home, session: &str, end: bool) -> Vec<OpenEvent> {
    let mut left = Vec::new();
    for place in children(&home.open_events()) {
        if place.is_dir() {
            for file in children(&place) {
                close(file, session, end, &mut left);
            }
            let _ = fs::remove_dir(&place);
        } else {
            close(place, session, end, &mut left);
        }
    }
    left.sort_by_key(|open| open.event);
    left
}

fn close(file: PathBuf, session: &str, end: bool, left: &mut Vec<OpenEvent>) {
    if is_mark(&file) {
        return;
    }
    let Some(mut open) = read(&file) else {
        // Its recorder was killed at work.
        let ours = read_report(&file).is_some_and(|report| report.session == session);
        if (ours && end) || is_forgotten(&file) {
            remove_with_marks(&file);
        }
        return;
    };
    let ours = open.report.session == session;
    if (ours && end) || is_forgotten(&file) {
        remove_with_marks(&file);
    }
    if ours && !open.report.closed && !open.report.denied && file.extension().is_none() {
        open.report.closed = true;
        if !end && let Ok(text) = serde_json::to_vec(&open) {
            let _ = fs::write(&file, text);
        }
        left.push(open);
    }
}

fn path_of(home: &Home, session: &str, call: &Call) -> PathBuf {
    let mut hasher = blake3::Hasher::new();
    hasher.update(session.as_bytes());
    let front = match call {
        Call::Id(id) => {
            hasher.update(&[0]).update(id.as_bytes());
            String::new()
        }
        Call::Args { key, .. } => format!("{key}-"),
    };
    home.open_events().join(format!("{front}{}", &hasher.finalize().to_hex()[..32]))
}

fn make_new(path: &Path) -> Io<File> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes over what is there. Never emptied first: ext4 starts to write out a file that was, when it is closed.
fn rewrite(file: &File, text: &[u8]) -> Io<()> {
    file.write_all_at(text, 0)?;
    let len = text.len() as u64;
    if file.metadata()?.len() > len { file.set_len(len) } else { Ok(()) }
}

/// A mark says all by its name. A second name of the file beside which it lies costs a tenth of a new file, and a
/// hundredth where the file system has just deleted many (ext4 gives no inode away again for some minutes).
fn make_mark(beside: &Path, mark: &Path) -> Result<()> {
    let made = fs::hard_link(beside, mark).or_else(|e| match e.kind() {
        // Given up meanwhile (its session has ended): nobody will ask for it.
        ErrorKind::AlreadyExists | ErrorKind::NotFound => Ok(()),
        // A file system without hard links.
        _ => make_new(mark).map(drop),
    });
    made.map_err(|e| Error::io("make", mark, &e))
}

fn make_dir(path: &Path) -> Io<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn claim_id(place: &Path, report: &Report) -> Io<Claim> {
    let begun = serde_json::to_vec(report)?;
    let made = match make_new(place) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            make_dir(place.parent().unwrap_or(place))?;
            make_new(place)
        }
        other => other,
    };
    let file = match made {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            let there = read_report(place).unwrap_or_default();
            if there.key == report.key && !there.closed && is_fresh(place) {
                return Ok(Claim::Twin);
            }
            fs::OpenOptions::new().write(true).open(place)?
        }
        other => other?,
    };
    rewrite(&file, &begun)?;
    let mark = place.with_extension(key_mark(&report.key, &report.channel));
    Ok(Claim::Mine(Slot { path: place.to_owned(), mark, file }))
}

/// Whether a report that comes now may be a second one of the call that left this file.
fn is_fresh(file: &Path) -> bool {
    let limit = if read(file).is_some() { TOLD_AGAIN } else { AT_WORK };
    age(file).is_some_and(|age| age <= limit)
}

fn age(file: &Path) -> Option<Duration> {
    let modified = fs::metadata(file).and_then(|meta| meta.modified()).ok()?;
    // A clock that was set back: made just now.
    Some(modified.elapsed().unwrap_or_default())
}

fn claim_args(dir: &Path, by: &str, report: &Report) -> Io<Slot> {
    let path = dir.join(format!("{:020}-{}", clock::now_ns(), std::process::id()));
    let mark = mark_of(&path, by);
    let begun = serde_json::to_vec(report)?;
    for _ in 0..TRIES {
        make_dir(dir)?;
        // The mark first: whoever sees the call must see that it is ours.
        match make_new(&mark).and_then(|_| make_new(&path)) {
            Ok(file) => {
                rewrite(&file, &begun)?;
                return Ok(Slot { path, mark, file });
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// First in, first out; what the record has closed already comes last, it was most likely refused.
fn take_args(dir: &Path, by: &str) -> Taken {
    let mut ours: Vec<(bool, PathBuf)> = entries(dir)
        .into_iter()
        .filter(|entry| mark_of(entry, by).exists())
        .map(|entry| (read_report(&entry).is_some_and(|report| report.closed), entry))
        .collect();
    ours.sort();
    for (_, entry) in ours {
        if fs::remove_file(mark_of(&entry, by)).is_err() {
            continue;
        }
        let done = entry.with_extension(DONE);
        let taken = match entry.extension() {
            None if fs::rename(&entry, &done).is_ok() => {
                read(&done).map_or(Taken::Nothing, |open| Taken::Open(Box::new(open)))
            }
            _ => Taken::Told,
        };
        if !entries_and_marks(dir).iter().any(|file| is_mark(file) && stem(file) == stem(&entry)) {
            let _ = fs::remove_file(&done);
            let _ = fs::remove_dir(dir);
        }
        return taken;
    }
    Taken::Nothing
}

/// The ending of a call whose end is told, while another registration may still tell it again.
const DONE: &str = "done";

/// The mark of what a call with an id runs.
const KEY: &str = "key-";

/// The end of the name of that mark. A key may be any text, a name may not.
fn key_mark(key: &str, channel: &str) -> String {
    format!("{KEY}{}-{channel}", &blake3::hash(key.as_bytes()).to_hex()[..16])
}

/// The mark of a part of a line.
const PART: &str = "part-";

fn stem(file: &Path) -> Option<&std::ffi::OsStr> {
    file.file_stem()
}

fn mark_of(entry: &Path, by: &str) -> PathBuf {
    // The registration is one of our own words (`AGENTS`), never a path.
    entry.with_extension(format!("by-{by}"))
}

fn is_mark(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension != DONE)
}

fn entries_and_marks(dir: &Path) -> Vec<PathBuf> {
    let mut found = children(dir);
    found.sort();
    found
}

/// Calls without their marks, the oldest first.
fn entries(dir: &Path) -> Vec<PathBuf> {
    entries_and_marks(dir).into_iter().filter(|file| !is_mark(file)).collect()
}

fn children(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|found| found.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

fn read(file: &Path) -> Option<OpenEvent> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn read_report(file: &Path) -> Option<Report> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn is_forgotten(file: &Path) -> bool {
    age(file).is_some_and(|age| age > FORGOTTEN)
}

fn remove_with_marks(file: &Path) {
    let _ = fs::remove_file(file);
    for mark in file.parent().map(children).unwrap_or_default() {
        if is_mark(&mark) && stem(&mark) == stem(file) {
            let _ = fs::remove_file(mark);
        }
    }
}

/// Looks at the open event of a call that has an id, and leaves it.
pub fn peek(home: &Home, session: &str, call: &str) -> Option<OpenEvent> {
    read(&path_of(home, session, &Call::Id(call.to_owned())))
}

/// All open events, in no order.
pub fn all(home: &Home) -> impl Iterator<Item = OpenEvent> {
    let places = children(&home.open_events()).into_iter();
    let files = places.flat_map(|place| if place.is_dir() { entries(&place) } else { vec![place] });
    files.filter(|file| file.extension().is_none()).filter_map(|file| read(&file))
}

/// Takes back the parts of an event.
pub fn take_parts(home: &Home, of: EventId) -> Vec<OpenEvent> {
    let mark = format!("{PART}{of}");
    let marks = children(&home.open_events()).into_iter();
    let files = marks.filter(|place| place.extension().is_some_and(|extension| *extension == *mark));
    let mut parts: Vec<OpenEvent> = files.filter_map(|file| read(&file.with_extension(""))).collect();
    parts.sort_by_key(|open| open.event);
    parts.retain(|open| {
        let call = Call::Id(open.report.call.clone());
        matches!(take(home, &open.report.session, &call), Taken::Open(_))
    });
    parts
}
