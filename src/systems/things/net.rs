//! Several events as one change: thing by thing, whatever was captured together with what.

use super::doc::{Things, locator_of};
use super::plan::Hands;
use crate::error::Result;
use crate::model::{Captured, StateRef};
use crate::systems::{Net, NetCx, Taken, net as whole};

/// The net effect of several events.
pub fn net(taken: &[Taken], cx: &NetCx<'_>, planned: &whole::Planned<'_>, hands: &dyn Hands) -> Result<Net> {
    let mut apart = Vec::new();
    for one in taken {
        let before = Things::load(&one.captured.before.state, cx.source)?;
        let after = one.captured.after.map(|after| Things::load(&after, cx.source)).transpose()?;
        for name in before.names() {
            let of_one = |things: &Things| -> Result<StateRef> { things.only(name).store(cx.made) };
            let mut capture = one.captured.before.clone();
            capture.state = of_one(&before)?;
            capture.resource = hands.resource(name);
            capture.locator = locator_of(capture.locator, std::iter::once(name));
            // Only what was asked differs from event to event, and is no part of the place.
            capture.locator.opts.remove("ask");
            let after = after.as_ref().map(of_one).transpose()?;
            let captured = Captured { before: capture, after };
            apart.push((hands.rank(name), Taken { event: one.event, captured }));
        }
    }
    // What others need comes back first.
    for (rank, one) in &mut apart {
        one.captured.before.locator.opts.insert("rank".to_owned(), format!("{rank:04}").into());
    }
    let apart: Vec<Taken> = apart.into_iter().map(|(_, one)| one).collect();
    whole::by_place(planned, &apart, cx)
}
