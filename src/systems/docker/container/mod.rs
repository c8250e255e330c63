//! Containers: what makes two equal, what of one is lost when it is removed, and making it anew.

mod change;
mod layer;
mod make;
mod normal;

use serde_json::Value;

pub use change::change;
pub use layer::LOG;
pub use make::make;

use super::find::id_of;
use super::look::{Eyes, Seen};
use super::query::{Kind, Loss};
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind};
use crate::systems::things::Thing;

/// Fact: the image's id.
pub const IMAGE: &str = "image";

/// A container as it is.
pub fn look(eyes: &Eyes<'_>, name: &str, loss: Loss) -> Result<Option<Seen>> {
    let found = eyes.cli.inspect(Kind::Container, &[name.to_owned()])?;
    let Some(description) = found.first() else { return Ok(None) };
    let mut thing = Thing::new(description.to_string().as_bytes(), eyes.sink)?;
    thing.id = id_of(description);
    thing.state = normal::state_of(description).to_owned();
    thing.digest = ObjectId::of(
        ObjectKind::State,
        normal::normal(description, eyes.cli.is_podman()).to_string().as_bytes(),
    );
    let image = description.get("Image").and_then(Value::as_str).unwrap_or_default();
    thing.facts.insert(IMAGE.to_owned(), image.to_owned());
    let mut seen = Seen::whole(thing);
    if loss != Loss::Nothing {
        layer::layer(eyes, name, description, &mut seen)?;
        layer::log(eyes, name, &mut seen)?;
    }
    Ok(Some(seen))
}
