//! The few styles: colour carries severity and nothing else.

use anstyle::{AnsiColor, Style};

use crate::model::{DrillOutcome, EffectClass, Kept, Promise};

const fn color(c: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(c)))
}

/// Errors and conflicts.
pub const ERROR: Style = color(AnsiColor::Red).bold();
/// Warnings and partial captures.
pub const WARN: Style = color(AnsiColor::Yellow);
/// Verified things.
pub const GOOD: Style = color(AnsiColor::Green);
/// What is there for reference.
pub const DIM: Style = Style::new().dimmed();
/// Headings and ids.
pub const BOLD: Style = Style::new().bold();

/// The style of an effect class.
pub fn of_class(class: EffectClass) -> Style {
    match class {
        EffectClass::Destroy => color(AnsiColor::Red).bold(),
        EffectClass::Overwrite | EffectClass::Weaken => color(AnsiColor::Red),
        EffectClass::Opaque | EffectClass::Publish | EffectClass::Access | EffectClass::Disrupt => {
            color(AnsiColor::Yellow)
        }
        EffectClass::Create | EffectClass::Mutate | EffectClass::StateOnly => color(AnsiColor::Cyan),
        EffectClass::None => DIM,
    }
}

/// The style of a drill's outcome.
pub fn of_drill(outcome: DrillOutcome) -> Style {
    match outcome {
        DrillOutcome::Passed => GOOD,
        DrillOutcome::Failed => ERROR,
        DrillOutcome::Skipped => WARN,
    }
}

/// The style of what was kept.
pub fn of_kept(kept: Kept) -> Style {
    match kept {
        Kept::Nothing => ERROR,
        Kept::Part => WARN,
        Kept::All => GOOD,
        Kept::NotApplicable => DIM,
    }
}

/// The style of what can come back.
pub fn of_promise(promise: Promise) -> Style {
    match promise {
        Promise::NotApplicable => DIM,
        Promise::Exact | Promise::StateOnly => GOOD,
        Promise::Recreate | Promise::Compensating | Promise::InPart | Promise::Unknown => WARN,
        Promise::Irreversible => ERROR,
    }
}
