//! Progress on stderr, for work that lasts. indicatif shows nothing where stderr is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinner that counts bytes.
pub fn bytes(doing: &'static str) -> ProgressBar {
    spinner(doing, "{spinner} {prefix} {bytes} {elapsed}")
}

/// A spinner that counts things.
pub fn items(doing: &'static str) -> ProgressBar {
    spinner(doing, "{spinner} {prefix} {pos} {elapsed}")
}

/// A spinner that says what is being done just now.
pub fn named(doing: &'static str) -> ProgressBar {
    spinner(doing, "{spinner} {prefix} {wide_msg} {elapsed}")
}

fn spinner(doing: &'static str, template: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_prefix(doing);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    // The first tick comes only when the work has lasted.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
