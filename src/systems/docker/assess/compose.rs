//! compose: its projects are found by the labels that it puts on what it makes, so that no plugin is needed to read them.

use super::{Asking, on};
use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::docker::query::{Ask, Loss};
use crate::systems::words::{Takes, Words};

const TAKES: Takes<'static> = Takes::One(&[
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
    "--progress",
    "--workdir",
    "--index",
]);

/// `docker compose …`, `docker-compose …`, `podman-compose …`
pub fn read(args: &[Word], out: &mut Asking<'_>) {
    // Options before the verb are compose's own; behind it, some have other meanings (`rm -f`, `rm -s`).
    let own = Words::split_first(args, TAKES);
    let verb = own.operand(0).to_owned();
    let rest: Vec<Word> = own.from(1).iter().map(|w| (*w).clone()).collect();
    let takes = match verb.as_str() {
        "rm" => Takes::One(&[]),
        "logs" | "up" | "build" | "pull" => TAKES,
        _ => Takes::One(&["-t", "--timeout", "--rmi", "-s", "--signal", "--scale"]),
    };
    let words = Words::split(&rest, takes);
    if on(&own, &["--dry-run"]) || on(&words, &["--dry-run"]) {
        return;
    }
    let volumes = on(&words, &["-v", "--volumes"]);
    let images = words.has(&["--rmi"]);
    let (loss, networks) = match verb.as_str() {
        "down" if volumes || images => {
            out.add(C::Destroy, "dyn:compose project volumes, containers, images", R::Recreate);
            (if volumes { Loss::Volumes } else { Loss::Container }, true)
        }
        "down" => {
            out.add(C::Destroy, "dyn:compose project containers and networks", R::Recreate);
            (Loss::Container, true)
        }
        "rm" => {
            out.add(C::Destroy, "dyn:stopped compose containers", R::Recreate);
            (if volumes { Loss::Volumes } else { Loss::Container }, false)
        }
        "stop" | "kill" | "restart" | "pause" => {
            out.add(C::Disrupt, "dyn:compose services", R::Exact);
            (Loss::Nothing, false)
        }
        // What it makes anew it removes first.
        "up" | "create" | "scale"
            if on(&words, &["--force-recreate", "--renew-anon-volumes", "-V", "--remove-orphans"]) =>
        {
            out.add(C::Overwrite, "dyn:compose services", R::Recreate);
            (Loss::Container, false)
        }
        "up" | "create" | "start" | "run" | "unpause" | "scale" => {
            return out.add(C::Create, "dyn:compose services", R::Exact);
        }
        "build" | "pull" => return out.add(C::Create, "dyn:compose images", R::Exact),
        "push" => return out.add(C::Publish, "dyn:compose images", R::Compensating),
        "ps" | "logs" | "config" | "images" | "top" | "ls" | "port" | "events" | "version" | "convert"
        | "stats" | "volumes" | "wait" | "attach" | "watch" | "help" | "" => return,
        "exec" => return out.out.opaque("compose exec"),
        verb => return out.out.opaque(&format!("compose {verb}")),
    };
    let known =
        |word: Option<&Word>| word.map(|w| w.as_str().map(str::to_owned)).unwrap_or(Some(String::new()));
    let name = known(own.value(&["-p", "--project-name"]));
    let dir = known(own.value(&["--project-directory", "--workdir"]));
    let files: Option<Vec<String>> =
        own.values(&["-f", "--file"]).map(|w| w.as_str().map(str::to_owned)).collect();
    let (Some(name), Some(dir), Some(files)) = (name, dir, files) else {
        return out.not_kept("which project it means is not known before it runs");
    };
    let from_env = out.out.inv.env_value("COMPOSE_PROJECT_NAME").map(|v| v.lossy().into_owned());
    let some = |text: String| Some(text).filter(|t| !t.is_empty());
    let services = if verb == "down" { Vec::new() } else { words.from(0).to_vec() };
    let services = services.iter().filter_map(|w| w.as_str()).map(str::to_owned).collect();
    out.asks.push(Ask::Project {
        name: some(name).or(from_env),
        files,
        dir: some(dir),
        loss,
        networks,
        images,
        services,
    });
}
