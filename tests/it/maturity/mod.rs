//! `fr maturity` on real records: what it says of them, and that it says no more than it knows.

mod attested;
mod copies;
mod credentials;
mod nets;
mod over_time;
mod pages;
mod responses;
mod table;

use serde_json::{Value, json};

use crate::env::{SESSION, TestEnv};
use crate::json::fits;

/// The report.
#[track_caller]
pub fn report(env: &TestEnv, args: &[&str]) -> Value {
    let all: Vec<&str> = ["maturity", "--json"].iter().chain(args).copied().collect();
    fits(&env.fr(&all).ok(), "maturity")
}

/// One criterion of it.
#[track_caller]
pub fn of(report: &Value, id: &str) -> Value {
    let all = report["criteria"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id} in {report:#}")).clone()
}

/// How one criterion stands, and all that is said of it.
#[track_caller]
pub fn standing(env: &TestEnv, id: &str) -> (String, String) {
    let one = of(&report(env, &[]), id);
    (one["standing"].as_str().unwrap().to_owned(), format!("{} {}", one["value"], one["evidence"]))
}

/// What is to be typed next for it.
#[track_caller]
pub fn next(env: &TestEnv, id: &str) -> String {
    of(&report(env, &[]), id)["next"].as_str().unwrap().to_owned()
}

/// A world with Claude in it, recorded.
pub fn recorded() -> TestEnv {
    let env = TestEnv::with_git();
    std::fs::create_dir(env.home.join(".claude")).unwrap();
    env.fr(&["install", "--yes"]).ok();
    env
}

#[test]
fn where_nothing_is_there_it_is_level_0_and_nothing_is_made() {
    let env = TestEnv::new();
    let report = report(&env, &[]);
    assert_eq!((&report["level"]["level"], &report["next_level"]["level"]), (&json!(0), &json!(1)));
    let good: Vec<&Value> = report["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["standing"] == "does-not-apply" || one["standing"] == "met")
        .collect();
    // Only what can be told without a record: there is no kubeconfig that names production.
    assert_eq!(good.iter().map(|one| &one["id"]).collect::<Vec<_>>(), ["production-out-of-reach"]);
    assert!(!env.fr_home.exists(), "looking makes no store");
    let shown = env.fr(&["maturity"]).ok().stdout;
    assert!(shown.starts_with("level 0, unrecorded: ") && shown.contains("fr install"), "{shown}");
}

#[test]
fn a_recorded_agent_that_destroys_and_a_drill_are_level_2() {
    let env = recorded();
    env.write("notes.txt", "kept\n");
    assert_eq!(report(&env, &[])["level"]["level"], 0, "hooks that were never seen to work are a hope");
    env.claude_runs("rm notes.txt");
    let first = report(&env, &[]);
    assert_eq!(first["level"]["name"], "recorded", "{first:#}");
    assert_eq!(first["holding_back"], json!(["drilled-once"]));
    assert_eq!(first["next"][0]["next"], "fr drill");
    assert!(of(&first, "captured")["evidence"][0] == "fs 1 of 1", "{first:#}");

    env.fr(&["drill", "--system", "files"]).ok();
    let second = report(&env, &[]);
    assert_eq!(second["level"]["name"], "recoverable", "{second:#}");
    assert_eq!(of(&second, "drilled")["standing"], "met");
    assert!(of(&second, "undo-time")["figure"].as_f64().unwrap() < 60.0);

    // Somebody tidies up the settings: the hook that all of this rests on is gone.
    let settings = env.home.join(".claude/settings.json");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("PreToolUse", "PreToolUsed")).unwrap();
    let broken = report(&env, &[]);
    assert_eq!((&broken["level"]["level"], &broken["holding_back"][0]), (&json!(0), &json!("hooks-alive")));
    let hooks = of(&broken, "hooks-alive");
    assert!(hooks["evidence"].to_string().contains("settings.json"), "{hooks:#}");
    assert_eq!(hooks["next"], "fr install --agent claude");
    env.sh(&format!("{} --yes", hooks["next"].as_str().unwrap())).ok();
    assert_eq!(report(&env, &[])["level"]["level"], 2, "the step that was named was the step");
}

#[test]
fn what_was_not_kept_is_counted_and_named() {
    let env = recorded();
    for n in 0..3 {
        env.write("x", n.to_string());
        env.claude_runs("rm x");
    }
    // Nothing that could be asked is there: the capture fails, the command is recorded.
    let call = env.claude_pre("kubectl delete namespace prod");
    env.claude_fail(&call, 1);
    let report = report(&env, &[]);
    let captured = of(&report, "captured");
    assert_eq!((&captured["standing"], &captured["value"]), (&json!("not-met"), &json!("75 % (3 of 4)")));
    let told = captured["evidence"].to_string();
    assert!(told.contains("fs 3 of 3, kubernetes 0 of 1"), "{told}");
    let id = captured["next"].as_str().unwrap().strip_prefix("fr show ").unwrap();
    assert!(env.fr(&["show", id]).ok().stdout.contains("kubectl delete namespace prod"));
    // Only files: all is kept there.
    let files = self::report(&env, &["--system", "fs"]);
    assert_eq!(
        (&files["level"], of(&files, "captured")["value"].as_str()),
        (&Value::Null, Some("100 % (3 of 3)"))
    );
    let wrong = env.fr(&["maturity", "--system", "nosuch"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("kubernetes"), "{wrong:?}");
}

#[test]
fn a_command_that_was_refused_destroyed_nothing() {
    let env = recorded();
    env.write("x", "1");
    env.fr(&["contain"]).ok();
    let answer = env.claude_pre("rm x").answer;
    assert!(answer.stdout.contains("deny"), "{answer:?}");
    env.fr(&["release"]).ok();
    let report = report(&env, &[]);
    assert_eq!(of(&report, "captured")["standing"], "unknown");
    let exercised = of(&report, "contain-exercised");
    assert_eq!((&exercised["standing"], &exercised["figure"]), (&json!("met"), &json!(1.0)), "{exercised:#}");
}

#[test]
fn gaps_and_people_without_a_terminal_count_against_it() {
    let env = recorded();
    env.claude_runs("ls");
    env.fr_with(&["hook", "claude"], b"{ this is no payload");
    env.sh("fr exec -- true").ok();
    let report = report(&env, &[]);
    let gaps = of(&report, "no-gaps");
    assert_eq!((&gaps["standing"], &gaps["figure"]), (&json!("not-met"), &json!(33.3)), "{gaps:#}");
    let known = of(&report, "attributed");
    assert_eq!(
        (&known["standing"], &known["value"]),
        (&json!("not-met"), &json!("50 % (1 of 2)")),
        "{known:#}"
    );
    assert!(known["evidence"].to_string().contains("true"), "{known:#}");
}

#[test]
fn a_record_that_was_changed_is_not_intact_and_damage_is_found_by_reading() {
    let env = recorded();
    env.write("x", "to be kept".repeat(100));
    env.claude_runs("rm x");
    env.claude_runs("ls");
    assert_eq!(standing(&env, "chain-intact").0, "met");
    assert_eq!(standing(&env, "captures-whole").0, "met");

    let pack = std::fs::read_dir(env.fr_home.join("packs")).unwrap().flatten().next().unwrap().path();
    let whole = std::fs::read(&pack).unwrap();
    let mut bytes = whole.clone();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x40;
    std::fs::write(&pack, &bytes).unwrap();
    let (word, told) = standing(&env, "captures-whole");
    assert!(word == "not-met" && told.contains("damaged"), "{told}");
    std::fs::write(&pack, &whole).unwrap();

    // Somebody makes an event say something else.
    let segment = std::fs::read_dir(env.fr_home.join("journal")).unwrap().flatten();
    let segment = segment.map(|entry| entry.path()).find(|path| path.is_file()).unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.windows(4).position(|four| four == b"rm x").unwrap();
    bytes[at + 3] = b'y';
    std::fs::write(&segment, bytes).unwrap();
    let (word, told) = standing(&env, "chain-intact");
    assert_eq!(word, "not-met", "{told}");
}

#[test]
fn agents_that_ask_first_are_told_from_those_that_do_not() {
    let env = recorded();
    let announce = |line: &str| {
        let call = env.claude_pre(line);
        env.claude_fail(&call, 1);
    };
    announce("terraform destroy -auto-approve");
    let (word, told) = standing(&env, "looked-first");
    assert!(word == "not-met" && told.contains("terraform destroy"), "{told}");
    for _ in 0..4 {
        announce("terraform plan -destroy");
        announce("terraform destroy -auto-approve");
    }
    let (word, told) = standing(&env, "looked-first");
    assert!(word == "met" && told.contains("80 % (4 of 5)"), "{told}");
    // Another session's plan is not this one's.
    env.claude_hook(json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash", "session_id": "another", "tool_use_id": "a",
        "tool_input": {"command": "terraform destroy -auto-approve"},
    }));
    assert_ne!(SESSION, "another");
    assert_eq!(standing(&env, "looked-first").0, "not-met");
}

#[test]
fn what_is_destroyed_outside_of_the_project_is_named() {
    let env = recorded();
    env.write("inside", "1");
    env.claude_runs("rm inside");
    assert_eq!(standing(&env, "inside-project").0, "met");
    // `/tmp` is everybody's, and a clone may be built there.
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let file = elsewhere.path().join("outside");
    std::fs::write(&file, "1").unwrap();
    env.claude_runs(&format!("rm {}", file.display()));
    let (word, told) = standing(&env, "inside-project");
    assert!(word == "not-met" && told.contains("outside"), "{told}");
}

#[test]
fn marking_production_and_guarding_it_are_settings_that_work_as_typed() {
    let env = recorded();
    env.claude_runs("ls");
    for id in ["production-marked", "guard-mode", "contain-exercised"] {
        assert_eq!(standing(&env, id).0, "not-met", "{id}");
        env.sh(&next(&env, id)).ok();
        assert_eq!(standing(&env, id).0, "met", "{id}");
    }
    // A setting that cannot be read is not the default that is in force instead.
    std::fs::write(env.fr_home.join("config.toml"), "mode = \"gard\"\n").unwrap();
    let (word, told) = standing(&env, "guard-mode");
    assert!(word == "unknown" && told.contains("gard"), "{told}");
}

#[test]
fn a_kubeconfig_that_names_production_is_in_reach() {
    let env = recorded();
    env.claude_runs("ls");
    let config = "contexts:\n- name: prod-eu\n- name: dev\nclusters:\n- name: c\n  cluster: {server: https://k8s.example}\nusers:\n- name: u\n  user: {token: kube-token-4711}\n";
    std::fs::create_dir(env.home.join(".kube")).unwrap();
    std::fs::write(env.home.join(".kube/config"), config).unwrap();
    assert_eq!(standing(&env, "production-out-of-reach").0, "unknown", "nothing is marked");
    env.sh(&next(&env, "production-out-of-reach")).ok();
    let (word, told) = standing(&env, "production-out-of-reach");
    assert!(word == "not-met" && told.contains("prod-eu") && !told.contains("4711"), "{told}");
    std::fs::create_dir(env.home.join(".aws")).unwrap();
    std::fs::write(
        env.home.join(".aws/config"),
        "[profile live]\nrole_arn = arn:aws:iam::123456789012:role/x\n",
    )
    .unwrap();
    env.fr(&["config", "set", "production.accounts", "123456789012"]).ok();
    let (_, told) = standing(&env, "production-out-of-reach");
    assert!(told.contains("123456789012") && told.contains("2"), "{told}");
    std::fs::write(env.home.join(".kube/config"), "{").unwrap();
    assert_eq!(standing(&env, "production-out-of-reach").0, "unknown");
}

#[test]
fn every_format_says_the_same_and_hostile_names_stay_names() {
    let env = recorded();
    env.write("x", "1");
    env.claude_runs("rm x # </style><script>alert(1)</script>");
    let call = env.claude_pre("kubectl delete ns '<img src=http://127.0.0.1:9/x>' # \u{1b}[2J`|");
    env.claude_fail(&call, 1);
    let level = report(&env, &[])["level"]["name"].as_str().unwrap().to_owned();
    for format in ["text", "md", "html", "json"] {
        let shown = env.fr(&["maturity", "--format", format]).ok().stdout;
        assert!(shown.contains(&level) && !shown.contains('\u{1b}'), "{format}: {shown}");
        if format == "md" || format == "html" {
            assert!(!shown.contains("<img") && !shown.contains("<script>alert"), "{format}: {shown}");
            assert!(shown.contains("&lt;img"), "{format}: {shown}");
        }
    }
    let file = env.root().join("m.md");
    env.fr(&["maturity", "--format", "md", "--out", file.to_str().unwrap()]).ok();
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("# "));
    assert_eq!(env.fr(&["maturity", "--out", "x"]).code, 2);
    assert_eq!(env.fr(&["maturity", "--since", "tomorrow"]).code, 2);
    let bad = env.fr(&["maturity", "--format", "md", "--out", "/nonexistent/x"]);
    assert!(bad.code == 1 && bad.stderr.contains("/nonexistent/x"), "{bad:?}");
}

/// The store holds what was destroyed, secrets among it: whether its disk is encrypted is said, as the system itself tells it.
#[test]
fn whether_the_disk_of_the_store_is_encrypted_is_looked_at() {
    let env = recorded();
    env.claude_runs("ls");
    let (_, said) = standing(&env, "store-sound");
    let place = env.fr_home.to_str().unwrap();
    let source = env.sh(&format!("findmnt -n -o SOURCE -T '{place}'")).ok().stdout;
    // Itself and all that it stands on, by another program.
    let stack = env.sh(&format!("lsblk -n -s -o TYPE '{}'", source.trim()));
    let wanted = match stack.code {
        0 if stack.stdout.lines().any(|line| line.trim() == "crypt") => "is encrypted by the kernel",
        0 => "is not encrypted by the kernel",
        _ => "is not known",
    };
    assert!(said.contains(wanted), "{said}: {stack:?}");
}
