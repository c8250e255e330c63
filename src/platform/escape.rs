//! Every recorded byte is hostile until shown: names, commands and outputs come from agents and foreign repositories.
//! Control characters, bidirectional overrides and invisible characters are rendered visibly, so that no recorded
//! text can move the cursor, recolour, hide or reorder what the person on call reads (security.md 5.5).

/// Text that is safe for a terminal: one line, no control bytes, invalid UTF-8 as `\xNN`.
pub fn safe(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_visible(&mut out, c);
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
        c if is_deceptive(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        c => out.push(c),
    }
}

/// C1 controls, bidirectional controls, zero-width and other format characters, line and paragraph separators,
/// variation selectors and tag characters (Unicode general categories Cc, Cf, Zl, Zp and the invisible letters).
fn is_deceptive(c: char) -> bool {
    matches!(c as u32,
        0x80..=0x9f | 0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x8e2 | 0x115f..=0x1160 | 0x17b4..=0x17b5
        | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn a_file_name_cannot_clear_the_screen_or_write_to_the_clipboard() {
        assert_eq!(safe(b"a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(safe(b"\x1b]52;c;ZXZpbA==\x07"), "\\x1b]52;c;ZXZpbA==\\x07");
        assert_eq!(safe("\u{9b}31m".as_bytes()), "\\u{9b}31m");
    }

    #[test]
    fn a_branch_name_cannot_reorder_what_is_read() {
        assert_eq!(safe("ab\u{202e}dc".as_bytes()), "ab\\u{202e}dc");
        assert_eq!(safe("a\u{200b}b".as_bytes()), "a\\u{200b}b");
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_recognisable() {
        assert_eq!(safe(b"caf\xe9.txt"), "caf\\xe9.txt");
        assert_eq!(safe("naïve 日本".as_bytes()), "naïve 日本");
    }

    #[test]
    fn no_byte_sequence_leaves_a_control_character() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let shown = safe(&[b'x', a, b, b'y']);
                assert!(shown.chars().all(|c| !c.is_control()), "{a:02x} {b:02x} gave {shown:?}");
            }
        }
    }
}
