//! What comes back.

use serde_json::Value;

use super::scene::Scene;

/// A line, what it changes, and the exit code of its undo.
fn comes_back(scene: &Scene, line: &str, look: &dyn Fn(&Scene) -> Value, code: i32) {
    let before = look(scene);
    let ran = scene.agent(line);
    assert_eq!(ran.code, 0, "{line}: {ran:?}");
    assert_ne!(look(scene), before, "{line} changed nothing");
    let id = scene.event()["id"].to_string();
    let out = scene.undo(&[]);
    assert_eq!(out.code, code, "{line}: {out:?}");
    assert_eq!(look(scene), before, "{line}");
    if line.contains("delete") {
        let again = scene.env.fr(&["undo", "--yes", &id]);
        assert_ne!(again.code, 1, "{line}: {again:?}");
        assert_eq!(look(scene), before, "{line}: twice is harmless");
    }
}

fn only(value: Option<Value>, fields: &[&str]) -> Value {
    let Some(value) = value else { return Value::Null };
    fields.iter().map(|f| (f.to_string(), value[f].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn a_deleted_release_is_back_with_its_assets_byte_for_byte() {
    let Some(scene) = Scene::new() else { return };
    let make = "head -c 300000 /dev/urandom >app.tgz && printf 'sums\\n' >sums.txt && \
                gh release create v1.0 app.tgz 'sums.txt#The sums' -R R -t 'One' -n 'Notes of one' --prerelease";
    scene.sh(make).ok();
    let look = |scene: &Scene| {
        let mut release =
            only(scene.api("repos/R/releases/tags/v1.0"), &["name", "body", "prerelease", "tag_name"]);
        let fetch =
            "rm -rf got && gh release download v1.0 -R R -D got && cd got && sha256sum * || echo none";
        release["assets"] = scene.sh(fetch).stdout.into();
        release["other"] = only(scene.api("repos/R/releases/tags/v2.0"), &["name"]);
        release["other-tag"] = only(scene.api("repos/R/git/ref/tags/v2.0"), &["object"]);
        release["tag"] = only(scene.api("repos/R/git/ref/tags/v1.0"), &["object"]);
        release
    };
    for (line, code) in [
        ("gh release delete v1.0 -R R --yes --cleanup-tag", 3),
        ("gh release delete-asset v1.0 app.tgz -R R --yes", 0),
        ("echo other >sums.txt; gh release upload v1.0 sums.txt -R R --clobber", 0),
        ("gh release edit v1.0 -R R --notes 'Nothing' --prerelease=false", 0),
        ("gh api -X DELETE repos/R/git/refs/tags/v1.0", 0),
        ("gh release create v2.0 -R R -n two sums.txt", 0),
    ] {
        comes_back(&scene, line, &look, code);
    }
}

#[test]
fn labels_come_back_onto_their_issues() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh label create 'needs care' -R R -c ff0000 -d 'Look twice'; gh api repos/R/issues -f title=one -f 'labels[]=needs care'").ok();
    let look = |scene: &Scene| {
        let label = only(scene.api("'repos/R/labels/needs%20care'"), &["name", "color", "description"]);
        let issue = scene.api("repos/R/issues/1").unwrap();
        serde_json::json!([label, issue["labels"][0]["name"]])
    };
    comes_back(&scene, "gh label delete 'needs care' -R R --yes", &look, 0);
    comes_back(&scene, "gh label edit 'needs care' --name care --color 00ff00 -R R", &look, 0);
    comes_back(&scene, "gh api -X PATCH 'repos/R/labels/needs%20care' -f color=123456", &look, 0);
}

#[test]
fn settings_of_a_repository_come_back() {
    let Some(scene) = Scene::new() else { return };
    let protect = r#"{"required_status_checks":{"strict":true,"checks":[{"context":"build"},{"context":"lint"}]},"enforce_admins":true,"required_pull_request_reviews":{"required_approving_review_count":2,"dismiss_stale_reviews":true},"restrictions":null,"required_linear_history":true}"#;
    scene.sh(&format!("echo '{protect}' | gh api -X PUT repos/R/branches/main/protection --input - && \
                       gh api -X POST repos/R/branches/main/protection/required_signatures && \
                       gh variable set STAGE -b production -R R && gh variable set ZONE -b a -e prod -R R && \
                       gh api repos/R/hooks -f name=web -F active=true -f 'events[]=push' -f 'config[url]=https://x' && \
                       gh api repos/R/rulesets -f name=tags -f target=tag -f enforcement=active && \
                       gh api repos/R/autolinks -f key_prefix=T- -f url_template=https://t/N")).ok();
    let fields = &["private", "visibility", "archived", "description", "topics", "has_wiki", "full_name"];
    let look = |scene: &Scene| {
        let list = |path: &str, fields: &[&str]| -> Value {
            let all = scene.api(path).unwrap_or_default();
            all.as_array().into_iter().flatten().map(|one| only(Some(one.clone()), fields)).collect()
        };
        serde_json::json!([
            only(scene.api("repos/R"), fields),
            scene.api("repos/R/branches/main/protection"),
            only(scene.api("repos/R/actions/variables/STAGE"), &["value"]),
            only(scene.api("repos/R/environments/prod/variables/ZONE"), &["value"]),
            only(scene.api("repos/R/actions/workflows/ci.yml"), &["state"]),
            list("repos/R/hooks", &["name", "events", "config"]),
            list("repos/R/rulesets", &["name", "target", "enforcement"]),
            list("repos/R/autolinks", &["key_prefix", "url_template"]),
        ])
    };
    for (line, code) in [
        ("gh api -X DELETE repos/R/branches/main/protection", 0),
        ("gh api -X DELETE repos/R/branches/main/protection/required_signatures", 0),
        ("gh variable delete STAGE -R R", 0),
        ("gh variable set STAGE -b test -R R", 0),
        ("gh workflow disable CI -R R && gh variable delete ZONE -e prod -R R", 0),
        ("gh repo edit R --visibility public --accept-visibility-change-consequences --description gone", 0),
        ("gh repo edit --add-topic leaked --enable-wiki=false", 0),
        ("gh repo archive R --yes", 0),
        ("gh api -X DELETE repos/R/hooks/$(gh api repos/R/hooks -q '.[0].id')", 3),
        (
            "gh repo autolink list -R R; gh api -X DELETE repos/{owner}/{repo}/topics -X PUT -f 'names[]=other'",
            0,
        ),
    ] {
        if line.contains("$(") {
            // What a substitution gives is not known before it runs: that is said, and nothing is claimed.
            scene.agent(line);
            assert_eq!(scene.undo(&[]).code, 5, "{line}");
            scene.sh("gh api repos/R/hooks -f name=web -F active=true -f 'events[]=push' -f 'config[url]=https://x'").ok();
            let id = scene.api("repos/R/hooks").unwrap()[0]["id"].to_string();
            comes_back(&scene, &format!("gh api -X DELETE repos/R/hooks/{id}"), &look, code);
            continue;
        }
        comes_back(&scene, line, &look, code);
    }
    let id = |path: &str| scene.api(path).unwrap()[0]["id"].to_string();
    comes_back(&scene, &format!("gh api -X DELETE repos/R/rulesets/{}", id("repos/R/rulesets")), &look, 0);
    comes_back(&scene, &format!("gh repo autolink delete {} -R R --yes", id("repos/R/autolinks")), &look, 0);
}

#[test]
fn a_renamed_repository_gets_its_name_back() {
    let Some(scene) = Scene::new() else { return };
    let id = scene.api("repos/R").unwrap()["id"].clone();
    let new = format!("{}-old", scene.repo.trim_start_matches("me/"));
    scene.agent(&format!("gh repo rename {new} -R R --yes")).ok();
    assert_eq!(scene.api("repos/R"), None);
    assert_eq!(scene.undo(&[]).ok().code, 0);
    assert_eq!(scene.api("repos/R").unwrap()["id"], id, "the same one");
}

#[test]
fn issues_and_pull_requests_are_open_again_and_their_branch_is_there() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh api repos/R/issues -f title=one -f body=text; gh api repos/R/pulls -f title=p -f body= -f head=feature -f base=main").ok();
    let look = |scene: &Scene| {
        let pull = only(scene.api("repos/R/pulls/101"), &["state", "title", "body", "draft", "merged"]);
        let issue = only(scene.api("repos/R/issues/1"), &["state", "title", "body", "locked"]);
        let branch = |name: &str| only(scene.api(&format!("repos/R/git/ref/heads/{name}")), &["object"]);
        serde_json::json!([pull, issue, branch("feature"), branch("main")])
    };
    for line in [
        "gh issue close 1 -R R && gh issue lock 1 -R R",
        "gh api -X PATCH repos/R/issues/1 -f body=gone -f title=x",
        "gh pr close 101 -R R",
        "gh pr close 101 -d -R R",
        "gh pr ready 101 --undo -R R",
        "gh api -X PATCH repos/R/git/refs/heads/feature -f sha=$MAIN -F force=true",
        "gh api -X DELETE repos/R/git/refs/heads/feature",
    ] {
        let main =
            scene.api("repos/R/git/ref/heads/main").unwrap()["object"]["sha"].as_str().unwrap().to_owned();
        comes_back(&scene, &line.replace("$MAIN", &main), &look, 0);
    }
    // A merge is not taken back, its branches are.
    let before = look(&scene);
    scene.agent("gh pr merge 101 --merge --delete-branch -R R");
    let id = scene.event()["id"].to_string();
    let out = scene.undo(&[]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(format!("{out:?}").contains("gh pr revert 101"), "{out:?}");
    assert_eq!(look(&scene)[2], before[2], "the head branch");
    assert_ne!(look(&scene)[3], before[3], "the base branch is others' too");
    assert_eq!(scene.env.fr(&["undo", "--yes", "--apply-infra", &id]).code, 3);
    assert_eq!(look(&scene)[3], before[3], "moved back where that is asked for");
}

#[test]
fn gists_and_keys_come_back_under_new_ids() {
    let Some(scene) = Scene::new() else { return };
    let key = format!("ssh-ed25519 {}", scene.repo);
    scene.sh(&format!("gh api gists -f description=d-{} -F public=false -f 'files[a b.txt][content]=one' -f 'files[c][content]=two'; \
                       gh api user/keys -f title=laptop -f key='{key}'; gh api repos/R/keys -f title=deploy -f key='{key}' -F read_only=true", scene.repo)).ok();
    let mine = |scene: &Scene, path: &str, field: &str, value: &str| {
        let all = scene.api(path).unwrap();
        all.as_array().unwrap().iter().find(|one| one[field] == value).cloned()
    };
    let gist = |scene: &Scene| mine(scene, "gists", "description", &format!("d-{}", scene.repo));
    let look = |scene: &Scene| {
        serde_json::json!([
            only(gist(scene), &["public", "files"]),
            only(mine(scene, "user/keys", "key", &format!("ssh-ed25519 {}", scene.repo)), &["title"]),
            only(mine(scene, "repos/R/keys", "title", "deploy"), &["key", "read_only"]),
        ])
    };
    let id = |value: Option<Value>| value.unwrap()["id"].to_string().trim_matches('"').to_owned();
    comes_back(&scene, &format!("gh gist delete {} --yes", id(gist(&scene))), &look, 0);
    let edit = format!(
        "gh api -X PATCH gists/{} -f 'files[c][content]=three' -f 'files[n][content]=new'",
        id(gist(&scene))
    );
    comes_back(&scene, &edit, &look, 0);
    let key = id(mine(&scene, "user/keys", "key", &format!("ssh-ed25519 {}", scene.repo)));
    comes_back(&scene, &format!("gh ssh-key delete {key} --yes"), &look, 0);
    let key = id(mine(&scene, "repos/R/keys", "title", "deploy"));
    comes_back(&scene, &format!("gh repo deploy-key delete {key} -R R"), &look, 0);
}

/// Several commands of one session as one, and forward again.
#[test]
fn a_session_of_several_commands_is_taken_back_as_one() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh variable set STAGE -b production -R R && gh variable set ZONE -b a -R R").ok();
    let look = |scene: &Scene| {
        ["STAGE", "ZONE"]
            .map(|name| scene.api(&format!("repos/R/actions/variables/{name}")).map(|v| v["value"].clone()))
    };
    let before = look(&scene);
    scene.env.write("docs/a.txt", "a");
    scene.agent("gh variable delete STAGE -R R").ok();
    scene.agent("rm -rf docs").ok();
    scene.agent("gh variable set ZONE -b b -R R").ok();
    let after = look(&scene);
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!((undo.code, scene.env.read("docs/a.txt")), (0, "a".into()), "{undo:?}");
    assert_eq!(look(&scene), before, "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert_eq!(look(&scene), after, "{redo:?}");
}
