//! Pathname expansion against the file system, within bounds, and the pattern matching behind it.

use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

use crate::model::Bytes;

/// The most names one pattern may become.
const MAX_NAMES: usize = 10_000;
/// The most directory entries that are looked at for one pattern.
const MAX_ENTRIES: usize = 200_000;

/// True where an unquoted text may stand for other names.
pub fn has_magic(text: &str) -> bool {
    // A bracket that is never closed is a bracket: the command `[`.
    let bracket =
        || text.find('[').is_some_and(|at| text.get(at + 2..).is_some_and(|rest| rest.contains(']')));
    text.bytes().any(|c| matches!(c, b'*' | b'?' | b'(')) || bracket()
}

/// Appends `text` so that it matches only itself.
pub fn escape_into(text: &str, pattern: &mut String) {
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '(' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
}

/// The names that match, sorted, as written (relative stays relative). `None` beyond the bounds.
pub fn expand(pattern: &str, cwd: &Bytes, deadline: Option<Instant>) -> Option<Vec<Bytes>> {
    let pattern = super::text::to_bytes(pattern);
    // Named classes and extended patterns are left to the shell: the caller marks the word as unresolved.
    if pattern.as_slice().windows(2).any(|w| w == b"[:" || matches!(w, [a, b'('] if *a != b'\\')) {
        return None;
    }
    let mut budget = MAX_ENTRIES;
    let absolute = pattern.as_slice().starts_with(b"/");
    let mut found: Vec<Vec<u8>> = vec![if absolute { b"/".to_vec() } else { Vec::new() }];
    let parts: Vec<&[u8]> = pattern.as_slice().split(|c| *c == b'/').collect();
    let last = parts.len().saturating_sub(1);
    for (i, part) in parts.iter().enumerate() {
        if part.is_empty() {
            if i == last && i > 0 {
                found.retain(|f| cwd.join(f).as_path().is_dir());
                found.iter_mut().filter(|f| !f.ends_with(b"/")).for_each(|f| f.push(b'/'));
            }
            continue;
        }
        found = step(&found, part, i == last, cwd, &mut budget, deadline)?;
        if found.len() > MAX_NAMES {
            return None;
        }
    }
    found.sort();
    Some(found.into_iter().map(Bytes).collect())
}

fn step(
    dirs: &[Vec<u8>],
    part: &[u8],
    is_last: bool,
    cwd: &Bytes,
    budget: &mut usize,
    deadline: Option<Instant>,
) -> Option<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    for dir in dirs {
        let join = |name: &[u8]| {
            let mut path = dir.clone();
            if !path.is_empty() && !path.ends_with(b"/") {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            path
        };
        if !part.iter().any(|c| matches!(c, b'*' | b'?' | b'[')) || is_escaped(part) {
            let path = join(&unescape(part));
            if cwd.join(&path).as_path().symlink_metadata().is_ok() {
                out.push(path);
            }
            continue;
        }
        let Ok(entries) = std::fs::read_dir(cwd.join(dir).as_path()) else { continue };
        for entry in entries.flatten() {
            *budget = budget.checked_sub(1)?;
            if (*budget).is_multiple_of(256) && deadline.is_some_and(|d| Instant::now() > d) {
                return None;
            }
            let name = entry.file_name();
            let name = name.as_bytes();
            if name.starts_with(b".") && !part.starts_with(b".") && !part.starts_with(b"\\.") {
                continue;
            }
            if matches(part, name) && (is_last || cwd.join(&join(name)).as_path().is_dir()) {
                out.push(join(name));
            }
        }
    }
    Some(out)
}

/// Every magic character of it is escaped.
fn is_escaped(part: &[u8]) -> bool {
    let mut at = 0;
    while let Some(c) = part.get(at) {
        match c {
            b'\\' => at += 2,
            b'*' | b'?' | b'[' => return false,
            _ => at += 1,
        }
    }
    true
}

fn unescape(part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.iter();
    while let Some(c) = bytes.next() {
        let c = if *c == b'\\' { bytes.next().unwrap_or(c) } else { c };
        out.push(*c);
    }
    out
}

/// Does a shell pattern match the whole of `name`? Linear in pattern times name: one point of return per star.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
            continue;
        }
        let Some(&c) = name.get(n) else { break };
        if let Some(next) = one(pattern, p, c) {
            (p, n) = (next, n + 1);
            continue;
        }
        match star {
            Some((sp, sn)) => {
                (p, n) = (sp + 1, sn + 1);
                star = Some((sp, sn + 1));
            }
            None => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == b'*')
}

/// Where the pattern goes on if its part at `p` matches `c`.
fn one(pattern: &[u8], p: usize, c: u8) -> Option<usize> {
    match pattern.get(p)? {
        b'?' => Some(p + 1),
        b'\\' => (pattern.get(p + 1) == Some(&c)).then_some(p + 2),
        b'[' => match class(pattern, p + 1, c) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (c == b'[').then_some(p + 1),
        },
        x => (*x == c).then_some(p + 1),
    }
}

/// A bracket expression that begins after `[`: whether it holds `c`, and where it ends. `None` where it never ends.
fn class(pattern: &[u8], start: usize, c: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(start), Some(b'!' | b'^'));
    let mut at = start + usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let from = match pattern.get(at)? {
            b']' if at > first => return Some((found != negated, at + 1)),
            b'\\' => {
                at += 1;
                *pattern.get(at)?
            }
            x => *x,
        };
        let is_range = pattern.get(at + 1) == Some(&b'-') && pattern.get(at + 2).is_some_and(|x| *x != b']');
        if is_range {
            let to = *pattern.get(at + 2)?;
            found |= (from..=to).contains(&c);
            at += 3;
        } else {
            found |= from == c;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{expand, matches};
    use crate::model::Bytes;

    #[test]
    fn patterns_match_as_in_the_shell() {
        for (p, n, yes) in [
            ("*", "a", true),
            ("*.log", "x.log", true),
            ("*.log", "x.logs", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("[", "[", true),
            ("**a**b", "xxaxxb", true),
        ] {
            assert_eq!(matches(p.as_bytes(), n.as_bytes()), yes, "{p} {n}");
        }
    }

    #[test]
    fn names_come_sorted_and_hidden_ones_stay_hidden() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.log", "a.log", ".c.log", "d.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("sub/e.log"), "").unwrap();
        let cwd = Bytes::from(dir.path());
        let names = |p: &str| {
            expand(p, &cwd, None).unwrap().iter().map(|b| b.lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("*.log"), ["a.log", "b.log"]);
        assert_eq!(names("*/*.log"), ["sub/e.log"]);
        assert_eq!(names("*/"), ["sub/"]);
        assert!(names("*.none").is_empty());
    }
}
