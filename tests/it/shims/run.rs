//! `fr run -- agent…`.

use std::os::unix::process::ExitStatusExt;

use super::World;
use crate::env::{TestEnv, run};

/// `fr run` without shims on PATH before.
fn fr_run(world: &World, args: &[&str]) -> std::process::Command {
    let mut fr = world.plain(TestEnv::binary().to_str().unwrap());
    fr.arg("run").args(args);
    fr
}

#[test]
fn a_script_as_an_agent_is_recorded_by_name() {
    let world = World::with_git();
    let out = world.outside(&["a.log"]).display().to_string();
    let script = format!("#!/bin/sh\nrm $(ls {out}/*.log)\ngit status --short\ngit branch robot\nexit 5\n");
    world.program("my-agent", &script);
    let done = run(fr_run(&world, &["--agent", "robot", "--", "my-agent"]), b"");
    assert_eq!((done.code, done.stderr.as_str()), (5, ""), "{done:?}");
    assert_eq!(
        world.story(),
        [format!("rm {out}/a.log"), "git status --short".into(), "git branch robot".into()]
    );
    for event in world.events() {
        assert_eq!((&event["actor"]["kind"], &event["actor"]["name"]), (&"agent".into(), &"robot".into()));
        assert_eq!(event["actor"]["confidence"], "high");
        assert!(event["actor"]["evidence"].as_str().unwrap().contains("fr run"), "{event}");
    }
    let sessions = world.env.fr(&["sessions", "--json"]).ok().json();
    let ours = &sessions[0];
    assert!(ours["session"].as_str().unwrap().starts_with("run-"), "{sessions}");
    assert_eq!((&ours["events"], ours["ended_ns"].is_null()), (&3.into(), false), "{ours}");
    assert_eq!(ours["actor"], "robot");
}

#[test]
fn its_surroundings() {
    let world = World::new();
    for name in ["aider", "codex"] {
        world.program(name, "#!/bin/sh\nenv | sort\n");
    }
    let vars = |agent: &str| run(fr_run(&world, &[agent]), b"").ok().stdout;
    let aider = vars("aider");
    let value = |of: &str, name: &str| {
        of.lines().find_map(|line| line.strip_prefix(&format!("{name}=")).map(str::to_string))
    };
    assert!(value(&aider, "PATH").unwrap().starts_with(&format!("{}:", world.shims.display())), "{aider}");
    assert_eq!(value(&aider, "FR_ACTOR").as_deref(), Some("aider"));
    assert!(value(&aider, "AWS_SDK_UA_APP_ID").unwrap().starts_with("fr-aider-run-"), "{aider}");
    assert!(value(&aider, "BASH_ENV").is_some());
    // With BASH_ENV set, Codex no longer reads ~/.bashrc, and with it what the user has put there.
    let codex = vars("codex");
    assert_eq!((value(&codex, "BASH_ENV"), value(&codex, "ZDOTDIR")), (None, None), "{codex}");
    assert_eq!(value(&codex, "FR_ACTOR").as_deref(), Some("codex"));
    // What the user has set stays; who is no agent carries no marks.
    let mut fr = fr_run(&world, &["env"]);
    fr.env("BASH_ENV", "/dev/null").env("PGAPPNAME", "mine");
    let env = run(fr, b"").ok().stdout;
    assert_eq!(value(&env, "BASH_ENV").as_deref(), Some("/dev/null"));
    assert_eq!(value(&env, "PGAPPNAME").as_deref(), Some("mine"));
    assert_eq!((value(&env, "FR_ACTOR"), value(&env, "AWS_SDK_UA_APP_ID")), (None, None), "{env}");
}

#[test]
fn shells_that_it_starts_report_their_lines() {
    let world = World::new();
    let out = world.outside(&["a.log", "b.log"]).display().to_string();
    std::fs::write(world.env.home.join(".zshenv"), "export MINE=yes\n").unwrap();
    let script = format!("#!/bin/sh\nbash -c 'echo x > {out}/a.log'\nzsh -c 'print $MINE; rm {out}/b.log'\n");
    world.program("my-agent", &script);
    let done = run(fr_run(&world, &["--agent", "robot", "my-agent"]), b"").ok();
    assert_eq!(done.stdout, "yes\n", "the user's own start-up file was read");
    let story = world.story();
    assert!(story.contains(&format!("echo x > {out}/a.log")), "a redirection, which no shim sees: {story:?}");
    assert!(story.iter().any(|line| line.contains("rm") && line.contains("b.log")), "{story:?}");
    assert_eq!(world.events()[0]["actor"]["name"], "robot");
    // Nobody reports the end of `bash -c` (docs/shells.md), so what it wrote is not overwritten by an undo.
    let before = world.env.root().join("before");
    world.env.fr(&["restore", "1", "--to", before.to_str().unwrap()]).ok();
    assert!(World::files(&before).iter().any(|(_, text)| text == "a.log"), "{:?}", World::files(&before));
}

#[test]
fn codes_signals_and_what_is_missing() {
    let world = World::new();
    let out = run(fr_run(&world, &["--", "sh", "-c", "cat; exit 3"]), b"typed\n");
    assert_eq!((out.code, out.stdout.as_str()), (3, "typed\n"));
    let status = fr_run(&world, &["--", "sh", "-c", "kill -TERM $$"]).status().unwrap();
    assert_eq!(status.signal(), Some(15));
    let out = run(fr_run(&world, &["--", "no-such-agent"]), b"");
    assert!(
        out.code == 127 && out.stderr.contains("no-such-agent") && out.stderr.contains("hint"),
        "{out:?}"
    );
    assert_eq!(run(fr_run(&world, &[]), b"").code, 2);
    let sessions = world.env.fr(&["sessions", "--json"]).ok().json();
    let open = sessions.as_array().unwrap().iter().filter(|s| s["ended_ns"].is_null()).count();
    assert_eq!(open, 0, "every session has ended: {sessions}");
    // Without a store to write to, the agent still starts.
    let mut fr = fr_run(&world, &["--", "echo", "started"]);
    fr.env("FR_HOME", "/proc/nowhere");
    let out = run(fr, b"");
    assert_eq!((out.code, out.stdout.as_str()), (0, "started\n"));
    assert!(out.stderr.contains("not recorded"), "{out:?}");
}
