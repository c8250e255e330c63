//! The vault: one bare repository per project outside of it, which holds what the project's own one may forget.
//!
//! Its invariant: an object in the vault is there with everything it points to, as far as the project had it. So a
//! capture walks from the tips of the moment and stops at what the vault holds; what it finds is the work of the last
//! few commands. The first time, and whenever a walk would be long, the project's packs and loose objects are
//! hard-linked instead (copied across file systems), which costs no walk at all.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use git2::Oid;
use rustix::fs::FlockOperation;

use super::objects::{Objects, holds, parse_hex, sync};
use super::pinned::{Last, Logged};
use super::place::Place;
use super::walk::missing_in;
use crate::error::{Error, Result};
use crate::model::{Bytes, Locator, Missing, ObjectId, ObjectKind};

/// More objects than this are linked, not walked and packed.
const WALK_BUDGET: usize = 20_000;

/// How a capture names the objects that were too many to pin in passing.
pub const UNPINNED: &str = "objects";

/// How often a vault that vanishes while its lock is waited for is made anew.
const LOCK_TRIES: usize = 8;

/// The vault repository of one project.
pub struct Vault {
    dir: PathBuf,
}

/// Bounds of copying.
#[derive(Clone, Copy)]
pub struct Limits {
    /// The most bytes.
    pub bytes: u64,
    /// No copy is begun later.
    pub until: Option<Instant>,
}

impl Limits {
    /// None.
    pub fn none() -> Limits {
        Limits { bytes: u64::MAX, until: None }
    }
}

/// What a capture wants pinned.
pub struct Wanted<'a> {
    /// Objects that must outlive the command, with all that they point to.
    pub tips: &'a BTreeSet<Oid>,
    /// The same, where they exist.
    pub optional: &'a BTreeSet<Oid>,
    /// The same, of reflogs: many, and nearly all of them known from the capture before.
    pub logged: &'a BTreeSet<Oid>,
    /// Everything, reachable or not: the command prunes, or the tips are not known.
    pub everything: bool,
    /// The command is not known to touch the repository at all: where pinning is long work it is left, and git's own
    /// grace time protects the objects.
    pub only_if_cheap: bool,
    /// Bounds of what is copied where links are not possible.
    pub limits: Limits,
    /// Missing objects are normal: a shallow or partial clone.
    pub has_holes: bool,
}

impl Vault {
    /// The name of a project's vault below `$FR_HOME/git`.
    pub fn name(place: &Place) -> String {
        let path = place.common_dir.canonicalize().unwrap_or_else(|_| place.common_dir.clone());
        let id = ObjectId::of(ObjectKind::State, Bytes::from(path).as_slice());
        format!("{}.git", id.to_string().get(..16).unwrap_or_default())
    }

    /// The vault named `name`; it need not exist yet.
    pub fn at(vaults: &Path, name: &str) -> Vault {
        Vault { dir: vaults.join(name) }
    }

    /// The vault that a capture's locator names.
    pub fn of(vaults: &Path, locator: &Locator) -> Result<Vault> {
        let name = locator.opts.get("vault").and_then(Bytes::as_str).unwrap_or_default();
        let known = name.strip_suffix(".git").is_some_and(|id| id.bytes().all(|b| b.is_ascii_hexdigit()));
        if known { Ok(Vault::at(vaults, name)) } else { Err(Error::corrupt("a capture that names no vault")) }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its objects.
    pub fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    /// Copies what is wanted into the vault, durably, and says what it could not get.
    pub fn pin(&self, place: &Place, wanted: &Wanted<'_>) -> Result<Vec<Missing>> {
        if wanted.only_if_cheap && !self.marker().exists() && has_many_loose(&place.objects()) {
            return Ok(vec![left_unpinned()]);
        }
        if !wanted.everything
            && let Some(absent) = self.pin_new(place, wanted)?
        {
            return Ok(if wanted.has_holes { Vec::new() } else { name_absent(&absent) });
        }
        if wanted.only_if_cheap && has_many_loose(&place.objects()) {
            return Ok(vec![left_unpinned()]);
        }
        let _lock = self.lock(place, FlockOperation::LockExclusive)?;
        if !wanted.everything && self.marker().exists() {
            // Somebody else has just done it.
            if let Some(absent) = self.walk_new(place, wanted)? {
                return Ok(if wanted.has_holes { Vec::new() } else { name_absent(&absent) });
            }
        }
        self.take_all(place, wanted.limits)
    }

    /// Present while everything in the vault is there with all that it points to.
    fn marker(&self) -> PathBuf {
        self.dir.join("whole")
    }

    /// Pins what is new since the last capture, and returns what is nowhere. `None` where the vault must be filled as
    /// a whole first.
    fn pin_new(&self, place: &Place, wanted: &Wanted<'_>) -> Result<Option<Vec<Oid>>> {
        // Shared: others may add packs too, but nobody may be in the middle of filling the vault.
        let _lock = self.lock(place, FlockOperation::LockShared)?;
        if self.marker().exists() { self.walk_new(place, wanted) } else { Ok(None) }
    }

    fn walk_new(&self, place: &Place, wanted: &Wanted<'_>) -> Result<Option<Vec<Oid>>> {
        let objects = self.objects();
        let (source, vault) = (Objects::open(&place.all_objects())?, Objects::open(&[&objects])?);
        let (have, from) = (vault.odb()?, source.odb()?);
        let last = Last::of(wanted, &from);
        if last.is(&self.dir) {
            return Ok(Some(Vec::new()));
        }
        let maybe = wanted.optional.iter().filter(|id| from.exists(**id)).copied();
        let tips = wanted.tips.iter().copied().chain(maybe);
        let new: Vec<Oid> = tips.filter(|id| !holds(&have, *id)).collect();
        let logged = Logged::of(&self.dir).new_of(wanted.logged);
        let logged: Vec<Oid> =
            logged.into_iter().filter(|id| !holds(&have, *id) && holds(&from, *id)).collect();
        let walked = missing_in(&have, &from, &new, WALK_BUDGET);
        // What was pruned from under a reflog is no gap: git itself does not show it any more.
        let old = missing_in(&have, &from, &logged, WALK_BUDGET);
        if walked.over || old.over {
            return Ok(None);
        }
        let needed: BTreeSet<Oid> = walked.needed.into_iter().chain(old.needed).collect();
        if !needed.is_empty() {
            source.pack_into(&needed.into_iter().collect::<Vec<_>>(), &objects.join("pack"))?;
        }
        if walked.absent.is_empty() {
            Logged::note(wanted.logged, &self.dir);
            last.note(&self.dir);
        }
        Ok(Some(walked.absent))
    }

    /// Links (or copies) every pack and loose object of the project that the vault does not have. The marker `whole`
    /// is missing while this runs: after a crash the next capture does it again.
    fn take_all(&self, place: &Place, mut limits: Limits) -> Result<Vec<Missing>> {
        let marker = self.marker();
        let _ = fs::remove_file(&marker);
        let mut missing = Vec::new();
        for dir in place.all_objects().iter().flat_map(|dir| object_dirs(dir)) {
            // Loose ones first: git moves objects from loose to packed, never back while it runs.
            take_files(&dir, &self.objects(), &mut limits, &mut missing)?;
        }
        let dir = File::open(&self.dir).map_err(|e| Error::io("open", &self.dir, &e))?;
        rustix::fs::syncfs(&dir).map_err(|e| Error::io("sync", &self.dir, &e.into()))?;
        if missing.is_empty() {
            File::create(&marker).map_err(|e| Error::io("create", &marker, &e))?;
            sync(&self.dir)?;
        }
        Ok(missing)
    }

    fn create(&self, place: &Place) -> Result<()> {
        if self.dir.join("HEAD").exists() {
            return Ok(());
        }
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        for below in ["objects/pack", "objects/info", "refs"] {
            let path = self.dir.join(below);
            private.create(&path).map_err(|e| Error::io("create", &path, &e))?;
        }
        let config =
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n[gc]\n\tauto = 0\n\tpruneExpire = never\n";
        let from = [Bytes::from(place.common_dir.as_path()).as_slice(), b"\n"].concat();
        self.write("config", config.as_bytes())?;
        self.write("source", &from)?;
        self.write("HEAD", b"ref: refs/heads/none\n")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(&path)
            .and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()))
            .map_err(|e| Error::io("write", &path, &e))
    }

    /// Held while objects are added, in a vault that is made where there is none. Readers need no lock: packs appear
    /// whole. The lock file's time says when the vault was used last: gc leaves alone what was used lately.
    fn lock(&self, place: &Place, how: FlockOperation) -> Result<File> {
        let path = self.dir.join("lock");
        let io = |what: &'static str| move |e: std::io::Error| (what, e);
        for _ in 0..LOCK_TRIES {
            self.create(place)?;
            let mut options = OpenOptions::new();
            let opened = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
            let file = match opened {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                other => other.map_err(|e| Error::io("open", &path, &e))?,
            };
            let held = rustix::fs::flock(&file, how).map_err(|e| ("lock", e.into()));
            let used = held.and_then(|()| file.set_modified(SystemTime::now()).map_err(io("touch")));
            used.map_err(|(what, e)| Error::io(what, &path, &e))?;
            // gc may have taken the vault away while we waited: then the lock is that of nothing.
            let same = |a: Metadata, b: Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
            if file.metadata().ok().zip(fs::symlink_metadata(&path).ok()).is_some_and(|(a, b)| same(a, b)) {
                return Ok(file);
            }
        }
        Err(Error::failure(format!("{} is removed again and again", self.dir.display())))
    }
}

/// More loose objects than can be linked in passing.
fn has_many_loose(objects: &Path) -> bool {
    const MANY: usize = 2_000;
    loose_estimate(objects) > MANY
}

/// About how many loose objects there are. Looked at as `git gc --auto` does: one of 256 directories.
pub fn loose_estimate(objects: &Path) -> usize {
    fs::read_dir(objects.join("17")).map_or(0, |names| names.count()) * 256
}

/// What is said where the objects were too many to pin in passing.
fn left_unpinned() -> Missing {
    let why = "too many loose ones to keep in passing; git keeps them for two weeks, unless the command itself prunes them \
               or removes the repository";
    Missing { what: Bytes::from(UNPINNED), why: why.to_owned() }
}

/// Names at most a few of the objects that are nowhere.
fn name_absent(absent: &[Oid]) -> Vec<Missing> {
    let why = || "the repository itself does not have this object".to_owned();
    let named = absent.iter().take(5).map(|id| Missing { what: Bytes::from(id.to_string()), why: why() });
    let more = absent.len().saturating_sub(5);
    let rest = (more > 0).then(|| Missing { what: Bytes::from(format!("{more} more objects")), why: why() });
    named.chain(rest).collect()
}

/// A directory of objects and those it borrows from (`info/alternates`), as deep as git follows them.
pub fn object_dirs(objects: &Path) -> Vec<PathBuf> {
    let mut dirs = vec![objects.to_path_buf()];
    let mut next = 0;
    while let Some(dir) = dirs.get(next).cloned() {
        next += 1;
        let list = dir.join("info/alternates");
        let listed = if list.is_file() { fs::read(&list).unwrap_or_default() } else { Vec::new() };
        for line in listed.split(|b| *b == b'\n').filter(|l| !l.is_empty() && !l.starts_with(b"#")) {
            let path = dir.join(Bytes::from(line).as_path());
            if dirs.len() < 16 && path.is_dir() && !dirs.contains(&path) {
                dirs.push(path);
            }
        }
    }
    dirs
}

/// Puts every loose object and pack of `from` that `to` lacks into `to`: as a hard link, else as a copy within
/// `limits`. Only regular files with the names of objects are taken.
pub fn take_files(from: &Path, to: &Path, limits: &mut Limits, missing: &mut Vec<Missing>) -> Result<()> {
    for name in names_in(from).into_iter().filter(|n| n.len() == 2) {
        for rest in names_in(&from.join(&name)) {
            let id = [name.as_bytes(), rest.as_bytes()].concat();
            if parse_hex(&id).is_some() {
                take_file(from, to, &format!("{name}/{rest}"), limits, missing)?;
            }
        }
    }
    let packs = names_in(&from.join("pack"));
    for stem in packs.iter().filter_map(|n| n.strip_suffix(".pack")).filter(|s| s.starts_with("pack-")) {
        if packs.iter().any(|n| n.strip_suffix(".idx") == Some(stem)) {
            // The index last: a pack is seen by it.
            for ending in ["pack", "idx"] {
                take_file(from, to, &format!("pack/{stem}.{ending}"), limits, missing)?;
            }
        }
    }
    Ok(())
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|e| e.file_name().into_string().ok()).collect()
}

/// Puts one file of `from` into `to`, unless it is there; what cannot be taken is named.
pub fn take_file(
    from: &Path,
    to: &Path,
    name: &str,
    limits: &mut Limits,
    missing: &mut Vec<Missing>,
) -> Result<()> {
    let (old, new) = (from.join(name), to.join(name));
    if new.symlink_metadata().is_ok() {
        return Ok(());
    }
    // A planted symbolic link must not pull a foreign file in (CVE-2022-39253); a file that is gone was repacked.
    let Ok(meta) = old.symlink_metadata() else { return Ok(()) };
    if !meta.is_file() {
        missing.push(Missing { what: Bytes::from(old), why: "not a regular file".to_owned() });
        return Ok(());
    }
    if let Some(parent) = new.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, &e))?;
    }
    if fs::hard_link(&old, &new).is_ok() || new.exists() {
        return Ok(());
    }
    if limits.until.is_some_and(|until| Instant::now() >= until) {
        let why = "not copied to another file system before the deadline".to_owned();
        missing.push(Missing { what: Bytes::from(old), why });
        return Ok(());
    }
    if meta.len() > limits.bytes {
        let why = format!("{} bytes are over the cap for copies to another file system", meta.len());
        missing.push(Missing { what: Bytes::from(old), why });
        return Ok(());
    }
    limits.bytes -= meta.len();
    let part = new.with_extension("part");
    let copied = fs::copy(&old, &part).and_then(|_| fs::rename(&part, &new));
    if let Err(e) = copied {
        let _ = fs::remove_file(&part);
        missing.push(Missing { what: Bytes::from(old), why: e.to_string() });
    }
    Ok(())
}
