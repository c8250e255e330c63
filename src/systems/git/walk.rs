//! Which objects belong to a set of tips and are not stored yet.

use std::collections::HashSet;

use git2::{ObjectType, Oid};

use super::objects::{Pointer, holds, pointers};

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walked {
    /// Objects to copy.
    pub needed: Vec<Oid>,
    /// Objects that something points to and that are nowhere: the far side of a shallow or partial clone, or damage.
    pub absent: Vec<Oid>,
    /// The budget was used up before the end.
    pub over: bool,
}

/// Everything reachable from `tips` that `have` does not hold, read from `from`. What `have` holds is taken to be
/// there with all that it points to, so the walk ends there. At most `budget` objects are visited.
pub fn missing_in(have: &git2::Odb<'_>, from: &git2::Odb<'_>, tips: &[Oid], budget: usize) -> Walked {
    let mut walked = Walked::default();
    let mut seen: HashSet<Oid> = HashSet::new();
    let mut todo: Vec<Pointer> = tips.iter().map(|id| (*id, None)).collect();
    while let Some((id, kind)) = todo.pop() {
        if !seen.insert(id) || holds(have, id) {
            continue;
        }
        if walked.needed.len() >= budget {
            walked.over = true;
            return walked;
        }
        if kind == Some(ObjectType::Blob) {
            // A miss makes libgit2 look for new packs: in a partial clone there may be thousands of them.
            if holds(from, id) || (walked.absent.len() < 16 && from.exists(id)) {
                walked.needed.push(id);
            } else {
                walked.absent.push(id);
            }
            continue;
        }
        match from.read(id) {
            Ok(object) => {
                walked.needed.push(id);
                todo.extend(pointers(object.kind(), object.data()));
            }
            Err(_) => walked.absent.push(id),
        }
    }
    walked
}
