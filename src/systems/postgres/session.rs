//! A session of the user's psql: statements in, rows out. Without its start file, without its shell, without a prompt.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use super::connection::Connection;
use crate::error::{Error, Result};
use crate::platform::random;
use crate::platform::talk::Talk;
use crate::systems::tables::{fields, unescape};

/// A session.
pub struct Psql {
    talk: Talk,
    /// Nobody's data holds this line.
    mark: String,
    buffer: Vec<u8>,
    /// When it is ended.
    pub until: Instant,
}

/// What takes a row.
pub type Give<'g> = dyn FnMut(&[u8]) -> Result<()> + 'g;

/// A row of an answer.
pub type Values = Vec<Option<String>>;

/// What makes values come out the same way every time (PostgreSQL's `pg_dump` sets the same).
/// The time zone and the order of day and month stay the session's own: the condition of the command is read by them. Times
/// come out with their offset, so that they are the same moment wherever they are put back.
const SETTINGS: &str = "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET datestyle = 'ISO'; \
    SET intervalstyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'; SET xmloption = content; \
    SET client_min_messages = warning; SET synchronize_seqscans = off; SET jit = off;";

impl Psql {
    /// Connects.
    ///
    /// # Errors
    /// Where there is no psql, no server, or no way in.
    pub fn open(connection: &Connection, until: Instant) -> Result<Psql> {
        let argv: Vec<OsString> = [
            "psql",
            "-X",
            "-q",
            "-A",
            "-t",
            "-w",
            "-v",
            "ON_ERROR_STOP=0",
            "-v",
            "ON_ERROR_ROLLBACK=off",
            "-v",
            "VERBOSITY=terse",
        ]
        .map(OsString::from)
        .into();
        let talk = Talk::start(&argv, &connection.environment(), &connection.directory(), until)?;
        let mut noise = [0u8; 12];
        random::fill(&mut noise);
        let noise: String = noise.iter().map(|b| format!("{b:02x}")).collect();
        let mut psql = Psql { talk, mark: format!("fr-mark-{noise}"), buffer: Vec::new(), until };
        psql.run(SETTINGS)?;
        Ok(psql)
    }

    /// How long it may still take.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// What the server said: its message without details, which quote data.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.ask(sql, &mut |_| Ok(()))
    }

    /// Runs a statement that may fail inside a transaction without ending it.
    pub fn attempt(&mut self, sql: &str) -> Result<()> {
        self.run("SAVEPOINT fr")?;
        self.settled(|psql| psql.run(sql))
    }

    /// Every row of a query, as `COPY` writes it.
    pub fn rows(&mut self, query: &str, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.run("SAVEPOINT fr")?;
        let copy = format!("COPY ({query}) TO STDOUT");
        self.settled(|psql| psql.ask(&copy, each))
    }

    /// One value, asked for in the transaction itself: a snapshot cannot be given away from a part of one. Where it fails,
    /// the transaction is over.
    pub fn value(&mut self, query: &str) -> Result<String> {
        let mut out = String::new();
        self.ask(&format!("COPY ({query}) TO STDOUT"), &mut |line| {
            out = String::from_utf8_lossy(line).into_owned();
            Ok(())
        })?;
        Ok(out)
    }

    fn settled(&mut self, work: impl FnOnce(&mut Psql) -> Result<()>) -> Result<()> {
        let done = work(self);
        match &done {
            Ok(()) => self.run("RELEASE SAVEPOINT fr")?,
            Err(_) => self.run("ROLLBACK TO SAVEPOINT fr; RELEASE SAVEPOINT fr")?,
        }
        done
    }

    /// The rows of a short query.
    pub fn table(&mut self, query: &str) -> Result<Vec<Values>> {
        let mut out = Vec::new();
        self.rows(query, &mut |line| {
            let value = |field: &[u8]| unescape(field).map(|v| String::from_utf8_lossy(&v).into_owned());
            out.push(fields(line).map(value).collect());
            Ok(())
        })?;
        Ok(out)
    }

    /// Fills a table: `feed` is given what takes rows. An empty `COPY` goes first: where the server would not take rows, psql
    /// would read them as commands.
    pub fn load(&mut self, into: &str, feed: &mut dyn FnMut(&mut Give<'_>) -> Result<()>) -> Result<()> {
        let copy = format!("COPY {into} FROM STDIN");
        self.run(&format!("{copy};\n\\.\n"))?;
        self.talk.say(format!("{copy};\n").as_bytes())?;
        let talk = &mut self.talk;
        let mut pending: Vec<u8> = Vec::with_capacity(64 << 10);
        let fed = feed(&mut |line| {
            pending.extend_from_slice(line);
            pending.push(b'\n');
            if pending.len() >= 60 << 10 {
                talk.say(&pending)?;
                pending.clear();
            }
            Ok(())
        });
        self.talk.say(&pending)?;
        self.talk.say(b"\\.\n")?;
        let done = self.answer(&mut |_| Ok(()));
        fed.and(done)
    }

    fn ask(&mut self, sql: &str, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let end = if sql.trim_end().ends_with([';', '.']) { "" } else { ";" };
        self.talk.say(format!("{sql}{end}\n").as_bytes())?;
        self.answer(each)
    }

    /// Reads up to the mark.
    fn answer(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mark = self.mark.clone();
        self.talk.say(format!("\\echo {mark} :ERROR :LAST_ERROR_MESSAGE\n").as_bytes())?;
        let mut failed: Option<Error> = None;
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let Some(line) = self.talk.line(&mut buffer)? else { return Err(self.talk.ended()) };
            if let Some(said) = line.strip_prefix(mark.as_bytes()) {
                let said = String::from_utf8_lossy(said).trim().to_owned();
                self.buffer = buffer;
                return match (failed, said.strip_prefix("false"), said.strip_prefix("true")) {
                    (Some(e), _, _) => Err(e),
                    (None, Some(_), _) => Ok(()),
                    (None, None, Some(why)) => Err(Error::failure(short(why.trim()))),
                    (None, None, None) => Err(Error::failure("psql is older than version 11")),
                };
            }
            if failed.is_none() {
                failed = each(line).err();
            }
        }
    }
}

/// Messages may quote a value.
fn short(message: &str) -> String {
    const MOST: usize = 200;
    match message.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", message.get(..at).unwrap_or_default()),
        None => message.to_owned(),
    }
}
