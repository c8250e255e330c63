//! What a person can do to bring something back, where the service has a way.

use super::describe::split;
use crate::model::{Bytes, SystemId};
use crate::systems::things::{Deed, Hands, How};

/// Of one cloud.
pub struct CloudHands {
    /// Which.
    pub id: &'static str,
}

/// Where a service can undelete or restore: what it is about (the words before the verb), and the command. `{}` is its name,
/// `{id}` its unique id. From the surface of the Google Cloud SDK 528 and the reference of az 2.45 to 2.70; none has been run.
const WAYS: &[(&str, &str, &str)] = &[
    ("gcloud", "projects", "gcloud projects undelete {} (30 days)"),
    ("gcloud", "resource-manager folders", "gcloud resource-manager folders undelete {} (30 days)"),
    (
        "gcloud",
        "iam service-accounts",
        "gcloud iam service-accounts undelete {id} (30 days; its keys stay gone)",
    ),
    ("gcloud", "iam roles", "gcloud iam roles undelete {} (7 days)"),
    ("gcloud", "iam workload-identity-pools", "gcloud iam workload-identity-pools undelete {}"),
    (
        "gcloud",
        "kms keys versions",
        "gcloud kms keys versions restore {}, then enable it (while its destruction is scheduled)",
    ),
    ("gcloud", "logging buckets", "gcloud logging buckets undelete {} (7 days)"),
    ("gcloud", "services api-keys", "gcloud services api-keys undelete {} (30 days)"),
    ("gcloud", "storage buckets", "gcloud storage restore gs://{} (where soft delete is on)"),
    (
        "gcloud",
        "storage objects",
        "gcloud storage restore {} (where soft delete is on), or an older generation",
    ),
    ("gcloud", "sql instances", "gcloud sql backups list --instance={} and restore into a new instance"),
    ("gcloud", "compute instances", "gcloud compute instances create {} from a snapshot of its disks"),
    ("gcloud", "compute disks", "gcloud compute disks create {} --source-snapshot SNAPSHOT"),
    ("gcloud", "bigtable tables", "gcloud bigtable tables undelete {} (7 days)"),
    ("gcloud", "privateca roots", "gcloud privateca roots undelete {}"),
    ("gcloud", "privateca subordinates", "gcloud privateca subordinates undelete {}"),
    ("gcloud", "spanner databases", "gcloud spanner databases restore from a backup"),
    ("gcloud", "firestore databases", "gcloud firestore databases restore from a backup"),
    ("gcloud", "alloydb clusters", "gcloud alloydb clusters restore from a backup"),
    ("gcloud", "filestore instances", "gcloud filestore backups list, and a new instance from one"),
    (
        "gcloud",
        "container clusters",
        "nothing brings a cluster back: a new one is made, and what ran in it is applied again",
    ),
    ("gcloud", "secrets", "gcloud secrets create {}; its versions are gone"),
    ("az", "keyvault", "az keyvault recover -n {} (7 to 90 days; role assignments are not recovered)"),
    ("az", "keyvault secret", "az keyvault secret recover --name {} --vault-name VAULT"),
    ("az", "keyvault key", "az keyvault key recover --name {} --vault-name VAULT"),
    ("az", "keyvault certificate", "az keyvault certificate recover --name {} --vault-name VAULT"),
    ("az", "storage blob", "az storage blob undelete -n {} (where soft delete is on)"),
    ("az", "storage container", "az storage container restore -n {} (where soft delete is on)"),
    ("az", "storage account", "the portal, Restore deleted account (14 days, while no other has its name)"),
    ("az", "sql db", "az sql db restore --deleted-time TIME --dest-name {}"),
    ("az", "webapp", "az webapp deleted list, then az webapp deleted restore"),
    ("az", "appconfig", "az appconfig recover -n {}"),
    ("az", "cognitiveservices account", "az cognitiveservices account recover -n {}"),
    ("az", "lock", "az lock create with what was described"),
    ("az", "role assignment", "az role assignment create with what was described"),
    ("az", "group", "nothing brings a resource group back: what was in it has to be made again"),
];

impl Hands for CloudHands {
    fn system(&self) -> SystemId {
        SystemId::new(self.id)
    }

    fn resource(&self, name: &str) -> Bytes {
        let (group, own) = told(name);
        Bytes::from(format!("{} {group} {own}", self.id))
    }

    fn rank(&self, _name: &str) -> u32 {
        1
    }

    fn back(&self, name: &str, how: How<'_>) -> Deed {
        let (group, own) = told(name);
        let way = WAYS.iter().find(|(id, of, _)| *id == self.id && *of == group).map(|(_, _, way)| *way);
        let id = match how {
            How::Anew(thing) => thing.fact("unique-id").to_owned(),
            _ => String::new(),
        };
        let kept = "`fr restore ID --to DIR` has what it was";
        let reason = match (how, way) {
            (How::Anew(_), Some(way)) => {
                let way = way.replace("{}", &own).replace("{id}", if id.is_empty() { "ID" } else { &id });
                format!("by hand: {way}; {kept}")
            }
            (How::Made(_), _) => format!("the command made it: {} {group} delete {own}", self.id),
            _ => format!("by hand; {kept}"),
        };
        Deed::impossible(format!("leave {} {group} {own} as it is", self.id), reason)
    }
}

/// What it is, and its own name.
fn told(name: &str) -> (String, String) {
    let Some((group, argv)) = split(name) else { return (String::new(), name.to_owned()) };
    let after = argv.iter().position(|w| matches!(w.as_str(), "describe" | "show" | "get-iam-policy"));
    let rest = argv.get(after.map_or(0, |at| at + 1)..).unwrap_or_default();
    let first = rest.first().filter(|w| !w.starts_with('-')).cloned();
    let of_option = |names: &[&str]| {
        let at = rest.iter().position(|w| names.contains(&w.as_str()))?;
        rest.get(at + 1).cloned()
    };
    let own = first.or_else(|| of_option(&["-n", "--name"])).or_else(|| of_option(&["--ids", "-g"]));
    (group.to_owned(), own.unwrap_or_default())
}
