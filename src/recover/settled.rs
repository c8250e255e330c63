//! What a line could not name and its parts have captured. `kubectl get … | xargs kubectl delete` and `git push "$(cat remote)"`
//! are recorded as lines whose target is not known before they run; a shim then sees the command with its real arguments
//! (`docs/shims.md`). Where just one command of the line was in doubt and such a part has captured what it was about, nothing
//! of it is missing any more, and an undo that brought it all back may say so.

use crate::journal::index::{Event, Index};
use crate::model::{Bytes, Capture, Effect, Locator, Missing};
use crate::platform::home::Home;
use crate::systems::{files, kubernetes};

/// How many gaps of the record are looked through.
const GAPS: usize = 100;

/// The event without those gaps that its parts have closed.
pub fn settled(event: &Event, home: &Home) -> Event {
    let mut whole = event.clone();
    whole.before.warnings.retain(|text| !is_of_what_the_line_made(event, text));
    let warnings: Vec<bool> = whole.before.warnings.iter().map(|text| is_told(event, text)).collect();
    let pushed = is_pushed(event);
    let listed = is_listed(event);
    let closed =
        |missing: &Missing| (pushed && is_remote(missing)) || (listed && kubernetes::is_unnamed(missing));
    let in_doubt = event.before.captures.iter().flat_map(|c| &c.missing).any(closed);
    // A command that was not recorded while the line ran may have been one of its parts.
    if !(in_doubt || warnings.contains(&true)) || has_gap(event, home) {
        return whole;
    }
    let mut told = warnings.into_iter();
    whole.before.warnings.retain(|_| !told.next().unwrap_or(false));
    whole.before.captures.iter_mut().for_each(|capture| capture.missing.retain(|m| !closed(m)));
    whole
}

/// The warning is about a place in a directory that was not there before the line, and was there after it: the line has made it,
/// and nobody's things were in it. Where it was not made, `cd` to it failed, and what came next ran somewhere else.
fn is_of_what_the_line_made(event: &Event, warning: &str) -> bool {
    let after = |i: usize| event.after.as_ref()?.post.iter().find(|post| post.capture == i);
    let captures = event.before.captures.iter().enumerate();
    let made: Vec<&Capture> = captures
        .filter(|(i, capture)| after(*i).is_some_and(|post| post.state.digest != capture.state.digest))
        .map(|(_, capture)| capture)
        .collect();
    event.before.effects.iter().any(|effect| {
        let place = effect.locator.as_ref().map(|locator| &locator.at);
        is_about(effect, warning)
            && place.is_some_and(|at| files::is_in_what_was_not_there(at, made.iter().copied()))
    })
}

fn is_about(effect: &Effect, warning: &str) -> bool {
    let rest = warning.strip_prefix(effect.resource.lossy().as_ref());
    rest.is_some_and(|rest| rest.starts_with(" was not captured: "))
}

/// The warning is about the one target of a system that the words did not tell, and a part captured that.
fn is_told(event: &Event, warning: &str) -> bool {
    let mut open = event.before.effects.iter().filter(|effect| is_open(effect) && is_about(effect, warning));
    open.next().is_some_and(|effect| effect.system.0 != "fs" && has_it(event, effect))
}

/// The candidates of one command stand for targets that were not named, and a part has captured those.
fn is_listed(event: &Event) -> bool {
    let mut open =
        event.before.effects.iter().filter(|effect| is_open(effect) && effect.system.0 == "kubernetes");
    open.next().is_some_and(|effect| has_it(event, effect))
}

/// Only this effect of its system was in doubt, and each part that does the like has captured what it did it to.
fn has_it(event: &Event, effect: &Effect) -> bool {
    let open = event.before.effects.iter().filter(|other| other.system == effect.system && is_open(other));
    let does = |part: &&Event| {
        let mut of_it = part.before.effects.iter().filter(|e| e.system == effect.system);
        of_it.any(|e| e.class == effect.class)
    };
    let has = |part: &Event| part.before.captures.iter().any(|capture| capture.system == effect.system);
    open.count() == 1
        && event.parts.iter().any(|part| does(&part))
        && event.parts.iter().filter(does).all(has)
}

fn is_open(effect: &Effect) -> bool {
    !effect.certain && effect.class.changes_state() && effect.resource.as_slice().starts_with(b"dyn:")
}

/// One push is in the line's words, and each push that was executed has its remote captured.
fn is_pushed(event: &Event) -> bool {
    let pushes = |event: &Event| {
        let places = event.before.effects.iter().filter_map(|e| e.locator.as_ref());
        places.filter(|place| is_push(place)).count()
    };
    let remote = |part: &Event| {
        part.before.captures.iter().any(|c| c.locator.opts.get("side").is_some_and(is("remote")))
    };
    let mut parts = event.parts.iter().filter(|part| pushes(part) > 0).peekable();
    pushes(event) == 1 && parts.peek().is_some() && parts.all(remote)
}

fn is_push(place: &Locator) -> bool {
    let what = place.opts.get("what").and_then(Bytes::as_str).unwrap_or_default();
    what.split(',').any(|word| word == "remote")
}

fn is_remote(missing: &Missing) -> bool {
    missing.what.as_slice() == b"remote"
}

fn is(word: &'static str) -> impl Fn(&Bytes) -> bool {
    move |value| value.as_slice() == word.as_bytes()
}

fn has_gap(event: &Event, home: &Home) -> bool {
    let until = event.after.as_ref().map_or(i64::MAX, |after| after.at_ns);
    let gaps = Index::open(home).and_then(|index| index.gaps(GAPS));
    gaps.is_ok_and(|gaps| gaps.iter().any(|gap| (event.before.at_ns..=until).contains(&gap.at_ns)))
}
