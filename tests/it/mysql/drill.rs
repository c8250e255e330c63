//! The rehearsal in a server that somebody names; nothing of it is left.

use serde_json::json;

use super::scene::Scene;

#[test]
fn a_drill_makes_a_database_of_its_own_and_leaves_nothing() {
    let Some(mut scene) = Scene::new("CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)") else {
        return;
    };
    let mine = scene.world();
    scene.env.vars.push(("MYSQL_PWD".to_owned(), "hush-hush".to_owned()));
    let url = format!("mysql://app@127.0.0.1:{}", scene.port);
    let report = scene.env.fr(&["drill", "--system", "mysql", "--server", &url, "--json"]).ok().json();
    assert_eq!(report["passed"], json!(true), "{report:#}");
    let rounds = report["scenarios"][0]["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 7, "{report:#}");
    assert!(
        rounds.iter().all(|r| r["undo_exit_code"] == json!(0) && r["failure"] == json!(null)),
        "{report:#}"
    );
    assert!(!report.to_string().contains("hush-hush"), "{report:#}");
    scene.env.vars.retain(|(name, _)| name != "MYSQL_PWD");
    assert_eq!((scene.sql("SHOW DATABASES LIKE 'fr\\_drill%'"), scene.world()), (String::new(), mine));
    // A server that does not let it in is said, before anything is made.
    scene.env.vars.push(("MYSQL_PWD".to_owned(), "wrong".to_owned()));
    let out = scene.env.fr(&["drill", "--system", "mysql", "--server", &url]);
    assert!(out.code == 1 && out.stderr.contains("cannot be used: ERROR 1045"), "{out:?}");
}
