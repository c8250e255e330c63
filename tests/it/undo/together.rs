//! Twenty commands in seconds, taken back as one: each target goes to what it was before the first of them, and what a
//! person did in between or since is never in the way silently, and never lost.

use super::{assert_same, picture, project};
use crate::env::TestEnv;

fn undo(env: &TestEnv, args: &[&str]) -> crate::env::Output {
    env.fr(&[&["undo", "--yes"], args].concat())
}

#[test]
fn a_session_of_many_commands_is_taken_back_as_one_change() {
    let env = project();
    let before = picture(&env);
    for line in [
        "echo 1 > config.yml",
        "rm -rf docs",
        "echo 2 >> config.yml && mkdir docs && echo new > docs/new.md",
        "git add -A && git commit -q -m 'the agent commits'",
        "git reset -q --hard HEAD~1",
        "mv src lib && rm lib/deep/lib.rs",
        "git branch -D topic && git tag -d v1 && git stash drop -q",
        "chmod 600 config.yml && rm -rf lib old 'a note.txt'",
        "git checkout -q -f feature && git clean -fdxq",
    ] {
        env.claude_runs(line);
    }
    let destroyed = picture(&env);
    let plan = env.fr(&["undo", "--session", "--dry-run"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert_same(&destroyed, &env);
    let done = undo(&env, &["--session"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("undone and verified"), "{done:?}");
    assert_same(&before, &env);
    // One event, which takes back all of them, and can itself be taken back.
    let timeline = env.fr(&["timeline", "--json"]).ok().json();
    let undone = timeline.as_array().unwrap().iter().filter(|e| e["undone_by"] == 10).count();
    assert_eq!(undone, 9, "{timeline}");
    env.fr(&["redo", "--yes"]).ok();
    assert_same(&destroyed, &env);
    env.fr(&["undo", "--session", "--yes"]).ok();
    assert_same(&before, &env);
}

#[test]
fn a_path_that_was_changed_twenty_times_is_written_once() {
    let env = project();
    let before = picture(&env);
    for n in 0..20 {
        env.claude_runs(&format!("echo {n} > config.yml"));
    }
    let plan = env.fr(&["undo", "--last", "20", "--dry-run", "--json"]).ok().json();
    assert_eq!(plan["events"].as_array().unwrap().len(), 20);
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1, "{plan}");
    undo(&env, &["--last", "20"]).ok();
    assert_same(&before, &env);
}

#[test]
fn a_person_who_edits_between_two_commands_of_the_agent_keeps_the_edit() {
    let env = project();
    // Opaque commands capture the whole work tree: the person's file is in both captures.
    env.write("agent.py", "open('config.yml', 'w').write('agent 1\\n')\n");
    env.claude_runs("python3 agent.py");
    env.write("docs/guide.md", "what a person wrote between two commands\n");
    env.write("agent.py", "open('made.txt', 'w').write('agent 2\\n')\n");
    env.claude_runs("python3 agent.py");
    let done = undo(&env, &["--session"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(env.read("docs/guide.md"), "what a person wrote between two commands\n");
    assert_eq!(env.read("config.yml"), "a=1\nb=2\n");
    assert!(!env.exists("made.txt"));
}

#[test]
fn a_person_s_edit_of_the_same_file_in_between_is_a_conflict_of_the_earlier_command() {
    let env = project();
    env.claude_runs("echo agent > config.yml && rm -rf old");
    env.write("config.yml", "a person's work\n");
    env.claude_runs("rm config.yml");
    let before = picture(&env);
    let refused = undo(&env, &["--session"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("config.yml") && refused.stderr.contains("event 1"), "{refused:?}");
    assert_same(&before, &env);
    // Skipping that one conflict still brings back what the agent removed: the person's work.
    let skipped = undo(&env, &["--session", "--on-conflict", "skip"]);
    assert_eq!(skipped.code, 3, "{skipped:?}");
    assert_eq!(env.read("config.yml"), "a person's work\n");
    assert!(env.exists("old/x"));
    env.fr(&["redo", "--yes"]).ok();
    assert_same(&before, &env);
    let beside = undo(&env, &["--session", "--on-conflict", "side-by-side"]);
    assert_eq!(beside.code, 3, "{beside:?}");
    assert_eq!(env.read("config.yml"), "a person's work\n");
    assert!(env.sh("cat config.yml.fr-undo-*").stdout.contains("b=2"), "{beside:?}");
}

#[test]
fn by_default_only_what_agents_did_is_taken_back() {
    let env = project();
    env.claude_runs("rm -rf docs");
    env.fr(&["exec", "-c", "echo a person > config.yml"]).ok();
    env.claude_runs("rm -rf old");
    let done = undo(&env, &["--since", "1h"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(env.exists("docs/guide.md") && env.exists("old/x"));
    assert_eq!(env.read("config.yml"), "a person\n");
    let theirs = undo(&env, &["--since", "1h", "--actor", "human"]);
    assert_eq!(theirs.code, 0, "{theirs:?}");
    assert_eq!(env.read("config.yml"), "a=1\nb=2\n");
    let none = undo(&env, &["--since", "1h"]);
    assert_eq!(none.code, 5, "{none:?}");
    assert!(none.stderr.contains("--actor any"), "{none:?}");
}

/// Who says `--session` after cleaning up by hand means the agent's, not what was done a moment ago at a prompt.
#[test]
fn a_session_without_a_name_is_the_agent_s() {
    let env = project();
    env.claude_runs("rm -rf docs");
    env.fr(&["exec", "-c", "echo a person > config.yml"]).ok();
    undo(&env, &["--session"]).ok();
    assert!(env.exists("docs/guide.md"));
    assert_eq!(env.read("config.yml"), "a person\n");
    let none = undo(&env, &["--session"]);
    assert_eq!(none.code, 5, "{none:?}");
    assert!(none.stderr.contains("--actor any"), "{none:?}");
    assert_eq!(env.read("config.yml"), "a person\n");
    undo(&env, &["--session", "--actor", "any"]).ok();
    assert_eq!(env.read("config.yml"), "a=1\nb=2\n");
}

/// Nothing of the part that was named is not the same as "all is back".
#[test]
fn a_part_that_holds_nothing_is_not_called_back() {
    let env = project();
    env.claude_runs("rm -rf docs");
    for part in [["--system", "git"], ["--path", "old"]] {
        let none = undo(&env, &["1", part[0], part[1]]);
        assert_eq!(none.code, 5, "{none:?}");
        assert!(none.stderr.contains("nothing of the part that is asked for"), "{none:?}");
        assert!(!none.stderr.contains("is as it was"), "{none:?}");
    }
    let turned = undo(&env, &["3..1"]);
    assert_eq!(turned.code, 2, "{turned:?}");
    assert!(turned.stderr.contains("1..3"), "{turned:?}");
}

#[test]
fn ranges_lists_and_exceptions_choose_events() {
    let env = project();
    for path in ["docs", "old", "src", "build"] {
        env.claude_runs(&format!("rm -rf {path}"));
    }
    let done = undo(&env, &["1..3", "--exclude", "2"]);
    assert_eq!(done.code, 0, "{done:?}");
    let there = ["docs", "old", "src", "build"].map(|path| env.exists(path));
    assert_eq!(there, [true, false, true, false]);
    undo(&env, &["4", "2"]).ok();
    assert!(env.exists("old/x") && env.exists("build/out.o"));
    let unknown = undo(&env, &["7..9"]);
    assert_eq!(unknown.code, 5, "{unknown:?}");
}

#[test]
fn a_part_of_what_was_done_is_taken_back_and_the_rest_later() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("rm -rf docs src");
    env.claude_runs("git branch -D topic; echo x > config.yml");
    let part = undo(&env, &["--session", "--path", "docs"]);
    assert_eq!(part.code, 0, "{part:?}");
    assert!(part.stdout.contains("left out"), "{part:?}");
    assert!(env.exists("docs/guide.md") && !env.exists("src"));
    let git = undo(&env, &["--session", "--system", "git"]);
    assert_eq!(git.code, 0, "{git:?}");
    assert!(env.git(&["rev-parse", "--verify", "topic"]).code == 0);
    assert_eq!(env.read("config.yml"), "x\n");
    let rest = undo(&env, &["--session"]);
    assert_eq!(rest.code, 0, "{rest:?}");
    picture(&env).without_directory_times().assert_same(&before.without_directory_times());
    let wrong = undo(&env, &["--session", "--system", "gti"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

#[test]
fn later_events_that_stand_in_the_way_are_named_and_can_come_along() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("echo one > config.yml");
    env.claude_runs("rm -rf old");
    env.fr(&["exec", "-c", "echo two >> config.yml"]).ok();
    env.claude_runs("mv config.yml moved.yml");
    let refused = undo(&env, &["1"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("event 4 (claude)"), "{refused:?}");
    let plan = env.fr(&["undo", "1", "--with-dependents", "--dry-run", "--json"]).ok().json();
    assert_eq!(plan["events"], serde_json::json!([4, 3, 1]), "{plan}");
    undo(&env, &["1", "--with-dependents"]).ok();
    assert!(!env.exists("old"));
    undo(&env, &["2"]).ok();
    picture(&env).without_directory_times().assert_same(&before.without_directory_times());
}

#[test]
fn a_reviewed_plan_is_applied_as_reviewed_or_not_at_all() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("rm -rf docs");
    env.claude_runs("echo x > config.yml; git branch -D topic");
    let file = env.root().join("plan.json");
    let file = file.to_str().unwrap();
    let written = env.fr(&["undo", "--session", "--plan-out", file]);
    assert_eq!(written.code, 0, "{written:?}");
    assert!(!env.exists("docs"));
    // Somebody changes a target between review and use.
    env.write("config.yml", "changed after the review\n");
    let moved = env.fr(&["undo", "--plan", file, "--yes"]);
    assert_eq!(moved.code, 4, "{moved:?}");
    assert!(moved.stderr.contains("does not come out the same"), "{moved:?}");
    assert!(!env.exists("docs"));
    env.write("config.yml", "x\n");
    std::fs::remove_file(file).unwrap();
    env.fr(&["undo", "--session", "--plan-out", file]).ok();
    let applied = env.fr(&["undo", "--plan", file, "--yes"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    picture(&env).without_directory_times().assert_same(&before.without_directory_times());
    for text in ["", "{}", "{\"version\":99}"] {
        std::fs::write(file, text).unwrap();
        let bad = env.fr(&["undo", "--plan", file, "--yes"]);
        assert_eq!(bad.code, 2, "{bad:?}");
    }
}

#[test]
fn pushes_of_a_session_go_back_once_per_ref() {
    let env = project();
    let remote = |env: &TestEnv| env.sh("git -C ../remote.git for-each-ref").stdout;
    let before = (picture(&env), remote(&env));
    env.claude_runs("git commit -q --allow-empty -m a && git push -q -f origin HEAD~1:main");
    env.claude_runs("git push -q -f origin main~1:main");
    env.claude_runs(
        "git commit -q --amend -m b && git push -q -f origin HEAD:main && git push -q origin :main",
    );
    let done = undo(&env, &["--session"]);
    assert!(done.code == 0 || done.code == 3, "{done:?}");
    assert_eq!(remote(&env), before.1, "{done:?}");
}

#[test]
fn an_interrupted_undo_of_many_goes_on_or_back() {
    if !crate::crash::can_trace() {
        return;
    }
    for how in ["--resume", "--abort"] {
        let env = project();
        let before = picture(&env);
        env.claude_runs("rm -rf docs");
        env.claude_runs("git branch -D topic; echo x > config.yml");
        env.claude_runs("rm -rf src; echo y > config.yml; git commit -q -a -m gone");
        let destroyed = picture(&env);
        // Killed at the third rename: some targets are back, some are not.
        let mut command = env.command("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e"]);
        command.arg("inject=renameat2:signal=KILL:when=3");
        command.arg(TestEnv::binary()).args(["undo", "--session", "--yes"]);
        let killed = crate::env::run(command, b"");
        assert_ne!(killed.code, 0, "{killed:?}");
        let other = undo(&env, &["1"]);
        assert!(other.stderr.contains("interrupted"), "{other:?}");
        let done = env.fr(&["undo", how, "--yes"]);
        assert_eq!(done.code, 0, "{how}: {done:?}");
        // Nobody can tell who used the directory above last, the killed undo or somebody else: its time stays.
        let same_but_for_the_top = |expected: &crate::undo::Picture| {
            let mut now = picture(&env);
            now.set_root_time_of(expected);
            now.assert_same(expected);
        };
        match how {
            "--resume" => same_but_for_the_top(&before),
            _ => {
                same_but_for_the_top(&destroyed);
                undo(&env, &["--session"]).ok();
                same_but_for_the_top(&before);
            }
        }
    }
}

#[test]
fn what_a_person_changed_after_the_crash_is_not_lost_when_the_undo_is_given_up() {
    if !crate::crash::can_trace() {
        return;
    }
    let env = project();
    env.claude_runs("rm -rf docs old");
    env.claude_runs("echo x > config.yml; rm src/main.rs");
    let mut command = env.command("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e"]);
    command.arg("inject=renameat2:signal=KILL:when=4");
    command.arg(TestEnv::binary()).args(["undo", "--session", "--yes"]);
    assert_ne!(crate::env::run(command, b"").code, 0);
    let back = ["docs/guide.md", "old/x", "src/main.rs"].into_iter().find(|path| env.exists(path)).unwrap();
    env.write(back, "what a person wrote after the crash\n");
    let refused = env.fr(&["undo", "--abort", "--yes"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    let skipped = env.fr(&["undo", "--abort", "--yes", "--on-conflict", "skip"]);
    assert_eq!(skipped.code, 3, "{skipped:?}");
    assert_eq!(env.read(back), "what a person wrote after the crash\n");
}

#[test]
fn numbers_choose_steps_on_a_terminal() {
    let env = project();
    env.claude_runs("rm -rf docs");
    env.claude_runs("rm -rf old");
    env.claude_runs("rm -rf build");
    let mut command = env.command(TestEnv::binary());
    command.args(["undo", "--session"]);
    let mut pty = crate::pty::Pty::start(&command);
    pty.expect("numbers: 1,3-5");
    pty.send("1,3\n");
    pty.expect("the rest stands");
    let there = ["docs", "old", "build"].map(|path| env.exists(path));
    assert_eq!(there.iter().filter(|is| **is).count(), 2, "{there:?}");
    undo(&env, &["--session"]).ok();
    assert!(["docs", "old", "build"].iter().all(|path| env.exists(path)));
}

#[test]
fn what_was_done_in_a_repository_that_is_gone_comes_back_after_it() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("git branch -D topic; echo x > config.yml; git commit -q -a -m gone");
    env.claude_runs("git stash clear");
    env.claude_runs("rm -rf .git docs");
    env.claude_runs("echo later > config.yml");
    let plan = env.fr(&["undo", "--session", "--dry-run"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.stderr.contains("then 2 1"), "{plan:?}");
    let done = undo(&env, &["--session"]);
    assert_eq!(done.code, 0, "{done:?}");
    picture(&env).without_directory_times().assert_same(&before.without_directory_times());
}

#[test]
fn what_a_person_put_into_an_agent_s_directory_stays_when_the_directory_goes() {
    let env = project();
    env.claude_runs("mkdir -p made/deep/er && echo agent > made/deep/er/x && echo agent > made/y");
    env.write("made/deep/er/person.txt", "a person's\n");
    env.claude_runs("echo more > made/deep/z");
    let done = undo(&env, &["--session"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stdout.contains("stays: it holds things made since"), "{done:?}");
    assert_eq!(env.sh("find made -type f").stdout, "made/deep/er/person.txt\n");
    // The same where a later command of the agent had taken all of it away.
    env.fr(&["redo", "--yes"]).ok();
    env.claude_runs("rm -rf made");
    let done = undo(&env, &["--session"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert_eq!(env.sh("find made -type f").stdout, "made/deep/er/person.txt\n");
    assert_eq!(env.read("made/deep/er/person.txt"), "a person's\n");
}

/// `git reset` captures the whole work tree, `mkdir` only the directory's name: the directory is seen twice.
#[test]
fn what_a_person_put_into_an_agent_s_directory_stays_where_the_work_tree_was_captured_too() {
    for made in ["mkdir -p made/deep; echo agent > made/deep/x", "mkdir -p made/deep"] {
        let env = project();
        env.claude_runs(&format!("git reset -q --hard HEAD~1; {made}"));
        env.write("made/deep/person.txt", "a person's\n");
        env.claude_runs("rm -rf docs");
        let done = undo(&env, &["--session"]);
        assert_eq!(done.code, 3, "{done:?}");
        assert!(done.stdout.contains("stays: it holds things made since"), "{done:?}");
        assert_eq!(env.sh("find made -type f").stdout, "made/deep/person.txt\n", "{done:?}");
        assert!(env.exists("docs/guide.md"));
    }
}

#[test]
fn a_file_that_a_person_changed_in_an_agent_s_directory_stays_when_the_rest_goes() {
    let env = project();
    env.claude_runs("mkdir -p made/deep && echo agent > made/deep/x && echo agent > made/y");
    env.write("made/deep/x", "a person's\n");
    env.claude_runs("rm -rf old");
    let done = undo(&env, &["--session", "--on-conflict", "skip"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert_eq!(env.sh("find made -type f").stdout, "made/deep/x\n");
    assert_eq!(env.read("made/deep/x"), "a person's\n");
    assert!(env.exists("old/x"));
}

/// What the later round will find is in the capture of the repository: nothing is written before it is known to work.
#[test]
fn a_conflict_in_a_repository_that_is_gone_is_known_before_anything_is_written() {
    let env = project();
    env.claude_runs("git branch -D topic; echo x > config.yml; git commit -q -a -m gone");
    env.sh("git commit -q --allow-empty -m 'a person went on'").ok();
    let persons = env.git(&["rev-parse", "main"]).ok().stdout;
    env.claude_runs("rm -rf .git docs");
    env.claude_runs("echo later > config.yml");
    let dry = env.fr(&["undo", "--session", "--dry-run"]);
    assert_eq!(dry.code, 4, "{dry:?}");
    let refused = undo(&env, &["--session"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("refs/heads/main") && refused.stderr.contains("event 1"), "{refused:?}");
    assert!(!env.exists(".git") && !env.exists("docs"), "{refused:?}");
    assert_eq!(env.read("config.yml"), "later\n");
    // Nothing of the look is left behind.
    let left = env.sh("find \"$FR_HOME/cache\" -name 'ahead-*'");
    assert_eq!(left.stdout, "", "{left:?}");
    let skipped = undo(&env, &["--session", "--on-conflict", "skip"]);
    assert_eq!(skipped.code, 3, "{skipped:?}");
    assert_eq!(env.git(&["rev-parse", "main"]).ok().stdout, persons);
    assert!(env.exists("docs/guide.md"));
}

/// A repository that is too large to be looked at beside the store: the person is told how far the undo came, and how to go
/// back from there.
#[test]
fn a_conflict_that_could_not_be_foreseen_is_found_when_the_repository_is_back() {
    for limit in ["ahead_bytes = 1000", "ahead_files = 10"] {
        let env = project();
        std::fs::create_dir_all(&env.fr_home).unwrap();
        std::fs::write(env.fr_home.join("config.toml"), format!("[caps]\n{limit}\n")).unwrap();
        env.claude_runs("git branch -D topic; echo x > config.yml; git commit -q -a -m gone");
        env.sh("git commit -q --allow-empty -m 'a person went on'").ok();
        env.claude_runs("rm -rf .git docs");
        env.claude_runs("echo later > config.yml");
        let before = crate::fs_compare::tree(&env.project);
        let dry = env.fr(&["undo", "--session", "--dry-run"]);
        assert_eq!(dry.code, 0, "{dry:?}");
        assert!(dry.stderr.contains("then 1: planned when 3 2 has been taken back"), "{dry:?}");
        let half = undo(&env, &["--session"]);
        assert_eq!(half.code, 3, "{limit}: {half:?}");
        assert!(
            half.stderr.contains("3 2 undone by event 4 (`fr redo 4` takes that back), but not 1"),
            "{half:?}"
        );
        assert!(half.stderr.contains("refs/heads/main"), "{half:?}");
        assert!(env.exists(".git/HEAD") && env.exists("docs/guide.md"), "{half:?}");
        assert_eq!(env.read("config.yml"), "x\n");
        let redo = env.fr(&["redo", "4", "--yes"]);
        assert_eq!(redo.code, 0, "{redo:?}");
        let mut now = crate::fs_compare::tree(&env.project);
        // Times of directories are not a redo's to give back.
        let mut before = before;
        for tree in [&mut now, &mut before] {
            tree.values_mut().filter(|seen| seen.kind == "dir").for_each(|seen| seen.mtime_ns = 0);
        }
        crate::fs_compare::assert_same(&before, &now);
    }
}

#[test]
fn a_later_event_is_found_by_the_directory_that_it_names() {
    let env = project();
    env.claude_runs("echo one > docs/guide.md");
    env.claude_runs("rm -rf docs; mkdir docs; echo two > docs/guide.md");
    env.write("docs/guide.md", "a person's\n");
    let refused = undo(&env, &["1"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("event 2 (claude)"), "{refused:?}");
}

#[test]
fn what_a_find_deleted_and_a_commit_come_back_by_a_redo() {
    let env = project();
    env.claude_runs("git commit -q -a -m work");
    env.claude_runs("find . -name '*.md' -not -path './.git/*' -delete");
    let destroyed = picture(&env);
    undo(&env, &["1..2"]).ok();
    let redo = env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    picture(&env).without_directory_times().assert_same(&destroyed.without_directory_times());
}

#[test]
fn one_target_of_several_is_put_beside_the_present() {
    let env = project();
    env.claude_runs("rm -rf docs old");
    let to = env.root().join("beside");
    let to = to.to_str().unwrap();
    let wrong = env.fr(&["restore", "1", "--target", "path:src", "--to", to]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("path:docs"), "{wrong:?}");
    env.fr(&["restore", "1", "--target", "path:docs", "--to", to]).ok();
    assert_eq!(env.sh("cat ../beside/docs/guide.md").stdout, "guide\n");
    assert!(!env.exists("../beside/old") && !env.exists("docs"));
}

/// A person on call takes the session back and goes to bed: what was destroyed and never captured must be in the verdict.
#[test]
fn what_was_never_captured_is_named_and_not_passed_over() {
    let env = TestEnv::with_git();
    env.write("docs/a.txt", "a");
    env.claude_runs("rm -rf docs");
    let _ = env.claude_runs("kubectl --context nowhere delete namespace shop");
    let dry = env.fr(&["undo", "--session", "--dry-run"]).ok();
    assert!(dry.stdout.contains("event 2: destroy of k8s:nowhere//namespace/shop"), "{dry:?}");
    let part = env.fr(&["undo", "--session", "--system", "fs", "--dry-run"]).ok();
    assert!(!part.stdout.contains("event 2"), "only what was asked for: {part:?}");
    let undo = env.fr(&["undo", "--session", "--yes"]);
    assert_eq!((undo.code, env.read("docs/a.txt").as_str()), (3, "a"), "{undo:?}");
    assert!(
        undo.stdout.contains("nothing was captured") && !undo.stdout.contains("undone and verified"),
        "{undo:?}"
    );
    let timeline = env.fr(&["timeline"]).ok().stdout;
    let row = timeline.lines().find(|line| line.contains("kubectl")).unwrap();
    assert!(!row.contains("undone"), "nothing of it came back: {timeline}");
    // What came back is back as a whole: that nothing can be done about another command takes nothing from it.
    let row = timeline.lines().find(|line| line.contains("rm -rf docs")).unwrap();
    assert!(row.contains("[undone by 3]"), "{timeline}");
    assert!(
        undo.stdout.contains("event 1 is back and verified; what cannot be taken back is named above"),
        "{undo:?}"
    );
    assert!(undo.stdout.contains("The command failed (exit 1): it may be as it was"), "{undo:?}");
    // Once more there is nothing left to do.
    let again = env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(again.code, 5, "{again:?}");
}
