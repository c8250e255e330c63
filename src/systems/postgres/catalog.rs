//! What the server's catalog says of tables: columns, keys, who refers to whom, what depends on what.

use std::collections::{BTreeMap, BTreeSet};

use super::query::literal;
use super::session::{Psql, Values};
use crate::error::{Error, Result};
use crate::systems::tables::{Column, Number, Reference, Relation};

/// What names stand for: a number, a kind, the full name; `None` where there is nothing of that name.
pub type Found = BTreeMap<String, Option<(Number, char, String)>>;

fn text(row: &Values, at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

fn number<T: std::str::FromStr + Default>(row: &Values, at: usize) -> T {
    text(row, at).parse().unwrap_or_default()
}

fn letter(row: &Values, at: usize) -> char {
    text(row, at).chars().next().unwrap_or(' ')
}

/// The numbers behind names, as the session's search path finds them; `None` where there is none.
pub fn resolve(psql: &mut Psql, names: &BTreeSet<String>) -> Result<Found> {
    let mut out = BTreeMap::new();
    if names.is_empty() {
        return Ok(out);
    }
    let list: Vec<String> = names.iter().map(|n| format!("({})", literal(n))).collect();
    let query = format!(
        "SELECT v.t, c.oid, c.relkind, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) \
         FROM (VALUES {}) v(t) LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(v.t) \
         LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace",
        list.join(", ")
    );
    for row in psql.table(&query)? {
        let found = row.get(1).cloned().flatten().map(|_| (number(&row, 1), letter(&row, 2), text(&row, 3)));
        out.insert(text(&row, 0), found);
    }
    Ok(out)
}

/// The full name that a table gets that is not there yet, written as those of others are.
pub fn new_name(psql: &mut Psql, parts: &[String]) -> Result<String> {
    let mut parts = parts.iter().rev();
    let name = literal(parts.next().map_or("", String::as_str));
    let schema =
        parts.next().map_or_else(|| "pg_catalog.current_schema()".to_owned(), |schema| literal(schema));
    let query = format!("SELECT pg_catalog.quote_ident({schema}) || '.' || pg_catalog.quote_ident({name})");
    Ok(psql.table(&query)?.first().map(|row| text(row, 0)).unwrap_or_default())
}

fn listed(oids: &BTreeSet<Number>) -> String {
    oids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The tables of these numbers.
pub fn relations(psql: &mut Psql, oids: &BTreeSet<Number>) -> Result<BTreeMap<Number, Relation>> {
    let mut out = BTreeMap::new();
    if oids.is_empty() {
        return Ok(out);
    }
    let of = listed(oids);
    let query = format!(
        "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relname, c.relkind, \
         pg_catalog.pg_table_size(c.oid), a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), \
         a.attgenerated <> '', a.attidentity = 'a', a.attnum, \
         (SELECT pg_catalog.array_to_string(i.indkey, ' ') FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid \
          AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL \
          AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute k WHERE k.attrelid = c.oid AND k.attnum = ANY (i.indkey) AND NOT k.attnotnull) \
          ORDER BY i.indisprimary DESC, i.indnatts, i.indexrelid LIMIT 1) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.oid IN ({of}) ORDER BY c.oid, a.attnum"
    );
    let mut numbers: BTreeMap<Number, Vec<String>> = BTreeMap::new();
    let mut keys: BTreeMap<Number, String> = BTreeMap::new();
    for row in psql.table(&query)? {
        let oid = number(&row, 0);
        let relation = out.entry(oid).or_insert_with(|| Relation {
            number: oid,
            name: text(&row, 1),
            bare: super::query::ident(&text(&row, 2)),
            kind: letter(&row, 3),
            bytes: number(&row, 4),
            columns: Vec::new(),
            key: Vec::new(),
        });
        if row.get(5).cloned().flatten().is_some() {
            let column = Column {
                name: text(&row, 5),
                of: text(&row, 6),
                computed: letter(&row, 7) == 't',
                fixed: letter(&row, 8) == 't',
            };
            relation.columns.push(column);
            numbers.entry(oid).or_default().push(text(&row, 9));
            keys.insert(oid, text(&row, 10));
        }
    }
    for (oid, relation) in &mut out {
        let all = numbers.get(oid).cloned().unwrap_or_default();
        let key = keys.get(oid).cloned().unwrap_or_default();
        relation.key = key.split_whitespace().filter_map(|n| all.iter().position(|a| a == n)).collect();
    }
    Ok(out)
}

/// All foreign keys.
pub fn references(psql: &mut Psql) -> Result<Vec<Reference>> {
    let names = |of: &str, key: &str, quote: &str| {
        format!(
            "(SELECT pg_catalog.string_agg({quote}(a.attname), E'\\x01' ORDER BY k.i) FROM pg_catalog.unnest({key}) WITH ORDINALITY k(n, i) \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = {of} AND a.attnum = k.n)"
        )
    };
    let quoted = "pg_catalog.quote_ident";
    let query = format!(
        "SELECT f.conrelid, f.confrelid, f.confdeltype, f.confupdtype, {}, {}, {}, \
         pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) \
         FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = f.conrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE f.contype = 'f' AND f.conparentid = 0",
        names("f.conrelid", "f.conkey", quoted),
        names("f.confrelid", "f.confkey", quoted),
        names("f.confrelid", "f.confkey", "")
    );
    let split = |row: &Values, at: usize| text(row, at).split('\u{1}').map(str::to_owned).collect::<Vec<_>>();
    let read = |row: &Values| Reference {
        child: number(row, 0),
        parent: number(row, 1),
        on_delete: letter(row, 2),
        on_update: letter(row, 3),
        from: split(row, 4),
        to: split(row, 5),
        to_plain: split(row, 6),
        child_name: text(row, 7),
    };
    Ok(psql.table(&query)?.iter().map(read).collect())
}

/// The tables that inherit from these, at any depth; partitions are read through their parent.
pub fn heirs(psql: &mut Psql, oids: &BTreeSet<Number>) -> Result<BTreeSet<Number>> {
    if oids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let query = format!(
        "WITH RECURSIVE h(oid) AS (SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent IN ({0}) \
         UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN h ON h.oid = i.inhparent) \
         SELECT h.oid FROM h JOIN pg_catalog.pg_class c ON c.oid = h.oid WHERE NOT c.relispartition AND c.relkind IN ('r', 'f')",
        listed(oids)
    );
    Ok(psql.table(&query)?.iter().map(|row| number(row, 0)).collect())
}

/// The tables that lose rows or columns when an object is dropped with what depends on it (`pg_depend`).
pub fn dependents(psql: &mut Psql, roots: &[(&str, String)]) -> Result<BTreeSet<Number>> {
    let root = |(kind, name): &(&str, String)| {
        let (class, by) = match *kind {
            "schema" => (
                "pg_namespace",
                format!("(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = {})", literal(name)),
            ),
            "collation" => ("pg_collation", format!("pg_catalog.to_regcollation({})::oid", literal(name))),
            "type" | "domain" => ("pg_type", format!("pg_catalog.to_regtype({})::oid", literal(name))),
            "extension" => (
                "pg_extension",
                format!("(SELECT oid FROM pg_catalog.pg_extension WHERE extname = {})", literal(name)),
            ),
            "function" | "procedure" | "aggregate" => {
                ("pg_proc", format!("pg_catalog.to_regproc({})::oid", literal(name)))
            }
            _ => ("pg_class", format!("pg_catalog.to_regclass({})::oid", literal(name))),
        };
        format!("SELECT 'pg_catalog.{class}'::regclass::oid, {by}, 0")
    };
    if roots.is_empty() {
        return Ok(BTreeSet::new());
    }
    let roots: Vec<String> = roots.iter().map(root).collect();
    let query = format!(
        "WITH RECURSIVE gone(c, o, s) AS ({} UNION SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d JOIN gone g \
         ON d.refclassid = g.c AND d.refobjid = g.o AND (g.s = 0 OR d.refobjsubid = g.s) WHERE d.deptype IN ('n', 'a', 'i', 'e', 'P', 'S')) \
         SELECT DISTINCT k.oid FROM gone g JOIN pg_catalog.pg_class k ON k.oid = g.o AND g.c = 'pg_catalog.pg_class'::regclass \
         WHERE k.relkind IN ('r', 'p') AND NOT k.relispartition",
        roots.join(" UNION ALL ")
    );
    Ok(psql.table(&query)?.iter().map(|row| number(row, 0)).collect())
}

/// All tables that are not the server's own, with their sizes.
pub fn everything(psql: &mut Psql) -> Result<BTreeMap<Number, u64>> {
    let query = "SELECT c.oid, pg_catalog.pg_table_size(c.oid) FROM pg_catalog.pg_class c \
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') \
                 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't' AND NOT EXISTS \
                 (SELECT 1 FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid AND p.relkind = 'p')";
    Ok(psql.table(query)?.iter().map(|row| (number(row, 0), number(row, 1))).collect())
}

/// The counters of a schema.
pub fn sequences_of(psql: &mut Psql, schema: &str) -> Result<BTreeSet<Number>> {
    let query = format!(
        "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'S' AND n.nspname = {}",
        literal(schema)
    );
    Ok(psql.table(&query)?.iter().map(|row| number(row, 0)).collect())
}

/// The counters that belong to tables, and those that are named, with their values.
pub fn sequences(
    psql: &mut Psql,
    tables: &BTreeSet<Number>,
    named: &BTreeSet<Number>,
) -> Result<BTreeMap<String, (i64, bool)>> {
    let mut out = BTreeMap::new();
    if tables.is_empty() && named.is_empty() {
        return Ok(out);
    }
    let in_list = |oids: &BTreeSet<Number>| if oids.is_empty() { "0".to_owned() } else { listed(oids) };
    let query = format!(
        "SELECT DISTINCT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_depend d ON d.objid = c.oid \
         AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') \
         WHERE c.relkind = 'S' AND (d.refobjid IN ({}) OR c.oid IN ({}))",
        in_list(tables),
        in_list(named)
    );
    let names: Vec<String> = psql.table(&query)?.iter().map(|row| text(row, 0)).collect();
    for name in names {
        out.extend(sequence(psql, &name).ok().map(|value| (name, value)));
    }
    Ok(out)
}

/// A counter's value.
pub fn sequence(psql: &mut Psql, name: &str) -> Result<(i64, bool)> {
    let rows = psql.table(&format!("SELECT last_value, is_called FROM {name}"))?;
    let row = rows.first().ok_or_else(|| Error::failure("a sequence without a value"))?;
    Ok((number(row, 0), letter(row, 1) == 't'))
}

/// Which server and database it is, as they say of themselves.
pub fn identity(psql: &mut Psql) -> Result<BTreeMap<String, String>> {
    let query = "SELECT pg_catalog.current_database(), (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()), \
                 pg_catalog.current_setting('server_version_num'), current_user, coalesce(pg_catalog.inet_server_addr()::text, ''), \
                 coalesce(pg_catalog.inet_server_port()::text, '')";
    let rows = psql.table(query)?;
    let row = rows.first().ok_or_else(|| Error::failure("the server does not say which it is"))?;
    let names = ["database", "database-id", "version", "user", "address", "port"];
    let mut out: BTreeMap<String, String> =
        names.iter().enumerate().map(|(i, n)| ((*n).to_owned(), text(row, i))).collect();
    // Not everybody may read it; then address, port and number of the database have to do.
    if let Ok(rows) = psql.table("SELECT system_identifier FROM pg_catalog.pg_control_system()")
        && let Some(row) = rows.first()
    {
        out.insert("system".to_owned(), text(row, 0));
    }
    Ok(out)
}

/// True for the same database of the same server.
pub fn is_same(recorded: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> bool {
    let same = |name: &str| recorded.get(name) == now.get(name);
    let server = match (recorded.get("system"), now.get("system")) {
        (Some(a), Some(b)) => a == b,
        _ => same("address") && same("port"),
    };
    server && same("database") && same("database-id")
}
