//! The HTML report in a real browser.

use serde_json::json;

use super::Clock;
use crate::browser::{is_missing, sound};
use crate::env::{SESSION, TestEnv};

/// Many commands of many systems, an alarm, containment, notes, undos, names that are long.
fn busy() -> TestEnv {
    let mut env = TestEnv::with_git();
    env.sh("git init -q --bare ../remote.git; git remote add origin ../remote.git; git push -q origin main")
        .ok();
    env.fr(&["config", "set", "production.branches", "main"]).ok();
    env.fr(&["config", "set", "production.clusters", "prod"]).ok();
    env.fr(&["config", "set", "runaway.commands", "5"]).ok();
    let mut clock = Clock::new(&mut env);
    env.sh("git commit -q --amend -m rewritten").ok();
    env.claude_runs("git push -q --force origin main");
    clock.pass(&mut env, 2);
    let long = format!("srv/{}", "a-very-long-directory-name-that-nobody-would-type/".repeat(4));
    env.write(&format!("{long}file"), "x");
    env.claude_runs(&format!("rm -rf '{long}'"));
    for n in 0..14 {
        clock.pass(&mut env, 1);
        env.write(&format!("d{n}/x"), "x");
        env.claude_runs(&format!("rm -rf d{n}"));
    }
    env.claude_runs("chmod 600 README.md; touch new.txt");
    let _ = env.claude_runs("kubectl --context prod delete namespace shop");
    env.claude_runs("python3 -c 'import os; os.truncate(\"README.md\", 0)'");
    clock.pass(&mut env, 30);
    env.fr(&["contain", "--session", SESSION, "--reason", "it deletes production"]).ok();
    env.claude_pre("aws ec2 terminate-instances --instance-ids i-0abc123");
    clock.pass(&mut env, 300);
    env.fr(&["incident", "open", "claude removed main, the shop's namespace and sixteen directories"]).ok();
    env.fr(&[
        "incident",
        "note",
        "Customers see errors since 03:04.\nPaged the database team: https://example.com/p/1",
    ])
    .ok();
    clock.pass(&mut env, 900);
    env.fr(&["incident", "note", "--decision", "We restore from the captures first, the namespace by hand."])
        .ok();
    env.fr(&["undo", "1", "--yes"]).ok();
    clock.pass(&mut env, 60);
    env.fr(&["undo", "2..16", "--yes"]).ok();
    clock.pass(&mut env, 3600);
    env.fr(&["release"]).ok();
    env
}

#[test]
fn it_is_readable_on_a_phone_and_on_a_desk_in_the_dark_and_on_paper() {
    if is_missing() {
        return;
    }
    let env = busy();
    let page = env.root().join("incident.html");
    env.fr(&["incident", "report", "--format", "html", "--out", page.to_str().unwrap()]).ok();
    for look in sound(&page) {
        let [picture, ..] = look.svgs.as_slice() else { panic!("no picture") };
        assert!(picture.width > f64::from(look.width) * 0.6 && picture.height > 200.0, "{picture:?}");
        assert!(picture.marks > 10 && picture.title.starts_with("Timeline of incident"), "{picture:?}");
        for part in ["people", "containment", "git", "fs", "kubernetes", "recovery"] {
            assert!(picture.desc.contains(part), "{part}: {}", picture.desc);
        }
        for part in [
            "Metrics",
            "git push -q --force origin main",
            "alarm",
            "Not to scale",
            "not recoverable",
            "fr store verify",
        ] {
            assert!(look.text.contains(part), "{part} at {} px: {}", look.width, look.text);
        }
    }
}

#[test]
fn an_incident_with_nothing_in_it_has_a_page_too() {
    if is_missing() {
        return;
    }
    let env = TestEnv::new();
    env.claude_runs("ls");
    env.fr(&["incident", "open", "was that all?", "--event", "1"]).ok();
    env.fr(&["incident", "add", "--event", "1", "--remove"]).ok();
    let page = env.root().join("empty.html");
    env.fr(&["incident", "report", "--format", "html", "--out", page.to_str().unwrap()]).ok();
    for look in sound(&page) {
        assert!(look.text.contains("No command on record belongs to this incident"), "{}", look.text);
    }
    let bad = env.fr(&["incident", "report", "--out", "/nonexistent/x.md"]);
    assert!(bad.code == 1 && bad.stderr.contains("cannot write") && bad.stderr.contains("hint"), "{bad:?}");
    assert_eq!(
        env.fr(&["incident", "report", "--format", "json"]).ok().json()["appendix"]["redactions"],
        json!([])
    );
}
