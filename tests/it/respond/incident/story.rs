//! Founding incidents, from the agent's payload to the report.

use serde_json::json;

use super::{Clock, metric, report, row};
use crate::env::{SESSION, TestEnv};

/// The report with what differs from run to run taken out: the test's directory, hashes, durations of real work. Word by word and
/// place by place: letters may stand by chance where nobody thinks of them.
pub fn settled(env: &TestEnv, text: &str) -> String {
    settled_with(env, text, &[], &[])
}

/// The same with more that is known to differ, as expressions. `others` are steps of a playbook whose command says what other
/// programs, or other tests on the same server, choose: only that they are done is compared.
pub fn settled_with(env: &TestEnv, text: &str, known: &[(String, &str)], others: &[&str]) -> String {
    let replaced =
        |text: &str, of: &str, by: &str| regex::Regex::new(of).unwrap().replace_all(text, by).into_owned();
    let mut text = text.replace(env.root().to_str().unwrap(), "[ROOT]");
    for step in others {
        let said = format!(r"(, step {step} \([^)]*\): [a-z]+)<br>[^\n]*( \| [^|\n]*\|)\n");
        text = replaced(&text, &said, "$1<br>[WHAT IT SAID]$2\n");
    }
    for (of, by) in known {
        text = replaced(&text, of, by);
    }
    for (of, by) in [
        (r"\b[0-9a-f]{12,64}\b", "[HASH]"),
        (r"\bfr [0-9]+\.[0-9]+\.[0-9]+\b", "fr [VERSION]"),
        // How long real work took; the times of the story are those of its clock.
        (r"( in )(?:[0-9]+ ms|[0-9]+\.[0-9] s|[0-9]+ min [0-9]+ s)( \|)", "$1[TOOK]$2"),
        (r"(\| Undo duration[^|]*\| )[^|]+\|", "$1[TOOK] |"),
        // What other programs say has as many lines as they like, and so has what fr says of them.
        (r"… [0-9]+ lines more", "… [N] lines more"),
    ] {
        text = replaced(&text, of, by);
    }
    text
}

/// An agent force-pushes over main, is contained while it goes on, main is taken back, the branch is protected, and the report
/// says all of it.
#[test]
fn a_force_push_over_main() {
    let mut env = TestEnv::with_git();
    env.sh("git init -q --bare ../remote.git; git remote add origin ../remote.git; git push -q origin main")
        .ok();
    env.fr(&["config", "set", "production.branches", "main"]).ok();
    let before = env.git(&["rev-parse", "origin/main"]).ok().stdout;
    let mut clock = Clock::new(&mut env);
    env.claude_runs("git status --short");
    clock.pass(&mut env, 4);
    env.sh("git commit -q --amend -m 'tidy history'").ok();
    env.claude_runs("git push -q --force origin main");
    clock.pass(&mut env, 6);
    env.claude_runs("git branch -D main 2>/dev/null; git tag v1");
    clock.pass(&mut env, 20);

    // 3 a.m.: stop it, open the incident, look.
    env.fr(&["contain", "--session", SESSION, "--reason", "it pushed over main"]).ok();
    let denied = env.claude_pre("git push --force origin --all");
    assert!(denied.answer.stdout.contains("deny"), "{denied:?}");
    clock.pass(&mut env, 10);
    env.fr(&["incident", "open", "main was force-pushed"]).ok();
    env.fr(&["incident", "note", "CI is red, <b>two</b> people have pulled"]).ok();
    clock.pass(&mut env, 60);
    env.fr(&["incident", "note", "--decision", "we put main back, nobody repairs anything by hand"]).ok();
    let radius = env.fr(&["blast-radius", "--incident"]).ok().stdout;
    assert!(radius.contains("PRODUCTION branch main"), "{radius}");

    // Recover, verify by other means than ours.
    clock.pass(&mut env, 30);
    let agreed = "pulled,undo,requests,learn";
    let run = ["playbook", "run", "git-force-push", "--event", "2", "--incident", "6", "--confirm", agreed];
    env.fr(&run).ok();
    env.fr(&["undo", "3", "--yes"]).ok();
    let after = env.sh("git -C ../remote.git rev-parse main").ok().stdout;
    assert_eq!(after, before, "the remote has its main again");
    clock.pass(&mut env, 120);
    env.fr(&["release"]).ok();
    env.fr(&["incident", "close", "--outcome", "main is back; protection of the branch is on"]).ok();

    let made = report(&env, "6");
    assert_eq!(row(&made, "refs/heads/main")["restored"], "exact", "{made:#}");
    assert!(row(&made, "refs/heads/main")["verified"].as_str().unwrap().contains("read again by undo"));
    for (name, value) in [
        ("time-to-detect", "26.0 s"),
        ("time-to-contain", "0 ms"),
        ("damage-to-containment", "26.0 s"),
        ("time-to-recover", "2 min 6 s"),
        ("commands-before-containment", "2 commands"),
        ("commands-after-containment", "0 commands"),
        ("capture-coverage", "2 of 2 (100 %)"),
    ] {
        assert_eq!(metric(&made, name)["value"], value, "{name}: {made:#}");
    }
    let steps: Vec<&str> = made["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "playbook")
        .map(|one| one["text"][0].as_str().unwrap())
        .collect();
    assert!(
        steps.iter().any(|step| step.starts_with("git-force-push, step undo (recover, undo): done")),
        "{steps:#?}"
    );
    assert_eq!(steps.last().unwrap(), &"git-force-push: finished");
    let detect = metric(&made, "time-to-detect");
    assert_eq!((&detect["from"]["event"], &detect["until"]["event"]), (&json!(2), &json!(4)));
    assert_eq!(made["incident"]["status"], "closed");
    // The same record gives the same report, whenever it is made.
    let html = env.fr(&["incident", "report", "6", "--format", "html"]).ok().stdout;
    clock.pass(&mut env, 86_400);
    assert_eq!(env.fr(&["incident", "report", "6", "--format", "html"]).ok().stdout, html);
    let markdown = env.fr(&["incident", "report", "6"]).ok().stdout;
    insta::assert_snapshot!("force_push", settled(&env, &markdown));
    // Its chain is the journal's.
    let last = made["appendix"]["chain"]["last"]["hash"].as_str().unwrap();
    assert!(html.contains(last) && env.fr(&["store", "verify"]).ok().stdout.contains("whole"));
}

/// Nobody contained, nothing was undone, one command never came back: the report says so, and guesses nothing.
#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let env = TestEnv::new();
    env.write("docs/a.txt", "a");
    env.claude_runs("rm -rf docs");
    env.claude_pre("kubectl --context prod delete namespace shop");
    env.fr(&["incident", "open"]).ok();
    let made = report(&env, "3");
    for (name, note) in [
        ("time-to-contain", "no containment is on record"),
        ("time-to-recover", "2 of 2 things not back"),
        ("commands-before-containment", "not contained"),
        ("undo-duration-p50", "nothing was undone"),
    ] {
        let metric = metric(&made, name);
        assert_eq!((&metric["value"], &metric["number"]), (&json!("unknown"), &json!(null)), "{name}");
        assert!(metric["note"].as_str().unwrap().contains(note), "{metric}");
    }
    assert_eq!(metric(&made, "recovery-rate")["value"], "0 of 2 (0 %)");
    assert_eq!(
        (&row(&made, "docs")["restored"], &row(&made, "shop")["restored"]),
        (&json!("not-yet"), &json!("not-recoverable"))
    );
    let gaps = made["gaps"].to_string();
    assert!(gaps.contains("nobody reported back") && gaps.contains("nothing was captured"), "{gaps}");
    assert!(made["response"].to_string().contains("Nothing that was done about it is on record"));
    let page = env.fr(&["incident", "report", "--format", "html"]).ok().stdout;
    assert!(page.contains(">unknown</span>"));
}
