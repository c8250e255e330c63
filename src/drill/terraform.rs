//! Terraform: a root module with a local state and provisioner-free resources, commands that lose the state, and commands
//! that destroy resources, which come back as new ones. Only the provider that is built into terraform is used, so nothing
//! is fetched.

use super::look::Look;
use super::scenario::{Incident, Scenario};
use super::scene::Scene;
use crate::error::Result;

pub(super) const SCENARIO: Scenario = Scenario {
    system: "terraform",
    title: "a root module with a local state and two workspaces",
    needs: &["bash", "terraform"],
    optional: true,
    asked: false,
    in_cluster: false,
    given: None,
    build,
    incidents: &[
        Incident {
            why: "resources are forgotten: the next apply would make them a second time",
            line: "terraform state rm -no-color 'terraform_data.db[0]' terraform_data.web >/dev/null",
        },
        Incident {
            why: "a resource is marked to be replaced",
            line: "terraform taint -no-color 'terraform_data.db[1]' >/dev/null",
        },
        Incident {
            why: "a resource gets another address",
            line: "terraform state mv -no-color terraform_data.web terraform_data.shop >/dev/null",
        },
        Incident {
            why: "another state is pushed over the present one",
            line: "terraform state push -no-color -force other.json",
        },
        Incident {
            why: "a workspace is deleted with its state",
            line: "terraform workspace delete -no-color -force staging >/dev/null",
        },
    ],
    anew: &[
        Incident {
            why: "one resource is destroyed, and what depends on it",
            line: "terraform destroy -no-color -auto-approve -target='terraform_data.db[0]' >/dev/null",
        },
        Incident {
            why: "everything is destroyed",
            line: "terraform destroy -no-color -auto-approve >/dev/null",
        },
    ],
    look,
    clear: None,
};

const MODULE: &str = r#"
export CHECKPOINT_DISABLE=1
printf 'disable_checkpoint = true\n' > "$HOME/.terraformrc"
cat > main.tf <<'END'
resource "terraform_data" "db" {
  count = 2
  input = "${terraform.workspace}-${count.index}"
}
resource "terraform_data" "web" {
  input = terraform_data.db[0].id
}
output "password" {
  value     = "only-in-the-state"
  sensitive = true
}
END
terraform init -input=false -no-color >/dev/null
terraform apply -auto-approve -input=false -no-color >/dev/null
printf '{"version":4,"terraform_version":"1.0.0","serial":900,"lineage":"none-of-ours","outputs":{},"resources":[]}' > other.json
terraform workspace new -no-color staging >/dev/null
terraform apply -auto-approve -input=false -no-color >/dev/null
terraform workspace select -no-color default >/dev/null
"#;

fn build(scene: &Scene) -> Result<()> {
    scene.script(MODULE)
}

/// What terraform itself says of both workspaces, and whether it would change anything.
fn look(scene: &Scene) -> Result<Look> {
    scene.look(&[
        "terraform workspace list -no-color",
        "terraform output -no-color -json",
        "terraform show -no-color",
        "terraform plan -no-color -input=false -lock=false -detailed-exitcode >/dev/null; echo $?",
        "TF_WORKSPACE=staging terraform show -no-color",
    ])
}
