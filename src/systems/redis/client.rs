//! `redis-cli` for our own reads and, at undo, our own writes: commands on its standard input, answers with `--no-raw`, so that
//! any bytes pass. The password goes through the environment, never through an argument.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::query::Access;
use super::text::{quoted, unquoted};
use crate::error::{Error, Result};
use crate::platform::stream;

/// How many keys one call asks for.
const PAGE: &str = "5000";

/// Of many keys in one answer: when each expires and what it holds. What is large is left to a question of its own (-3), so
/// that the server neither stands still nor keeps it twice.
const MANY: &[u8] = b"local out, size = {}, 0 for i, key in ipairs(ARGV) do local at = 2 * i - 1 out[at], out[at + 1] = -3, false \
    if size < 1048576 and (redis.call('MEMORY', 'USAGE', key) or 0) < 65536 then local dump = redis.call('DUMP', key) \
    out[at], out[at + 1] = redis.call('PEXPIRETIME', key), dump if dump then size = size + #dump end end end return out";
/// How many keys one such answer is for.
const AT_ONCE: usize = 500;
/// The answer of a key that is left to a question of its own.
const APART: i64 = -3;

/// One server.
pub struct Client {
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: PathBuf,
    until: Instant,
}

/// Told of each key and what it holds.
pub type Take<'a> = dyn FnMut(&[u8], Option<Value>) -> Result<()> + 'a;

/// A key as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// When it expires, in milliseconds since 1970; -1: never.
    pub expires: i64,
    /// `DUMP`.
    pub dump: Vec<u8>,
}

impl Client {
    /// For the server of a recorded command.
    pub fn of(access: &Access, until: Instant) -> Client {
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        env.push(("FR_SHIM".into(), "off".into()));
        if let Some(password) = &access.password {
            env.push(("REDISCLI_AUTH".into(), password.as_path().into()));
        }
        let fixed = ["--no-raw", "--no-auth-warning"].map(str::to_owned);
        let words = std::iter::once(&access.program).chain(&access.flags).chain(&fixed);
        Client {
            argv: words.map(OsString::from).collect(),
            env,
            cwd: Some(access.cwd.as_path()).filter(|dir| dir.is_dir()).map_or("/".into(), PathBuf::from),
            until,
        }
    }

    /// Gives commands, each a line, and hears their answers, each a line.
    fn lines(
        &self,
        db: u32,
        give: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let limit = self.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let place = stream::Place { env: &self.env, cwd: &self.cwd, limit };
        let mut argv = self.argv.clone();
        argv.extend(["-n".into(), db.to_string().into()]);
        let give = |to: &mut dyn Write| {
            // One that has failed to connect reads nothing; what it says tells more.
            let mut to = std::io::BufWriter::new(to);
            let _ = give(&mut to).and_then(|()| to.flush());
            Ok(())
        };
        let ((), done) = stream::exchange(&argv, place, give, |from| {
            let mut from = BufReader::with_capacity(1 << 16, from);
            let mut line = Vec::new();
            loop {
                line.clear();
                let read = from.read_until(b'\n', &mut line);
                if read.map_err(|e| Error::failure(format!("reading stopped: {e}")))? == 0 {
                    return Ok(());
                }
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                if !text.is_empty() {
                    take(text)?;
                }
            }
        })
        .map_err(|e| Error { what: format!("the Redis server was not reached: {}", e.what), ..e })?;
        if done.code == 0 {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let line = said.lines().find(|l| !l.trim().is_empty()).unwrap_or("redis-cli says nothing");
        Err(Error::failure(format!("the Redis server was not reached: {}", line.trim())))
    }

    /// The lines that one command is answered with.
    pub fn ask(&self, db: u32, words: &[&[u8]]) -> Result<Vec<Vec<u8>>> {
        let command = command(words);
        let mut answer = Vec::new();
        self.lines(db, |to| to.write_all(&command), &mut |line| {
            refuse(line)?;
            answer.push(line.to_vec());
            Ok(())
        })?;
        Ok(answer)
    }

    /// The databases that hold keys.
    pub fn databases(&self) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        for line in self.ask(0, &[b"INFO", b"keyspace"])? {
            // One string with lines in it, or lines.
            let text = unquoted(&line).unwrap_or(line);
            let text = String::from_utf8_lossy(&text).into_owned();
            for entry in text.lines().filter_map(|l| l.trim().strip_prefix("db")) {
                found.extend(entry.split(':').next().and_then(|n| n.parse::<u32>().ok()));
            }
        }
        Ok(found)
    }

    /// All keys of a database.
    pub fn keys(&self, db: u32) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let answer = self.ask(db, &[b"SCAN", &cursor, b"COUNT", PAGE.as_bytes()])?;
            let mut strings = answer.iter().filter_map(|line| unquoted(line));
            cursor = strings.next().ok_or_else(|| Error::failure("the answer to SCAN cannot be read"))?;
            keys.extend(strings);
            if cursor == b"0" {
                break;
            }
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// True where the server knows `PEXPIRETIME` (7.0): else times are worked out from what is left of them.
    fn knows_times(&self) -> Result<bool> {
        let answer = self.ask(0, &[b"COMMAND", b"INFO", b"PEXPIRETIME"]);
        Ok(answer
            .is_ok_and(|lines| lines.iter().any(|line| unquoted(line).is_some_and(|w| w == b"pexpiretime"))))
    }

    /// What keys hold, large ones last; `None` where one is not there.
    pub fn values(&self, db: u32, keys: &[Vec<u8>], take: &mut Take<'_>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        if !self.knows_times()? {
            return self.one_by_one(db, keys, false, take);
        }
        match self.many_at_once(db, keys, take)? {
            Some(apart) if apart.is_empty() => Ok(()),
            Some(apart) => self.one_by_one(db, &apart, true, take),
            None => self.one_by_one(db, keys, true, take),
        }
    }

    /// By a script that only reads, since a question and an answer for each key cost more than all that is in them. Gives the
    /// keys that are left; `None` where the server takes no script of this user.
    fn many_at_once(&self, db: u32, keys: &[Vec<u8>], take: &mut Take<'_>) -> Result<Option<Vec<Vec<u8>>>> {
        let mut answers = Answers { next: keys.iter(), expires: None };
        let (mut apart, mut heard, mut refused) = (Vec::new(), false, false);
        self.lines(
            db,
            |to| {
                for some in keys.chunks(AT_ONCE) {
                    let front: [&[u8]; 3] = [b"EVAL_RO", MANY, b"0"];
                    let words = front.into_iter().chain(some.iter().map(Vec::as_slice));
                    to.write_all(&command(&words.collect::<Vec<_>>()))?;
                }
                Ok(())
            },
            &mut |line| {
                refused = refused || (!heard && line.starts_with(b"(error)"));
                heard = true;
                if refused {
                    return Ok(());
                }
                refuse(line)?;
                match answers.hear(without_number(line), true, 0)? {
                    Some((key, None, time)) if time == APART => apart.push(key.clone()),
                    Some((key, dump, expires)) => take(key, dump.map(|dump| Value { expires, dump }))?,
                    None => {}
                }
                Ok(())
            },
        )?;
        if refused {
            return Ok(None);
        }
        answers.end()?;
        Ok(Some(apart))
    }

    fn one_by_one(&self, db: u32, keys: &[Vec<u8>], exact: bool, take: &mut Take<'_>) -> Result<()> {
        let verb: &[u8] = if exact { b"PEXPIRETIME" } else { b"PTTL" };
        let now = crate::platform::clock::now_ns() / 1_000_000;
        let mut answers = Answers { next: keys.iter(), expires: None };
        self.lines(
            db,
            |to| {
                for key in keys {
                    to.write_all(&command(&[verb, key]))?;
                    to.write_all(&command(&[b"DUMP", key]))?;
                }
                Ok(())
            },
            &mut |line| {
                refuse(line)?;
                match answers.hear(line, exact, now)? {
                    Some((key, dump, expires)) => take(key, dump.map(|dump| Value { expires, dump })),
                    None => Ok(()),
                }
            },
        )?;
        answers.end()
    }

    /// Gives commands; the errors among the answers, by the command's number.
    pub fn write(&self, db: u32, commands: &[Vec<u8>]) -> Result<Vec<(usize, String)>> {
        let mut errors = Vec::new();
        let mut at = 0;
        self.lines(db, |to| commands.iter().try_for_each(|command| to.write_all(command)), &mut |line| {
            if line.starts_with(b"(error)") || line == b"(integer) 0" {
                errors.push((at, String::from_utf8_lossy(line).into_owned()));
            }
            at += 1;
            Ok(())
        })?;
        if at < commands.len() {
            return Err(Error::failure("the Redis server was lost in the middle"));
        }
        Ok(errors)
    }
}

/// A key, what it holds, and when it expires.
type Heard<'k> = (&'k Vec<u8>, Option<Vec<u8>>, i64);

/// Answers of keys in their order: a time, then a dump.
struct Answers<'k> {
    next: std::slice::Iter<'k, Vec<u8>>,
    expires: Option<i64>,
}

impl<'k> Answers<'k> {
    /// Hears a line: a key, what it holds and when it expires, once both are known.
    fn hear(&mut self, line: &[u8], exact: bool, now: i64) -> Result<Option<Heard<'k>>> {
        let Some(time) = self.expires.take() else {
            let text = String::from_utf8_lossy(line);
            let number = text.trim_start_matches("(integer)").trim().parse::<i64>();
            let number = number.map_err(|_| Error::failure("the answer to a time cannot be read"))?;
            self.expires = Some(if exact || number < 0 { number } else { now + number });
            return Ok(None);
        };
        let key = self.next.next().ok_or_else(|| Error::failure("more answers than keys"))?;
        Ok(Some((key, unquoted(line), time)))
    }

    fn end(mut self) -> Result<()> {
        match self.next.next() {
            None => Ok(()),
            Some(_) => Err(Error::failure("fewer answers than keys")),
        }
    }
}

/// A line of a list without its number.
fn without_number(line: &[u8]) -> &[u8] {
    let text = line.trim_ascii_start();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..).and_then(|rest| rest.strip_prefix(b") ")).unwrap_or(text)
}

/// A command as a line.
pub fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend(quoted(word));
    }
    line.push(b'\n');
    line
}

fn refuse(line: &[u8]) -> Result<()> {
    let Some(said) = line.strip_prefix(b"(error) ") else { return Ok(()) };
    let said = String::from_utf8_lossy(said).into_owned();
    let error = Error::failure(format!("the Redis server says: {said}"));
    Err(match said.starts_with("NOAUTH") || said.starts_with("WRONGPASS") {
        true => error.hint("set REDISCLI_AUTH to the password"),
        false => error,
    })
}
