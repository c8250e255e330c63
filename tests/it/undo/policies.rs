//! What each policy does about a person's later work: merged into, laid beside, or overwritten on demand and brought
//! back byte for byte. Never lost.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::Value;

use super::{assert_same, picture, project};
use crate::env::{Output, TestEnv};
use crate::pty::Pty;

fn undo(env: &TestEnv, policy: &str) -> Output {
    env.fr(&["undo", "1", "--yes", "--on-conflict", policy])
}

fn bytes(env: &TestEnv, path: &str) -> Vec<u8> {
    std::fs::read(env.project.join(path)).unwrap()
}

/// Seven lines; the agent changes the second, the person another one later.
const LINES: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

fn sed_over_lines() -> TestEnv {
    let env = TestEnv::new();
    env.write("list.txt", LINES);
    env.claude_runs("sed -i s/two/TWO/ list.txt");
    env
}

#[test]
fn merge_takes_the_agents_sed_out_and_keeps_the_line_that_a_person_fixed_since() {
    let env = sed_over_lines();
    let fixed = "one\nTWO\nthree\nfour\nfive\nSIX, fixed by hand\nseven\n";
    env.write("list.txt", fixed);
    let plain = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(plain.code, 4, "{plain:?}");
    assert!(plain.stderr.contains("--on-conflict merge"), "{plain:?}");
    let done = undo(&env, "merge");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("undone and verified"), "{done:?}");
    assert_eq!(env.read("list.txt"), "one\ntwo\nthree\nfour\nfive\nSIX, fixed by hand\nseven\n");
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(env.read("list.txt"), fixed);
}

#[test]
fn merge_refuses_where_the_person_edited_the_same_line_and_writes_nothing() {
    let env = sed_over_lines();
    env.write("list.txt", LINES.replace("two", "zwei"));
    env.write("other.txt", "later\n");
    let before = picture(&env);
    let refused = undo(&env, "merge");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("the same lines were changed"), "{refused:?}");
    assert!(refused.stderr.contains("--on-conflict side-by-side"), "{refused:?}");
    assert!(!refused.stderr.contains("`--on-conflict merge`"), "{refused:?}");
    assert_same(&before, &env);
}

#[test]
fn a_deleted_file_that_a_person_made_again_is_not_merged() {
    let env = TestEnv::new();
    env.write("notes.txt", LINES);
    env.claude_runs("rm notes.txt");
    env.write("notes.txt", "one\ntwo\nfrom memory\n");
    assert_eq!(undo(&env, "merge").code, 4);
    assert_eq!(env.read("notes.txt"), "one\ntwo\nfrom memory\n");
    let beside = undo(&env, "side-by-side");
    assert_eq!(beside.code, 3, "{beside:?}");
    assert!(beside.stdout.contains("notes.txt.fr-undo-1"), "{beside:?}");
    assert_eq!(env.read("notes.txt.fr-undo-1"), LINES);
    assert_eq!(env.read("notes.txt"), "one\ntwo\nfrom memory\n");
}

#[test]
fn merge_takes_mode_and_content_each_by_its_own_history() {
    let env = sed_over_lines();
    let path = env.project.join("list.txt");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(undo(&env, "merge").code, 0);
    assert_eq!(env.read("list.txt"), LINES);
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o700);
    // The other way round: the agent's chmod goes, the person's text stays.
    let env = TestEnv::new();
    let path = env.write("tool.sh", "echo 1\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    env.claude_runs("chmod 777 tool.sh; true > /dev/null; sed -i s/x/y/ tool.sh");
    std::fs::write(&path, "echo 1\necho 2\n").unwrap();
    let done = undo(&env, "merge");
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(env.read("tool.sh"), "echo 1\necho 2\n");
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
    // Both changed the mode.
    let env = TestEnv::new();
    let path = env.write("tool.sh", "echo 1\n");
    env.claude_runs("chmod 777 tool.sh");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    let refused = undo(&env, "merge");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("its mode was changed"), "{refused:?}");
    assert_eq!(undo(&env, "force").code, 0);
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o644);
}

#[test]
fn merge_keeps_line_ends_bytes_that_are_no_text_encoding_and_a_missing_last_newline() {
    for (before, now, wanted) in [
        (
            &b"one\r\nTWO\r\nthree\r\nfour\r\n"[..],
            &b"one\r\ntwo\r\nthree\r\nFOUR\r\n"[..],
            &b"one\r\nTWO\r\nthree\r\nFOUR\r\n"[..],
        ),
        (b"TWO\nthree\nfour", b"two\nthree\nfour\nfive", b"TWO\nthree\nfour\nfive"),
        (
            b"caf\xe9\nTWO\nthree\nfour\n\xff\xfe\n",
            b"caf\xe9\ntwo\nthree\nfour \xe9\n\xff\xfe\n",
            b"caf\xe9\nTWO\nthree\nfour \xe9\n\xff\xfe\n",
        ),
    ] {
        let env = TestEnv::new();
        env.write("f", before);
        env.claude_runs("LC_ALL=C sed -i s/TWO/two/ f");
        env.write("f", now);
        let done = undo(&env, "merge");
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(bytes(&env, "f"), wanted);
    }
}

#[test]
fn merge_of_a_file_of_a_megabyte_is_quick_and_right() {
    let env = TestEnv::new();
    let text: String = (0..40_000).map(|n| format!("line {n} of a long list, {{\n}}\n")).collect();
    assert!(text.len() > 1 << 20);
    env.write("long.txt", &text);
    env.claude_runs("sed -i '1s/line/LINE/; $s/}/END/' long.txt");
    let now = env.read("long.txt").replace("line 15000 of", "line 15000, as a person wants it, of");
    env.write("long.txt", &now);
    let start = std::time::Instant::now();
    let done = undo(&env, "merge");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert_eq!(env.read("long.txt"), text.replace("line 15000 of", "line 15000, as a person wants it, of"));
}

#[test]
fn binary_files_and_links_are_not_merged() {
    let env = TestEnv::new();
    env.write("data.bin", b"\x00one\ntwo\nthree\nfour\n");
    env.sh("ln -s a link").ok();
    env.claude_runs("sed -i s/one/1/ data.bin; ln -sfn b link");
    env.write("data.bin", b"\x001\ntwo\nthree\nFOUR\n");
    env.sh("ln -sfn c link").ok();
    let refused = undo(&env, "merge");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("not a text") && refused.stderr.contains("only files of text"),
        "{refused:?}"
    );
    assert_eq!(bytes(&env, "data.bin"), b"\x001\ntwo\nthree\nFOUR\n");
}

#[test]
fn one_file_that_does_not_merge_keeps_the_others_from_being_written() {
    let env = TestEnv::new();
    env.write("a.txt", LINES);
    env.write("b.txt", LINES);
    env.claude_runs("sed -i s/two/2/ a.txt b.txt");
    env.write("a.txt", LINES.replace("two", "2").replace("seven", "7"));
    env.write("b.txt", LINES.replace("two", "zwei"));
    let before = picture(&env);
    assert_eq!(undo(&env, "merge").code, 4);
    assert_same(&before, &env);
    assert_eq!(undo(&env, "side-by-side").code, 3);
    assert_eq!(env.read("a.txt.fr-undo-1"), LINES);
    assert_eq!(env.read("b.txt.fr-undo-1"), LINES);
}

#[test]
fn side_by_side_overwrites_nothing_restores_the_rest_and_is_taken_back_whole() {
    let env = project();
    env.claude_runs("rm -rf src docs && echo x > config.yml");
    env.write("config.yml", "a person fixed this by hand\n");
    env.write("config.yml.fr-undo-1", "somebody's own file\n");
    env.write("docs", "a file where the directory was\n");
    let before = picture(&env);
    let done = undo(&env, "side-by-side");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stdout.contains("config.yml.fr-undo-1-2"), "{done:?}");
    assert!(done.stdout.contains("undone in part"), "{done:?}");
    assert_eq!(env.read("config.yml"), "a person fixed this by hand\n");
    assert_eq!(env.read("config.yml.fr-undo-1"), "somebody's own file\n");
    assert_eq!(env.read("config.yml.fr-undo-1-2"), "a=1\nb=2\n");
    assert_eq!(env.read("docs"), "a file where the directory was\n");
    assert_eq!(env.read("docs.fr-undo-1/guide.md"), "guide\n");
    assert!(env.read("src/main.rs").ends_with("dirty\n"));
    // Again: what lies there already is not put there twice.
    let again = undo(&env, "side-by-side");
    assert_eq!(again.code, 5, "{again:?}");
    assert!(!env.exists("config.yml.fr-undo-1-3") && !env.exists("docs.fr-undo-1-2"), "{again:?}");
    env.fr(&["redo", "2", "--yes"]).ok();
    picture(&env).without_directory_times().assert_same(&before.without_directory_times());
}

#[test]
fn force_overwrites_on_demand_and_redo_brings_the_persons_version_back() {
    let env = project();
    let at_first = picture(&env);
    env.claude_runs("rm -rf docs && echo x > config.yml && mkdir made && echo y > made/new");
    env.write("config.yml", "a person fixed this by hand\n");
    env.write("docs", "a file where the directory was\n");
    env.write("made/new", "a person went on with this\n");
    let persons = picture(&env);
    // Nobody can be asked, and nobody said --yes.
    let unasked = env.fr(&["undo", "1", "--on-conflict", "force"]);
    assert_eq!(unasked.code, 2, "{unasked:?}");
    assert_same(&persons, &env);
    let done = undo(&env, "force");
    assert_eq!(done.code, 0, "{done:?}");
    picture(&env).without_directory_times().assert_same(&at_first.clone().without_directory_times());
    let shown = env.fr(&["show", "2", "--json"]).ok().json();
    assert_eq!(shown["policy"], "force", "{shown:#}");
    assert_eq!(shown["command"]["line"], "fr undo 1 --on-conflict force");
    assert!(shown["actor"].is_object());
    env.fr(&["redo", "2", "--yes"]).ok();
    picture(&env).without_directory_times().assert_same(&persons.without_directory_times());
}

#[test]
fn force_is_refused_where_the_present_cannot_be_captured() {
    if rustix::process::geteuid().is_root() {
        return; // root reads everything
    }
    let env = sed_over_lines();
    let path = env.write("list.txt", "a person's\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    assert_ne!(undo(&env, "force").code, 0);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(env.read("list.txt"), "a person's\n");
}

#[test]
fn a_directory_in_the_way_is_not_forced_aside() {
    let env = sed_over_lines();
    env.sh("rm list.txt && mkdir list.txt && echo precious > list.txt/inside").ok();
    let refused = undo(&env, "force");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("a directory is there now"), "{refused:?}");
    assert_eq!(env.read("list.txt/inside"), "precious\n");
}

#[test]
fn the_preview_says_for_each_conflict_what_each_policy_would_do() {
    let env = sed_over_lines();
    env.write("list.txt", "one\nTWO\nthree\nfour\nfive\nsix\n");
    let before = picture(&env);
    let shown = env.fr(&["undo", "1", "--dry-run"]);
    assert_eq!(shown.code, 4, "{shown:?}");
    for policy in
        ["merge: take", "side-by-side: put", "force: overwrite", "skip leaves", "abort, the default"]
    {
        assert!(shown.stdout.contains(policy), "{policy}: {shown:?}");
    }
    let json = env.fr(&["undo", "1", "--dry-run", "--json"]).json();
    let ways = json["steps"][0]["ways"].as_array().unwrap();
    let words: Vec<&Value> = ways.iter().map(|way| &way["policy"]).collect();
    assert_eq!(words, ["merge", "side-by-side", "force"]);
    assert!(ways.iter().all(|way| way["verdict"] == "restore"), "{ways:#?}");
    let chosen = env.fr(&["undo", "1", "--dry-run", "--json", "--on-conflict", "merge"]).ok().json();
    assert_eq!((&chosen["policy"], &chosen["steps"][0]["policy"]), (&"merge".into(), &"merge".into()));
    assert_same(&before, &env);
}

#[test]
fn a_file_that_the_command_made_and_a_person_edited_stays_where_the_rest_comes_back() {
    let env = project();
    env.claude_runs("rm -rf docs; echo made > made.txt");
    env.write("made.txt", "a person's text now\n");
    let done = undo(&env, "side-by-side");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stdout.contains("skipped:"), "{done:?}");
    assert_eq!(env.read("made.txt"), "a person's text now\n");
    assert_eq!(env.read("docs/guide.md"), "guide\n");
}

#[test]
fn a_branch_that_moved_on_gets_its_old_commit_under_another_name() {
    let env = project();
    let old = env.git(&["rev-parse", "HEAD"]).ok().stdout;
    env.claude_runs("git commit -q --amend -m rewritten");
    env.sh("git commit -q --allow-empty -m 'a person went on'").ok();
    let persons = env.git(&["rev-parse", "HEAD"]).ok().stdout;
    let merge = undo(&env, "merge");
    assert_eq!(merge.code, 4, "{merge:?}");
    assert!(merge.stderr.contains("does not merge histories"), "{merge:?}");
    let done = undo(&env, "side-by-side");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stdout.contains("refs/heads/fr/undo-1/main"), "{done:?}");
    assert_eq!(env.git(&["rev-parse", "fr/undo-1/main"]).ok().stdout, old);
    assert_eq!(env.git(&["rev-parse", "HEAD"]).ok().stdout, persons);
    env.git(&["fsck"]).ok();
    env.fr(&["redo", "2", "--yes"]).ok();
    assert_ne!(env.git(&["rev-parse", "-q", "--verify", "fr/undo-1/main"]).code, 0);
}

#[test]
fn a_branch_is_forced_back_with_the_persons_commit_kept_and_redone() {
    let env = project();
    let old = env.git(&["rev-parse", "HEAD"]).ok().stdout;
    // git may or may not write a file anew whose link count changed in the second it was committed in.
    env.sh("rm old/hard").ok();
    env.claude_runs("git reset -q --hard HEAD~1");
    env.sh("echo mine > mine.txt && git add mine.txt && git commit -qm 'a person went on'").ok();
    let persons = picture(&env);
    let commit = env.git(&["rev-parse", "HEAD"]).ok().stdout;
    assert_eq!(undo(&env, "abort").code, 4);
    let done = undo(&env, "force");
    assert!([0, 3].contains(&done.code), "{done:?}");
    assert_eq!(env.git(&["rev-parse", "main"]).ok().stdout, old);
    assert!(env.git(&["reflog", "main"]).ok().stdout.contains("a person went on"));
    env.git(&["fsck"]).ok();
    let redo = env.fr(&["redo", "2", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert_eq!(env.git(&["rev-parse", "main"]).ok().stdout, commit);
    picture(&env).without_directory_times().assert_same(&persons.without_directory_times());
}

#[test]
fn a_tag_that_was_set_again_gets_its_old_object_beside() {
    let env = project();
    let old = env.git(&["rev-parse", "v1"]).ok().stdout;
    env.claude_runs("git tag -f v1 HEAD~1");
    env.git(&["tag", "-f", "v1", "feature"]).ok();
    assert_eq!(undo(&env, "side-by-side").code, 3);
    assert_eq!(env.git(&["rev-parse", "refs/tags/fr/undo-1/v1"]).ok().stdout, old);
    assert_eq!(env.git(&["rev-parse", "v1"]).ok().stdout, env.git(&["rev-parse", "feature"]).ok().stdout);
}

#[test]
fn a_remote_that_somebody_pushed_to_is_never_forced() {
    let env = project();
    env.claude_runs("git push -q --force origin HEAD~1:main");
    env.sh("git clone -q ../remote.git ../other && cd ../other && git commit -q --allow-empty -m theirs && git push -q origin HEAD:main").ok();
    let theirs = env.git(&["ls-remote", "origin", "main"]).ok().stdout;
    for policy in ["force", "merge"] {
        let refused = undo(&env, policy);
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains("fr restore"), "{refused:?}");
    }
    undo(&env, "side-by-side");
    assert_eq!(env.git(&["ls-remote", "origin", "main"]).ok().stdout, theirs);
}

#[test]
fn of_a_directory_that_a_person_removed_only_what_the_command_had_changed_is_forced_back() {
    let env = project();
    env.write("tool.sh", "sed -i s/lib/LIB/ src/deep/lib.rs; mkdir made; echo y > made/new\n");
    env.claude_runs("sh ./tool.sh");
    env.write("made/new", "a person went on with this\n");
    env.sh("rm -rf src").ok();
    let persons = picture(&env);
    let done = undo(&env, "force");
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(env.read("src/deep/lib.rs"), "lib\n");
    assert!(!env.exists("src/main.rs") && !env.exists("made"), "{done:?}");
    env.fr(&["redo", "2", "--yes"]).ok();
    picture(&env).without_directory_times().assert_same(&persons.without_directory_times());
}

#[test]
fn a_directorys_own_mode_is_merged_and_forced_without_its_names() {
    for (policy, mode) in [("merge", 0o700), ("force", 0o755)] {
        let env = TestEnv::new();
        env.write("dir/a", "1\n");
        env.sh("chmod 755 dir").ok();
        env.claude_runs("sh -c 'rm dir/a; chmod g+w dir'");
        env.sh("chmod 700 dir; echo mine > dir/b").ok();
        let done = undo(&env, policy);
        let dir = env.project.join("dir").metadata().unwrap().mode() & 0o7777;
        match policy {
            // Both changed the mode.
            "merge" => assert_eq!((done.code, dir, env.exists("dir/a")), (4, mode, false), "{done:?}"),
            _ => assert_eq!((done.code, dir, env.exists("dir/a")), (0, mode, true), "{done:?}"),
        }
        assert_eq!(env.read("dir/b"), "mine\n");
    }
}

#[test]
fn a_path_that_two_captures_hold_is_settled_once() {
    let line = "sh -c 'sed -i s/two/2/ list.txt'; sed -i s/three/3/ list.txt";
    let mine = "one\n2\n3\nfour\nfive\nsix\nSEVEN\n";
    for (policy, code, wanted) in [
        ("merge", 0, "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n"),
        ("side-by-side", 3, mine),
        ("force", 0, LINES),
    ] {
        let env = TestEnv::new();
        env.write("list.txt", LINES);
        env.claude_runs(line);
        env.write("list.txt", mine);
        let done = undo(&env, policy);
        assert_eq!(done.code, code, "{done:?}");
        assert_eq!(env.read("list.txt"), wanted, "{done:?}");
        assert_eq!(env.exists("list.txt.fr-undo-1"), policy == "side-by-side");
        assert!(!env.exists("list.txt.fr-undo-1-2"));
        env.fr(&["redo", "2", "--yes"]).ok();
        assert_eq!(env.read("list.txt"), mine);
        assert!(!env.exists("list.txt.fr-undo-1"));
    }
}

#[test]
fn forcing_takes_the_word_itself_on_a_terminal() {
    let env = sed_over_lines();
    env.write("list.txt", "a person's\n");
    for (typed, wanted) in [("y", "a person's\n"), ("force", LINES)] {
        let mut command = env.command(TestEnv::binary());
        command.args(["undo", "1", "--on-conflict", "force"]);
        let mut terminal = Pty::start(&command);
        terminal.expect("to go on: ");
        terminal.send(&format!("{typed}\n"));
        assert_eq!(terminal.end(), i32::from(typed == "y"));
        assert_eq!(env.read("list.txt"), wanted);
    }
}

#[test]
fn a_socket_in_the_way_is_not_forced() {
    let env = sed_over_lines();
    std::fs::remove_file(env.project.join("list.txt")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(env.project.join("list.txt")).unwrap();
    let refused = undo(&env, "force");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("could not be brought back"), "{refused:?}");
}
