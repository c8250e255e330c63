//! A directory and all below it into tree objects, by as many threads as the machine has. Work is a stack of jobs (list
//! a directory, read some files); a directory becomes an object when the last thing below it is known. Nothing
//! recurses, so the depth of a tree is bounded by memory and not by the stack.

mod slots;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use slots::mark_clean;

use super::cache::{Cache, CacheWriter, CachedDir};
use super::entry::{Entry, Kind, Meta};
use super::node::{Reading, dir_meta, in_words, read_node};
use super::rules::Rules;
use super::tree::digest_unreadable;
use crate::error::{Error, Result};
use crate::model::{Bytes, Missing, ObjectId, ObjectSource};
use crate::platform::fs::{FileKind, Stat, list_dir, open_beneath};

/// Work below this many names is not worth a second thread.
const ALONE: u64 = 256;
/// Files per job, and bytes after which a job has enough.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 1 << 20;
/// Unreadable names that are listed one by one, per walk; the rest is counted.
const NAMED: usize = 200;

/// A finished walk.
pub struct Walked {
    /// The tree object of the root; `None` where it could not even be listed (then `missing` says why).
    pub tree: Option<ObjectId>,
    /// Its digest.
    pub digest: ObjectId,
    /// Names seen.
    pub items: u64,
    /// Bytes of the files taken.
    pub bytes: u64,
    /// What was left out.
    pub missing: Vec<Missing>,
    /// The stat cache for the next time; `None` where the old one still holds, or none was asked for.
    pub cache: Option<CacheWriter>,
}

/// What a walk needs.
pub struct Walk<'a> {
    /// The root, open for listing.
    pub root: BorrowedFd<'a>,
    /// How it is called in `missing`.
    pub shown: &'a [u8],
    /// What is read, and where it goes.
    pub reading: Reading<'a>,
    /// What is left out.
    pub rules: &'a Rules,
    /// Trees of an earlier walk.
    pub source: &'a dyn ObjectSource,
    /// What an earlier walk saw.
    pub cache: Option<&'a Cache>,
    /// Collect a cache for the next walk.
    pub write_cache: bool,
}

/// Walks.
pub fn walk(walk: &Walk<'_>) -> Result<Walked> {
    let root = Arc::new(DirNode::new(None, Vec::new(), None));
    let shared = Shared {
        walk,
        items: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        missing: Mutex::new(Vec::new()),
        writer: Mutex::new(CacheWriter::new()),
        carried: Mutex::default(),
        queue: Mutex::new(Queue { jobs: vec![Job::List(root)], outstanding: 1, failed: None, done: None }),
        wake: Condvar::new(),
    };
    shared.work(Some(ALONE));
    if lock(&shared.queue).outstanding > 0 {
        let threads = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8));
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| shared.work(None));
            }
            shared.work(None);
        });
    }
    shared.finish()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A directory in work.
struct DirNode {
    /// The directory it is in, and its slot there.
    parent: Option<(Arc<DirNode>, usize)>,
    /// Relative to the root; empty for the root.
    path: Vec<u8>,
    /// What `lstat` said; `None` for the root.
    stat: Option<Stat>,
    /// Jobs and subdirectories that are not done, and one for the listing itself.
    pending: AtomicUsize,
    inner: Mutex<DirInner>,
}

#[derive(Default)]
struct DirInner {
    slots: Vec<Slot>,
    meta: Meta,
    /// What an earlier walk saw here, with the same names.
    cached: Option<CachedDir>,
    /// All names are those of the cached directory.
    same_names: bool,
}

/// A name in a directory in work.
struct Slot {
    name: Vec<u8>,
    stat: Stat,
    /// Known by now; `None` with `clean` means: as in the cached tree.
    entry: Option<Entry>,
    /// Nothing of it changed since the cached walk.
    clean: bool,
    /// The rules left it out: it has no `stat` in the cache.
    left_out: bool,
}

impl DirNode {
    fn new(parent: Option<(Arc<DirNode>, usize)>, path: Vec<u8>, stat: Option<Stat>) -> DirNode {
        DirNode { parent, path, stat, pending: AtomicUsize::new(1), inner: Mutex::default() }
    }

    fn child_path(&self, name: &[u8]) -> Vec<u8> {
        super::rules::joined(&self.path, name)
    }
}

enum Job {
    List(Arc<DirNode>),
    Read(Arc<DirNode>, Arc<OwnedFd>, Vec<(usize, Vec<u8>, Stat)>),
}

struct Queue {
    jobs: Vec<Job>,
    /// Jobs in the stack or in somebody's hands.
    outstanding: usize,
    failed: Option<Error>,
    done: Option<Finished>,
}

/// How a directory ended.
enum Finished {
    Tree {
        tree: ObjectId,
        digest: ObjectId,
        unchanged: bool,
    },
    /// It could not be listed.
    Unlisted,
}

struct Shared<'a> {
    walk: &'a Walk<'a>,
    items: AtomicU64,
    bytes: AtomicU64,
    missing: Mutex<Vec<Missing>>,
    writer: Mutex<CacheWriter>,
    /// Directories whose records in the earlier cache still hold.
    carried: Mutex<Vec<(Vec<u8>, CachedDir)>>,
    queue: Mutex<Queue>,
    wake: Condvar,
}

impl Shared<'_> {
    /// Takes jobs until there are none; with a limit, until that many names were seen and work is left for others.
    fn work(&self, limit: Option<u64>) {
        let mut buffer = Vec::new();
        loop {
            let Some(job) = self.next_job(limit) else { return };
            let result = match job {
                Job::List(node) => self.list(node, &mut buffer),
                Job::Read(node, dir, files) => self.read(&node, dir.as_fd(), files, &mut buffer),
            };
            let mut queue = lock(&self.queue);
            queue.outstanding -= 1;
            if let Err(e) = result {
                queue.failed.get_or_insert(e);
            }
            if queue.outstanding == 0 || queue.failed.is_some() {
                self.wake.notify_all();
            }
        }
    }

    fn next_job(&self, limit: Option<u64>) -> Option<Job> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.failed.is_some() || queue.outstanding == 0 {
                return None;
            }
            if limit.is_some_and(|limit| self.items.load(Ordering::Relaxed) > limit) {
                return None;
            }
            if let Some(job) = queue.jobs.pop() {
                return Some(job);
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let mut queue = lock(&self.queue);
        queue.outstanding += jobs.len();
        queue.jobs.extend(jobs);
        drop(queue);
        self.wake.notify_all();
    }

    fn note(&self, path: &[u8], why: &str) {
        let mut what = self.walk.shown.strip_suffix(b"/").unwrap_or(self.walk.shown).to_vec();
        if !path.is_empty() {
            what.push(b'/');
            what.extend_from_slice(path);
        }
        lock(&self.missing).push(Missing { what: Bytes(what), why: why.to_owned() });
    }

    fn list(&self, node: Arc<DirNode>, buffer: &mut Vec<u8>) -> Result<()> {
        if self.walk.rules.is_late() {
            return self.unlisted(&node, "the time for the capture was up");
        }
        let dir = match open_beneath(self.walk.root, &node.path) {
            Ok(dir) => dir,
            Err(e) => return self.unlisted(&node, &in_words(&e)),
        };
        let mut names = Vec::new();
        if let Err(e) = list_dir(dir.as_fd(), buffer, |name| names.push(name.to_vec())) {
            return self.unlisted(&node, &in_words(&e));
        }
        names.sort_unstable();
        let mut slots = self.stat_all(&node, dir.as_fd(), names);
        self.items.fetch_add(slots.len() as u64, Ordering::Relaxed);
        let cached = self.walk.cache.and_then(|cache| cache.dir(&node.path));
        let same_names = match (&cached, self.walk.cache) {
            (Some(cached), Some(cache)) => mark_clean(&mut slots, cached, cache),
            _ => false,
        };
        let jobs = self.plan_jobs(&node, Arc::new(dir), slots, cached, same_names);
        self.push(jobs);
        self.settle(node)
    }

    /// What is left to do for a directory's slots. Subdirectories lie lowest on the stack, so that the files of a
    /// directory are read while it is open.
    fn plan_jobs(
        &self,
        node: &Arc<DirNode>,
        dir: Arc<OwnedFd>,
        slots: Vec<Slot>,
        cached: Option<CachedDir>,
        same_names: bool,
    ) -> Vec<Job> {
        let mut jobs = Vec::new();
        let mut batches = Vec::new();
        let mut batch = Vec::new();
        let mut weight = 0;
        for (index, slot) in slots.iter().enumerate() {
            if slot.entry.is_some() {
                continue;
            }
            if slot.stat.kind() == FileKind::Dir {
                let parent = Some((node.clone(), index));
                let child = DirNode::new(parent, node.child_path(&slot.name), Some(slot.stat));
                jobs.push(Job::List(Arc::new(child)));
            } else if !slot.clean {
                weight += slot.stat.size;
                batch.push((index, slot.name.clone(), slot.stat));
                if batch.len() == BATCH_FILES || weight >= BATCH_BYTES {
                    batches.push(Job::Read(node.clone(), dir.clone(), std::mem::take(&mut batch)));
                    weight = 0;
                }
            }
        }
        if !batch.is_empty() {
            batches.push(Job::Read(node.clone(), dir.clone(), batch));
        }
        jobs.append(&mut batches);
        node.pending.fetch_add(jobs.len(), Ordering::AcqRel);
        let meta = node.stat.as_ref().map(|stat| dir_meta(dir.as_fd(), stat)).unwrap_or_default();
        *lock(&node.inner) = DirInner { slots, meta, cached, same_names };
        jobs
    }

    fn read(
        &self,
        node: &Arc<DirNode>,
        dir: BorrowedFd<'_>,
        files: Vec<(usize, Vec<u8>, Stat)>,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        let mut found = Vec::with_capacity(files.len());
        for (index, name, stat) in files {
            let read = if self.walk.rules.is_late() {
                self.note(&node.child_path(&name), "the time for the capture was up");
                Entry::skipped("the time for the capture was up")
            } else {
                let read = read_node(dir, &name, &stat, self.walk.reading, buffer)?;
                if let Some(why) = read.entry.why_skipped() {
                    self.note(&node.child_path(&name), why);
                } else if let Some(remark) = &read.remark {
                    self.note(&node.child_path(&name), remark);
                }
                read.entry
            };
            found.push((index, read));
        }
        let mut inner = lock(&node.inner);
        for (index, entry) in found {
            if let Some(slot) = inner.slots.get_mut(index) {
                slot.entry = Some(entry);
            }
        }
        drop(inner);
        self.settle(node.clone())
    }

    fn unlisted(&self, node: &Arc<DirNode>, why: &str) -> Result<()> {
        self.note(&node.path, why);
        if let Some(stat) = &node.stat {
            lock(&node.inner).meta = Meta::of(stat, Vec::new());
        }
        self.hand_up(node, Finished::Unlisted)
    }

    /// One thing below `node` is done. The last one makes the directory's object and goes on above.
    fn settle(&self, node: Arc<DirNode>) -> Result<()> {
        if node.pending.fetch_sub(1, Ordering::AcqRel) != 1 {
            return Ok(());
        }
        let finished = self.assemble(&node)?;
        self.hand_up(&node, finished)
    }

    fn hand_up(&self, node: &Arc<DirNode>, finished: Finished) -> Result<()> {
        let mut node = node.clone();
        let mut finished = finished;
        loop {
            let Some((parent, index)) = node.parent.clone() else {
                lock(&self.queue).done = Some(finished);
                return Ok(());
            };
            let meta = std::mem::take(&mut lock(&node.inner).meta);
            let mut inner = lock(&parent.inner);
            if let Some(slot) = inner.slots.get_mut(index) {
                slot.clean &= matches!(finished, Finished::Tree { unchanged: true, .. });
                slot.entry = Some(match finished {
                    Finished::Tree { tree, digest, .. } => {
                        Entry { kind: Kind::Dir { tree: Some(tree), digest }, meta, links: None }
                    }
                    Finished::Unlisted => {
                        let kind = Kind::Dir { tree: None, digest: digest_unreadable() };
                        Entry { kind, meta, links: None }
                    }
                });
            }
            drop(inner);
            if parent.pending.fetch_sub(1, Ordering::AcqRel) != 1 {
                return Ok(());
            }
            finished = self.assemble(&parent)?;
            node = parent;
        }
    }

    fn finish(self) -> Result<Walked> {
        let queue = self.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(e) = queue.failed {
            return Err(e);
        }
        let mut missing = self.missing.into_inner().unwrap_or_else(PoisonError::into_inner);
        missing.sort_by(|a, b| a.what.cmp(&b.what));
        shorten(&mut missing, self.walk.shown);
        let mut writer = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let carried = self.carried.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (tree, digest, unchanged) = match queue.done {
            Some(Finished::Tree { tree, digest, unchanged }) => (Some(tree), digest, unchanged),
            _ => (None, digest_unreadable(), true),
        };
        if let (false, Some(earlier)) = (unchanged, self.walk.cache) {
            carried.iter().for_each(|(path, dir)| writer.carry_over(path, dir, earlier));
        }
        let cache = (self.walk.write_cache && !unchanged).then_some(writer);
        Ok(Walked {
            tree,
            digest,
            items: self.items.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            missing,
            cache,
        })
    }
}

/// Keeps the list readable: beyond a bound the rest is one line with its number.
fn shorten(missing: &mut Vec<Missing>, shown: &[u8]) {
    if missing.len() > NAMED {
        let more = missing.len() - NAMED;
        missing.truncate(NAMED);
        missing.push(Missing { what: shown.into(), why: format!("{more} more below it were left out") });
    }
}
