//! What a push would change, by a dry run of it: git's own word for which refs it means, whatever `push.default`,
//! refspecs and upstreams are set to. It is one conversation with the remote, and says the old values too.
//!
//! Refs that are up to date count as well. The dry run is made before the line runs, and what comes before the push in it
//! (`git commit --amend && git push --force`, `git reset --hard HEAD~1 && …`) gives it something to push.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::shadow::{Shadow, refused};
use crate::error::Result;
use crate::model::Bytes;

/// A ref of the other side that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Old {
    /// It is there, with this value.
    At(String),
    /// It is not there.
    Absent,
    /// It is there, with the value that this name has on our side.
    As(String),
    /// The dry run does not say (it is deleted, or would be refused): the remote must be asked.
    Unknown,
}

/// What changes in one place that is pushed to.
pub type Changes = BTreeMap<String, Old>;

/// Dry-runs a push with these arguments (separated by NUL). One entry for each place that it goes to.
pub fn dry_run(shadow: &Shadow, args: &Bytes) -> Result<Vec<Changes>> {
    // With whole ids the old values need not be asked for again.
    let mut argv: Vec<OsString> = ["-c", "core.abbrev=no", "push", "--dry-run", "--porcelain", "--no-verify"]
        .map(OsString::from)
        .to_vec();
    let given: Vec<&[u8]> = args.as_slice().split(|b| *b == 0).filter(|a| !a.is_empty()).collect();
    argv.extend(given.iter().map(|a| OsStr::from_bytes(a).to_owned()));
    // What is up to date is only told by a push that talks, and the last word on that counts (`-q`).
    let end = argv.iter().position(|arg| arg == "--").unwrap_or(argv.len());
    argv.insert(end, OsString::from("--verbose"));
    let done = shadow.git(&argv)?;
    let found = read(&String::from_utf8_lossy(&done.stdout));
    // A push that is refused in part exits with 1 and still says what it would do.
    if done.code != 0 && found.is_empty() {
        let is_to_come = String::from_utf8_lossy(&done.stderr).contains("does not match any");
        let meant = if is_to_come { meant(&given) } else { None };
        return meant.map(|changes| vec![changes]).ok_or_else(|| refused(&done));
    }
    Ok(found)
}

/// Options of git-push(1) that take the next word.
const VALUED: [&[u8]; 5] = [b"-o", b"--push-option", b"--repo", b"--receive-pack", b"--exec"];

/// What refspecs name on the other side, where something on this side is not there yet: what comes before the push in the
/// line makes it (`git checkout -b fix && git commit … && git push -u origin fix`). `None` where the words do not tell.
fn meant(given: &[&[u8]]) -> Option<Changes> {
    if given.iter().any(|arg| VALUED.contains(arg)) {
        return None;
    }
    let words = given.iter().filter(|arg| !arg.starts_with(b"-")).skip(1);
    let mut out = Changes::new();
    for word in words {
        let word = std::str::from_utf8(word).ok()?;
        let spec = word.strip_prefix('+').unwrap_or(word);
        let name = spec.split_once(':').map_or(spec, |(_, to)| to);
        if name.is_empty() || name.contains(['*', ':', '~', '^', '@']) || name == "HEAD" {
            return None;
        }
        let full = [format!("refs/heads/{name}"), format!("refs/tags/{name}")];
        match name.starts_with("refs/") {
            true => drop(out.insert(name.to_owned(), Old::Unknown)),
            false => out.extend(full.map(|name| (name, Old::Unknown))),
        }
    }
    Some(out).filter(|out| !out.is_empty())
}

/// Reads the output of `push --porcelain` (git-push(1), "OUTPUT").
fn read(text: &str) -> Vec<Changes> {
    let mut found: Vec<Changes> = Vec::new();
    for line in text.lines() {
        if line.starts_with("To ") {
            found.push(Changes::new());
        } else if let (Some(last), Some((name, old))) = (found.last_mut(), changed(line)) {
            last.insert(name, old);
        }
    }
    found
}

/// `<flag> \t <from>:<to> \t <summary>`; `None` where it is another line.
fn changed(line: &str) -> Option<(String, Old)> {
    let mut parts = line.split('\t');
    let flag = parts.next()?;
    let (from, to) = parts.next()?.rsplit_once(':')?;
    let summary = parts.next().unwrap_or_default();
    let old = match flag {
        "*" => Old::Absent,
        " " | "+" => match summary.split("..").next() {
            Some(id) if is_whole(id) => Old::At(id.to_owned()),
            _ => Old::Unknown,
        },
        "=" if !from.is_empty() && !from.starts_with('-') => Old::As(from.to_owned()),
        "-" | "!" | "=" => Old::Unknown,
        _ => return None,
    };
    Some((to.to_owned(), old))
}

fn is_whole(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_dry_run_are_read() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let text = format!(
            "To ../remote.git\n+\trefs/heads/main:refs/heads/main\t{one}...{two} (forced update)\n \
             \trefs/heads/a:refs/heads/b\t{two}..{one}\n*\trefs/tags/v:refs/tags/v\t[new tag]\n-\t:refs/heads/old\t[deleted]\n\
             =\trefs/heads/c:refs/heads/c\t[up to date]\nTo ../other.git\n \tHEAD:refs/heads/x\t1234567..89abcde\nDone\n"
        );
        let found = read(&text);
        let expected = [
            ("refs/heads/b", Old::At(two)),
            ("refs/heads/c", Old::As("refs/heads/c".to_owned())),
            ("refs/heads/main", Old::At(one)),
            ("refs/heads/old", Old::Unknown),
            ("refs/tags/v", Old::Absent),
        ];
        assert_eq!(found[0], expected.map(|(name, old)| (name.to_owned(), old)).into());
        assert_eq!(found[1]["refs/heads/x"], Old::Unknown);
        assert_eq!(found.len(), 2);
    }
}
