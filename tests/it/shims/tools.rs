//! The real programs behind their shims: they behave as without, and where a server can see who asks, it sees it.
//!
//! `tests/run` installs what Debian has. Terraform is no package of any registry: where it is missing, its part is skipped
//! with a line that says so.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::World;
use super::who::{SESSION, claude};
use crate::env::{Output, run};

/// Where a real program is: on the machine's own PATH, behind pyenv's shims.
fn real(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut found = std::env::split_paths(&path).map(|dir| dir.join(name)).filter(|file| file.is_file());
    let pyenv = |file: &PathBuf| file.components().any(|part| part.as_os_str() == ".pyenv");
    let first = found.next()?;
    if !pyenv(&first) {
        return Some(first);
    }
    let which = std::process::Command::new("pyenv").args(["which", name]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(which.stdout).ok()?.trim());
    path.is_file().then_some(path)
}

/// A world with the real programs of these names behind shims; those that are missing are named. In CI only Terraform may
/// be.
fn world(names: &[&str]) -> (World, Vec<String>) {
    let world = World::new();
    world.agent("claude");
    let mut there = Vec::new();
    for name in names {
        match real(name) {
            Some(path) => {
                // As a program of this world, so that the machine's HOME and PATH do not matter.
                let text = format!("#!/bin/sh\nexec {} \"$@\"\n", path.display());
                world.program(name, &text);
                there.push((*name).to_owned());
            }
            None => {
                let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
                assert!(!ci || *name == "terraform", "{name} is not installed; tests/run installs it");
                eprintln!("skipped: {name} is not installed");
            }
        }
    }
    world.enable();
    (world, there)
}

/// A server on loopback that answers everything alike and keeps what it was asked.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(status: &'static str, body: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = heads.clone();
        // It ends with the test process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                kept.lock().unwrap().push(answer(stream, status, body));
            }
        });
        Server { port, heads }
    }

    /// What it was asked since it was asked last.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.heads.lock().unwrap())
    }
}

fn answer(mut stream: TcpStream, status: &str, body: &str) -> String {
    let (mut head, mut byte) = (Vec::new(), [0u8; 1]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
    String::from_utf8_lossy(&head).into_owned()
}

impl World {
    /// A line in a bash without shims.
    fn plain_line(&self, line: &str) -> std::process::Command {
        let mut bash = self.plain("bash");
        bash.args(["--norc", "--noprofile", "-c", line]);
        bash
    }
}

fn by_agent(world: &World, line: &str) -> Output {
    let mut agent = world.env.command(world.bin.join("claude"));
    agent.args(["line", line]).env("MARKS", claude().to_string());
    run(agent, b"")
}

/// Output, errors and exit code are those of the program itself, by whatever name it calls itself.
#[test]
fn real_tools_behave_as_without_their_shims() {
    let (world, there) = world(&["sqlite3", "psql", "kubectl", "aws", "terraform"]);
    world.env.write("rows.sql", "create table t (a); insert into t values (1), (2); select sum(a) from t;\n");
    for (name, line) in [
        ("sqlite3", "sqlite3 -version | cut -d' ' -f1"),
        ("sqlite3", "sqlite3 :memory: < rows.sql"),
        ("sqlite3", "sqlite3 :memory: 'select nothing'; echo $?"),
        ("sqlite3", "sqlite3 -no-such-option; echo $?"),
        ("sqlite3", "exec 7<rows.sql; sqlite3 :memory: '.read /dev/fd/7'"),
        ("psql", "psql --version"),
        ("psql", "psql -h /nonexistent -c 'select 1'; echo $?"),
        ("psql", "psql --no-such-option; echo $?"),
        ("kubectl", "kubectl --server http://127.0.0.1:1 delete pod x; echo $?"),
        ("kubectl", "kubectl config view; echo $?"),
        ("kubectl", "echo '{' | kubectl --server http://127.0.0.1:1 apply -f -; echo $?"),
        ("aws", "aws --version"),
        ("aws", "aws s3 no-such-verb 2>&1 | tail -n 1; echo ${PIPESTATUS[0]}"),
        ("terraform", "terraform version | head -n 1"),
        ("terraform", "terraform destroy -no-such-option; echo $?"),
    ] {
        if !there.iter().any(|known| known == name) {
            continue;
        }
        let with = world.env.sh(line);
        let without = run(world.plain_line(line), b"");
        assert_eq!((&with.stdout, with.code), (&without.stdout, without.code), "{line}");
        assert_eq!(steady(&with.stderr), steady(&without.stderr), "{line}");
    }
}

/// kubectl's log lines begin with time and process.
fn steady(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with(['E', 'W', 'I']) || !line.contains("] ")).collect()
}

/// A signal for the program reaches the program, and its death is seen.
#[test]
fn a_signal_ends_the_real_program() {
    let (world, there) = world(&["sqlite3"]);
    if there.is_empty() {
        return;
    }
    let endless = "sqlite3 :memory: 'with recursive n(i) as (select 1 union all select i + 1 from n) select sum(i) from n'";
    let out = world.env.sh(&format!("{endless} & sleep 0.5; kill -TERM $!; wait $!; echo $?"));
    assert_eq!(out.stdout, "143\n", "{out:?}");
}

/// True where one of the requests names the agent, behind this field of its user agent.
fn names_the_agent(asked: &[String], field: &str) -> bool {
    let mark = format!("{field}fr-claude-{SESSION}");
    let says = |line: &str| line.starts_with("user-agent: ") && line.contains(&mark);
    asked.iter().any(|head| head.to_lowercase().lines().any(says))
}

#[test]
fn aws_tells_a_server_who_asks() {
    let (world, there) = world(&["aws"]);
    if there.is_empty() {
        return;
    }
    let server = Server::start("200 OK", "{}");
    let keys =
        "AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1";
    let url = format!("http://127.0.0.1:{}", server.port);
    let line = format!("{keys} aws --region us-east-1 --endpoint-url {url} dynamodb list-tables");
    let out = by_agent(&world, &line);
    let asked = server.asked();
    assert!(names_the_agent(&asked, "app/"), "{out:?} {asked:#?}");
    world.env.sh(&line);
    let asked = server.asked();
    assert!(
        !asked.is_empty() && !names_the_agent(&asked, ""),
        "a person's command carries nothing: {asked:#?}"
    );
}

/// A registry on loopback, in Python: Terraform speaks to none without TLS. It prints its port, then what it is asked.
const REGISTRY: &str = "
import http.server, ssl, sys
class Ask(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print('GET', self.path, '\\nuser-agent:', self.headers['User-Agent'], file=log, flush=True)
        self.send_error(404)
    def log_message(self, *_): pass
log = open(sys.argv[2], 'a')
server = http.server.HTTPServer(('127.0.0.1', 0), Ask)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1])
server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";

/// Terraform tells registries and providers. Its `http` backend sends a user agent of Go's and nothing of it (1.11.4).
#[test]
fn terraform_tells_a_registry_who_asks() {
    let (world, there) = world(&["terraform"]);
    if there.is_empty() {
        return;
    }
    let (pem, log) = (world.env.root().join("tls.pem"), world.env.root().join("asked"));
    let make = format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
         -keyout {0}.key -out {0} && cat {0}.key >> {0}",
        pem.display()
    );
    assert_eq!(run(world.plain_line(&make), b"").code, 0, "openssl makes a certificate");
    let mut server = world.plain("python3");
    server.args(["-c", REGISTRY]).arg(&pem).arg(&log).stdout(std::process::Stdio::piped());
    let mut server = Child(server.spawn().unwrap());
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.0.stdout.take().unwrap()), &mut port)
        .unwrap();
    let source = format!("localhost:{}/a/b", port.trim());
    let source =
        format!("terraform {{\n  required_providers {{\n    b = {{ source = \"{source}\" }}\n  }}\n}}\n");
    write(&world.env.project.join("main.tf"), &source);
    let line =
        format!("SSL_CERT_FILE={} CHECKPOINT_DISABLE=1 terraform init -input=false -no-color", pem.display());
    let asked = || std::fs::read_to_string(&log).unwrap_or_default();
    let out = by_agent(&world, &line);
    assert!(names_the_agent(&[asked()], ""), "{out:?} {}", asked());
    std::fs::write(&log, "").unwrap();
    world.env.sh(&line);
    assert!(asked().contains("Terraform/") && !names_the_agent(&[asked()], ""), "{}", asked());
}

/// A process that ends with its test.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// kubectl has no field for it that is not an argument, and what somebody has typed stays. What an agent deletes is on
/// record, with the words that say that it could not be kept.
#[test]
fn kubectl_asks_what_it_was_told_to_ask() {
    let (world, there) = world(&["kubectl"]);
    if there.is_empty() {
        return;
    }
    let server = Server::start("500 Internal Server Error", "{}");
    let kubectl = format!("kubectl --server http://127.0.0.1:{}", server.port);
    let out = by_agent(
        &world,
        &format!("{kubectl} delete pod web --field-manager=mine; echo $?; {kubectl} get --raw /x"),
    );
    let asked = server.asked();
    assert!(asked.iter().any(|head| head.starts_with("GET /x ")), "{out:?} {asked:?}");
    assert!(asked.iter().all(|head| !head.contains("fr-claude")), "{asked:?}");
    let events = world.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!((&events[0]["class"], &events[0]["actor"]["name"]), (&"destroy".into(), &"claude".into()));
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
