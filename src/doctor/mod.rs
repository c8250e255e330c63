//! The use case "am I protected?": looks at agents, shells, the store and the hook itself, and changes nothing of them.

mod agents;
mod latency;
pub mod report;
mod silence;
mod store;

pub use report::{Protection, Report};
pub use silence::write_down;

use crate::intake::install::World;
use crate::journal::index::{Index, SessionSummary};
use crate::model::{Bytes, Gap};
use crate::platform::home::Home;
use crate::platform::processes;

/// How many gaps are shown.
const GAPS: usize = 5;

/// Programs that are worth knowing of: `fr` reads git repositories by itself, its users do not.
const TOOLS: [&str; 4] = ["git", "bash", "zsh", "fish"];

/// Looks at everything.
pub fn examine(world: &World) -> Report {
    let home = Home::at(&world.state);
    let (sessions, gaps, unreadable) = history(&home);
    let mut store = store::look(&home, &sessions);
    store.problems.extend(unreadable);
    let processes = processes::mine(&world.home);
    let scene = agents::Scene { world, sessions: &sessions, processes: &processes };
    let agents = agents::look(&scene);
    let measured = latency::measure();
    let unprotected = agents.iter().any(|agent| agent.protection == Protection::Unprotected);
    let hook_error = measured.as_ref().err().map(|error| error.what.clone());
    Report {
        protected: !unprotected && store.problems.is_empty() && hook_error.is_none(),
        fr: report::Binary {
            version: env!("CARGO_PKG_VERSION"),
            path: Bytes::from(world.fr.clone()),
            hook_ms: measured.ok(),
            hook_error,
        },
        agents,
        shells: agents::shells(world),
        store,
        tools: TOOLS
            .into_iter()
            .map(|name| report::Tool { name, path: world.program(name).map(Bytes::from) })
            .collect(),
        gaps,
    }
}

/// What the record tells, and what kept it from telling.
fn history(home: &Home) -> (Vec<SessionSummary>, Vec<Gap>, Option<String>) {
    if !home.exists() {
        return (Vec::new(), Vec::new(), None);
    }
    let read = Index::open(home).and_then(|index| Ok((index.sessions()?, index.gaps(GAPS)?)));
    match read {
        Ok((sessions, gaps)) => (sessions, gaps, None),
        Err(error) => (Vec::new(), Vec::new(), Some(error.what)),
    }
}
