//! The terminal while it is ours, and its way back: on every way out, a panic too.

use std::io::{IsTerminal, stdin, stdout};

use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::execute;
use ratatui::{DefaultTerminal, Frame};

use crate::cli::usage;
use crate::error::{Error, Result};

/// The alternate screen in raw mode; dropping it gives the terminal back.
pub struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal.
    pub fn open() -> Result<Screen> {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        if !stdout().is_terminal() || !stdin().is_terminal() || is_dumb {
            return Err(usage("fr tui needs a terminal that can draw, for input and output").hint(
                "`fr timeline` prints the list, `fr show ID` an event, `fr undo ID --dry-run` a plan",
            ));
        }
        // It also sees to it that a panic gives the terminal back before it is told.
        match ratatui::try_init() {
            Ok(terminal) => {
                // Without it, text that is pasted would be taken for keys.
                let _ = execute!(stdout(), EnableBracketedPaste);
                Ok(Screen { terminal })
            }
            Err(cause) => {
                let _ = ratatui::try_restore();
                Err(failed(&cause))
            }
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height)).map_err(|e| failed(&e))
    }

    /// Draws.
    pub fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
        self.terminal.draw(paint).map(drop).map_err(|e| failed(&e))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(stdout(), DisableBracketedPaste);
        let _ = self.terminal.show_cursor();
        let _ = ratatui::try_restore();
    }
}

fn failed(cause: &std::io::Error) -> Error {
    Error::failure(format!("cannot draw on the terminal: {cause}"))
}
