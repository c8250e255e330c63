//! Sessions of one line with one database: what they will change is found as if it were one script. Apart from each other two
//! captures of the same moment would each bring back what the other one's command took.

use super::{ACCESS, Input, SCRIPT};
use crate::model::{Bytes, Locator};

/// How a statement begins that leaves nothing behind in its session: what follows means the same in another one.
const PLAIN: &[&str] = &[
    "alter", "analyze", "comment", "create", "delete", "drop", "grant", "insert", "reindex", "rename",
    "replace", "revoke", "select", "truncate", "update", "vacuum", "with",
];

/// Words of what goes with its session: a table, or a setting.
const PASSING: &[&str] = &["temp", "temporary", "set_config", "pg_temp"];

/// Adds the script of another session with the same database; false where the two cannot be read as one.
pub fn unite(known: &mut Locator, other: &Locator) -> bool {
    let is_same_place = known.at == other.at
        && known.opts == other.opts
        && known.unsaid.contains_key(ACCESS)
        && known.unsaid.get(ACCESS) == other.unsaid.get(ACCESS);
    let inputs = |locator: &Locator| -> Option<Vec<Input>> {
        serde_json::from_str(locator.unsaid.get(SCRIPT)?.as_str()?).ok()
    };
    let (Some(mut all), Some(more)) = (inputs(known), inputs(other)) else { return false };
    if !is_same_place || !all.iter().chain(&more).all(is_plain) {
        return false;
    }
    all.extend(more);
    let Ok(text) = serde_json::to_string(&all) else { return false };
    known.unsaid.insert(SCRIPT.to_owned(), Bytes::from(text));
    true
}

fn is_plain(input: &Input) -> bool {
    let Input::Text(text) = input else { return false };
    // A semicolon in a string gives a part that begins like no statement: then they stay apart.
    let text = text.to_ascii_lowercase();
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let mut words = part.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
        words.next().is_some_and(|first| PLAIN.contains(&first)) && !words.any(|word| PASSING.contains(&word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(access: &str, text: &str) -> Locator {
        let mut place = Locator { at: Bytes::from("/w"), ..Locator::default() };
        let inputs = vec![Input::Text(text.to_owned())];
        place.unsaid.insert(ACCESS.to_owned(), Bytes::from(access));
        place.unsaid.insert(SCRIPT.to_owned(), Bytes::from(serde_json::to_string(&inputs).unwrap()));
        place
    }

    #[test]
    fn only_sessions_that_leave_nothing_behind_are_read_as_one() {
        let drop = || place("shop", "DROP TABLE a; delete from b where c = 1");
        let mut known = drop();
        assert!(unite(&mut known, &place("shop", "TRUNCATE d")));
        assert!(known.unsaid[SCRIPT].as_str().unwrap().contains("TRUNCATE d"));
        for (access, text) in [
            ("other", "TRUNCATE d"),
            ("shop", "SET search_path = x; DROP TABLE d"),
            ("shop", "BEGIN; DROP TABLE d"),
            ("shop", "CREATE TEMP TABLE d (x int); DROP TABLE d"),
            ("shop", "SELECT set_config('search_path', 'x', false)"),
            ("shop", r"\c x"),
        ] {
            let mut known = drop();
            assert!(!unite(&mut known, &place(access, text)), "{text}");
            assert_eq!(known, drop());
        }
    }
}
