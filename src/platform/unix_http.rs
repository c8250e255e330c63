//! HTTP/1.1 over a Unix socket, as much of it as one program needs that asks another on the same machine: requests with a
//! body of known length, one after the other on a connection that is kept (RFC 9112).

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The largest answer that is read.
const MOST: usize = 256 << 20;
/// The largest head of an answer.
const MOST_HEAD: usize = 64 << 10;

/// A connection that is made when it is needed.
#[derive(Debug)]
pub struct Connection {
    socket: PathBuf,
    stream: Option<UnixStream>,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// The type of the body.
    pub content_type: &'a str,
    /// The body; empty where there is none.
    pub body: &'a [u8],
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Connection {
    /// To the program that listens there.
    pub fn to(socket: &Path) -> Connection {
        Connection { socket: socket.to_owned(), stream: None }
    }

    /// Asks, and waits for the answer until a moment.
    ///
    /// # Errors
    /// Where nobody listens, or no whole answer comes in time. The request may have been carried out all the same.
    pub fn ask(&mut self, request: &Request<'_>, until: Instant) -> io::Result<Reply> {
        let kept = self.stream.is_some();
        match self.once(request, until) {
            // The other side may close a connection that was kept whenever it likes, before it has read the request.
            Err(e) if kept && e.kind() == io::ErrorKind::UnexpectedEof => self.once(request, until),
            other => other,
        }
    }

    fn once(&mut self, request: &Request<'_>, until: Instant) -> io::Result<Reply> {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => UnixStream::connect(&self.socket)?,
        };
        stream.set_read_timeout(Some(left))?;
        stream.set_write_timeout(Some(left))?;
        let Request { method, path, content_type, body } = request;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n");
        if !body.is_empty() {
            text.push_str(&format!("Content-Type: {content_type}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut whole = text.into_bytes();
        whole.extend_from_slice(body);
        stream.write_all(&whole).map_err(closed)?;
        let (reply, keep) = Reading { stream: &mut stream, buffer: Vec::new(), at: 0, until }.reply()?;
        if keep {
            self.stream = Some(stream);
        }
        Ok(reply)
    }
}

/// A connection that was closed while we wrote is one that was closed.
fn closed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => io::ErrorKind::UnexpectedEof.into(),
        _ => error,
    }
}

struct Reading<'a> {
    stream: &'a mut UnixStream,
    buffer: Vec<u8>,
    at: usize,
    until: Instant,
}

impl Reading<'_> {
    fn more(&mut self) -> io::Result<usize> {
        if Instant::now() >= self.until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut some = [0u8; 16 << 10];
        let read = self.stream.read(&mut some).map_err(closed)?;
        self.buffer.extend_from_slice(some.get(..read).unwrap_or_default());
        if self.buffer.len() > MOST {
            return Err(io::Error::other("the answer is too large"));
        }
        Ok(read)
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    fn need(&mut self, bytes: usize) -> io::Result<()> {
        while self.rest().len() < bytes {
            if self.more()? == 0 {
                return Err(io::Error::other("the answer ended in the middle"));
            }
        }
        Ok(())
    }

    /// The answer, and whether the connection may be used again.
    fn reply(mut self) -> io::Result<(Reply, bool)> {
        let (status, length, close) = self.head()?;
        let body = match length {
            Length::Chunks => self.chunks()?,
            Length::Known(0) => Vec::new(),
            Length::Known(bytes) if bytes > MOST => return Err(io::Error::other("the answer is too large")),
            Length::Known(bytes) => {
                self.need(bytes)?;
                self.rest().get(..bytes).unwrap_or_default().to_vec()
            }
            Length::Open => {
                while self.more()? > 0 {}
                return Ok((Reply { status, body: self.rest().to_vec() }, false));
            }
        };
        Ok((Reply { status, body }, !close))
    }

    fn head(&mut self) -> io::Result<(u16, Length, bool)> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut headers);
            let parsed = response.parse(self.buffer.get(self.at..).unwrap_or_default());
            if let httparse::Status::Complete(bytes) = parsed.map_err(io::Error::other)? {
                let status = response.code.unwrap_or_default();
                // 100 Continue and its like come before the answer.
                if (100..200).contains(&status) {
                    self.at += bytes;
                    continue;
                }
                let header = |name: &str| {
                    let found = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
                    found.map(|h| String::from_utf8_lossy(h.value).trim().to_ascii_lowercase())
                };
                let close = header("connection").is_some_and(|value| value == "close");
                let length = match (header("transfer-encoding"), header("content-length")) {
                    (Some(coding), _) if coding.ends_with("chunked") => Length::Chunks,
                    (_, Some(bytes)) => Length::Known(bytes.parse().map_err(io::Error::other)?),
                    _ if status == 204 || status == 304 => Length::Known(0),
                    _ => Length::Open,
                };
                self.at += bytes;
                return Ok((status, length, close));
            }
            if self.rest().len() > MOST_HEAD {
                return Err(io::Error::other("the head of the answer is too large"));
            }
            if self.more()? == 0 {
                return Err(match self.rest().is_empty() {
                    true => io::ErrorKind::UnexpectedEof.into(),
                    false => io::Error::other("the answer ended in its head"),
                });
            }
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = httparse::parse_chunk_size(self.rest());
            let wrong = |_| io::Error::other("the answer has a chunk that is none");
            let httparse::Status::Complete((head, bytes)) = size.map_err(wrong)? else {
                if self.more()? == 0 {
                    return Err(io::Error::other("the answer ended in the middle"));
                }
                continue;
            };
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            if bytes > MOST || body.len() > MOST {
                return Err(io::Error::other("the answer is too large"));
            }
            self.at += head;
            // Trailers are not sent unless they are asked for: only the empty line is left.
            self.need(bytes + 2)?;
            body.extend_from_slice(self.rest().get(..bytes).unwrap_or_default());
            self.at += bytes + 2;
            if bytes == 0 {
                return Ok(body);
            }
        }
    }
}

enum Length {
    Known(usize),
    Chunks,
    /// To the end of the connection.
    Open,
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Serves one connection: reads a request's head for each answer, then gives the answer.
    fn serve(answers: Vec<&'static str>) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in answers {
                let mut seen = Vec::new();
                let mut one = [0u8];
                while !seen.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut one).unwrap();
                    seen.push(one[0]);
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (dir, path)
    }

    const GET: Request<'static> = Request { method: "GET", path: "/", content_type: "", body: b"" };

    fn ask(connection: &mut Connection) -> io::Result<Reply> {
        connection.ask(&GET, Instant::now() + Duration::from_secs(5))
    }

    #[test]
    fn answers_of_known_length_in_chunks_and_to_the_end_are_read_on_one_connection() {
        let (_dir, path) = serve(vec![
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n1;x=y\r\ne\r\n0\r\n\r\n",
            "HTTP/1.1 409 Conflict\r\n\r\nto the end",
        ]);
        let mut connection = Connection::to(&path);
        let said = |reply: Reply| (reply.status, String::from_utf8(reply.body).unwrap());
        assert_eq!(said(ask(&mut connection).unwrap()), (201, "ok".to_owned()));
        assert_eq!(said(ask(&mut connection).unwrap()), (200, "abcde".to_owned()));
        assert_eq!(said(ask(&mut connection).unwrap()), (409, "to the end".to_owned()));
    }

    #[test]
    fn broken_answers_are_errors_and_no_hang() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            let (_dir, path) = serve(vec![answer]);
            assert!(ask(&mut Connection::to(&path)).is_err(), "{answer}");
        }
        assert!(ask(&mut Connection::to(Path::new("/nowhere"))).is_err());
    }
}
