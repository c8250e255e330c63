//! Where states are kept: a file, and real servers on loopback that end with the test, at the latest with its process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A backend of a root module.
pub enum Backend {
    /// A file.
    Local,
    /// Our own server, with locks.
    Http(Server),
    /// A database of a real PostgreSQL.
    Pg(String),
    /// A bucket of moto.
    S3(String),
    /// Secrets of a cluster.
    Kubernetes(String),
}

/// A server that ends with the test.
pub struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Backend {
    /// A file beside the configuration.
    pub fn local() -> Option<Backend> {
        Some(Backend::Local)
    }

    /// tests/testbed/tf_http.py.
    pub fn http() -> Option<Backend> {
        Some(Backend::http_after(0))
    }

    /// The same, which answers after so many seconds.
    pub fn http_after(seconds: u32) -> Backend {
        let mut command = Command::new("python3");
        command.arg(testbed("tf_http.py")).arg(seconds.to_string());
        let (child, line) = started(command).expect("python3 is installed");
        Backend::Http(Server { child, port: line.parse().unwrap() })
    }

    /// A database in the PostgreSQL that all tests of this process share.
    pub fn pg() -> Option<Backend> {
        static SHARED: OnceLock<Option<(Child, String)>> = OnceLock::new();
        let server = SHARED.get_or_init(|| started(Command::new(testbed("postgres"))));
        let Some((_, dir)) = server else {
            return skipped("PostgreSQL is not installed; tests/run installs it");
        };
        // A database each: the backend's locks and the sequence that it makes are the database's.
        let name = format!("test_{}", number());
        let make = format!("create database {name}");
        let made = Command::new("psql").args(["-h", dir, "-U", "postgres", "-qc", &make]).status().unwrap();
        assert!(made.success(), "{make}");
        let at = format!("postgres://postgres:tf-secret-in-state@/{name}?host={dir}&sslmode=disable");
        Some(Backend::Pg(format!("    conn_str = \"{at}\"\n")))
    }

    /// A bucket in the moto that all tests of this process share.
    pub fn s3() -> Option<Backend> {
        static SHARED: OnceLock<Option<(Child, String)>> = OnceLock::new();
        let server = SHARED.get_or_init(|| started(Command::new(testbed("moto"))));
        let Some((_, port)) = server else {
            return skipped("moto is not installed; tests/testbed/moto setup installs it");
        };
        let bucket = format!("test-{}", number());
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let put = format!(
            "PUT /{bucket} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(put.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Some(Backend::S3(format!(
            "    bucket = \"{bucket}\"\n    key = \"infra\"\n    region = \"us-east-1\"\n    access_key = \"test\"\n    \
             secret_key = \"tf-secret-in-state\"\n    use_path_style = true\n    use_lockfile = true\n    \
             skip_credentials_validation = true\n    skip_metadata_api_check = true\n    \
             skip_requesting_account_id = true\n    skip_region_validation = true\n    \
             endpoints = {{ s3 = \"http://127.0.0.1:{port}\" }}\n"
        )))
    }

    /// Secrets of the cluster that the tests of Kubernetes use; never one that somebody uses by default.
    pub fn kubernetes() -> Option<Backend> {
        let config = crate::kubernetes::cluster::kubeconfig()?.display();
        let suffix = format!("test-{}-{}x", std::process::id(), number());
        Some(Backend::Kubernetes(format!(
            "    secret_suffix = \"{suffix}\"\n    config_path = \"{config}\"\n"
        )))
    }

    /// Where its server listens.
    pub fn port(&self) -> u16 {
        match self {
            Backend::Http(server) => server.port,
            _ => 0,
        }
    }

    /// The block in the configuration.
    pub fn block(&self) -> String {
        let (kind, inside) = match self {
            Backend::Local => return String::new(),
            Backend::Http(server) => {
                let at = format!("http://127.0.0.1:{}/state", server.port);
                let of = |name: &str| format!("    {name} = \"{at}\"\n");
                ("http", of("address") + &of("lock_address") + &of("unlock_address"))
            }
            Backend::Pg(inside) => ("pg", inside.clone()),
            Backend::S3(inside) => ("s3", inside.clone()),
            Backend::Kubernetes(inside) => ("kubernetes", inside.clone()),
        };
        format!("  backend \"{kind}\" {{\n{inside}  }}\n")
    }
}

fn skipped(why: &str) -> Option<Backend> {
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
    eprintln!("skipped: {why}");
    None
}

/// A number that no other test of this process has.
fn number() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Starts a server that says one line when it is ready, and ends when our end of its standard input is closed.
fn started(mut command: Command) -> Option<(Child, String)> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let line = line.trim().to_owned();
    (!line.is_empty()).then_some((child, line))
}

/// A script of tests/testbed.
fn testbed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/testbed").join(name)
}
