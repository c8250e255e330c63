//! The one list of systems.

use super::{ForgetCx, Forgotten, System};
use crate::error::Result;
use crate::model::{Bytes, Context, Locator, ObjectId, ObjectKind, Step, SystemId};

static SYSTEMS: &[&dyn System] = &[
    &super::files::Files,
    &super::git::Git,
    &super::terraform::Terraform,
    &super::kubernetes::Kubernetes,
    &super::docker::DOCKER,
    &super::redis::REDIS,
    &super::host::HOST,
    &super::postgres::POSTGRES,
    &super::mysql::MYSQL,
    &super::sqlite::SQLITE,
    &super::aws::Aws,
    &super::github::Github,
    &super::packages::Packages,
    &super::clouds::Cloud::GCLOUD,
    &super::clouds::Cloud::AZ,
    &super::catalog::Catalog,
];

/// Every system, in the order in which they are asked.
pub fn all() -> &'static [&'static dyn System] {
    SYSTEMS
}

/// The system that a record names.
pub fn by_id(id: &str) -> Option<&'static dyn System> {
    SYSTEMS.iter().copied().find(|s| s.id().0 == id)
}

/// The system that understands a program.
pub fn for_program(program: &str) -> Option<&'static dyn System> {
    SYSTEMS.iter().copied().find(|s| s.programs().contains(&program))
}

/// Where a resource is, by the names that people know the place by.
pub fn contexts(system: &SystemId, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
    by_id(&system.0).map(|system| system.contexts(resource, locator)).unwrap_or_default()
}

/// Lets each system put its steps of several captures in order; those of different systems keep their places.
pub fn arrange(steps: &mut [Step]) {
    for system in SYSTEMS {
        let places: Vec<usize> =
            (0..steps.len()).filter(|at| steps.get(*at).is_some_and(|s| s.system == system.id())).collect();
        let mut own: Vec<Step> = places.iter().filter_map(|at| steps.get(*at).cloned()).collect();
        system.arrange(&mut own);
        for (at, step) in places.into_iter().zip(own) {
            if let Some(place) = steps.get_mut(at) {
                *place = step;
            }
        }
    }
}

/// At gc: what every system has removed of its own.
pub fn forget(cx: &ForgetCx<'_>) -> Result<Vec<Forgotten>> {
    let mut gone = Vec::new();
    for system in SYSTEMS {
        gone.extend(system.forget(cx)?);
    }
    Ok(gone)
}

/// The objects that an object names, whichever system's it is.
///
/// # Errors
/// Where the object claims to be a system's own and cannot be read as such.
pub fn references(kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
    let mut found = Vec::new();
    for system in SYSTEMS {
        found.extend(system.references(kind, content)?);
    }
    Ok(found)
}
