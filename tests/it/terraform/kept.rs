//! What a capture holds: enough to work with where nothing else is left, and named where it is not enough.

use super::scene::{Scene, names};

on_each!([local s3] (restored_beside what_holds_data_is_named told_by_diff));

/// `fr restore` gives the old state and configuration as files, which terraform reads.
fn restored_beside(scene: Scene) {
    let before = scene.state();
    scene.env.write("net/net.tf", "output \"n\" {\n  value = file(\"${path.module}/n.txt\")\n}\n");
    scene.env.write("net/n.txt", "7\n");
    scene.env.write("infra/net.tf", "module \"net\" {\n  source = \"../net\"\n}\n");
    scene.env.write("infra/prod.auto.tfvars", "size = \"small\"\n");
    scene.tf("init -input=false").ok();
    scene.agent("terraform -chdir=infra destroy -auto-approve").ok();
    std::fs::remove_dir_all(scene.env.project.join("net")).unwrap();
    scene.env.fr(&["restore", "1", "--to", "old"]).ok();
    let state: serde_json::Value = serde_json::from_str(&scene.env.read("old/terraform.tfstate")).unwrap();
    assert_eq!(state["resources"], before["resources"]);
    let old = scene.env.project.join("old/configuration");
    assert_eq!(names(&old), ["infra", "net"]);
    assert_eq!(names(&old.join("net")), ["n.txt", "net.tf"]);
    assert!(names(&old.join("infra")).contains(&"prod.auto.tfvars".to_owned()));
    let shown = scene.env.sh("cd old && terraform show -no-color terraform.tfstate").ok().stdout;
    assert!(shown.contains("# terraform_data.web:"), "{shown}");
    let mode = scene.env.sh("stat -c %a old/terraform.tfstate").ok().stdout;
    assert_eq!(mode, "600\n", "it holds secrets");
}

/// A database in the state: its settings are kept, its rows are not, and the record says so before it is destroyed.
fn what_holds_data_is_named(scene: Scene) {
    let mut state = scene.state();
    state["serial"] = (state["serial"].as_u64().unwrap() + 1).into();
    state["resources"].as_array_mut().unwrap().push(serde_json::json!({
        "mode": "managed", "type": "aws_db_instance", "name": "prod",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{"schema_version": 2, "sensitive_attributes": [[{"type": "get_attr", "value": "password"}]],
            "attributes": {"id": "db-PROD", "password": "tf-secret-in-state", "skip_final_snapshot": false,
                "final_snapshot_identifier": "prod-final"}}],
    }));
    scene.env.write("infra/more.tfstate", state.to_string());
    scene.tf("state push more.tfstate").ok();
    let call = scene.env.claude_pre("terraform -chdir=infra destroy -auto-approve");
    assert_eq!(call.answer.code, 0, "{call:?}");
    let shown = scene.env.fr(&["show", "1"]).ok().stdout;
    assert!(shown.contains("data in aws_db_instance.prod (id db-PROD)"), "{shown}");
    assert!(shown.contains("final_snapshot_identifier = prod-final"), "where it may be: {shown}");
    assert!(!shown.contains("tf-secret-in-state"), "{shown}");
    // Taking it out of the state alone loses nothing of it, and comes back.
    let before = scene.says();
    scene.env.claude_fail(&call, 1);
    scene.agent("terraform -chdir=infra state rm aws_db_instance.prod").ok();
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(scene.says(), before);
}

fn told_by_diff(scene: Scene) {
    scene.agent("terraform -chdir=infra state mv terraform_data.web terraform_data.shop").ok();
    let told = scene.env.fr(&["diff", "1"]).ok().stdout;
    assert!(told.contains("tf:terraform_data.web") && told.contains("tf:terraform_data.shop"), "{told}");
    assert!(!told.contains("disk"), "{told}");
    scene.keeps_secrets();
}
