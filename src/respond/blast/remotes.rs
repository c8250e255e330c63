//! Remotes of git, of which one command names a ref and another one all of them.

use super::{Item, each_once};
use crate::model::Bytes;

/// A remote of which one command changed a ref and another one many is listed once, as a whole.
pub(super) fn once(items: Vec<Item>) -> Vec<Item> {
    let is_remote = |item: &&Item| item.system.0 == "git" && !item.resource.lossy().contains("/refs/");
    let remotes: Vec<Bytes> = items.iter().filter(is_remote).map(|item| item.resource.clone()).collect();
    let whole_of = |item: &Item| {
        let refs = |whole: &&Bytes| {
            let rest = item.resource.as_slice().strip_prefix(whole.as_slice());
            rest.is_some_and(|rest| rest.starts_with(b"/refs/"))
        };
        if item.system.0 == "git" { remotes.iter().find(refs) } else { None }
    };
    let (parts, mut wholes): (Vec<Item>, Vec<Item>) =
        items.into_iter().partition(|item| whole_of(item).is_some());
    for part in parts {
        let Some(name) = whole_of(&part) else { continue };
        let is_whole = |item: &&mut Item| item.system == part.system && item.resource == *name;
        let Some(whole) = wholes.iter_mut().find(is_whole) else { continue };
        whole.class = whole.class.max(part.class);
        whole.comes_back = whole.comes_back.max(part.comes_back);
        whole.items = whole.items.max(part.items);
        whole.production = whole.production.take().or(part.production);
        whole.events.extend(part.events);
        whole.events.sort_unstable();
        whole.events.dedup();
        whole.missing.extend(part.missing);
        whole.contexts = each_once(std::mem::take(&mut whole.contexts).into_iter().chain(part.contexts));
    }
    wholes
}
