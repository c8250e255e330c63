//! How long a level has held, by the measurements that were kept.

use super::measures::{Measured, Reading};
use super::scene::Scene;
use crate::model::EventKind;

const DAY_NS: i64 = 86_400_000_000_000;
/// A longer silence between two measurements is not known to be good.
const SILENCE_NS: i64 = 31 * DAY_NS;

/// The days for which the level below the highest has held.
pub fn held(scene: &Scene<'_>) -> Measured {
    let level = scene.table.levels.len().saturating_sub(2);
    let mut began = scene.wanted.now_ns;
    let mut count = 0;
    let mut broken = None;
    for event in &scene.record.measurements {
        let EventKind::Maturity { stood } = &event.before.kind else { continue };
        let at = event.before.at_ns;
        if usize::from(stood.level) < level || stood.table != scene.table.hash {
            broken = Some(format!("event {}: level {}", event.id, stood.level));
            break;
        }
        if began - at > SILENCE_NS {
            broken = Some(format!("nothing was measured for {} days", (began - at) / DAY_NS));
            break;
        }
        count += 1;
        began = at;
    }
    let days = if count == 0 { 0 } else { (scene.wanted.now_ns - began) / DAY_NS };
    let measured = Measured::of(Reading::Number(days as f64))
        .with(format!("{count} measurements in a row at level {level} or above"));
    match broken {
        Some(why) => measured.with(format!("before that: {why}")),
        None => measured,
    }
}
