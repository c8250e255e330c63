//! Writes the seeds of the fuzz targets and ends: `SEEDS_FROM=tests/corpus SEEDS_TO=out seeds`. Journal and pack come from
//! a real store. A fuzz target by form only: what links an instrumented `fr` needs libFuzzer's symbols and its `main`.
#![no_main]

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use fr::intake::{self, Happening};
use fr::model::{Gap, ObjectKind, ObjectSink, Record};
use fr::platform::home::Home;
use fr::record;
use fr::store::Store;
use libfuzzer_sys::fuzz_target;

type Done = Result<(), Box<dyn Error>>;

fuzz_target!(init: write_and_end(), |_data: &[u8]| {});

fn write_and_end() {
    let done = write();
    if let Err(error) = &done {
        eprintln!("seeds: {error}");
    }
    std::process::exit(i32::from(done.is_err()));
}

fn write() -> Done {
    let place = |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(format!("{name} is not set"));
    let (corpus, out) = (place("SEEDS_FROM")?, place("SEEDS_TO")?);
    payloads(&corpus.join("payloads"), &out.join("hook_json"))?;
    lines(&corpus, &out.join("shell"))?;
    playbooks(&corpus.join("playbooks"), &out.join("playbook"))?;
    playbooks(&corpus.join("../../playbooks"), &out.join("playbook"))?;
    store(&corpus, &out)
}

/// Every playbook as it is.
fn playbooks(from: &Path, to: &Path) -> Done {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        if file.path().extension().is_some_and(|e| e == "yaml") {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}

/// Every payload as it is.
fn payloads(from: &Path, to: &Path) -> Done {
    fs::create_dir_all(to)?;
    for agent in fs::read_dir(from)? {
        let agent = agent?;
        for payload in fs::read_dir(agent.path())? {
            let payload = payload?.path();
            if payload.extension().is_some_and(|e| e == "json") {
                let mut name = agent.file_name();
                name.push("-");
                name.push(payload.file_name().unwrap_or_default());
                fs::copy(&payload, to.join(name))?;
            }
        }
    }
    Ok(())
}

/// Every line of the command tables.
fn lines(corpus: &Path, to: &Path) -> Done {
    fs::create_dir_all(to)?;
    for table in ["commands", "more"] {
        let text = fs::read_to_string(corpus.join(table).with_extension("tsv"))?;
        for (number, line) in text.lines().enumerate().skip(1) {
            fs::write(to.join(format!("{table}-{number}")), line.split('\t').nth(1).unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Records the payloads into a store of its own; its journal and its packs, once as they are, once to be made right.
fn store(corpus: &Path, out: &Path) -> Done {
    let dir = tempfile::tempdir()?;
    let home = Home::at(dir.path().join("fr"));
    let mut payloads: Vec<_> =
        fs::read_dir(corpus.join("payloads/claude"))?.flatten().map(|e| e.path()).collect();
    payloads.sort();
    for payload in payloads {
        match intake::hook("claude", fs::File::open(payload)?, &intake::Env::new()) {
            Happening::Before(mut request) => {
                // Where nothing is: a seed must not depend on this machine.
                request.cwd = "/nowhere".into();
                record::before(&request, Some("claude"), &home)?;
            }
            Happening::After(ending) => record::after(&ending, Some("claude"), &home)?,
            Happening::Session(signal) => record::session(&signal, &home)?,
            Happening::Ignore | Happening::Malformed(_) => {}
        }
    }
    let gap = Gap { at_ns: 1, reason: "a gap".to_owned(), count: 1, detail: None };
    fr::journal::Journal::open(&home)?.append(&Record::Gap(gap), None, fr::journal::Durability::Buffered)?;

    let store = Store::open(&home)?;
    for round in 0..3u8 {
        let batch = store.batch();
        for size in [0usize, 1, 100, 5000] {
            batch.put(ObjectKind::Blob, &vec![b'a' + round; size])?;
            batch.put(ObjectKind::Tree, &(0..size).map(|i| (i * 37 % 251) as u8).collect::<Vec<_>>())?;
        }
        batch.commit()?;
    }
    as_seeds(&home.journal(), &out.join("journal_frame"))?;
    as_seeds(&home.packs(), &out.join("pack"))
}

fn as_seeds(from: &Path, to: &Path) -> Done {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)?.flatten().filter(|e| e.path().is_file()) {
        let bytes = fs::read(file.path())?;
        for (mode, name) in [(0u8, "as-is"), (1, "made-right")] {
            let mut name = OsString::from(format!("{name}-"));
            name.push(file.file_name());
            fs::write(to.join(name), [&[mode], bytes.as_slice()].concat())?;
        }
    }
    Ok(())
}
