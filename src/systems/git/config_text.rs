//! The text of a git configuration file, as far as undo needs it: a plain value, and sections that were taken out.
//! Nothing is included or evaluated (git-config(1), "CONFIGURATION FILE").

/// The last value of `section.key` on a line of its own, both compared without regard to case.
pub fn value(text: &[u8], section: &str, key: &str) -> Option<String> {
    raw_value(text, section, key).map(|value| value.to_ascii_lowercase())
}

/// The same, as it is written.
pub fn raw_value(text: &[u8], section: &str, key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let mut inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[') {
            inside = head.split(']').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(section));
        } else if let Some((name, value)) = line.split_once('=')
            && inside
            && name.trim().eq_ignore_ascii_case(key)
        {
            found = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

/// One section as it stands in the file: its header and all bytes up to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Section<'t> {
    header: &'t [u8],
    text: &'t [u8],
}

fn sections(text: &[u8]) -> Vec<Section<'_>> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.trim_ascii_start().starts_with(b"[") {
            starts.push((at, line.trim_ascii()));
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&(start, header), end)| Section { header, text: text.get(start..end).unwrap_or_default() })
        .collect()
}

/// The text `now` with those sections added again that stand in `before` and were taken out whole by the command
/// (`branch -D`, `remote remove`). `None` where the command changed anything else, or where such a section exists
/// again.
pub fn with_removed_sections(before: &[u8], after: &[u8], now: &[u8]) -> Option<Vec<u8>> {
    let (old, kept, present) = (sections(before), sections(after), sections(now));
    let removed: Vec<_> = old.iter().filter(|s| !kept.contains(s)).collect();
    let only_removed = kept.iter().all(|s| old.contains(s))
        && removed.iter().all(|r| !kept.iter().any(|s| s.header == r.header));
    let back_again = removed.iter().any(|r| present.iter().any(|s| s.header == r.header));
    if removed.is_empty() || !only_removed || back_again {
        return None;
    }
    let mut merged = now.to_vec();
    for section in removed {
        if !merged.is_empty() && !merged.ends_with(b"\n") {
            merged.push(b'\n');
        }
        merged.extend_from_slice(section.text);
    }
    Some(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "[core]\n\tbare = false\n";
    const X: &str = "[branch \"x\"]\n\tremote = origin\n";
    const USER: &str = "[user]\n\tname = A\n";

    #[test]
    fn a_removed_section_joins_what_was_added_since() {
        let (before, after, now) = (format!("{CORE}{X}"), CORE.to_owned(), format!("{CORE}{USER}"));
        let merged = with_removed_sections(before.as_bytes(), after.as_bytes(), now.as_bytes());
        assert_eq!(merged, Some(format!("{CORE}{USER}{X}").into_bytes()));
    }

    #[test]
    fn a_changed_or_recreated_section_is_left_to_people() {
        let before = format!("{CORE}{X}");
        let changed = "[core]\n\tbare = true\n";
        assert_eq!(with_removed_sections(before.as_bytes(), changed.as_bytes(), changed.as_bytes()), None);
        let again = format!("{CORE}[branch \"x\"]\n\tremote = fork\n");
        assert_eq!(with_removed_sections(before.as_bytes(), CORE.as_bytes(), again.as_bytes()), None);
    }

    #[test]
    fn values_are_read_without_regard_to_case() {
        let text = b"[Extensions]\n\tobjectFormat = SHA256\n[other]\n objectformat = x\n";
        assert_eq!(value(text, "extensions", "objectformat").as_deref(), Some("sha256"));
        assert_eq!(value(text, "extensions", "refstorage"), None);
    }
}
