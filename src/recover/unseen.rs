//! What nobody saw. Of a program whose words do not say what it will do (`python3 clean.py`, `make`, `rm $(cat list)`) the work
//! tree is captured; what it removes elsewhere, with calls of its own, passes every channel of the recorder. An undo
//! that put the work tree back must not let people believe that it was all.

use crate::journal::index::Event;
use crate::model::{Bytes, Effect, EffectClass};

/// In words for people, one line for each work tree that bounds what was seen of an event.
pub fn unseen(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<String> = events.iter().flat_map(of_one).collect();
    lines.sort();
    lines.dedup();
    lines
}

fn of_one(event: &Event) -> Vec<String> {
    let whole = || std::iter::once(event).chain(&event.parts);
    let effects = whole().flat_map(|e| &e.before.effects);
    // What a part was seen to do is no longer unknown of its line; what an opaque program does still is.
    let open = |e: &&Effect| is_bounded(e) && (e.class == EffectClass::Opaque || event.parts.is_empty());
    if !effects.into_iter().any(|e| open(&e)) {
        return Vec::new();
    }
    let roots = whole()
        .flat_map(|e| &e.before.captures)
        .filter(|c| scope(c.locator.opts.get("scope")) == "workspace");
    roots
        .map(|c| {
            format!("what it may have changed outside of {}: its words do not tell", c.locator.at.lossy())
        })
        .collect()
}

/// Its targets are not known, so the work tree was taken for them.
fn is_bounded(effect: &Effect) -> bool {
    let locator = effect.locator.as_ref();
    effect.system.0 == "fs"
        && !effect.certain
        && effect.resource.as_slice().starts_with(b"dyn:")
        && locator.is_some_and(|l| scope(l.opts.get("scope")) == "workspace")
}

fn scope(word: Option<&Bytes>) -> &str {
    word.and_then(Bytes::as_str).unwrap_or_default()
}
