//! Incidents: what belongs to one ([`choose`]), what people do about it ([`keep`]), all that happened in it ([`case`]), and
//! that in one order ([`entry`]). An incident is nothing but marks in the journal ([`crate::model::Incident`]).

mod case;
mod choose;
mod entry;
mod keep;
mod next;
mod words;

pub use case::{Case, commands, ended_ns, find, list, load};
pub use choose::{Proposal, Wanted, events_of, propose};
pub use entry::{Entry, Kind, entries};
pub use keep::{NOTE_BYTES, mark, open};
pub use next::next;
pub use words::{Words, count, moment, span, utc};
