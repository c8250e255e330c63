//! What the server would refuse is known before anything is written.

use super::SHOP;
use super::cluster::Scene;

#[test]
fn a_quota_that_would_stop_an_undo_half_way_stops_it_before() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete cm,secret,deploy -l app=shop").ok();
    scene.until("it is gone", || !scene.has("deploy web"));
    // As many secrets as there are now, and no more.
    let secrets = scene.names("secrets").len();
    scene.kubectl(&format!("-n NS create quota few --hard=count/secrets={secrets}")).ok();
    scene.until("the quota counts", || scene.get("quota few").unwrap()["status"]["used"].is_object());
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert!(format!("{out:?}").contains("exceeded quota"), "the server's own words: {out:?}");
    assert!(!scene.has("cm settings") && !scene.has("deploy web"), "nothing was written");
    let out = scene.undo_by(&["--on-conflict", "skip"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(scene.has("cm settings") && scene.has("deploy web") && !scene.has("secret keys"));
}

#[test]
fn a_field_that_has_become_immutable_is_a_conflict_in_the_servers_words() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS patch cm settings --type merge -p '{\"data\":{\"mode\":\"test\"}}'").ok();
    scene.kubectl("-n NS patch cm settings --type merge -p '{\"immutable\":true}'").ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert!(format!("{out:?}").contains("immutable"), "{out:?}");
    assert_eq!(scene.get("cm settings").unwrap()["data"]["mode"], "test");
}

#[test]
fn a_user_who_may_not_write_it_back_learns_that_before() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.kubectl("create clusterrole NS-some --verb=get,list,delete --resource=configmaps,secrets").ok();
    scene.kubectl("create clusterrolebinding NS-some --clusterrole=NS-some --user=limited").ok();
    scene.agent("kubectl --context limited -n NS delete cm settings").ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert!(format!("{out:?}").contains("cannot create resource"), "{out:?}");
    scene.kubectl("delete clusterrole,clusterrolebinding NS-some").ok();
}

#[test]
fn what_cannot_be_tried_out_before_is_said() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl delete namespace NS").ok();
    let out = scene.undo_by(&["--dry-run"]);
    assert!(out.stdout.contains("cannot be tried out before"), "{out:?}");
    assert!(!scene.has("namespace NS"), "asking makes nothing");
    let out = scene.undo();
    assert_eq!(out.code, 0, "tokens that nothing refers to are a note: {out:?}");
    assert!(scene.has("deploy web"));
}
