//! Where output goes: stdout is data, stderr is talk. Colour and width are decided once, here.

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use super::args::{Cli, ColorChoice};
use super::render::{next_step, safe, style};
use crate::error::{Error, Result};

/// Where it is written.
enum Sink {
    Stdout(BufWriter<io::Stdout>),
    /// Kept, for a screen that is drawn.
    Text(Vec<u8>),
}

/// Buffered stdout with what rendering needs to know.
pub struct Out {
    sink: Sink,
    /// Print JSON.
    pub json: bool,
    /// Use colour on stdout.
    pub color: bool,
    /// Stdout is a terminal.
    pub tty: bool,
    /// Columns of the terminal; `None` where stdout is not one: nothing is cut then.
    pub width: Option<usize>,
}

impl Out {
    /// Output as the command line asks for it.
    pub fn from_cli(cli: &Cli) -> Out {
        Out::new(cli.json, cli.color)
    }

    /// Output with a colour choice.
    pub fn new(json: bool, choice: ColorChoice) -> Out {
        let stdout = io::stdout();
        let tty = stdout.is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => tty && !no_color && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
        };
        let width = if tty { terminal_width() } else { None };
        Out { sink: Sink::Stdout(BufWriter::new(stdout)), json, color, tty, width }
    }

    /// Output that is kept: what a verb would print, for another place than stdout.
    pub fn text(color: bool, width: Option<usize>) -> Out {
        Out { sink: Sink::Text(Vec::new()), json: false, color, tty: false, width }
    }

    /// What was kept.
    pub fn into_text(self) -> String {
        match self.sink {
            Sink::Text(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Sink::Stdout(_) => String::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.sink {
            Sink::Stdout(stdout) => stdout.write_all(bytes),
            Sink::Text(text) => text.write_all(bytes),
        }
    }

    /// One line of text on stdout. The text must already be safe for a terminal.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        let done = self.write(text.as_ref().as_bytes()).and_then(|()| self.write(b"\n"));
        written(done)
    }

    /// Raw bytes on stdout, for data that is not text for people.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        written(self.write(bytes))
    }

    /// A value as pretty JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|e| Error::failure(format!("cannot render JSON: {e}")))?;
        self.line(text)
    }

    /// Talk: one line on stderr.
    pub fn talk(&mut self, text: impl AsRef<str>) {
        if let Sink::Text(kept) = &mut self.sink {
            let _ = writeln!(kept, "{}", text.as_ref());
            return;
        }
        // Nothing useful can be done where stderr is closed.
        let _ = writeln!(io::stderr(), "{}", text.as_ref());
    }

    /// Text in a style, where colour is on.
    pub fn paint(&self, style: anstyle::Style, text: impl AsRef<str>) -> String {
        if self.color { format!("{style}{}{style:#}", text.as_ref()) } else { text.as_ref().to_owned() }
    }

    /// Writes what is buffered.
    pub fn flush(&mut self) -> Result<()> {
        match &mut self.sink {
            Sink::Stdout(stdout) => written(stdout.flush()),
            Sink::Text(_) => Ok(()),
        }
    }

    /// An error with its hints, on stderr.
    pub fn error(&mut self, error: &Error) {
        let _ = self.flush();
        let stderr = io::stderr();
        let color = self.color && stderr.is_terminal();
        let word =
            if color { format!("{}error:{:#}", style::ERROR, style::ERROR) } else { "error:".to_owned() };
        let mut text = format!("{word} {}\n", safe(error.what.as_bytes()));
        for hint in &error.hints {
            text.push_str(&format!("  hint: {}\n", safe(hint.as_bytes())));
        }
        if let Some(hint) = next_step(error) {
            text.push_str(&format!("  hint: {hint}\n"));
        }
        let _ = stderr.lock().write_all(text.as_bytes());
    }
}

/// A closed pipe (`fr timeline | head`) ends the program quietly, as it does every filter.
fn written(result: io::Result<()>) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(Error::failure(format!("cannot write to standard output: {e}"))),
    }
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
