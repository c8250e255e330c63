//! The definitions of all objects of a database, as `pg_dump --schema-only` writes them: a text for each, in the order in
//! which they are made. Each begins with a comment that names it (`pg_backup_archiver.c`, `_printTocEntry`).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ObjectId, ObjectKind};

/// What tells one definition from another.
pub type Key = (String, String, String);

/// One definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `TABLE`, `VIEW`, `FK CONSTRAINT`, `ACL`, …
    pub kind: String,
    /// Its schema; `-` where it has none.
    pub schema: String,
    /// Its name as the comment has it.
    pub name: String,
    /// The statements that make it.
    pub text: String,
}

impl Entry {
    /// What tells it from others.
    pub fn key(&self) -> Key {
        (self.kind.clone(), self.schema.clone(), self.name.clone())
    }

    /// It makes a partition of this table.
    pub fn attaches_to(&self, (kind, schema, name): &Key) -> bool {
        // Settings stand before the statement.
        let parent = self.text.split_once("ALTER TABLE ONLY ").map(|(_, rest)| rest);
        let parent = parent.and_then(|rest| rest.split(" ATTACH PARTITION ").next());
        kind == "TABLE"
            && parent.is_some_and(|p| p.replace('"', "") == format!("{schema}.{name}").replace('"', ""))
    }

    /// It is made when the rows are in: `pg_dump`'s section "post-data".
    pub fn is_late(&self) -> bool {
        const LATE: &[&str] = &[
            "INDEX",
            "INDEX ATTACH",
            "CONSTRAINT",
            "FK CONSTRAINT",
            "CHECK CONSTRAINT",
            "TRIGGER",
            "RULE",
            "POLICY",
            "ROW SECURITY",
            "EVENT TRIGGER",
            "PUBLICATION",
            "PUBLICATION TABLE",
            "PUBLICATION TABLES IN SCHEMA",
            "SUBSCRIPTION",
            "STATISTICS",
            "MATERIALIZED VIEW DATA",
            "DEFAULT ACL",
        ];
        LATE.contains(&self.kind.as_str())
    }

    /// For people.
    pub fn shown(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.schema == "-" || self.schema == "public" {
            format!("{kind} {}", self.name)
        } else {
            format!("{kind} {}.{}", self.schema, self.name)
        }
    }
}

/// All definitions.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// In the order in which they are made.
    pub entries: Vec<Entry>,
}

impl Definitions {
    /// Reads a dump.
    pub fn parse(dump: &str) -> Definitions {
        let mut entries: Vec<Entry> = Vec::new();
        // Settings that count from where they stand to the next one.
        let mut settings: BTreeMap<&str, String> = BTreeMap::new();
        for line in dump.lines() {
            if let Some((kind, schema, name)) = header(line) {
                let stored =
                    matches!(kind, "TABLE" | "INDEX" | "CONSTRAINT" | "MATERIALIZED VIEW" | "TABLE ATTACH");
                let text = if stored {
                    settings.values().map(|s| format!("{s}\n")).collect()
                } else {
                    String::new()
                };
                entries.push(Entry { kind: kind.into(), schema: schema.into(), name: name.into(), text });
                continue;
            }
            let setting = ["SET default_tablespace", "SET default_table_access_method"]
                .into_iter()
                .find(|s| line.starts_with(s));
            // In a stored text they stand in the definition that they count for.
            let is_own = entries
                .last()
                .is_some_and(|e| e.text.lines().all(|l| l.is_empty() || l.starts_with("SET default_")));
            if let Some(name) = setting.filter(|_| !is_own || entries.is_empty()) {
                settings.insert(name, line.to_owned());
            } else if !line.starts_with("\\restrict")
                && !line.starts_with("\\unrestrict")
                && line != "--"
                && !line.starts_with("-- PostgreSQL database dump complete")
                && let Some(entry) = entries.last_mut()
            {
                entry.text.push_str(line);
                entry.text.push('\n');
            }
        }
        for entry in &mut entries {
            entry.text = format!("{}\n", entry.text.trim());
        }
        Definitions { entries }
    }

    /// As it is stored.
    pub fn text(&self) -> String {
        let one = |e: &Entry| {
            format!(
                "--\n-- Name: {}; Type: {}; Schema: {}; Owner: -\n--\n\n{}\n",
                e.name, e.kind, e.schema, e.text
            )
        };
        self.entries.iter().map(one).collect()
    }

    /// Its identity, in whatever order.
    pub fn digest(&self) -> ObjectId {
        let mut all: Vec<String> = self.entries.iter().map(|e| format!("{:?}{}", e.key(), e.text)).collect();
        all.sort();
        ObjectId::of(ObjectKind::State, all.join("\0").as_bytes())
    }

    /// By name.
    pub fn by_key(&self) -> BTreeMap<Key, &Entry> {
        self.entries.iter().map(|e| (e.key(), e)).collect()
    }
}

/// `-- Name: users id; Type: DEFAULT; Schema: public; Owner: postgres`.
fn header(line: &str) -> Option<(&str, &str, &str)> {
    let rest = line.strip_prefix("-- Name: ").or_else(|| line.strip_prefix("-- Data for Name: "))?;
    let (name, rest) = rest.split_once("; Type: ")?;
    let (kind, rest) = rest.split_once("; Schema: ")?;
    let (schema, _) = rest.split_once("; Owner:")?;
    Some((kind, schema, name))
}

/// What differs between definitions before (B), after (A) and now (N).
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// To be made, in order.
    pub gone: Vec<Entry>,
    /// To be taken away, in the order in which they were made.
    pub made: Vec<Entry>,
    /// To be made as they were: as they are now, as they were.
    pub changed: Vec<(Entry, Entry)>,
    /// Somebody changed them since.
    pub conflicts: Vec<Entry>,
    /// How many are back.
    pub back: usize,
}

impl Difference {
    /// Compares. `after` is `None` where nobody told how the command left them.
    pub fn of(before: &Definitions, after: Option<&Definitions>, now: &Definitions) -> Difference {
        let mut out = Difference::default();
        let (n, a) = (now.by_key(), after.map(Definitions::by_key));
        let left = |key: &Key| a.as_ref().map(|a| a.get(key).map(|e| e.text.as_str()));
        for entry in &before.entries {
            let key = entry.key();
            let present = n.get(&key).map(|e| e.text.as_str());
            match (present, left(&key)) {
                (Some(text), after) if text == entry.text => {
                    out.back += usize::from(after.is_some_and(|after| after != Some(entry.text.as_str())));
                }
                (_, Some(Some(text))) if text == entry.text => {}
                (None, None | Some(None)) => out.gone.push(entry.clone()),
                (Some(text), Some(Some(left))) if text == left => {
                    out.changed.extend(n.get(&key).map(|now| ((*now).clone(), entry.clone())));
                }
                _ => out.conflicts.push(entry.clone()),
            }
        }
        let known: BTreeSet<Key> = before.entries.iter().map(Entry::key).collect();
        for entry in now.entries.iter().filter(|e| !known.contains(&e.key())) {
            match left(&entry.key()) {
                Some(Some(text)) if text == entry.text => out.made.push(entry.clone()),
                Some(Some(_)) => out.conflicts.push(entry.clone()),
                _ => {}
            }
        }
        out
    }

    /// Nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.made.is_empty() && self.changed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Definitions, Difference};

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n\nSET default_tablespace = '';\n\n\
        SET default_table_access_method = heap;\n\n--\n-- Name: a; Type: TABLE; Schema: public; Owner: x\n--\n\nCREATE TABLE public.a (\n    i integer\n);\n\n\n\
        --\n-- Name: v; Type: VIEW; Schema: public; Owner: x\n--\n\nCREATE VIEW public.v AS\n SELECT 1;\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n";

    #[test]
    fn a_dump_is_cut_into_its_definitions_and_back() {
        let parsed = Definitions::parse(DUMP);
        let keys: Vec<String> = parsed.entries.iter().map(super::Entry::shown).collect();
        assert_eq!(keys, ["table a", "view v"]);
        assert_eq!(parsed.entries[1].text, "CREATE VIEW public.v AS\n SELECT 1;\n");
        assert!(
            parsed.entries[0].text.starts_with("SET default_table_access_method = heap;\n"),
            "{}",
            parsed.entries[0].text
        );
        assert_eq!(Definitions::parse(&parsed.text()).digest(), parsed.digest());
    }

    #[test]
    fn what_others_did_is_not_taken_back() {
        let before = Definitions::parse(DUMP);
        let mut after = before.clone();
        after.entries.remove(1);
        let mut now = after.clone();
        now.entries[0].text.push_str("ALTER TABLE public.a ADD j integer;\n");
        let difference = Difference::of(&before, Some(&after), &now);
        assert_eq!(difference.gone.len(), 1);
        assert!(difference.changed.is_empty() && difference.conflicts.is_empty());
        after.entries[0].text.push_str("-- by the command\n");
        assert_eq!(Difference::of(&before, Some(&after), &now).conflicts.len(), 1);
    }
}
