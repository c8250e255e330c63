//! Statements that define things, read by their tokens: their words are few, and what stands in their bodies does not matter.

use super::split::{Kind, Token};
use super::statement::object;
use super::{Act, Dialect, Name, Touch, alter_table};
use crate::model::{EffectClass as C, Reversibility as R};

/// Words between a verb and the name.
pub const NOISE: &[&str] = &[
    "IF",
    "EXISTS",
    "NOT",
    "ONLY",
    "CONCURRENTLY",
    "TABLE",
    "OR",
    "REPLACE",
    "UNIQUE",
    "TEMP",
    "TEMPORARY",
    "MATERIALIZED",
    "FOREIGN",
    "LOW_PRIORITY",
    "HIGH_PRIORITY",
    "DELAYED",
    "IGNORE",
    "QUICK",
    "INTO",
    "FROM",
    "RECURSIVE",
    "LOCAL",
    "CONSTRAINT",
    "EVENT",
    "VIEW",
    "DATA",
];

/// The first name from a token on.
pub fn name(tokens: &[Token], at: usize) -> Name {
    let is_noise = |t: &Token| t.kind == Kind::Word && NOISE.contains(&t.upper.as_str());
    let start = tokens.iter().enumerate().skip(at).find(|(_, t)| !is_noise(t)).map_or(at, |(i, _)| i);
    name_at(tokens, start).0
}

/// The name that begins at a token, and the token after it.
pub fn name_at(tokens: &[Token], start: usize) -> (Name, usize) {
    let mut name = Name::default();
    let mut at = start;
    while let Some(token) = tokens.get(at).filter(|t| t.kind != Kind::Mark) {
        name.parts.push((token.text.clone(), token.kind == Kind::Quoted));
        at += 1;
        // `'user'@'host'` is one name, a column of a table another.
        if tokens.get(at).is_none_or(|t| t.upper != ".") {
            break;
        }
        at += 1;
    }
    (name, at)
}

/// The names of a list; what stands in parentheses belongs to the name before it.
fn names(tokens: &[Token], from: usize) -> Vec<Name> {
    let mut out = Vec::new();
    let (mut at, mut depth, mut wanted) = (from, 0usize, true);
    while let Some(token) = tokens.get(at) {
        match token.upper.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            "," => wanted = true,
            "CASCADE" | "RESTRICT" | "RESTART" | "CONTINUE" | "ON" | "USING" if token.kind == Kind::Word => {
                break;
            }
            w if token.kind == Kind::Word && NOISE.contains(&w) => {}
            _ if wanted && token.kind != Kind::Mark => {
                let (name, next) = name_at(tokens, at);
                out.push(name);
                wanted = false;
                at = next;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    out
}

/// What such a statement does.
pub fn read(tokens: &[Token], dialect: Dialect) -> Vec<Act> {
    let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
    match word(0) {
        "DROP" => drop(tokens, dialect),
        "CREATE" => create(tokens, dialect),
        "ALTER" => alter(tokens, dialect),
        "TRUNCATE" => truncate(tokens),
        "COMMENT" | "SECURITY" => {
            let on = tokens.iter().position(|t| t.upper == "ON").unwrap_or(0);
            let kind = word(on + 1).to_lowercase();
            let mut of = name(tokens, on + 2);
            if kind == "column" && of.parts.len() > 1 {
                of.parts.pop();
            }
            let mut act = object(C::Mutate, &kind, &of, R::Exact, false, false);
            if kind == "column" {
                act.touch = comments(&of);
            }
            vec![act]
        }
        "RENAME" if word(1) == "USER" => vec![server(C::Access, "user", &name(tokens, 2))],
        "RENAME" => {
            let old = names(tokens, 1);
            let mut acts: Vec<Act> =
                old.iter().map(|n| object(C::Mutate, "table", n, R::Exact, false, false)).collect();
            let to = tokens.iter().enumerate().filter(|(_, t)| t.kind == Kind::Word && t.upper == "TO");
            acts.extend(to.map(|(at, _)| comes(&name(tokens, at + 1))));
            acts
        }
        "GRANT" | "REVOKE" => grant(tokens),
        _ => vec![Act::new(C::Access, "dyn:the objects of a role", R::Exact, Touch::Server)],
    }
}

/// A table under a new name: what it is called there belongs to no statement, but it was not there before.
pub fn comes(name: &Name) -> Act {
    Act { resource: String::new(), certain: true, ..object(C::Mutate, "table", name, R::Exact, false, false) }
}

fn comments(table: &Name) -> Touch {
    Touch::Object { kind: "comment".to_owned(), name: table.clone(), dropped: false, cascade: false }
}

fn server(class: C, kind: &str, name: &Name) -> Act {
    Act::new(class, format!("sql:{kind}:{}", name.shown()), R::Recreate, Touch::Server)
}

/// On objects the definition keeps them; memberships are the server's.
fn grant(tokens: &[Token]) -> Vec<Act> {
    let Some(on) = tokens.iter().position(|t| t.upper == "ON") else {
        return vec![Act::new(
            C::Access,
            format!("sql:{}", name(tokens, 1).shown()),
            R::Exact,
            Touch::Server,
        )];
    };
    let kinds = [
        "SCHEMA",
        "SEQUENCE",
        "FUNCTION",
        "PROCEDURE",
        "DATABASE",
        "TYPE",
        "DOMAIN",
        "LANGUAGE",
        "ALL",
        "TABLE",
    ];
    let next = tokens.get(on + 1).map(|t| t.upper.as_str()).unwrap_or_default();
    let kind = kinds.iter().find(|k| **k == next).map_or_else(|| "table".to_owned(), |k| k.to_lowercase());
    let start = on + 1 + usize::from(kinds.contains(&next) && next != "TABLE");
    let of = if kind == "all" { Name::plain("all") } else { name(tokens, start) };
    let touch = match kind.as_str() {
        "database" => Touch::Server,
        _ => Touch::Object { kind: "grant".to_owned(), name: of.clone(), dropped: false, cascade: false },
    };
    vec![Act::new(C::Access, format!("sql:{}", of.shown()), R::Exact, touch)]
}

fn truncate(tokens: &[Token]) -> Vec<Act> {
    let cascade = tokens.iter().any(|t| t.kind == Kind::Word && t.upper == "CASCADE");
    let act = |name: &Name| {
        let touch = Touch::Table { name: name.clone(), cascade };
        Act::new(C::Destroy, format!("sql:table:{}", name.shown()), R::Exact, touch)
    };
    let mut acts: Vec<Act> = names(tokens, 1).iter().map(act).collect();
    if cascade {
        acts.push(Act::new(C::Destroy, "dyn:tables with foreign keys to it", R::Exact, Touch::Nothing));
    }
    acts
}

fn is_role(kind: &str) -> bool {
    matches!(kind, "user" | "role" | "group" | "policy")
}

fn drop(tokens: &[Token], dialect: Dialect) -> Vec<Act> {
    let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
    if matches!(word(1), "TEMPORARY" | "PREPARE") {
        return Vec::new();
    }
    if word(1) == "OWNED" {
        return vec![Act::new(
            C::Destroy,
            "dyn:the objects of a role",
            R::Recreate,
            Touch::Anything("DROP OWNED".to_owned()),
        )];
    }
    let first = match (word(1), word(2)) {
        ("MATERIALIZED", _) | ("FOREIGN", "TABLE") | ("EVENT", "TRIGGER") => 2,
        ("ACCESS", "METHOD") | ("USER", "MAPPING") | ("TEXT", "SEARCH") => 2,
        ("FOREIGN", "DATA") => 3,
        ("OPERATOR", "CLASS" | "FAMILY") => 2,
        _ => 1,
    };
    let mut kind = word(first).to_lowercase();
    if dialect == Dialect::MySql && kind == "schema" {
        kind = "database".to_owned();
    }
    let cascade = tokens.iter().any(|t| t.kind == Kind::Word && t.upper == "CASCADE");
    let class = if is_role(&kind) { C::Access } else { C::Destroy };
    let mut acts: Vec<Act> = Vec::new();
    for of in names(tokens, first + 1) {
        let mut act = object(class, &kind, &of, R::Recreate, true, cascade);
        match kind.as_str() {
            "database" => act.touch = Touch::Database { name: of.last(dialect), dropped: true },
            // A foreign server of PostgreSQL is an object of the database.
            "server" if dialect == Dialect::Postgres => {}
            "user" | "role" | "group" | "tablespace" | "server" | "mapping" => act.touch = Touch::Server,
            // MySQL's `DROP INDEX i ON t`: the table's definition has it.
            "index" | "trigger" | "policy" | "rule" => {
                if let Some(on) = tokens.iter().position(|t| t.kind == Kind::Word && t.upper == "ON") {
                    act.touch = Touch::Object {
                        kind: format!("{kind} of"),
                        name: name(tokens, on + 1),
                        dropped: false,
                        cascade,
                    };
                }
            }
            _ => {}
        }
        acts.push(act);
    }
    if acts.is_empty() {
        // `DROP TABLE :name`: psql puts the name in.
        let touch = Touch::Anything(format!("which {kind} goes is not known"));
        return vec![Act::new(class, format!("dyn:{kind}"), R::Recreate, touch)];
    }
    if cascade && kind != "schema" && kind != "database" {
        acts.push(Act::new(C::Destroy, "dyn:dependent objects", R::Recreate, Touch::Nothing));
    }
    acts
}

const KINDS: &[&str] = &[
    "TABLE",
    "INDEX",
    "VIEW",
    "DATABASE",
    "SCHEMA",
    "FUNCTION",
    "PROCEDURE",
    "TRIGGER",
    "TYPE",
    "SEQUENCE",
    "EXTENSION",
    "USER",
    "ROLE",
    "GROUP",
    "POLICY",
    "DOMAIN",
    "AGGREGATE",
    "PUBLICATION",
    "SUBSCRIPTION",
    "SERVER",
    "RULE",
    "EVENT",
    "COLLATION",
    "CAST",
    "OPERATOR",
    "STATISTICS",
    "TABLESPACE",
    "LANGUAGE",
    "CONVERSION",
    "WRAPPER",
    "TRANSFORM",
    "METHOD",
    "PACKAGE",
    "CONFIGURATION",
    "DICTIONARY",
];

fn create(tokens: &[Token], dialect: Dialect) -> Vec<Act> {
    let known = |t: &Token| t.kind == Kind::Word && KINDS.contains(&t.upper.as_str());
    let Some(at) = tokens.iter().take(16).position(known) else {
        return vec![Act::anything("a CREATE that is not understood")];
    };
    let before = |w: &str| tokens.iter().take(at).any(|t| t.upper == w);
    if before("TEMP") || before("TEMPORARY") {
        return Vec::new();
    }
    let mut kind = tokens.get(at).map(|t| t.text.to_lowercase()).unwrap_or_default();
    if kind == "event" && tokens.get(at + 1).is_some_and(|t| t.upper == "TRIGGER") {
        kind = "trigger".to_owned();
    }
    if dialect == Dialect::MySql && kind == "schema" {
        kind = "database".to_owned();
    }
    let of = name(tokens, at + 1);
    let class = match kind.as_str() {
        k if is_role(k) => C::Access,
        _ if before("REPLACE") => C::Overwrite,
        _ => C::Create,
    };
    // `CREATE INDEX ON t`: the server finds a name.
    let nameless = kind == "index" && of.shown().eq_ignore_ascii_case("on");
    let of = if nameless { name(tokens, at + 2) } else { of };
    let replaces_table = kind == "table" && before("REPLACE");
    let mut act = object(class, &kind, &of, R::Exact, replaces_table, false);
    match kind.as_str() {
        "database" => act.touch = Touch::Database { name: of.last(dialect), dropped: false },
        "server" if dialect == Dialect::Postgres => {}
        "user" | "role" | "group" | "tablespace" | "server" => act.touch = Touch::Server,
        "index" | "trigger" | "policy" | "rule" => {
            if let Some(on) = tokens.iter().position(|t| t.kind == Kind::Word && t.upper == "ON") {
                let table = name(tokens, on + 1);
                act.touch =
                    Touch::Object { kind: format!("{kind} of"), name: table, dropped: false, cascade: false };
            }
        }
        _ => {}
    }
    vec![act]
}

fn alter(tokens: &[Token], dialect: Dialect) -> Vec<Act> {
    let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
    let first = if matches!(word(1), "MATERIALIZED" | "FOREIGN" | "EVENT") { 2 } else { 1 };
    let first = if word(1) == "IGNORE" { 2 } else { first };
    let kind = word(first).to_lowercase();
    let of = name(tokens, first + 1);
    match kind.as_str() {
        "user" | "role" | "group" => return vec![server(C::Access, &kind, &of)],
        "system" | "instance" => return vec![Act::new(C::Mutate, "sql:server", R::Exact, Touch::Server)],
        "database" | "tablespace" => return vec![server(C::Mutate, &kind, &of)],
        "schema" if dialect == Dialect::MySql => return vec![server(C::Mutate, "database", &of)],
        "default" => {
            let touch = Touch::Object {
                kind: "grant".to_owned(),
                name: Name::plain("default"),
                dropped: false,
                cascade: false,
            };
            return vec![Act::new(C::Access, "sql:default privileges", R::Exact, touch)];
        }
        "policy" => {
            let on = tokens
                .iter()
                .position(|t| t.upper == "ON")
                .map_or_else(Name::default, |i| name(tokens, i + 1));
            let mut act = object(C::Access, "policy", &of, R::Exact, false, false);
            act.touch =
                Touch::Object { kind: "policy of".to_owned(), name: on, dropped: false, cascade: false };
            return vec![act];
        }
        "table" => {}
        _ => return vec![object(C::Mutate, &kind, &of, R::Exact, false, false)],
    }
    alter_table::table(tokens, &of)
}
