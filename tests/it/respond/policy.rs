//! Guard mode: what comes back exactly runs, what does not is asked about, and what nothing brings back on production is
//! denied. And the alarm where an agent destroys production at all.

use serde_json::Value;

use super::super::env::{Output, TestEnv};

fn world(settings: &[&[&str]]) -> TestEnv {
    let env = TestEnv::with_git();
    env.write("build/a.txt", "kept");
    for set in settings {
        env.fr(&[&["config", "set"], *set].concat()).ok();
    }
    env
}

/// What Claude is answered: the decision and its reason, or nothing.
fn answer(output: &Output) -> Option<(String, String)> {
    assert_eq!(output.code, 0, "{output:?}");
    if output.stdout.is_empty() {
        return None;
    }
    let said = output.json();
    let text = |name: &str| {
        said.pointer(&format!("/hookSpecificOutput/{name}")).unwrap().as_str().unwrap().to_owned()
    };
    Some((text("permissionDecision"), text("permissionDecisionReason")))
}

fn events(env: &TestEnv) -> Vec<Value> {
    env.fr(&["timeline", "--json", "-n", "50"]).ok().json().as_array().unwrap().clone()
}

#[test]
fn what_comes_back_exactly_is_not_held_up() {
    let env = world(&[&["mode", "guard"], &["production.branches", "main"]]);
    env.sh("git init -q --bare ../remote.git; git remote add origin ../remote.git; git push -q origin main; git commit -q --amend -m other")
        .ok();
    for line in [
        "rm -rf build",
        "git reset --hard",
        "git push --force origin main",
        "ls",
        "make",
        "echo x > README.md",
    ] {
        assert_eq!(answer(&env.claude_pre(line).answer), None, "{line}");
    }
}

#[test]
fn what_does_not_is_asked_about() {
    let env = world(&[&["mode", "guard"]]);
    for (line, because) in [
        ("mongosh shop --eval 'db.dropDatabase()'", "nothing of it could be kept"),
        ("kubectl --context prod delete namespace shop", "nothing of it could be kept"),
        ("psql -h 127.0.0.1 -p 1 shop -c 'DROP TABLE customers'", "nothing of it could be kept"),
        ("npm publish", "only countered"),
    ] {
        let (word, reason) =
            answer(&env.claude_pre(line).answer).unwrap_or_else(|| panic!("{line} was let run"));
        assert_eq!(word, "ask", "{line}: {reason}");
        assert!(reason.contains(because) && reason.contains("mode = guard"), "{line}: {reason}");
    }
}

#[test]
fn what_nothing_brings_back_on_production_is_denied() {
    let marks: &[&[&str]] = &[
        &["mode", "guard"],
        &["production.clusters", "prod*"],
        &["production.databases", "127.0.0.1/shop"],
        &["production.reaction", "off"],
    ];
    let env = world(marks);
    for (line, place) in [
        ("kubectl --context prod-eu -n shop delete deployment web", "cluster prod-eu"),
        ("psql -h 127.0.0.1 -p 1 shop -c 'DROP TABLE customers'", "database 127.0.0.1/shop"),
    ] {
        let (word, reason) =
            answer(&env.claude_pre(line).answer).unwrap_or_else(|| panic!("{line} was let run"));
        assert_eq!(word, "deny", "{line}: {reason}");
        assert!(reason.contains(place) && reason.contains("cannot be undone"), "{line}: {reason}");
    }
    // Elsewhere it is a question; a person is not answered at all.
    let (word, _) = answer(&env.claude_pre("kubectl --context dev delete namespace shop").answer).unwrap();
    assert_eq!(word, "ask");
    let ran =
        env.fr(&["exec", "--", "psql", "-h", "127.0.0.1", "-p", "1", "shop", "-c", "DROP TABLE customers"]);
    assert!(ran.stderr.contains("refused") && ran.code == 2, "psql's own answer: {ran:?}");
    let timeline = env.fr(&["timeline"]).ok().stdout;
    assert!(
        timeline.contains("[denied] kubectl --context prod-eu") && timeline.contains("[asked] kubectl"),
        "{timeline}"
    );
    let denied = events(&env).into_iter().find(|event| event["verdict"]["answer"] == "deny").unwrap();
    let shown = env.fr(&["show", &denied["id"].to_string()]).ok().stdout;
    assert!(shown.contains("production.databases"), "{shown}");
}

/// Also where nothing else than the words could be read.
#[test]
fn production_is_known_by_the_name_of_its_account_and_of_its_engine() {
    let env = world(&[
        &["mode", "guard"],
        &["production.accounts", "prod-*"],
        &["production.hosts", "tcp://127.0.0.1:1"],
        &["production.reaction", "off"],
    ]);
    for (line, place) in [
        (
            "aws --profile prod-admin ec2 terminate-instances --instance-ids i-0123456789abcdef0",
            "account prod-admin",
        ),
        ("docker -H tcp://127.0.0.1:1 volume rm pgdata", "host tcp://127.0.0.1:1"),
    ] {
        let (word, reason) =
            answer(&env.claude_pre(line).answer).unwrap_or_else(|| panic!("{line} was let run"));
        assert_eq!(word, "deny", "{line}: {reason}");
        assert!(reason.contains(place) && reason.contains("cannot be undone"), "{line}: {reason}");
    }
}

/// What was on the branch cannot be read before it is overwritten: on a branch that is production it is not let happen.
#[test]
fn a_branch_of_production_that_could_not_be_kept_is_not_pushed_over() {
    let env = world(&[
        &["mode", "guard"],
        &["production.branches", "main", "release/*"],
        &["production.reaction", "off"],
    ]);
    env.sh("git init -q --bare ../remote.git; git remote add origin ../remote.git; git push -q origin main:release/1 main:topic; git push -q -u origin main")
        .ok();
    for line in ["git push --force origin main", "git push -f", "git push origin --delete release/1"] {
        assert_eq!(answer(&env.claude_pre(line).answer), None, "it can be kept: {line}");
    }
    env.sh("git remote set-url origin ../nowhere.git").ok();
    for (line, place) in [
        ("git push --force origin main", "branch main"),
        ("git push -f", "branch main"),
        ("git push origin --delete release/1", "branch release/1"),
    ] {
        let (word, reason) =
            answer(&env.claude_pre(line).answer).unwrap_or_else(|| panic!("{line} was let run"));
        assert_eq!(word, "deny", "{line}: {reason}");
        assert!(reason.contains(place) && reason.contains("production.branches"), "{line}: {reason}");
    }
    let (word, reason) = answer(&env.claude_pre("git push origin --delete topic").answer).unwrap();
    assert_eq!(word, "ask", "{reason}");
}

/// The workspace is in no word of the line: it is the one that somebody selected yesterday.
#[test]
fn a_workspace_of_production_is_known_though_no_word_names_it() {
    if crate::terraform::terraform().is_none() {
        return;
    }
    let mut env =
        world(&[&["mode", "guard"], &["production.workspaces", "prod*"], &["production.reaction", "off"]]);
    env.vars.push(("CHECKPOINT_DISABLE".to_owned(), "1".to_owned()));
    env.write("infra/main.tf", "resource \"terraform_data\" \"web\" {\n  input = \"web\"\n}\n");
    let tf = |line: &str| env.sh(&format!("terraform -chdir=infra {line}")).ok();
    tf("init -input=false");
    tf("workspace new prod-eu");
    tf("apply -auto-approve -no-color");
    let asked = || answer(&env.claude_pre("terraform -chdir=infra destroy -auto-approve").answer).unwrap();
    let (word, reason) = asked();
    assert!(word == "ask" && reason.contains("production: workspace prod-eu"), "{word}: {reason}");
    // Its state cannot be read, so nothing of it can be kept.
    env.write("infra/terraform.tfstate.d/prod-eu/terraform.tfstate", "{");
    let (word, reason) = asked();
    assert_eq!(word, "deny", "{reason}");
    assert!(reason.contains("workspace prod-eu") && reason.contains("production.workspaces"), "{reason}");
    let lock = answer(&env.claude_pre("terraform -chdir=infra force-unlock -force 0").answer).unwrap();
    assert!(lock.0 == "deny" && lock.1.contains("workspace prod-eu"), "nothing brings a lock back: {lock:?}");
    let found = env.fr(&["blast-radius", "--json"]).ok().json();
    let state = found["items"].as_array().unwrap().iter().find(|item| item["system"] == "terraform").cloned();
    assert!(state.is_none_or(|state| state["comes_back"] != "in-part"), "no false hope: {found:#}");
    tf("workspace select default");
    let denied = answer(&env.claude_pre("terraform -chdir=infra destroy -auto-approve").answer);
    assert!(denied.is_none_or(|(word, reason)| word == "ask" && !reason.contains("production")));
}

/// A directory of production whose infrastructure is about to go, and whose state nobody could read: not without a person.
#[test]
fn what_nothing_brings_back_in_a_directory_of_production_is_denied() {
    if crate::terraform::terraform().is_none() {
        return;
    }
    let mut env = world(&[&["mode", "guard"], &["production.reaction", "off"]]);
    env.vars.push(("CHECKPOINT_DISABLE".to_owned(), "1".to_owned()));
    let marked = format!("{}/srv/**", env.project.display());
    env.fr(&["config", "set", "production.paths", &marked]).ok();
    let nobody = "terraform {\n  backend \"http\" {\n    address = \"http://127.0.0.1:1/state\"\n  }\n}\n";
    env.write("srv/infra/main.tf", nobody);
    env.write("dev/infra/main.tf", nobody);
    let (word, reason) =
        answer(&env.claude_pre("terraform -chdir=srv/infra destroy -auto-approve").answer).unwrap();
    assert_eq!(word, "deny", "{reason}");
    let place = format!("path {}/srv/infra is one of production.paths", env.project.display());
    assert!(reason.contains(&place) && reason.contains("cannot be undone"), "{reason}");
    // The same beside it is a question, and what comes back exactly is none: files of production are kept.
    let (word, reason) =
        answer(&env.claude_pre("cd dev/infra && terraform destroy -auto-approve").answer).unwrap();
    assert!(word == "ask" && !reason.contains("production"), "{word}: {reason}");
    assert_eq!(answer(&env.claude_pre("rm -rf srv").answer), None);
    let denied = events(&env).into_iter().find(|event| event["verdict"]["answer"] == "deny").unwrap();
    assert_eq!(denied["outcome"]["how"], "refused", "{denied:#}");
}

/// A script that the line's words do not tell: the shim sees the command as it is executed, and refuses it.
#[test]
fn a_script_does_not_get_past_it() {
    let mut env = world(&[&["mode", "guard"], &["production.clusters", "prod"]]);
    env.fr(&["shims", "enable"]).ok();
    env.vars.push(("PATH".into(), format!("{}:{}", env.fr_home.join("shims").display(), env.path())));
    env.vars.push(("CLAUDECODE".into(), "1".into()));
    env.write(
        "clean.sh",
        "kubectl --context prod delete namespace shop; echo code $?; kubectl --context prod get pods\n",
    );
    let ran = env.claude_runs("sh clean.sh");
    assert!(ran.stdout.contains("code 126"), "{ran:?}");
    assert!(ran.stderr.contains("cannot be undone"), "{ran:?}");
    let refused = events(&env).into_iter().filter(|event| event["verdict"]["answer"] == "deny").count();
    assert_eq!(refused, 1);
}

#[test]
fn an_agent_that_destroys_production_raises_the_alarm() {
    let env = TestEnv::with_git();
    env.write("srv/app/data.txt", "customers");
    let marked = format!("{}/srv/**", env.project.display());
    env.fr(&["config", "set", "production.paths", &marked]).ok();
    assert_eq!(answer(&env.claude_pre("rm -rf srv").answer), None, "observe mode holds nothing up");
    env.claude_pre("rm -rf other");
    let alarms: Vec<Value> = events(&env).into_iter().filter(|event| event["kind"] == "alarm").collect();
    assert_eq!(alarms.len(), 1, "{alarms:#?}");
    assert!(alarms[0]["alarm"]["production"].as_str().unwrap().contains("path:srv"), "{:#}", alarms[0]);
    // Where it is told to, it contains the session: nothing of it runs any more.
    env.fr(&["config", "set", "production.reaction", "contain"]).ok();
    let (word, reason) = answer(&env.claude_pre("rm -rf srv/app").answer).unwrap();
    assert_eq!(word, "deny", "{reason}");
    assert!(reason.contains("production.paths"), "{reason}");
    assert_eq!(answer(&env.claude_pre("ls").answer).unwrap().0, "deny");
    assert!(env.exists("srv/app/data.txt"));
    env.fr(&["release"]).ok();
    assert_eq!(answer(&env.claude_pre("ls").answer), None);
}

#[test]
fn settings_are_checked_before_they_count() {
    let env = TestEnv::new();
    assert_eq!(env.fr(&["config", "get", "mode"]).ok().stdout, "observe\n");
    env.fr(&["config", "set", "mode", "guard"]).ok();
    env.fr(&["config", "set", "production.branches", "main", "release/*"]).ok();
    let check = env.fr(&["config", "check"]).ok().stdout;
    assert!(check.contains("is right: mode guard, production: branches (2)"), "{check}");
    for (key, value) in [("mode", "watch"), ("production.branches", "ma[in"), ("caps.nothing", "1")] {
        let refused = env.fr(&["config", "set", key, value]);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{key}: {refused:?}");
    }
    let refused = env.fr(&["config", "set", "production.paths", "srv/**"]);
    assert!(
        refused.stderr.contains("matches nothing") && refused.stderr.contains("paths are absolute"),
        "what is wrong with it, and not of which type it is: {refused:?}"
    );
    std::fs::write(
        env.fr_home.join("config.toml"),
        "mode = \"guard\"\n\n[production]\nbranch = [\"main\"]\n",
    )
    .unwrap();
    let wrong = env.fr(&["config", "check"]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.stderr.contains("line 4") && wrong.stderr.contains("branch"), "{wrong:?}");
    // What the whole output of `fr config` says is a file with the same settings.
    env.fr(&["config", "check"]);
    std::fs::remove_file(env.fr_home.join("config.toml")).unwrap();
    env.fr(&["config", "set", "production.databases", "db.example.com/*"]).ok();
    let whole = env.fr(&["config"]).ok().stdout;
    let before = env.fr(&["config", "--json"]).ok().json();
    std::fs::write(env.fr_home.join("config.toml"), whole).unwrap();
    assert_eq!(env.fr(&["config", "--json"]).ok().json(), before);
}

#[test]
fn an_agent_does_not_loosen_what_holds_it() {
    let mut env = world(&[&["mode", "guard"]]);
    env.vars.push(("CLAUDECODE".into(), "1".into()));
    for args in [&["config", "set", "mode", "observe"][..], &["config", "unset", "mode"]] {
        let refused = env.fr(args);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("only a person"), "{refused:?}");
    }
    assert_eq!(env.fr(&["config", "get", "mode"]).ok().stdout, "guard\n");
}

/// The alarm comes before the command that it is about; the session is the agent's all the same.
#[test]
fn an_alarm_does_not_make_the_session_the_recorders() {
    let env = world(&[&["production.paths", "**/build/**"]]);
    env.claude_runs("rm -rf build").ok();
    assert_eq!(events(&env).last().unwrap()["kind"], "alarm");
    let sessions = env.fr(&["sessions", "--json"]).ok().json();
    let claudes =
        sessions.as_array().unwrap().iter().find(|s| s["session"] == super::super::env::SESSION).unwrap();
    assert_eq!(claudes["actor"], "claude", "{sessions:#}");
    let radius = env.fr(&["blast-radius"]).ok().stdout;
    assert!(radius.contains("PRODUCTION path") && radius.contains("exactly"), "{radius}");
    let timeline = env.fr(&["timeline"]).ok().stdout;
    let alarm = timeline.lines().find(|line| line.contains("ALARM")).unwrap();
    assert!(!alarm.contains("open"), "an alarm is no command that may still run: {alarm}");
}
