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
    /// Its world, whose variables lead to the server.
    pub env: TestEnv,
    /// The database.
    pub db: String,
    /// Where the server listens.
    pub port: String,
    /// Its certificate.
    pub certificate: String,
}

struct Server {
    _child: Child,
    dir: String,
    port: String,
}

/// The shared server; `None`, with a line that says so, where there is none.
fn server() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    let there = SHARED.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/mariadb");
        let mut child = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
        let (dir, port) = line.trim().split_once(' ')?;
        Some(Server { _child: child, dir: dir.to_owned(), port: port.to_owned() })
    });
    if there.is_none() {
        let why = "MariaDB is not installed; tests/testbed/mariadb setup installs it";
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
        eprintln!("skipped: {why}");
    }
    there.as_ref()
}

impl Scene {
    /// A new database with these statements run in it; `None` where there is no server. `DB` in a line is its name.
    #[track_caller]
    pub fn new(sql: &str) -> Option<Scene> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = server()?;
        let db = format!("shop{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut env = TestEnv::new();
        let socket = format!("{}/server.sock", server.dir);
        // The system's own option file may name another socket, which counts for more than a variable.
        std::fs::write(env.home.join(".my.cnf"), format!("[client]\nsocket={socket}\n")).unwrap();
        env.vars.push(("MYSQL_UNIX_PORT".to_owned(), socket));
        let certificate = format!("{}/cert.pem", server.dir);
        let scene = Scene { env, db: db.clone(), port: server.port.clone(), certificate };
        scene.run_in("", &format!("CREATE DATABASE {db} DEFAULT CHARACTER SET utf8mb4"));
        scene.sql(sql);
        Some(scene)
    }

    fn run_in(&self, db: &str, sql: &str) -> String {
        let mut client = self.env.command("mariadb");
        client.args(["--no-defaults", "-u", "root", "-NB", "--default-character-set=utf8mb4", db]);
        run(client, sql.as_bytes()).ok().stdout.trim_end().to_owned()
    }

    /// Somebody runs statements, unseen by the recorder; their rows.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.run_in(&self.db, sql)
    }

    /// The agent runs a line, as Claude would.
    #[track_caller]
    pub fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(&line.replace("DB", &self.db).replace("PORT", &self.port))
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

    /// All rows and all definitions, as the server's own dump tells them.
    #[track_caller]
    pub fn world(&self) -> String {
        let db = &self.db;
        let line = format!(
            "mariadb-dump --no-defaults -u root --force --skip-extended-insert --skip-comments --hex-blob --routines --events \
             --order-by-primary --default-character-set=utf8mb4 {db}; mariadb --no-defaults -u root -NBe \
             \"SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges WHERE table_schema = '{db}' ORDER BY 1, 2, 3\""
        );
        // A view that lost its table is no reason to tell nothing.
        self.env.sh(&line).stdout
    }

    /// Undo brings back just this world.
    #[track_caller]
    pub fn comes_back(&self, before: &str) {
        let done = self.undo();
        assert_eq!(done.code, 0, "{done:?}");
        self.is(before);
    }

    /// The world is this one.
    #[track_caller]
    pub fn is(&self, before: &str) {
        let now = self.world();
        let (b, n): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
        let lost = b.iter().filter(|l| !n.contains(l)).take(10).map(|l| format!("- {l}\n"));
        let new = n.iter().filter(|l| !b.contains(l)).take(10).map(|l| format!("+ {l}\n"));
        assert!(now == before, "{}", lost.chain(new).collect::<String>());
    }
}
