//! Capture and observation: the same look at a repository, with and without storing what undo would need.

use std::collections::BTreeSet;

use git2::Oid;

use super::look::{Seen, look};
use super::objects::{Objects, parse_oid};
use super::place::Place;
use super::remote;
use super::state::{FileKind, RepoState, put_new};
use super::vault::{Limits, UNPINNED, Vault, Wanted};
use super::what::What;
use super::{assess, lfs, loose, modules};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, EffectClass, Locator, Missing, StateRef, SystemId};
use crate::systems::{CaptureCx, Held};

/// More objects than this are not listed one by one (20 MB); what refs and logs name still comes back.
const LISTED_OBJECTS: usize = 1_000_000;

/// Stores the state of the repository that an effect is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let Some(locator) = &effect.locator else { return Ok(Vec::new()) };
    // An undo captures the present of what an earlier capture covers, also where that is nothing.
    let again = locator.opts.contains_key("vault");
    let place = match again {
        true => Place::find_if_there(locator)?,
        false => Some(Place::find(locator)?),
    };
    let Some(place) = place else { return Ok(vec![nothing_there(effect, locator)]) };
    let what = What { passing: effect.class == EffectClass::Opaque, ..What::of(locator) };
    let mut taken = repository(&place, locator, what, cx)?;
    // What is about to be overwritten by an undo, and could not be read, would be lost.
    if let Some(unread) =
        taken.first().filter(|_| again).map(|local| unread(local, cx)).transpose()?.flatten()
    {
        return Err(Error::failure(format!("{}: {}", unread.what.lossy(), unread.why)));
    }
    let all = what.modules || modules::are_configured(&place);
    if all || what.embedded {
        modules::capture(&place, locator, !all, cx, &mut taken);
    }
    Ok(taken)
}

/// HEAD or the index, where it could not be read at all.
fn unread(local: &Capture, cx: &CaptureCx<'_>) -> Result<Option<Missing>> {
    let Some(state) = RepoState::load(&local.state, cx.source)? else { return Ok(None) };
    let is_unread = |missing: &&Missing| match missing.what.as_slice() {
        b"HEAD" => state.head.is_none(),
        b"index" => state.index.is_none(),
        _ => false,
    };
    Ok(local.missing.iter().find(is_unread).cloned())
}

fn nothing_there(effect: &Effect, locator: &Locator) -> Capture {
    Capture {
        system: SystemId::new("git"),
        resource: effect.resource.clone(),
        locator: locator.clone(),
        items: 0,
        bytes: 0,
        state: RepoState::absent(),
        missing: Vec::new(),
    }
}

/// One repository, and the other side of a push from it.
pub fn repository(place: &Place, locator: &Locator, what: What, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let mut seen = look(place, cx.sink, cx.contents, what)?;
    seen.state.moved = place.moved(locator);
    let mut missing = seen.missing.clone();
    if let Err(e) = list_objects(place, &mut seen.state, what, cx) {
        missing.push(Missing { what: Bytes::from("objects"), why: e.to_string() });
    }
    let large = large_files(place, what, &mut missing);
    seen.state.lfs = lfs::stored(&large, cx.sink)?;
    if cx.contents {
        let unpinned = pin(place, &seen, what, cx);
        if unpinned.iter().any(|m| m.what.as_slice() == UNPINNED.as_bytes()) {
            seen.state.loose = loose::note(&place.objects(), cx.sink)?;
        }
        missing.extend(unpinned);
        let vault = Vault::at(&cx.vault, &Vault::name(place));
        if !large.is_empty() {
            let limits = Limits { bytes: cx.caps.tree_bytes, until: cx.deadline };
            missing.extend(lfs::pin(&place.common_dir, &vault, &large, limits));
        }
    }
    let remotes = if what.remote { other_side(place, locator, cx, &mut missing) } else { None };
    let local = Capture {
        system: SystemId::new("git"),
        resource: place.resource(),
        locator: with_vault(place, locator, remotes.is_some()),
        items: seen.state.items(),
        bytes: seen.state.bytes(),
        state: seen.state.store(cx.sink)?,
        missing,
    };
    Ok(std::iter::once(local).chain(remotes.into_iter().flatten()).collect())
}

/// The contents that git-lfs has here, where the command may remove them.
fn large_files(place: &Place, what: What, missing: &mut Vec<Missing>) -> BTreeSet<[u8; 32]> {
    if !what.lfs {
        return BTreeSet::new();
    }
    lfs::names(&place.common_dir).unwrap_or_else(|e| {
        missing.push(Missing { what: Bytes::from("lfs/objects"), why: e.to_string() });
        BTreeSet::new()
    })
}

/// What a push is about to destroy on its remotes. `None` where a remote cannot be asked: the capture of this side says so.
fn other_side(
    place: &Place,
    locator: &Locator,
    cx: &CaptureCx<'_>,
    missing: &mut Vec<Missing>,
) -> Option<Vec<Capture>> {
    let why = if remote::is_captured(locator) {
        match remote::capture(place, locator, cx) {
            Ok(captures) => return Some(captures),
            Err(e) => format!("the remote side is not captured: {e}"),
        }
    } else {
        "the remote side is not captured: which remote it is cannot be known from the words".to_owned()
    };
    missing.push(Missing { what: Bytes::from("remote"), why });
    None
}

/// The place, and the vault's name: it must be found although the repository may be gone by then.
fn with_vault(place: &Place, from: &Locator, remote_is_known: bool) -> Locator {
    let mut locator = place.locator(from);
    if place.moved(from).is_some() {
        // It is called by where it was, then as now.
        locator.opts.extend(from.opts.get("git-dir").map(|dir| ("git-dir".to_owned(), dir.clone())));
    }
    remote::forget_push(&mut locator, remote_is_known);
    locator.opts.remove(assess::FILES);
    locator.opts.insert("vault".to_owned(), Bytes::from(Vault::name(place)));
    locator
}

/// The state of a captured repository now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    match Place::find_if_there(&captured.locator)? {
        Some(place) => {
            let what = What::of(&captured.locator);
            let mut state = look(&place, cx.sink, cx.contents, what)?.state;
            state.moved = place.moved(&captured.locator);
            if let Some(noted) = RepoState::load(&captured.state, cx.source)?.and_then(|before| before.loose)
            {
                state.loose = Some(loose::note_again(&place.objects(), &noted, cx.source, cx.sink)?);
            }
            state.lfs = lfs::stored(&large_files(&place, what, &mut Vec::new()), cx.sink)?;
            // Without the list nothing is planned for pruned objects; the rest can still be compared.
            let _ = list_objects(&place, &mut state, what, cx);
            state.store(cx.sink)
        }
        None => Ok(RepoState::absent()),
    }
}

/// What an earlier capture holds of a later one: the same repository, looked at for at least the same parts.
pub fn held(outer: &Capture, inner: &Capture) -> Held {
    let place = |capture: &Capture| {
        let mut locator = capture.locator.clone();
        locator.opts.remove("what");
        locator
    };
    let parts = |capture: &Capture| -> BTreeSet<String> {
        let what = capture.locator.opts.get("what").map(|w| w.lossy().into_owned()).unwrap_or_default();
        what.split(',').map(|word| word.trim().to_owned()).collect()
    };
    if place(outer) != place(inner) || !parts(outer).is_superset(&parts(inner)) {
        return Held::Nothing;
    }
    Held::by_digest(outer, inner)
}

/// A command that prunes destroys objects that nothing names: only a list of all of them can tell which.
fn list_objects(place: &Place, state: &mut RepoState, what: What, cx: &CaptureCx<'_>) -> Result<()> {
    if what.objects && state.object_format == "sha1" {
        let list = Objects::open(&place.all_objects())?.list(LISTED_OBJECTS)?;
        state.objects = list.map(|list| put_new(cx.sink, &list)).transpose()?;
    }
    Ok(())
}

/// Pins what the command may make unreachable. A failure is a gap in the capture, not the end of it: refs and index
/// are stored, and the objects usually outlive the command by git's own grace time.
fn pin(place: &Place, seen: &Seen, what: What, cx: &CaptureCx<'_>) -> Vec<Missing> {
    let state = &seen.state;
    let walkable = state.object_format == "sha1" && state.knows_refs();
    let wanted = Wanted {
        tips: &tips(seen),
        optional: &seen.named,
        logged: &seen.logged,
        everything: what.objects || !walkable,
        only_if_cheap: what.passing,
        limits: Limits { bytes: cx.caps.tree_bytes, until: cx.deadline },
        has_holes: state.files.contains_key(&Bytes::from("common/shallow")) || has_promisor(place),
    };
    match Vault::at(&cx.vault, &Vault::name(place)).pin(place, &wanted) {
        Ok(missing) => missing,
        Err(e) => vec![Missing {
            what: Bytes::from("objects"),
            why: format!("not copied to the vault, git's own grace time protects them: {e}"),
        }],
    }
}

fn has_promisor(place: &Place) -> bool {
    let packs = std::fs::read_dir(place.objects().join("pack"));
    packs.into_iter().flatten().flatten().any(|e| e.file_name().as_encoded_bytes().ends_with(b".promisor"))
}

/// The objects that the state must not lose: values of refs and HEAD, and what is staged.
fn tips(seen: &Seen) -> BTreeSet<Oid> {
    let state = &seen.state;
    let mut tips: BTreeSet<Oid> = state.refs.values().filter_map(|v| parse_oid(v.as_slice())).collect();
    tips.extend(state.head_value().and_then(|v| parse_oid(v.as_slice())));
    if let Some(index) = &seen.index {
        match index.tree.as_deref().and_then(|t| Oid::from_bytes(t).ok()) {
            // Where git noted that the index equals a stored tree, that tree stands for all entries.
            Some(tree) => {
                tips.insert(tree);
            }
            None => {
                let blobs = index.entries.iter().filter(|e| e.mode != 0o160_000);
                tips.extend(blobs.filter_map(|e| Oid::from_bytes(&e.oid).ok()).filter(|o| !o.is_zero()));
            }
        }
    }
    tips
}

/// True for files whose content names objects that must be kept.
pub fn names_objects(kind: FileKind, key: &[u8]) -> bool {
    match kind {
        FileKind::Progress | FileKind::StashLog | FileKind::Note => true,
        FileKind::Worktree => key.ends_with(b"HEAD"),
        FileKind::Config | FileKind::Log | FileKind::RefTable => false,
    }
}
