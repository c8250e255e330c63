//! What a push would change, by a dry run of it: git's own word for which refs it means, whatever `push.default`,
//! refspecs and upstreams are set to. It is one conversation with the remote, and says the old values too.

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
    let given = args.as_slice().split(|b| *b == 0).filter(|a| !a.is_empty());
    argv.extend(given.map(|a| OsStr::from_bytes(a).to_owned()));
    let done = shadow.git(&argv)?;
    let found = read(&String::from_utf8_lossy(&done.stdout));
    // A push that is refused in part exits with 1 and still says what it would do.
    if done.code != 0 && found.is_empty() {
        return Err(refused(&done));
    }
    Ok(found)
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

/// `<flag> \t <from>:<to> \t <summary>`; `None` where the ref stays as it is.
fn changed(line: &str) -> Option<(String, Old)> {
    let mut parts = line.split('\t');
    let flag = parts.next()?;
    let (_, to) = parts.next()?.rsplit_once(':')?;
    let summary = parts.next().unwrap_or_default();
    let old = match flag {
        "*" => Old::Absent,
        " " | "+" => match summary.split("..").next() {
            Some(id) if is_whole(id) => Old::At(id.to_owned()),
            _ => Old::Unknown,
        },
        "-" | "!" => Old::Unknown,
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
            ("refs/heads/main", Old::At(one)),
            ("refs/heads/old", Old::Unknown),
            ("refs/tags/v", Old::Absent),
        ];
        assert_eq!(found[0], expected.map(|(name, old)| (name.to_owned(), old)).into());
        assert_eq!(found[1]["refs/heads/x"], Old::Unknown);
        assert_eq!(found.len(), 2);
    }
}
