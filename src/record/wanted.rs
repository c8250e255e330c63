//! The effects to capture: once per place, and what other systems have to do with them. A git command that touches the
//! work tree needs the files there; an opaque command may do anything to the repository that it runs in.

use std::collections::BTreeSet;

use crate::model::{Bytes, Effect, EffectClass, Locator, SystemId};
use crate::systems::{self, files, git};

/// An effect to capture.
pub struct Wanted {
    /// What is about to happen where.
    pub effect: Effect,
    /// It destroys or overwrites what is there.
    pub destroys: bool,
    /// A git command that does not touch what git ignores.
    pub spares_ignored: bool,
}

/// The effects to capture: one per system and place. A git command that touches the work tree also needs the
/// files there, which are the `fs` system's.
pub fn wanted(effects: &[Effect]) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for effect in effects.iter().filter(|e| e.class.changes_state()) {
        let Some(locator) = &effect.locator else { continue };
        if systems::by_id(&effect.system.0).is_none() {
            continue;
        }
        let destroys = effect.class.is_destructive();
        let what = locator.opts.get("what").and_then(Bytes::as_str).unwrap_or_default();
        let parts: BTreeSet<&str> = what.split(',').collect();
        let (effect, files) = without_files(effect);
        let (effect, unpacked) = beside_the_repository(effect);
        let mut new = |effect: Effect| add(&mut wanted, Wanted { effect, destroys, spares_ignored: false });
        // What is captured first comes back last: the files of a submodule make way for its repository.
        let around = if is_opaque_work(&effect) || unpacked { repository_of(&effect) } else { None };
        around.clone().into_iter().for_each(&mut new);
        // `git init` has nothing to lose where no repository is yet: what it makes are files.
        let is_yet_to_come = parts.contains("made") && git::directory(locator).is_none();
        if !parts.contains("files") && !is_yet_to_come {
            new(effect.clone());
        }
        files.into_iter().for_each(&mut new);
        if parts.contains("nested") {
            git::nested(locator).into_iter().for_each(|dir| new(tree(&effect, Bytes::from(dir))));
        }
        let to_come = |place: &Locator| {
            git::modules_to_come(place).into_iter().map(|dir| tree(&effect, Bytes::from(dir)))
        };
        if parts.contains("modules") {
            to_come(locator).for_each(&mut new);
        }
        if let Some(place) = around.as_ref().and_then(|around| around.locator.as_ref()) {
            to_come(place).for_each(&mut new);
        }
        if parts.contains("worktree") || parts.contains("ignored") {
            let ignored = parts.contains("ignored");
            let effect = work_tree_of(&effect, locator, ignored);
            add(&mut wanted, Wanted { effect, destroys, spares_ignored: !ignored });
        }
    }
    wanted
}

/// The effect, and what else it asks the files system for ([`git::assess::FILES`]).
fn without_files(effect: &Effect) -> (Effect, Vec<Effect>) {
    let mut rest = effect.clone();
    let listed = rest.locator.as_mut().and_then(|locator| locator.opts.remove(git::assess::FILES));
    let Some(listed) = listed else { return (rest, Vec::new()) };
    let place = rest.locator.clone().unwrap_or_default();
    let shared = std::cell::LazyCell::new(|| git::directory(&place));
    let path = |word: &[u8]| -> Option<Bytes> {
        let (new, path) = word.strip_prefix(b"new:").map_or((false, word), |path| (true, path));
        let path = match (path.strip_prefix(b"$GIT/"), path.strip_prefix(b"$TOP/")) {
            (Some(below), _) => Bytes::from(shared.as_deref()?).join(below),
            (_, Some(below)) => Bytes::from(git::top(&place)?.as_path()).join(below),
            _ => Bytes::from(path),
        };
        let is_there = new && path.as_path().symlink_metadata().is_ok();
        (!is_there).then_some(path)
    };
    let files = listed.as_slice().split(|b| *b == 0).filter_map(path).map(|path| tree(&rest, path)).collect();
    (rest, files)
}

/// A path, captured with all below it.
fn tree(effect: &Effect, path: Bytes) -> Effect {
    let resource = Bytes([b"path:", path.as_slice()].concat());
    let mut place = systems::locator(path);
    place.opts.insert("scope".to_owned(), Bytes::from("tree"));
    Effect { system: SystemId::new("fs"), resource, locator: Some(place), ..effect.clone() }
}

/// A command of which nothing is known but where it runs.
fn is_opaque_work(effect: &Effect) -> bool {
    let scope = effect.locator.as_ref().and_then(|l| l.opts.get("scope")).and_then(Bytes::as_str);
    effect.system == SystemId::new("fs") && effect.class == EffectClass::Opaque && scope == Some("workspace")
}

/// What is unpacked at the top of a work tree is captured as its files and as its repository: as plain files the repository
/// would be in the way of all that git does in it later, and of what git itself did in the same line. What `find -delete` removes
/// there may be any file of it, and is captured as files, unless its words say otherwise.
fn beside_the_repository(mut effect: Effect) -> (Effect, bool) {
    let spares = effect.locator.as_mut().is_some_and(|place| place.opts.remove(files::SPARES).is_some());
    let is_unpacked = (spares || matches!(effect.class, EffectClass::Create | EffectClass::Overwrite))
        && effect.system == SystemId::new("fs")
        && effect.resource.as_slice().starts_with(b"dyn:");
    let Some(place) = effect.locator.as_mut().filter(|place| is_unpacked && files::is_whole_tree(place))
    else {
        return (effect, false);
    };
    if !place.at.join(b".git").as_path().is_dir() {
        return (effect, false);
    }
    place.opts.insert("scope".to_owned(), Bytes::from("around"));
    (effect, true)
}

/// What an opaque command may do to the repository that it runs in: a script with `git reset --hard` in it is not seen
/// from outside.
fn repository_of(effect: &Effect) -> Option<Effect> {
    let mut place = systems::locator(effect.locator.as_ref()?.at.clone());
    git::directory(&place)?;
    let parts = git::assess::ANYTHING.split(',').filter(|part| *part != "worktree").collect::<Vec<_>>();
    place.opts.insert("what".to_owned(), Bytes::from(parts.join(",")));
    // In passing: nobody said that the repository is what it is about.
    let (system, class) = (SystemId::new("git"), EffectClass::Opaque);
    Some(Effect { system, class, locator: Some(place), ..effect.clone() })
}

/// Adds an effect unless its place is there already; places of one git repository are united.
fn add(wanted: &mut Vec<Wanted>, new: Wanted) {
    let Some(place) = &new.effect.locator else { return };
    let words = |l: &Locator| {
        let mut opts = l.opts.clone();
        opts.remove("what");
        (opts, l.unsaid.clone())
    };
    // `git add . && cd src && git commit` is about one repository.
    let of_git = new.effect.system == SystemId::new("git") && !place.opts.contains_key("git-dir");
    let top = std::cell::LazyCell::new(|| git::top(place).filter(|_| of_git));
    let is_there = |l: &Locator| l.at == place.at || top.is_some() && git::top(l) == *top;
    let same = |known: &Effect| {
        let known_place = known.locator.as_ref().filter(|_| known.system == new.effect.system);
        known_place.is_some_and(|l| words(l) == words(place) && is_there(l))
    };
    let at = wanted.iter().position(|known| same(&known.effect)).or_else(|| {
        let unites = |known: &mut Wanted| {
            let places = known.effect.locator.as_mut().zip(new.effect.locator.as_ref());
            known.effect.system == new.effect.system
                && places.is_some_and(|(known, other)| systems::unite_scripts(known, other))
        };
        wanted.iter_mut().position(unites)
    });
    match at.and_then(|at| wanted.get_mut(at)) {
        Some(known) => {
            unite(&mut known.effect, &new.effect);
            known.destroys |= new.destroys;
            known.spares_ignored &= new.spares_ignored;
        }
        None => wanted.push(new),
    }
}

fn unite(known: &mut Effect, other: &Effect) {
    let what = |e: &Effect| {
        e.locator.as_ref().and_then(|l| l.opts.get("what")).and_then(|w| w.as_str().map(str::to_owned))
    };
    let (Some(a), Some(b)) = (what(known), what(other)) else { return };
    let united: BTreeSet<&str> = a.split(',').chain(b.split(',')).filter(|w| !w.is_empty()).collect();
    let united = united.into_iter().collect::<Vec<_>>().join(",");
    if let Some(locator) = known.locator.as_mut() {
        locator.opts.insert("what".to_owned(), Bytes::from(united));
    }
}

fn work_tree_of(effect: &Effect, locator: &Locator, ignored: bool) -> Effect {
    let mut place =
        systems::locator(locator.opts.get("work-tree").cloned().unwrap_or_else(|| locator.at.clone()));
    place.opts.insert("scope".to_owned(), Bytes::from("workspace"));
    if ignored {
        place.opts.insert("ignored".to_owned(), Bytes::from("all"));
    }
    Effect { system: SystemId::new("fs"), class: EffectClass::Opaque, locator: Some(place), ..effect.clone() }
}
