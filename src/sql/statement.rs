//! One statement, told by its first words.

use super::split::Token;
use super::{Act, Dialect, Name, Touch, define, rows};
use crate::model::{EffectClass as C, Reversibility as R};

/// Statements that change nothing that lasts.
const HARMLESS: &[&str] = &[
    "SHOW",
    "DECLARE",
    "FETCH",
    "MOVE",
    "CLOSE",
    "LISTEN",
    "UNLISTEN",
    "NOTIFY",
    "CHECKPOINT",
    "DISCARD",
    "PREPARE",
    "DEALLOCATE",
    "LOCK",
    "UNLOCK",
    "REINDEX",
    "CLUSTER",
    "OPTIMIZE",
    "CHECK",
    "CHECKSUM",
    "REPAIR",
    "HELP",
    "HANDLER",
    "SIGNAL",
    "DETACH",
    "ATTACH",
    "RELEASE",
    "STATUS",
    "CLEAR",
    "PAGER",
    "NOPAGER",
    "TEE",
    "NOTEE",
    "WARNINGS",
    "NOWARNING",
    "CHARSET",
    "ANALYSE",
    "GO",
    "ELSE",
    "PRINT",
    "QUIT",
    "EXIT",
    "HELP",
    "CONNECT",
    "RESETCONNECTION",
];

/// What a statement does. `open`: psql puts the value of a variable into it.
pub fn read(text: &str, tokens: &[Token], open: bool, dialect: Dialect) -> Vec<Act> {
    let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
    let has = |w: &str| tokens.iter().any(|t| t.upper == w);
    let my = dialect == Dialect::MySql;
    let mut acts = match word(0) {
        "SELECT" | "VALUES" | "TABLE" | "WITH" | "(" | "DELETE" | "UPDATE" | "INSERT" | "REPLACE"
        | "MERGE" => rows::read(text, tokens, open, dialect),
        "EXPLAIN" | "DESCRIBE" | "DESC" => explain(text, tokens, open, dialect),
        // MariaDB runs what it analyses.
        "ANALYZE" if my && !matches!(word(1), "TABLE" | "LOCAL" | "NO_WRITE_TO_BINLOG") => {
            executed(text, tokens, open, dialect)
        }
        "ANALYZE" => Vec::new(),
        "DROP" | "CREATE" | "ALTER" | "TRUNCATE" | "COMMENT" | "RENAME" | "GRANT" | "REVOKE" | "REASSIGN"
        | "SECURITY" => define::read(tokens, dialect),
        "COPY" => copy(text, tokens, open, dialect),
        "LOAD" if my => {
            let table = tokens.iter().position(|t| t.upper == "TABLE").map(|i| define::name(tokens, i + 1));
            let table = table.unwrap_or_default();
            if has("REPLACE") { vec![rows::overwritten(&table)] } else { vec![Act::added(&table, None)] }
        }
        "LOAD" => vec![Act::program("a library is loaded into the server")],
        "IMPORT" => {
            vec![Act::new(C::Create, "dyn:foreign tables", R::Exact, Touch::Anything("an import".to_owned()))]
        }
        "SET" => set(tokens, dialect),
        "RESET" if my => vec![server(C::Weaken, "sql:binary-logs", R::Irreversible)],
        "PURGE" => vec![server(C::Weaken, "sql:binary-logs", R::Irreversible)],
        "FLUSH" if matches!(word(1), "PRIVILEGES" | "TABLES" | "STATUS" | "HOSTS" | "LOGS") => Vec::new(),
        "FLUSH" => vec![server(C::Mutate, "sql:server", R::Exact)],
        "KILL" => vec![server(C::Disrupt, "sql:connection", R::Irreversible)],
        "SHUTDOWN" => vec![server(C::Disrupt, "svc:mysql", R::Exact)],
        "INSTALL" | "UNINSTALL" => vec![server(C::Mutate, "sql:plugin", R::Exact)],
        "REFRESH" => {
            let name = define::name(tokens, 1);
            let touch =
                Touch::Object { kind: "view".into(), name: name.clone(), dropped: false, cascade: false };
            vec![Act::new(C::Mutate, format!("sql:view:{}", name.shown()), R::Recreate, touch)]
        }
        "PRAGMA" => pragma(tokens),
        "VACUUM" if dialect == Dialect::Sqlite && has("INTO") => {
            vec![Act::new(C::Create, "dyn:the copy of the database", R::Exact, Touch::Nothing)]
        }
        "VACUUM" | "RESET" => Vec::new(),
        "DO" | "CALL" | "EXECUTE" | "EXEC" => {
            let what = match word(0) {
                "DO" => "a DO block".to_owned(),
                verb => format!("{} {}", verb.to_lowercase(), define::name(tokens, 1).shown()),
            };
            vec![Act::anything(&what)]
        }
        "SOURCE" if my => vec![Act::script(text.get(6..).unwrap_or_default().trim())],
        "SYSTEM" if my => vec![Act::program(text.get(6..).unwrap_or_default().trim())],
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "END" | "SAVEPOINT" | "ABORT" => Vec::new(),
        "USE" => Vec::new(),
        w if HARMLESS.contains(&w) => Vec::new(),
        _ => vec![Act::anything("a statement that is not understood")],
    };
    if open {
        acts.iter_mut().for_each(|act| act.certain = false);
    }
    acts
}

fn server(class: C, what: &str, reversibility: R) -> Act {
    Act::new(class, what, reversibility, Touch::Server)
}

/// Only `ANALYZE` executes.
fn explain(text: &str, tokens: &[Token], open: bool, dialect: Dialect) -> Vec<Act> {
    let at = tokens.iter().position(|t| matches!(t.upper.as_str(), "ANALYZE" | "ANALYSE"));
    let verb =
        tokens.iter().position(|t| rows::is_verb(&t.upper) || t.upper == "SELECT" || t.upper == "EXECUTE");
    let off =
        at.and_then(|i| tokens.get(i + 1)).is_some_and(|t| matches!(t.upper.as_str(), "FALSE" | "OFF" | "0"));
    match (at, verb) {
        (Some(at), verb) if verb.is_none_or(|verb| at < verb) && !off => {
            executed(text, tokens, open, dialect)
        }
        _ => Vec::new(),
    }
}

/// The statement behind `EXPLAIN ANALYZE`: named as its rows, for the plan is what was asked for.
fn executed(text: &str, tokens: &[Token], open: bool, dialect: Dialect) -> Vec<Act> {
    let begins = |t: &Token| {
        rows::is_verb(&t.upper)
            || matches!(
                t.upper.as_str(),
                "SELECT" | "WITH" | "CREATE" | "EXECUTE" | "REFRESH" | "VALUES" | "TABLE"
            )
    };
    let Some(start) = tokens.iter().position(begins) else {
        return vec![Act::anything("what EXPLAIN ANALYZE runs")];
    };
    let from = tokens.get(start).map_or(0, |t| t.at);
    let rest: Vec<Token> =
        tokens.iter().skip(start).map(|t| Token { at: t.at - from, ..t.clone() }).collect();
    let mut acts = read(text.get(from..).unwrap_or_default(), &rest, open, dialect);
    acts.iter_mut().for_each(|act| act.resource = act.resource.replacen("sql:table:", "sql:", 1));
    acts
}

/// `COPY … FROM` adds rows, `COPY (query) TO` runs a query, programs and files are the server's.
fn copy(text: &str, tokens: &[Token], open: bool, dialect: Dialect) -> Vec<Act> {
    let mut acts = Vec::new();
    let is = |at: usize, w: &str| tokens.get(at).is_some_and(|t| t.upper == w);
    if tokens.iter().any(|t| t.upper == "PROGRAM") {
        acts.push(Act::program("a program on the server"));
    }
    if is(1, "(") {
        if let Some(end) = tokens.iter().rposition(|t| t.upper == "TO") {
            let (from, to) = (tokens.get(2).map_or(0, |t| t.at), tokens.get(end).map_or(0, |t| t.at));
            let query = text.get(from..to).unwrap_or_default().trim().trim_end_matches(')');
            let inner: Vec<Token> = tokens
                .iter()
                .take(end.saturating_sub(1))
                .skip(2)
                .map(|t| Token { at: t.at - from, ..t.clone() })
                .collect();
            acts.extend(rows::read(query, &inner, open, dialect));
        }
        return acts;
    }
    if tokens.iter().any(|t| t.upper == "FROM") {
        acts.push(Act::added(&define::name(tokens, 1), None));
    } else if let Some(to) = tokens.iter().position(|t| t.upper == "TO")
        && !is(to + 1, "STDOUT")
        && !is(to + 1, "PROGRAM")
    {
        acts.push(Act::new(C::Create, "dyn:a file of the server", R::Irreversible, Touch::Nothing));
    }
    acts
}

fn set(tokens: &[Token], dialect: Dialect) -> Vec<Act> {
    let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
    let my = dialect == Dialect::MySql;
    if my && word(1) == "PASSWORD" {
        return vec![server(C::Access, "sql:user:password", R::Irreversible)];
    }
    if my && (matches!(word(1), "GLOBAL" | "PERSIST") || (word(1) == "@" && word(3) == "GLOBAL")) {
        let name = if word(1) == "@" { word(5) } else { word(2) };
        return vec![server(C::Mutate, &format!("sql:setting:{}", name.to_lowercase()), R::Exact)];
    }
    Vec::new()
}

/// Most only ask; these three are stored in the file.
fn pragma(tokens: &[Token]) -> Vec<Act> {
    let sets = tokens.iter().any(|t| t.upper == "=" || t.upper == "(");
    let stored = ["USER_VERSION", "APPLICATION_ID", "WRITABLE_SCHEMA", "ENCODING", "SCHEMA_VERSION"];
    let name = tokens.iter().find(|t| stored.contains(&t.upper.as_str()));
    match name.filter(|_| sets) {
        Some(name) => {
            let why = Touch::Anything("a setting of the database".to_owned());
            vec![Act::new(C::Mutate, format!("sql:pragma:{}", name.text.to_lowercase()), R::Exact, why)]
        }
        None => Vec::new(),
    }
}

/// An object that is changed in what it is.
pub fn object(class: C, kind: &str, name: &Name, reversibility: R, dropped: bool, cascade: bool) -> Act {
    let touch = Touch::Object { kind: kind.to_owned(), name: name.clone(), dropped, cascade };
    Act::new(class, format!("sql:{kind}:{}", name.shown()), reversibility, touch)
}
