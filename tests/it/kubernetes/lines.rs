//! Scripts and make targets that call kubectl: seen as they are executed, through shims.

use super::SHOP;
use super::cluster::{Scene, meant};

/// A scene whose commands come through shims.
pub fn with_shims() -> Option<Scene> {
    let mut scene = Scene::new()?;
    let path = format!("{}:{}", scene.env.fr_home.join("shims").display(), scene.env.path());
    scene.env.vars.push(("PATH".into(), path));
    scene.env.fr(&["shims", "enable"]).ok();
    Some(scene)
}

#[test]
fn a_script_and_a_make_target_that_delete_are_taken_back() {
    let Some(scene) = with_shims() else { return };
    scene.apply(SHOP);
    let before = [meant(scene.get("cm settings").unwrap()), meant(scene.get("deploy web").unwrap())];
    scene.env.write(
        "teardown.sh",
        format!(
            "#!/bin/bash\nfor kind in cm/settings deploy/web; do kubectl -n {} delete $kind; done\n",
            scene.ns
        ),
    );
    scene.env.write("Makefile", "teardown:\n\tbash teardown.sh\n");
    for line in ["bash teardown.sh", "make teardown"] {
        scene.agent(line).ok();
        assert!(!scene.has("cm settings") && !scene.has("deploy web"), "{line}");
        let all = scene.env.fr(&["timeline", "--json", "-n", "20"]).ok().json();
        let outer = all.as_array().unwrap().iter().find(|event| event["command"]["line"] == line).unwrap();
        let out = scene.env.fr(&["undo", "--yes", &outer["id"].to_string()]);
        assert!([0, 3].contains(&out.code), "{line}: {out:?}");
        let after = [meant(scene.get("cm settings").unwrap()), meant(scene.get("deploy web").unwrap())];
        assert_eq!(after, before, "{line}");
    }
}

#[test]
fn a_delete_that_reads_a_pipe_is_seen_as_it_is_executed() {
    let Some(scene) = with_shims() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS get cm settings -o name | xargs kubectl -n NS delete").ok();
    assert!(!scene.has("cm settings"));
    let id = scene.env.fr(&["timeline", "--json", "-n", "20"]).ok().json();
    let outer = id.as_array().unwrap().iter().find(|event| event["parent"].is_null()).unwrap().clone();
    let out = scene.env.fr(&["undo", "--yes", &outer["id"].to_string()]);
    assert_eq!(out.code, 0, "the line did not know its target, its part had it: {out:?}");
    assert!(scene.has("cm settings"));
}

/// The incident of the wrong context: the line chooses the cluster itself, after the recorder has looked.
#[test]
fn a_line_that_chooses_its_context_is_captured_there() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let own = scene.env.root().join("kubeconfig");
    std::fs::copy(scene.env.sh("printf %s \"$KUBECONFIG\"").ok().stdout, &own).unwrap();
    let mut env = scene.env.vars.clone();
    env.iter_mut()
        .filter(|(name, _)| name == "KUBECONFIG")
        .for_each(|(_, v)| *v = own.to_str().unwrap().to_owned());
    let mut scene = scene;
    scene.env.vars = env;
    let line = format!(
        "c=$(kubectl config current-context); u=$(kubectl config view -o jsonpath='{{.contexts[0].context.user}}'); \
         l=$(kubectl config view -o jsonpath='{{.contexts[0].context.cluster}}'); \
         kubectl config set-context prod --cluster=$l --user=$u --namespace={}; kubectl config use-context $c",
        scene.ns
    );
    scene.env.sh(&line).ok();
    let before = meant(scene.get("cm settings").unwrap());
    scene.agent("kubectl config use-context prod && kubectl delete cm settings").ok();
    assert!(!scene.has("cm settings"));
    let out = scene.undo();
    assert!([0, 3].contains(&out.code), "{out:?}");
    assert_eq!(meant(scene.get("cm settings").unwrap()), before, "{out:?}");
    let shown = scene.env.fr(&["show", "1"]).ok().stdout;
    assert!(shown.contains("k8s:prod/"), "{shown}");
}

/// The line names minikube; what it starts is a kubectl for the cluster of its profile (minikube's `cmd/kubectl.go`). The
/// program is in no registry, so the test runs what it starts.
#[test]
fn what_minikube_hands_to_kubectl_is_taken_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let before = meant(scene.get("cm settings").unwrap());
    let cluster = scene.kubectl("config view -o jsonpath={.clusters[0].name}").ok().stdout;
    for line in [
        format!("minikube -p {cluster} kubectl -- -n {} delete cm settings", scene.ns),
        format!("MINIKUBE_PROFILE={cluster} minikube kubectl -- delete cm settings -n {}", scene.ns),
    ] {
        let call = scene.env.claude_pre(&line);
        assert_eq!(call.answer.code, 0, "{call:?}");
        scene.kubectl(&format!("-n NS delete cm settings --cluster {cluster}")).ok();
        scene.env.claude_post(&call);
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(meant(scene.get("cm settings").unwrap()), before, "{line}");
    }
    // Another profile is another cluster, and nothing is said to be kept of it.
    let call = scene.env.claude_pre("minikube kubectl -- delete cm settings");
    assert_eq!(call.answer.code, 0, "{call:?}");
    let shown = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    assert!(shown.contains("cluster \"minikube\""), "{shown}");
}

/// The agent "resets" a namespace: what stands there afterwards is the line's own, and not somebody's who came after it.
#[test]
fn a_namespace_that_a_line_deletes_and_makes_anew_is_taken_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let seen = |scene: &Scene| ["cm settings", "deploy web"].map(|what| scene.get(what).map(meant));
    let before = seen(&scene);
    assert!(before.iter().all(Option::is_some));
    scene.env.write(
        "fresh.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: none}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fresh}\ndata: {a: b}\n",
    );
    scene.agent("kubectl delete ns NS && kubectl create ns NS && kubectl -n NS apply -f fresh.yaml").ok();
    let reset = seen(&scene);
    assert!(scene.has("cm fresh") && !scene.has("deploy web"));
    for _ in 0..2 {
        let out = scene.undo();
        assert!([0, 3].contains(&out.code), "{out:?}");
        assert_eq!(seen(&scene), before, "{out:?}");
        assert!(!scene.has("cm fresh"));
        let out = scene.env.fr(&["redo", "--yes"]);
        assert!([0, 3].contains(&out.code), "{out:?}");
        assert_eq!(seen(&scene), reset, "{out:?}");
        assert!(scene.has("cm fresh"));
    }
}
