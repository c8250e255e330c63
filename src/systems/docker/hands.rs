//! What an undo does about each thing, in words.

use std::collections::BTreeMap;

use super::query::Kind;
use super::{ID, container, image};
use crate::model::{Bytes, Reversibility, SystemId};
use crate::systems::things::{Deed, Hands, How, Thing};

/// What is known of this engine's things.
#[derive(Default)]
pub struct Engine {
    /// New names of containers by their old ones.
    pub renamed: BTreeMap<String, String>,
    /// The program is podman.
    pub podman: bool,
}

impl Hands for Engine {
    fn system(&self) -> SystemId {
        SystemId::new(ID)
    }

    fn resource(&self, name: &str) -> Bytes {
        Bytes::from(format!("docker:{}", name.replacen('/', ":", 1)))
    }

    fn rank(&self, name: &str) -> u32 {
        match Kind::of(name) {
            Some((Kind::Image, _)) => 1,
            Some((Kind::Network, _)) => 2,
            Some((Kind::Volume, _)) => 3,
            Some((Kind::Pod | Kind::Config | Kind::Secret, _)) => 3,
            Some((Kind::Container | Kind::Service, _)) => 4,
            _ => 5,
        }
    }

    fn is_another(&self, name: &str, before: &Thing, now: &Thing) -> bool {
        match Kind::of(name) {
            Some((Kind::Container | Kind::Network | Kind::Service | Kind::Config, _)) => before.id != now.id,
            // No command changes what is in a volume: it was removed and made anew.
            Some((Kind::Volume, _)) => true,
            _ => false,
        }
    }

    fn back(&self, name: &str, how: How<'_>) -> Deed {
        let Some((kind, own)) = Kind::of(name) else {
            return Deed::impossible(format!("leave {name} away"), "this fr does not know what it is");
        };
        match (kind, how) {
            (Kind::Container, How::Anew(thing)) => {
                if let Some(new) = self.renamed.get(name) {
                    let new = new.trim_start_matches("container/");
                    return Deed::new(
                        format!("rename the container {new} back to {own}"),
                        Reversibility::Exact,
                    );
                }
                let runs = match thing.state.as_str() {
                    "running" => " and start it",
                    "paused" => ", start and pause it",
                    _ => "",
                };
                let wrote = thing.parts.keys().filter(|part| part.starts_with("layer:")).count();
                let wrote = if wrote > 0 { ", with what it wrote" } else { "" };
                let mut deed = Deed::new(
                    format!(
                        "make the container {own} anew from its settings{wrote}{runs}; its id is a new one"
                    ),
                    Reversibility::Recreate,
                );
                if thing.fact(container::LOG) == "yes" {
                    deed.not_restored.push(format!(
                        "the log of {own}: its end is in the store (`fr restore ID --to DIR`)"
                    ));
                }
                deed
            }
            (Kind::Container, How::Changed(before, now)) => {
                let mut doing = Vec::new();
                if before.digest != now.digest {
                    if self.podman {
                        let why = "podman cannot set a container's limits back";
                        return Deed::impossible(format!("leave {own} as it is"), why);
                    }
                    doing.push("its old limits, restart policy and networks".to_owned());
                }
                if before.state != now.state {
                    doing.push(format!("its state: {}", before.state));
                }
                Deed::new(
                    format!("give the container {own} back {}", doing.join(" and ")),
                    Reversibility::Exact,
                )
            }
            (Kind::Volume, How::Anew(thing)) => match thing.parts.get("tar") {
                Some(part) => {
                    let size = format!("{} entries, {} bytes", part.entries, part.bytes);
                    Deed::new(
                        format!("make the volume {own} anew with its contents ({size})"),
                        Reversibility::Exact,
                    )
                }
                None => Deed::impossible(
                    format!("leave the volume {own} away"),
                    "its contents were not captured; an empty one would look as if all were well",
                ),
            },
            (Kind::Image, How::Anew(thing)) if own.starts_with("sha256:") => Deed::new(
                format!("bring the image {} back, which has no name", image::short(&thing.id)),
                Reversibility::Exact,
            ),
            (Kind::Image, How::Anew(thing)) => Deed::new(
                format!("bring the image {} back as {own}", image::short(&thing.id)),
                Reversibility::Exact,
            ),
            (Kind::Image, How::Changed(before, _)) => {
                let old = image::short(&before.id);
                Deed::new(format!("let {own} mean the image {old} again"), Reversibility::Exact)
            }
            (Kind::Network, How::Anew(_)) => Deed::new(
                format!("make the network {own} anew from its settings; its id is a new one"),
                Reversibility::Recreate,
            ),
            (Kind::File, How::Anew(_) | How::Changed(..)) => {
                Deed::new(format!("write the old {own} over the present"), Reversibility::Exact)
            }
            (Kind::Secret, How::Anew(_) | How::Changed(..)) => Deed::impossible(
                format!("leave the secret {own} away"),
                "the engine gives its value to nobody: make it again by hand (`docker secret create`)",
            ),
            (Kind::Service, How::Changed(..)) => {
                Deed::new(format!("give the service {own} its old settings"), Reversibility::Exact)
            }
            (Kind::Service | Kind::Config | Kind::Pod, How::Anew(_)) => Deed::new(
                format!("make the {} {own} anew from its settings; its id is a new one", kind.word()),
                Reversibility::Recreate,
            ),
            (_, How::InTheWay(_)) => Deed::new(
                format!("remove the {} {own} that took its place", kind.word()),
                Reversibility::Exact,
            ),
            (_, How::Made(_)) => Deed::new(
                format!("remove the {} {own}, made by the command", kind.word()),
                Reversibility::Exact,
            ),
            (_, How::Changed(..)) => Deed::impossible(
                format!("leave the {} {own} as it is", kind.word()),
                "the command does not change one, it only makes or removes it",
            ),
        }
    }
}
