//! What an `apply_patch` text makes of a file: exactly, or not at all. Codex also takes a patch whose lines fit only nearly
//! (blanks, typographic quotes: codex-rs/apply-patch/src/seek_sequence.rs); of such a one nothing is said here.

use super::Bytes;

/// A file that a patch leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patched {
    /// Its name, relative to the directory that the patch is applied in, or absolute.
    pub path: Bytes,
    /// The name that its lines come from, where it was there before: its own, or the one it was moved from.
    pub from: Option<Bytes>,
    hunks: Vec<Hunk>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hunk {
    /// A line that stands somewhere before (`@@ fn main() {`).
    after: Option<Vec<u8>>,
    old: Vec<Vec<u8>>,
    new: Vec<Vec<u8>>,
    at_end: bool,
}

/// The files that a patch adds, updates or moves to, in its order.
pub fn patched(text: &[u8]) -> Vec<Patched> {
    let mut out: Vec<Patched> = Vec::new();
    let mut open = false;
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines.skip_while(|line| line.trim_ascii() != b"*** Begin Patch") {
        let named = |marker: &[u8]| {
            line.trim_ascii().strip_prefix(marker).map(|name| Bytes(name.trim_ascii().to_vec()))
        };
        if let Some(path) = named(b"*** Add File:") {
            out.push(Patched { path, from: None, hunks: vec![Hunk::default()] });
            open = true;
        } else if let Some(path) = named(b"*** Update File:") {
            out.push(Patched { from: Some(path.clone()), path, hunks: Vec::new() });
            open = true;
        } else if let (Some(to), Some(file), true) = (named(b"*** Move to:"), out.last_mut(), open) {
            file.path = to;
        } else if named(b"*** Delete File:").is_some() || named(b"*** End Patch").is_some() {
            open = false;
        } else if let (Some(file), true) = (out.last_mut(), open) {
            file.take(line);
        }
    }
    out
}

impl Patched {
    fn take(&mut self, line: &[u8]) {
        if let Some(after) = line.strip_prefix(b"@@") {
            let after = after.strip_prefix(b" ").filter(|after| !after.is_empty()).map(<[u8]>::to_vec);
            self.hunks.push(Hunk { after, ..Hunk::default() });
            return;
        }
        // The first hunk may come without its mark.
        if self.hunks.is_empty() {
            self.hunks.push(Hunk::default());
        }
        let Some(hunk) = self.hunks.last_mut() else { return };
        match line.split_first() {
            _ if line == b"*** End of File" => hunk.at_end = true,
            Some((b'+', rest)) => hunk.new.push(rest.to_vec()),
            Some((b'-', rest)) => hunk.old.push(rest.to_vec()),
            Some((b' ', rest)) => {
                hunk.old.push(rest.to_vec());
                hunk.new.push(rest.to_vec());
            }
            None => {
                hunk.old.push(Vec::new());
                hunk.new.push(Vec::new());
            }
            Some(_) => {}
        }
    }

    /// What the file holds afterwards; `None` where the patch does not fit to the byte. `before` is what was there.
    pub fn apply(&self, before: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut lines: Vec<&[u8]> = match (&self.from, before) {
            (None, _) => Vec::new(),
            (Some(_), Some(before)) => before.split(|byte| *byte == b'\n').collect(),
            (Some(_), None) => return None,
        };
        if lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        let (mut out, mut at): (Vec<&[u8]>, usize) = (Vec::new(), 0);
        for hunk in &self.hunks {
            let mut start = at;
            if let Some(after) = &hunk.after {
                start = at + lines.get(at..)?.iter().position(|line| line == after)? + 1;
            }
            let found = match (hunk.old.is_empty(), hunk.at_end) {
                (true, _) => lines.len(),
                (false, true) => lines.len().checked_sub(hunk.old.len())?,
                (false, false) => {
                    start + lines.get(start..)?.windows(hunk.old.len()).position(|w| w == hunk.old)?
                }
            };
            if found < start || lines.get(found..found + hunk.old.len())? != hunk.old {
                return None;
            }
            out.extend(lines.get(at..found)?);
            out.extend(hunk.new.iter().map(Vec::as_slice));
            at = found + hunk.old.len();
        }
        out.extend(lines.get(at..)?);
        let mut text = out.join(&b'\n');
        if !out.is_empty() {
            text.push(b'\n');
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(patch: &str, before: Option<&str>) -> Option<String> {
        let text = format!("*** Begin Patch\n{patch}\n*** End Patch\n");
        let files = patched(text.as_bytes());
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].apply(before.map(str::as_bytes)).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn what_a_patch_leaves() {
        assert_eq!(left("*** Add File: a\n+one\n+\n+two", None).unwrap(), "one\n\ntwo\n");
        assert_eq!(left("*** Update File: a\n@@\n-b\n+B\n c", Some("a\nb\nc\nb\n")).unwrap(), "a\nB\nc\nb\n");
        assert_eq!(
            left("*** Update File: a\n@@ two:\n-b\n+B", Some("b\ntwo:\nb\n")).unwrap(),
            "b\ntwo:\nB\n"
        );
        assert_eq!(
            left("*** Update File: a\n@@\n-b\n+B\n*** End of File", Some("b\nx\nb")).unwrap(),
            "b\nx\nB\n"
        );
        assert_eq!(left("*** Update File: a\n@@\n+end", Some("x\n")).unwrap(), "x\nend\n");
        assert_eq!(left("*** Update File: a\n-x\n@@\n-z\n+Z", Some("x\ny\nz\n")).unwrap(), "y\nZ\n");
        let moved =
            patched(b"*** Begin Patch\n*** Update File: a\n*** Move to: b\n@@\n-x\n+y\n*** End Patch");
        assert_eq!(
            (moved[0].path.lossy(), moved[0].from.as_ref().unwrap().lossy()),
            ("b".into(), "a".into())
        );
        assert_eq!(moved[0].apply(Some(b"x\n")).unwrap(), b"y\n");
    }

    #[test]
    fn of_what_does_not_fit_nothing_is_said() {
        for (patch, before) in
            [("@@\n-b\n+B", Some("B\n")), ("@@ gone\n-b\n+B", Some("b\n")), ("@@\n-b\n+B", None)]
        {
            assert_eq!(left(&format!("*** Update File: a\n{patch}"), before), None, "{patch}");
        }
        assert_eq!(left("*** Update File: a\n@@\n-b \n+B", Some("b\n")), None, "a blank more");
        assert!(patched(b"*** Begin Patch\n*** Delete File: a\n-x\n*** End Patch").is_empty());
        assert!(patched(b"no patch").is_empty());
    }
}
