//! What PostgreSQL's programs will do, from their words alone. One command is one question: all its effects carry the same
//! locator, and it is captured once.

use serde::{Deserialize, Serialize};

use super::NAME;
use super::connection::Connection;
use crate::model::{
    Bytes, Effect, EffectClass as C, Invocation, Locator, Reversibility as R, Stdin, SystemId, Word,
};
use crate::shell::options::{Options, Spec, read};
use crate::sql::{self, Act, Dialect, Touch};
use crate::systems::AssessCx;

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

/// Option of a locator: why nothing can be read.
pub const NOT_KEPT: &str = "not-kept";
/// Unsaid options: how the server is reached, and what is run there.
pub const ACCESS: &str = "access";
/// The same: what is run there.
pub const SCRIPT: &str = "script";

/// A part of what a session runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Its text.
    Text(String),
    /// A file that holds it.
    File(String),
    /// An archive that is restored.
    Archive(String),
    /// A database that goes or is made.
    Database {
        /// Its name.
        name: String,
        /// It goes.
        dropped: bool,
    },
}

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
    let mut session = Session { inv, cx, options, effects: Vec::new(), inputs: Vec::new(), not_kept: None };
    match program {
        "psql" => session.psql(),
        "createdb" => session.database(false),
        "dropdb" => session.database(true),
        "createuser" | "dropuser" => session.roles(),
        "pg_restore" => session.restore(),
        "pg_dump" | "pg_dumpall" => session.writes(&["-f", "--file"], C::Create),
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
    effects: Vec<Effect>,
    inputs: Vec<Input>,
    not_kept: Option<String>,
}

impl Session<'_> {
    fn add(&mut self, class: C, resource: impl Into<String>, reversibility: R) {
        self.act(&Act::new(class, resource, reversibility, Touch::Server), true);
    }

    fn act(&mut self, act: &Act, certain: bool) {
        if let Some(path) = act.resource.strip_prefix("path:") {
            self.file(act.class, path);
            return;
        }
        let wanted = act.touch != Touch::Nothing || act.class.is_destructive() || act.class == C::Opaque;
        self.effects.push(Effect {
            system: SystemId::new(NAME),
            class: act.class,
            resource: Bytes::from(act.resource.as_str()),
            reversibility: act.reversibility,
            certain: act.certain && certain,
            // Where it is found is filled in at the end.
            locator: wanted.then(Locator::default),
        });
    }

    /// A file that a client writes is the file system's.
    fn file(&mut self, class: C, path: &str) {
        if matches!(path, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "-") {
            return;
        }
        let mut locator =
            self.inv.cwd.as_ref().map(|cwd| Locator { at: cwd.join(path.as_bytes()), ..Locator::default() });
        if let Some(locator) = &mut locator {
            locator.opts.insert("scope".to_owned(), "node".into());
        }
        let resource = Bytes::from(format!("path:{path}"));
        self.effects.push(Effect {
            system: SystemId::new("fs"),
            class,
            resource,
            reversibility: R::Exact,
            certain: true,
            locator,
        });
    }

    fn writes(&mut self, names: &[&str], class: C) {
        if let Some(path) = self.options.value(names).cloned() {
            match path.as_str() {
                Some(text) if text.starts_with('|') => self.act(&Act::program("output into a program"), true),
                Some(text) => self.file(class, text),
                None => self.act(
                    &Act::new(class, format!("dyn:{}", path.text.lossy()), R::Exact, Touch::Nothing),
                    false,
                ),
            }
        }
    }

    fn psql(&mut self) {
        if self.options.has(&["-l", "--list"]) {
            return;
        }
        let mut any = false;
        let scripts: Vec<(bool, Option<Word>)> = self
            .options
            .options
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "-c" | "--command" | "-f" | "--file"))
            .map(|(name, word)| (matches!(name.as_str(), "-c" | "--command"), word.clone()))
            .collect();
        for (is_text, word) in scripts {
            let Some(word) = word else { continue };
            any = true;
            match (is_text, word.as_str()) {
                (true, _) => self.text(&word),
                (false, Some("-")) => self.stdin(),
                (false, _) => self.script(&word),
            }
        }
        if !any {
            self.stdin();
        }
        self.read_all();
        self.writes(&["-o", "--output"], C::Overwrite);
        self.writes(&["-L", "--log-file"], C::Create);
    }

    /// The whole session is one script: transactions go on from one part to the next.
    fn read_all(&mut self) {
        let texts: Vec<&str> = self
            .inputs
            .iter()
            .filter_map(|i| if let Input::Text(t) = i { Some(t.as_str()) } else { None })
            .collect();
        let mut acts = sql::read(&texts.join("\n;\n"), Dialect::Postgres).acts;
        acts.dedup();
        let certain = self.not_kept.is_none();
        if !certain && acts.is_empty() && !texts.is_empty() {
            acts.push(Act::anything("a statement that is not known before it runs"));
        }
        acts.iter().for_each(|act| self.act(act, certain));
    }

    fn text(&mut self, word: &Word) {
        if !word.certain {
            self.not_kept("its statements are not known before it runs");
        }
        match word.text.as_str() {
            Some(text) => self.inputs.push(Input::Text(text.to_owned())),
            None => self.not_kept("its statements are no text"),
        }
    }

    fn script(&mut self, word: &Word) {
        let path = word.text.lossy().into_owned();
        self.act(&Act::script(&path), word.certain);
        match word.certain {
            true => self.inputs.push(Input::File(path)),
            false => self.not_kept("its script is not known before it runs"),
        }
    }

    fn stdin(&mut self) {
        match self.inv.stdin.clone() {
            Stdin::Text(word) => self.text(&word),
            Stdin::File(word) => self.script(&word),
            Stdin::Pipe | Stdin::Inherited => {
                self.act(&Act::anything("psql"), false);
                self.not_kept("its statements come through a pipe or from a person");
            }
        }
    }

    fn database(&mut self, dropped: bool) {
        let class = if dropped { C::Destroy } else { C::Create };
        let reversibility = if dropped { R::Recreate } else { R::Exact };
        let named = self.options.operands.first().map(|w| (*w).clone());
        let name = named
            .unwrap_or_else(|| Word::literal(self.cx.env.get("PGDATABASE").cloned().unwrap_or_default()));
        let text = name.text.lossy().into_owned();
        if let Some(source) = self.inv.dynamic_args.clone() {
            self.add(class, format!("dyn:{source}"), reversibility);
            return self.not_kept("its targets are named when it runs");
        }
        match name.certain {
            true => {
                self.add(class, format!("sql:database:{text}"), reversibility);
                self.inputs.push(Input::Database { name: text, dropped });
            }
            false => {
                self.add(class, format!("dyn:{text}"), reversibility);
                self.not_kept("the database is not known before it runs");
            }
        }
    }

    fn roles(&mut self) {
        let names: Vec<Word> = self.options.operands.iter().take(1).map(|w| (*w).clone()).collect();
        for name in names {
            let what = if name.certain { "sql:user:" } else { "dyn:" };
            self.add(C::Access, format!("{what}{}", name.text.lossy()), R::Recreate);
        }
        self.not_kept("roles belong to the server and are not kept");
    }

    fn restore(&mut self) {
        if self.options.has(&["-l", "--list"]) {
            return;
        }
        if !self.options.has(&["-d", "--dbname"]) {
            return self.writes(&["-f", "--file"], C::Create);
        }
        let clean = self.options.has(&["-c", "--clean"]);
        let class = if clean { C::Destroy } else { C::Overwrite };
        self.add(class, "dyn:objects of the archive", R::Recreate);
        match self.options.operands.first().and_then(|w| w.as_str()) {
            _ if self.options.has(&["-C", "--create"]) => {
                self.not_kept("it restores into a database that the archive names")
            }
            Some(path) => self.inputs.push(Input::Archive(path.to_owned())),
            None => self.not_kept("its archive comes through a pipe"),
        }
    }

    fn not_kept(&mut self, why: &str) {
        self.not_kept.get_or_insert_with(|| why.to_owned());
    }

    /// The effects, each with where its targets are found.
    fn finish(mut self, program: &str) -> Vec<Effect> {
        let locator = self.locator(program);
        for effect in self.effects.iter_mut().filter(|e| e.system.0 == NAME && e.locator.is_some()) {
            effect.locator = Some(locator.clone());
        }
        self.effects
    }

    fn locator(&mut self, program: &str) -> Locator {
        let at = self.inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
        let connection = match self.not_kept.take() {
            Some(why) => Err(why),
            None => self.connection(program),
        };
        match connection {
            Ok(connection) => {
                let mut locator = connection.locator();
                let access = serde_json::to_string(&connection).unwrap_or_default();
                let script = serde_json::to_string(&self.inputs).unwrap_or_default();
                locator.unsaid.insert(ACCESS.to_owned(), access.into());
                locator.unsaid.insert(SCRIPT.to_owned(), script.into());
                locator
            }
            Err(why) => {
                let mut locator = Locator { at, ..Locator::default() };
                locator.opts.insert(NOT_KEPT.to_owned(), why.into());
                locator
            }
        }
    }

    fn connection(&self, program: &str) -> Result<Connection, String> {
        let operands = if program == "psql" { self.options.operands.as_slice() } else { &[] };
        if operands.iter().any(|w| !w.certain) {
            return Err("the database is not known before it runs".to_owned());
        }
        let text = |at: usize| operands.get(at).and_then(|w| w.as_str());
        let mut connection = Connection::read(&self.options, (text(0), text(1)), self.inv, self.cx)?;
        if matches!(program, "createdb" | "dropdb") {
            let through =
                self.options.value(&["--maintenance-db"]).and_then(|w| w.as_str()).unwrap_or("postgres");
            connection = connection.to_database(through);
        }
        Ok(connection)
    }
}
