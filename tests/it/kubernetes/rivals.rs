//! Programs that keep objects as they want them, and others who have taken what is to come back.

use super::SHOP;
use super::cluster::Scene;

#[test]
fn an_autoscaler_of_what_is_scaled_back_is_named() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.kubectl("-n NS autoscale deploy web --min=1 --max=5 --name=keeper").ok();
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    let shown = scene.undo_by(&["--dry-run"]);
    assert!(shown.stdout.contains("the autoscaler keeper manages it"), "at the plan: {shown:?}");
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert!(out.stdout.contains("the autoscaler keeper manages it"), "at the end: {out:?}");
}

#[test]
fn argo_flux_and_helm_are_named_by_their_marks() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.kubectl("-n NS label cm settings argocd.argoproj.io/instance=shop").ok();
    scene.kubectl("-n NS label secret keys kustomize.toolkit.fluxcd.io/name=infra").ok();
    scene.kubectl("-n NS annotate svc web meta.helm.sh/release-name=front").ok();
    // No mark, but the name under which it writes.
    scene
        .kubectl("-n NS patch deploy web --field-manager=argocd-controller -p '{\"spec\":{\"paused\":true}}'")
        .ok();
    scene.agent("kubectl -n NS label deploy web owner=agent").ok();
    assert!(scene.undo().ok().stdout.contains("Argo CD manages it"));
    scene.agent("kubectl -n NS delete cm/settings secret/keys svc/web").ok();
    let rivals = ["Argo CD (shop)", "Flux (infra)", "Helm (front)"];
    for said in [scene.undo_by(&["--dry-run"]).ok().stdout, scene.undo().ok().stdout] {
        assert!(rivals.iter().all(|who| said.contains(who)), "{said}");
    }
}

#[test]
fn a_service_whose_address_somebody_has_taken_comes_back_with_another_and_says_so() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let ip = scene.get("svc web").unwrap()["spec"]["clusterIP"].as_str().unwrap().to_owned();
    scene.agent("kubectl -n NS delete svc web").ok();
    scene.kubectl(&format!("-n NS create svc clusterip other --tcp=80 --clusterip={ip}")).ok();
    let shown = scene.undo_by(&["--dry-run"]);
    let taken = format!("the address {ip} of service/web: service {}/other has it now", scene.ns);
    assert!(shown.stdout.contains(&taken), "{shown:?}");
    let out = scene.undo();
    assert_eq!(out.code, 3, "{out:?}");
    let back = scene.get("svc web").unwrap();
    assert_ne!(back["spec"]["clusterIP"], ip.as_str());
    assert_eq!(back["spec"]["selector"]["app"], "shop");
    assert_eq!(scene.get("svc other").unwrap()["spec"]["clusterIP"], ip.as_str());
}
