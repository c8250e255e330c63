//! What changed fields is taken back field by field: what somebody else changed since stays.

use serde_json::json;

use super::SHOP;
use super::cluster::{Scene, meant};

#[test]
fn a_scale_to_nothing_is_scaled_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl scale deploy/web --replicas=0 -n NS").ok();
    scene.until("the pods are gone", || scene.names("pods").is_empty());
    scene.undo().ok();
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 3);
    scene.until("its pods are back", || scene.names("pods").len() == 3);
}

#[test]
fn each_way_to_change_an_object_is_taken_back_exactly() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let rows = [
        ("deploy web", "kubectl -n NS set image deploy/web web=shop:2"),
        ("deploy web", "kubectl -n NS set env deploy/web MODE=test NEW=1"),
        (
            "deploy web",
            "kubectl -n NS patch deploy web -p '{\"spec\":{\"template\":{\"spec\":{\"hostNetwork\":true}}}}'",
        ),
        (
            "cm settings",
            "kubectl -n NS patch cm settings --type merge -p '{\"data\":{\"mode\":null,\"more\":\"1\"}}'",
        ),
        ("cm settings", "kubectl -n NS label cm settings app- tier=x --overwrite"),
        ("cm settings", "kubectl -n NS annotate cm settings owner=team-b --overwrite"),
        ("svc web", "kubectl -n NS patch svc web -p '{\"spec\":{\"selector\":{\"app\":\"other\"}}}'"),
        ("cm settings", "kubectl -n NS replace -f new.yaml"),
        ("cm settings", "kubectl -n NS apply -f new.yaml"),
        ("deploy web", "kubectl -n NS set resources deploy web --limits=cpu=1 --requests=cpu=100m"),
        ("deploy web", "kubectl -n NS set serviceaccount deploy web default"),
        ("svc web", "kubectl -n NS set selector svc web app=other"),
        ("deploy web", "kubectl -n NS scale --replicas=1 -f deploy.yaml"),
        ("deploy web", "kubectl -n NS rollout pause deploy/web"),
        ("deploy web", "kubectl -n NS rollout restart deploy/web"),
        ("deploy web", "kubectl -n NS rollout restart deploy"),
        ("deploy web", "kubectl -n NS annotate deploy --all owner=b"),
        ("cm settings", "KUBE_EDITOR='sed -i s/live/test/' kubectl -n NS edit cm settings"),
        ("cm settings", "EDITOR='sed -i s/team-a/team-b/' kubectl -n NS edit cm/settings"),
        ("cm settings", "kubectl -n NS apply set-last-applied -f new.yaml --create-annotation"),
        (
            "cm settings",
            "kubectl -n NS patch cm settings --type json -p '[{\"op\":\"remove\",\"path\":\"/data/text\"}]'",
        ),
    ];
    scene.env.write("deploy.yaml", SHOP.split("---").find(|part| part.contains("Deployment")).unwrap());
    scene.env.write(
        "new.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: test}\n",
    );
    for (what, line) in rows {
        let before = meant(scene.get(what).unwrap());
        scene.agent(line).ok();
        assert_ne!(meant(scene.get(what).unwrap()), before, "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(meant(scene.get(what).unwrap()), before, "{line}");
    }
}

/// The rollout of an earlier version is a change as any other.
#[test]
fn a_rollout_that_was_undone_is_rolled_out_again() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.until("the first version is noted", || scene.names("rs").len() == 1);
    scene.kubectl("-n NS set image deploy/web web=shop:2").ok();
    scene.until("the second version is noted", || scene.names("rs").len() == 2);
    let image =
        || scene.get("deploy web").unwrap()["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    scene.agent("kubectl -n NS rollout undo deploy/web").ok();
    assert_eq!(image(), "shop:1");
    let out = scene.undo();
    assert_eq!((out.code, image()), (0, json!("shop:2")), "{out:?}");
}

/// Of a node only what the command has written goes back; what its controllers note on it stays.
#[test]
fn cordon_and_taint_of_a_node_are_taken_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply("{apiVersion: v1, kind: Node, metadata: {name: node-NS}}");
    let spec = || scene.get("node node-NS").unwrap()["spec"].clone();
    let own = || {
        let all = spec()["taints"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|taint| taint["key"] == "team").count()
    };
    scene.agent("kubectl cordon node-NS").ok();
    assert_eq!(spec()["unschedulable"], true);
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert!(spec()["unschedulable"].is_null());
    let theirs = spec()["taints"].as_array().map_or(0, Vec::len);
    scene.agent("kubectl taint nodes node-NS team=a:NoSchedule").ok();
    assert_eq!(own(), 1);
    let out = scene.undo();
    assert_eq!((out.code, own()), (0, 0), "{out:?}");
    assert!(
        theirs == 0 || !spec()["taints"].as_array().unwrap().is_empty(),
        "the controllers' taints stay: {out:?}"
    );
    scene.kubectl("delete node node-NS").ok();
}

/// Each of the commands that make an object by name: it is removed, and nothing else.
#[test]
fn what_is_made_by_each_verb_is_removed() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    for (line, made) in [
        ("kubectl -n NS expose deploy web --port=80 --name=front", "svc front"),
        ("kubectl -n NS run tmp --image=tmp:1", "pod tmp"),
        ("kubectl -n NS autoscale deploy web --min=1 --max=3", "hpa web"),
        ("kubectl -n NS create job once --image=once:1", "job once"),
        ("kubectl -n NS create secret generic more --from-literal=a=b", "secret more"),
        ("kubectl -n NS create quota q --hard=pods=9", "quota q"),
        ("kubectl -n NS create role r --verb=get --resource=pods", "role r"),
        ("kubectl -n NS create sa robot", "sa robot"),
    ] {
        scene.agent(line).ok();
        assert!(scene.has(made), "{line}");
        let out = scene.undo();
        assert!([0, 3].contains(&out.code), "{line}: {out:?}");
        scene.until("it is gone", || !scene.has(made));
    }
    assert!(scene.has("deploy web") && scene.has("svc web"));
}

#[test]
fn a_colleagues_change_of_another_field_stays() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS set image deploy/web web=shop:9").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let spec = scene.get("deploy web").unwrap()["spec"].clone();
    assert_eq!(spec["replicas"], 3);
    assert_eq!(spec["template"]["spec"]["containers"][0]["image"], "shop:9");
}

#[test]
fn what_was_created_is_deleted_and_nothing_else() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS create cm made --from-literal=a=b").ok();
    // Asking the server whether it would delete it deletes nothing.
    scene.env.fr(&["undo", "1", "--dry-run"]).ok();
    assert!(scene.has("cm made"));
    scene.undo().ok();
    assert!(!scene.has("cm made") && scene.has("cm settings"));
    let redo = scene.env.fr(&["redo", "2", "--yes"]);
    assert!(scene.has("cm made"), "{redo:?}");
    scene.agent("kubectl -n NS create cm again --from-literal=a=b").ok();
    scene.kubectl("-n NS delete cm again").ok();
    scene.kubectl("-n NS create cm again --from-literal=by=hand").ok();
    let out = scene.undo();
    assert_ne!(out.code, 0, "a namesake that somebody made: {out:?}");
    assert_eq!(scene.get("cm again").unwrap()["data"], json!({"by": "hand"}));
}

#[test]
fn a_replace_by_force_is_taken_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let before = meant(scene.get("deploy web").unwrap());
    scene.env.write("web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: shop}}\n  template:\n    metadata: {labels: {app: shop}}\n    spec: {containers: [{name: web, image: \"evil:1\"}]}\n");
    scene.agent("kubectl -n NS replace --force -f web.yaml").ok();
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 1);
    let out = scene.undo();
    assert!([0, 3].contains(&out.code), "{out:?}");
    assert_eq!(meant(scene.get("deploy web").unwrap())["spec"], before["spec"]);
}

#[test]
fn an_apply_that_prunes_gives_back_what_it_pruned() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.env.write("less.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, labels: {app: shop}}\ndata: {mode: test}\n");
    let before =
        ["cm settings", "secret keys", "deploy web", "svc web"].map(|what| meant(scene.get(what).unwrap()));
    let mut line = "-n NS apply --prune -l app=shop -f less.yaml".to_owned();
    if scene.kubectl(&format!("{line} --dry-run=server")).stderr.contains("no matches for kind") {
        // Newer kubectls prune kinds that a server of 1.20 does not know, unless they are told which.
        for kind in ["core/v1/ConfigMap", "core/v1/Secret", "core/v1/Service", "apps/v1/Deployment"] {
            line.push_str(&format!(" --prune-allowlist={kind}"));
        }
    }
    scene.agent(&format!("kubectl {line}")).ok();
    assert!(!scene.has("deploy web"), "it was pruned");
    let out = scene.undo();
    assert!([0, 3].contains(&out.code), "{out:?}");
    let after =
        ["cm settings", "secret keys", "deploy web", "svc web"].map(|what| meant(scene.get(what).unwrap()));
    assert_eq!(after, before);
}
