//! The hooks, before and after a command.

use serde_json::Value;

use super::fault::{Fault, How, Ran, can_trace, count, exhaustive, faults, traced};
use super::world::{COMMAND, World, case};
use crate::undo::{Picture, picture};

const HOOK: [&str; 2] = ["hook", "claude"];

/// A world in which three commands are acknowledged already.
fn with_history() -> World {
    let world = World::new();
    world.env.claude_runs("echo x > a.txt");
    world.env.claude_runs("ls");
    world.env.claude_runs(
        "rm -rf docs; git stash -q -u; git stash pop -q; mkdir docs; echo guide > docs/guide.md",
    );
    world
}

/// A world in which the command under test has run and its end is to be told.
fn at_the_end_of_the_command() -> World {
    let world = with_history();
    world.env.fr_with(&HOOK, &world.payload("PreToolUse")).ok();
    world.env.sh(COMMAND).ok();
    world
}

/// Kills the hook at each call.
fn killed(world: &World, hook: &str, each: usize) {
    if !can_trace() {
        return;
    }
    world.keep();
    let acknowledged = world.events();
    let counted = count(world, &HOOK, &world.payload(hook), 0);
    for fault in faults(&counted, How::Kill, each) {
        world.reset();
        let ran = traced(world, &HOOK, &world.payload(hook), Some(&fault));
        let what = case(&fault, &ran);
        assert!(!ran.hits.is_empty(), "{what}: the fault hit nothing, so the case proves nothing");
        assert_kept(&acknowledged, world, &what);
        world.assert_sound(&what);
        world.assert_next_works(&what);
    }
}

/// Every event that was there is there, with the same number and the same before-half.
#[track_caller]
fn assert_kept(acknowledged: &[Value], world: &World, what: &str) {
    let now = world.events();
    for was in acknowledged {
        let is = now.iter().find(|e| e["uid"] == was["uid"]).unwrap_or_else(|| panic!("{what}: lost {was}"));
        for half in ["id", "command", "effects", "captures"] {
            assert_eq!(was[half], is[half], "{what}");
        }
        assert!(was["after"].is_null() || was["after"] == is["after"], "{what}: {was} became {is}");
    }
}

#[test]
fn killed_before_the_first_command_ever() {
    killed(&World::new(), "PreToolUse", 2);
}

#[test]
fn killed_before_a_command() {
    killed(&with_history(), "PreToolUse", 2);
}

#[test]
fn killed_after_a_command() {
    killed(&at_the_end_of_the_command(), "PostToolUse", 2);
}

/// Lets each call fail, once and from there on. Whatever fails, the command runs; and where the recorder was silent,
/// undo brings everything back.
fn refused(world: &World, error: &'static str, each: usize) {
    if !can_trace() {
        return;
    }
    let before = picture(&world.env);
    world.keep();
    let acknowledged = world.events();
    let counted = count(world, &HOOK, &world.payload("PreToolUse"), 0);
    let once = faults(&counted, How::Error(error), each);
    let onwards = faults(&counted, How::Error(error), if exhaustive() { usize::MAX } else { 1 });
    let onwards = onwards.into_iter().map(|f| Fault { onwards: true, nth: f.nth.div_ceil(2), ..f });
    for fault in once.into_iter().chain(onwards) {
        world.reset();
        let ran = traced(world, &HOOK, &world.payload("PreToolUse"), Some(&fault));
        let what = case(&fault, &ran);
        assert_eq!((ran.output.code, ran.output.stdout.as_str()), (0, ""), "{what}");
        assert_kept(&acknowledged, world, &what);
        world.assert_sound(&what);
        assert_silence_means_whole(&ran, &before, world, &what);
        world.assert_next_works(&what);
    }
}

/// What was not recorded or not captured is said: on stderr, in a gap, in the event. What was captured without a word
/// comes back.
#[track_caller]
fn assert_silence_means_whole(ran: &Ran, before: &Picture, world: &World, what: &str) {
    let env = &world.env;
    let Some(event) = world.event_under_test() else {
        let gap = env.fr(&["timeline"]).stdout.contains("gap ");
        assert!(
            gap || !ran.output.stderr.is_empty() || ran.hit_stderr(),
            "{what}: not recorded, and not said"
        );
        env.sh(COMMAND).ok();
        return;
    };
    let lost = |c: &Value| c["missing"].as_array().is_some_and(|m| !m.is_empty());
    let said = !ran.output.stderr.is_empty() || ran.hit_stderr();
    let partial = said
        || event["warnings"].as_array().is_some_and(|w| !w.is_empty())
        || event["captures"].as_array().is_none_or(|c| c.is_empty() || c.iter().any(lost));
    env.sh(COMMAND).ok();
    env.fr_with(&HOOK, &world.payload("PostToolUse")).ok();
    let undo = env.fr(&["undo", &event["id"].to_string(), "--yes"]);
    assert!(partial || undo.code == 0, "{what}: silent, but {undo:?}\n{event}");
    if undo.code == 0 {
        let mut now = picture(env);
        if env.fr(&["show", &event["id"].to_string(), "--json"]).ok().json()["after"]["post"].is_null() {
            now.set_root_time_of(before);
        }
        assert!(now == *before, "{what}: called undone, but {:#?}", before.difference(&now));
    }
}

#[test]
fn an_io_error_before_the_first_command_ever() {
    refused(&World::new(), "EIO", 2);
}

#[test]
fn an_io_error_before_a_command() {
    refused(&with_history(), "EIO", 2);
}

#[test]
fn a_full_disk_before_a_command() {
    refused(&with_history(), "ENOSPC", 1);
}

#[test]
fn an_error_after_a_command_costs_at_most_the_post_state() {
    if !can_trace() {
        return;
    }
    let world = at_the_end_of_the_command();
    world.keep();
    let acknowledged = world.events();
    let counted = count(&world, &HOOK, &world.payload("PostToolUse"), 0);
    let both = [faults(&counted, How::Error("EIO"), 2), faults(&counted, How::Error("ENOSPC"), 1)];
    for fault in both.into_iter().flatten() {
        world.reset();
        let ran = traced(&world, &HOOK, &world.payload("PostToolUse"), Some(&fault));
        let what = case(&fault, &ran);
        assert_eq!((ran.output.code, ran.output.stdout.as_str()), (0, ""), "{what}");
        assert_kept(&acknowledged, &world, &what);
        world.assert_sound(&what);
        world.assert_next_works(&what);
    }
}
