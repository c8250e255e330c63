//! The way back of a table, row by row, by what each row was before (B), after (A) and is now (N).

use super::{Adds, Index, Table, View};

/// What is done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It is gone: put in again.
    Insert,
    /// It was changed: gets its old values.
    Update,
    /// The command added it: taken out.
    Remove,
}

/// What is done with the rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// By key, as it is written in a row.
    pub rows: Vec<(Vec<u8>, Move)>,
    /// Rows that somebody changed since.
    pub conflicts: Vec<Vec<u8>>,
    /// Rows that are back already.
    pub back: u64,
    /// Rows that came while the command ran, and nobody knows whose they are.
    pub unknown: u64,
}

impl Moves {
    /// How many rows are moved so.
    pub fn count(&self, of: Move) -> usize {
        self.rows.iter().filter(|(_, m)| *m == of).count()
    }
}

/// Compares three states of a table. `after` is `None` where nobody told how the command left it.
pub fn moves(table: &Table, after: Option<(&Table, &Index)>, before: &Index, now: &Index) -> Moves {
    let mut out = Moves::default();
    for (key, b) in &before.0 {
        let n = now.0.get(key);
        if n == Some(b) {
            let touched = after.is_some_and(|(_, after)| after.0.get(key) != Some(b));
            out.back += u64::from(touched);
            continue;
        }
        match after.map(|(_, after)| after.0.get(key)) {
            Some(a) if a == Some(b) => {}
            Some(a) if a == n => {
                out.rows.push((key.clone(), if n.is_none() { Move::Insert } else { Move::Update }));
            }
            // What is gone can be put in whoever took it; what is there may be somebody's.
            None if n.is_none() => out.rows.push((key.clone(), Move::Insert)),
            _ => out.conflicts.push(key.clone()),
        }
    }
    added(table, after, before, now, &mut out);
    out
}

/// Rows that the command added: taken out where they are known to be its own and nobody changed them.
fn added(table: &Table, after: Option<(&Table, &Index)>, before: &Index, now: &Index, out: &mut Moves) {
    // A row with a key that is looked at came by the command: an undo that put it back.
    let keys = table.view == View::Keys;
    let expected = match table.adds {
        Adds::Nothing if keys => None,
        Adds::Nothing => return,
        Adds::AtMost(count) => Some(count),
        Adds::Some => None,
    };
    let Some((left, after)) = after else {
        let is_new = |key: &&Vec<u8>| !before.0.contains_key(*key);
        let since = matches!(table.view, View::Since(_)) || expected.is_some();
        out.unknown += if since { now.0.keys().filter(is_new).count() as u64 } else { 0 };
        return;
    };
    let new: Vec<_> = after.0.iter().filter(|(key, _)| !before.0.contains_key(*key)).collect();
    let too_many = expected.is_some_and(|expected| new.len() as u64 > expected);
    if (left.writers > 1 && !keys) || too_many {
        out.unknown += new.iter().filter(|(key, _)| now.0.contains_key(*key)).count() as u64;
        return;
    }
    for (key, a) in new {
        match now.0.get(key) {
            None => out.back += 1,
            Some(n) if n == a => out.rows.push((key.clone(), Move::Remove)),
            Some(_) => out.conflicts.push(key.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Index, Move, moves};
    use crate::systems::tables::{Adds, Table};

    fn index(rows: &[(&str, u8)]) -> Index {
        Index(rows.iter().map(|(k, h)| (k.as_bytes().to_vec(), [*h; 16])).collect())
    }

    fn plan(
        b: &[(&str, u8)],
        a: &[(&str, u8)],
        n: &[(&str, u8)],
        adds: bool,
        writers: u64,
    ) -> (String, usize, u64) {
        let table = Table { adds: if adds { Adds::Some } else { Adds::Nothing }, ..Table::absent() };
        let left = Table { writers, ..table.clone() };
        let (b, a, n) = (index(b), index(a), index(n));
        let m = moves(&table, Some((&left, &a)), &b, &n);
        let rows = m.rows.iter().map(|(k, m)| format!("{m:?} {}", String::from_utf8_lossy(k)));
        (rows.collect::<Vec<_>>().join(","), m.conflicts.len(), m.unknown)
    }

    #[test]
    fn only_what_is_as_the_command_left_it_goes_back() {
        let b = [("1", 1), ("2", 2), ("3", 3)];
        assert_eq!(plan(&b, &[], &[("9", 9)], false, 0), ("Insert 1,Insert 2,Insert 3".into(), 0, 0));
        let a = [("1", 7), ("2", 7), ("3", 3)];
        // Row 2 was changed since, row 3 was never the command's, whatever it is now.
        assert_eq!(plan(&b, &a, &[("1", 7), ("2", 8), ("3", 9)], false, 0), ("Update 1".into(), 1, 0));
        // Deleted by the command, made anew by somebody with other values.
        assert_eq!(plan(&b, &[], &[("1", 1), ("2", 9)], false, 0), ("Insert 3".into(), 1, 0));
    }

    #[test]
    fn rows_of_others_are_not_taken_out() {
        let a = [("4", 4), ("5", 5)];
        assert_eq!(plan(&[], &a, &a, true, 1), ("Remove 4,Remove 5".into(), 0, 0));
        assert_eq!(plan(&[], &a, &a, true, 2), (String::new(), 0, 2));
        assert_eq!(plan(&[], &a, &a, false, 1), (String::new(), 0, 0));
        assert_eq!(plan(&[], &a, &[("4", 4), ("5", 6)], true, 1), ("Remove 4".into(), 1, 0));
    }

    #[test]
    fn where_nobody_told_the_end_only_what_is_gone_is_put_back() {
        let table = Table::absent();
        let m = moves(&table, None, &index(&[("1", 1), ("2", 2)]), &index(&[("2", 9)]));
        assert_eq!((m.rows, m.conflicts.len()), (vec![(b"1".to_vec(), Move::Insert)], 1));
    }
}
