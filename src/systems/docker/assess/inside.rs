//! Commands that reach into a container or give it a part of the host: `cp` and `run`.

use super::{Asking, on, place};
use crate::model::{EffectClass as C, Invocation, Locator, Reversibility as R, Word};
use crate::systems::AssessCx;
use crate::systems::docker::query::{self, Ask, Kind, Loss};
use crate::systems::words::Words;

/// `docker cp`: into a container, or out of one.
pub fn copy(words: &Words<'_>, out: &mut Asking<'_>) {
    let (Some(from), Some(to)) = (words.operands.first(), words.operands.get(1)) else { return };
    let text = to.text.lossy().into_owned();
    let inside = text.split_once(':').filter(|(name, _)| !name.contains('/') && !name.is_empty());
    let Some((container, path)) = inside else { return out.local_file(C::Overwrite, to) };
    out.out.word(C::Overwrite, "docker:container:", to, R::Exact);
    if !to.certain || !from.certain {
        return out.not_kept("its targets are not known before it runs");
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let source = from.text.lossy().into_owned();
    let source = source.rsplit_once(':').map_or(source.as_str(), |(_, path)| path);
    let base = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // Into a directory that is there, it goes below it by its own name; which of the two only the container knows, so the
    // smaller place is looked at where the word says that it is a directory.
    let place = match (path.ends_with('/'), base) {
        (true, base) if !matches!(base, "" | "." | "-") => format!("{path}{base}"),
        _ => path,
    };
    let name = format!("{container}:{place}");
    out.asks.push(Ask::Named { kind: Kind::File, names: vec![name], loss: Loss::Nothing });
}

/// `docker run`: the new container, and what its bind mounts give it of the host.
pub fn run(words: &Words<'_>, out: &mut Asking<'_>) {
    let mounts: Vec<String> =
        words.values(&["-v", "--volume"]).map(|w| w.text.lossy().into_owned()).collect();
    let (image, command) = words.operands.split_first().map_or((None, &[][..]), |(i, c)| (Some(*i), c));
    let writes =
        matches!(command.first().and_then(|w| w.as_str()), Some("rm" | "rmdir" | "shred" | "unlink"));
    let mut mapped = false;
    for mount in &mounts {
        let mut parts = mount.split(':');
        let (Some(host), Some(inside)) = (parts.next(), parts.next()) else { continue };
        if !host.starts_with(['/', '.', '~']) || parts.next() == Some("ro") {
            continue;
        }
        for word in
            command.iter().skip(1).filter_map(|w| w.as_str()).filter(|w| writes && !w.starts_with('-'))
        {
            let Some(rest) = word.strip_prefix(inside.trim_end_matches('/')) else { continue };
            mapped = true;
            let path = Word::literal(format!("{}{rest}", host.trim_end_matches('/')));
            out.local_file(C::Destroy, &path);
        }
        if !writes {
            mapped = true;
            out.local_file(C::Opaque, &Word::literal(host));
        }
    }
    let temporary = on(words, &["--rm"]);
    if temporary && !on(words, &["-d", "--detach"]) {
        in_volumes(words, command, writes, out);
    }
    let replaces = out.podman && on(words, &["--replace"]);
    let name = words.value(&["--name"]).cloned();
    match name {
        Some(name) if !temporary || replaces => {
            let class = if replaces { C::Destroy } else { C::Create };
            // Where one of the name is there, an earlier part of the line is about to remove it.
            let loss = Loss::Container;
            if !mapped || replaces {
                out.each(class, Kind::Container, &[&name], R::Exact, loss);
            } else {
                out.ask(Kind::Container, &[&name], loss);
            }
        }
        _ if mapped => {}
        Some(name) => out.out.word(C::Create, "docker:container:", &name, R::Exact),
        None => {
            let image = image.map(|i| i.text.lossy().into_owned()).unwrap_or_default();
            out.add(C::Create, format!("dyn:container of {image}"), R::Exact);
        }
    }
}

/// Programs that remove or empty what they are given.
const REMOVING: &[&str] = &["rm", "rmdir", "unlink", "truncate", "shred", "find", "dd", "mv"];

/// The command is one of those, or a line of a shell that names one. Others (a build with its cache in a volume) are an everyday
/// thing, and reading the volume before each of them would cost more than it is worth.
fn may_remove(command: &[&Word]) -> bool {
    let text: Vec<String> = command.iter().map(|word| word.text.lossy().into_owned()).collect();
    let program = text.first().map(|word| word.rsplit('/').next().unwrap_or_default()).unwrap_or_default();
    let is_shell = matches!(program, "sh" | "bash" | "ash" | "dash");
    let mut words = text.iter().skip(1).flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
    REMOVING.contains(&program) || is_shell && words.any(|word| REMOVING.contains(&word))
}

/// A container that runs one command and goes may empty the named volumes that it is given: they are kept before.
fn in_volumes(words: &Words<'_>, command: &[&Word], removes: bool, out: &mut Asking<'_>) {
    if !may_remove(command) {
        return;
    }
    let mut named: Vec<Word> = Vec::new();
    for mount in words.values(&["-v", "--volume"]).filter(|mount| mount.certain) {
        let text = mount.text.lossy().into_owned();
        let parts: Vec<&str> = text.split(':').collect();
        if let [name, _, rest @ ..] = parts.as_slice() {
            let is_name = !name.is_empty() && !name.starts_with(['/', '.', '~']);
            let reads_only = rest.iter().flat_map(|options| options.split(',')).any(|option| option == "ro");
            named.extend((is_name && !reads_only).then(|| Word::literal(*name)));
        }
    }
    for mount in words.values(&["--mount"]).filter(|mount| mount.certain) {
        let text = mount.text.lossy().into_owned();
        let value = |names: &[&str]| {
            let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(name, _)| names.contains(name)).map(|(_, value)| value.to_owned()).next()
        };
        let is_volume = value(&["type"]).is_none_or(|kind| kind == "volume");
        let reads_only =
            text.split(',').any(|part| matches!(part, "readonly" | "ro" | "readonly=true" | "ro=true"));
        let name = value(&["source", "src"]).filter(|_| is_volume && !reads_only);
        named.extend(name.map(Word::literal));
    }
    let class = if removes { C::Destroy } else { C::Opaque };
    let named: Vec<&Word> = named.iter().collect();
    out.each(class, Kind::Volume, &named, R::Exact, Loss::Nothing);
}

/// Where the paths are that a command removes inside of a container (`docker exec c rm -rf /data`): they can be copied out of it
/// before. `None` where the words do not say which, or which engine it is.
pub fn removed(inv: &Invocation, container: &str, cx: &AssessCx<'_>) -> Option<Locator> {
    const REMOVING: &[&str] = &["rm", "rmdir", "unlink", "shred", "truncate"];
    let program =
        inv.wrappers.iter().rev().find(|wrapper| matches!(wrapper.as_str(), "docker" | "podman"))?;
    inv.program().filter(|name| REMOVING.contains(name))?;
    let words = inv.args().iter().filter(|word| !word.text.as_slice().starts_with(b"-"));
    let mut names = Vec::new();
    for word in words {
        let text = word.text.as_str()?;
        // What a glob in it means only the container knows: the directory is taken that it is in.
        let path = match text.find(['*', '?', '[']) {
            Some(at) => text.get(..at)?.rsplit_once('/')?.0,
            None if word.certain => text.trim_end_matches('/'),
            None => return None,
        };
        if !path.starts_with('/') {
            return None;
        }
        names.push(format!("{container}:{path}"));
    }
    names.sort();
    names.dedup();
    let access = place::read(program, Vec::new(), inv, cx).ok()?;
    (!names.is_empty())
        .then(|| query::locator(&access, &[Ask::Named { kind: Kind::File, names, loss: Loss::Nothing }]))
}
