//! The few styles: colour carries severity and nothing else.

use anstyle::{AnsiColor, Style};

use crate::model::{DrillOutcome, EffectClass};

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
