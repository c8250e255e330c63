//! Databases: statements are told apart by their leading keywords, with strings and comments skipped.

use crate::model::{EffectClass as C, Reversibility as R, Stdin, Word};
use crate::systems::words::{Reader, Takes, Words};

/// A token of a statement: a word in upper case with its text as written, or a punctuation mark.
#[derive(Clone, Debug)]
struct Token {
    upper: String,
    text: String,
}

/// Statements as token lists; comments, strings and dollar quotes are passed over.
fn tokenize(sql: &str) -> Vec<Vec<Token>> {
    let mut out: Vec<Vec<Token>> = vec![Vec::new()];
    let chars: Vec<char> = sql.chars().collect();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        match c {
            '-' if next == Some('-') => at = find(&chars, at, '\n'),
            '#' => at = find(&chars, at, '\n'),
            '/' if next == Some('*') => {
                at += 2;
                while at < chars.len() && !(chars.get(at) == Some(&'*') && chars.get(at + 1) == Some(&'/')) {
                    at += 1;
                }
                at += 2;
            }
            '\'' => {
                at += 1;
                while let Some(&s) = chars.get(at) {
                    if s == '\'' && chars.get(at + 1) != Some(&'\'') {
                        break;
                    }
                    at += if s == '\'' { 2 } else { 1 };
                }
                at += 1;
                push(&mut out, "''".to_owned());
            }
            '$' if matches!(next, Some(n) if n == '$' || n.is_alphabetic()) => {
                let end = find(&chars, at + 1, '$');
                let tag: String = chars
                    .get(at..=end.min(chars.len().saturating_sub(1)))
                    .unwrap_or_default()
                    .iter()
                    .collect();
                let rest: String = chars.get(end + 1..).unwrap_or_default().iter().collect();
                at = match rest.find(&tag) {
                    Some(i) => {
                        end + 1 + rest.get(..i).unwrap_or_default().chars().count() + tag.chars().count()
                    }
                    None => end + 1,
                };
                push(&mut out, "''".to_owned());
            }
            '"' | '`' | '[' => {
                let end = find(&chars, at + 1, if c == '[' { ']' } else { c });
                let text: String =
                    chars.get(at + 1..end.min(chars.len())).unwrap_or_default().iter().collect();
                push(&mut out, text);
                at = end + 1;
            }
            ';' => {
                out.push(Vec::new());
                at += 1;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut text = String::new();
                while let Some(&w) =
                    chars.get(at).filter(|w| w.is_alphanumeric() || matches!(w, '_' | '.' | '$'))
                {
                    text.push(w);
                    at += 1;
                }
                push(&mut out, text);
            }
            c if c.is_whitespace() => at += 1,
            c => {
                push(&mut out, c.to_string());
                at += 1;
            }
        }
    }
    out.retain(|s| !s.is_empty());
    out
}

fn push(out: &mut [Vec<Token>], text: String) {
    if let Some(last) = out.last_mut() {
        last.push(Token { upper: text.to_ascii_uppercase(), text });
    }
}

fn find(chars: &[char], from: usize, c: char) -> usize {
    (from..chars.len()).find(|i| chars.get(*i) == Some(&c)).unwrap_or(chars.len())
}

/// Classes the statements of a text.
pub fn statements(out: &mut Reader<'_>, sql: &str, how: &str) {
    let all = tokenize(sql);
    let first = all.first().and_then(|s| s.first()).map(|t| t.upper.clone());
    let rolled = matches!(first.as_deref(), Some("BEGIN" | "START"))
        && all.last().and_then(|s| s.first()).is_some_and(|t| t.upper == "ROLLBACK");
    if rolled {
        return;
    }
    for statement in &all {
        one(out, statement, how);
    }
}

const NOISE: &[&str] = &[
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
    "IGNORE",
    "QUICK",
    "INTO",
    "FROM",
    "RECURSIVE",
];

/// The first word of a statement from `at` on that is a name.
fn name(tokens: &[Token], at: usize) -> String {
    let found = tokens.iter().skip(at).find(|t| !NOISE.contains(&t.upper.as_str()));
    found.map(|t| t.text.clone()).unwrap_or_default()
}

/// The names of a comma separated list.
fn names(tokens: &[Token], at: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut wanted = true;
    for token in tokens.iter().skip(at) {
        match token.upper.as_str() {
            "," => wanted = true,
            n if NOISE.contains(&n) => {}
            "CASCADE" | "RESTRICT" | "RESTART" | "CONTINUE" => break,
            _ if wanted => {
                out.push(token.text.clone());
                wanted = false;
            }
            _ => {}
        }
    }
    out
}

fn one(out: &mut Reader<'_>, tokens: &[Token], how: &str) {
    let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
    let has = |w: &str| tokens.iter().any(|t| t.upper == w);
    let at = |w: &str| tokens.iter().position(|t| t.upper == w);
    match word(0) {
        "SELECT" | "SHOW" | "SET" | "USE" | "VALUES" | "TABLE" | "DESCRIBE" | "DESC" | "BEGIN" | "START"
        | "COMMIT" | "ROLLBACK" | "END" | "SAVEPOINT" | "RELEASE" | "FETCH" | "DECLARE" | "CLOSE"
        | "LISTEN" | "ANALYZE" | "PRAGMA" | "CHECKPOINT" | "DISCARD" | "PREPARE" => {
            if word(0) == "SELECT" && has("INTO") && at("INTO") < at("FROM") {
                out.add(C::Create, format!("sql:table:{}", name(tokens, at("INTO").unwrap_or(0))), R::Exact);
            }
        }
        "EXPLAIN" => {
            // ANALYZE executes the statement.
            let verbs = ["DELETE", "UPDATE", "INSERT", "MERGE", "CREATE"];
            if (has("ANALYZE") || has("ANALYSE"))
                && let Some(start) = tokens.iter().position(|t| verbs.contains(&t.upper.as_str()))
            {
                let before = out.effects.len();
                one(out, tokens.get(start..).unwrap_or_default(), how);
                let plain = |e: &mut crate::model::Effect| {
                    e.resource = e.resource.lossy().replacen("sql:table:", "sql:", 1).into()
                };
                out.effects.iter_mut().skip(before).for_each(plain);
            }
        }
        "WITH" => {
            let verbs = ["DELETE", "UPDATE", "INSERT", "MERGE"];
            if let Some(start) = tokens.iter().position(|t| verbs.contains(&t.upper.as_str())) {
                one(out, tokens.get(start..).unwrap_or_default(), how);
            }
        }
        "DROP" => drop(out, tokens),
        "TRUNCATE" => {
            names(tokens, 1)
                .into_iter()
                .for_each(|n| out.add(C::Destroy, format!("sql:table:{n}"), R::Exact));
            if has("CASCADE") {
                out.add(C::Destroy, "dyn:tables with foreign keys to it", R::Exact);
            }
        }
        "DELETE" => {
            row(out, C::Destroy, tokens, &name(tokens, at("FROM").map_or(1, |i| i + 1)), has("WHERE"))
        }
        "UPDATE" => row(out, C::Overwrite, tokens, &name(tokens, 1), has("WHERE")),
        "INSERT" => {
            let replaces = has("CONFLICT") && has("UPDATE") || has("DUPLICATE");
            out.add(
                if replaces { C::Overwrite } else { C::Create },
                format!("sql:{}", name(tokens, at("INTO").map_or(1, |i| i + 1))),
                R::Exact,
            );
        }
        "REPLACE" | "MERGE" => out.add(C::Overwrite, format!("sql:{}", name(tokens, 1)), R::Exact),
        "CREATE" => create(out, tokens),
        "ALTER" => alter(out, tokens),
        "GRANT" | "REVOKE" | "REASSIGN" => out.add(
            C::Access,
            format!("sql:{}", at("ON").map_or_else(|| name(tokens, 1), |i| name(tokens, i + 1))),
            R::Exact,
        ),
        "COMMENT" | "RENAME" | "CLUSTER" | "REINDEX" | "VACUUM" | "REFRESH" | "LOCK" | "NOTIFY"
        | "OPTIMIZE" | "FLUSH" | "KILL" => {
            if !matches!(word(0), "LOCK" | "NOTIFY" | "VACUUM" | "REINDEX" | "OPTIMIZE" | "CLUSTER") {
                out.add(C::Mutate, format!("sql:{}", name(tokens, 1)), R::Exact);
            }
        }
        "COPY" if has("FROM") => out.add(C::Create, format!("sql:{}", name(tokens, 1)), R::Exact),
        "COPY" => {}
        "LOAD" => out.add(
            C::Create,
            format!("sql:{}", at("TABLE").map(|i| name(tokens, i + 1)).unwrap_or_default()),
            R::Exact,
        ),
        "." | "\\" => {}
        _ => out.opaque(how),
    }
}

fn row(out: &mut Reader<'_>, class: C, tokens: &[Token], table: &str, filtered: bool) {
    if filtered {
        let at = tokens.iter().position(|t| t.upper == "WHERE").unwrap_or(0);
        let predicate: Vec<&str> = tokens.iter().skip(at + 1).map(|t| t.text.as_str()).collect();
        out.add(class, format!("sql:{table}[{}]", predicate.join(" ")), R::Exact);
    } else {
        out.add(class, format!("sql:table:{table}"), R::Exact);
    }
}

fn drop(out: &mut Reader<'_>, tokens: &[Token]) {
    let word = |at: usize| tokens.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
    let skip = usize::from(matches!(word(1), "MATERIALIZED" | "FOREIGN")) + 1;
    let kind = word(skip).to_ascii_lowercase();
    let cascade = tokens.iter().any(|t| t.upper == "CASCADE");
    let class = if matches!(kind.as_str(), "user" | "role" | "policy") { C::Access } else { C::Destroy };
    for n in names(tokens, skip + 1) {
        out.add(class, format!("sql:{kind}:{n}"), R::Recreate);
    }
    if cascade && kind != "schema" {
        out.add(C::Destroy, "dyn:dependent objects", R::Recreate);
    }
}

fn create(out: &mut Reader<'_>, tokens: &[Token]) {
    let kinds = [
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
        "POLICY",
    ];
    let Some(at) = tokens.iter().position(|t| kinds.contains(&t.upper.as_str())) else {
        return out.opaque("sql create");
    };
    let kind = tokens.get(at).map(|t| t.text.to_ascii_lowercase()).unwrap_or_default();
    let replaces = tokens.get(1).is_some_and(|t| t.upper == "OR");
    let class = match kind.as_str() {
        "user" | "role" | "policy" => C::Access,
        _ if replaces => C::Overwrite,
        _ => C::Create,
    };
    out.add(class, format!("sql:{kind}:{}", name(tokens, at + 1)), R::Exact);
}

fn alter(out: &mut Reader<'_>, tokens: &[Token]) {
    let kind = tokens.get(1).map(|t| t.text.to_ascii_lowercase()).unwrap_or_default();
    let object = name(tokens, 2);
    let at = |w: &str| tokens.iter().position(|t| t.upper == w);
    if matches!(kind.as_str(), "user" | "role" | "policy") {
        return out.add(C::Access, format!("sql:{kind}:{object}"), R::Exact);
    }
    if kind == "table" {
        let after = |i: usize| {
            let skip = usize::from(tokens.get(i + 1).is_some_and(|t| t.upper == "COLUMN"));
            name(tokens, i + 1 + skip)
        };
        if let Some(i) =
            at("DROP").filter(|i| tokens.get(i + 1).is_none_or(|t| t.upper != "NOT" && t.upper != "DEFAULT"))
        {
            let constraint = tokens.get(i + 1).is_some_and(|t| t.upper == "CONSTRAINT");
            let class = if constraint { C::Weaken } else { C::Destroy };
            let column = if constraint { name(tokens, i + 2) } else { after(i) };
            return out.add(class, format!("sql:table:{object}.{column}"), R::Recreate);
        }
        if let (Some(i), Some(_)) =
            (tokens.iter().skip(2).position(|t| t.upper == "ALTER").map(|i| i + 2), at("TYPE"))
        {
            return out.add(C::Overwrite, format!("sql:table:{object}.{}", after(i)), R::Exact);
        }
        if at("DISABLE").is_some() {
            return out.add(C::Weaken, format!("sql:table:{object}"), R::Exact);
        }
    }
    out.add(C::Mutate, format!("sql:{kind}:{object}"), R::Exact);
}

/// One of the database programs.
pub fn read(program: &str, out: &mut Reader<'_>) {
    let takes: &[&str] = match program {
        "psql" | "createdb" | "dropdb" | "createuser" | "dropuser" => &[
            "-c",
            "--command",
            "-f",
            "--file",
            "-d",
            "--dbname",
            "-h",
            "--host",
            "-p",
            "--port",
            "-U",
            "--username",
            "-o",
            "--output",
            "-v",
            "--set",
            "-F",
            "-R",
            "-P",
            "-L",
            "-O",
            "-T",
            "-E",
            "-D",
        ],
        "pg_dump" | "pg_dumpall" | "pg_restore" => &[
            "-f",
            "--file",
            "-d",
            "--dbname",
            "-h",
            "--host",
            "-p",
            "--port",
            "-U",
            "--username",
            "-t",
            "--table",
            "-n",
            "--schema",
            "-F",
            "--format",
            "-j",
        ],
        "sqlite3" => &["-cmd", "-separator", "-init", "-newline", "-nullvalue"],
        _ => &["-e", "--execute", "-h", "--host", "-P", "--port", "-u", "--user", "-D", "--database", "-S"],
    };
    let words = Words::split(out.inv.args(), Takes::One(takes));
    let stdin = match &out.inv.stdin {
        Stdin::Text(word) => Some(word.text.lossy().into_owned()),
        _ => None,
    };
    match program {
        "createdb" | "createuser" => {
            let class = if program == "createdb" { C::Create } else { C::Access };
            let kind = if program == "createdb" { "database" } else { "user" };
            let first: Vec<&Word> = words.from(0).iter().take(1).copied().collect();
            out.each(class, &format!("sql:{kind}:"), &first, R::Exact);
        }
        "dropdb" => out.each(C::Destroy, "sql:database:", words.from(0), R::Recreate),
        "dropuser" => out.each(C::Access, "sql:user:", words.from(0), R::Recreate),
        "pg_dump" | "pg_dumpall" | "mysqldump" | "mariadb-dump" => {
            if let Some(file) = words.value(&["-f", "--file", "--result-file"]).cloned() {
                out.word(C::Create, "path:", &file, R::Exact);
            }
        }
        "pg_restore" => {
            if words.has(&["-l", "--list"]) || !words.has(&["-d", "--dbname"]) {
                return;
            }
            let class = if words.has(&["-c", "--clean"]) { C::Destroy } else { C::Overwrite };
            out.add(class, "dyn:objects of the archive", R::Recreate);
        }
        "mysqladmin" => match words.operand(0) {
            "drop" => out.each(C::Destroy, "sql:database:", words.from(1), R::Recreate),
            "create" => out.each(C::Create, "sql:database:", words.from(1), R::Exact),
            "shutdown" => out.add(C::Disrupt, "svc:mysql", R::Exact),
            "status" | "ping" | "version" | "variables" | "processlist" | "extended-status" => {}
            verb => out.opaque(&format!("mysqladmin {verb}")),
        },
        "sqlite3" => sqlite(&words, stdin, out),
        _ => server(program, &words, stdin, out),
    }
}

fn server(program: &str, words: &Words<'_>, stdin: Option<String>, out: &mut Reader<'_>) {
    let postgres = program == "psql";
    if words.has(&["-l", "--list"]) && postgres || words.has(&["-V", "--version"]) {
        return;
    }
    let names: &[&str] = if postgres { &["-c", "--command"] } else { &["-e", "--execute"] };
    let mut any = false;
    let texts: Vec<Word> = words.values(names).cloned().collect();
    for text in texts {
        any = true;
        if text.text.as_slice().starts_with(b"\\") {
            continue;
        }
        let before = out.effects.len();
        statements(out, &text.text.lossy(), program);
        if !text.certain && out.effects.len() == before {
            out.opaque(program);
        }
        out.effects.iter_mut().skip(before).for_each(|e| e.certain &= text.certain);
    }
    if let Some(file) = words.text(&["-f", "--file"]) {
        any = true;
        out.add(C::Opaque, format!("dyn:{file}"), R::Recreate);
    }
    if any {
        return;
    }
    match (stdin, &out.inv.stdin) {
        (Some(text), _) => statements(out, &text, program),
        (None, Stdin::File(file)) => {
            let how = format!("dyn:{}", file.text.lossy());
            out.add(C::Opaque, how, R::Recreate);
        }
        _ => out.opaque(program),
    }
}

fn sqlite(words: &Words<'_>, stdin: Option<String>, out: &mut Reader<'_>) {
    if words.has(&["-version", "--version"]) {
        return;
    }
    let text = words.operands.get(1).map(|w| w.text.lossy().into_owned()).or(stdin);
    let Some(text) = text else { return out.opaque("sqlite3") };
    let database = words.operands.first().map(|w| (*w).clone());
    let command = text.trim_start();
    if let Some(dot) = command.strip_prefix('.') {
        let verb = dot.split_whitespace().next().unwrap_or_default();
        match verb {
            "backup" | "save" | "clone" | "output" | "once" => out.add(
                C::Overwrite,
                format!("path:{}", dot.split_whitespace().last().unwrap_or_default()),
                R::Exact,
            ),
            "restore" | "import" | "read" => {
                database.iter().for_each(|d| out.word(C::Overwrite, "path:", d, R::Exact))
            }
            _ => {}
        }
        return;
    }
    let before = out.effects.len();
    statements(out, &text, "sqlite3");
    let class = out.effects.iter().skip(before).map(|e| e.class).max();
    if let (Some(class), Some(database)) = (class, database) {
        out.word(class, "path:", &database, R::Exact);
    }
}
