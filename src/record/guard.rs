//! Guard mode: agents' commands are decided on by what could be taken back (`docs/policy.md`). What comes back exactly runs,
//! what does not is asked about, and what nothing brings back is denied where it is marked as production.

use super::policy::{harder, not_kept};
use super::production::{Match, Production};
use crate::model::{Capture, Effect, EffectClass, Reversibility, Verdict, spoken};

/// True for what is decided on. What only adds something is not, nor what a program does that nobody can look into: it is
/// not known to destroy anything, and its work tree is captured.
pub fn counts(effect: &Effect) -> bool {
    !matches!(
        effect.class,
        EffectClass::None | EffectClass::Create | EffectClass::StateOnly | EffectClass::Opaque
    )
}

/// What a command is answered of whose effects this was captured, and this could not be.
pub fn judge(
    effects: &[Effect],
    captures: &[Capture],
    lacking: &[String],
    production: &Production,
) -> Verdict {
    let mut verdict = Verdict::Allow;
    for effect in effects.iter().filter(|effect| counts(effect)) {
        verdict = harder(verdict, of_effect(effect, captures, production));
    }
    if lacking.is_empty() {
        return verdict;
    }
    harder(verdict, Verdict::Ask { reason: format!("{} [mode = guard]", not_kept(lacking)) })
}

fn of_effect(effect: &Effect, captures: &[Capture], production: &Production) -> Verdict {
    let keeps = |capture: &Capture| {
        capture.system == effect.system && !capture.holds_nothing() && !capture.lacks_the_remote()
    };
    let unkept = effect.class.is_destructive() && !captures.iter().any(keeps);
    let lost = unkept || effect.reversibility == Reversibility::Irreversible;
    let words = match unkept && effect.reversibility != Reversibility::Irreversible {
        true => Some("nothing of it could be kept"),
        false => words(effect.reversibility),
    };
    let Some(words) = words else { return Verdict::Allow };
    let what = format!("{} of {}", effect.class, spoken(&effect.resource).lossy());
    match production.of_effect(effect, captures).map(|found| why(&found, production)) {
        Some(place) if lost => {
            let kept = if unkept { ", as nothing of it could be kept" } else { "" };
            Verdict::Deny {
                reason: format!(
                    "{what} cannot be undone{kept}, and it is production: {place} [mode = guard]"
                ),
            }
        }
        Some(place) => {
            Verdict::Ask { reason: format!("{what} (production: {place}): {words} [mode = guard]") }
        }
        None => Verdict::Ask { reason: format!("{what}: {words} [mode = guard]") },
    }
}

fn why(found: &Match, production: &Production) -> String {
    let (list, _) = production.patterns(found.context.kind);
    format!("{} is one of production.{list} ({})", found.place(), found.pattern)
}

/// What is left to say of what does not come back exactly.
fn words(reversibility: Reversibility) -> Option<&'static str> {
    match reversibility {
        Reversibility::NotApplicable | Reversibility::Exact => None,
        Reversibility::StateOnly => Some("only the record of it would come back"),
        Reversibility::Recreate => Some("it could only be made anew, as something else"),
        Reversibility::Compensating => Some("it could not be taken back, only countered"),
        Reversibility::Irreversible => Some("nothing brings it back"),
    }
}
