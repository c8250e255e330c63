//! Databases: their programs' words; statements are read by [`crate::sql`].

use crate::model::{EffectClass as C, Reversibility as R, Stdin, Word};
use crate::sql::{self, Dialect};
use crate::systems::words::{Reader, Takes, Words};

/// Adds what the statements of a text do.
pub(super) fn statements(out: &mut Reader<'_>, sql: &str) {
    for act in sql::read(sql, Dialect::MySql).acts {
        out.add(act.class, act.resource, act.reversibility);
        out.effects.iter_mut().last().into_iter().for_each(|effect| effect.certain &= act.certain);
    }
}

/// MySQL's and MariaDB's programs.
pub fn read(program: &str, out: &mut Reader<'_>) {
    let takes: &[&str] = &[
        "-e",
        "--execute",
        "-h",
        "--host",
        "-P",
        "--port",
        "-u",
        "--user",
        "-D",
        "--database",
        "-S",
        "--socket",
        "-r",
        "--result-file",
        "--init-command",
        "--default-character-set",
        "--protocol",
    ];
    let words = Words::split(out.inv.args(), Takes::One(takes));
    match program {
        "mysqldump" | "mariadb-dump" => {
            if let Some(file) = words.value(&["-r", "--result-file"]).cloned() {
                out.word(C::Create, "path:", &file, R::Exact);
            }
        }
        "mysqladmin" | "mariadb-admin" => match words.operand(0) {
            "drop" => out.each(C::Destroy, "sql:database:", words.from(1), R::Recreate),
            "create" => out.each(C::Create, "sql:database:", words.from(1), R::Exact),
            "shutdown" => out.add(C::Disrupt, "svc:mysql", R::Exact),
            "status" | "ping" | "version" | "variables" | "processlist" | "extended-status" => {}
            verb => out.opaque(&format!("mysqladmin {verb}")),
        },
        _ => server(program, &words, out),
    }
}

fn server(program: &str, words: &Words<'_>, out: &mut Reader<'_>) {
    if words.has(&["-V", "--version"]) {
        return;
    }
    let texts: Vec<Word> = words.values(&["-e", "--execute"]).cloned().collect();
    for text in &texts {
        text_of(program, text, out);
    }
    if !texts.is_empty() {
        return;
    }
    match out.inv.stdin.clone() {
        Stdin::Text(text) => text_of(program, &text, out),
        Stdin::File(file) => out.add(C::Opaque, format!("dyn:{}", file.text.lossy()), R::Recreate),
        _ => out.opaque(program),
    }
}

fn text_of(program: &str, text: &Word, out: &mut Reader<'_>) {
    let before = out.effects.len();
    statements(out, &text.text.lossy());
    if !text.certain && out.effects.len() == before {
        out.opaque(program);
    }
    out.effects.iter_mut().skip(before).for_each(|e| e.certain &= text.certain);
}
