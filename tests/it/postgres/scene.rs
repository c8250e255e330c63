//! The server that all tests of this process share, and a database of it for each test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::env::{Output, TestEnv, run};

/// A test's own database, and an agent that works in it.
pub struct Scene {
    /// Its world, whose variables lead to the database.
    pub env: TestEnv,
    /// The database.
    pub db: String,
}

/// The socket directory of the shared server; `None`, with a line that says so, where there is none.
fn server() -> Option<&'static str> {
    static SHARED: OnceLock<Option<(Child, String)>> = OnceLock::new();
    let there = SHARED.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/postgres");
        let mut server = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut dir = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut dir).ok()?;
        (!dir.trim().is_empty()).then(|| (server, dir.trim().to_owned()))
    });
    if there.is_none() {
        let why = "PostgreSQL is not installed; tests/run installs it";
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
        eprintln!("skipped: {why}");
    }
    there.as_ref().map(|(_, dir)| dir.as_str())
}

impl Scene {
    /// A new database with these statements run in it; `None` where there is no server.
    #[track_caller]
    pub fn new(sql: &str) -> Option<Scene> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let dir = server()?;
        let db = format!("shop{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut env = TestEnv::new();
        for (name, value) in [("PGHOST", dir), ("PGUSER", "postgres"), ("PGDATABASE", "postgres")] {
            env.vars.push((name.to_owned(), value.to_owned()));
        }
        env.sh(&format!("createdb {db}")).ok();
        env.vars.push(("PGDATABASE".to_owned(), db.clone()));
        let scene = Scene { env, db };
        scene.sql(sql);
        Some(scene)
    }

    /// Somebody runs statements, unseen by the recorder; the rows of the last.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        let mut psql = self.env.command("psql");
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        run(psql, sql.as_bytes()).ok().stdout.trim_end().to_owned()
    }

    /// The agent runs a line, as Claude would.
    #[track_caller]
    pub fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(line)
    }

    /// The latest event.
    #[track_caller]
    pub fn event(&self) -> Value {
        self.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
    }

    /// Takes the latest event back.
    pub fn undo(&self) -> Output {
        self.env.fr(&["undo", "--yes", &self.event()["id"].to_string()])
    }

    /// All rows and all definitions, as the server's own tools tell them.
    #[track_caller]
    pub fn world(&self) -> String {
        let dump = self.env.sh("pg_dump --inserts --rows-per-insert=1 --no-comments").ok().stdout;
        let keep = |l: &&str| {
            !l.is_empty() && !l.starts_with("--") && !l.starts_with("\\") && !l.starts_with("SET ")
        };
        // Rows come in the order in which they lie: that is no content.
        let mut lines: Vec<&str> = dump.lines().filter(keep).collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// Undo brings back just this world.
    #[track_caller]
    pub fn comes_back(&self, before: &str) {
        let done = self.undo();
        assert_eq!(done.code, 0, "{done:?}");
        let now = self.world();
        assert!(now == before, "{}", difference(before, &now));
    }
}

fn difference(before: &str, now: &str) -> String {
    let (b, n): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let lost = b.iter().filter(|l| !n.contains(l)).take(10).map(|l| format!("- {l}\n"));
    let new = n.iter().filter(|l| !b.contains(l)).take(10).map(|l| format!("+ {l}\n"));
    lost.chain(new).collect()
}
