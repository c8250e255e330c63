//! The recorded state of several named things of one system: containers and volumes, settings of a host, labels of a
//! repository. A system on top of it says how its things are read and written; here is what is the same for all of them:
//! the document, what equality means, what an undo has to do about each by what it was before (B), after (A) and is now (N).

mod arrange;
mod beside;
mod doc;
mod net;
mod nowhere;
mod part;
mod plan;
mod standing;

pub use arrange::arrange;
pub use beside::restore_to;
pub use doc::{Thing, Things, changes, held, locator_of, names_of};
pub use net::net;
pub use nowhere::Nowhere;
pub use part::{Part, Taking};
pub use plan::{ALONE, Deed, Guard, Hands, How, Job, SHARED, Verb, plan};
