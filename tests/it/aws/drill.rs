//! The rehearsal in an account: only where somebody names it, and nothing of it is left.

use serde_json::json;

use super::scene::Scene;

/// What drills have made on the server.
const LEFT: &str = "out = [b['Name'] for b in c('s3').list_buckets()['Buckets'] if b['Name'].startswith('fr-drill-')] + \
    [t for t in c('dynamodb').list_tables()['TableNames'] if t.startswith('fr-drill-')] + \
    [p['Name'] for p in c('ssm').describe_parameters()['Parameters'] if p['Name'].startswith('/fr-drill-')]";

#[test]
fn a_drill_in_an_account_is_only_done_where_one_is_named_and_leaves_nothing() {
    let Some(mut scene) = Scene::new() else { return };
    let out = scene.env.fr(&["drill", "--system", "aws"]);
    assert!(out.code == 2 && out.stderr.contains("--aws-profile"), "{out:?}");
    let listed = scene.env.fr(&["drill", "--system", "sqlite", "--json"]).json();
    assert!(listed["scenarios"].as_array().unwrap().iter().all(|s| s["system"] != "aws"), "{listed:#}");
    assert_eq!(scene.python(LEFT), json!([]));
    let at = scene.env.vars.iter().position(|(name, _)| name == "AWS_ENDPOINT_URL").unwrap();
    let (_, url) = scene.env.vars.remove(at);
    let out = scene.env.fr(&["drill", "--system", "aws", "--aws-endpoint", &url, "--json"]);
    let report = out.json();
    assert!(out.code == 0 && report["passed"] == json!(true), "{report:#}");
    assert_eq!(report["scenarios"][0]["rounds"].as_array().unwrap().len(), 6, "{report:#}");
    assert_eq!(scene.python(LEFT), json!([]), "nothing is left in the account");
}
