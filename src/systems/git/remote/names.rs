//! What a short name in a push really was. `git push origin --delete v1` does not say whether that is a branch; the remote did
//! when it was captured.

use super::SIDE;
use super::state::RemoteState;
use crate::model::{Bytes, Capture, Effect, Locator};

/// Option of a capture's locator: those of its refs that are tags and that a short name may mean, a line each.
const TAGS: &str = "tags";
/// The most tags that are noted: who deletes more has a pattern or a list, not a word for each.
const MOST: usize = 64;

const TAG: &str = "refs/tags/";
const BRANCH: &str = "refs/heads/";

/// Notes the tags of a capture of several refs; the name of a single one says what it is.
pub fn note_tags(state: &RemoteState, locator: &mut Locator) {
    let short = |name: &String| name.strip_prefix(TAG).map(str::to_owned);
    let is_alone = |name: &String| !state.refs.contains_key(&format!("{BRANCH}{name}"));
    let tags: Vec<String> = state.refs.keys().filter_map(short).filter(is_alone).collect();
    if state.refs.len() > 1 && (1..=MOST).contains(&tags.len()) {
        locator.opts.insert(TAGS.to_owned(), tags.join("\n").into());
    }
}

/// The effects, with the names that the captures know: what the words took for a branch may be a tag.
pub fn as_captured(effects: &[Effect], captures: &[Capture]) -> Vec<Effect> {
    let named = |effect: &Effect| {
        let mut effect = effect.clone();
        if let Some(tag) = tag_of(&effect, captures) {
            effect.resource = tag;
        }
        effect
    };
    effects.iter().map(named).collect()
}

fn tag_of(effect: &Effect, captures: &[Capture]) -> Option<Bytes> {
    if effect.system.0 != "git" {
        return None;
    }
    let words = effect.resource.as_str()?;
    let (remote, name) = words.strip_prefix("git:")?.split_once(&format!("/{BRANCH}"))?;
    let tag = Bytes::from(format!("git:{remote}/{TAG}{name}"));
    let of_remote = |capture: &&Capture| capture.locator.opts.contains_key(SIDE);
    let mut captures = captures.iter().filter(of_remote);
    let is_tag = captures.any(|capture| {
        let tags = capture.locator.opts.get(TAGS).map(|tags| tags.lossy()).unwrap_or_default();
        let is_of_remote = capture.resource.as_str() == Some(&format!("git:{remote}"));
        capture.resource == tag || (is_of_remote && tags.lines().any(|tag| tag == name))
    });
    is_tag.then_some(tag)
}
