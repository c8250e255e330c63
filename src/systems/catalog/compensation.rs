//! What was given to others and of which nothing is kept here: no undo, but a way to limit it, in the words of the service.

use crate::model::{Effect, EffectClass};

const PUSHED: &str = "push the image that had the name before, or delete the tag in the registry";
const DELETED: &str = "push the image again from where it still is: an engine that has it, another registry, a build of the same sources";

/// What an effect's resource begins with, and what can be done about it.
const WAYS: &[(&str, &str)] = &[
    (
        "dyn:what twine upload sends",
        "PyPI yanks or deletes a release on its web page; the name of a file that was uploaded can never be used again",
    ),
    (
        "dyn:what uv publish sends",
        "PyPI yanks or deletes a release on its web page; the name of a file can never be used again",
    ),
    (
        "dyn:what poetry publish sends",
        "PyPI yanks or deletes a release on its web page; the name of a file can never be used again",
    ),
    (
        "dyn:what gem push sends",
        "`gem yank NAME -v VERSION` takes it out of the index; the version can never be pushed again",
    ),
    ("dyn:gem", "RubyGems takes no yank back: push the code under a new version"),
    ("dyn:what helm push sends", "delete the tag in the registry; Helm itself has no command for it"),
    (
        "dyn:what the run blocks of its tests make",
        "terraform names at its end what its tests could not destroy: remove that by hand, no state knows it",
    ),
    (
        "dyn:the unit's state in its backend",
        "a bucket with versions has the old state: make its last version the current one again",
    ),
    ("oci:", PUSHED),
    ("docker:image:", PUSHED),
    (
        "dyn:graphql mutation",
        "GitHub's GraphQL has inverse mutations for some: https://docs.github.com/graphql/reference/mutations",
    ),
];

/// What a person can do about an effect of which nothing was kept; `None` where nothing is known.
pub fn compensation(effect: &Effect) -> Option<&'static str> {
    let resource = effect.resource.lossy();
    if resource.starts_with("oci:") && effect.class == EffectClass::Destroy {
        return Some(DELETED);
    }
    WAYS.iter().find(|(front, _)| resource.starts_with(front)).map(|(_, way)| *way)
}
