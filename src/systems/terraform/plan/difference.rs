//! What of the resources is not as it was, after a command that may have changed real ones. What only the state forgot,
//! took over or calls otherwise is no change of a real resource.

use std::collections::BTreeSet;

use super::super::declared::Declared;
use super::super::snapshot::Resource;
use super::super::state::RootState;
use super::super::what::What;
use super::lost;

/// What is not as it was.
#[derive(Default)]
pub(super) struct Difference {
    /// Gone.
    pub gone: Vec<Resource>,
    /// Another one by the same name is there.
    pub replaced: Vec<Resource>,
    /// Changed in place.
    pub changed: Vec<Resource>,
    /// Made by the command.
    pub made: Vec<Resource>,
    /// Taken out of the state by the command's words: may be there.
    pub named: Vec<Resource>,
    /// Taken out of the state by the configuration: is there.
    pub forgotten: Vec<Resource>,
    /// Was there, and is in the state now.
    pub taken_over: Vec<Resource>,
    /// Is called otherwise, and may have been changed by that command too where this is true.
    pub renamed: Vec<(Resource, Resource, bool)>,
}

impl Difference {
    pub(super) fn between(
        before: &RootState,
        after: &RootState,
        what: &What,
        declared: &Declared,
    ) -> Difference {
        let (old, new) = (before.resources(), after.resources());
        let mut out = Difference::default();
        let is_deposed = |r: &&Resource| r.address.contains(" (deposed ");
        let names: BTreeSet<&str> = old.iter().map(|r| r.address.as_str()).collect();
        let mut made: Vec<&Resource> =
            new.iter().filter(|r| !names.contains(r.address.as_str()) && !is_deposed(r)).collect();
        for was in lost(old, new).into_iter().filter(|r| !is_deposed(r)) {
            let is_called = |is: &Resource| declared.renames(&was.address, &is.address);
            let is_it = |is: &&Resource| is_same(was, is) && (is_called(is) || what.forgets(&was.address));
            let list = match made.iter().position(is_it) {
                Some(at) => {
                    let is = made.remove(at);
                    out.renamed.push((was.clone(), is.clone(), !is_unchanged(was, is)));
                    continue;
                }
                None if what.forgets(&was.address) => &mut out.named,
                None if declared.forgets(&was.address) => &mut out.forgotten,
                None => &mut out.gone,
            };
            list.push(was.clone());
        }
        for was in old {
            let Some(is) = new.iter().find(|r| r.address == was.address && r.content != was.content) else {
                continue;
            };
            if is.id != was.id && what.forgets(&was.address) {
                // Forgotten by name, and then made a second time.
                out.named.push(was.clone());
                out.made.push(is.clone());
            } else if is.id != was.id {
                out.replaced.push(was.clone());
            } else if !is_unchanged(was, is) {
                out.changed.push(was.clone());
            }
        }
        let (taken_over, made): (Vec<&Resource>, Vec<&Resource>) =
            made.into_iter().partition(|r| declared.takes_over(&r.address));
        out.taken_over = taken_over.into_iter().cloned().collect();
        out.made.extend(made.into_iter().cloned());
        out
    }

    /// Only the state is another one: no real resource was destroyed, changed or made.
    pub(super) fn is_of_the_state_alone(&self) -> bool {
        let nothing_real = [&self.gone, &self.replaced, &self.changed, &self.made, &self.named];
        nothing_real.iter().all(|list| list.is_empty()) && self.renamed.iter().all(|(_, _, changed)| !changed)
    }

    /// All that is not there any more by its name and was destroyed.
    pub(super) fn destroyed(&self) -> impl Iterator<Item = &Resource> {
        self.gone.iter().chain(&self.replaced)
    }
}

/// One resource by two names.
pub(super) fn is_same(was: &Resource, is: &Resource) -> bool {
    was.kind == is.kind && was.provider == is.provider && was.id.is_some() && was.id == is.id
}

/// Nothing of it is another but what its place in the configuration makes of it.
fn is_unchanged(was: &Resource, is: &Resource) -> bool {
    was.content == is.content || (was.substance.is_some() && was.substance == is.substance)
}
