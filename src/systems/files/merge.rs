//! The exact three-way merge: the inverse of the command's change (A to B) taken into the present (N). Each part of an
//! entry (content, mode, owner, group, attributes) goes by the same rule; only texts are merged inside. No conflict
//! marker is ever written: what does not merge cleanly is refused.

use std::collections::HashMap;

use super::entry::{Content, Entry, Kind, Meta, WHOLE_MAX};
use crate::model::{ObjectId, ObjectKind, ObjectSource};
use crate::platform::clock;

/// The most work of a comparison, in compared lines: [`diffy`] has no bound of its own and is quadratic for texts that
/// have little in common.
const EFFORT: usize = 400_000_000;

/// The three versions of a path.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// Before the command: "theirs".
    pub before: &'a Entry,
    /// What it left: the base.
    pub after: &'a Entry,
    /// The present: "ours".
    pub now: &'a Entry,
}

/// What a merge gives.
pub struct Merged {
    /// What the path becomes.
    pub entry: Entry,
    /// Its bytes, where they are neither those of before nor those of now.
    pub text: Option<Vec<u8>>,
}

/// Merges, or says in words why not. `present` reads the bytes that are there now.
pub fn merged(
    sides: Sides<'_>,
    source: &dyn ObjectSource,
    present: impl FnOnce() -> Result<Vec<u8>, String>,
) -> Result<Merged, String> {
    let Sides { before, after, now } = sides;
    let mut meta = merged_meta(&before.meta, &after.meta, &now.meta)?;
    if before.is_dir() && after.is_dir() && now.is_dir() {
        meta.mtime_ns = now.meta.mtime_ns;
        return Ok(Merged { entry: Entry { kind: now.kind.clone(), meta, links: None }, text: None });
    }
    if let Some(kind) = pick(&before.kind, &after.kind, &now.kind) {
        meta.mtime_ns = if *kind == now.kind { now.meta.mtime_ns } else { before.meta.mtime_ns };
        return Ok(Merged { entry: Entry { kind: kind.clone(), meta, links: None }, text: None });
    }
    let (Some(b), Some(a), Some(_)) = (whole(before), whole(after), whole(now)) else {
        return Err("only files of text up to 4 MiB are merged".to_owned());
    };
    let not_stored = |which: &str| format!("the version {which} the command is not stored");
    let theirs = source.get(&b).map_err(|_| not_stored("before"))?;
    let base = source.get(&a).map_err(|_| not_stored("after"))?;
    let text = merge_text(&base, &present()?, &theirs)?;
    if text.len() as u64 > WHOLE_MAX {
        return Err("only files of text up to 4 MiB are merged".to_owned());
    }
    let id = ObjectId::of(ObjectKind::Blob, &text);
    let kind = Kind::File { content: Content::Whole { id, len: text.len() as u64 } };
    // A version that never was: build tools must see that it is new.
    meta.mtime_ns = if kind == now.kind { now.meta.mtime_ns } else { clock::now_ns() };
    Ok(Merged { entry: Entry { kind, meta, links: None }, text: Some(text) })
}

/// The B/A/N rule for one part: who alone has changed it since the base wins.
fn pick<T: PartialEq>(before: T, after: T, now: T) -> Option<T> {
    if now == after {
        return Some(before);
    }
    (before == after || before == now).then_some(now)
}

fn merged_meta(before: &Meta, after: &Meta, now: &Meta) -> Result<Meta, String> {
    let clash = |what: &str| format!("{what} was changed by the command and since");
    Ok(Meta {
        mode: pick(before.mode, after.mode, now.mode).ok_or_else(|| clash("its mode"))?,
        uid: pick(before.uid, after.uid, now.uid).ok_or_else(|| clash("its owner"))?,
        gid: pick(before.gid, after.gid, now.gid).ok_or_else(|| clash("its group"))?,
        xattrs: pick(&before.xattrs, &after.xattrs, &now.xattrs)
            .ok_or_else(|| clash("an extended attribute"))?
            .clone(),
        mtime_ns: now.mtime_ns,
    })
}

fn whole(entry: &Entry) -> Option<ObjectId> {
    match &entry.kind {
        Kind::File { content: Content::Whole { id, .. } } => Some(*id),
        _ => None,
    }
}

/// Merges lines. What it gives was checked: each line that `ours` has more often than `base` is in it.
pub fn merge_text(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>, String> {
    if [base, ours, theirs].iter().any(|text| memchr::memchr(0, text).is_some()) {
        return Err("it is not a text".to_owned());
    }
    if effort(base, ours).max(effort(base, theirs)) > EFFORT {
        return Err("its versions have too little in common to be compared".to_owned());
    }
    let text = diffy::merge_bytes(base, ours, theirs)
        .map_err(|_| "the same lines were changed by the command and since".to_owned())?;
    if keeps_what_was_added(base, ours, &text) {
        Ok(text)
    } else {
        Err("its versions cannot be merged without loss".to_owned())
    }
}

/// The library's word is not enough to overwrite a person's work on.
fn keeps_what_was_added(base: &[u8], ours: &[u8], merged: &[u8]) -> bool {
    let mut added: HashMap<&[u8], i64> = HashMap::new();
    lines(ours).for_each(|line| *added.entry(line).or_default() += 1);
    lines(base).for_each(|line| *added.entry(line).or_default() -= 1);
    added.retain(|_, count| *count > 0);
    for line in lines(merged) {
        if let Some(count) = added.get_mut(line) {
            *count -= 1;
        }
    }
    added.values().all(|count| *count <= 0)
}

/// An upper bound of what comparing costs, about: the lines times those that a simple comparison finds no partner for.
fn effort(one: &[u8], other: &[u8]) -> usize {
    let (one, other): (Vec<&[u8]>, Vec<&[u8]>) = (lines(one).collect(), lines(other).collect());
    let all = one.len() + other.len();
    all.saturating_mul(all - 2 * common(&one, &other))
}

/// The length of a common subsequence: the lines that are there once in both, in order, and the equal ones around them.
fn common(one: &[&[u8]], other: &[&[u8]]) -> usize {
    let once = |all: &[&[u8]]| {
        let mut seen: HashMap<Vec<u8>, Option<usize>> = HashMap::new();
        for (at, line) in all.iter().enumerate() {
            seen.entry(line.to_vec()).and_modify(|at| *at = None).or_insert(Some(at));
        }
        seen
    };
    let places = once(other);
    let mine = once(one);
    let mut anchors: Vec<(usize, usize)> = Vec::new();
    for (at, line) in one.iter().enumerate() {
        let is_mine = mine.get(*line).is_some_and(Option::is_some);
        if let Some(Some(there)) = places.get(*line).filter(|_| is_mine) {
            anchors.push((at, *there));
        }
    }
    let (mut found, mut i, mut j) = (0, 0, 0);
    for (at, there) in rising(&anchors).into_iter().chain([(one.len(), other.len())]) {
        while i < at && j < there && one.get(i) == other.get(j) {
            (i, j, found) = (i + 1, j + 1, found + 1);
        }
        let (mut x, mut y) = (at, there);
        while x > i && y > j && one.get(x - 1) == other.get(y - 1) {
            (x, y, found) = (x - 1, y - 1, found + 1);
        }
        (i, j) = (i.max(at), j.max(there));
    }
    found
}

/// The longest run of pairs that rise on both sides; they come sorted by the first.
fn rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |at: &usize| pairs.get(*at).map_or(0, |p| p.1);
    for (at, pair) in pairs.iter().enumerate() {
        let place = ends.partition_point(|end| second(end) < pair.1);
        previous.push(place.checked_sub(1).and_then(|p| ends.get(p)).copied());
        match ends.get_mut(place) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut run = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(here) = at {
        run.extend(pairs.get(here));
        at = previous.get(here).copied().flatten();
    }
    run.reverse();
    run
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|b| *b == b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn merge(base: &str, ours: &str, theirs: &str) -> Option<String> {
        let text = merge_text(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()).ok()?;
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn distant_changes_merge_and_near_ones_do_not() {
        let merged = merge("A\nb\nc\nd\ne\n", "A\nb\nc\nd\nE\n", "a\nb\nc\nd\ne\n");
        assert_eq!(merged.as_deref(), Some("a\nb\nc\nd\nE\n"));
        assert_eq!(merge("A\nb\n", "X\nb\n", "a\nb\n"), None);
        assert_eq!(merge("A\n", "A\nnew", "a\n").as_deref(), None);
        assert_eq!(merge("A\nb\nc", "A\nb\nc\nnew", "a\nb\nc").as_deref(), Some("a\nb\nc\nnew"));
        assert_eq!(
            merge("A\r\nb\r\nc\r\n", "A\r\nb\r\nC\r\n", "a\r\nb\r\nc\r\n").as_deref(),
            Some("a\r\nb\r\nC\r\n")
        );
        assert_eq!(merge("A\0\nb\nc\n", "A\0\nb\nC\n", "a\nb\nc\n"), None);
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_refused_at_once_and_similar_ones_are_not() {
        let text =
            |from: u32, n: u32| (from..from + n).map(|i| format!("line {i}\n{{\n")).collect::<String>();
        let (one, other) = (text(0, 40_000), text(100_000, 40_000));
        assert!(effort(one.as_bytes(), other.as_bytes()) > EFFORT);
        let edited = one.replace("line 5\n", "LINE 5\n").replace("line 39000\n", "");
        assert!(effort(one.as_bytes(), edited.as_bytes()) < EFFORT / 100);
        let mut shuffled: Vec<&str> = one.lines().collect();
        shuffled.reverse();
        assert!(effort(one.as_bytes(), shuffled.join("\n").as_bytes()) > EFFORT);
    }

    /// Few different lines, so that they repeat; sometimes no newline at the end.
    fn text() -> impl Strategy<Value = String> {
        (proptest::collection::vec(0..6u8, 0..14), any::<bool>()).prop_map(|(lines, open)| {
            let text: String = lines.iter().map(|n| format!("{n}\n")).collect();
            if open { text.trim_end().to_owned() } else { text }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn one_side_alone_wins_and_equal_changes_agree(base in text(), other in text()) {
            prop_assert_eq!(merge(&base, &other, &base), Some(other.clone()));
            prop_assert_eq!(merge(&base, &base, &other), Some(other.clone()));
            prop_assert_eq!(merge(&base, &other, &other), Some(other.clone()));
        }

        #[test]
        fn any_three_texts_merge_without_a_marker_and_without_loss(base in text(), ours in text(), theirs in text()) {
            if let Some(merged) = merge(&base, &ours, &theirs) {
                prop_assert!(!merged.contains("<<<<"));
                prop_assert!(keeps_what_was_added(base.as_bytes(), ours.as_bytes(), merged.as_bytes()));
                prop_assert!(keeps_what_was_added(base.as_bytes(), theirs.as_bytes(), merged.as_bytes()));
            }
        }

        #[test]
        fn the_simple_comparison_never_finds_more_than_there_is(one in text(), other in text()) {
            let (a, b): (Vec<&[u8]>, Vec<&[u8]>) = (lines(one.as_bytes()).collect(), lines(other.as_bytes()).collect());
            let mut best = vec![vec![0; b.len() + 1]; a.len() + 1];
            for i in 0..a.len() {
                for j in 0..b.len() {
                    best[i + 1][j + 1] =
                        if a[i] == b[j] { best[i][j] + 1 } else { best[i][j + 1].max(best[i + 1][j]) };
                }
            }
            prop_assert!(common(&a, &b) <= best[a.len()][b.len()]);
        }
    }
}
