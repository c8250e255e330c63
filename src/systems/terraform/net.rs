//! Several events taken back as one. A capture's locator names its own document; what tells places apart is the rest.

use super::what::{self, What};
use super::{STATE_ID, place_of, plan};
use crate::error::Result;
use crate::model::{Bytes, Captured, Locator, StateRef};
use crate::systems::net::by_place;
use crate::systems::{Net, NetCx, Taken};

/// The net effect.
pub fn net(taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
    let mut plain: Vec<Taken> = taken.iter().cloned().map(without_document).collect();
    unite(&mut plain);
    let mut net = by_place(&plan::plan, &plain, cx)?;
    for Captured { before, .. } in &mut net.captured {
        before.locator = with_document(&before.locator, &before.state);
    }
    Ok(net)
}

/// What several commands take out of one state is taken out by all of them together.
fn unite(taken: &mut [Taken]) {
    let key = |one: &Taken| {
        let locator = &one.captured.before.locator;
        (place_of(locator), What::of(locator).parts())
    };
    let all: Vec<_> = taken.iter().map(|one| (key(one), What::of(&one.captured.before.locator))).collect();
    for one in taken {
        let own = key(one);
        let same = all.iter().filter(|(other, _)| *other == own).map(|(_, what)| what);
        let text = Bytes::from(What::together(same));
        one.captured.before.locator.opts.insert(what::WHAT.to_owned(), text);
    }
}

fn without_document(mut taken: Taken) -> Taken {
    taken.captured.before.locator.opts.remove(STATE_ID);
    taken
}

/// The locator of a capture of this state.
pub fn with_document(locator: &Locator, state: &StateRef) -> Locator {
    let mut locator = locator.clone();
    if let Some(id) = state.object {
        locator.opts.insert(STATE_ID.to_owned(), Bytes::from(id.to_string()));
    }
    locator
}
