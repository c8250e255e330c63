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
        client.run("SELECT 1")?;
        Ok(client)
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

    /// A setting that not every server knows.
    pub fn attempt(&mut self, sql: &str) {
        if self.forgiving {
            let _ = self.run(sql);
        }
    }

    /// One value; `None` for NULL and where there is no row.
    pub fn value(&mut self, query: &str) -> Result<Option<String>> {
        Ok(self.table(query)?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// The rows of a short query.
    pub fn table(&mut self, query: &str) -> Result<Vec<Values>> {
        let mut out = Vec::new();
        self.rows(query, &mut |line| {
            let value = |field: &[u8]| match field {
                b"NULL" => None,
                other => Some(String::from_utf8_lossy(&unescaped(other)).into_owned()),
            };
            out.push(line.split(|b| *b == b'\t').map(value).collect());
            Ok(())
        })?;
        Ok(out)
    }

    /// Every row of a query, as the client writes it.
    pub fn rows(&mut self, sql: &str, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mark = self.mark.clone();
        // The last query looks into a table: that clears the errors of the statement, the others leave them.
        let text = format!(
            "{sql}{mark}\nSELECT '{mark}', @@error_count{mark}\nSHOW ERRORS LIMIT 1{mark}\n\
             SELECT '{mark}' FROM information_schema.ENGINES LIMIT 1{mark}\n"
        );
        self.talk.say(text.as_bytes())?;
        let mut failed: Option<Error> = None;
        let mut said: Option<Option<String>> = None;
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let Some(line) = self.talk.line(&mut buffer)? else { return Err(self.talk.ended()) };
            match (line.strip_prefix(mark.as_bytes()), &mut said) {
                (Some(rest), None) => {
                    let none = rest.strip_prefix(b"\t") == Some(b"0".as_slice());
                    said = Some((!none).then(|| "the server says no more".to_owned()));
                }
                (Some(_), Some(_)) => break,
                (None, Some(Some(why))) => *why = short(line),
                (None, Some(None)) => {}
                (None, None) if failed.is_none() => failed = each(line).err(),
                (None, None) => {}
            }
        }
        self.buffer = buffer;
        match (failed, said.flatten()) {
            (Some(e), _) => Err(e),
            (None, Some(why)) => Err(Error::failure(why)),
            (None, None) => Ok(()),
        }
    }
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
