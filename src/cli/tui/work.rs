//! What may take a while (looking at the world, planning, undoing) runs beside the screen, which stays alive.

use std::sync::mpsc::{Receiver, channel};

use crate::cli::Out;
use crate::cli::render::{plan_text, report_text, safe};
use crate::cli::verbs::{diff, undo};
use crate::error::{Error, Result};
use crate::journal::index::{Event, Index};
use crate::model::{EventId, Policy};
use crate::platform::home::Home;
use crate::recover::{self, Scope, UndoPlan};
use crate::store::Store;

/// What came of it.
pub enum Answer {
    /// The differences of an event with the present.
    Now(EventId, Result<String>),
    /// The plan of an undo.
    Plan(Box<Result<Planned>>),
    /// How an undo went.
    Applied(Result<String>),
}

/// The plan of an undo, and why it cannot be applied from here, where that is so.
pub struct Planned {
    pub event: Event,
    pub plan: UndoPlan,
    pub text: String,
    pub refused: Option<String>,
}

/// Something that runs.
pub struct Work {
    /// In a word, for the screen.
    pub word: &'static str,
    /// It changes something: it is not left alone.
    pub writes: bool,
    answer: Receiver<Answer>,
}

impl Work {
    fn start(word: &'static str, writes: bool, work: impl FnOnce() -> Answer + Send + 'static) -> Work {
        let (tell, answer) = channel();
        std::thread::spawn(move || {
            // Where nobody waits any more, nobody is told.
            let _ = tell.send(work());
        });
        Work { word, writes, answer }
    }

    /// What came of it, if it has ended. `Err` where it broke off.
    pub fn answer(&self) -> Option<Result<Answer>> {
        use std::sync::mpsc::TryRecvError;
        match self.answer.try_recv() {
            Ok(answer) => Some(Ok(answer)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Error::failure(format!("{} broke off", self.word))
                .hint("`fr undo --resume` goes on with an undo that was interrupted"))),
        }
    }
}

/// How the targets of an event differ now from what they were before it.
pub fn now(event: Event, home: Home, color: bool) -> Work {
    Work::start("looking at how it is now", false, move || {
        let id = event.id;
        let text = recover::changes_until_now(&event, &home).and_then(|changes| {
            let mut out = Out::text(color, None);
            diff::show(&changes, false, &mut out)?;
            Ok(out.into_text())
        });
        Answer::Now(id, text)
    })
}

/// What an undo of the event would do. Writes nothing.
pub fn plan(id: EventId, home: Home, color: bool) -> Work {
    Work::start("planning the undo", false, move || Answer::Plan(Box::new(planned(id, &home, color))))
}

fn planned(id: EventId, home: &Home, color: bool) -> Result<Planned> {
    let index = Index::open(home)?;
    let store = Store::open(home)?;
    undo::refuse_over_an_unfinished_one(&index)?;
    let event = index.find(&id.to_string())?;
    let events = std::slice::from_ref(&event);
    if !recover::first_round(events, &store.reader()).1.is_empty() {
        return Err(Error::failure("this is taken back in rounds").hint(format!("`fr undo {id}` does it")));
    }
    let desk = undo::Desk { index: &index, home, store: &store, passed_over: Vec::new() };
    let plan = undo::planned(events, &Scope::default(), Policy::Abort, &desk)?;
    let mut out = Out::text(color, None);
    plan_text(&plan, &mut out)?;
    let refused = refusal(&plan, id);
    Ok(Planned { text: out.into_text(), refused, plan, event })
}

/// Why there is nothing to say y to.
fn refusal(plan: &UndoPlan, id: EventId) -> Option<String> {
    let error = if plan.conflicts().next().is_some() {
        undo::conflict(plan)
    } else if plan.is_done() {
        Error::failure("nothing to do: every target is as it was before it, as far as it can be")
    } else if plan.restoring().next().is_none() && plan.waits_for_request() {
        Error::failure("what is left changes real infrastructure")
            .hint(format!("`fr undo {id} --apply-infra` does it"))
    } else if plan.restoring().next().is_none() {
        Error::failure("nothing of it can be brought back")
    } else {
        return None;
    };
    Some(error_text(&error))
}

/// An error with its hints, for the screen.
pub fn error_text(error: &Error) -> String {
    let mut text = safe(error.what.as_bytes());
    for hint in &error.hints {
        text.push_str(&format!("\n  hint: {}", safe(hint.as_bytes())));
    }
    text
}

/// Carries the plan out.
pub fn apply(planned: Planned, home: Home, color: bool) -> Work {
    Work::start("undoing", true, move || {
        let Planned { plan, event, .. } = planned;
        let done = recover::apply(&plan, std::slice::from_ref(&event), undo::actor(), &home, &|_| {});
        Answer::Applied(done.and_then(|applied| {
            let mut out = Out::text(color, None);
            report_text(&applied, &mut out)?;
            Ok(out.into_text())
        }))
    })
}
