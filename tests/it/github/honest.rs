//! What does not come back is named, before and after; what somebody else did since is left alone.

use super::scene::Scene;

#[test]
fn a_secret_is_never_said_to_come_back() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh secret set TOKEN -b old-value-0815 -R R").ok();
    for line in ["gh secret set TOKEN -b new-value-4712 -R R", "gh secret delete TOKEN -R R"] {
        scene.agent(line).ok();
        let event = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
        assert!(event.contains("never gives out the value of a secret"), "{event}");
        let out = scene.undo(&[]);
        assert_eq!(out.code, 5, "{out:?}");
        assert!(format!("{out:?}").contains("gh secret set TOKEN"), "{out:?}");
    }
    // One that the command made goes again.
    scene.agent("gh secret set EXTRA -b x -R R").ok();
    assert_eq!(scene.undo(&[]).ok().code, 0);
    assert_eq!(scene.api("repos/R/actions/secrets/EXTRA"), None);
}

#[test]
fn a_deleted_repository_is_kept_as_a_mirror_and_made_anew_only_on_request() {
    let Some(scene) = Scene::new() else { return };
    let refs = |scene: &Scene| {
        let url = scene.api("repos/R").map(|repo| repo["clone_url"].as_str().unwrap().to_owned());
        url.map(|url| scene.sh(&format!("git ls-remote {url} 'refs/heads/*' 'refs/tags/*'")).ok().stdout)
    };
    let before = refs(&scene).unwrap();
    assert_eq!(before.lines().count(), 3);
    scene.agent("gh repo delete R --yes").ok();
    assert_eq!(refs(&scene), None);
    let id = scene.event()["id"].to_string();
    let out = scene.undo(&[]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(format!("{out:?}").contains("for 90 days"), "{out:?}");
    assert_eq!(refs(&scene), None, "nothing stands in the way of GitHub's own restore");
    scene.env.fr(&["restore", &id, "--to", "out"]).ok();
    let bundle = scene.sh("git bundle list-heads out/repo/*.bundle | wc -l").ok().stdout;
    assert_eq!(bundle.trim(), "4", "HEAD, two branches and a tag");
    // The newest event is the restore by now.
    let out = scene.env.fr(&["undo", "--yes", "--apply-infra", &id]);
    assert_eq!(out.code, 3, "{out:?}");
    assert_eq!(refs(&scene).unwrap(), before);
    assert_eq!(scene.api("repos/R").unwrap()["topics"][0], "cli");
}

#[test]
fn what_somebody_did_since_is_a_conflict() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh variable set STAGE -b one -R R; gh label create bug -R R -c ff0000").ok();
    scene.agent("gh variable set STAGE -b two -R R").ok();
    scene.sh("gh variable set STAGE -b three -R R").ok();
    assert_eq!(scene.undo(&[]).code, 4);
    assert_eq!(scene.api("repos/R/actions/variables/STAGE").unwrap()["value"], "three");
    scene.agent("gh label delete bug -R R --yes").ok();
    scene.sh("gh label create bug -R R -c 0000ff").ok();
    assert_eq!(scene.undo(&[]).code, 4);
    assert_eq!(scene.api("repos/R/labels/bug").unwrap()["color"], "0000ff");
}

#[test]
fn a_failing_command_is_looked_at_all_the_same() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh label create bug -R R -c ff0000").ok();
    // The first call worked, the line failed.
    let ran = scene.agent("gh label delete bug -R R --yes && false");
    assert_ne!(ran.code, 0);
    assert_eq!(scene.undo(&[]).ok().code, 0);
    assert_eq!(scene.api("repos/R/labels/bug").unwrap()["color"], "ff0000");
}

#[test]
fn runs_and_issues_that_are_deleted_are_kept_to_be_read() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh api repos/R/issues -f title=one -f body=text; gh api repos/R/issues/1/comments -f body='a comment'").ok();
    for (line, kept) in
        [("gh run delete 77 -R R", "run/*logs.zip"), ("gh issue delete 1 -R R --yes", "issue/*comments.json")]
    {
        scene.agent(line).ok();
        let id = scene.event()["id"].to_string();
        assert_eq!(scene.undo(&[]).code, 5, "{line}");
        scene.env.fr(&["restore", &id, "--to", &format!("out{id}")]).ok();
        let size = scene.sh(&format!("cat out{id}/{kept} | wc -c")).ok().stdout;
        assert!(size.trim().parse::<u64>().unwrap() > 20, "{line}: {size}");
    }
}

#[test]
fn no_token_and_no_value_is_in_the_journal() {
    let Some(scene) = Scene::new() else { return };
    scene.agent("gh variable set STAGE -b visible-value-99 -R R").ok();
    scene.agent("gh variable delete STAGE -R R").ok();
    let _ = scene.undo(&[]);
    let found = scene.sh("grep -rlaE 'tok-secret-4711' $FR_HOME || true").ok().stdout;
    assert_eq!(found, "");
    let diff = scene.env.fr(&["diff", &scene.event()["id"].to_string()]);
    assert!(!diff.stdout.contains("visible-value-99"), "{diff:?}");
}

#[test]
fn logging_out_keeps_the_login() {
    let Some(scene) = Scene::new() else { return };
    let hosts = scene.env.root().join("gh/hosts.yml");
    let text = "github.com:\n    users:\n        me:\n            oauth_token: tok-in-file\n    oauth_token: tok-in-file\n    user: me\n";
    std::fs::write(&hosts, text).unwrap();
    scene.agent("env -u GH_TOKEN gh auth logout -u me").ok();
    assert_ne!(std::fs::read_to_string(&hosts).unwrap(), text);
    let out = scene.undo(&[]).ok();
    assert!(std::fs::read_to_string(&hosts).unwrap() == text, "{out:?} {}", scene.event());
    assert_eq!(std::fs::read_to_string(&hosts).unwrap(), text);
}

#[test]
fn where_github_is_not_reached_the_record_says_that_nothing_was_kept() {
    let Some(scene) = Scene::new() else { return };
    let conf = scene.env.root().join("gh/config.yml");
    std::fs::write(conf, "http_unix_socket: /nonexistent/socket\n").unwrap();
    let ran = scene.agent("gh label delete bug -R R --yes");
    assert_ne!(ran.code, 0);
    let shown = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    assert!(shown.contains("GitHub was not reached"), "{shown}");
    assert_eq!(scene.undo(&[]).code, 5);
}
