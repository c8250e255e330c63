//! Files with several names. An undo that could not link the second name made a copy and said so; the next one must see
//! that the two are not one file yet, although each of them is as it was. And the other way round.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::compare::{After, Difference, differences};
use super::entry::Entry;
use super::judge::{Verdict, judge};
use super::plan::is_git_object;
use super::tree::{State, decode_tree};
use crate::error::Result;
use crate::model::ObjectSource;

/// A number of names for each inode.
type Counts = HashMap<(u64, u64), u64>;

/// How many names inodes have within the states of an event. Counted when somebody asks: most states have no such file.
pub struct Groups<'a> {
    source: &'a dyn ObjectSource,
    before: &'a State,
    after: Option<&'a State>,
    linked: OnceCell<Counts>,
    joined: OnceCell<Counts>,
}

impl<'a> Groups<'a> {
    /// Of these states.
    pub fn of(source: &'a dyn ObjectSource, before: &'a State, after: Option<&'a State>) -> Groups<'a> {
        Groups { source, before, after, linked: OnceCell::new(), joined: OnceCell::new() }
    }

    /// The verdict, unless all that is left to do is that this name and another one become one file again, or two.
    ///
    /// # Errors
    /// Where the states cannot be read.
    pub fn with_links(&self, verdict: Verdict, at: &Difference) -> Result<Verdict> {
        let (Some(before), Some(now)) = (&at.before, &at.now) else { return Ok(verdict) };
        if verdict == Verdict::Replace
            && is_git_object(&at.path)
            && let Some(was) = before.links
            && self.count(&self.linked, Groups::linked, (was.dev, was.ino))? <= 1
        {
            // An object of git: its other names, in a vault or a local clone, share nothing but space with it.
            return Ok(judge(
                Some(&alone(before)),
                &After::Known(at.after.entry().map(alone)),
                Some(&alone(now)),
            ));
        }
        let wrong = match (&verdict, before.links, now.links, at.after.entry().and_then(|a| a.links)) {
            (Verdict::Already, Some(was), None, _) => {
                !now.is_dir() && self.count(&self.linked, Groups::linked, (was.dev, was.ino))? > 1
            }
            (Verdict::Nothing, None, Some(_), Some(left)) => {
                now.same_but_time(before)
                    && self.count(&self.joined, Groups::joined, (left.dev, left.ino))? > 1
            }
            _ => false,
        };
        Ok(if wrong { Verdict::Replace } else { verdict })
    }

    fn count(
        &self,
        known: &OnceCell<Counts>,
        make: impl FnOnce(&Self) -> Result<Counts>,
        inode: (u64, u64),
    ) -> Result<u64> {
        if known.get().is_none() {
            let _first_wins = known.set(make(self)?);
        }
        Ok(known.get().and_then(|counts| counts.get(&inode)).copied().unwrap_or(0))
    }

    /// The names that were one file before the event.
    fn linked(&self) -> Result<Counts> {
        let mut counts = Counts::new();
        let mut stack: Vec<Entry> = self.before.entry.clone().into_iter().collect();
        while let Some(entry) = stack.pop() {
            if let Some(links) = entry.links {
                *counts.entry((links.dev, links.ino)).or_default() += 1;
            }
            if let Some(tree) = entry.tree() {
                stack.extend(decode_tree(&self.source.get(&tree)?)?.into_iter().map(|named| named.entry));
            }
        }
        Ok(counts)
    }

    /// The names that were files of their own before the event, and one file after it.
    fn joined(&self) -> Result<Counts> {
        let mut counts = Counts::new();
        differences(self.source, self.before, self.after, None, |at| {
            if let (Some(before), After::Known(Some(after))) = (&at.before, &at.after)
                && let (None, Some(links)) = (before.links, after.links)
                && before.same_but_time(after)
            {
                *counts.entry((links.dev, links.ino)).or_default() += 1;
            }
            Ok(())
        })?;
        Ok(counts)
    }
}

/// The entry as the only name of its inode.
fn alone(entry: &Entry) -> Entry {
    Entry { links: None, ..entry.clone() }
}
