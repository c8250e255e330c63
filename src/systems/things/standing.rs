//! What an undo has to do about one thing, by what it was before (B), after (A) and is now (N).

use super::doc::Thing;

/// How a thing stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// The command did not change it, or others have taken its change back.
    Untouched,
    /// It is as it was before.
    Back,
    /// It was there and is gone.
    Gone,
    /// The command made it, and it is as it was made.
    Made,
    /// The command changed it, and it is as it was left.
    Changed,
    /// Somebody else has written it since.
    Conflict(&'static str),
}

/// Judges one thing. `after` is `None` where nobody told how the command left it.
pub fn standing(before: Option<&Thing>, after: Option<Option<&Thing>>, now: Option<&Thing>) -> Standing {
    match (before, after, now) {
        (None, _, None) => Standing::Untouched,
        (None, Some(None), Some(_)) => Standing::Untouched,
        (None, None, Some(_)) => {
            Standing::Conflict("it is there, and nobody told whether the command made it")
        }
        (None, Some(Some(a)), Some(n)) if a.id == n.id && a.digest == n.digest => Standing::Made,
        (None, Some(Some(_)), Some(_)) => Standing::Conflict("it was changed since the command made it"),
        // The command put another one in its place: nobody misses that one.
        (Some(b), Some(Some(a)), None) if !b.id.is_empty() && a.id != b.id => Standing::Gone,
        (Some(_), Some(Some(_)), None) => Standing::Conflict("somebody has removed it since"),
        (Some(_), _, None) => Standing::Gone,
        (Some(b), after, Some(n)) if b.looks_like(n) => match after {
            Some(Some(a)) if b.is(a) => Standing::Untouched,
            _ => Standing::Back,
        },
        (Some(_), None, Some(_)) => {
            Standing::Conflict("it is not as before, and nobody told how the command left it")
        }
        (Some(_), Some(None), Some(_)) => {
            Standing::Conflict("somebody has made it anew since, and it is another one")
        }
        (Some(b), Some(Some(a)), Some(_)) if b.is(a) => Standing::Untouched,
        (Some(_), Some(Some(a)), Some(n)) if a.is(n) => Standing::Changed,
        (Some(_), Some(Some(_)), Some(_)) => Standing::Conflict("somebody has changed it since the command"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{ObjectId, ObjectKind};

    fn thing(form: &str, state: &str, id: &str) -> Thing {
        let digest = ObjectId::of(ObjectKind::Blob, form.as_bytes());
        let (state, id) = (state.to_owned(), id.to_owned());
        Thing { digest, state, id, object: digest, parts: BTreeMap::new(), facts: BTreeMap::new() }
    }

    #[test]
    fn only_what_the_command_did_is_taken_back() {
        let (b, stopped) = (thing("x", "running", "1"), thing("x", "stopped", "1"));
        let (anew, other) = (thing("x", "running", "2"), thing("y", "running", "2"));
        assert_eq!(standing(Some(&b), Some(None), None), Standing::Gone);
        assert_eq!(standing(Some(&b), None, None), Standing::Gone);
        assert_eq!(standing(Some(&b), Some(None), Some(&anew)), Standing::Back);
        assert!(matches!(standing(Some(&b), Some(None), Some(&other)), Standing::Conflict(_)));
        assert_eq!(standing(Some(&b), Some(Some(&stopped)), Some(&stopped)), Standing::Changed);
        assert_eq!(standing(Some(&b), Some(Some(&stopped)), Some(&b)), Standing::Back);
        assert!(matches!(standing(Some(&b), Some(Some(&stopped)), None), Standing::Conflict(_)));
        assert_eq!(standing(Some(&b), Some(Some(&anew)), None), Standing::Gone);
        assert_eq!(standing(Some(&b), Some(Some(&b)), Some(&stopped)), Standing::Untouched);
        assert_eq!(standing(None, Some(Some(&b)), Some(&stopped)), Standing::Made);
        assert!(matches!(standing(None, Some(Some(&b)), Some(&other)), Standing::Conflict(_)));
        assert_eq!(standing(None, Some(None), Some(&b)), Standing::Untouched);
        assert!(matches!(standing(None, None, Some(&b)), Standing::Conflict(_)));
    }
}
