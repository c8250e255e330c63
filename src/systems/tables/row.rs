//! A row as one line of text: fields between tabs, `\N` for NULL, what would break the line escaped. It is what PostgreSQL's
//! `COPY … TO STDOUT` writes; the other systems write the same.

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a>(pub &'a [u8]);

/// The fields of a line, as written.
pub fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| *b == b'\t')
}

impl<'a> Row<'a> {
    /// The values of its key columns, as written, tabs between them. Without a key the whole row stands for itself.
    pub fn key(&self, columns: &[usize]) -> Vec<u8> {
        if columns.is_empty() {
            return hex(&hash_of(self.0)).into_bytes();
        }
        let all: Vec<&[u8]> = fields(self.0).collect();
        let values: Vec<&[u8]> = columns.iter().filter_map(|c| all.get(*c).copied()).collect();
        values.join(&b'\t')
    }
}

/// What tells two rows apart.
pub fn hash_of(line: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    let whole = blake3::hash(line);
    out.copy_from_slice(whole.as_bytes().get(..16).unwrap_or(&[0; 16]));
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A value as it is; `None` for NULL.
pub fn unescape(field: &[u8]) -> Option<Vec<u8>> {
    if field == b"\\N" {
        return None;
    }
    let mut out = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(b) = bytes.next() {
        if *b != b'\\' {
            out.push(*b);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'v') => 11,
            Some(other) => *other,
            None => b'\\',
        });
    }
    Some(out)
}

/// A value as a field.
pub fn escape(value: Option<&[u8]>) -> Vec<u8> {
    let Some(value) = value else { return b"\\N".to_vec() };
    let mut out = Vec::with_capacity(value.len());
    for b in value {
        match b {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            _ => out.push(*b),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Row, escape, unescape};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_value_comes_back(value in prop::option::of(prop::collection::vec(any::<u8>(), 0..40))) {
            let field = escape(value.as_deref());
            prop_assert!(!field.contains(&b'\n') && !field.contains(&b'\t'));
            prop_assert_eq!(unescape(&field), value);
        }
    }

    #[test]
    fn a_key_is_its_columns_and_without_one_the_row() {
        let row = Row(b"7\ta\\tb\t\\N");
        assert_eq!(row.key(&[1, 0]), b"a\\tb\t7");
        assert_ne!(row.key(&[]), Row(b"8\ta\\tb\t\\N").key(&[]));
    }
}
