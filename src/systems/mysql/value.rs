//! Values on their way out of a server and back: as hexadecimal digits of their bytes where they are text or bytes, so that no
//! character set and no escape on the way can change them; plain where they are numbers or times.

use crate::error::{Error, Result};
use crate::sql::{Dialect, quoted};
use crate::systems::tables::{Column, Relation, escape, fields, unescape};

/// How a column's values travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As UTF-8, whatever the column's character set.
    Text,
    /// As they are.
    Bytes,
    /// A number or a time that is read as it is written.
    Plain,
    /// Its shown form has fewer digits than it has.
    Float,
    /// As a number.
    Bits,
    /// As seconds since 1970: its shown form depends on the time zone.
    Stamp,
}

fn form(of: &str) -> Form {
    let base = of.split(['(', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    match base.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "decimal" | "numeric"
        | "double" | "date" | "datetime" | "time" | "year" | "uuid" | "inet4" | "inet6" => Form::Plain,
        "float" => Form::Float,
        "bit" => Form::Bits,
        "timestamp" => Form::Stamp,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "geometry" | "point"
        | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" | "vector" => Form::Bytes,
        _ => Form::Text,
    }
}

/// A name in quotes.
pub fn ident(name: &str) -> String {
    quoted(name, Dialect::MySql)
}

/// A string literal.
pub fn literal(text: &str) -> String {
    format!("_utf8mb4 X'{}'", hex(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |d: u8| char::from(DIGITS.get(usize::from(d)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// What is selected of a column. A server gives NULL for what is longer than a packet: that must not look like a NULL.
fn selected(column: &Column, of: &str) -> String {
    let name = format!("{of}.{}", ident(&column.name));
    let guarded = |value: String| format!("CASE WHEN {name} IS NULL THEN NULL ELSE IFNULL({value}, '!') END");
    match form(&column.of) {
        Form::Text => guarded(format!("HEX(CONVERT({name} USING utf8mb4))")),
        Form::Bytes => guarded(format!("HEX({name})")),
        Form::Plain => name,
        Form::Float => format!("({name} + 0e0)"),
        Form::Bits => format!("CAST({name} AS UNSIGNED)"),
        Form::Stamp => format!("UNIX_TIMESTAMP({name})"),
    }
}

/// All columns of a table that is called `of`.
pub fn columns(relation: &Relation, of: &str) -> String {
    relation.columns.iter().map(|column| selected(column, of)).collect::<Vec<_>>().join(", ")
}

/// A line of the client as a row.
pub fn row(line: &[u8], columns: &[Column]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(line.len());
    for (at, (field, column)) in fields(line).zip(columns).enumerate() {
        if at > 0 {
            out.push(b'\t');
        }
        match (field, form(&column.of)) {
            (b"NULL", _) => out.extend_from_slice(b"\\N"),
            (b"!", Form::Text | Form::Bytes) => {
                let what =
                    format!("a value of {} is longer than the server's max_allowed_packet", column.name);
                return Err(Error::failure(what));
            }
            (digits, Form::Text | Form::Bytes) => out.extend(escape(Some(&unhex(digits)))),
            (plain, _) => out.extend_from_slice(plain),
        }
    }
    Ok(out)
}

fn unhex(digits: &[u8]) -> Vec<u8> {
    let value = |d: u8| char::from(d).to_digit(16).unwrap_or_default() as u8;
    digits.chunks(2).map(|two| two.iter().fold(0u8, |all, d| (all << 4) | value(*d))).collect()
}

/// A field of a row as SQL.
pub fn sql(field: &[u8], column: &Column) -> String {
    let Some(value) = unescape(field) else { return "NULL".to_owned() };
    let plain = || String::from_utf8_lossy(&value).replace(['\'', '\\'], "");
    match form(&column.of) {
        Form::Text => format!("_utf8mb4 X'{}'", hex(&value)),
        Form::Bytes => format!("X'{}'", hex(&value)),
        Form::Plain | Form::Float => format!("'{}'", plain()),
        Form::Bits => plain(),
        // The moment that is no moment.
        Form::Stamp if plain().trim_matches(['0', '.']).is_empty() => "'0000-00-00 00:00:00'".to_owned(),
        Form::Stamp => format!("FROM_UNIXTIME({})", plain()),
    }
}

/// The condition that a row of a table called `t` has one of these keys.
pub fn with_keys<'k>(
    (columns, key): (&[Column], &[usize]),
    of: &str,
    keys: impl Iterator<Item = &'k [u8]>,
) -> String {
    let parts: Vec<&Column> = key.iter().filter_map(|at| columns.get(*at)).collect();
    let named = |column: &&Column| match form(&column.of) {
        Form::Stamp => format!("UNIX_TIMESTAMP({of}.{})", ident(&column.name)),
        Form::Float => format!("({of}.{} + 0e0)", ident(&column.name)),
        _ => format!("{of}.{}", ident(&column.name)),
    };
    let names: Vec<String> = parts.iter().map(named).collect();
    let given = |field: &[u8], column: &Column| match form(&column.of) {
        Form::Stamp | Form::Float => String::from_utf8_lossy(field).replace(['\'', '\\'], ""),
        _ => sql(field, column),
    };
    if let ([name], [column]) = (names.as_slice(), parts.as_slice()) {
        let all: Vec<String> = keys.map(|key| given(key, column)).collect();
        return format!("{name} IN ({})", all.join(", "));
    }
    let one = |key: &[u8]| {
        let same = names.iter().zip(fields(key)).zip(&parts);
        let same: Vec<String> =
            same.map(|((name, f), column)| format!("{name} = {}", given(f, column))).collect();
        format!("({})", same.join(" AND "))
    };
    keys.map(one).collect::<Vec<_>>().join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::{Column, row, sql};

    fn column(of: &str) -> Column {
        Column { name: "c".into(), of: of.into(), computed: false, fixed: false }
    }

    #[test]
    fn values_travel_as_digits_and_nulls_are_none() {
        let columns = [column("varchar(5) latin1"), column("blob"), column("int(11)"), column("text")];
        let line = row(b"C3A4095C\t00FF0A\tNULL\t", &columns).unwrap();
        assert_eq!(line, b"\xc3\xa4\\t\\\\\t\x00\xff\\n\t\\N\t");
        let back: Vec<String> =
            super::fields(&line).zip(&columns).map(|(field, column)| sql(field, column)).collect();
        assert_eq!(back, ["_utf8mb4 X'C3A4095C'", "X'00FF0A'", "NULL", "_utf8mb4 X''"]);
        assert!(row(b"!", &columns[..1]).is_err(), "what a server cannot give is no NULL");
        assert_eq!(sql(b"0.000000", &column("timestamp(6)")), "'0000-00-00 00:00:00'");
    }
}
