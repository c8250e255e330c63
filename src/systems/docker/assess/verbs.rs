//! The verbs of docker and podman.

use super::inside::{copy, run};
use super::{Asking, on};
use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::docker::query::{Ask, Kind, Loss};
use crate::systems::words::{Takes, Words};

const TAKES: Takes<'static> = Takes::One(&[
    "-f",
    "--file",
    "-t",
    "--time",
    "--timeout",
    "-s",
    "--signal",
    "--filter",
    "--format",
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
    "-p",
    "--hostname",
    "-h",
    "--platform",
    "--build-arg",
    "--target",
    "-o",
    "--output",
    "-c",
    "--scale",
    "--until",
    "--cidfile",
    "--cpu-shares",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--cpu-period",
    "--cpu-quota",
    "--memory-swap",
    "--memory-reservation",
    "--pids-limit",
    "--blkio-weight",
    "--driver",
    "--opt",
    "--subnet",
    "--gateway",
    "--ip-range",
    "--aux-address",
    "--ipam-driver",
    "--ipam-opt",
    "--ip",
    "--ip6",
    "--alias",
    "--link",
    "--env-file",
    "--volumes-from",
    "--device",
    "--add-host",
    "--cap-add",
    "--cap-drop",
    "--dns",
    "--expose",
    "--gpus",
    "--health-cmd",
    "--ipc",
    "--pid",
    "--log-driver",
    "--log-opt",
    "--pull",
    "--runtime",
    "--security-opt",
    "--shm-size",
    "--stop-signal",
    "--stop-timeout",
    "--sysctl",
    "--tmpfs",
    "--ulimit",
    "--userns",
    "--uts",
    "--annotation",
    "--group-add",
    "--pod",
    "--pod-id-file",
    "-a",
    "--availability",
    "--role",
    "--label-add",
    "--label-rm",
    "--replicas",
    "--image",
    "--author",
    "--change",
    "--message",
]);

/// `-v`, `-f`, `-a`, `-l` are flags here.
const RM: Takes<'static> = Takes::One(&[
    "-t",
    "--time",
    "--filter",
    "--timeout",
    "-s",
    "--signal",
    "--until",
    "--format",
    "--cidfile",
    "--pod-id-file",
]);

/// Of `volume create`, `network create`: `-d` takes a value, `-i` does not.
const CREATE: Takes<'static> = Takes::One(&[
    "-d",
    "--driver",
    "-o",
    "--opt",
    "--label",
    "--name",
    "--subnet",
    "--gateway",
    "--ip-range",
    "--aux-address",
    "--ipam-driver",
    "--ipam-opt",
    "--scope",
    "--config-from",
    "--group",
    "--type",
    "--topology",
    "--availability",
    "--required-bytes",
    "--limit-bytes",
    "--secret",
    "--sharing",
    "--docker",
    "--description",
    "--from",
    "--template-driver",
    "--interface-name",
    "--route",
    "--dns",
]);

/// Of `load` and `import`: `-i` names a file.
const ARCHIVE: Takes<'static> =
    Takes::One(&["-i", "--input", "-c", "--change", "-m", "--message", "--platform"]);

/// One verb of one kind of thing.
pub fn read(kind: &str, verb: &str, args: &[Word], out: &mut Asking<'_>) {
    let takes = match verb {
        "rm" | "remove" | "prune" | "stop" | "kill" | "restart" | "down" | "start" | "pause" | "unpause" => {
            RM
        }
        "create" if kind != "container" => CREATE,
        "load" | "import" => ARCHIVE,
        _ => TAKES,
    };
    let words = Words::split(args, takes);
    match verb {
        "rm" | "remove" | "untag" => remove(kind, &words, out),
        "prune" => prune(kind, &words, out),
        "reset" if kind == "system" => {
            out.add(C::Destroy, "dyn:all containers, images, networks and volumes", R::Recreate);
            out.asks.push(Ask::Containers { running: false, loss: Loss::Volumes, filters: Vec::new() });
            out.asks.extend(
                [Kind::Image, Kind::Network, Kind::Volume].map(|kind| Ask::All { kind, filters: Vec::new() }),
            );
        }
        "stop" | "kill" | "pause" | "restart" => disturb(kind, verb, &words, out),
        "start" | "unpause" if kind == "container" => {
            out.each(C::Mutate, Kind::Container, words.from(0), R::Exact, Loss::Nothing);
        }
        "update" if kind == "container" => {
            out.each(C::Mutate, Kind::Container, words.from(0), R::Exact, Loss::Nothing);
        }
        "rename" if kind == "container" => {
            let old: Vec<&Word> = words.from(0).iter().take(1).copied().collect();
            out.each(C::Mutate, Kind::Container, &old, R::Exact, Loss::Nothing);
            out.ask(Kind::Container, words.from(1), Loss::Nothing);
        }
        "update" | "scale" | "rollback" if kind == "service" => {
            let named: Vec<Word> = words
                .from(0)
                .iter()
                .map(|w| match w.as_str().and_then(|t| t.split_once('=')) {
                    Some((name, _)) => Word { text: name.into(), ..(*w).clone() },
                    None => (*w).clone(),
                })
                .collect();
            // `update` has the name last.
            let named: Vec<&Word> =
                if verb == "scale" { named.iter().collect() } else { named.last().into_iter().collect() };
            out.each(C::Mutate, Kind::Service, &named, R::Exact, Loss::Nothing);
        }
        "start" | "unpause" | "rename" | "update" | "scale" | "promote" | "demote" | "rollback"
        | "upgrade" => {
            let first: Vec<&Word> = words.from(0).iter().take(1).copied().collect();
            out.out.each(C::Mutate, &format!("docker:{kind}:"), &first, R::Exact);
        }
        "connect" | "disconnect" if kind == "network" => {
            let containers: Vec<&Word> = words.from(1).to_vec();
            out.each(C::Mutate, Kind::Container, &containers, R::Exact, Loss::Nothing);
        }
        "run" | "create" if kind == "container" => run(&Words::split_first(args, TAKES), out),
        "create" => create(kind, &words, out),
        "build" | "pull" | "load" | "import" | "commit" | "tag" => image(verb, &words, out),
        // `podman push IMAGE DESTINATION`: the destination is what others get.
        "push" => {
            let last: Vec<&Word> = words.operands.last().copied().into_iter().collect();
            let bare = |word: &Word| Word {
                text: word.text.lossy().trim_start_matches("docker://").into(),
                ..word.clone()
            };
            let named: Vec<Word> = last.into_iter().map(bare).collect();
            out.out.each(C::Publish, "docker:image:", &named.iter().collect::<Vec<_>>(), R::Compensating);
        }
        "login" | "logout" => {
            out.login_file();
        }
        "cp" => copy(&words, out),
        "save" | "export" => {
            let file = words.value(&["-o", "--output"]).cloned();
            file.iter().for_each(|file| out.local_file(C::Create, file));
        }
        "ps" | "ls" | "list" | "images" | "inspect" | "logs" | "top" | "stats" | "port" | "diff"
        | "events" | "info" | "version" | "history" | "df" | "search" | "wait" | "attach" | "show"
        | "exists" | "healthcheck" | "du" | "tasks" | "services" | "get" | "mount" | "tree" | "generate"
        | "help" | "" => {}
        "down" if matches!(kind, "kube" | "play") => {
            out.add(C::Destroy, "dyn:pods and volumes of a file", R::Recreate);
            out.not_kept("which ones a file names is not known before it runs");
        }
        "exec" => out.out.opaque("docker exec"),
        "use" => out.add(C::Mutate, "path:~/.docker/config.json", R::Exact),
        "leave" => out.add(C::Disrupt, "docker:swarm", R::Compensating),
        other => out.out.opaque(&format!("docker {other}")),
    }
}

fn known(kind: &str) -> Option<Kind> {
    match kind {
        "container" => Some(Kind::Container),
        "image" => Some(Kind::Image),
        "volume" => Some(Kind::Volume),
        "network" => Some(Kind::Network),
        "service" => Some(Kind::Service),
        "config" => Some(Kind::Config),
        "secret" => Some(Kind::Secret),
        "pod" => Some(Kind::Pod),
        _ => None,
    }
}

fn remove(kind: &str, words: &Words<'_>, out: &mut Asking<'_>) {
    let prefix = format!("docker:{kind}:");
    if kind == "stack" {
        out.out.each(C::Destroy, &prefix, words.from(0), R::Recreate);
        let names: Vec<String> = words.from(0).iter().map(|w| w.text.lossy().into_owned()).collect();
        return out.asks.push(Ask::Stack { names });
    }
    let Some(what) = known(kind) else {
        out.out.each(C::Destroy, &prefix, words.from(0), R::Recreate);
        return every(C::Destroy, kind, words, out);
    };
    let volumes = what == Kind::Container && on(words, &["-v", "--volumes"]);
    let loss = if volumes { Loss::Volumes } else { Loss::Container };
    // podman removes anonymous volumes with their container only where it is told to, too.
    out.each(C::Destroy, what, words.from(0), R::Recreate, loss);
    if words.from(0).is_empty() && on(words, &["-a", "--all", "-l", "--latest"]) {
        every(C::Destroy, kind, words, out);
        match what {
            Kind::Container => out.asks.push(Ask::Containers { running: false, loss, filters: Vec::new() }),
            _ => out.asks.push(Ask::All { kind: what, filters: Vec::new() }),
        }
    }
    if volumes {
        out.add(C::Destroy, "dyn:its anonymous volumes", R::Recreate);
    }
}

/// podman's `-a`, `--all`, `--latest` name what the words do not.
fn every(class: C, kind: &str, words: &Words<'_>, out: &mut Asking<'_>) {
    if words.from(0).is_empty() && on(words, &["-a", "--all", "-l", "--latest"]) {
        out.add(class, format!("dyn:all of kind {kind}"), R::Recreate);
    }
}

fn disturb(kind: &str, verb: &str, words: &Words<'_>, out: &mut Asking<'_>) {
    let back = if verb == "kill" { R::Compensating } else { R::Exact };
    if kind != "container" {
        out.out.each(C::Disrupt, &format!("docker:{kind}:"), words.from(0), back);
        return every(C::Disrupt, kind, words, out);
    }
    out.each(C::Disrupt, Kind::Container, words.from(0), back, Loss::Nothing);
    if words.from(0).is_empty() && on(words, &["-a", "--all", "-l", "--latest"]) {
        every(C::Disrupt, kind, words, out);
        out.asks.push(Ask::Containers { running: true, loss: Loss::Nothing, filters: Vec::new() });
    }
}

fn prune(kind: &str, words: &Words<'_>, out: &mut Asking<'_>) {
    let filters: Vec<String> = words.values(&["--filter"]).map(|w| w.text.lossy().into_owned()).collect();
    let every = on(words, &["-a", "--all"]) || filters.iter().any(|f| f == "all=1" || f == "all=true");
    let what = match kind {
        "system" => "stopped containers, unused images, networks, build cache",
        other => other,
    };
    out.add(C::Destroy, format!("dyn:unused {what}"), R::Recreate);
    let kinds = match kind {
        "container" => vec![Kind::Container],
        "volume" => vec![Kind::Volume],
        "image" => vec![Kind::Image],
        "network" => vec![Kind::Network],
        "system" => {
            let mut kinds = vec![Kind::Container, Kind::Image, Kind::Network];
            if on(words, &["--volumes"]) {
                kinds.push(Kind::Volume);
            }
            kinds
        }
        // A build cache comes back with the next build.
        "builder" | "buildx" => {
            return out.not_kept("a build cache is not kept: the next build makes it again");
        }
        _ => return,
    };
    if words.values(&["--filter"]).any(|word| !word.certain) {
        return out.not_kept("its filters are not known before it runs");
    }
    // `volume prune -a` takes named ones too; with `system prune`, -a is about images.
    out.asks.push(Ask::Unused { kinds, all: every, filters });
}

fn create(kind: &str, words: &Words<'_>, out: &mut Asking<'_>) {
    match known(kind) {
        Some(what @ (Kind::Volume | Kind::Network | Kind::Config | Kind::Secret)) => {
            let name = words.from(0).iter().take(1).copied().collect::<Vec<_>>();
            if name.is_empty() {
                return out.add(C::Create, format!("dyn:a new {kind}"), R::Exact);
            }
            out.each(C::Create, what, &name, R::Exact, Loss::Nothing);
        }
        _ => out.out.each(C::Create, &format!("docker:{kind}:"), words.from(0), R::Exact),
    }
}

/// Commands that give a name to an image; the one that had it before loses it.
fn image(verb: &str, words: &Words<'_>, out: &mut Asking<'_>) {
    out.add(C::Create, format!("dyn:docker {verb}"), R::Exact);
    let named: Vec<Word> = match verb {
        "build" => words.values(&["-t", "--tag"]).cloned().collect(),
        "pull" => words.from(0).iter().take(1).map(|w| (*w).clone()).collect(),
        "tag" | "import" | "commit" => words.from(1).iter().map(|w| (*w).clone()).collect(),
        _ => Vec::new(),
    };
    if verb == "load" {
        return out.asks.push(Ask::Tags);
    }
    out.ask(Kind::Image, &named.iter().collect::<Vec<_>>(), Loss::Nothing);
}
