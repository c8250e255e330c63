//! What PostgreSQL's programs will do, from their words alone. One command is one question: all its effects carry the same
//! locator, and it is captured once.

use super::NAME;
use super::connection::Connection;
use crate::model::{Effect, EffectClass as C, Invocation, Reversibility as R, Word};
use crate::shell::options::{Options, Spec, read};
use crate::sql::Dialect;
use crate::systems::AssessCx;
use crate::systems::tables::{Input, Said};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &[
    "psql",
    "createdb",
    "dropdb",
    "createuser",
    "dropuser",
    "pg_dump",
    "pg_dumpall",
    "pg_restore",
    "vacuumdb",
    "reindexdb",
    "clusterdb",
];

const CONNECTION: &[&str] = &["--host", "--port", "--username", "--dbname", "--maintenance-db"];

const PSQL: Spec = Spec {
    short: "cdfFhLopPRTUv",
    attached: "",
    long: &[
        "--command",
        "--dbname",
        "--file",
        "--field-separator",
        "--host",
        "--log-file",
        "--output",
        "--port",
        "--pset",
        "--record-separator",
        "--table-attr",
        "--username",
        "--set",
        "--variable",
    ],
    flags: &["--list", "--version", "--single-transaction", "--no-psqlrc", "--no-password", "--password"],
    posix: false,
};
const CREATE: Spec = Spec {
    short: "hpUDElOTSc",
    attached: "",
    long: &[
        "--host",
        "--port",
        "--username",
        "--maintenance-db",
        "--tablespace",
        "--encoding",
        "--locale",
        "--owner",
        "--template",
        "--strategy",
    ],
    flags: &["--echo", "--no-password", "--password"],
    posix: false,
};
const DROP: Spec = Spec {
    short: "hpU",
    attached: "",
    long: CONNECTION,
    flags: &["--echo", "--force", "--if-exists", "--interactive", "--no-password"],
    posix: false,
};
const DUMP: Spec = Spec {
    short: "fdhpUtTnNFjeEZSLlIP",
    attached: "",
    long: &[
        "--file",
        "--dbname",
        "--host",
        "--port",
        "--username",
        "--table",
        "--schema",
        "--exclude-table",
        "--exclude-schema",
        "--format",
        "--jobs",
        "--role",
        "--section",
        "--superuser",
        "--use-list",
        "--compress",
        "--encoding",
        "--database",
        "--index",
        "--function",
        "--trigger",
        "--snapshot",
    ],
    flags: &[
        "--list",
        "--clean",
        "--create",
        "--data-only",
        "--schema-only",
        "--if-exists",
        "--single-transaction",
    ],
    posix: false,
};

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some(program) = inv.program() else { return Vec::new() };
    if asks(inv.args()) {
        return Vec::new();
    }
    let spec = match program {
        "psql" => PSQL,
        "createdb" | "createuser" => CREATE,
        "dropdb" | "dropuser" => DROP,
        _ => DUMP,
    };
    let options = read(&spec, inv.args());
    let said = Said::new(inv, NAME, Dialect::Postgres);
    let mut session = Session { inv, cx, options, said };
    match program {
        "psql" => session.psql(),
        "createdb" => session.database(false),
        "dropdb" => session.database(true),
        "createuser" | "dropuser" => session.roles(),
        "pg_restore" => session.restore(),
        "pg_dump" | "pg_dumpall" => session.said.output(session.options.value(&["-f", "--file"]), C::Create),
        _ => {}
    }
    session.finish(program)
}

fn asks(args: &[Word]) -> bool {
    args.iter().filter_map(Word::as_str).any(|w| w == "--help" || w == "-?" || w == "--version" || w == "-V")
}

struct Session<'a> {
    inv: &'a Invocation,
    cx: &'a AssessCx<'a>,
    options: Options<'a>,
    said: Said<'a>,
}

impl Session<'_> {
    fn psql(&mut self) {
        if self.options.has(&["-l", "--list"]) {
            return;
        }
        let is_script = |name: &str| matches!(name, "-c" | "--command" | "-f" | "--file");
        let scripts = self.options.options.iter().filter(|(name, word)| is_script(name) && word.is_some());
        let mut any = false;
        for (name, word) in scripts {
            let Some(word) = word else { continue };
            any = true;
            match (matches!(name.as_str(), "-c" | "--command"), word.as_str()) {
                (true, _) => self.said.text(word),
                (false, Some("-")) => self.said.stdin("psql"),
                (false, _) => self.said.script(word),
            }
        }
        if !any {
            self.said.stdin("psql");
        }
        self.said.read_all();
        self.said.output(self.options.value(&["-o", "--output"]), C::Overwrite);
        self.said.output(self.options.value(&["-L", "--log-file"]), C::Create);
    }

    fn database(&mut self, dropped: bool) {
        let unnamed = || Word::literal(self.cx.env.get("PGDATABASE").cloned().unwrap_or_default());
        let named = self.options.operands.first().map_or_else(unnamed, |w| (*w).clone());
        self.said.database(Some(&named), dropped);
    }

    fn roles(&mut self) {
        let names: Vec<Word> = self.options.operands.iter().take(1).map(|w| (*w).clone()).collect();
        for name in names {
            let what = if name.certain { "sql:user:" } else { "dyn:" };
            self.said.add(C::Access, format!("{what}{}", name.text.lossy()), R::Recreate);
        }
        self.said.not_kept("roles belong to the server and are not kept");
    }

    fn restore(&mut self) {
        if self.options.has(&["-l", "--list"]) {
            return;
        }
        if !self.options.has(&["-d", "--dbname"]) {
            return self.said.output(self.options.value(&["-f", "--file"]), C::Create);
        }
        let clean = self.options.has(&["-c", "--clean"]);
        let class = if clean { C::Destroy } else { C::Overwrite };
        self.said.add(class, "dyn:objects of the archive", R::Recreate);
        match self.options.operands.first().and_then(|w| w.as_str()) {
            _ if self.options.has(&["-C", "--create"]) => {
                self.said.not_kept("it restores into a database that the archive names")
            }
            Some(path) => self.said.inputs.push(Input::Archive(path.to_owned())),
            None => self.said.inputs.push(Input::Unknown),
        }
    }

    fn finish(self, program: &str) -> Vec<Effect> {
        let Session { inv, cx, options, said } = self;
        said.finish(|| connection(program, &options, inv, cx).map(|c| (c.locator(), c)))
    }
}

fn connection(
    program: &str,
    options: &Options<'_>,
    inv: &Invocation,
    cx: &AssessCx<'_>,
) -> Result<Connection, String> {
    let operands = if program == "psql" { options.operands.as_slice() } else { &[] };
    if operands.iter().any(|w| !w.certain) {
        return Err("the database is not known before it runs".to_owned());
    }
    let text = |at: usize| operands.get(at).and_then(|w| w.as_str());
    let connection = Connection::read(options, (text(0), text(1)), inv, cx)?;
    if !matches!(program, "createdb" | "dropdb") {
        return Ok(connection);
    }
    let through = options.value(&["--maintenance-db"]).and_then(|w| w.as_str()).unwrap_or("postgres");
    Ok(connection.to_database(through))
}
