//! What was asked for and cannot be taken back: it is said, and stays as it is.

use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::spoken;
use crate::recover::{self, Scope, Selection};
use crate::respond::failed;

/// What of the events that were asked for cannot be taken back at all, in words for people.
pub(super) fn passed_over(
    selection: &Selection,
    chosen: &[Event],
    scope: &Scope,
    index: &Index,
) -> Result<Vec<String>> {
    // What was destroyed elsewhere has no path.
    if !scope.paths.is_empty() {
        return Ok(Vec::new());
    }
    let words = |event: Event| {
        let lost = event.before.effects.iter().filter(|effect| effect.class.is_destructive());
        let lost: Vec<String> = lost
            .filter(|effect| {
                scope.systems.is_empty() || scope.systems.iter().any(|name| effect.system.0 == *name)
            })
            .map(|effect| format!("{} of {}", effect.class, spoken(&effect.resource).lossy()))
            .collect();
        let ran = match (failed(&event), &event.after) {
            (Some(failed), _) => format!(". {failed}"),
            (None, None) => ", and nobody reported whether it ran".to_owned(),
            (None, Some(_)) => String::new(),
        };
        let lost = lost.join(", ");
        (!lost.is_empty()).then(|| format!("event {}: {lost}: nothing was captured{ran}", event.id))
    };
    Ok(recover::passed_over(index, selection, chosen)?.into_iter().filter_map(words).collect())
}
