//! Repositories inside of a working tree that it does not know as submodules: `git clean -ff` removes them, and with each
//! `.git` a whole history goes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::place::{Place, is_git_dir};
use crate::model::Locator;

/// The most directories that are looked into, and the longest that it may take.
const MOST: usize = 100_000;
const LONGEST: Duration = Duration::from_secs(5);

/// The `.git` directories below the working tree's own. Nothing is followed out of it.
pub fn nested(locator: &Locator) -> Vec<PathBuf> {
    let Some(top) = Place::find(locator).ok().and_then(|place| place.work_tree) else { return Vec::new() };
    let until = Instant::now() + LONGEST;
    let (mut found, mut open, mut looked) = (Vec::new(), vec![top.clone()], 0);
    while let Some(dir) = open.pop() {
        looked += 1;
        if looked > MOST || Instant::now() >= until {
            break;
        }
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match entry.file_name() == ".git" {
                true if is_dir && dir != top && is_git_dir(&entry.path()) => found.push(entry.path()),
                true => {}
                false if is_dir => open.push(entry.path()),
                false => {}
            }
        }
    }
    found.sort();
    found
}
