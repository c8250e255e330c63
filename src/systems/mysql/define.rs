//! What databases define, each thing as the server itself writes it (`SHOW CREATE …`).

use super::catalog::{Pair, databases, full, text};
use super::session::Client;
use super::value::{ident, literal};
use crate::error::Result;
use crate::systems::tables::Definition;

/// Definitions, and where the counters of tables stand.
#[derive(Default)]
pub struct Defined {
    /// In the order in which they are made.
    pub all: Vec<Definition>,
    /// The next number of each table, by full name.
    pub counters: Vec<(String, i64)>,
    /// What the server does not show.
    pub hidden: Vec<String>,
}

/// All that these databases define.
pub fn definitions(client: &mut Client, of: &[String]) -> Result<Defined> {
    let mut out = Defined::default();
    let there = databases(client)?;
    for database in of.iter().filter(|database| there.contains(database)) {
        let (mut early, mut views, mut late) = (Vec::new(), Vec::new(), Vec::new());
        client.run(&format!("USE {}", ident(database)))?;
        let show = format!("SHOW CREATE DATABASE {}", ident(database));
        let own = Shown { kind: "database", at: 1, mode: None };
        out.show(client, &show, (database, database, ""), &own, &mut early)?;
        let query = format!(
            "SELECT table_name, table_type FROM information_schema.TABLES WHERE table_schema = {} \
             ORDER BY table_type = 'SEQUENCE' DESC, table_name",
            literal(database)
        );
        for row in client.table(&query)? {
            let (name, of) = (text(&row, 0), text(&row, 1));
            let (kind, into) = match of.as_str() {
                "SEQUENCE" => ("sequence", &mut early),
                "VIEW" => ("view", &mut views),
                _ => ("table", &mut early),
            };
            let pair: Pair = (database.clone(), name.clone());
            let show = format!("SHOW CREATE {} {}", kind.to_uppercase(), full(&pair));
            out.show(client, &show, (database, &name, &name), &Shown { kind, at: 1, mode: None }, into)?;
        }
        let query = format!(
            "SELECT routine_name, routine_type FROM information_schema.ROUTINES WHERE routine_schema = {} \
             AND routine_type IN ('FUNCTION', 'PROCEDURE') ORDER BY routine_type, routine_name",
            literal(database)
        );
        for row in client.table(&query)? {
            let name = text(&row, 0);
            let kind = if text(&row, 1) == "FUNCTION" { "function" } else { "procedure" };
            let show =
                format!("SHOW CREATE {} {}", kind.to_uppercase(), full(&(database.clone(), name.clone())));
            out.show(
                client,
                &show,
                (database, &name, ""),
                &Shown { kind, at: 2, mode: Some(1) },
                &mut early,
            )?;
        }
        let query = format!(
            "SELECT trigger_name, event_object_table FROM information_schema.TRIGGERS WHERE trigger_schema = {} \
             ORDER BY event_object_table, action_timing, event_manipulation, action_order",
            literal(database)
        );
        for row in client.table(&query)? {
            let (name, table) = (text(&row, 0), text(&row, 1));
            let show = format!("SHOW CREATE TRIGGER {}", full(&(database.clone(), name.clone())));
            let shown = Shown { kind: "trigger", at: 2, mode: Some(1) };
            out.show(client, &show, (database, &name, &table), &shown, &mut late)?;
        }
        let query = format!(
            "SELECT event_name FROM information_schema.EVENTS WHERE event_schema = {} ORDER BY 1",
            literal(database)
        );
        for row in client.table(&query)? {
            let name = text(&row, 0);
            let show = format!("SHOW CREATE EVENT {}", full(&(database.clone(), name.clone())));
            out.show(
                client,
                &show,
                (database, &name, ""),
                &Shown { kind: "event", at: 3, mode: Some(1) },
                &mut late,
            )?;
        }
        out.all.extend(early);
        out.all.extend(in_order(views));
        out.all.extend(late);
    }
    Ok(out)
}

/// What a `SHOW CREATE` answers.
struct Shown<'a> {
    kind: &'a str,
    at: usize,
    mode: Option<usize>,
}

impl Defined {
    fn show(
        &mut self,
        client: &mut Client,
        query: &str,
        (database, name, table): (&str, &str, &str),
        shown: &Shown<'_>,
        into: &mut Vec<Definition>,
    ) -> Result<()> {
        let own = |name: &str| match shown.kind {
            "database" => ident(name),
            _ => full(&(database.to_owned(), name.to_owned())),
        };
        // Without the right to see a body the server gives NULL.
        let row = client.table(query).ok().and_then(|rows| rows.into_iter().next());
        let Some((row, sql)) = row.and_then(|row| row.get(shown.at).cloned().flatten().map(|sql| (row, sql)))
        else {
            self.hidden.push(format!("{} {}", shown.kind, own(name)));
            return Ok(());
        };
        let (sql, counter) = without_counter(&sql);
        if shown.kind == "table" {
            self.counters.extend(counter.map(|counter| (own(name), counter)));
        }
        into.push(Definition {
            kind: shown.kind.to_owned(),
            name: own(name),
            table: if table.is_empty() { String::new() } else { own(table) },
            sql,
            within: if shown.kind == "database" { String::new() } else { database.to_owned() },
            mode: match (shown.mode.map(|at| text(&row, at)), shown.kind) {
                // It runs by the clock of a zone.
                (Some(mode), "event") => format!("{mode}\n{}", text(&row, 2)),
                (mode, _) => mode.unwrap_or_default(),
            },
        });
        Ok(())
    }
}

/// The number that a table gives next.
pub fn counter(client: &mut Client, table: &str) -> Result<Option<i64>> {
    Ok(without_counter(&shown(client, table)?).1)
}

/// The text of a table.
pub fn table(client: &mut Client, name: &str) -> Result<String> {
    Ok(without_counter(&shown(client, name)?).0)
}

fn shown(client: &mut Client, table: &str) -> Result<String> {
    let row = client.table(&format!("SHOW CREATE TABLE {table}"))?.into_iter().next().unwrap_or_default();
    Ok(text(&row, 1))
}

/// The text of a table without the number that it gives next: that goes on by itself.
fn without_counter(sql: &str) -> (String, Option<i64>) {
    const WORD: &str = " AUTO_INCREMENT=";
    let tail = sql.rfind("\n)").unwrap_or(0);
    let Some(at) = sql.get(tail..).and_then(|rest| rest.find(WORD)).map(|at| tail + at) else {
        return (sql.to_owned(), None);
    };
    let rest = sql.get(at + WORD.len()..).unwrap_or_default();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let text =
        format!("{}{}", sql.get(..at).unwrap_or_default(), rest.get(digits.len()..).unwrap_or_default());
    (text, digits.parse().ok())
}

/// A view comes behind those that its text names.
fn in_order(mut left: Vec<Definition>) -> Vec<Definition> {
    let mut out = Vec::new();
    while !left.is_empty() {
        let bare = |d: &Definition| d.name.rsplit('.').next().unwrap_or_default().to_owned();
        let waits =
            |d: &Definition| left.iter().any(|other| other.name != d.name && d.sql.contains(&bare(other)));
        let at = left.iter().position(|d| !waits(d)).unwrap_or(0);
        out.push(left.remove(at));
    }
    out
}

/// A table's text: what stands before, in and behind the parentheses.
struct Parts<'a> {
    head: &'a str,
    columns: Vec<&'a str>,
    keys: Vec<&'a str>,
    tail: &'a str,
}

fn parts(sql: &str) -> Option<Parts<'_>> {
    let (head, rest) = sql.split_once('\n')?;
    let (inner, tail) = rest.rsplit_once("\n)")?;
    let lines = inner.lines().map(|line| line.trim().trim_end_matches(','));
    let is_key = |line: &&str| {
        ["PRIMARY KEY", "UNIQUE KEY", "KEY ", "FULLTEXT KEY", "SPATIAL KEY", "CONSTRAINT "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let (keys, columns) = lines.partition(is_key);
    Some(Parts { head, columns, keys, tail })
}

/// The clauses of an `ALTER TABLE` that makes the old text of the present one; `None` where more than keys and constraints
/// differ.
pub fn keys_only(old: &str, now: &str) -> Option<Vec<String>> {
    let (old, now) = (parts(old)?, parts(now)?);
    if (old.head, &old.columns, old.tail) != (now.head, &now.columns, now.tail) {
        return None;
    }
    let gone = now.keys.iter().filter(|key| !old.keys.contains(key));
    let drops: Option<Vec<String>> = gone.map(|key| dropped(key)).collect();
    let adds = old.keys.iter().filter(|key| !now.keys.contains(key)).map(|key| format!("ADD {key}"));
    Some(drops?.into_iter().chain(adds).collect())
}

fn dropped(key: &str) -> Option<String> {
    if key.starts_with("PRIMARY KEY") {
        return Some("DROP PRIMARY KEY".to_owned());
    }
    let start = key.find('`')?;
    let end = start + 1 + key.get(start + 1..)?.find('`')?;
    let name = key.get(start..=end)?;
    Some(match key.strip_prefix("CONSTRAINT ") {
        Some(rest) if rest.contains("FOREIGN KEY") => format!("DROP FOREIGN KEY {name}"),
        Some(_) => format!("DROP CONSTRAINT {name}"),
        None => format!("DROP KEY {name}"),
    })
}

/// The text that makes the table under another name; `without_foreign`: its foreign keys are left out and given back, since
/// their names are taken while the table is there.
pub fn renamed(sql: &str, name: &str, without_foreign: bool) -> Option<(String, Vec<String>)> {
    let all = parts(sql)?;
    let is_foreign = |key: &&&str| key.starts_with("CONSTRAINT ") && key.contains(" FOREIGN KEY ");
    let foreign: Vec<String> = all
        .keys
        .iter()
        .filter(is_foreign)
        .filter(|_| without_foreign)
        .map(|key| format!("ADD {key}"))
        .collect();
    let kept = all.keys.iter().filter(|key| !(without_foreign && is_foreign(key)));
    let lines: Vec<&str> = all.columns.iter().chain(kept).copied().collect();
    let head = all.head.split('`').next().unwrap_or("CREATE TABLE ");
    Some((format!("{head}{name} (\n  {}\n){}", lines.join(",\n  "), all.tail), foreign))
}

#[cfg(test)]
mod tests {
    use super::{keys_only, renamed, without_counter};

    const T: &str = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `a` int(11) DEFAULT NULL,\n  PRIMARY KEY (`id`),\n  \
        KEY `k` (`a`),\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `u` (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4";

    #[test]
    fn counters_and_keys_are_told_from_columns() {
        let (plain, counter) = without_counter(T);
        assert_eq!((counter, plain.contains("AUTO_INCREMENT=")), (Some(7), false));
        let now = plain.replace("  KEY `k` (`a`),\n", "  UNIQUE KEY `n` (`a`),\n");
        let clauses = keys_only(&plain, &now).unwrap();
        assert_eq!(clauses, ["DROP KEY `n`", "ADD KEY `k` (`a`)"]);
        assert!(keys_only(&plain, &plain.replace("`a` int(11)", "`a` bigint(20)")).is_none());
        let (made, foreign) = renamed(&plain, "`x`.`tmp`", true).unwrap();
        assert!(made.starts_with("CREATE TABLE `x`.`tmp` (\n  `id` int(11)"), "{made}");
        assert!(
            !made.contains("FOREIGN") && made.ends_with("\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"),
            "{made}"
        );
        assert_eq!(foreign, ["ADD CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `u` (`id`)"]);
    }
}
