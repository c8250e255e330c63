//! A session of the user's client: statements in, rows out. The delimiter is a word that nobody's text holds, so that no text
//! can end a statement; client commands are off (`--binary-mode`).

use std::time::{Duration, Instant};

use super::connection::Connection;
use crate::error::{Error, Result};
use crate::platform::random;
use crate::platform::talk::Talk;

/// A session.
pub struct Client {
    talk: Talk,
    /// Ends statements, and marks the end of answers.
    mark: String,
    /// An error does not end it.
    forgiving: bool,
    buffer: Vec<u8>,
    /// When it is ended.
    pub until: Instant,
}

/// A row of an answer.
pub type Values = Vec<Option<String>>;

impl Client {
    /// Connects. `forgiving`: a statement that fails ends nothing; otherwise it ends the session, and the server rolls back.
    ///
    /// # Errors
    /// Where there is no client, no server, or no way in.
    pub fn open(connection: &Connection, until: Instant, forgiving: bool) -> Result<Client> {
        let argv = connection.argv(forgiving);
        let mut talk = Talk::start(&argv, &connection.environment(), &connection.directory(), until)?;
        let mut noise = [0u8; 6];
        random::fill(&mut noise);
        let noise: String = noise.iter().map(|b| format!("{b:02x}")).collect();
        // The client cuts a delimiter after 15 characters.
        let mark = format!("fr{noise}");
        talk.say(format!("DELIMITER {mark}\n").as_bytes())?;
        let mut client = Client { talk, mark, forgiving, buffer: Vec::new(), until };
        match client.run("SELECT 1") {
            Ok(()) => Ok(client),
            // What we say names its database: where that was dropped since, the server says so of each table.
            Err(e) if e.what.contains("Unknown database") && connection.has_database() => {
                Client::open(&connection.without_database(), until, forgiving)
            }
            Err(e) => Err(e),
        }
    }

    /// How long it may still take.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// What the server said.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.rows(sql, &mut |_| Ok(()))
    }

    /// One value; `None` for NULL and where there is no row.
    pub fn value(&mut self, query: &str) -> Result<Option<String>> {
        Ok(self.table(query)?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// The rows of a short query.
    pub fn table(&mut self, query: &str) -> Result<Vec<Values>> {
        let mut out = Vec::new();
        self.rows(query, &mut |line| {
            out.push(values(line));
            Ok(())
        })?;
        Ok(out)
    }

    /// The rows of short queries, which are sent in one go: on a fast server the ways there and back are most of the time.
    ///
    /// # Errors
    /// What the server said to the first that failed.
    pub fn tables<const N: usize>(&mut self, queries: [&str; N]) -> Result<[Vec<Values>; N]> {
        let all: Vec<String> = queries.iter().map(|query| self.marked(query)).collect();
        self.talk.say(all.concat().as_bytes())?;
        let mut out = [const { Vec::new() }; N];
        let mut failed = None;
        for (rows, query) in out.iter_mut().zip(queries) {
            if !self.answer(&mut |line| {
                rows.push(values(line));
                Ok(())
            })? {
                failed = failed.or(Some(query));
            }
        }
        match failed {
            None => Ok(out),
            Some(query) => {
                self.clear()?;
                // What it said has gone by: the question is harmless, so it is asked again.
                self.run(query)?;
                Err(Error::failure("the server says no more"))
            }
        }
    }

    /// Settings that not every server knows, and what has to be run after them; sent in one go.
    pub fn begin<const N: usize>(
        &mut self,
        attempts: &[String],
        then: [&str; N],
    ) -> Result<[Vec<Values>; N]> {
        if self.forgiving {
            let mut text = String::new();
            attempts.iter().for_each(|sql| text.push_str(&format!("{sql}{}\n", self.mark)));
            text.push_str(&self.clearing());
            self.talk.say(text.as_bytes())?;
            self.until_mark(&mut |_| Ok(()))?;
        }
        self.tables(then)
    }

    fn marked(&self, sql: &str) -> String {
        let mark = &self.mark;
        format!("{sql}{mark}\nSELECT '{mark}', @@error_count{mark}\n")
    }

    /// A query that looks into a table clears the errors of the statement before it; others leave them.
    fn clearing(&self) -> String {
        let mark = &self.mark;
        format!("SELECT '{mark}' FROM information_schema.ENGINES LIMIT 1{mark}\n")
    }

    fn clear(&mut self) -> Result<()> {
        let text = self.clearing();
        self.talk.say(text.as_bytes())?;
        self.until_mark(&mut |_| Ok(())).map(drop)
    }

    /// Reads the lines up to the next mark; what stands behind it.
    fn until_mark(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Vec<u8>> {
        let mut failed: Option<Error> = None;
        let mut buffer = std::mem::take(&mut self.buffer);
        let rest = loop {
            let Some(line) = self.talk.line(&mut buffer)? else { return Err(self.talk.ended()) };
            match line.strip_prefix(self.mark.as_bytes()) {
                Some(rest) => break rest.to_vec(),
                None if failed.is_none() => failed = each(line).err(),
                None => {}
            }
        };
        self.buffer = buffer;
        failed.map_or(Ok(rest), Err)
    }

    /// Reads the answer to a marked statement; false where it failed.
    fn answer(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        Ok(self.until_mark(each)?.as_slice() == b"\t0")
    }

    /// Every row of a query, as the client writes it.
    pub fn rows(&mut self, sql: &str, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let text = self.marked(sql);
        self.talk.say(text.as_bytes())?;
        if self.answer(each)? {
            return Ok(());
        }
        let text = format!("SHOW ERRORS LIMIT 1{}\n{}", self.mark, self.clearing());
        self.talk.say(text.as_bytes())?;
        let mut why = "the server says no more".to_owned();
        self.until_mark(&mut |line| {
            why = short(line);
            Ok(())
        })?;
        Err(Error::failure(why))
    }
}

/// The fields of a line.
fn values(line: &[u8]) -> Values {
    let value = |field: &[u8]| match field {
        b"NULL" => None,
        other => Some(String::from_utf8_lossy(&unescaped(other)).into_owned()),
    };
    line.split(|b| *b == b'\t').map(value).collect()
}

/// A level, a number and a message, tabs between them; messages may quote a value.
fn short(line: &[u8]) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(line).into_owned();
    let message = text.splitn(3, '\t').last().unwrap_or_default();
    match message.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", message.get(..at).unwrap_or_default()),
        None => message.to_owned(),
    }
}

/// What `--batch` escapes: `\n`, `\t`, `\0`, `\\`.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(b) = bytes.next() {
        match (b, b == &b'\\') {
            (_, true) => out.push(match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                Some(other) => *other,
                None => b'\\',
            }),
            (b, false) => out.push(*b),
        }
    }
    out
}
