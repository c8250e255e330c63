//! Looking at things: what they are, and where they are about to be lost, what is in them.

use std::cell::Cell;

use super::cli::Cli;
use super::find::Found;
use super::query::{Kind, Loss};
use super::{container, file, image, network, pod, swarm, volume};
use crate::error::Result;
use crate::model::{Bytes, Missing, ObjectSink, ObjectSource};
use crate::systems::Caps;
use crate::systems::things::{Thing, Things};

/// How many bytes may still be stored.
pub struct Budget {
    contents: Cell<u64>,
    /// Of one container's own layer.
    pub layer: u64,
}

impl Budget {
    /// A whole one.
    pub fn of(caps: &Caps) -> Budget {
        Budget { contents: Cell::new(caps.container_bytes), layer: caps.container_layer_bytes }
    }

    /// What is left.
    pub fn left(&self) -> u64 {
        self.contents.get()
    }

    /// Takes from it.
    pub fn spend(&self, bytes: u64) {
        self.contents.set(self.contents.get().saturating_sub(bytes));
    }
}

/// What looking works with.
pub struct Eyes<'a> {
    /// The engine.
    pub cli: &'a Cli,
    /// Where descriptions and contents go.
    pub sink: &'a dyn ObjectSink,
    /// What is stored.
    pub source: &'a dyn ObjectSource,
    /// Contents are stored, not only their identities.
    pub contents: bool,
    /// How many of them.
    pub budget: &'a Budget,
}

impl Eyes<'_> {
    /// The sink for contents.
    pub fn for_contents(&self) -> Option<&dyn ObjectSink> {
        self.contents.then_some(self.sink)
    }
}

/// A thing, and what could not be read of it.
pub struct Seen {
    /// The thing.
    pub thing: Thing,
    /// What is not in the store, and why.
    pub missing: Vec<(String, String)>,
}

impl Seen {
    /// With nothing missing.
    pub fn whole(thing: Thing) -> Seen {
        Seen { thing, missing: Vec::new() }
    }
}

/// Looks at all that was found.
pub fn look(eyes: &Eyes<'_>, found: &Found, things: &mut Things, missing: &mut Vec<Missing>) -> Result<()> {
    for name in &found.names {
        let Some((kind, own)) = Kind::of(name) else { continue };
        let seen = match kind {
            Kind::Container => {
                let loss = found.lost.iter().find(|(lost, _)| lost == own).map(|(_, loss)| *loss);
                container::look(eyes, own, loss.unwrap_or(Loss::Nothing))?
            }
            Kind::Volume => volume::look(eyes, own, true)?,
            Kind::Image if found.in_use.contains(name) => image::look_quickly(eyes, own)?,
            Kind::Image => image::look(eyes, own)?,
            Kind::Network => network::look(eyes, own)?.map(Seen::whole),
            Kind::File => file::look(eyes, own)?,
            Kind::Service | Kind::Config | Kind::Secret => swarm::look(eyes, kind, own)?,
            Kind::Pod => pod::look(eyes, own)?,
        };
        let (thing, lacking) = seen.map_or((None, Vec::new()), |seen| (Some(seen.thing), seen.missing));
        things.note(name, thing);
        missing.extend(lacking.into_iter().map(|(what, why)| Missing { what: Bytes::from(what), why }));
    }
    Ok(())
}

/// One thing as it is now, to be compared with what an earlier look found: as much of it is read as then.
pub fn one(eyes: &Eyes<'_>, name: &str, earlier: Option<&Thing>) -> Result<Option<Thing>> {
    let Some((kind, own)) = Kind::of(name) else { return Ok(None) };
    let thing = |seen: Option<Seen>| seen.map(|seen| seen.thing);
    Ok(match kind {
        Kind::Container => thing(container::look(eyes, own, Loss::Nothing)?),
        // A volume whose contents were not read then is compared by its description.
        Kind::Volume => {
            let read = earlier.is_none_or(|thing| thing.parts.contains_key(volume::DATA));
            thing(volume::look(eyes, own, read)?)
        }
        Kind::Image => thing(image::look_quickly(eyes, own)?),
        Kind::Network => network::look(eyes, own)?,
        Kind::File => thing(file::look(eyes, own)?),
        Kind::Service | Kind::Config | Kind::Secret => thing(swarm::look(eyes, kind, own)?),
        Kind::Pod => thing(pod::look(eyes, own)?),
    })
}

/// The present name of a container that is known by its id; `None` where it is gone.
pub fn name_by_id(eyes: &Eyes<'_>, id: &str) -> Result<Option<String>> {
    if id.is_empty() {
        return Ok(None);
    }
    let found = eyes.cli.inspect(Kind::Container, &[id.to_owned()])?;
    Ok(found.iter().find(|one| super::find::id_of(one) == id).map(super::find::name_of))
}
