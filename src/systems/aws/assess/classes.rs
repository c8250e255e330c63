//! The class of an operation: the first row of `classes.tsv` that fits.

use crate::model::{EffectClass as C, Reversibility as R};

const TABLE: &str = include_str!("classes.tsv");

/// What an operation does; `None` where the table does not know its verb.
pub fn of(service: &str, op: &str) -> Option<(C, R)> {
    rows(TABLE)
        .find(|row| (row.service == "*" || row.service == service) && fits(row.op, op))
        .map(|row| (row.class, row.back))
}

struct Row<'t> {
    service: &'t str,
    op: &'t str,
    class: C,
    back: R,
}

fn rows(table: &str) -> impl Iterator<Item = Row<'_>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut columns = line.split('\t');
        let (service, op) = (columns.next()?, columns.next()?);
        Some(Row { service, op, class: class(columns.next()?)?, back: back(columns.next()?)? })
    })
}

fn class(word: &str) -> Option<C> {
    const ALL: &[C] = &[
        C::None,
        C::Create,
        C::StateOnly,
        C::Mutate,
        C::Access,
        C::Disrupt,
        C::Publish,
        C::Opaque,
        C::Weaken,
        C::Overwrite,
        C::Destroy,
    ];
    ALL.iter().copied().find(|class| class.as_str() == word)
}

fn back(word: &str) -> Option<R> {
    const ALL: &[R] =
        &[R::NotApplicable, R::Exact, R::StateOnly, R::Recreate, R::Compensating, R::Irreversible];
    ALL.iter().copied().find(|back| back.as_str() == word)
}

/// `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|front| text.strip_prefix(front)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_is_reached() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rows(TABLE).count(), lines.len(), "a row has a word that nobody knows");
        for (i, row) in rows(TABLE).enumerate() {
            let op = row.op.replace('*', "x");
            let service = if row.service == "*" { "any" } else { row.service };
            let hides =
                |other: &Row<'_>| (other.service == "*" || other.service == service) && fits(other.op, &op);
            let first = rows(TABLE).position(|other| hides(&other));
            assert_eq!(first, Some(i), "{} {} is never reached", row.service, row.op);
        }
    }

    #[test]
    fn verbs_and_exceptions() {
        assert_eq!(of("ec2", "terminate-instances"), Some((C::Destroy, R::Recreate)));
        assert_eq!(of("ec2", "describe-instances"), Some((C::None, R::NotApplicable)));
        assert_eq!(of("rds", "delete-db-snapshot"), Some((C::Weaken, R::Irreversible)));
        assert_eq!(of("sqs", "purge-queue"), Some((C::Destroy, R::Irreversible)));
        assert_eq!(of("kms", "decrypt"), Some((C::None, R::NotApplicable)));
        assert_eq!(of("ec2", "frobnicate-vpc"), None);
    }
}
