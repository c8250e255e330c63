//! Whatever bytes an agent's hook gets on stdin, they are understood or called malformed, within bounds.
#![no_main]

use std::collections::BTreeMap;

use fr::intake::{self, Happening, Malformed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let env = BTreeMap::new();
    match intake::hook("claude", data, &env) {
        Happening::Malformed(it) => {
            assert!(it.detail.len() <= Malformed::DETAIL);
            assert!(!it.reason.is_empty() && !it.reason.contains('\n'), "{:?}", it.reason);
            assert!(!it.hint.is_empty() && !it.hint.contains('\n'), "{:?}", it.hint);
        }
        Happening::Before(request) => {
            let cwd = request.cwd.as_slice();
            assert!(cwd.is_empty() || cwd.starts_with(b"/"), "a relative directory: {:?}", request.cwd);
        }
        Happening::After(_) | Happening::Session(_) | Happening::Ignore => {}
    }
    let words = ["before", "session", "call"].map(Into::into);
    let _ = intake::shell_hook(&words, data, &env);
});
