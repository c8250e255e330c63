//! Resources in words for people. `dyn:` marks what the words of a command only tell how to find; how the recorder finds it is
//! nothing that somebody should have to read at night.

use super::Bytes;

/// What such words mean, by how they begin; the rest of them follows.
const MEANT: [(&str, &str); 8] = [
    ("what the same find prints with -print0", "what find names"),
    ("plan -destroy", "all that terraform has made"),
    ("plan -out", "what terraform changes"),
    ("pulumi preview --diff", "what pulumi changes"),
    ("show -json ", "what is in the plan "),
    ("glob ", "what matches "),
    ("tree under ", "all below "),
    ("untracked and ignored files, as git clean -n lists them", "untracked and ignored files"),
];

/// The resource without its mark and without how it is looked up.
pub fn spoken(resource: &Bytes) -> Bytes {
    let Some(words) = resource.as_slice().strip_prefix(b"dyn:") else { return resource.clone() };
    for (written, meant) in MEANT {
        if let Some(rest) = words.strip_prefix(written.as_bytes()) {
            return Bytes([meant.as_bytes(), rest].concat());
        }
    }
    Bytes::from(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_recorder_is_not_read_to_people() {
        for (resource, meant) in [
            ("dyn:what the same find prints with -print0", "what find names"),
            ("dyn:glob ~/notes*", "what matches ~/notes*"),
            ("dyn:tree under src", "all below src"),
            ("dyn:$NOWHERE/x", "$NOWHERE/x"),
            ("path:dyn:x", "path:dyn:x"),
        ] {
            assert_eq!(spoken(&resource.into()), meant.into());
        }
    }
}
