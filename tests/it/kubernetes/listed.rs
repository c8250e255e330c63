//! Lines that list first and then act on the list. Their words do not name what they destroy; without shims what they list is
//! what can be asked for before.

use super::SHOP;
use super::cluster::{Scene, meant};

const OBJECTS: [&str; 3] = ["cm settings", "deploy web", "secret keys"];

fn seen(scene: &Scene) -> Vec<Option<serde_json::Value>> {
    OBJECTS.iter().map(|what| scene.get(what).map(meant)).collect()
}

/// Taken back, done again and taken back, each time with this exit code.
fn there_and_back(scene: &Scene, line: &str, code: i32) {
    let before = seen(scene);
    scene.agent(line).ok();
    let left = seen(scene);
    assert_ne!(left, before, "{line}");
    let out = scene.undo();
    assert_eq!(out.code, code, "{line}: {out:?}");
    assert_eq!(seen(scene), before, "{line}: {out:?}");
    // What an undo made, and what its redo takes again, are known.
    let out = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(out.code, 0, "{line}: {out:?}");
    assert_eq!(seen(scene), left, "{line}: {out:?}");
    let out = scene.undo();
    assert_eq!(out.code, 0, "{line}: {out:?}");
    assert_eq!(seen(scene), before, "{line}: {out:?}");
}

/// What one command lists and the next one takes, nothing between: it is all that was meant.
#[test]
fn what_is_listed_and_deleted_comes_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    for line in [
        "kubectl -n NS delete $(kubectl -n NS get cm,secret -l app=shop -o name)",
        "kubectl -n NS get cm settings -o name | xargs kubectl -n NS delete",
        "names=$(kubectl -n NS get deploy -l app=shop -o name); kubectl delete -n NS $names",
        "for name in $(kubectl get secret keys --namespace=NS -o name); do kubectl delete --namespace=NS $name; done",
        "kubectl -n NS get cm,secret -l app=shop -o name | while read name; do kubectl -n NS delete \"$name\"; done",
        "kubectl -n NS get cm settings -o yaml | kubectl delete -f -",
    ] {
        there_and_back(&scene, line, 0);
    }
}

/// What an agent does to change one field: it gets the manifest, edits it, applies it. The names are not what it edits.
#[test]
fn what_is_edited_on_its_way_comes_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: filed}\n";
    scene.env.write("new.yaml", text);
    scene.env.write("kustomization.yaml", "resources: [new.yaml]\n");
    for line in [
        "kubectl -n NS get cm settings -o yaml | sed 's/mode: live/mode: broken/' | kubectl apply -f -",
        "kubectl -n NS get cm settings -o yaml | sed -e 's/live/broken/;s/two/2/' | kubectl -n NS replace -f -",
        "kubectl -n NS get deploy web -o yaml | sed s/shop:1/shop:2/ | kubectl replace --force -f -",
        "kubectl -n NS get cm settings -o yaml > s.yaml && sed -i s/live/edited/ s.yaml && kubectl -n NS apply -f s.yaml && rm s.yaml",
        "kubectl -n NS get cm settings -o json | sed 's/live/json/' > s.json && kubectl apply -n NS -f s.json; rm s.json",
        "kubectl create cm settings --from-literal=mode=new --dry-run=client -o yaml | kubectl -n NS apply -f -",
        "cat new.yaml | kubectl -n NS apply -f -",
        "kubectl kustomize . | kubectl -n NS delete -f -",
    ] {
        there_and_back(&scene, line, 0);
    }
}

/// Where the line may have meant others than those that it listed, all of them are back, and the undo says what it cannot know.
#[test]
fn what_a_filter_may_have_named_is_not_said_to_be_known() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.env.write("names", "settings\n");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: MODE}\n";
    scene.env.write("template.yaml", text);
    for line in [
        "kubectl get cm -n NS --no-headers | awk '{print $1}' | grep settings | xargs kubectl delete cm -n NS",
        "while read n; do kubectl -n NS delete cm $n; done < names",
        "kubectl -n NS delete secret \"$(printf 'ke%s' ys | tr x x)\"",
        "kubectl -n NS get cm settings -o yaml | python3 -c 'import sys; print(sys.stdin.read().replace(\"live\", \"odd\"))' | kubectl apply -f -",
        "sed s/MODE/deployed/ template.yaml | kubectl -n NS apply -f -",
    ] {
        there_and_back(&scene, line, 3);
        let out = scene.env.fr(&["show", "1"]).ok().stdout;
        assert!(out.contains("targets beside those that `kubectl get "), "{line}: {out}");
    }
    // The text that is replaced is a part of the name: a new object is made, which nobody foretold.
    scene.agent("kubectl -n NS get cm settings -o yaml | sed s/settings/others/ | kubectl apply -f -").ok();
    assert!(scene.has("cm others"));
    let before = seen(&scene);
    let out = scene.undo();
    assert!([3, 5].contains(&out.code), "{out:?}");
    assert!(format!("{out:?}").contains("targets beside those that `kubectl get "), "{out:?}");
    assert_eq!(seen(&scene), before);
}

/// With shims the later command is seen with the names that it really had: nothing is left open.
#[test]
fn with_shims_nothing_is_left_open() {
    let Some(scene) = super::lines::with_shims() else { return };
    scene.apply(SHOP);
    for line in [
        "kubectl get cm -n NS --no-headers | awk '{print $1}' | grep settings | xargs kubectl delete cm -n NS",
        "kubectl -n NS get cm settings -o yaml | tr a-z a-z | sed 's/live/odd/' > s && kubectl apply -f s",
    ] {
        let before = seen(&scene);
        scene.agent(line).ok();
        assert_ne!(seen(&scene), before, "{line}");
        let all = scene.env.fr(&["timeline", "--json", "-n", "20"]).ok().json();
        let outer =
            all.as_array().unwrap().iter().find(|event| event["parent"].is_null()).unwrap()["id"].to_string();
        let out = scene.env.fr(&["undo", "--yes", &outer]);
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(seen(&scene), before, "{line}");
    }
}

/// What only lists, and what lists in another cluster, takes nothing.
#[test]
fn a_list_of_another_cluster_is_no_candidate() {
    let Some(scene) = Scene::new() else { return };
    let explained = |line: &str| {
        let out = scene.env.fr(&["explain", "--json", "-c", line]).ok().json();
        (out["class"].clone(), out["effects"][0]["capture"].clone())
    };
    assert_eq!(explained("kubectl get cm -o name | xargs kubectl get -o yaml").0, "none");
    let other = "kubectl --context a get cm x -o yaml | kubectl --context b apply -f -";
    assert_eq!(explained(other), ("mutate".into(), "none".into()));
    let same = "kubectl --context a get cm x -o yaml | kubectl --context a apply -f -";
    assert_eq!(explained(same), ("mutate".into(), "all".into()));
    let edited = "kubectl get cm x -o yaml | jq .data.a=1 | kubectl apply -f -";
    assert_eq!(explained(edited), ("mutate".into(), "listed".into()));
    let other = "kubectl get pods -o name; cat names | xargs kubectl delete";
    assert_eq!(explained(other), ("destroy".into(), "listed".into()));
    let two = "kubectl get pods -o name; kubectl delete $(kubectl --context b get pods -o name)";
    assert_ne!(explained(two).1, "all");
    let unknown = "while read n; do kubectl delete ns $n; done < f";
    assert_eq!(explained(unknown), ("destroy".into(), "none".into()));
}
