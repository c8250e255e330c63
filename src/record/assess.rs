//! From invocations to effects: each goes to the system that knows its program; what nobody knows is opaque.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::aims::Aims;
use super::chosen::Chosen;
use super::spoken;
use super::through::Links;
use crate::model::{Bytes, Effect, EffectClass, Invocation, Locator, Reversibility, SystemId};
use crate::shell::{Understood, is_reader};
use crate::systems::{self, AssessCx, files, kubernetes};

/// The id of the files system.
const FS: SystemId = SystemId::new("fs");

/// What a line will do. Never empty where something was not understood.
pub fn assess(understood: &Understood, cx: &AssessCx<'_>) -> Vec<Effect> {
    let mut out: Vec<Effect> = Vec::new();
    let mut seen = HashSet::new();
    let mut links = Links::default();
    let mut chosen = Chosen::default();
    let mut aims = Aims::new(understood.opaque.is_empty());
    let mut none_made = true;
    // What a line lists counts for what it then does to the list.
    let lists = understood.invocations.iter().any(kubernetes::lists);
    let mut earlier: Vec<Invocation> = Vec::new();
    for invocation in &understood.invocations {
        let spoken = spoken::as_kubectl(invocation, cx);
        let invocation = spoken.as_ref().unwrap_or(invocation);
        let made = chosen.made(invocation);
        let invocation = made.as_ref().unwrap_or(invocation);
        chosen.learn(invocation);
        let mut effects = one(invocation, &understood.cwd, cx);
        if lists {
            kubernetes::from_the_line(&mut effects, invocation, &earlier, cx);
            earlier.push(invocation.clone());
        }
        aims.mark(&mut effects);
        aims.learn(invocation, &effects);
        match links.through(invocation) {
            Some(through) => {
                effects.extend(one(&through, &understood.cwd, cx).into_iter().filter(|e| e.system == FS));
                links.learn(&through);
            }
            None => links.learn(invocation),
        }
        if none_made || invocation.astray {
            effects.iter_mut().for_each(note_that_none_is_made);
        }
        none_made &= makes_no_repository(invocation);
        out.extend(effects.into_iter().filter(|effect| seen.insert(identity(effect))));
    }
    if let Some(why) = understood.opaque.first() {
        let effect = Effect {
            system: FS,
            class: EffectClass::Opaque,
            resource: Bytes::from(format!("dyn:{why}")),
            reversibility: Reversibility::Exact,
            certain: false,
            locator: Some(workspace(&understood.cwd)),
        };
        out.push(effect);
    }
    out
}

/// Of a git effect's locator, unsaid: nothing before it in the line can have made a repository.
pub const NONE_MADE: &str = "none-made";

fn note_that_none_is_made(effect: &mut Effect) {
    if let Some(locator) = effect.locator.as_mut().filter(|_| effect.system.0 == "git") {
        locator.unsaid.insert(NONE_MADE.to_owned(), "true".into());
    }
}

/// A command after which there are no more repositories than before.
fn makes_no_repository(inv: &Invocation) -> bool {
    const MAKING: [&str; 6] = ["init", "clone", "worktree", "submodule", "subtree", "init-db"];
    const PLAIN: [&str; 12] =
        ["git", "cd", "echo", "printf", "mkdir", "touch", "rm", "chmod", "sed", "sleep", "true", "test"];
    let is_plain = inv.program().is_some_and(|name| PLAIN.contains(&name) || is_reader(name));
    let is_making = |word: &crate::model::Word| word.as_str().is_none_or(|word| MAKING.contains(&word));
    inv.argv.is_empty() || is_plain && (inv.program() != Some("git") || !inv.args().iter().any(is_making))
}

/// What makes two effects the same.
fn identity(effect: &Effect) -> (EffectClass, Bytes, Vec<Bytes>) {
    let place = effect.locator.iter().flat_map(|l| {
        let unsaid = l.unsaid.iter().filter(|(key, _)| *key != NONE_MADE);
        let opts = l.opts.iter().chain(unsaid).flat_map(|(k, v)| [Bytes::from(k.as_str()), v.clone()]);
        std::iter::once(l.at.clone()).chain(opts)
    });
    (effect.class, effect.resource.clone(), place.collect())
}

/// The effects of one invocation.
fn one(inv: &Invocation, start: &Bytes, cx: &AssessCx<'_>) -> Vec<Effect> {
    let program = inv.program();
    let mut effects = match program {
        _ if inv.argv.is_empty() => Vec::new(),
        Some(name) => match systems::for_program(name) {
            Some(system) => system.assess(inv, cx),
            None if is_reader(name) || asks_only(inv) => Vec::new(),
            None => files::assess::opaque(inv, cx),
        },
        None => files::assess::opaque(inv, cx),
    };
    let unknown = !effects.is_empty() && effects.iter().all(|e| e.class == EffectClass::Opaque);
    let mut all = files::assess::redirects(inv, cx, unknown);
    all.append(&mut effects);
    all.iter_mut().for_each(|e| show_from(e, inv, start, cx.home));
    match &inv.remote {
        Some(place) => {
            let mut all = elsewhere(place, all);
            // What is removed inside of a container can be copied out of it before.
            let inside = place.strip_prefix("docker:container:");
            if let Some(locator) = inside.and_then(|name| systems::docker::removed(inv, name, cx))
                && let Some(effect) = all.first_mut()
            {
                (effect.system, effect.locator) = (SystemId::new("docker"), Some(locator));
            }
            all
        }
        None => all,
    }
}

/// `anything --version` and `anything --help` change nothing.
fn asks_only(inv: &Invocation) -> bool {
    matches!(inv.args(), [only] if matches!(only.as_str(), Some("--version" | "--help")))
}

/// What is done on another machine is not ours to know or to capture.
fn elsewhere(place: &str, effects: Vec<Effect>) -> Vec<Effect> {
    let container = place.starts_with("docker:") || place.starts_with("k8s:");
    let mut out = Vec::new();
    let opaque = |resource: Bytes| Effect {
        system: SystemId::new("shell"),
        class: EffectClass::Opaque,
        resource,
        reversibility: Reversibility::Exact,
        certain: false,
        locator: None,
    };
    if container && !effects.is_empty() {
        out.push(opaque(Bytes::from(place)));
    }
    for effect in effects {
        let text = effect.resource.lossy().into_owned();
        if container && !text.starts_with("path:") && !text.starts_with("dyn:") {
            // `sql:table:users` reached through a pod is named without its kind.
            out.push(opaque(Bytes::from(text.replacen("sql:table:", "sql:", 1))));
        } else if !container {
            out.push(opaque(Bytes([place.as_bytes(), b":", effect.resource.as_slice()].concat())));
        }
    }
    out
}

/// Paths are shown from where the line started: after `cd /srv`, `cache` is `/srv/cache`.
fn show_from(effect: &mut Effect, inv: &Invocation, start: &Bytes, home: Option<&Path>) {
    let Some(cwd) = &inv.cwd else {
        if effect.locator.is_none() && inv.remote.is_none() && effect.system == FS {
            let path = effect.resource.as_slice().starts_with(b"path:")
                || effect.resource.as_slice().starts_with(b"dyn:");
            effect.locator = path.then(|| workspace(start));
        }
        return;
    };
    if cwd == start {
        return;
    }
    let Some(path) = effect.resource.as_slice().strip_prefix(b"path:") else { return };
    if path.starts_with(b"/") || path.starts_with(b"~") {
        return;
    }
    let below = cwd.as_slice().strip_prefix(start.as_slice()).and_then(|rest| rest.strip_prefix(b"/"));
    let front = below.unwrap_or(cwd.as_slice());
    let joined: Vec<u8> = if path == b"." {
        front.to_vec()
    } else {
        let path = path.strip_prefix(b"./").unwrap_or(path);
        [front, if front.ends_with(b"/") { b"" } else { b"/" }, path].concat()
    };
    let home = home.map(|h| h.as_os_str().as_bytes()).filter(|h| h.len() > 1);
    let joined = match home.and_then(|h| joined.strip_prefix(h)) {
        Some(rest) if rest.starts_with(b"/") => [b"~", rest].concat(),
        _ => joined,
    };
    effect.resource = Bytes([b"path:", joined.as_slice()].concat());
}

fn workspace(at: &Bytes) -> Locator {
    let mut locator = Locator { at: at.clone(), ..Locator::default() };
    locator.opts.insert("scope".into(), "workspace".into());
    locator
}
