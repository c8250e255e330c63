//! What an undo does about each thing, in words.

use super::capture::parts;
use crate::model::{Bytes, Reversibility as R, SystemId};
use crate::systems::things::{Deed, Hands, How};

/// What is known of a registry's things.
pub struct RegistryHands;

impl Hands for RegistryHands {
    fn system(&self) -> SystemId {
        SystemId::new(super::ID)
    }

    fn resource(&self, name: &str) -> Bytes {
        let Some((kind, own, which, _)) = parts(name) else { return Bytes::from(name) };
        Bytes::from(match kind {
            "npm-tag" => format!("npm:{own} dist-tag {which}"),
            "npm-owner" => format!("npm:{own} owner {which}"),
            "npm-access" => format!("npm:{own} access"),
            "crate-owner" => format!("crates:{own} owner {which}"),
            kind if kind.starts_with("crate") => format!("crates:{own}@{which}"),
            _ => format!("npm:{own}@{which}"),
        })
    }

    fn rank(&self, _name: &str) -> u32 {
        1
    }

    fn back(&self, name: &str, how: How<'_>) -> Deed {
        let Some((kind, own, which, _)) = parts(name) else {
            return Deed::impossible(format!("leave {name} as it is"), "this fr does not know what it is");
        };
        match (kind, how) {
            ("npm-version", How::Made(_)) => Deed::impossible(
                format!("leave {own}@{which} published"),
                format!(
                    "who has it keeps it, and its number is used up for ever: `npm deprecate {own}@{which} TEXT` warns of it, \
                     `npm unpublish {own}@{which}` takes it away within 72 hours while nothing depends on it"
                ),
            ),
            ("npm-version", _) => Deed::impossible(
                format!("leave {own}@{which} away"),
                "npm never takes a version's number twice: publish it again under a new one",
            ),
            ("crate-version", _) => Deed::impossible(
                format!("leave {own}@{which} published"),
                format!(
                    "crates are there for ever: `cargo yank {own} --version {which}` keeps new users from it"
                ),
            ),
            ("npm-tag", How::Made(_)) => Deed::new(format!("take the tag {which} away from {own}"), R::Exact),
            ("npm-tag", _) => {
                Deed::new(format!("point the tag {which} of {own} to the version that it meant"), R::Exact)
            }
            ("npm-deprecated", How::Made(_)) => {
                Deed::new(format!("take the deprecation of {own}@{which} back"), R::Exact)
            }
            ("npm-deprecated", _) => Deed::new(format!("give {own}@{which} its old deprecation"), R::Exact),
            ("npm-owner", How::Made(_)) => {
                Deed::new(format!("remove {which} from the owners of {own}"), R::Exact)
            }
            ("npm-owner", _) => Deed::new(format!("make {which} an owner of {own} again"), R::Exact),
            ("npm-access", _) => Deed::new(format!("make {own} as visible as it was"), R::Compensating),
            ("crate-yanked", _) => {
                Deed::new(format!("set whether {own}@{which} is yanked as before"), R::Exact)
            }
            ("crate-owner", How::Made(_)) => {
                Deed::new(format!("remove {which} from the owners of {own}"), R::Exact)
            }
            ("crate-owner", _) => {
                let mut deed = Deed::on_request(
                    format!("invite {which} to be an owner of {own} again"),
                    R::Compensating,
                    "an invitation leaves the machine, and they have to accept it",
                );
                deed.not_restored.push(format!("{which} is an owner only when the invitation is accepted"));
                deed
            }
            _ => Deed::impossible(format!("leave {own} as it is"), "fr does not know how to write it"),
        }
    }
}
