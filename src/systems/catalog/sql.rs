//! Databases that are understood by their words only, and statements in the commands of clouds; statements are read by
//! [`crate::sql`].

use crate::model::{Effect, EffectClass as C, Reversibility as R, Stdin, SystemId, Word};
use crate::sql::{self, Dialect};
use crate::systems::words::{Reader, Takes, Words};

/// Adds what the statements of a text do.
pub(super) fn statements(out: &mut Reader<'_>, sql: &str) {
    acts(out, sql, Dialect::MySql);
}

fn acts(out: &mut Reader<'_>, sql: &str, dialect: Dialect) {
    for act in sql::read(sql, dialect).acts.into_iter().filter(|act| !act.resource.is_empty()) {
        out.add(act.class, act.resource, act.reversibility);
        out.effects.iter_mut().last().into_iter().for_each(|effect| effect.certain &= act.certain);
    }
}

/// A client of a database: whose SQL it speaks, where its statements stand, which options have values.
struct Client {
    dialect: Dialect,
    texts: &'static [&'static str],
    files: &'static [&'static str],
    takes: &'static [&'static str],
}

fn client(program: &str) -> Client {
    match program {
        "cqlsh" => Client {
            dialect: Dialect::Postgres,
            texts: &["-e", "--execute"],
            files: &["-f", "--file"],
            takes: &[
                "-e",
                "--execute",
                "-f",
                "--file",
                "-k",
                "--keyspace",
                "-u",
                "--username",
                "-p",
                "--password",
                "--cqlshrc",
                "--encoding",
            ],
        },
        "cockroach" => Client {
            dialect: Dialect::Postgres,
            texts: &["-e", "--execute"],
            files: &["-f", "--file"],
            takes: &[
                "-e",
                "--execute",
                "-f",
                "--file",
                "--url",
                "--host",
                "--port",
                "-p",
                "-u",
                "--user",
                "-d",
                "--database",
                "--certs-dir",
                "--format",
                "--set",
            ],
        },
        "duckdb" => Client {
            dialect: Dialect::Postgres,
            texts: &["-c", "-s", "-cmd"],
            files: &["-f", "-init"],
            takes: &["-c", "-s", "-cmd", "-f", "-init", "-separator", "-newline", "-nullvalue"],
        },
        _ => Client {
            dialect: Dialect::MySql,
            texts: &["-q", "--query"],
            files: &["--queries-file"],
            takes: &[
                "-q",
                "--query",
                "--queries-file",
                "-h",
                "--host",
                "--port",
                "-u",
                "--user",
                "--password",
                "-d",
                "--database",
                "-f",
                "--format",
                "-c",
                "--config-file",
            ],
        },
    }
}

/// `clickhouse-client`, `cqlsh`, `cockroach sql`, `duckdb`.
pub fn read(program: &str, out: &mut Reader<'_>) {
    let of = client(program);
    let args = match (program, out.inv.args().first().and_then(Word::as_str)) {
        ("cockroach", Some("sql")) | ("clickhouse", Some("client" | "local")) => {
            out.inv.args().get(1..).unwrap_or_default()
        }
        ("cockroach", Some("demo" | "version" | "node" | "cert")) => return,
        ("cockroach" | "clickhouse", _) => return out.opaque(program),
        _ => out.inv.args(),
    };
    let words = Words::split(args, Takes::One(of.takes));
    let mut texts: Vec<Word> = words.values(of.texts).cloned().collect();
    if program == "duckdb" {
        texts.extend(words.operands.iter().skip(1).map(|word| (*word).clone()));
    }
    let before = out.effects.len();
    for file in words.values(of.files).cloned().collect::<Vec<_>>() {
        out.add(C::Opaque, format!("dyn:{}", file.text.lossy()), R::Recreate);
    }
    if texts.is_empty() && out.effects.len() == before {
        match out.inv.stdin.clone() {
            Stdin::Text(text) => texts.push(text),
            Stdin::File(file) => out.add(C::Opaque, format!("dyn:{}", file.text.lossy()), R::Recreate),
            _ => out.opaque(program),
        }
    }
    for text in &texts {
        let from = out.effects.len();
        acts(out, &text.text.lossy(), of.dialect);
        if !text.certain && out.effects.len() == from {
            out.opaque(program);
        }
        out.effects.iter_mut().skip(from).for_each(|e| e.certain &= text.certain);
    }
    if program == "duckdb" && !words.has(&["-readonly"]) {
        file(out, words.operands.first().copied());
    }
}

/// DuckDB's database is a file, with a log beside it: kept as files are.
fn file(out: &mut Reader<'_>, database: Option<&Word>) {
    let Some(database) = database.filter(|w| !matches!(w.text.as_slice(), b"" | b":memory:")) else { return };
    let Some(class) = out.effects.iter().map(|e| e.class).max() else { return };
    let cwd = out.inv.cwd.clone();
    for end in ["", ".wal"] {
        let path = [database.text.as_slice(), end.as_bytes()].concat();
        out.effects.push(Effect {
            system: SystemId::new("fs"),
            class: if class == C::Opaque { C::Overwrite } else { class },
            resource: [b"path:", path.as_slice()].concat().into(),
            reversibility: R::Exact,
            certain: database.certain,
            locator: cwd
                .as_ref()
                .filter(|_| database.certain)
                .map(|cwd| crate::systems::locator(cwd.join(&path))),
        });
    }
}
