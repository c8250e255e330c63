//! libgit2's process-wide settings.

use std::sync::Once;

use git2::ConfigLevel;

static ISOLATED: Once = Once::new();

/// Keeps libgit2 from reading the user's and the machine's configuration: what `fr` stores must not depend on it, and
/// a file with a mistake in it must not stop a capture. To be called before libgit2 is used, as often as one likes.
pub fn isolate() {
    ISOLATED.call_once(|| {
        let levels = [ConfigLevel::ProgramData, ConfigLevel::System, ConfigLevel::XDG, ConfigLevel::Global];
        for level in levels {
            // SAFETY: the setting is global and unsynchronised in libgit2. Every use of libgit2 in this program comes
            // after this function has returned in some thread, and `Once` lets one thread in and makes others wait.
            let _ = unsafe { git2::opts::set_search_path(level, "") };
        }
    });
}
