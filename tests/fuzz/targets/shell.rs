//! Any line of shell is understood within its deadline, and no more is promised than was understood.
#![no_main]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fr::model::Bytes;
use fr::platform::home::Home;
use fr::record::{Config, assess, explain, redact};
use fr::shell::{self, ShellCx};
use fr::systems::AssessCx;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let env = BTreeMap::from([("HOME".to_owned(), Bytes::from("/nowhere/home"))]);
    let cwd = Bytes::from("/nowhere/project");
    let deadline = Some(Instant::now() + Duration::from_millis(500));
    // Without globs: what the machine's directories hold must not decide whether an input is a finding.
    let cx = ShellCx { cwd: &cwd, env: &env, home: None, globs: false, deadline };
    let understood = shell::understand(data, &cx);
    let effects = assess::assess(&understood, &AssessCx { env: &env, home: None });
    assert!(understood.opaque.is_empty() || !effects.is_empty(), "opaque, and yet nothing to fear");
    let foretold = explain::foretell(&effects, &Config::default());
    let _ = explain::report(&understood, &effects, foretold);

    let argv: Vec<Bytes> = data.split(|b| *b == b' ').map(Bytes::from).collect();
    let _ = assess::assess(&shell::from_argv(&argv, &cx), &AssessCx { env: &env, home: None });
    let _ = redact::redact(data, &redact::TagKey::load(&Home::at("/proc/nowhere")));
});
