//! Capture and observation: the state of a path, before a command with its contents, afterwards by identity.

use std::os::fd::AsFd;
use std::path::Path;

use super::cache::{self, Cache};
use super::content::Keep;
use super::entry::{Entry, Kind, Meta};
use super::ignored::Ignored;
use super::node::{Reading, dir_meta, in_words, is_absent, read_node};
use super::rules::{Rules, store_identity};
use super::scope::{Above, Place, Scope, exact, resolve};
use super::tree::{State, digest_state, digest_unreadable, encode_state};
use super::walk::{Walk, walk};
use super::workspace;
use crate::error::Result;
use crate::model::{Bytes, Capture, Effect, EffectClass, Locator, Missing, ObjectKind, StateRef, SystemId};
use crate::platform::fs::{FileKind, open_absolute, open_beneath, read_link, stat_at, stat_fd};
use crate::systems::CaptureCx;

/// The system's id.
pub const ID: SystemId = SystemId::new("fs");

/// Stores what `effect` is about to change. A write through a symbolic link gives two captures: the link, and the file
/// that it leads to.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let Some(locator) = &effect.locator else { return Ok(Vec::new()) };
    let scope = match (Scope::of(locator), effect.class) {
        // chmod, chown, setfacl: contents stay as they are.
        (Scope::Tree, EffectClass::Access) => Scope::MetaTree,
        (scope, _) => scope,
    };
    if scope == Scope::Workspace {
        let (root, limited) = workspace::root_of(locator);
        return Ok(vec![capture_workspace(&root, limited, cx)?]);
    }
    let place = resolve(&locator.at)?;
    let mut captures = Vec::with_capacity(1);
    let follows = effect.class != EffectClass::Destroy || locator.opts.contains_key(FOLLOW);
    if follows
        && let Some((target, is_dir)) = link_target(&place)
        && (!is_dir || reaches_through(locator, scope, effect.class))
    {
        let resource = resource_of(&target);
        let scope = if matches!(scope, Scope::Tree | Scope::Around) && !is_dir { Scope::Node } else { scope };
        captures.push(capture_place(exact(&target)?, scope, resource, cx)?);
    }
    let inside = names_inside(&place, scope, locator);
    captures.push(capture_place(place, scope, effect.resource.clone(), cx)?);
    for path in inside {
        let mut locator = Locator { at: path.as_slice().into(), ..locator.clone() };
        locator.opts.remove(INTO);
        captures.extend(capture(
            &Effect { resource: resource_of(&path), locator: Some(locator), ..effect.clone() },
            cx,
        )?);
    }
    Ok(captures)
}

/// Option of a locator: the word ended in a slash, so a link is gone through even by those who remove.
pub const FOLLOW: &str = "follow";

/// The command works on the directory that a link leads to: `chmod -R` follows the links that it is given (coreutils' fts with
/// `FTS_COMFOLLOW`), and a word like `link/` is the directory for all.
fn reaches_through(locator: &Locator, scope: Scope, class: EffectClass) -> bool {
    scope.recursive() && (class == EffectClass::Access || locator.opts.contains_key(FOLLOW))
}

/// Option of a locator: the names that are put into the place if it is a directory, separated by NUL.
const INTO: &str = "into";

/// Where the place is a directory, or leads to one: what is put into it. A tree has it anyway.
fn names_inside(place: &Place, scope: Scope, locator: &Locator) -> Vec<Vec<u8>> {
    let Some(names) = locator.opts.get(INTO) else { return Vec::new() };
    let path = Bytes::from(place.path.as_slice());
    let Ok(real) = std::fs::canonicalize(path.as_path()) else { return Vec::new() };
    let real = Bytes::from(real).0;
    if !Bytes::from(real.as_slice()).as_path().is_dir() || (scope == Scope::Tree && real == place.path) {
        return Vec::new();
    }
    names.0.split(|b| *b == 0).map(|name| [real.as_slice(), b"/", name].concat()).collect()
}

/// The state now of what a capture covers.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let scope = Scope::of(&captured.locator);
    let mut place = exact(captured.locator.at.as_slice())?;
    // Nothing was there, and what is reached through a link made since is another path: still nothing is there.
    if matches!(place.above, Above::BehindLink(_)) && captured.state.digest == digest_state(None) {
        place.above = Above::Absent;
    }
    let limited = workspace::is_limited(&captured.locator);
    let (seen, _) = look(&place, scope, limited, cx, false)?;
    Ok(seen.state)
}

/// What a look at a place gave.
struct Seen {
    state: StateRef,
    missing: Vec<Missing>,
    items: u64,
    bytes: u64,
}

fn capture_place(place: Place, scope: Scope, resource: Bytes, cx: &CaptureCx<'_>) -> Result<Capture> {
    let locator = locator_for(&place.path, scope);
    let (seen, _) = look(&place, scope, false, cx, false)?;
    Ok(finished(seen, locator, resource))
}

fn capture_workspace(root: &[u8], limited: bool, cx: &CaptureCx<'_>) -> Result<Capture> {
    let place = exact(root)?;
    let mut locator = locator_for(root, Scope::Workspace);
    workspace::pin(&mut locator, limited);
    let (seen, _) = look(&place, Scope::Workspace, limited, cx, cx.contents)?;
    Ok(finished(seen, locator, resource_of(root)))
}

fn finished(seen: Seen, locator: Locator, resource: Bytes) -> Capture {
    let Seen { state, missing, items, bytes } = seen;
    Capture { system: ID, resource, locator, state, missing, items, bytes }
}

fn resource_of(path: &[u8]) -> Bytes {
    Bytes([b"path:", path].concat())
}

fn locator_for(path: &[u8], scope: Scope) -> Locator {
    let opts = [("scope".to_owned(), Bytes::from(scope.word()))].into();
    Locator { at: path.into(), opts, ..Locator::default() }
}

/// What a link leads to, and whether that is a directory. A shell's `>` and most tools write through a link.
fn link_target(place: &Place) -> Option<(Vec<u8>, bool)> {
    let Above::Open(dir) = &place.above else { return None };
    let stat = stat_at(dir.as_fd(), place.name()).ok()?;
    if stat.kind() != FileKind::Symlink {
        return None;
    }
    let real = match std::fs::canonicalize(Bytes::from(place.path.as_slice()).as_path()) {
        Ok(real) => Bytes::from(real).0,
        // A dangling link: writing through it creates the file.
        Err(_) => {
            let target = read_link(dir.as_fd(), place.name()).ok()?;
            let base = Bytes::from(super::super::super::platform::fs::split_parent(&place.path).0);
            resolve(&base.join(&target)).ok()?.path
        }
    };
    let is_dir = std::fs::symlink_metadata(Bytes::from(real.as_slice()).as_path()).is_ok_and(|m| m.is_dir());
    (real != place.path).then_some((real, is_dir))
}

/// Reads a place. The second value tells whether a stat cache awaits its commit.
fn look(
    place: &Place,
    scope: Scope,
    limited: bool,
    cx: &CaptureCx<'_>,
    write_cache: bool,
) -> Result<(Seen, bool)> {
    let mut seen = Looked::default();
    let keep = if cx.contents { Keep::Store(cx.sink) } else { Keep::Trees(cx.sink) };
    let reading = Reading { keep, contents: scope.contents() };
    match &place.above {
        Above::Absent => {}
        Above::Blocked(why) | Above::BehindLink(why) => {
            seen.leave_out(&place.path, why);
            seen.entry = Some(Entry::skipped(why));
        }
        Above::Open(dir) => {
            read_place(place, dir.as_fd(), scope, limited, reading, cx, write_cache, &mut seen)?
        }
    }
    let state =
        State { path: place.path.as_slice().into(), parents: place.parents.clone(), entry: seen.entry };
    let state = state_of(&state, keep)?;
    Ok((Seen { state, missing: seen.missing, items: seen.items, bytes: seen.bytes }, seen.pending))
}

/// What stands for a state, with its object put.
pub fn state_of(state: &State, keep: Keep<'_>) -> Result<StateRef> {
    let object = Some(keep.put(ObjectKind::State, &encode_state(state)?)?);
    Ok(StateRef { digest: digest_state(state.entry.as_ref()), object })
}

#[derive(Default)]
struct Looked {
    entry: Option<Entry>,
    missing: Vec<Missing>,
    items: u64,
    bytes: u64,
    pending: bool,
}

impl Looked {
    fn leave_out(&mut self, path: &[u8], why: &str) {
        self.missing.push(Missing { what: path.into(), why: why.to_owned() });
    }
}

#[allow(clippy::too_many_arguments)]
fn read_place(
    place: &Place,
    dir: std::os::fd::BorrowedFd<'_>,
    scope: Scope,
    limited: bool,
    reading: Reading<'_>,
    cx: &CaptureCx<'_>,
    write_cache: bool,
    seen: &mut Looked,
) -> Result<()> {
    let name = place.name();
    let stat = if name.is_empty() { stat_fd(dir) } else { stat_at(dir, name) };
    let stat = match stat {
        Ok(stat) => stat,
        Err(e) if is_absent(&e) => return Ok(()),
        Err(e) => {
            seen.leave_out(&place.path, &in_words(&e));
            seen.entry = Some(Entry::skipped(in_words(&e)));
            return Ok(());
        }
    };
    if is_in_store(&place.path, &cx.store_home) {
        seen.leave_out(&place.path, "it is the recorder's own store");
        seen.entry = Some(Entry::skipped("it is the recorder's own store"));
        return Ok(());
    }
    if stat.kind() == FileKind::Dir && scope.recursive() {
        let below = if name.is_empty() { open_absolute(b"/") } else { open_beneath(dir, name) };
        match below {
            Ok(fd) => return read_below(place, &fd, &stat, scope, limited, reading, cx, write_cache, seen),
            Err(e) => {
                seen.leave_out(&place.path, &in_words(&e));
                let kind = Kind::Dir { tree: None, digest: digest_unreadable() };
                let meta = Meta::of(&stat, Vec::new());
                seen.entry = Some(Entry { kind, meta, links: None });
                return Ok(());
            }
        }
    }
    seen.items = 1;
    let node = read_node(dir, name, &stat, reading, &mut Vec::new())?;
    if let Some(why) = node.entry.why_skipped().or(node.remark.as_deref()) {
        seen.leave_out(&place.path, why);
    }
    if let Kind::File { content } = &node.entry.kind {
        seen.bytes = content.len();
    }
    seen.entry = Some(node.entry);
    Ok(())
}

#[allow(clippy::too_many_arguments)]
fn read_below(
    place: &Place,
    root: &std::os::fd::OwnedFd,
    stat: &crate::platform::fs::Stat,
    scope: Scope,
    limited: bool,
    reading: Reading<'_>,
    cx: &CaptureCx<'_>,
    write_cache: bool,
    seen: &mut Looked,
) -> Result<()> {
    let is_workspace = scope == Scope::Workspace;
    let taken_ns = crate::platform::fs::coarse_now_ns();
    let generation = cache::generation(&cx.store_home);
    let cached =
        (is_workspace && !limited).then(|| Cache::load(&cx.cache, &place.path, generation)).flatten();
    // A store that lost its objects by other hands than gc's: then the cache vouches for nothing.
    let cached = cached.filter(|c| c.dir(b"").is_some_and(|root| cx.source.get(&root.tree).is_ok()));
    let root_path = Bytes::from(place.path.as_slice());
    let rules = Rules {
        workspace: is_workspace.then(|| Ignored::of(root_path.as_path())),
        spares_repository: scope == Scope::Around,
        shallow: limited,
        ignored_file_bytes: cx.caps.ignored_file_bytes,
        store: store_identity(&cx.store_home),
        dev: stat.dev,
        max_files: if is_workspace { cx.caps.tree_files } else { cx.caps.named_files },
        max_bytes: if is_workspace { cx.caps.tree_bytes } else { cx.caps.named_bytes },
        deadline: cx.deadline,
    };
    let mut job = Walk {
        root: root.as_fd(),
        shown: &place.path,
        reading,
        rules: &rules,
        source: cx.source,
        cache: cached.as_ref(),
        write_cache: write_cache && !limited,
    };
    let walked = match walk(&job) {
        // A cache that does not fit its trees is not worth an event: look at everything.
        Err(_) if job.cache.is_some() => {
            job.cache = None;
            walk(&job)?
        }
        other => other?,
    };
    if let Some(writer) = walked.cache {
        // Without a cache the next snapshot is slower, that is all.
        seen.pending = writer.write_pending(&cx.cache, &place.path, generation, taken_ns).is_ok();
    }
    let meta = dir_meta(root.as_fd(), stat);
    let kind = Kind::Dir { tree: walked.tree, digest: walked.digest };
    seen.entry = Some(Entry { kind, meta, links: None });
    seen.items = walked.items + 1;
    seen.bytes = walked.bytes;
    seen.missing = walked.missing;
    Ok(())
}

/// The path is the store or below it.
fn is_in_store(path: &[u8], store_home: &Path) -> bool {
    let Ok(store) = std::fs::canonicalize(store_home) else { return false };
    Bytes::from(path).as_path().starts_with(store)
}
