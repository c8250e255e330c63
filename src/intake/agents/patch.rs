//! The text of an `apply_patch` call: which files it writes, moves or deletes. The hunks are of no interest, so that
//! a patch which the agent will refuse is still recorded with its files.

use super::payload::absolute;
use crate::model::Bytes;

/// What stands before a path on a line of its own.
const HEADERS: &[&[u8]] = &[b"*** Add File:", b"*** Update File:", b"*** Delete File:", b"*** Move to:"];

/// Every file that the patch names, absolute, each once, in its order.
pub fn files(patch: &[u8], cwd: &Bytes) -> Vec<Bytes> {
    let mut files = Vec::new();
    for line in patch.split(|byte| *byte == b'\n') {
        let Some(path) = HEADERS.iter().find_map(|header| line.strip_prefix(*header)) else { continue };
        let path = path.trim_ascii();
        if path.is_empty() {
            continue;
        }
        let file = absolute(path.to_vec(), cwd);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_patch_is_named_once() {
        let patch =
            b"*** Begin Patch\n*** Add File: new dir/a.txt\r\n+*** Add File: not/this\n*** Update File: b\n\
                      *** Move to: /w/c\n@@\n-x\n+y\n*** Delete File:d\n*** Update File: b\n*** End Patch";
        let names: Vec<_> = files(patch, &"/p".into()).iter().map(|file| file.lossy().into_owned()).collect();
        assert_eq!(names, ["/p/new dir/a.txt", "/p/b", "/w/c", "/p/d"]);
        assert!(files(b"*** Update File: \nno patch", &"/p".into()).is_empty());
    }
}
