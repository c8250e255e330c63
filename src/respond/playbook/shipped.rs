//! The playbooks that are part of `fr`: the one list of them. Their texts are `playbooks/*.yaml`.

/// Name and text, in the order in which `fr playbook list` shows them.
pub const SHIPPED: &[(&str, &str)] = &[
    ("first-five-minutes", include_str!("../../../playbooks/first-five-minutes.yaml")),
    ("revoke-agent-credentials", include_str!("../../../playbooks/revoke-agent-credentials.yaml")),
    ("git-force-push", include_str!("../../../playbooks/git-force-push.yaml")),
    ("git-local-loss", include_str!("../../../playbooks/git-local-loss.yaml")),
    ("terraform-destroy", include_str!("../../../playbooks/terraform-destroy.yaml")),
    ("terraform-state", include_str!("../../../playbooks/terraform-state.yaml")),
    ("k8s-namespace", include_str!("../../../playbooks/k8s-namespace.yaml")),
    ("ec2-terminated", include_str!("../../../playbooks/ec2-terminated.yaml")),
    ("s3-bucket", include_str!("../../../playbooks/s3-bucket.yaml")),
    ("database-loss", include_str!("../../../playbooks/database-loss.yaml")),
    ("secrets-kms-iam", include_str!("../../../playbooks/secrets-kms-iam.yaml")),
    ("docker-volume", include_str!("../../../playbooks/docker-volume.yaml")),
    ("files-on-host", include_str!("../../../playbooks/files-on-host.yaml")),
    ("publish-leak", include_str!("../../../playbooks/publish-leak.yaml")),
    ("runaway-agent", include_str!("../../../playbooks/runaway-agent.yaml")),
    ("drill", include_str!("../../../playbooks/drill.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::respond::playbook::{lint, parse};

    #[test]
    fn each_has_its_name_and_nothing_is_wrong_with_it() {
        for (name, text) in SHIPPED {
            let playbook = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(playbook.name, *name);
            assert_eq!(lint(&playbook), [], "{name}");
        }
    }

    #[test]
    fn every_file_is_in_the_list() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks");
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(".yaml"));
        names.sort();
        let mut listed: Vec<String> = SHIPPED.iter().map(|(name, _)| format!("{name}.yaml")).collect();
        listed.sort();
        assert_eq!(names, listed);
    }
}
