//! `fr tui`: walk through the record, read an event (before, after, now), see what its undo would do, and do it. It draws what the
//! other verbs print: the same tables, the same words, made safe for a terminal by the same code.

mod ansi;
mod app;
mod draw;
mod keys;
mod list;
mod pane;
mod screen;
mod typed;
mod work;

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event as Input, KeyEventKind};

pub use typed::typed;

use app::{App, Flow};
use screen::Screen;

use crate::cli::Out;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Filter, Index};
use crate::platform::home::Home;
use crate::platform::interrupt::Interrupt;
use crate::platform::terminal::{self, Waited};

/// How long it waits for a key before it looks for new events.
const PAUSE: Duration = Duration::from_millis(250);

/// How often times such as "5m ago" are written anew.
const CLOCK: Duration = Duration::from_secs(5);

/// Runs until the person leaves it; the exit code.
pub fn run(filter: Filter, typed: String, home: Home, index: Index, out: &Out) -> Result<u8> {
    let interrupt = Interrupt::listen();
    let mut screen = Screen::open()?;
    let size = screen.size()?;
    let mut app = App::new(filter, typed, home, index, out.color, size)?;
    let mut written = Instant::now();
    loop {
        let drawn = screen.draw(|frame| draw::all(&mut app, frame));
        if drawn.is_err() {
            let_it_write(&mut app);
            return drawn.map(|()| 0);
        }
        // An undo that writes is waited for: half of it would be worse.
        if interrupt.came() && !app.is_writing() {
            return Ok(ExitCode::Interrupted as u8);
        }
        let waited = terminal::wait(PAUSE);
        if waited == Waited::Gone {
            let_it_write(&mut app);
            return Ok(ExitCode::Interrupted as u8);
        }
        // Without input too: it is how a new size is heard of.
        // All of it: what crossterm has read already, no wait for the terminal tells.
        while event::poll(Duration::ZERO).map_err(|e| lost(&e))? {
            match take(&mut app)? {
                Flow::On => {}
                Flow::Leave(code) => return Ok(code),
            }
        }
        if app.hear() {
            drain(&mut app)?;
        }
        app.look(written.elapsed() >= CLOCK)?;
        if written.elapsed() >= CLOCK {
            written = Instant::now();
        }
    }
}

/// An undo that writes is waited for although nobody looks any more: it ends with the process.
fn let_it_write(app: &mut App) {
    while app.is_writing() {
        std::thread::sleep(PAUSE);
        app.hear();
    }
}

/// Throws away what was typed before the plan was to be seen: it is no answer to it.
fn drain(app: &mut App) -> Result<()> {
    while event::poll(Duration::ZERO).map_err(|e| lost(&e))? {
        if let Input::Resize(width, height) = event::read().map_err(|e| lost(&e))? {
            app.resize(width, height)?;
        }
    }
    Ok(())
}

/// Takes one input.
fn take(app: &mut App) -> Result<Flow> {
    match event::read().map_err(|e| lost(&e))? {
        Input::Key(key) if key.kind != KeyEventKind::Release => app.key(key),
        // Text that is pasted is text: it must not be taken for keys.
        Input::Paste(text) => {
            app.paste(&text)?;
            Ok(Flow::On)
        }
        Input::Resize(width, height) => {
            app.resize(width, height)?;
            Ok(Flow::On)
        }
        _ => Ok(Flow::On),
    }
}

fn lost(cause: &std::io::Error) -> Error {
    Error::failure(format!("the terminal is gone: {cause}"))
}
