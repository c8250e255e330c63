//! What the report says of each thing that was hit: only what concerns it, and how old the state is that came back.

use serde_json::{Value, json};

use super::{Clock, metric, report, row};
use crate::env::TestEnv;

fn texts(row: &Value, name: &str) -> Vec<String> {
    row[name].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// One undo of two commands, of which one is in nobody's way and the other is.
#[test]
fn what_an_undo_could_not_bring_back_stands_beside_the_thing_that_it_is_of() {
    let env = TestEnv::new();
    env.write("docs/a", "a");
    env.write("notes.txt", "one\n");
    env.claude_runs("rm -rf docs");
    env.claude_runs("echo gone > notes.txt");
    env.write("notes.txt", "somebody's work\n");
    env.fr(&["incident", "open"]).ok();
    let out = env.fr(&["undo", "1", "2", "--yes", "--on-conflict", "skip"]);
    assert_eq!((out.code, env.read("docs/a").as_str()), (3, "a"), "{out:?}");
    let made = report(&env, "3");
    let (docs, notes) = (row(&made, "docs"), row(&made, "notes.txt"));
    assert_eq!((&docs["restored"], &docs["not_recoverable"]), (&json!("exact"), &json!([])), "{made:#}");
    assert_eq!(
        (&notes["restored"], &notes["data_loss_short"]),
        (&json!("partial"), &json!("in part")),
        "{made:#}"
    );
    let hit = |word: &str| {
        let all = made["hit"].as_array().unwrap();
        all.iter().find(|hit| hit["what"].as_str().unwrap().contains(word)).unwrap()["comes_back"].clone()
    };
    assert_eq!((hit("docs"), hit("notes")), (json!("is back"), json!("not back yet")));
    let why = texts(notes, "not_recoverable");
    assert!(why.len() == 1 && why[0].contains("changed") && !why[0].contains("docs"), "{why:?}");
    assert_eq!(made["recovery_whole"], json!([]));
    // It is on record like that, not only in the report.
    let undo = env.fr(&["show", "4", "--json"]).ok();
    let lacking = crate::json::fits(&undo, "event")["after"]["lacking"].clone();
    assert_eq!(lacking.as_array().unwrap().len(), 1, "{lacking:#}");
    assert!(lacking[0]["system"] == "fs" && lacking[0]["target"].as_str().unwrap().contains("notes.txt"));
}

#[test]
fn a_capture_is_of_just_before_the_command_and_what_is_not_back_has_no_age() {
    let mut env = TestEnv::new();
    env.write("docs/a", "a");
    env.write("more", "m");
    let mut clock = Clock::new(&mut env);
    env.claude_runs("rm -rf docs");
    clock.pass(&mut env, 5);
    env.claude_runs("rm more");
    env.claude_pre("kubectl --context prod delete namespace shop");
    clock.pass(&mut env, 3600);
    env.fr(&["incident", "open"]).ok();
    env.fr(&["undo", "1", "--yes"]).ok();
    let made = report(&env, "4");
    let loss = |word: &str| row(&made, word)["data_loss"].clone();
    assert_eq!(
        loss("docs"),
        json!({"as_of": "2026-01-02T03:04:05.000Z", "as_of_ns": 1_767_323_045_000_000_000_i64, "window_ms": 0,
               "words": ["none: it was captured just before the command"]})
    );
    let nothing = |words: &str| json!({"as_of": null, "as_of_ns": null, "window_ms": null, "words": [words]});
    assert_eq!(loss("more"), nothing("nothing of it is back yet"));
    assert_eq!(loss("shop"), nothing("all of it: nothing is back"));
    assert_eq!(metric(&made, "data-loss-window")["value"], "0 ms");
}

/// A disk comes back from a snapshot of three hours before: what was written since is lost, and the report says how much that is.
#[test]
fn what_came_back_from_a_snapshot_is_as_old_as_that() {
    let Some(mut scene) = crate::aws::scene::Scene::new() else { return };
    let made = scene.python(
        "e = c('ec2')\nout = {}\n\
         for name in ('kept', 'lost'): out[name] = e.create_volume(Size=3, AvailabilityZone='us-east-1a')['VolumeId']\n\
         made = e.create_snapshot(VolumeId=out['kept'])\n\
         out['snapshot'], out['ms'] = made['SnapshotId'], round(made['StartTime'].timestamp() * 1000)",
    );
    let name = |name: &str| made[name].as_str().unwrap().to_owned();
    // The service tells the time by its own clock. Ours is three hours later, however slow the machine is.
    let mut clock = Clock(made["ms"].as_i64().unwrap() * 1_000_000);
    clock.pass(&mut scene.env, 3 * 3600);
    for volume in ["kept", "lost"] {
        scene.agent(&format!("aws ec2 delete-volume --volume-id {}", name(volume))).ok();
    }
    scene.env.fr(&["incident", "open"]).ok();
    for event in ["1", "2"] {
        let out = scene.env.fr(&["undo", event, "--yes", "--apply-infra"]);
        assert!([3, 5].contains(&out.code), "{out:?}");
    }
    let made = report(&scene.env, "3");
    let kept = row(&made, &name("kept"));
    assert_eq!(
        (&kept["restored"], &kept["data_loss_short"]),
        (&json!("new-identity"), &json!("3 h 0 min")),
        "{made:#}"
    );
    let words = texts(&kept["data_loss"], "words");
    assert!(
        words.len() == 1 && words[0].contains(&format!("snapshot {} is of ", name("snapshot"))),
        "{words:?}"
    );
    assert_eq!(kept["data_loss"]["window_ms"], 3 * 3_600_000);
    assert_eq!(metric(&made, "data-loss-window")["value"], "3 h 0 min");
    // Of the other nothing was kept, and nothing is back: no row speaks of the other one.
    let lost = row(&made, &name("lost"));
    assert!(!lost.to_string().contains(&name("snapshot")) && lost["restored"] != "new-identity", "{lost:#}");
    let page = scene.env.fr(&["incident", "report"]).ok().stdout;
    assert!(page.contains("what was written in 3 h 0 min before the command"), "{page}");
}

/// Nobody was alarmed, nobody contained, and the incident was open before: when it was noticed is not known.
#[test]
fn when_the_damage_was_noticed_is_said_not_to_be_known() {
    let mut env = TestEnv::new();
    env.write("docs/a", "a");
    let mut clock = Clock::new(&mut env);
    env.claude_runs("ls");
    env.fr(&["incident", "open", "it looks odd", "--session", crate::env::SESSION]).ok();
    clock.pass(&mut env, 60);
    env.claude_runs("rm -rf docs");
    let made = report(&env, "2");
    let detect = metric(&made, "time-to-detect");
    assert_eq!((&detect["value"], &detect["number"]), (&json!("unknown"), &json!(null)));
    assert!(detect["note"].as_str().unwrap().contains("not on record"), "{detect}");
    let said = texts(&made, "detection").join("\n");
    assert!(said.contains("When the damage was noticed is not known"), "{said}");
    for format in ["md", "html"] {
        let page = env.fr(&["incident", "report", "--format", format]).ok().stdout;
        assert!(page.contains("When the damage was noticed is not known"), "{page}");
    }
    // Somebody contains: the number is what is known at the latest, and is said to be no more than that.
    clock.pass(&mut env, 120);
    env.fr(&["contain"]).ok();
    let made = report(&env, "2");
    let detect = metric(&made, "time-to-detect");
    assert_eq!(detect["value"], "2 min 0 s");
    assert!(detect["note"].as_str().unwrap().contains("who noticed before"), "{detect}");
    let said = texts(&made, "detection").join("\n");
    assert!(said.contains("counts until event 4 (contained)"), "{said}");
}
