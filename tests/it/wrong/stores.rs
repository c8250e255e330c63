//! Stores that are newer, damaged, or not what they were.

use std::path::{Path, PathBuf};

use super::{clean, fails, lets_it_run};
use crate::env::{Output, TestEnv};

/// A store with three events that kept something.
fn filled() -> TestEnv {
    let env = TestEnv::new();
    for name in ["a", "b", "c"] {
        env.write(name, format!("content of {name}\n"));
        env.claude_runs(&format!("rm {name}"));
    }
    env
}

/// All files below a directory with their bytes.
fn bytes_of(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            files.extend(bytes_of(&entry));
        } else {
            let bytes = std::fs::read(&entry).unwrap();
            files.push((entry, bytes));
        }
    }
    files.sort();
    files
}

fn only_file(dir: &Path, ending: &str) -> PathBuf {
    let mut found: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    found.retain(|p| p.to_str().unwrap().ends_with(ending));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

fn find(bytes: &[u8], what: &[u8]) -> Vec<usize> {
    bytes.windows(what.len()).enumerate().filter(|(_, w)| *w == what).map(|(at, _)| at).collect()
}

/// The hook announces another command.
fn hook(env: &TestEnv) -> Output {
    env.claude_pre("rm -f nothing").answer
}

#[test]
fn a_newer_store_is_left_alone() {
    let env = filled();
    std::fs::write(env.fr_home.join("format"), "fr store 2.0 ids=blake3 sum=0\n").unwrap();
    let before = bytes_of(&env.fr_home);
    for verb in [
        &["timeline"][..],
        &["show", "1"],
        &["undo", "1", "--yes"],
        &["undo", "1", "--dry-run"],
        &["redo", "--yes"],
        &["diff", "1"],
        &["verify", "--all"],
        &["sessions"],
        &["store", "verify"],
        &["store", "stats"],
        &["store", "gc"],
        &["store", "rebuild"],
        &["store", "pin", "1"],
    ] {
        let out = env.fr(verb);
        assert!(out.stderr.contains("newer") && out.stderr.contains("2.0"), "{verb:?}: {out:?}");
        fails(&out, 13);
    }
    lets_it_run(&hook(&env));
    lets_it_run(&env.fr_with(&["hook", "claude"], b"{"));
    let exec = env.fr(&["exec", "-c", "exit 5"]);
    assert_eq!(exec.code, 5, "{exec:?}");
    assert!(bytes_of(&env.fr_home) == before, "not a byte of it was changed");
    assert!(!env.exists("a"));
}

#[test]
fn a_format_file_that_says_nothing_is_an_error_and_no_new_store() {
    let env = filled();
    for text in ["", "hello", "fr store x.y\n"] {
        std::fs::write(env.fr_home.join("format"), text).unwrap();
        let before = bytes_of(&env.fr_home);
        fails(&env.fr(&["timeline"]), 1);
        lets_it_run(&hook(&env));
        assert!(bytes_of(&env.fr_home) == before);
    }
}

#[test]
fn a_damaged_pack_is_said_and_nothing_wrong_is_restored() {
    let env = filled();
    let pack = only_file(&env.fr_home.join("packs"), ".frp");
    let whole = std::fs::read(&pack).unwrap();
    // The stored bytes of every block: behind its head, table and checksum.
    for at in find(&whole, b"\xF7FRB") {
        let objects = u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize;
        flip(&pack, at + 40 + objects * 37 + 16 + 2);
    }
    for id in ["1", "2", "3"] {
        let verified = env.fr(&["verify", id]);
        assert_eq!(verified.code, 1, "{verified:?}");
        assert!(verified.stdout.contains("damaged"), "{verified:?}");
        clean(&format!("{}{}", verified.stdout, verified.stderr));
        let undo = env.fr(&["undo", id, "--yes"]);
        assert!(undo.code != 0, "{undo:?}");
        clean(&format!("{}{}", undo.stdout, undo.stderr));
    }
    assert_eq!(env.fr(&["verify", "--all"]).code, 1);
    let checked = env.fr(&["store", "verify"]);
    assert_eq!(checked.code, 1);
    assert!(checked.stdout.contains("changed (checksum)"), "{checked:?}");
    for name in ["a", "b", "c"] {
        assert!(!env.exists(name), "nothing came back, so nothing wrong came back");
    }
    // Recording goes on beside the damage.
    env.write("d", "content of d\n");
    env.claude_runs("rm d");
    env.fr(&["undo", "--yes"]).ok();
    assert_eq!(env.read("d"), "content of d\n");
}

#[test]
fn a_deleted_pack_is_said_too() {
    let env = filled();
    std::fs::remove_file(only_file(&env.fr_home.join("packs"), ".frp")).unwrap();
    assert_eq!(env.fr(&["verify", "1"]).code, 1);
    assert!(env.fr(&["undo", "1", "--yes"]).code != 0);
    let checked = env.fr(&["store", "verify"]);
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(checked.stdout.contains("needed by events 1, 2, 3"), "{checked:?}");
    assert!(!env.exists("a"));
}

#[test]
fn a_damaged_frame_is_found_and_the_rest_can_be_used() {
    for index in ["as it was", "made anew"] {
        let env = filled();
        env.fr(&["timeline"]).ok();
        let segment = only_file(&env.fr_home.join("journal"), ".frj");
        let whole = std::fs::read(&segment).unwrap();
        let second = find(&whole, b"\"rm b\"");
        flip(&segment, second[0] + 2);
        if index == "made anew" {
            std::fs::remove_file(env.fr_home.join("index.sqlite")).unwrap();
        }
        let checked = env.fr(&["store", "verify"]);
        assert_eq!(checked.code, 1, "{checked:?}");
        assert!(checked.stdout.contains("a journal frame was changed (hash)"), "{checked:?}");
        let answer = hook(&env);
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "recording goes on: {answer:?}");
        let shown = env.fr(&["timeline"]).ok();
        assert!(shown.stdout.contains("rm a") && shown.stdout.contains("rm c"), "{shown:?}");
        assert!(!shown.stdout.contains("rm b"), "{shown:?}");
        if index == "as it was" {
            assert!(shown.stderr.starts_with("warning: event 2 cannot be read: "), "{shown:?}");
        }
        fits_in_json(&env);
        clean(&shown.stdout);
        assert_eq!(env.fr(&["verify", "--all"]).code, i32::from(index == "as it was"));
        let second = env.fr(&["undo", "2", "--yes"]);
        assert!(second.code != 0 && !env.exists("b"), "{second:?}");
        env.fr(&["undo", "1", "--yes"]).ok();
        assert_eq!(env.read("a"), "content of a\n");
    }
}

fn fits_in_json(env: &TestEnv) {
    let events = env.fr(&["timeline", "--json"]).ok().json();
    let ids: Vec<u64> = events.as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [4, 3, 1]);
}

#[test]
fn the_index_is_made_anew_by_itself() {
    let env = filled();
    let index = env.fr_home.join("index.sqlite");
    let rows = env.fr(&["timeline", "--json"]).ok().stdout;
    let wrongs: [&dyn Fn(); 5] = [
        &|| std::fs::remove_file(&index).unwrap(),
        &|| std::fs::write(&index, b"").unwrap(),
        &|| {
            std::fs::write(&index, b"this is no database, and longer than a header would be".repeat(99))
                .unwrap()
        },
        &|| {
            let bytes = std::fs::read(&index).unwrap();
            std::fs::write(&index, &bytes[..bytes.len() / 2]).unwrap();
        },
        &|| {
            let mut bytes = std::fs::read(&index).unwrap();
            bytes[100..].iter_mut().for_each(|b| *b ^= 0x55);
            std::fs::write(&index, bytes).unwrap();
        },
    ];
    for (number, wrong) in wrongs.iter().enumerate() {
        for log in ["index.sqlite-wal", "index.sqlite-shm"] {
            let _ = std::fs::remove_file(env.fr_home.join(log));
        }
        wrong();
        let shown = env.fr(&["timeline", "--json"]);
        assert_eq!((shown.code, shown.stdout == rows), (0, true), "{number}: {shown:?}");
        assert_eq!(shown.stderr, "", "{number}");
    }
}

#[test]
fn rubbish_beside_the_store_is_no_part_of_it() {
    let env = filled();
    for name in [
        "packs/x.frp",
        "packs/0001-zzzzzzzz.frp",
        "journal/notes.txt",
        "journal/9.frj",
        "open.log",
        "cache/x",
    ] {
        let path = env.fr_home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"\xF7FRB rubbish").unwrap();
    }
    env.fr(&["store", "verify"]).ok();
    assert_eq!(hook(&env).code, 0);
    env.fr(&["undo", "1", "--yes"]).ok();
}
