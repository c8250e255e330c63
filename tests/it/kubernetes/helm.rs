//! Helm releases, made by Helm's own library (tests/testbed/helm): not by its program, which no registry has.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::cluster::{Scene, meant};

const CHART: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-conf}
data: {mode: {{ .Values.mode | quote }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: \"web:{{ .Values.mode }}\"}]}}
";

/// A scene with a chart, whose `helm` on the path is Helm's library; installed with mode `live`.
fn installed() -> Option<Scene> {
    let testbed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed");
    let found = Command::new(testbed.join("helm")).output().unwrap();
    if !found.status.success() {
        eprintln!("skipped: no Helm library; tests/testbed/helm setup fetches one");
        return None;
    }
    let mut scene = Scene::new()?;
    let bin = scene.env.root().join("helm-bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(testbed.join("helm-by-library"), bin.join("helm")).unwrap();
    let library = String::from_utf8(found.stdout).unwrap().trim().to_owned();
    let path = format!("{}:{}", bin.display(), scene.env.path());
    scene.env.vars.extend([("PATH".to_owned(), path), ("HELM_LIBRARY".to_owned(), library)]);
    scene.env.write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n");
    scene.env.write("chart/values.yaml", "mode: live\n");
    scene.env.write("chart/templates/all.yaml", CHART);
    scene.env.sh(&format!("helm install shop ./chart -n {}", scene.ns)).ok();
    Some(scene)
}

fn release(scene: &Scene) -> Vec<serde_json::Value> {
    ["cm shop-conf", "deploy shop-web"].map(|what| meant(scene.get(what).unwrap())).into()
}

/// What Helm itself says of the release.
fn said_by_helm(scene: &Scene) -> String {
    scene.env.sh(&format!("helm history shop -n {}", scene.ns)).ok().stdout
}

#[test]
fn an_uninstalled_release_is_back_and_helm_knows_it() {
    let Some(scene) = installed() else { return };
    let (before, history) = (release(&scene), said_by_helm(&scene));
    scene.agent("helm uninstall shop -n NS").ok();
    assert!(!scene.has("cm shop-conf") && !scene.has("secret sh.helm.release.v1.shop.v1"));
    scene.until("it is gone", || !scene.has("deploy shop-web"));
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(release(&scene), before);
    assert_eq!(said_by_helm(&scene), history);
    assert!(out.stdout.contains("Helm (shop)"), "who manages it is named: {out:?}");
    // Helm goes on with it.
    scene.env.sh(&format!("helm upgrade shop ./chart --set mode=next -n {}", scene.ns)).ok();
    assert_eq!(scene.get("cm shop-conf").unwrap()["data"]["mode"], "next");
}

#[test]
fn an_upgrade_and_a_rollback_are_taken_back_with_their_record() {
    let Some(scene) = installed() else { return };
    scene.env.sh(&format!("helm upgrade shop ./chart --set mode=second -n {}", scene.ns)).ok();
    for line in ["helm upgrade shop ./chart --set mode=test -n NS", "helm rollback shop 1 -n NS"] {
        let (before, history) = (release(&scene), said_by_helm(&scene));
        scene.agent(line).ok();
        assert_ne!(release(&scene), before, "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(release(&scene), before, "{line}");
        assert_eq!(said_by_helm(&scene), history, "{line}: {out:?}");
    }
}

/// What only the other version of the chart has is seen when the command has run.
#[test]
fn what_an_upgrade_adds_goes_with_its_undo() {
    let Some(scene) = installed() else { return };
    let more = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: shop-new}\n";
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-hook, annotations: {helm.sh/hook: post-upgrade}}\n";
    scene.env.write("chart/templates/more.yaml", more);
    scene.env.write("chart/templates/hook.yaml", hook);
    let (before, history) = (release(&scene), said_by_helm(&scene));
    scene.agent("helm upgrade shop ./chart --set mode=test -n NS").ok();
    assert!(scene.has("sa shop-new") && scene.has("cm shop-hook"));
    let out = scene.undo();
    assert_eq!(out.code, 3, "what a hook did is not taken back: {out:?}");
    assert!(out.stdout.contains("what the hook configmap/shop-hook did"), "{out:?}");
    assert!(!scene.has("sa shop-new") && scene.has("cm shop-hook"));
    assert_eq!((release(&scene), said_by_helm(&scene)), (before, history));
}

#[test]
fn an_installed_release_is_taken_away_and_nothing_else() {
    let Some(scene) = installed() else { return };
    let others = release(&scene);
    scene.agent("helm install second ./chart --set mode=test -n NS").ok();
    assert!(scene.has("deploy second-web") && scene.has("secret sh.helm.release.v1.second.v1"));
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    scene.until("it is gone", || !scene.has("deploy second-web"));
    assert!(!scene.has("cm second-conf") && !scene.has("secret sh.helm.release.v1.second.v1"));
    assert_eq!(release(&scene), others, "{out:?}");
    // The undo can be undone: Helm knows it again.
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert!([0, 3].contains(&redo.code) && scene.has("deploy second-web"), "{redo:?}");
    assert!(scene.env.sh(&format!("helm history second -n {}", scene.ns)).ok().stdout.contains("deployed"));
}

/// An install that somebody has worked on since is his.
#[test]
fn an_installed_release_that_somebody_changed_is_a_conflict() {
    let Some(scene) = installed() else { return };
    scene.agent("helm install second ./chart --set mode=test -n NS").ok();
    scene
        .env
        .sh(&format!("kubectl -n {} patch cm second-conf -p '{{\"data\":{{\"mode\":\"mine\"}}}}'", scene.ns))
        .ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert_eq!(scene.get("cm second-conf").unwrap()["data"]["mode"], "mine");
    assert!(scene.has("deploy second-web"), "{out:?}");
}

/// What somebody had before, and Helm took over, is not the command's to delete: neither alone nor in a session.
#[test]
fn an_object_that_helm_took_over_stays() {
    for undo in [&["undo", "--yes", "1"][..], &["undo", "--yes", "--session"]] {
        let Some(scene) = installed() else { return };
        scene.kubectl("-n NS create cm second-conf --from-literal=mode=mine").ok();
        // The server tells times to the second.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let own = scene.get("cm second-conf").unwrap()["metadata"]["uid"].clone();
        let mark = "kubectl -n NS label cm second-conf app.kubernetes.io/managed-by=Helm && kubectl -n NS annotate cm second-conf \
                    meta.helm.sh/release-name=second meta.helm.sh/release-namespace=NS";
        scene.agent(&format!("{mark} && helm install second ./chart --set mode=test -n NS")).ok();
        scene.agent("helm upgrade shop ./chart --set mode=more -n NS").ok();
        assert_eq!(scene.get("cm second-conf").unwrap()["data"]["mode"], "test");
        let out = scene.env.fr(undo);
        assert_eq!(out.code, 3, "{out:?}");
        assert!(out.stdout.contains("Helm took it over"), "{out:?}");
        assert!(!scene.has("deploy second-web"), "{out:?}");
        let now = scene.get("cm second-conf").unwrap();
        assert_eq!((&now["metadata"]["uid"], &now["data"]["mode"]), (&own, &"mine".into()), "{out:?}");
    }
}

/// No word of these names a release. All of the namespace are captured, and both are back; the third, which stayed, stays.
#[test]
fn releases_that_a_line_lists_and_uninstalls_are_back() {
    let Some(scene) = installed() else { return };
    scene.env.sh(&format!("helm install second ./chart -n {}", scene.ns)).ok();
    let seen = |scene: &Scene| {
        let objects = ["cm shop-conf", "cm second-conf", "deploy shop-web", "deploy second-web"];
        (objects.map(|what| scene.get(what).map(meant)), said_by_helm(scene))
    };
    let before = seen(&scene);
    for (line, code) in [
        ("helm list -q -n NS | xargs helm uninstall -n NS", 0),
        ("helm ls --short -n NS | xargs -n1 helm delete -n NS", 0),
        ("helm uninstall -n NS $(helm list -n NS -q)", 0),
        ("for r in $(helm ls -q -n NS); do helm uninstall $r -n NS; done", 0),
        // What goes in between may name others, in another namespace too.
        ("helm ls -q -n NS | grep -v kept | xargs helm uninstall -n NS", 3),
    ] {
        scene.agent(line).ok();
        assert!(!scene.has("secret sh.helm.release.v1.shop.v1"), "{line}");
        scene.until("both are gone", || !scene.has("deploy shop-web") && !scene.has("deploy second-web"));
        let out = scene.undo();
        assert_eq!(out.code, code, "{line}: {out:?}");
        assert_eq!(seen(&scene), before, "{line}: {out:?}");
        assert_eq!(
            out.stdout.contains("targets beside the releases of the namespace"),
            code == 3,
            "{line}: {out:?}"
        );
    }
    // Of several only some were meant: what was not taken is left alone.
    scene.agent("helm ls -q -n NS | grep second | xargs helm uninstall -n NS").ok();
    assert!(scene.has("deploy shop-web") && !scene.has("cm second-conf"));
    let web = scene.get("deploy shop-web").unwrap()["metadata"]["uid"].clone();
    assert_eq!(scene.undo().code, 3);
    assert_eq!((seen(&scene), &scene.get("deploy shop-web").unwrap()["metadata"]["uid"]), (before, &web));
}

/// Whether it is said to be all depends on where the names come from.
#[test]
fn only_a_plain_list_of_the_same_namespace_is_all_of_it() {
    let env = crate::env::TestEnv::new();
    let capture = |line: &str| {
        let out = env.fr(&["explain", "--json", "-c", line]).ok().json();
        out["effects"][0]["capture"].as_str().unwrap().to_owned()
    };
    for (line, how) in [
        ("helm list -q | xargs helm uninstall", "all"),
        ("helm list -f '^pr-' -q -n ci | xargs -I{} helm uninstall {} -n ci", "all"),
        ("helm list -q -n a | xargs helm uninstall -n b", "listed"),
        ("helm list -A -q | xargs helm uninstall", "listed"),
        ("helm list -q --kube-context a | xargs helm uninstall", "listed"),
        ("helm list | awk 'NR>1 {print $1}' | xargs helm uninstall", "listed"),
        ("cat names | xargs helm uninstall", "listed"),
        ("helm list -q | xargs helm uninstall -n \"$NS\"", "none"),
    ] {
        assert_eq!(capture(line), how, "{line}");
    }
    assert_eq!(
        env.fr(&["explain", "--json", "-c", "helm list -q | xargs helm status"]).ok().json()["class"],
        "none"
    );
}

/// The end of a test environment in one line: three programs, and all of it comes back, goes again and comes back.
#[test]
fn a_line_that_tears_down_release_namespace_and_infrastructure_is_taken_back() {
    let Some(mut scene) = installed() else { return };
    if crate::terraform::terraform().is_none() {
        return;
    }
    scene.env.vars.push(("CHECKPOINT_DISABLE".to_owned(), "1".to_owned()));
    let real = scene.env.project.join("infra/real");
    let module = "resource \"terraform_data\" \"web\" {\n  provisioner \"local-exec\" {\n    command = \"touch REAL\"\n  }\n  \
                  provisioner \"local-exec\" {\n    when = destroy\n    command = \"rm REAL\"\n  }\n}\n";
    scene.env.write("infra/main.tf", module.replace("REAL", real.to_str().unwrap()));
    scene.env.sh("cd infra && terraform init -input=false && terraform apply -auto-approve").ok();
    scene.kubectl("create namespace NS-side").ok();
    scene.kubectl("-n NS-side create cm kept --from-literal=a=b").ok();
    let seen = |scene: &Scene| {
        let side = scene.kubectl("-n NS-side get cm kept -o jsonpath={.data.a} --ignore-not-found").stdout;
        let objects = ["cm shop-conf", "deploy shop-web"].map(|what| scene.get(what).map(meant));
        (objects, side, real.exists())
    };
    let before = seen(&scene);
    scene.agent("helm uninstall shop -n NS && kubectl delete ns NS-side && terraform -chdir=infra destroy -auto-approve").ok();
    let gone = seen(&scene);
    assert_eq!((gone.1.as_str(), gone.2), ("", false));
    let out = scene.undo_by(&["--apply-infra"]);
    assert_eq!(out.code, 3, "a new resource is not the old one: {out:?}");
    assert_eq!(seen(&scene), before, "{out:?}");
    // What was made for real is destroyed by nobody but terraform; the cluster's part goes again.
    let redone = scene.env.fr(&["redo", "--yes"]);
    assert!(!redone.stdout.contains("is undone and verified"), "{redone:?}");
    scene.until("what the redo deletes is gone", || {
        let now = seen(&scene);
        (now.0, now.1) == (gone.0.clone(), gone.1.clone())
    });
    assert!(seen(&scene).2, "{redone:?}");
    let again = scene.undo_by(&["--apply-infra"]);
    assert_eq!(seen(&scene), before, "{again:?}");
    scene.kubectl("delete namespace NS-side --wait=false").ok();
}
