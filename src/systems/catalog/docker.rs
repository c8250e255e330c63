//! docker, podman and compose.

use super::words::{Reader, Takes, Words};
use crate::model::{EffectClass as C, Reversibility as R, Word};

const TAKES: Takes<'static> = Takes::One(&[
    "-H",
    "--host",
    "--context",
    "--config",
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--profile",
    "--env-file",
    "--project-directory",
    "-t",
    "--time",
    "--timeout",
    "-s",
    "--signal",
    "--filter",
    "--format",
    "--rmi",
    "--tag",
    "-n",
    "--tail",
    "--since",
    "--name",
    "-v",
    "--volume",
    "-e",
    "--env",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--network",
    "--mount",
    "--entrypoint",
    "--memory",
    "-m",
    "--cpus",
    "--restart",
    "--label",
    "-l",
    "--publish",
    "--hostname",
    "--platform",
    "--build-arg",
    "--target",
    "-o",
    "--output",
    "-c",
    "--scale",
    "--until",
    "--log-level",
]);

/// Flags that are no values for `rm`, where `-v` and `-f` are flags.
const RM: Takes<'static> = Takes::One(&[
    "-H",
    "--host",
    "--context",
    "-t",
    "--time",
    "--filter",
    "--rmi",
    "--timeout",
    "-s",
    "--signal",
    "--until",
    "--format",
]);

/// `docker`, `podman`, `docker-compose`
pub fn read(program: &str, out: &mut Reader<'_>) {
    let args = out.inv.args();
    if program.ends_with("-compose") {
        return compose(args, out);
    }
    // Global options, then the words that name the command.
    let mut at = 0;
    while let Some(text) = args.get(at).and_then(Word::as_str).filter(|t| t.starts_with('-')) {
        at += if matches!(text, "-H" | "--host" | "-c" | "--context" | "--config" | "-l" | "--log-level") {
            2
        } else {
            1
        };
    }
    let noun = args.get(at).and_then(Word::as_str).unwrap_or_default().to_owned();
    let rest = args.get(at + 1..).unwrap_or_default();
    let objects = [
        "container",
        "image",
        "volume",
        "network",
        "system",
        "builder",
        "buildx",
        "context",
        "swarm",
        "service",
        "stack",
        "node",
        "secret",
        "config",
        "pod",
        "machine",
        "manifest",
        "plugin",
        "trust",
    ];
    if noun == "compose" {
        return compose(rest, out);
    }
    if objects.contains(&noun.as_str()) {
        let verb =
            rest.iter().filter_map(Word::as_str).find(|w| !w.starts_with('-')).unwrap_or_default().to_owned();
        let skip = rest.iter().position(|w| w.as_str() == Some(verb.as_str())).map_or(0, |i| i + 1);
        return verb_of(&noun, &verb, rest.get(skip..).unwrap_or_default(), out);
    }
    let kind = match noun.as_str() {
        "rmi" | "build" | "pull" | "push" | "tag" | "load" | "save" | "import" | "images" | "history" => {
            "image"
        }
        _ => "container",
    };
    let verb = match noun.as_str() {
        "rmi" => "rm",
        other => other,
    };
    verb_of(kind, verb, rest, out);
}

fn verb_of(kind: &str, verb: &str, args: &[Word], out: &mut Reader<'_>) {
    let removes = matches!(verb, "rm" | "remove" | "prune" | "stop" | "kill" | "restart" | "down");
    let words = Words::split(args, if removes { RM } else { TAKES });
    let prefix = format!("docker:{kind}:");
    match verb {
        "reset" if kind == "system" => {
            out.add(C::Destroy, "dyn:all containers, images, networks and volumes", R::Recreate);
        }
        "prune" => {
            let what = match kind {
                "system" => "stopped containers, unused images, networks, build cache",
                other => other,
            };
            out.add(C::Destroy, format!("dyn:unused {what}"), R::Recreate);
        }
        "rm" | "remove" => {
            out.each(C::Destroy, &prefix, words.from(0), R::Recreate);
            every(C::Destroy, kind, &words, out);
            if kind == "container" && words.has(&["-v", "--volumes"]) {
                out.add(C::Destroy, "dyn:its anonymous volumes", R::Recreate);
            }
        }
        "stop" | "kill" | "pause" | "restart" => {
            let back = if verb == "kill" { R::Compensating } else { R::Exact };
            out.each(C::Disrupt, &prefix, words.from(0), back);
            every(C::Disrupt, kind, &words, out);
        }
        "start" | "unpause" | "rename" | "update" | "scale" | "promote" | "demote" => {
            let first: Vec<&Word> = words.from(0).iter().take(1).copied().collect();
            out.each(C::Mutate, &prefix, &first, R::Exact);
        }
        "run" | "create" if kind == "container" => run(&Words::split_first(args, TAKES), out),
        "create" => out.each(C::Create, &prefix, words.from(0), R::Exact),
        "build" | "pull" | "load" | "import" | "commit" | "tag" => {
            out.add(C::Create, format!("dyn:docker {verb}"), R::Exact)
        }
        "push" => out.each(C::Publish, "docker:image:", words.from(0), R::Compensating),
        "login" | "logout" => out.add(C::Access, "path:~/.docker/config.json", R::Exact),
        "cp" => {
            let to = words.operands.get(1).map(|w| (*w).clone());
            if let Some(to) = to {
                let remote = to.text.lossy().contains(':');
                out.word(C::Overwrite, if remote { "docker:container:" } else { "path:" }, &to, R::Exact);
            }
        }
        "save" | "export" => {
            let file = words.value(&["-o", "--output"]).cloned();
            file.iter().for_each(|f| out.word(C::Create, "path:", f, R::Exact));
        }
        "ps" | "ls" | "list" | "images" | "inspect" | "logs" | "top" | "stats" | "port" | "diff"
        | "events" | "info" | "version" | "history" | "df" | "search" | "wait" | "attach" | "show"
        | "exists" | "healthcheck" | "du" | "" => {}
        "exec" => out.opaque("docker exec"),
        "use" => out.add(C::Mutate, "path:~/.docker/config.json", R::Exact),
        "leave" => out.add(C::Disrupt, "docker:swarm", R::Compensating),
        other => out.opaque(&format!("docker {other}")),
    }
}

/// podman's `-a`, `--all`, `--latest` name what the words do not.
fn every(class: C, kind: &str, words: &Words<'_>, out: &mut Reader<'_>) {
    if words.from(0).is_empty() && words.has(&["-a", "--all", "-l", "--latest"]) {
        out.add(class, format!("dyn:all of kind {kind}"), R::Recreate);
    }
}

/// `docker run`: the new container, and what its bind mounts give it of the host.
fn run(words: &Words<'_>, out: &mut Reader<'_>) {
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
            let path = format!("{}{rest}", host.trim_end_matches('/'));
            out.add(C::Destroy, format!("path:{path}"), R::Exact);
        }
        if !writes {
            mapped = true;
            out.add(C::Opaque, format!("path:{host}"), R::Exact);
        }
    }
    if !mapped {
        let name = words.text(&["--name"]);
        let name = name.map_or_else(
            || format!("dyn:container of {}", image.map(|i| i.text.lossy()).unwrap_or_default()),
            |n| format!("docker:container:{n}"),
        );
        out.add(C::Create, name, R::Exact);
    }
}

fn compose(args: &[Word], out: &mut Reader<'_>) {
    let words = Words::split(
        args,
        Takes::One(&[
            "-f",
            "--file",
            "-p",
            "--project-name",
            "--profile",
            "--env-file",
            "--project-directory",
            "-t",
            "--timeout",
            "--rmi",
            "--scale",
            "--ansi",
            "--parallel",
            "-s",
            "--signal",
            "--tail",
        ]),
    );
    let dry = words.has(&["--dry-run"]);
    match words.operand(0) {
        _ if dry => {}
        "down" if words.has(&["-v", "--volumes", "--rmi"]) => {
            out.add(C::Destroy, "dyn:compose project volumes, containers, images", R::Recreate)
        }
        "down" => out.add(C::Destroy, "dyn:compose project containers and networks", R::Recreate),
        "rm" => out.add(C::Destroy, "dyn:stopped compose containers", R::Recreate),
        "stop" | "kill" | "restart" | "pause" => out.add(C::Disrupt, "dyn:compose services", R::Exact),
        "up" | "create" | "start" | "run" | "unpause" | "scale" => {
            out.add(C::Create, "dyn:compose services", R::Exact)
        }
        "build" | "pull" => out.add(C::Create, "dyn:compose images", R::Exact),
        "push" => out.add(C::Publish, "dyn:compose images", R::Compensating),
        "ps" | "logs" | "config" | "images" | "top" | "ls" | "port" | "events" | "version" | "convert"
        | "stats" | "volumes" | "" => {}
        verb => out.opaque(&format!("compose {verb}")),
    }
}
