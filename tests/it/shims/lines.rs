//! What no parser can know: substitutions, globs after `cd`, xargs, loops, make, scripts, other languages.

use std::path::Path;

use super::World;
use crate::env::run;
use crate::pty::Pty;

/// Lines that remove all of `*.log` in the directory `$OUT`, and nothing else.
fn removers(world: &World, out: &Path) -> Vec<String> {
    world.env.write("Makefile", "clean:\n\tcd $(OUT) && rm -f *.log\n");
    world.env.write("clean.sh", "for f in $(cd \"$1\" && ls | grep log); do rm \"$1/$f\"; done\n");
    let out = out.display();
    vec![
        format!("rm $(ls {out}/*.log)"),
        format!("D=$(dirname {out}/x); cd \"$D\" && rm *.log"),
        format!("find {out} -name '*.log' -print0 | sort -z | xargs -0 rm"),
        format!("ls {out} | grep log | while read -r f; do rm {out}/$f; done"),
        format!("make -s clean OUT={out}"),
        format!("sh clean.sh {out}"),
        format!(
            "python3 -c 'import subprocess, glob; subprocess.run([\"rm\"] + glob.glob(\"{out}/*.log\"))'"
        ),
        format!("find {out} -name '*.log' -exec rm {{}} +"),
        format!("nohup nice env X=1 rm $(ls -d {out}/*.log)"),
    ]
}

#[test]
fn what_only_the_execution_knows_comes_back_with_its_line() {
    let world = World::new();
    let out = world.outside(&["a.log", "b c.log", "keep.txt"]);
    let out = out.as_path();
    // File names with blanks are not for all of these lines.
    std::fs::rename(out.join("b c.log"), out.join("b.log")).unwrap();
    let before = World::files(out);
    for line in removers(&world, out) {
        let ran = world.env.claude_runs(&line);
        assert_eq!((ran.code, World::files(out).len()), (0, 1), "{line}: {ran:?}");
        let events = world.events();
        let top = events.iter().rfind(|event| event["parent"].is_null()).unwrap();
        assert_eq!(top["command"]["line"], line);
        world.undo(&top["id"]).ok();
        assert_eq!(World::files(out), before, "{line}");
        let latest = world.env.fr(&["timeline", "-n", "1", "--json"]).ok().json()[0]["id"].to_string();
        let redone = world.env.fr(&["redo", &latest, "--yes"]).ok();
        assert_eq!(World::files(out).len(), 1, "{line}: {redone:?}");
        let redo = world.env.fr(&["timeline", "-n", "1", "--json"]).ok().json()[0]["id"].to_string();
        world.env.fr(&["undo", &redo, "--yes"]).ok();
        assert_eq!(World::files(out), before, "{line}, redone and undone again");
    }
}

#[test]
fn without_a_line_above_each_call_is_an_event_with_its_own_end() {
    let world = World::new();
    world.env.write("a", "1");
    world.env.write("b", "2");
    let ran = world.env.sh("rm $(echo a b); rm nothing; git --version; mv nowhere x");
    assert_eq!(ran.code, 1, "{ran:?}");
    let events = world.events();
    assert_eq!(world.story(), ["rm a b", "mv nowhere x"], "nothing is lost by the others");
    assert_eq!((&events[0]["outcome"]["code"], &events[1]["outcome"]["code"]), (&0.into(), &1.into()));
    assert_eq!(events[0]["source"], "shim");
    world.undo(&events[0]["id"]).ok();
    assert_eq!((world.env.read("a"), world.env.read("b")), ("1".to_string(), "2".to_string()));
}

#[test]
fn a_command_that_is_its_line_is_listed_once() {
    let world = World::with_git();
    for line in ["rm -rf build", "echo start && rm -r build", "cd . && rm -rf build; true"] {
        world.env.write("build/x", "x");
        world.env.claude_runs(line).ok();
        assert!(!world.env.exists("build"));
    }
    world.env.claude_runs("git commit -q --allow-empty -m second").ok();
    world.env.claude_runs("git branch x; git branch -D x").ok();
    let story = world.story();
    assert_eq!(
        story[..4],
        [
            "rm -rf build",
            "echo start && rm -r build",
            "cd . && rm -rf build; true",
            "git commit -q --allow-empty -m second"
        ]
    );
    // The second command finds what the first has made: another state than the line began with.
    assert_eq!(story[4..], ["git branch x; git branch -D x", "+git branch -D x"]);
}

#[test]
fn what_an_earlier_part_of_the_line_changed_is_captured_again() {
    let world = World::new();
    let file = world.env.write("f", "old");
    world.env.claude_runs("printf new > f && rm f").ok();
    assert_eq!(world.story(), ["printf new > f && rm f", "+rm f"]);
    let events = world.events();
    let before = world.env.root().join("before");
    world.env.fr(&["restore", "2", "--to", before.to_str().unwrap()]).ok();
    let kept = World::files(&before);
    assert!(kept.iter().any(|(_, text)| text == "new"), "what rm saw: {kept:?}");
    world.undo(&events[0]["id"]).ok();
    assert_eq!(std::fs::read_to_string(file).unwrap(), "old", "the line goes back to before the line");
    let left = world.env.fr(&["undo", "--yes"]);
    assert_eq!(left.code, 5, "the part is undone with it: {left:?}");
}

#[test]
fn a_copy_through_a_link_that_the_line_made() {
    let world = World::new();
    world.env.write("docs/config.yml", "precious");
    world.env.write("config.yml", "new");
    world.env.claude_runs("ln -s docs linked; cp -r config.yml linked").ok();
    assert_eq!(world.env.read("docs/config.yml"), "new");
    let id = world.events()[0]["id"].clone();
    world.undo(&id).ok();
    assert_eq!(world.env.read("docs/config.yml"), "precious");
    assert!(!world.env.exists("linked"));
}

#[test]
fn the_timeline_shows_parts_below_their_line() {
    let world = World::new();
    let out = world.outside(&["a.log", "b.log"]).display().to_string();
    world.env.claude_runs("ls > listing").ok();
    world.env.claude_runs(&format!("for f in $(ls {out}); do rm {out}/$f; done")).ok();
    world.env.claude_runs("rm listing").ok();
    let shown = world.env.fr(&["timeline"]).ok().stdout;
    let lines: Vec<&str> = shown.lines().skip(2).collect();
    assert!(lines[0].ends_with("rm listing"), "{shown}");
    assert!(lines[1].contains("for f in"), "{shown}");
    assert!(lines[2].ends_with(&format!("└ rm {out}/a.log")), "{shown}");
    assert!(lines[3].ends_with(&format!("└ rm {out}/b.log")), "{shown}");
    assert!(lines[4].ends_with("ls > listing"), "{shown}");
    let details = world.env.fr(&["show", "2"]).ok().stdout;
    assert!(details.contains("parts") && details.contains("3, 4"), "{details}");
    assert!(world.env.fr(&["show", "3"]).ok().stdout.contains("part of"), "{details}");
    // A part has its own end from its line: its state is known, its exit code is not.
    assert_eq!(world.events()[2]["outcome"]["how"], "ended");
    let diff = world.env.fr(&["diff", "2", "--stat"]).ok().stdout;
    assert!(diff.contains("a.log") && diff.contains("b.log"), "{diff}");
}

#[test]
fn a_part_that_somebody_changed_since_is_a_conflict_of_its_line() {
    let world = World::new();
    let out = world.outside(&["a.log", "b.log"]);
    world.env.claude_runs(&format!("rm $(ls -d {}/*)", out.display())).ok();
    std::fs::write(out.join("a.log"), "by a person").unwrap();
    let refused = world.env.fr(&["undo", "--yes", "1"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(!out.join("b.log").exists(), "nothing was written");
    world.env.fr(&["undo", "--yes", "--on-conflict", "skip", "1"]);
    assert!(out.join("b.log").exists());
    assert_eq!(std::fs::read_to_string(out.join("a.log")).unwrap(), "by a person");
}

#[test]
fn fr_exec_and_a_person_at_a_prompt_are_lines_too() {
    let world = World::new();
    let out = world.outside(&["a.log", "b.log", "c.log"]);
    let first = format!("rm $(ls -d {}/a*)", out.display());
    world.env.fr(&["exec", "-c", &first]).ok();
    assert_eq!(world.story()[0], first);
    assert_eq!(world.events()[1]["parent"], 1);

    let init = world.env.fr(&["init", "bash"]).ok().stdout;
    let rc = world.env.root().join("rc");
    std::fs::write(&rc, format!("PS1='READY> '\n{init}")).unwrap();
    let mut bash = world.env.command("bash");
    bash.args(["--noprofile", "--rcfile", rc.to_str().unwrap(), "-i"]);
    let mut pty = Pty::start(&bash);
    pty.expect("READY> ");
    pty.line(&format!("rm $(ls -d {}/b*)", out.display()), "READY> ");
    pty.line("echo done", "READY> ");
    let events = world.events();
    let part = events.iter().find(|e| e["source"] == "shim" && e["parent"] == 3).unwrap();
    assert_eq!(part["session"], events[2]["session"]);
    assert_eq!(part["outcome"]["code"], 0, "at a prompt we wait for the end");
    world.undo(&events[2]["id"]).ok();
    assert!(out.join("b.log").exists());
}

#[test]
fn twenty_at_once() {
    let world = World::new();
    for n in 0..20 {
        world.env.write(&format!("f{n}"), n.to_string());
    }
    world.env.sh("for n in $(seq 0 19); do rm f$n & done; wait").ok();
    assert_eq!(world.events().len(), 20);
    assert!(!world.env.exists("f7"));
    for event in world.events() {
        assert_eq!(event["outcome"]["code"], 0);
        world.undo(&event["id"]).ok();
    }
    assert!((0..20).all(|n| world.env.read(&format!("f{n}")) == n.to_string()));
    world.env.fr(&["store", "verify"]).ok();
}

#[test]
fn in_the_background_after_its_line_has_ended() {
    let world = World::new();
    let out = world.outside(&["a.log"]);
    let line = format!("(sleep 0.5; rm {}/*.log) >/dev/null 2>&1 &", out.display());
    let call = world.env.claude_pre(&line);
    let mut bash = world.env.command("bash");
    bash.args(["-c", &line]).env("CLAUDE_CODE_SESSION_ID", crate::env::SESSION);
    run(bash, b"").ok();
    world.env.claude_post(&call);
    crate::pty::until("the part is there", || world.story().len() == 2);
    let part = &world.events()[1];
    assert_eq!(part["session"], crate::env::SESSION);
    crate::pty::until("it reported its own end", || world.events()[1]["outcome"]["code"] == 0);
    world.undo(&world.events()[1]["id"].clone()).ok();
    assert!(out.join("a.log").exists());
}
