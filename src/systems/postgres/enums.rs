//! Types whose definition the command changed. PostgreSQL puts no old form of a type over a new one: columns hold its values.
//! Only the labels of an enumeration can be renamed back.

use super::definitions::Entry;

/// Why a type cannot be put back; `None` for what is no type, or can.
pub fn no_way(now: &Entry, old: &Entry) -> Option<&'static str> {
    match old.kind.as_str() {
        "DOMAIN" => Some("a domain is put back by hand (ALTER DOMAIN): its old form is in the store"),
        "TYPE" => match (labels(now), labels(old)) {
            (Some(new), Some(old)) if new.len() == old.len() => None,
            (Some(new), Some(old)) if new.len() > old.len() => {
                Some("PostgreSQL takes no label out of an enumeration")
            }
            _ => Some("a type is put back by hand (ALTER TYPE): its old form is in the store"),
        },
        _ => None,
    }
}

/// The statements that give an enumeration its old labels. By way of names that nobody has: two may have changed places.
pub fn renames(now: &Entry, old: &Entry) -> Vec<String> {
    let (Some(new), Some(old_labels)) = (labels(now), labels(old)) else { return Vec::new() };
    let name =
        old.text.trim_start().strip_prefix("CREATE TYPE ").and_then(|rest| rest.split(" AS ENUM").next());
    let Some(name) = name else { return Vec::new() };
    let pairs: Vec<(usize, (&str, &str))> =
        new.into_iter().zip(old_labels).enumerate().filter(|(_, (new, old))| new != old).collect();
    let rename = |from: &str, to: &str| format!("ALTER TYPE {name} RENAME VALUE {from} TO {to}");
    let away = pairs.iter().map(|(at, (new, _))| rename(new, &format!("'fr {at}'")));
    let back = pairs.iter().map(|(at, (_, old))| rename(&format!("'fr {at}'"), old));
    away.chain(back).collect()
}

/// The labels in order, as they are written.
fn labels(entry: &Entry) -> Option<Vec<&str>> {
    let (_, rest) = entry.text.split_once(" AS ENUM (")?;
    let lines = rest.split(");").next()?.lines().map(|line| line.trim().trim_end_matches(','));
    Some(lines.filter(|line| line.starts_with('\'')).collect())
}

#[cfg(test)]
mod tests {
    use super::{Entry, no_way, renames};

    fn mood(labels: &str) -> Entry {
        let text = format!("CREATE TYPE public.mood AS ENUM (\n{labels}\n);\n");
        Entry { kind: "TYPE".into(), schema: "public".into(), name: "mood".into(), text }
    }

    #[test]
    fn labels_are_renamed_and_never_taken_out() {
        let (old, new) = (mood("    'a',\n    'it''s'"), mood("    'it''s',\n    'a'"));
        assert_eq!(no_way(&new, &old), None);
        assert_eq!(
            renames(&new, &old).last().unwrap(),
            "ALTER TYPE public.mood RENAME VALUE 'fr 1' TO 'it''s'"
        );
        assert!(
            no_way(&mood("    'a',\n    'it''s',\n    'c'"), &old).unwrap().contains("takes no label out")
        );
    }
}
