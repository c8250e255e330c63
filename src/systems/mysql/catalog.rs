//! What a server says of itself: its tables, keys, foreign keys and triggers, from `information_schema`.

use std::collections::BTreeMap;

use super::session::{Client, Values};
use super::value::{ident, literal};
use crate::error::Result;
use crate::systems::tables::{Column, Number, Reference, Relation};

/// Databases of the server itself.
const OWN: &str = "('mysql', 'information_schema', 'performance_schema', 'sys')";

/// A table: its database and its name.
pub type Pair = (String, String);

/// The full name of a table, quoted.
pub fn full(pair: &Pair) -> String {
    format!("{}.{}", ident(&pair.0), ident(&pair.1))
}

/// The database and the table of a full name.
pub fn pair(full: &str) -> Pair {
    let mut parts = vec![String::new()];
    let mut chars = full.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        let doubled = inside && c == '`' && chars.peek() == Some(&'`');
        if doubled {
            chars.next();
        }
        match (c, inside) {
            ('`', _) if !doubled => inside = !inside,
            ('.', false) => parts.push(String::new()),
            (c, _) => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    let last = parts.pop().unwrap_or_default();
    (parts.pop().unwrap_or_default(), last)
}

/// A text of a row.
pub fn text(row: &Values, at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

/// Which server it is, as it says of itself.
pub fn identity(client: &mut Client) -> Result<BTreeMap<String, String>> {
    let said = client.tables(IDENTITY)?;
    Ok(identified(&said))
}

/// What tells a server. Each has a name of its own: MariaDB calls it otherwise than MySQL.
pub const IDENTITY: [&str; 2] = [
    "SELECT @@hostname, @@port, @@datadir, @@version, CURRENT_USER(), DATABASE()",
    "SHOW GLOBAL VARIABLES WHERE variable_name IN ('server_uid', 'server_uuid')",
];

/// Which server answered so.
pub fn identified([row, server]: &[Vec<Values>; 2]) -> BTreeMap<String, String> {
    let row = row.first().cloned().unwrap_or_default();
    let names = ["host", "port", "directory", "version", "user", "database"];
    let mut out: BTreeMap<String, String> =
        names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), text(&row, at))).collect();
    out.extend(server.first().map(|row| ("server".to_owned(), text(row, 1))));
    out
}

/// True for the same server.
pub fn is_same(recorded: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> bool {
    ["host", "port", "directory", "server"].iter().all(|name| recorded.get(*name) == now.get(*name))
}

/// Which of these are there: `None` for a whole database, else a table of it.
fn chosen(database: &str, table: Option<&str>, prefix: &str) -> String {
    let of = format!("{prefix}table_schema = {}", literal(database));
    match table {
        Some(table) => format!("{of} AND {prefix}table_name = {}", literal(table)),
        None => of,
    }
}

/// The tables of a database, or one of them; numbers are given from `first` on.
pub fn relations(
    client: &mut Client,
    database: &str,
    table: Option<&str>,
    first: Number,
) -> Result<BTreeMap<Pair, Relation>> {
    let query = format!(
        "SELECT table_schema, table_name, table_type, IFNULL(data_length, 0) FROM information_schema.TABLES WHERE {}",
        chosen(database, table, "")
    );
    let mut out: BTreeMap<Pair, Relation> = BTreeMap::new();
    let columns_of = columns_query(database, table);
    let [tables, columns_of, keys_of] = client.tables([&query, &columns_of, &keys_query(database, table)])?;
    for row in tables {
        let pair = (text(&row, 0), text(&row, 1));
        // Names are compared without case here: where the server tells them apart, so do we.
        if table.is_some_and(|table| table != pair.1 && !table.eq_ignore_ascii_case(&pair.1)) {
            continue;
        }
        let kind = match text(&row, 2).as_str() {
            "BASE TABLE" => 'r',
            "VIEW" | "SYSTEM VIEW" => 'v',
            "SEQUENCE" => 'S',
            _ => 'f',
        };
        let relation = Relation {
            number: first + out.len() as Number,
            name: full(&pair),
            bare: ident(&pair.1),
            kind,
            bytes: text(&row, 3).parse().unwrap_or_default(),
            columns: Vec::new(),
            key: Vec::new(),
        };
        out.insert(pair, relation);
    }
    if let Some(table) = table
        && out.len() > 1
    {
        out.retain(|pair, _| pair.1 == table);
    }
    columns(columns_of, &mut out);
    keys(keys_of, &mut out);
    Ok(out)
}

fn columns_query(database: &str, table: Option<&str>) -> String {
    format!(
        "SELECT table_schema, table_name, column_name, column_type, IFNULL(character_set_name, ''), extra \
         FROM information_schema.COLUMNS WHERE {} ORDER BY table_name, ordinal_position",
        chosen(database, table, "")
    )
}

fn columns(rows: Vec<Values>, out: &mut BTreeMap<Pair, Relation>) {
    for row in rows {
        let Some(relation) = out.get_mut(&(text(&row, 0), text(&row, 1))) else { continue };
        let set = text(&row, 4);
        let extra = text(&row, 5).to_ascii_uppercase();
        relation.columns.push(Column {
            name: text(&row, 2),
            of: if set.is_empty() { text(&row, 3) } else { format!("{} {set}", text(&row, 3)) },
            // `DEFAULT_GENERATED` of MySQL is a default like any other.
            computed: extra.contains("VIRTUAL GENERATED")
                || extra.contains("STORED GENERATED")
                || extra.contains("PERSISTENT"),
            fixed: false,
        });
    }
}

fn keys_query(database: &str, table: Option<&str>) -> String {
    format!(
        "SELECT table_schema, table_name, index_name, column_name, IFNULL(sub_part, 0), nullable \
         FROM information_schema.STATISTICS WHERE non_unique = 0 AND {} \
         ORDER BY table_name, index_name = 'PRIMARY' DESC, index_name, seq_in_index",
        chosen(database, table, "")
    )
}

/// The primary key, or another unique key of whole columns without NULLs.
fn keys(rows: Vec<Values>, out: &mut BTreeMap<Pair, Relation>) {
    let mut all: BTreeMap<Pair, Vec<(String, Vec<String>, bool)>> = BTreeMap::new();
    for row in rows {
        let of = all.entry((text(&row, 0), text(&row, 1))).or_default();
        let (name, usable) = (text(&row, 2), text(&row, 4) == "0" && text(&row, 5) != "YES");
        match of.last_mut().filter(|(last, _, _)| *last == name) {
            Some((_, columns, all_usable)) => {
                columns.push(text(&row, 3));
                *all_usable &= usable;
            }
            None => of.push((name, vec![text(&row, 3)], usable)),
        }
    }
    for (pair, keys) in all {
        let Some(relation) = out.get_mut(&pair) else { continue };
        let place = |name: &String| relation.columns.iter().position(|c| c.name == *name);
        let found = keys.iter().find(|(_, _, usable)| *usable);
        relation.key =
            found.map(|(_, names, _)| names.iter().filter_map(place).collect()).unwrap_or_default();
    }
}

/// A foreign key, by names.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The table that refers.
    pub child: Pair,
    /// The table that is referred to.
    pub parent: Pair,
    /// The columns of both.
    pub columns: Vec<(String, String)>,
    on_delete: char,
    on_update: char,
}

impl Foreign {
    /// With numbers.
    pub fn numbered(&self, child: Number, parent: Number) -> Reference {
        Reference {
            child,
            parent,
            on_delete: self.on_delete,
            on_update: self.on_update,
            from: self.columns.iter().map(|(from, _)| ident(from)).collect(),
            to: self.columns.iter().map(|(_, to)| ident(to)).collect(),
            to_plain: self.columns.iter().map(|(_, to)| to.clone()).collect(),
            child_name: full(&self.child),
        }
    }
}

/// All foreign keys. The two views are put together here: the server looks into every database of its own for that, which
/// takes ten times as long (5.5 ms and 0.6 ms on an empty MariaDB 10.11).
pub fn foreign(client: &mut Client) -> Result<Vec<Foreign>> {
    let columns = format!(
        "SELECT table_schema, table_name, constraint_name, referenced_table_schema, referenced_table_name, column_name, \
         referenced_column_name FROM information_schema.KEY_COLUMN_USAGE \
         WHERE referenced_table_name IS NOT NULL AND table_schema NOT IN {OWN} ORDER BY 1, 2, 3, ordinal_position"
    );
    let rules = format!(
        "SELECT constraint_schema, table_name, constraint_name, delete_rule, update_rule \
         FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE constraint_schema NOT IN {OWN}"
    );
    let [columns, rules] = client.tables([&columns, &rules])?;
    let key = |row: &Values| (text(row, 0), text(row, 1), text(row, 2));
    let rules: BTreeMap<_, Values> = rules.into_iter().map(|row| (key(&row), row)).collect();
    let rule = |text: String| match text.as_str() {
        "CASCADE" => 'c',
        "SET NULL" => 'n',
        "SET DEFAULT" => 'd',
        _ => 'a',
    };
    let mut out: Vec<(String, Foreign)> = Vec::new();
    for row in columns {
        let Some(ruled) = rules.get(&key(&row)) else { continue };
        let child = (text(&row, 0), text(&row, 1));
        let name = text(&row, 2);
        let column = (text(&row, 5), text(&row, 6));
        match out.last_mut().filter(|(last, f)| *last == name && f.child == child) {
            Some((_, foreign)) => foreign.columns.push(column),
            None => out.push((
                name,
                Foreign {
                    child,
                    parent: (text(&row, 3), text(&row, 4)),
                    columns: vec![column],
                    on_delete: rule(text(ruled, 3)),
                    on_update: rule(text(ruled, 4)),
                },
            )),
        }
    }
    Ok(out.into_iter().map(|(_, foreign)| foreign).collect())
}

/// The triggers of a table: name, what they fire on, their text.
pub fn triggers(client: &mut Client, pair: &Pair) -> Result<Vec<(String, String, String)>> {
    let query = format!(
        "SELECT trigger_name, event_manipulation, action_statement FROM information_schema.TRIGGERS \
         WHERE event_object_schema = {} AND event_object_table = {} ORDER BY 1",
        literal(&pair.0),
        literal(&pair.1)
    );
    Ok(client.table(&query)?.iter().map(|row| (text(row, 0), text(row, 1), text(row, 2))).collect())
}

/// The databases that are not the server's own.
pub fn databases(client: &mut Client) -> Result<Vec<String>> {
    let query = format!(
        "SELECT schema_name FROM information_schema.SCHEMATA WHERE schema_name NOT IN {OWN} ORDER BY 1"
    );
    Ok(client.table(&query)?.iter().map(|row| text(row, 0)).collect())
}

#[cfg(test)]
mod tests {
    use super::{full, pair};

    #[test]
    fn names_come_back_whatever_they_hold() {
        for (database, table) in [("shop", "users"), ("a.b", "c`d"), ("", "x y")] {
            let both = (database.to_owned(), table.to_owned());
            assert_eq!(pair(&full(&both)), both);
        }
    }
}
