//! The machine itself: what is read before it is changed, and what is said where nothing can bring it back. Only the
//! tester's own crontab and one kernel setting that changes nothing are really written.

use serde_json::Value;

use crate::env::{Output, TestEnv};

fn event(env: &TestEnv) -> Value {
    env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
}

fn undo(env: &TestEnv) -> Output {
    env.fr(&["undo", "--yes", &event(env)["id"].to_string()])
}

/// A crontab(1) that keeps its tables in the test's own directory, and knows the real one's words: the machine's are not
/// ours to write.
fn with_crontab() -> TestEnv {
    let mut env = TestEnv::new();
    let bin = env.root().join("bin");
    let table = env.root().join("table");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\nt={}\ncase $1 in\n-l) [ -f $t ] && cat $t || {{ echo no crontab for tester >&2; exit 1; }};;\n\
         -r) rm $t;;\n*) cat ${{1:--}} >$t.new && mv $t.new $t;;\nesac\n",
        table.display()
    );
    std::fs::write(bin.join("crontab"), script).unwrap();
    env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), env.path())));
    env.sh("chmod +x ../bin/crontab").ok();
    env
}

#[test]
fn a_crontab_that_is_removed_or_replaced_is_back() {
    let env = with_crontab();
    env.write("old", "# backups\n0 3 * * * /usr/local/bin/backup\n");
    env.write("new", "* * * * * true\n");
    env.sh("crontab old").ok();
    for line in ["crontab -r", "crontab new", "crontab - < new"] {
        env.claude_runs(line).ok();
        assert_ne!(env.sh("crontab -l").stdout, env.read("old"), "{line}");
        let out = undo(&env);
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(env.sh("crontab -l").ok().stdout, env.read("old"), "{line}");
    }
    env.claude_runs("crontab -r").ok();
    env.sh("crontab new").ok();
    assert_eq!(undo(&env).code, 4, "somebody has written another one since");
    assert_eq!(env.sh("crontab -l").ok().stdout, env.read("new"));
}

#[test]
fn what_nothing_can_bring_back_is_said_before_it_runs() {
    let env = TestEnv::new();
    std::fs::create_dir_all(&env.fr_home).unwrap();
    std::fs::write(env.fr_home.join("config.toml"), "on-incomplete-capture = \"ask\"\n").unwrap();
    for line in ["mkfs.ext4 /dev/nonexistent", "wipefs -a /dev/nonexistent", "zpool destroy tank"] {
        let call = env.claude_pre(line);
        assert!(call.answer.stdout.contains("nothing can bring it back"), "{line}: {:?}", call.answer);
    }
}
