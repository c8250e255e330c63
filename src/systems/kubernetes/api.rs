//! A cluster's API: one `kubectl proxy` of the user's for all that is asked, and requests through its Unix socket, which only we
//! can reach. A kubectl for each object takes 0.1 s of processor and says of a failure no more than a line of text;
//! `kubectl create -f` would rewrite the annotation that `kubectl apply` compares with, and waits 20 ms between objects.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::kubectl::Kubectl;
use crate::error::{Error, Result};
use crate::platform::scratch::ScratchDir;
use crate::platform::served::Served;
use crate::platform::unix_http::{Connection, Reply, Request};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;
/// How long the proxy gets to listen.
const START: Duration = Duration::from_secs(15);
/// The longest path of a Unix socket (unix(7)), its end included.
const LONGEST: usize = 107;

/// The server's API.
pub struct Api {
    dir: ScratchDir,
    until: Instant,
    // Ended first: its socket is in the directory.
    _proxy: Served,
}

/// Why the server did not do something (`Status`, kubernetes/apimachinery `meta/v1/types.go`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// `AlreadyExists`, `NotFound`, `Conflict`, `Invalid`, `Forbidden`…
    pub reason: String,
    /// In the server's words.
    pub message: String,
}

/// What the server answered: an object, or why not.
pub type Answer = std::result::Result<Value, Refusal>;

impl Api {
    /// Starts the proxy and waits until it listens.
    ///
    /// # Errors
    /// Where it does not.
    pub fn start(kubectl: &Kubectl, until: Instant) -> Result<Api> {
        Api::listening(kubectl, until, START, &[])
    }

    /// The same for reads alone, which gets so long to listen: what comes through this socket changes nothing.
    pub fn reading(kubectl: &Kubectl, patience: Duration) -> Result<Api> {
        Api::listening(kubectl, kubectl.deadline(), patience, &["--reject-methods=POST,PUT,PATCH,DELETE"])
    }

    fn listening(kubectl: &Kubectl, until: Instant, patience: Duration, options: &[&str]) -> Result<Api> {
        let dir = ScratchDir::new("k8s")?;
        let (socket, said) = (dir.path().join("s"), dir.path().join("said"));
        if socket.as_os_str().len() > LONGEST {
            return Err(Error::failure(format!("{} is too long for a socket", socket.display()))
                .hint("set TMPDIR to a directory with a short name"));
        }
        let mut option = std::ffi::OsString::from("--unix-socket=");
        option.push(&socket);
        let words = ["proxy".into(), option].into_iter().chain(options.iter().map(std::ffi::OsString::from));
        let mut proxy = kubectl.serve(&words.collect::<Vec<_>>(), &said)?;
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            if !proxy.is_running() || begun.elapsed() > patience || Instant::now() > until {
                let text = std::fs::read_to_string(&said).unwrap_or_default();
                let last =
                    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not listen");
                return Err(Error::failure(format!("kubectl proxy does not serve: {}", cut(last))));
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        Ok(Api { dir, until, _proxy: proxy })
    }

    /// A connection of one's own, for one request after the other.
    pub fn line(&self) -> Line<'_> {
        Line { api: self, connection: Connection::to(&self.dir.path().join("s")) }
    }

    /// Does something for each of many, some at once, each on a connection of its own.
    pub fn each<T: Sync, O: Send>(
        &self,
        items: &[T],
        work: impl Fn(&mut Line<'_>, &T) -> O + Sync,
    ) -> Vec<O> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, O)>> = Mutex::new(Vec::with_capacity(items.len()));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(items.len()) {
                scope.spawn(|| {
                    let mut line = self.line();
                    while let Some((at, item)) = {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        items.get(at).map(|item| (at, item))
                    } {
                        let out = work(&mut line, item);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((at, out));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, out)| out).collect()
    }
}

/// One connection to the API.
pub struct Line<'a> {
    api: &'a Api,
    connection: Connection,
}

impl Line<'_> {
    /// Reads.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, "", b"")
    }

    /// Reads a text as it comes.
    pub fn read(&mut self, path: &str) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        let reply = self.reply("GET", path, "", b"")?;
        Ok(if is_done(&reply) { Ok(reply.body) } else { Err(refusal(&reply)) })
    }

    /// Makes an object in a collection.
    pub fn create(&mut self, collection: &str, object: &Value, dry: bool) -> Result<Answer> {
        let path = format!("{collection}?fieldManager=fr{}", dry_run(dry));
        self.ask("POST", &path, "application/json", object.to_string().as_bytes())
    }

    /// Changes an object by a JSON Patch.
    pub fn patch(&mut self, object: &str, patch: &Value, dry: bool) -> Result<Answer> {
        let path = format!("{object}?fieldManager=fr{}", dry_run(dry));
        self.ask("PATCH", &path, "application/json-patch+json", patch.to_string().as_bytes())
    }

    /// Deletes the object that has this identity.
    pub fn delete(&mut self, object: &str, uid: &str, dry: bool) -> Result<Answer> {
        // Where there is a body the server does not look at the query: a `dryRun` there would delete.
        let options = serde_json::json!({
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
            "preconditions": {"uid": uid}, "dryRun": if dry { vec!["All"] } else { Vec::new() },
        });
        self.ask("DELETE", object, "application/json", options.to_string().as_bytes())
    }

    fn ask(&mut self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Result<Answer> {
        let reply = self.reply(method, path, content_type, body)?;
        Ok(match is_done(&reply) {
            true => Ok(serde_json::from_slice(&reply.body).unwrap_or_default()),
            false => Err(refusal(&reply)),
        })
    }

    fn reply(&mut self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Result<Reply> {
        let request = Request { method, path, content_type, body };
        let reply = self.connection.ask(&request, self.api.until);
        reply.map_err(|e| Error::failure(format!("the cluster did not answer: {e}")))
    }
}

fn dry_run(dry: bool) -> &'static str {
    if dry { "&dryRun=All" } else { "" }
}

fn is_done(reply: &Reply) -> bool {
    (200..300).contains(&reply.status)
}

/// Why not, where it is not done.
fn refusal(reply: &Reply) -> Refusal {
    let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut message = text("message");
    if message.is_empty() {
        let said = String::from_utf8_lossy(&reply.body);
        message = format!("HTTP {} {}", reply.status, said.lines().next().unwrap_or_default());
    }
    Refusal { code: reply.status, reason: text("reason"), message: cut(&message) }
}

impl Refusal {
    /// Something of that name is there.
    pub fn is_there_already(&self) -> bool {
        self.reason == "AlreadyExists"
    }

    /// Nothing of that name is there.
    pub fn is_not_there(&self) -> bool {
        self.code == 404
    }

    /// Somebody wrote it in between, or it has another identity.
    pub fn is_moved(&self) -> bool {
        self.code == 409 && !self.is_there_already()
    }

    /// For people. What a server says of a wrong value quotes it, and a secret's must not be told.
    pub fn said(&self, key: &super::object::Key) -> String {
        match self.message.split_once("Invalid value: ") {
            Some((front, _)) if key.is("", "Secret") => format!("{front}Invalid value"),
            _ => self.message.clone(),
        }
    }
}

/// Error texts may quote an object.
fn cut(text: &str) -> String {
    const MOST: usize = 400;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}
