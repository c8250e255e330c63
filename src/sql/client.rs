//! Commands for the client that stand in a script: psql's backslash commands, sqlite3's dot commands, mysql's one-letter
//! commands. Source: the reference pages of psql, sqlite3 and mysql.

use super::{Act, Dialect, Include, Name, Reading, Touch};
use crate::model::{EffectClass as C, Reversibility as R};

/// Reads one; false where the script ends here. `elsewhere` is set where it connects to another database.
pub fn read(line: &str, dialect: Dialect, out: &mut Reading, elsewhere: &mut Option<String>) -> bool {
    let words = words(line);
    let verb = words.first().map(String::as_str).unwrap_or_default();
    let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    match dialect {
        Dialect::Postgres => psql(line, verb, &args, out, elsewhere),
        Dialect::Sqlite => sqlite(verb, &args, out),
        Dialect::MySql => mysql(line, out, elsewhere),
    }
}

fn psql(line: &str, verb: &str, args: &[&str], out: &mut Reading, elsewhere: &mut Option<String>) -> bool {
    let first = args.first().copied().unwrap_or_default();
    // `\!ls` and `\.` need no space.
    if line.starts_with('!') {
        out.acts.push(Act::program(line.get(1..).unwrap_or_default().trim()));
        return true;
    }
    if line.contains('`') && verb != "copy" {
        out.acts.push(Act::program("a psql command with backquotes"));
        return true;
    }
    match verb {
        "q" | "quit" => return false,
        "i" | "include" | "ir" | "include_relative" => {
            out.acts.push(Act::script(first));
            out.includes
                .push(Include { path: first.to_owned(), beside: matches!(verb, "ir" | "include_relative") });
        }
        "c" | "connect" => *elsewhere = Some(first.to_owned()),
        "gexec" => out.acts.push(Act::anything("the rows of a query are run as statements (\\gexec)")),
        "copy" => copy(args, line, out),
        "o" | "out" | "g" | "gx" | "w" | "write" | "s" | "log" => {
            let file = args.iter().find(|a| !a.starts_with('(')).copied().unwrap_or_default();
            write(file, line.contains('|'), out);
        }
        "e" | "edit" | "ef" | "ev" => out.acts.push(Act::anything("what is typed in the editor")),
        "password" => {
            let who = if first.is_empty() {
                "dyn:the connected user".to_owned()
            } else {
                format!("sql:user:{first}")
            };
            out.acts.push(Act::new(C::Access, who, R::Irreversible, Touch::Server));
        }
        "lo_import" => out.acts.push(Act::new(C::Create, "sql:large-object", R::Exact, Touch::Nothing)),
        "lo_unlink" => {
            let what = format!("sql:large-object:{first}");
            out.acts.push(Act::new(
                C::Destroy,
                what,
                R::Irreversible,
                Touch::Elsewhere("large objects".to_owned()),
            ));
        }
        "lo_export" => write(args.get(1).copied().unwrap_or_default(), false, out),
        _ => {}
    }
    true
}

/// `\copy t from 'file'` adds rows, `\copy t to 'file'` writes a file, `program '…'` runs one.
fn copy(args: &[&str], line: &str, out: &mut Reading) {
    let is = |arg: &&str, word: &str| arg.eq_ignore_ascii_case(word);
    let from = args.iter().position(|a| is(a, "from"));
    let to = args.iter().rposition(|a| is(a, "to"));
    if args.iter().any(|a| is(a, "program")) {
        out.acts.push(Act::program("\\copy … program"));
    }
    match (from, to) {
        (Some(from), None) if !line.contains("(select") => {
            let name = args.first().copied().unwrap_or_default();
            let name = name.split('(').next().unwrap_or_default().replace('"', "");
            if from > 0 {
                let name = Name { parts: name.split('.').map(|p| (p.to_owned(), false)).collect() };
                out.acts.push(Act::added(&name, None));
            }
        }
        (_, Some(to)) => write(args.get(to + 1).copied().unwrap_or_default(), false, out),
        _ => {}
    }
}

fn write(file: &str, piped: bool, out: &mut Reading) {
    let file = file.trim_matches('\'');
    if piped || file.starts_with('|') {
        out.acts.push(Act::program("output into a program"));
    } else if !file.is_empty()
        && !matches!(file.to_ascii_lowercase().as_str(), "stdout" | "pstdout" | "program" | "/dev/null")
    {
        out.acts.push(Act::new(C::Overwrite, format!("path:{file}"), R::Exact, Touch::Nothing));
    }
}

fn sqlite(verb: &str, args: &[&str], out: &mut Reading) -> bool {
    // The last operand; options of `.import`, `.once` and `.backup` have dashes.
    let files: Vec<&str> = args.iter().filter(|a| !a.starts_with('-')).copied().collect();
    let file = files.last().copied().unwrap_or_default();
    // `.res` is `.restore`: any start of a name that sqlite3 knows will do.
    let is = |full: &str, least: usize| full.starts_with(verb) && verb.len() >= least;
    if is("quit", 1) || is("exit", 1) {
        return false;
    } else if is("backup", 2)
        || is("save", 2)
        || is("clone", 2)
        || is("output", 1)
        || is("once", 2)
        || is("log", 3)
    {
        write(file, file.starts_with('|'), out);
    } else if is("restore", 3) {
        out.acts.push(Act::whole_file("another database is put over it (.restore)"));
    } else if is("import", 2) {
        out.acts.push(Act::added(&Name::plain(file), None));
    } else if is("read", 3) {
        out.acts.push(Act::script(file));
        out.includes.push(Include { path: file.to_owned(), beside: false });
    } else if is("shell", 3) || is("system", 2) || is("excel", 3) || is("www", 1) {
        out.acts.push(Act::program(&args.join(" ")));
    } else if is("open", 2) {
        out.acts.push(Act::anything("another database is opened (.open)"));
    } else if is("load", 2) {
        out.acts.push(Act::program("an extension is loaded"));
    } else if is("recover", 4) || is("dump", 2) || is("archive", 2) || is("sha3sum", 2) {
        // Written to standard output; an archive is written only by its own options.
        if verb.starts_with("ar")
            && args.iter().any(|a| a.contains('c') || a.contains('u') || a.contains('x'))
        {
            out.acts.push(Act::anything("an archive command"));
        }
    }
    true
}

fn mysql(line: &str, out: &mut Reading, elsewhere: &mut Option<String>) -> bool {
    let rest = line.get(1..).unwrap_or_default().trim();
    match line.chars().next() {
        Some('!') => out.acts.push(Act::program(rest)),
        Some('.') => {
            out.acts.push(Act::script(rest));
            out.includes.push(Include { path: rest.to_owned(), beside: false });
        }
        Some('u') => *elsewhere = Some(rest.trim_end_matches(';').to_owned()),
        Some('T') => write(rest, false, out),
        Some('P') => out.acts.push(Act::program("output into a program")),
        Some('d') => out.acts.push(Act::anything("another delimiter")),
        Some('q') => return false,
        _ => {}
    }
    true
}

/// Words, single quotes respected.
fn words(line: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let (mut quoted, mut started) = (false, false);
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                if !started {
                    out.push(String::new());
                    started = true;
                }
            }
            c if c.is_whitespace() && !quoted => started = false,
            c => {
                if !started {
                    out.push(String::new());
                    started = true;
                }
                out.last_mut().into_iter().for_each(|word| word.push(c));
            }
        }
    }
    out
}
