//! Helm releases: the Secrets in which Helm keeps them, and the objects that carry their name.

use super::cluster::Found;
use super::identity::Identity;
use super::kubectl::Kubectl;
use super::namespace;
use super::object::{Key, Object};
use super::query::Access;
use crate::error::Result;
use crate::model::Missing;

/// What Helm (3.2 and later) leaves on all that it makes.
const MANAGED: &str = "app.kubernetes.io/managed-by=Helm";
const RELEASE: &str = "meta.helm.sh/release-name";

/// Kinds without a namespace that charts make.
const CLUSTER_WIDE: &str = "clusterroles,clusterrolebindings,customresourcedefinitions,storageclasses,priorityclasses,\
                            validatingwebhookconfigurations,mutatingwebhookconfigurations,persistentvolumes,namespaces,\
                            apiservices,ingressclasses";

/// Finds the releases of these names in the namespace of the command.
pub fn find(kubectl: &Kubectl, names: &[&str], destroys: bool) -> Result<Found> {
    let namespace =
        Identity::read(kubectl, &Access { flags: kubectl.flags().to_vec(), ..Access::default() })?.namespace;
    let mut found = Found::default();
    let of_release = |object: &Object| object.annotation(RELEASE).is_some_and(|name| names.contains(&name));
    std::thread::scope(|scope| {
        let around = scope.spawn(|| kubectl.get(&[CLUSTER_WIDE, "--selector", MANAGED]));
        let secrets =
            scope.spawn(|| kubectl.get(&["secrets", "--selector", "owner=helm", "--namespace", &namespace]));
        let mut content = namespace::content(kubectl, &namespace, &["--selector", MANAGED])?;
        content.objects.retain(|(object, _)| of_release(object));
        found.extend(content);
        let failed = || Err(crate::error::Error::failure("reading them failed"));
        found.extend_filtered(
            "the release's own records",
            secrets.join().unwrap_or_else(|_| failed()),
            |object| object.label("name").is_some_and(|name| names.contains(&name)),
        );
        let around = around.join().unwrap_or_else(|_| failed());
        found.extend_filtered("the release's cluster-wide objects", around, of_release);
        if !destroys {
            coming(&mut found, names, &namespace);
        }
        Ok(found)
    })
}

/// An upgrade and a rollback make the record of another revision (two, where one that fails is rolled back at once). What
/// else the other version of the chart makes stands nowhere before it runs.
fn coming(found: &mut Found, names: &[&str], namespace: &str) {
    for name in names {
        let revisions =
            found.objects.iter().filter(|(o, _)| o.key.is("", "Secret") && o.label("name") == Some(name));
        let newest =
            revisions.filter_map(|(o, _)| o.label("version")?.parse::<u64>().ok()).max().unwrap_or(0);
        found.absent.extend((newest + 1..=newest + 2).map(|revision| Key {
            namespace: namespace.to_owned(),
            group: String::new(),
            kind: "Secret".to_owned(),
            name: format!("sh.helm.release.v1.{name}.v{revision}"),
        }));
    }
    let what = "objects that only the other version of the chart has".into();
    found.missing.push(Missing { what, why: "they are not known before it runs".to_owned() });
}
