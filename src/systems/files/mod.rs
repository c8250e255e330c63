//! Files: what a command destroys, overwrites or makes in the file system, and how it comes back.
//! `docs/systems/files.md` tells what is captured, what a digest leaves out, and what undo promises.

mod aim;
mod apply;
mod aside;
pub mod assess;
mod beside;
mod build;
mod cache;
mod capture;
mod changes;
mod clean;
mod compare;
mod content;
mod entry;
mod forced;
mod held;
mod ignored;
mod judge;
mod leftover;
mod links;
mod merge;
mod net;
mod node;
mod parents;
mod plan;
mod rules;
mod scope;
mod stage;
mod swap;
mod times;
mod told;
mod tree;
mod walk;
mod ways;
mod workspace;

use std::path::Path;

pub use cache::{commit as commit_caches, discard as discard_caches};
pub use content::{holds, small_text};
pub use entry::{Content, Entry, Extent, Kind, Links, Meta};
pub use held::{files_below, is_work_tree_of, may_have_changed, names_in};
pub use rules::is_ignored_by_git;
pub use told::{Told, told};
pub use tree::{Named, Parent, State, decode_chunks, decode_state, decode_tree, references};

use super::{ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, PlanCx, System, Taken};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, ContextKind, Effect, EffectClass, Invocation, Locator,
    ObjectId, ObjectKind, ObjectSink, ObjectSource, Reversibility, StateRef, Step, StepOutcome, SystemId,
    Verification, contexts,
};

/// Nothing was at the captured path.
pub fn was_absent(capture: &Capture) -> bool {
    capture.system.0 == "fs" && is_absent(&capture.state)
}

/// Nothing is at the path in this state.
pub fn is_absent(state: &StateRef) -> bool {
    state.digest == tree::digest_state(None)
}

/// The same type, content, mode and owner; times may differ.
pub fn is_same(one: &Entry, other: &Entry) -> bool {
    ways::fingerprint(Some(one)) == ways::fingerprint(Some(other))
}

/// The path is `top` or lies below it.
pub fn is_within(path: &Bytes, top: &Bytes) -> bool {
    plan::is_within(path.as_slice(), top.as_slice())
}

/// The capture is of a path alone, a directory without what is in it.
pub fn is_node(capture: &Capture) -> bool {
    capture.system == capture::ID && scope::Scope::of(&capture.locator) == scope::Scope::Node
}

/// The place is a path with all that is below it, repositories too.
pub fn is_whole_tree(place: &Locator) -> bool {
    place.opts.get("scope").is_none_or(|scope| scope.as_slice() == b"tree")
}

/// Option of a locator: what of a tree the command has nothing to do with (`git`: the repository in it).
pub const SPARES: &str = "spares";

/// The path lies in a tree that one of these captures found not to be there: nothing in it was lost, and what the command made in
/// it goes with the tree.
pub fn is_in_what_was_not_there<'a>(path: &Bytes, captures: impl IntoIterator<Item = &'a Capture>) -> bool {
    captures.into_iter().any(|tree| {
        was_absent(tree)
            && is_whole_tree(&tree.locator)
            && plan::is_within(path.as_slice(), tree.locator.at.as_slice())
    })
}

/// Nothing is at a path, and something is about to be.
pub fn about_to_be_made(path: &Bytes) -> Effect {
    let mut place = super::locator(path.clone());
    place.opts.insert("scope".to_owned(), Bytes::from("tree"));
    Effect {
        system: SystemId::new("fs"),
        class: EffectClass::Overwrite,
        resource: Bytes([b"path:", path.as_slice()].concat()),
        reversibility: Reversibility::Exact,
        certain: true,
        locator: Some(place),
    }
}

/// The `fs` system.
pub struct Files;

impl System for Files {
    fn id(&self) -> SystemId {
        capture::ID
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let words = resource.as_slice().strip_prefix(b"path:").unwrap_or_default();
        let path = locator.map_or(words, |place| place.at.as_slice());
        contexts(ContextKind::Path, [String::from_utf8_lossy(path)])
    }
    fn may_be_settled(&self, not_restored: &str) -> bool {
        not_restored.ends_with(swap::STAYS)
    }
    fn programs(&self) -> &'static [&'static str] {
        assess::PROGRAMS
    }
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
        assess::assess(inv, cx)
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        capture::capture(effect, cx)
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        capture::observe(captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        plan::plan(captured, now, cx)
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        net::net(taken, cx)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn verify(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
        ways::verify(&plan::decode(step)?, cx.source)
    }
    fn aim(
        &self,
        step: &Step,
        captured: &Captured,
        source: &dyn ObjectSource,
        made: &dyn ObjectSink,
    ) -> Result<Option<StateRef>> {
        aim::aim(&plan::decode(step)?, captured, source, made)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        changes::changes(before, after, cx.source)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        references(kind, content)
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        held::held(outer, inner, source)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        aside::restore_to(captured, to, cx)
    }
}
