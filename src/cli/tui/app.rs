//! What is on the screen, and what a key makes of it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::list::List;
use super::pane::Pane;
use super::work::{self, Answer, Planned, Work, error_text};
use super::{keys, typed};
use crate::cli::Out;
use crate::cli::render::{event_details, safe};
use crate::cli::verbs::diff;
use crate::error::{ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::EventId;
use crate::platform::home::Home;
use crate::recover;

/// What follows a key.
pub enum Flow {
    /// Nothing in particular.
    On,
    /// The end, with this exit code.
    Leave(u8),
}

/// Where the person is: decides which keys there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Where {
    List,
    Typing,
    Event,
    Plan,
    Text,
}

/// What is seen of an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// What `fr show` says.
    Record,
    /// What `fr diff` says: before and after.
    Change,
    /// What `fr diff --now` says: before and now.
    Now,
}

/// What lies over the list.
pub enum View {
    Typing { before: String },
    Event { event: Box<Event>, tab: Tab, pane: Pane },
    Plan { planned: Box<Planned>, pane: Pane },
    Text { title: String, pane: Pane },
}

/// All of it.
pub struct App {
    home: Home,
    index: Index,
    pub list: List,
    pub views: Vec<View>,
    pub typed: String,
    /// What is wrong with what was typed, or a word on what happened.
    pub message: Option<String>,
    pub work: Option<Work>,
    color: bool,
    size: (u16, u16),
}

impl App {
    /// The list of the newest events.
    pub fn new(
        filter: Filter,
        typed: String,
        home: Home,
        index: Index,
        color: bool,
        size: (u16, u16),
    ) -> Result<App> {
        let list = List::new(filter);
        let mut app =
            App { home, index, list, views: Vec::new(), typed, message: None, work: None, color, size };
        app.load()?;
        app.list.first();
        Ok(app)
    }

    /// Where the person is.
    pub fn place(&self) -> Where {
        match self.views.last() {
            None => Where::List,
            Some(View::Typing { .. }) => Where::Typing,
            Some(View::Event { .. }) => Where::Event,
            Some(View::Plan { .. }) => Where::Plan,
            Some(View::Text { .. }) => Where::Text,
        }
    }

    /// True while an undo writes.
    pub fn is_writing(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.writes)
    }

    fn look_of(&self) -> (bool, u16) {
        (self.color, self.size.0)
    }

    fn load(&mut self) -> Result<()> {
        let look = self.look_of();
        self.list.load(&self.index, look)
    }

    /// The screen has another size.
    pub fn resize(&mut self, width: u16, height: u16) -> Result<()> {
        self.size = (width, height);
        let look = self.look_of();
        self.list.write(&self.index, look)
    }

    /// Looks for new events; `anew` writes the times anew as well.
    pub fn look(&mut self, anew: bool) -> Result<()> {
        if self.index.has_more() {
            if self.index.catch_up().is_err() {
                self.index = Index::open(&self.home)?;
            }
            let newest = self.list.top == 0 && self.views.is_empty();
            self.load()?;
            // Who stands at the top stays at the top.
            if newest {
                self.list.top = 0;
            }
            return self.renew();
        }
        if anew {
            let look = self.look_of();
            self.list.write(&self.index, look)?;
        }
        Ok(())
    }

    /// An event that is being read may have ended, or may have been undone.
    fn renew(&mut self) -> Result<()> {
        let Some(View::Event { event, tab: Tab::Record, .. }) = self.views.last() else { return Ok(()) };
        let id = event.id;
        let Some(now) = self.index.event(id)? else { return Ok(()) };
        let color = self.color;
        if let Some(View::Event { event, pane, .. }) = self.views.last_mut()
            && **event != now
        {
            *pane = Pane::of(&record_text(&now, color)?);
            **event = now;
        }
        Ok(())
    }

    /// Takes what came of the work; true where a question came of it.
    pub fn hear(&mut self) -> bool {
        let Some(answer) = self.work.as_ref().and_then(Work::answer) else { return false };
        self.work = None;
        let told = match answer {
            Ok(Answer::Now(id, text)) => {
                self.show_now(id, text);
                return false;
            }
            Ok(Answer::Plan(planned)) => match *planned {
                Ok(planned) => {
                    let mut text = planned.text.clone();
                    if let Some(why) = &planned.refused {
                        text.push_str(&format!("\ncannot be applied here: {why}\n"));
                    }
                    let pane = Pane::of(&text);
                    self.views.push(View::Plan { planned: Box::new(planned), pane });
                    return true;
                }
                Err(error) => Err(error),
            },
            Ok(Answer::Applied(done)) => {
                // What lies over the list is as it was before the undo.
                self.views.clear();
                done
            }
            Err(error) => Err(error),
        };
        let (title, text) = match told {
            Ok(text) => ("the undo, as it went".to_owned(), text),
            Err(error) => ("not done".to_owned(), error_text(&error)),
        };
        self.views.push(View::Text { title, pane: Pane::of(&text) });
        true
    }

    fn show_now(&mut self, id: EventId, text: Result<String>) {
        if let Some(View::Event { event, tab: Tab::Now, pane }) = self.views.last_mut()
            && event.id == id
        {
            *pane = Pane::of(&match text {
                Ok(text) if text.is_empty() => "all of it is as it was before the command".to_owned(),
                Ok(text) => format!("- before the command, + now\n\n{text}"),
                Err(error) => error_text(&error),
            });
        }
    }

    /// Text that was pasted counts only where text is typed.
    pub fn paste(&mut self, text: &str) -> Result<()> {
        if self.place() == Where::Typing {
            self.typed.extend(text.chars().filter(|c| !c.is_control()));
            self.narrow()?;
        }
        Ok(())
    }

    /// A key.
    pub fn key(&mut self, key: KeyEvent) -> Result<Flow> {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        if ctrl && key.code == KeyCode::Char('c') {
            if self.is_writing() {
                self.message = Some("the undo is ended first".to_owned());
                return Ok(Flow::On);
            }
            return Ok(Flow::Leave(ExitCode::Interrupted as u8));
        }
        if self.is_writing() {
            return Ok(Flow::On);
        }
        let place = self.place();
        if place != Where::Typing {
            self.message = None;
            if key.code == KeyCode::Char('?') {
                let pane = Pane::of(&keys::help());
                self.views.push(View::Text { title: "help".to_owned(), pane });
                return Ok(Flow::On);
            }
        }
        match place {
            Where::List => return self.list_key(key.code),
            Where::Typing => self.typing_key(key.code, ctrl)?,
            Where::Event => self.event_key(key.code)?,
            Where::Plan => self.plan_key(key.code),
            Where::Text => self.text_key(key.code),
        }
        Ok(Flow::On)
    }

    fn list_key(&mut self, key: KeyCode) -> Result<Flow> {
        let page = usize::from(self.size.1).saturating_sub(4).max(1).cast_signed();
        let more = match key {
            KeyCode::Char('q') => return Ok(Flow::Leave(0)),
            KeyCode::Up | KeyCode::Char('k') => self.list.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.list.step(1),
            KeyCode::PageUp => self.list.step(-page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.list.step(page),
            KeyCode::Home | KeyCode::Char('g') => {
                self.list.first();
                false
            }
            KeyCode::End | KeyCode::Char('G') => self.list.last(),
            KeyCode::Enter | KeyCode::Right => {
                self.open()?;
                false
            }
            KeyCode::Char('u') => {
                self.plan();
                false
            }
            KeyCode::Char('/') => {
                self.views.push(View::Typing { before: self.typed.clone() });
                // What is typed now is another word.
                if !self.typed.is_empty() && !self.typed.ends_with(' ') {
                    self.typed.push(' ');
                }
                false
            }
            KeyCode::Char('c') => {
                self.typed.clear();
                self.narrow()?;
                false
            }
            KeyCode::Char('d') => {
                self.toggle("changes".to_owned())?;
                false
            }
            KeyCode::Char('s') => {
                self.toggle_session()?;
                false
            }
            _ => false,
        };
        if more {
            self.load()?;
        }
        if self.list.is_full() && matches!(key, KeyCode::End | KeyCode::Char('G')) {
            self.message = Some("no older ones are loaded: narrow the list with /".to_owned());
        }
        Ok(Flow::On)
    }

    /// Puts a word into the filter, or takes it out.
    fn toggle(&mut self, word: String) -> Result<()> {
        let mut words: Vec<String> = self.typed.split_whitespace().map(str::to_owned).collect();
        let had = words.len();
        words.retain(|w| *w != word);
        if words.len() == had {
            words.push(word);
        }
        self.typed = words.join(" ");
        self.narrow()
    }

    fn toggle_session(&mut self) -> Result<()> {
        let is_session = |word: &&str| word.starts_with("session:");
        if let Some(word) = self.typed.split_whitespace().find(is_session) {
            return self.toggle(word.to_owned());
        }
        let Some(session) = self.list.chosen_event().map(|event| event.before.session.clone()) else {
            return Ok(());
        };
        self.toggle(format!("session:{session}"))
    }

    fn typing_key(&mut self, key: KeyCode, ctrl: bool) -> Result<()> {
        match key {
            KeyCode::Enter => {
                self.views.pop();
                return Ok(());
            }
            KeyCode::Esc => {
                if let Some(View::Typing { before }) = self.views.pop() {
                    self.typed = before;
                }
            }
            KeyCode::Backspace => drop(self.typed.pop()),
            KeyCode::Char('u') if ctrl => self.typed.clear(),
            KeyCode::Char(c) if !ctrl => self.typed.push(c),
            _ => return Ok(()),
        }
        self.narrow()
    }

    /// Narrows the list to what is typed; what cannot be understood yet leaves it as it is, and says so.
    fn narrow(&mut self) -> Result<()> {
        match typed::filter(&self.typed) {
            Ok(filter) => {
                self.message = None;
                self.list.narrow(filter);
                self.load()?;
                self.list.first();
            }
            Err(error) => self.message = Some(safe(error.what.as_bytes())),
        }
        Ok(())
    }

    fn open(&mut self) -> Result<()> {
        let Some(event) = self.list.chosen_event().cloned() else { return Ok(()) };
        let pane = Pane::of(&record_text(&event, self.color)?);
        self.views.push(View::Event { event: Box::new(event), tab: Tab::Record, pane });
        Ok(())
    }

    fn event_key(&mut self, key: KeyCode) -> Result<()> {
        let Some(View::Event { tab, pane, .. }) = self.views.last_mut() else { return Ok(()) };
        let next = match (key, *tab) {
            (KeyCode::Esc | KeyCode::Char('q'), _) => {
                self.views.pop();
                self.work = None;
                return Ok(());
            }
            (KeyCode::Char('u'), _) => {
                self.plan();
                return Ok(());
            }
            (KeyCode::Left | KeyCode::Char('p'), _) => return self.neighbour(-1),
            (KeyCode::Right | KeyCode::Char('n'), _) => return self.neighbour(1),
            (KeyCode::Char('1'), _) | (KeyCode::Tab, Tab::Now) => Tab::Record,
            (KeyCode::Char('2'), _) | (KeyCode::Tab, Tab::Record) => Tab::Change,
            (KeyCode::Char('3'), _) | (KeyCode::Tab, Tab::Change) => Tab::Now,
            (key, _) => {
                scroll(pane, key);
                return Ok(());
            }
        };
        self.turn_to(next)
    }

    /// The event beside it in the list, in the same view.
    fn neighbour(&mut self, by: isize) -> Result<()> {
        self.work = None;
        if self.list.step(by) {
            self.load()?;
        }
        self.views.pop();
        self.open()
    }

    fn turn_to(&mut self, next: Tab) -> Result<()> {
        let Some(View::Event { event, tab, pane }) = self.views.last_mut() else { return Ok(()) };
        *tab = next;
        self.work = None;
        let color = self.color;
        *pane = match next {
            Tab::Record => Pane::of(&record_text(event, color)?),
            Tab::Change => Pane::of(&change_text(event, &self.home, color)),
            Tab::Now => {
                self.work = Some(work::now((**event).clone(), self.home.clone(), color));
                Pane::of("looking at how it is now…")
            }
        };
        Ok(())
    }

    /// Plans the undo of the event that is looked at.
    fn plan(&mut self) {
        let id = match self.views.last() {
            Some(View::Event { event, .. }) => Some(event.id),
            _ => self.list.chosen(),
        };
        if let Some(id) = id {
            self.work = Some(work::plan(id, self.home.clone(), self.color));
        }
    }

    fn plan_key(&mut self, key: KeyCode) {
        let Some(View::Plan { planned, pane }) = self.views.last_mut() else { return };
        match key {
            KeyCode::Esc | KeyCode::Char('q' | 'n') => drop(self.views.pop()),
            KeyCode::Char('y') if planned.refused.is_none() => {
                if let Some(View::Plan { planned, .. }) = self.views.pop() {
                    self.work = Some(work::apply(*planned, self.home.clone(), self.color));
                }
            }
            KeyCode::Char('y') => {
                self.message = Some("it cannot be applied here: see below the plan".to_owned())
            }
            key => scroll(pane, key),
        }
    }

    fn text_key(&mut self, key: KeyCode) {
        let Some(View::Text { pane, .. }) = self.views.last_mut() else { return };
        match key {
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => drop(self.views.pop()),
            key => scroll(pane, key),
        }
    }
}

fn scroll(pane: &mut Pane, key: KeyCode) {
    match key {
        KeyCode::Up | KeyCode::Char('k') => pane.scroll(-1),
        KeyCode::Down | KeyCode::Char('j') => pane.scroll(1),
        KeyCode::PageUp => pane.page(false),
        KeyCode::PageDown | KeyCode::Char(' ') => pane.page(true),
        KeyCode::Home | KeyCode::Char('g') => pane.first(),
        KeyCode::End | KeyCode::Char('G') => pane.end(),
        _ => {}
    }
}

fn record_text(event: &Event, color: bool) -> Result<String> {
    let mut out = Out::text(color, None);
    event_details(event, &mut out)?;
    Ok(out.into_text())
}

fn change_text(event: &Event, home: &Home, color: bool) -> String {
    let text = recover::changes(event, home).and_then(|changes| {
        let mut out = Out::text(color, None);
        diff::show(&changes, false, &mut out)?;
        Ok(out.into_text())
    });
    match text {
        Ok(text) if text.is_empty() => "no difference is recorded".to_owned(),
        Ok(text) => format!("- before the command, + after it\n\n{text}"),
        Err(error) => error_text(&error),
    }
}
