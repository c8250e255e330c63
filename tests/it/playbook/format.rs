//! The format, its schema, its checks, and what other tools are given.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use fr::respond::playbook::{lint, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SHIPPED, own, playbook};
use crate::env::TestEnv;
use crate::json::fits;

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/playbook.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn everything() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/playbooks/everything.yaml");
    std::fs::read_to_string(path).unwrap()
}

/// All names in the objects of a value.
fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            found.insert(name.clone());
            names(value, found);
        }),
        Value::Array(list) => list.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

/// All names that the schema has a property for.
fn properties(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            if name == "properties" {
                found.extend(value.as_object().unwrap().keys().cloned());
            }
            properties(value, found);
        }),
        Value::Array(list) => list.iter().for_each(|value| properties(value, found)),
        _ => {}
    }
}

#[test]
fn the_schema_and_the_code_know_the_same_words() {
    let playbook = parse(everything().as_bytes()).unwrap();
    assert_eq!(lint(&playbook), []);
    let value = serde_json::to_value(&playbook).unwrap();
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (mut used, mut known) = (BTreeSet::new(), BTreeSet::new());
    // As it is written: what the code leaves out where it is the default is in it, too.
    names(&fr::platform::yaml::documents::<Value>(&everything()).unwrap()[0], &mut used);
    properties(&schema, &mut known);
    let missing: Vec<&String> = known.iter().filter(|name| !used.contains(*name)).collect();
    assert_eq!(missing, ["mode"; 0], "the schema has words that the example, and so maybe the code, lacks");
    // And a word that neither knows is an error of both, wherever it stands.
    for (at, line) in everything().lines().enumerate().filter(|(_, line)| line.contains("title:")) {
        let mut lines: Vec<String> = everything().lines().map(str::to_owned).collect();
        lines[at] = format!("{line}\n{}titel: x", " ".repeat(line.len() - line.trim_start().len()));
        let text = lines.join("\n");
        assert!(parse(text.as_bytes()).is_err(), "{text}");
        let value: Value = fr::platform::yaml::documents(&text).unwrap().remove(0);
        assert!(!validator.is_valid(&value), "{text}");
    }
}

#[test]
fn every_shipped_playbook_fits_the_schema_and_nothing_is_wrong_with_it() {
    let env = TestEnv::new();
    let listed = fits(&playbook(&env, &["list", "--json"]).ok(), "playbook-list");
    assert_eq!(listed.as_array().unwrap().len(), SHIPPED.len());
    for name in SHIPPED {
        let shown = fits(&playbook(&env, &["show", name, "--json"]).ok(), "playbook");
        assert_eq!(shown["name"], name);
        let text = playbook(&env, &["show", name]).ok().stdout;
        assert!(text.starts_with(&format!("# {name}: ")) && text.contains("```sh"), "{text}");
    }
    let linted = fits(&playbook(&env, &["lint", "--json"]).ok(), "playbook-lint");
    assert!(linted.as_array().unwrap().iter().all(|one| one["findings"] == json!([])), "{linted:#}");
    assert!(!env.fr_home.exists(), "looking makes no store");
}

/// Each is one way to do harm, or to fail in the middle of an incident.
#[test]
fn what_is_wrong_is_found_in_peace() {
    let step = |text: &str| format!("steps:\n  - {{id: a, title: a, phase: assess, {text}}}\n");
    let vars = "vars:\n  x: {about: x, default: a}\n  s: {about: s, secret: {env: S}}\n";
    let with = |text: &str| format!("{vars}{}", step(text));
    let cases = [
        (step("run: [rm, x], mode: auto"), "only read"),
        (step("run: [./cat, x], mode: auto"), "is a path"),
        (step("run: [no-such-program], mode: auto"), "only read"),
        (step("run: [fr, undo, '1', --yes], mode: auto"), "more than read"),
        (step("run: [bash, -c, 'rm x'], mode: auto"), "only read"),
        (step("verify: [git, push]"), "only read"),
        (step("verify: [psql], stdin: 'DROP TABLE x'"), "only read"),
        (step("wait-until: {run: [git, fetch]}"), "only read"),
        (step("shell: ls, mode: auto"), "never runs by itself"),
        (step("undo: {event: '1'}, mode: auto"), "never runs by itself"),
        (step("notify: {run: [cat], text: x}, mode: auto"), "never runs by itself"),
        (step("contain: {whose: all, terminate: true}"), "never ended by themselves"),
        (step("ask: x, mode: auto"), "mode is manual"),
        (with("shell: 'echo ${{ vars.x }}'"), "no variable is put into shell"),
        (with("run: [psql], stdin: '${{ vars.x }}'"), "no variable is put into stdin"),
        (with("run: [bash, -c, 'echo ${{ vars.x }}']"), "could become code"),
        (with("run: ['${{ vars.x }}', y]"), "could become code"),
        (with("run: [psql, -c, 'DROP ROLE ${{ vars.x }}']"), "could become code"),
        (with("run: [echo, '${{ secret.s }}']"), "is a secret"),
        (with("run: [echo, '${{ vars.s }}']"), "no name"),
        (with("ask: '${{ secret.s }}'"), "is a secret"),
        (with("run: [echo, '${{ vars.y }}']"), "no name"),
        (with("run: [echo, '${{ steps.later.stdout }}']"), "no name"),
        (with("run: [echo, '${{ vars.x']"), "has no }}"),
        (step("run: [ls], env: {LD_PRELOAD: x}"), "which programs run"),
        (step("run: [ls], env: {PATH: /tmp}"), "which programs run"),
        (step("run: [ls], timeout: 5"), ""),
        (step("run: [ls], timeout: 5d"), "a time is like"),
        (step("run: [ls], on-failure: goto:a"), "no later step"),
        (step("run: [ls], on-failure: retry"), "on-failure is"),
        (step("run: [ls], ask: x"), "exactly one"),
        (step("mode: auto"), "exactly one"),
        (step("run: []"), "no program"),
        (step("verify: [ls], expect: {stdout-matches: '('}"), "no regular expression"),
        (step("run: [ls], when: [{value: x}]"), "exactly one thing"),
        (step("notify: {text: x}"), "a command or a webhook"),
        (step("run: [ls], evidence: required"), "evidence is for"),
        (step("run: [ls]") + "  - {id: a, title: b, phase: assess, ask: x}\n", "another step"),
        (step("run: [ls], run: [rm, x]"), "duplicate"),
        (step("ask: x, phase: learn"), "duplicate"),
        (step("run: [ls], env: {A: x, A: y}"), "duplicate"),
        ("vars: {x: {about: x}, x: {about: y}}\n".to_owned() + &step("run: [ls]"), "duplicate"),
        (step("ask: x") + &step("run: [rm, x]"), "duplicate"),
        ("name: other\n".to_owned() + &step("ask: x"), "duplicate"),
        ("trigger: [{}]\n".to_owned() + &step("run: [ls]"), "fits everything"),
        ("vars: {x: {about: x, take: a}}\n".to_owned() + &step("run: [ls]"), "with a group"),
        ("vars: {x: {about: x, from: event.password}}\n".to_owned() + &step("run: [ls]"), "no fact"),
        ("steps: []\n".to_owned(), "no steps"),
    ];
    let env = TestEnv::new();
    for (rest, said) in cases {
        let path = own(&env, "wrong", &rest);
        let out = playbook(&env, &["lint", "--file", path.to_str().unwrap()]);
        assert_eq!(out.code, 1, "{rest}: {out:?}");
        assert!(out.stdout.contains(said), "{rest}: expected {said:?} in {}", out.stdout);
        let run = playbook(&env, &["run", "wrong"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{rest}: {run:?}");
    }
    assert!(!env.fr_home.join("journal").exists(), "what is wrong is not even begun");
}

#[test]
fn a_bomb_ends_at_once() {
    let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(",")));
    }
    let deep = format!("apiVersion: fr/v1\nname: {}", "[".repeat(100_000));
    let many = format!("apiVersion: fr/v1\nname: a\ntitle: a\nsteps: [{}]", "{id: a},".repeat(20_000));
    let merged = "a: &a\n  <<: *a\n".to_owned();
    let huge = "x".repeat(10 << 20);
    // One text of many steps, each of which is another one's alias.
    let mut steps =
        "apiVersion: fr/v1\nname: bomb\ntitle: a\nsteps:\n  - &s {id: a, title: a, phase: assess, ask: x}\n"
            .to_owned();
    steps.push_str(&"  - *s\n".repeat(20_000));
    let flow = format!(
        "apiVersion: fr/v1\nname: a\ntitle: a\nsteps: {}1{}",
        "[{id: ".repeat(20_000),
        "}]".repeat(20_000)
    );
    let quoted = format!("apiVersion: fr/v1\nname: \"{}", "\\x41".repeat(60_000));
    let env = TestEnv::new();
    for text in [
        bomb,
        deep,
        many,
        merged,
        huge,
        steps,
        flow,
        quoted,
        "\u{0}".to_owned(),
        "- ".repeat(50_000),
        "? ".repeat(50_000),
        "---\n---\n".to_owned(),
        "&a ".repeat(50_000),
        "!!binary x\n".to_owned(),
    ] {
        let path = env.write("bomb.yaml", &text);
        let began = Instant::now();
        let out = playbook(&env, &["lint", "--file", path.to_str().unwrap()]);
        assert_eq!(out.code, 1, "{text:.40}: {out:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{text:.40}: {:?}", began.elapsed());
        assert_eq!(out.stdout.lines().count(), 1, "one line: {}", out.stdout);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(playbook) = parse(&bytes) {
            lint(&playbook);
        }
    }

    /// A playbook with a part of it replaced is read or refused, and looked through or refused, without a panic.
    #[test]
    fn a_damaged_playbook_is_no_panic(at in 0usize..4000, len in 0usize..40, with in "\\PC{0,20}") {
        let text = everything();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let end = (at..=(at + len).min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap();
        let mut damaged = text.clone();
        damaged.replace_range(at..end, &with);
        if let Ok(playbook) = parse(damaged.as_bytes()) {
            lint(&playbook);
            fr::respond::playbook::markdown(&playbook);
            fr::respond::playbook::cacao(&playbook);
        }
    }
}

/// Somebody puts a file where it would take the place of what people follow in an emergency.
#[test]
fn an_own_playbook_wins_and_one_that_others_can_write_does_not() {
    let env = TestEnv::new();
    let path = own(&env, "files-on-host", "steps:\n  - {id: mine, title: mine, phase: assess, ask: mine}\n");
    let shown = playbook(&env, &["show", "files-on-host"]).ok();
    assert!(
        shown.stdout.contains("`mine`") && shown.stderr.contains("instead of the shipped one"),
        "{shown:?}"
    );
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&path, 0o620);
    let refused = playbook(&env, &["show", "files-on-host"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{refused:?}");
    assert!(refused.stderr.contains("can be written by others"), "{refused:?}");
    let listed = playbook(&env, &["list"]).ok().stdout;
    assert!(
        listed.lines().any(|line| line.contains("files-on-host") && line.contains("not usable")),
        "{listed}"
    );
    mode(&path, 0o600);
    mode(path.parent().unwrap(), 0o777);
    assert_eq!(playbook(&env, &["run", "files-on-host"]).code, 1);
    mode(path.parent().unwrap(), 0o700);
    std::fs::rename(&path, env.project.join("x")).unwrap();
    std::os::unix::fs::symlink(env.project.join("x"), &path).unwrap();
    assert_eq!(playbook(&env, &["show", "files-on-host"]).code, 1, "a link is not followed");
    std::fs::remove_file(&path).unwrap();
    let config = env.home.join(".config/fr/playbooks");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::rename(env.project.join("x"), config.join("files-on-host.yaml")).unwrap();
    assert!(playbook(&env, &["show", "files-on-host"]).ok().stdout.contains("`mine`"));
    for name in ["../x", "/etc/passwd", "x\u{1b}[31m", "", "-x", "X"] {
        let out = playbook(&env, &["show", "--", name]);
        assert_eq!(out.code, 2, "{name}: {out:?}");
        assert!(!out.stderr.contains('\u{1b}'), "{out:?}");
    }
}

/// 100 MB, 4 GB, and a file that has no end: no more of it is read than a playbook may have.
#[test]
fn a_huge_file_is_not_read() {
    let env = TestEnv::new();
    let path = own(&env, "huge", "steps: []\n");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(4 << 30).unwrap();
    let text = env.write("text.yaml", "");
    let mut written = std::io::BufWriter::new(std::fs::File::create(&text).unwrap());
    (0..100)
        .for_each(|_| std::io::Write::write_all(&mut written, "# x\n".repeat(1 << 18).as_bytes()).unwrap());
    drop(written);
    assert_eq!(std::fs::metadata(&text).unwrap().len(), 100 << 20);
    for args in [
        &["lint", "--file", path.to_str().unwrap()][..],
        &["lint", "--file", text.to_str().unwrap()],
        &["lint", "--file", "/dev/zero"],
        &["run", "huge"],
    ] {
        // In so little memory that the file would not fit.
        let line = format!("ulimit -v 600000; fr playbook {}", args.join(" "));
        let began = Instant::now();
        let out = env.sh(&line);
        assert_eq!(out.code, 1, "{args:?}: {out:?}");
        assert!(format!("{out:?}").contains("256 KiB at most"), "{args:?}: {out:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{args:?}: {:?}", began.elapsed());
    }
}

/// Somebody else's file under the name of a shipped one, their directory, or a link to theirs: none is used, and the shipped
/// one is not taken instead without a word.
#[test]
fn a_playbook_of_another_user_is_not_used() {
    let env = TestEnv::new();
    let steps = "steps:\n  - {id: mine, title: mine, phase: assess, ask: mine}\n";
    let path = own(&env, "files-on-host", steps);
    let refused = |said: &str| {
        for verb in ["show", "run", "export", "lint"] {
            let out = playbook(&env, &[verb, "files-on-host"]);
            assert_eq!((out.code, out.stdout.as_str()), (1, ""), "{verb}: {out:?}");
            assert!(out.stderr.contains(said), "{verb}: {out:?}");
        }
    };
    let other = env.root().join("other");
    std::fs::create_dir(&other).unwrap();
    let theirs = other.join("files-on-host.yaml");
    std::fs::rename(&path, &theirs).unwrap();
    std::os::unix::fs::symlink(&theirs, &path).unwrap();
    refused("cannot read");
    let dir = path.parent().unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    refused("is no file");
    std::fs::remove_dir(&path).unwrap();
    if std::os::unix::fs::chown(&theirs, Some(12345), Some(12345)).is_err() {
        eprintln!("skipped in part: only root can make a file another user's");
        return;
    }
    std::os::unix::fs::symlink(&theirs, &path).unwrap();
    refused("cannot read");
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&theirs, &path).unwrap();
    refused("can be written by others");
    std::fs::rename(&path, &theirs).unwrap();
    // The whole directory is theirs, by a link.
    std::os::unix::fs::chown(&theirs, Some(0), Some(0)).unwrap();
    std::os::unix::fs::chown(&other, Some(12345), Some(12345)).unwrap();
    std::fs::remove_dir(dir).unwrap();
    std::os::unix::fs::symlink(&other, dir).unwrap();
    refused("can be written by others");
}
