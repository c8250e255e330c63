//! Texts of queries: literals, lists, and the rows that a recorded table's view covers.

use crate::systems::tables::{Relation, Select, fields, unescape};

/// How tables are selected from.
pub struct Queries;

impl Select for Queries {
    fn from(&self, relation: &Relation) -> String {
        from(relation)
    }
    fn columns(&self, relation: &Relation, of: &str) -> String {
        columns(relation, of)
    }
}

/// As it is written after `FROM`: what inherits from a table is another table.
fn from(relation: &Relation) -> String {
    if relation.kind == 'r' { format!("ONLY {}", relation.name) } else { relation.name.clone() }
}

/// A string literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name in quotes.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Columns of a table that is called `of`, the transaction that wrote the row before them.
pub fn columns(relation: &Relation, of: &str) -> String {
    let writer = match relation.kind {
        'r' | 'p' | 'm' => format!("{of}.xmin"),
        _ => "NULL".to_owned(),
    };
    let names = relation.columns.iter().map(|column| format!("{of}.{}", ident(&column.name)));
    std::iter::once(writer).chain(names).collect::<Vec<_>>().join(", ")
}

/// All rows of a table.
pub fn all(relation: &Relation) -> String {
    format!("SELECT {} FROM {} AS t", columns(relation, "t"), from(relation))
}

/// Rows written at or after a moment.
pub fn since(relation: &Relation, moment: &str) -> String {
    // xmin wraps around; a difference in 32 bits that is not negative is later.
    format!(
        "SELECT {} FROM {} AS t WHERE (((t.xmin::text::bigint - {moment}::bigint) % 4294967296) + 4294967296) % 4294967296 < 2147483648",
        columns(relation, "t"),
        from(relation)
    )
}

/// The rows with these keys.
pub fn with_keys<'k>(relation: &Relation, keys: impl Iterator<Item = &'k [u8]>) -> String {
    let mut lists: Vec<String> = vec![String::new(); relation.key.len()];
    for key in keys {
        for (list, field) in lists.iter_mut().zip(fields(key)) {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&element(field));
        }
    }
    let names: Vec<String> = (0..lists.len()).map(|i| format!("k{i}")).collect();
    let arrays = lists.iter().zip(&relation.key).map(|(list, column)| {
        let of = relation.columns.get(*column).map(|c| c.of.as_str()).unwrap_or("text");
        format!("{}::{of}[]", literal(&format!("{{{list}}}")))
    });
    let arrays: Vec<String> = arrays.collect();
    let same = relation.key.iter().zip(&names).map(|(column, name)| {
        let column = relation.columns.get(*column).map(|c| ident(&c.name)).unwrap_or_default();
        format!("t.{column} = k.{name}")
    });
    let same: Vec<String> = same.collect();
    format!(
        "SELECT {} FROM {} AS t JOIN ROWS FROM (unnest({})) AS k({}) ON {}",
        columns(relation, "t"),
        from(relation),
        arrays.join(", "),
        names.join(", "),
        same.join(" AND ")
    )
}

/// A value inside an array literal.
fn element(field: &[u8]) -> String {
    match unescape(field) {
        None => "NULL".to_owned(),
        Some(value) => {
            let text = String::from_utf8_lossy(&value);
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
    }
}
