//! Lines of several commands on one thing: what the line makes in the place of what it took away is the line's own, and
//! makes way for the old one.

use serde_json::{Value, json};

use super::scene::Scene;

/// A line, its undo, its redo and its undo again; `code` is what both undos end with.
#[track_caller]
fn to_and_fro(scene: &Scene, line: &str, look: &dyn Fn(&Scene) -> Value, code: i32) {
    let before = look(scene);
    let ran = scene.agent(line);
    assert_eq!(ran.code, 0, "{line}: {ran:?}");
    let after = look(scene);
    assert_ne!(after, before, "{line} changed nothing");
    let undo = scene.undo(&[]);
    assert_eq!(undo.code, code, "{line}: {undo:?}");
    assert_eq!(look(scene), before, "{line}: {undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_ne!(redo.code, 1, "{line}: {redo:?}");
    assert_eq!(look(scene), after, "{line}: {redo:?}");
    let again = scene.undo(&[]);
    assert_eq!(again.code, code, "{line}: {again:?}");
    assert_eq!(look(scene), before, "{line}: {again:?}");
}

fn only(value: Option<Value>, fields: &[&str]) -> Value {
    let Some(value) = value else { return Value::Null };
    fields.iter().map(|f| (f.to_string(), value[f].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn a_release_that_the_same_line_makes_anew_is_the_old_one_again() {
    let Some(scene) = Scene::new() else { return };
    scene
        .sh("printf one >app; printf new >new; gh release create v1.0 app -R R -t One -n 'Notes of one'")
        .ok();
    let look = |scene: &Scene| {
        let release = scene.api("repos/R/releases/tags/v1.0");
        let assets: Vec<Value> = release
            .iter()
            .flat_map(|r| r["assets"].as_array().into_iter().flatten())
            .map(|a| a["name"].clone())
            .collect();
        let bytes =
            scene.sh("rm -rf got && gh release download v1.0 -R R -D got && cat got/* || echo none").stdout;
        json!([
            only(release, &["name", "body"]),
            assets,
            bytes,
            only(scene.api("repos/R/git/ref/tags/v1.0"), &["object"])
        ])
    };
    for line in [
        "gh release delete v1.0 -R R --yes && gh release create v1.0 new -R R -t Two -n two",
        "gh release delete v1.0 -R R --yes --cleanup-tag && gh release create v1.0 new -R R -t Two -n two --target feature",
        // The very same words: the asset is another one.
        "gh release delete v1.0 -R R --yes && printf other >app && gh release create v1.0 app -R R -t One -n 'Notes of one'",
        "gh release delete v1.0 -R R --yes; gh release create v1.0 -R R -n two && gh release upload v1.0 new -R R; gh release edit v1.0 -R R -t Three",
    ] {
        to_and_fro(&scene, line, &look, 3);
    }
}

#[test]
fn what_a_line_deletes_and_sets_again_is_as_before() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh label create bug -R R -c ff0000 -d Old; gh api repos/R/issues -f title=one -f 'labels[]=bug'; \
              gh variable set STAGE -b production -R R; gh secret set TOKEN -b old -R R; \
              gh api repos/R/rulesets -f name=tags -f target=tag -f enforcement=active; \
              gh api repos/R/autolinks -f key_prefix=T- -f url_template=https://t/N").ok();
    let look = |scene: &Scene| {
        let list = |path: &str, fields: &[&str]| -> Value {
            let all = scene.api(path).unwrap_or_default();
            all.as_array().into_iter().flatten().map(|one| only(Some(one.clone()), fields)).collect()
        };
        json!([
            only(scene.api("repos/R/labels/bug"), &["color", "description"]),
            scene.api("repos/R/issues/1").unwrap()["labels"].as_array().unwrap().len(),
            only(scene.api("repos/R/actions/variables/STAGE"), &["value"]),
            scene.api("repos/R/branches/main/protection"),
            list("repos/R/rulesets", &["name", "target", "enforcement"]),
            list("repos/R/autolinks", &["key_prefix", "url_template"]),
            only(scene.api("repos/R/git/ref/heads/feature"), &["object"]),
        ])
    };
    let protect = |strict: bool| {
        let body = json!({ "required_status_checks": { "strict": strict, "checks": [{ "context": "build" }] },
            "enforce_admins": true, "required_pull_request_reviews": null, "restrictions": null });
        format!("echo '{body}' | gh api -X PUT repos/R/branches/main/protection --input -")
    };
    scene.sh(&protect(true)).ok();
    let id = |path: &str| scene.api(path).unwrap()[0]["id"].to_string();
    let main = scene.api("repos/R/git/ref/heads/main").unwrap()["object"]["sha"].as_str().unwrap().to_owned();
    let lines = [
        "gh label delete bug -R R --yes && gh label create bug -R R -c 00ff00".to_owned(),
        // The same words: only its issues are lost.
        "gh label delete bug -R R --yes && gh label create bug -R R -c ff0000 -d Old".to_owned(),
        "gh label delete bug -R R --yes && gh label create bug -R R -c 00ff00 && gh label edit bug -R R -d New".to_owned(),
        "gh variable delete STAGE -R R && gh variable set STAGE -b test -R R".to_owned(),
        format!("gh api -X DELETE repos/R/branches/main/protection && {}", protect(false)),
        format!("gh api -X DELETE repos/R/git/refs/heads/feature && gh api repos/R/git/refs -f ref=refs/heads/feature -f sha={main}"),
    ];
    for line in &lines {
        to_and_fro(&scene, line, &look, 0);
    }
    let line = format!(
        "gh api -X DELETE repos/R/rulesets/{} && gh api repos/R/rulesets -f name=tags -f target=tag -f enforcement=disabled",
        id("repos/R/rulesets")
    );
    // What a POST makes has its id only then: it stays, and nothing is called undone.
    let before = look(&scene);
    scene.agent(&line).ok();
    let out = scene.undo(&[]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(format!("{out:?}").contains("is removed by hand"), "{out:?}");
    assert_eq!(scene.api("repos/R/rulesets").unwrap().as_array().unwrap().len(), 2, "{out:?}");
    assert_ne!(look(&scene), before);
}

#[test]
fn a_repository_that_is_made_anew_under_the_name_of_a_deleted_one_is_not_taken_for_it() {
    let Some(scene) = Scene::new() else { return };
    let line = "gh repo delete R --yes && gh api user/repos -f name=NEW"
        .replace("NEW", scene.repo.trim_start_matches("me/"));
    scene.agent(&line).ok();
    let new = scene.api("repos/R").unwrap()["id"].clone();
    for more in [&[][..], &["--apply-infra"]] {
        let out = scene.undo(more);
        assert!([3, 5].contains(&out.code), "{more:?}: {out:?}");
        assert!(format!("{out:?}").contains("it is another repository"), "{more:?}: {out:?}");
        assert_eq!(scene.api("repos/R").unwrap()["id"], new, "{more:?}");
    }
}

/// Things that are known by their ids: one that was removed comes back under another id, which a redo does not find and does not
/// claim to; one that was changed goes to and fro.
#[test]
fn rulesets_hooks_and_keys_come_back() {
    let Some(scene) = Scene::new() else { return };
    let key = format!("ssh-ed25519 {}", scene.repo.replace('/', ""));
    scene
        .sh(&format!(
            "gh api repos/R/rulesets -f name=tags -f target=tag -f enforcement=active && \
             gh api repos/R/hooks -f name=web -F active=true -f 'events[]=push' -f 'config[url]=https://x' -f 'config[secret]=hush-hush' && \
             gh api repos/R/keys -f title=deploy -f key='{key}' -F read_only=true"
        ))
        .ok();
    let look = |scene: &Scene| {
        let list = |path: &str, fields: &[&str]| -> Value {
            let all = scene.api(path).unwrap_or_default();
            all.as_array().into_iter().flatten().map(|one| only(Some(one.clone()), fields)).collect()
        };
        let hooks: Value = scene
            .api("repos/R/hooks")
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["config"]["url"].clone())
            .collect();
        json!([
            list("repos/R/rulesets", &["name", "target", "enforcement"]),
            list("repos/R/hooks", &["name", "active", "events"]),
            hooks,
            list("repos/R/keys", &["title", "key", "read_only"]),
        ])
    };
    let id = |path: &str| scene.api(path).unwrap()[0]["id"].to_string();
    for (method, path, more, code) in [
        ("PUT", "repos/R/rulesets", " -f name=none -f target=branch -f enforcement=disabled", 0),
        ("PATCH", "repos/R/hooks", " -F active=false -f 'events[]=release'", 3),
    ] {
        to_and_fro(&scene, &format!("gh api -X {method} {path}/{}{more}", id(path)), &look, code);
    }
    let before = look(&scene);
    for (path, code) in [("repos/R/rulesets", 0), ("repos/R/keys", 0), ("repos/R/hooks", 3)] {
        scene.agent(&format!("gh api -X DELETE {path}/{}", id(path))).ok();
        let out = scene.undo(&[]);
        assert_eq!((out.code, look(&scene)), (code, before.clone()), "{path}: {out:?}");
        let redo = scene.env.fr(&["redo", "--yes"]);
        assert_eq!((redo.code, look(&scene)), (5, before.clone()), "{path}: {redo:?}");
    }
}

/// GitHub gives nobody the secret of a hook, and shows stars instead: these never become the secret, and a hook that is there
/// keeps its own.
#[test]
fn the_secret_of_a_hook_is_named_and_never_made_up() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh api repos/R/hooks -f name=web -F active=true -f 'events[]=push' -f 'config[url]=https://x' -f 'config[secret]=hush-hush'").ok();
    let secret = || scene.api("testbed/hooks/R").unwrap()[0]["config"]["secret"].clone();
    let id = || scene.api("repos/R/hooks").unwrap()[0]["id"].to_string();
    scene.agent(&format!("gh api -X PATCH repos/R/hooks/{} -F active=false", id())).ok();
    let out = scene.undo(&[]);
    assert_eq!((out.code, secret()), (3, json!("hush-hush")), "{out:?}");
    assert!(format!("{out:?}").contains("its secret"), "{out:?}");
    assert_eq!(scene.api("repos/R/hooks").unwrap()[0]["active"], true, "{out:?}");
    // Written as a whole, the configuration loses it: the address comes back, the secret is nowhere.
    scene.agent(&format!("gh api -X PATCH repos/R/hooks/{} -f 'config[url]=https://evil'", id())).ok();
    let out = scene.undo(&[]);
    assert_eq!((out.code, secret()), (3, Value::Null), "{out:?}");
    assert_eq!(scene.api("repos/R/hooks").unwrap()[0]["config"]["url"], "https://x", "{out:?}");
    scene.sh(&format!("gh api -X PATCH repos/R/hooks/{}/config -f secret=hush-hush", id())).ok();
    scene.agent(&format!("gh api -X DELETE repos/R/hooks/{}", id())).ok();
    let out = scene.undo(&[]);
    assert_eq!((out.code, secret()), (3, Value::Null), "no stars: {out:?}");
    assert!(format!("{out:?}").contains("its secret, which GitHub never gives out"), "{out:?}");
}

/// What had no text has none again: a field that a request leaves out would stay.
#[test]
fn a_text_that_the_command_was_the_first_to_write_is_taken_away() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("gh api repos/R/labels -f name=bug -f color=ff0000; gh api repos/R/issues -f title=one").ok();
    scene.sh("gh api -X PATCH repos/R -F description=null -F homepage=null").ok();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let look = |scene: &Scene| {
        let (repo, label) = (scene.api("repos/R").unwrap(), scene.api("repos/R/labels/bug").unwrap());
        let issue = scene.api("repos/R/issues/1").unwrap();
        json!([
            text(&repo["description"]),
            text(&repo["homepage"]),
            text(&label["description"]),
            text(&issue["body"])
        ])
    };
    assert_eq!(look(&scene), json!(["", "", "", ""]));
    for line in [
        "gh api -X PATCH repos/R/labels/bug -f description=mine",
        "gh label edit bug -R R -d mine",
        "gh repo edit R --description mine --homepage https://mine",
    ] {
        to_and_fro(&scene, line, &look, 0);
    }
}
