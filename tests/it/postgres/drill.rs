//! The rehearsal in a server: only in one on this machine or one that somebody names, and nothing of it is left.

use serde_json::json;

use super::scene::Scene;

#[test]
fn a_drill_makes_a_database_of_its_own_and_leaves_nothing() {
    let Some(scene) = Scene::new("CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)") else { return };
    let databases = "SELECT string_agg(datname, ' ') FROM pg_database WHERE datname LIKE 'fr\\_drill%'";
    let mine = scene.world();
    let report = scene.env.fr(&["drill", "--system", "postgres", "--json"]).ok().json();
    assert_eq!(report["passed"], json!(true), "{report:#}");
    let rounds = report["scenarios"][0]["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 8, "{report:#}");
    // The eyes of the drill saw each command do something, and each undo take it back.
    assert!(
        rounds.iter().all(|r| r["undo_exit_code"] == json!(0) && r["failure"] == json!(null)),
        "{report:#}"
    );
    assert_eq!((scene.sql(databases), scene.world()), (String::new(), mine));
}

#[test]
fn a_server_elsewhere_is_only_used_where_it_is_named() {
    let Some(mut scene) = Scene::new("") else { return };
    let at = scene.env.vars.iter().position(|(name, _)| name == "PGHOST").unwrap();
    let (_, dir) = scene.env.vars.remove(at);
    scene.env.vars.push(("PGHOST".to_owned(), "db.production.example".to_owned()));
    let out = scene.env.fr(&["drill", "--system", "postgres"]);
    assert!(out.code == 2 && out.stderr.contains("--server postgres://HOST"), "{out:?}");
    let out = scene.env.fr(&["drill", "--server", "postgres://app:hush@db.production.example"]);
    assert!(out.code == 2 && out.stderr.contains("PGPASSWORD") && !out.stderr.contains("hush"), "{out:?}");
    let out = scene.env.fr(&["drill", "--system", "files", "--server", "postgres:///tmp"]);
    assert!(out.code == 2 && out.stderr.contains("not among these systems"), "{out:?}");
    // A role that may not make databases is a reason to leave it out, and nothing was made.
    scene.env.vars.retain(|(name, _)| name != "PGHOST");
    scene.env.vars.push(("PGHOST".to_owned(), dir.clone()));
    scene.sql("CREATE ROLE guest LOGIN");
    let out = scene.env.fr(&[
        "drill",
        "--system",
        "postgres",
        "--server",
        &format!("postgres://guest@{dir}"),
        "--json",
    ]);
    let reason = out.json()["scenarios"][0]["reason"].to_string();
    assert!(out.code == 3 && reason.contains("may not make databases"), "{out:?}");
}
