//! Tools that work in registries of images without an engine: crane, skopeo, oras, regctl.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// Options of theirs that take the next word.
const TAKES: Takes<'static> = Takes::One(&[
    "--platform",
    "-t",
    "--tag",
    "--new_tag",
    "-b",
    "--base",
    "-f",
    "--file",
    "--new_layer",
    "-o",
    "--output",
    "-u",
    "--username",
    "-p",
    "--password",
    "--creds",
    "--src-creds",
    "--dest-creds",
    "--src-authfile",
    "--dest-authfile",
    "--authfile",
    "--src-tls-verify",
    "--dest-tls-verify",
    "--format",
    "--override-arch",
    "--override-os",
    "--artifact-type",
    "--annotation",
    "-a",
    "--label",
    "-l",
    "--env",
    "-e",
    "--entrypoint",
    "--cmd",
    "--user",
    "--registry-config",
    "--config",
    "--src",
    "--dest",
    "-s",
    "-d",
    "--scoped",
    "--policy",
    "--command-timeout",
    "--host",
    "--verbosity",
    "--log-opt",
    "--digest",
    "--image",
    "--jobs",
    "-j",
    "--concurrency",
]);

/// One of their commands.
pub fn read(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), TAKES);
    match program {
        "crane" | "gcrane" => crane(&words, out),
        "skopeo" => skopeo(&words, out),
        "oras" => oras(&words, out),
        _ => regctl(&words, out),
    }
}

/// An image in a registry, without the transport that some of them write before it.
fn named(class: C, back: R, word: Option<&Word>, out: &mut Reader<'_>) {
    let Some(word) = word else { return out.add(class, "dyn:an image in a registry", back) };
    let text = word.text.lossy().trim_start_matches("docker://").to_owned();
    out.word(class, "oci:", &Word { text: text.into(), ..word.clone() }, back);
}

fn removed(words: &[&Word], out: &mut Reader<'_>) {
    words.iter().for_each(|word| named(C::Destroy, R::Irreversible, Some(word), out));
}

fn published(word: Option<&Word>, out: &mut Reader<'_>) {
    named(C::Publish, R::Compensating, word, out);
}

/// `crane tag IMAGE TAG`: the name that others see.
fn tagged(words: &Words<'_>, from: usize, out: &mut Reader<'_>) {
    let Some(image) = words.operands.get(from) else { return };
    let text = image.text.lossy().into_owned();
    let base = text.split('@').next().unwrap_or_default();
    let at = base.rfind(':').filter(|at| !base.get(*at..).unwrap_or_default().contains('/'));
    let base = at.and_then(|at| base.get(..at)).unwrap_or(base).to_owned();
    for tag in words.from(from + 1) {
        let name = format!("{base}:{}", tag.text.lossy());
        published(Some(&Word { text: name.into(), certain: image.certain && tag.certain, glob: false }), out);
    }
}

fn crane(words: &Words<'_>, out: &mut Reader<'_>) {
    let last = words.operands.last().copied().filter(|_| words.operands.len() > 1);
    match words.operand(0) {
        "delete" => removed(words.from(1), out),
        "push" | "copy" | "cp" => published(last, out),
        "tag" => tagged(words, 1, out),
        "append" | "mutate" | "rebase" | "flatten" => {
            published(words.value(&["-t", "--tag", "--new_tag"]).cloned().as_ref().or(last), out);
        }
        "index" if matches!(words.operand(1), "append" | "filter") => {
            published(words.value(&["-t", "--tag"]).cloned().as_ref().or(last), out);
        }
        "pull" | "export" => {
            if let Some(file) = words.operands.last().filter(|_| words.operands.len() > 2) {
                out.file(C::Overwrite, file, "tree");
            }
        }
        "auth" if matches!(words.operand(1), "login" | "logout") => login(out),
        "auth" | "catalog" | "config" | "digest" | "ls" | "manifest" | "blob" | "validate" | "version"
        | "layout" | "index" | "completion" | "registry" | "" => {}
        verb => out.opaque(&format!("crane {verb}")),
    }
}

fn skopeo(words: &Words<'_>, out: &mut Reader<'_>) {
    match words.operand(0) {
        "delete" => removed(words.from(1), out),
        "copy" => copied(words.operands.get(2).copied(), out),
        "sync" => match words.text(&["-d", "--dest"]).as_deref() {
            Some("docker") => published(words.operands.get(2).copied(), out),
            _ => {
                if let Some(dir) = words.operands.get(2) {
                    out.file(C::Overwrite, dir, "tree");
                }
            }
        },
        "login" | "logout" => login(out),
        "inspect"
        | "list-tags"
        | "manifest-digest"
        | "standalone-verify"
        | "standalone-sign"
        | "generate-sigstore-key"
        | "" => {}
        verb => out.opaque(&format!("skopeo {verb}")),
    }
}

/// Where `skopeo copy` writes: a registry, an engine's store, or files (containers-transports(5)).
fn copied(to: Option<&Word>, out: &mut Reader<'_>) {
    let Some(to) = to else { return };
    let text = to.text.lossy().into_owned();
    let (transport, rest) = text.split_once(':').unwrap_or(("", &text));
    match transport {
        "docker" => published(Some(to), out),
        "dir" | "oci" | "docker-archive" | "oci-archive" => {
            let path = rest.split(':').next().unwrap_or_default().to_owned();
            out.file(C::Overwrite, &Word { text: path.into(), ..to.clone() }, "tree");
        }
        "docker-daemon" | "containers-storage" => {
            out.add(C::Create, format!("docker:image:{rest}"), R::Exact)
        }
        _ => out.opaque("skopeo copy"),
    }
}

fn oras(words: &Words<'_>, out: &mut Reader<'_>) {
    match (words.operand(0), words.operand(1)) {
        ("push" | "attach", _) => published(words.operands.get(1).copied(), out),
        ("copy" | "cp", _) => published(words.operands.get(2).copied(), out),
        ("tag", _) => tagged(words, 1, out),
        ("manifest" | "blob", "delete") => removed(words.from(2), out),
        ("manifest" | "blob", "push") => published(words.operands.get(2).copied(), out),
        ("pull", _) => {
            let here = Word::literal(".");
            let to = words.value(&["-o", "--output"]).cloned().unwrap_or(here);
            out.file(C::Overwrite, &to, "tree");
        }
        ("login" | "logout", _) => login(out),
        ("discover" | "repo" | "resolve" | "version" | "" | "completion", _) | ("manifest" | "blob", _) => {}
        (verb, _) => out.opaque(&format!("oras {verb}")),
    }
}

fn regctl(words: &Words<'_>, out: &mut Reader<'_>) {
    match (words.operand(0), words.operand(1)) {
        ("tag" | "image" | "manifest" | "blob" | "artifact", "delete" | "del" | "rm" | "remove") => {
            removed(words.from(2), out);
        }
        ("image" | "blob" | "artifact", "copy" | "cp") | ("image", "mod" | "import") => {
            published(words.operands.last().copied(), out);
        }
        ("manifest" | "artifact" | "blob", "put") | ("index", "add" | "create" | "delete") => {
            published(words.operands.get(2).copied(), out);
        }
        ("registry", "login" | "logout" | "set") => {
            out.add(C::Access, "path:~/.regctl/config.json", R::Exact)
        }
        (
            _,
            "ls" | "list" | "get" | "head" | "digest" | "inspect" | "manifest" | "config" | "ratelimit"
            | "diff" | "tree",
        )
        | ("version" | "completion" | "", _) => {}
        (group, verb) => out.opaque(&format!("regctl {group} {verb}")),
    }
}

fn login(out: &mut Reader<'_>) {
    out.add(C::Access, "path:~/.docker/config.json", R::Exact);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Invocation;

    fn of(line: &str) -> Vec<String> {
        let argv: Vec<Word> = line.split(' ').map(Word::literal).collect();
        let inv = Invocation { argv, cwd: Some("/w".into()), ..Invocation::default() };
        let mut out = Reader::new(&inv, "registry");
        read(line.split(' ').next().unwrap_or_default(), &mut out);
        out.effects.iter().map(|e| format!("{} {}", e.class, e.resource.lossy())).collect()
    }

    #[test]
    fn what_is_removed_from_a_registry_and_what_is_published_is_told_apart() {
        for (line, effects) in [
            ("crane delete r.io/a:1", "destroy oci:r.io/a:1"),
            ("crane --insecure delete r.io/a@sha256:12", "destroy oci:r.io/a@sha256:12"),
            ("crane push x.tar r.io/a:2", "publish oci:r.io/a:2"),
            ("crane cp r.io/a:1 r.io/b:1", "publish oci:r.io/b:1"),
            ("crane tag r.io:5000/a:1 latest", "publish oci:r.io:5000/a:latest"),
            ("crane mutate r.io/a:1 --label x=y -t r.io/a:2", "publish oci:r.io/a:2"),
            ("crane pull r.io/a:1 a.tar", "overwrite path:a.tar"),
            ("crane ls r.io/a", ""),
            ("skopeo delete docker://r.io/a:1", "destroy oci:r.io/a:1"),
            ("skopeo copy docker://r.io/a:1 docker://r.io/b:1", "publish oci:r.io/b:1"),
            ("skopeo copy docker://r.io/a:1 dir:/srv/a", "overwrite path:/srv/a"),
            ("skopeo inspect docker://r.io/a:1", ""),
            ("oras manifest delete --force r.io/a:1", "destroy oci:r.io/a:1"),
            ("oras push r.io/a:1 file.txt", "publish oci:r.io/a:1"),
            ("regctl tag rm r.io/a:1", "destroy oci:r.io/a:1"),
            ("regctl image copy r.io/a:1 r.io/b:1", "publish oci:r.io/b:1"),
            ("regctl tag ls r.io/a", ""),
        ] {
            assert_eq!(of(line).join(", "), effects, "{line}");
        }
    }
}
