//! Any text is a playbook or an error: it is read, looked through and rendered within bounds.
#![no_main]

use fr::respond::playbook::{cacao, lint, markdown, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(playbook) = parse(data) {
        let _ = lint(&playbook);
        let _ = markdown(&playbook);
        let _ = cacao(&playbook);
    }
});
