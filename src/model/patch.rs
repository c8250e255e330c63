//! The files that an `apply_patch` text names. The format is OpenAI's, for models: `*** Begin Patch`, then for each file
//! `*** Add File: `, `*** Update File: ` (with `*** Move to: `) or `*** Delete File: `, and the changed lines. Codex,
//! Copilot CLI and opencode have a tool for it, and Codex also applies it where it stands in a shell command
//! (agents.md 4.2; codex-rs/apply-patch/src/parser.rs).
//!
//! Only names are read, and generously: a name too many costs a capture, a name too few loses a file.

use super::Bytes;

/// What a patch does to one name, which is relative to the directory that the patch is applied in, or absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchedFile {
    /// Written: added, updated, or moved to.
    Written(Bytes),
    /// Removed: deleted or moved away.
    Removed(Bytes),
}

impl PatchedFile {
    /// The name.
    pub fn path(&self) -> &Bytes {
        match self {
            PatchedFile::Written(path) | PatchedFile::Removed(path) => path,
        }
    }
}

/// Every name in a patch, in its order. Empty where the text is no patch.
pub fn patched_files(text: &[u8]) -> Vec<PatchedFile> {
    let mut files = Vec::new();
    let mut updated = false;
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    for line in lines.skip_while(|line| *line != b"*** Begin Patch") {
        let named = |marker: &[u8]| {
            let name = line.strip_prefix(marker)?.trim_ascii();
            (!name.is_empty()).then(|| Bytes(name.to_vec()))
        };
        if let Some(path) = named(b"*** Add File:") {
            updated = false;
            files.push(PatchedFile::Written(path));
        } else if let Some(path) = named(b"*** Update File:") {
            updated = true;
            files.push(PatchedFile::Written(path));
        } else if let Some(path) = named(b"*** Delete File:") {
            updated = false;
            files.push(PatchedFile::Removed(path));
        } else if let Some(to) = named(b"*** Move to:") {
            // What was updated is moved away.
            if let Some(last) = files.last_mut().filter(|_| updated) {
                *last = PatchedFile::Removed(last.path().clone());
            }
            updated = false;
            files.push(PatchedFile::Written(to));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Vec<String> {
        let word = |file: &PatchedFile| match file {
            PatchedFile::Written(path) => format!("w {}", path.lossy()),
            PatchedFile::Removed(path) => format!("r {}", path.lossy()),
        };
        patched_files(text.as_bytes()).iter().map(word).collect()
    }

    #[test]
    fn every_kind_of_hunk() {
        let patch = "*** Begin Patch\n*** Add File: a b.txt\n+new\n*** Update File: src/old.rs\n*** Move to: src/new.rs\n\
                     @@\n-x\n+y\n*** Update File: /abs\n@@\n-*** Delete File: not\n+z\n*** Delete File: gone\n*** End Patch\n";
        assert_eq!(files(patch), ["w a b.txt", "r src/old.rs", "w src/new.rs", "w /abs", "r gone"]);
    }

    /// The parser of Codex allows blanks around markers and a here-document around the patch (its lenient mode).
    #[test]
    fn what_models_make_of_it() {
        assert_eq!(files("  *** Begin Patch\r\n *** Delete File: a\r\n*** End Patch"), ["r a"]);
        assert_eq!(files("<<'EOF'\n*** Begin Patch\n*** Add File: a\n+\n*** End Patch\nEOF\n"), ["w a"]);
        assert_eq!(files("*** Add File: a"), [""; 0], "no patch");
        assert_eq!(files("*** Begin Patch\n*** Add File:  \n"), [""; 0]);
        assert_eq!(patched_files(b"*** Begin Patch\n*** Delete File: caf\xe9")[0].path().0, b"caf\xe9");
    }
}
