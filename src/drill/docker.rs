//! Containers: a volume, and a container with what it wrote, on the engine that `docker` talks to. Where it has
//! something of these names already, nothing is done.

use std::ffi::OsString;

use super::look::Look;
use super::scenario::{Incident, Scenario};
use super::scene::Scene;
use crate::error::Result;

pub(super) const SCENARIO: Scenario = Scenario {
    system: "docker",
    title: "a volume and a container with what it wrote, from an empty image",
    needs: &["bash", "docker", "tar"],
    optional: true,
    asked: true,
    in_cluster: false,
    given: None,
    build,
    incidents: &[
        Incident { why: "the wrong volume is removed", line: "docker volume rm fr-drill-scratch" },
        Incident {
            why: "a name is moved to another image",
            line: "docker tag fr-drill-scratch:other fr-drill-scratch:one",
        },
        Incident {
            why: "an image without a registry is removed",
            line: "docker image rm fr-drill-scratch:other",
        },
    ],
    anew: &[],
    look,
    clear: Some(clear),
};

/// A container that is never started mounts the volume, so that it can be filled without any program inside.
const BUILD: &str = r#"
for there in 'volume inspect fr-drill-scratch' 'image inspect fr-drill-scratch:one' 'image inspect fr-drill-scratch:other'; do
  if docker $there >/dev/null 2>&1; then echo "the engine has something of that name: docker $there" >&2; exit 1; fi
done
docker info >/dev/null
touch ours
mkdir -p tree/sub; echo rows >tree/sub/table; ln -sf table tree/sub/current; chmod 640 tree/sub/table; echo one >tree/one
tar -C tree -c one | docker import -c 'LABEL fr-drill=scratch' - fr-drill-scratch:one >/dev/null
tar -C tree -c sub | docker import -c 'LABEL fr-drill=scratch' - fr-drill-scratch:other >/dev/null
docker volume create --label fr-drill=yes fr-drill-scratch >/dev/null
docker create --name fr-drill-scratch-fill -v fr-drill-scratch:/v fr-drill-scratch:one /none >/dev/null
tar -C tree -c sub | docker cp -a - fr-drill-scratch-fill:/v
docker rm fr-drill-scratch-fill >/dev/null
"#;

fn build(scene: &Scene) -> Result<()> {
    scene.script(BUILD)
}

/// Takes the scratch things off the engine again, however the rehearsal ended.
fn clear(scene: &Scene) -> Result<()> {
    let line = "[ -f ours ] || exit 0; docker ps -aq --filter volume=fr-drill-scratch | xargs -r docker rm -f; \
                docker volume rm -f fr-drill-scratch; docker image rm -f fr-drill-scratch:one fr-drill-scratch:other; \
                docker image ls -q --filter dangling=true --filter label=fr-drill=scratch | xargs -r docker image rm -f";
    let argv = ["bash", "--norc", "-c", line].map(OsString::from);
    // What is there still is scratch, and no reason for a drill to fail.
    scene.run(&argv, b"").map(drop)
}

/// What the engine says of them, and the volume's contents through a container of the drill's own.
const LOOK: &[&str] = &[
    "docker image inspect -f '{{.Id}}' fr-drill-scratch:one",
    "docker image inspect -f '{{.Id}}' fr-drill-scratch:other",
    "docker volume inspect -f '{{.Driver}} {{.Labels}}' fr-drill-scratch",
    "i=$(docker volume inspect -f '{{.Name}}' fr-drill-scratch) && c=$(docker create -v $i:/v:ro,nocopy fr-drill-scratch:one /none) && \
     docker cp $c:/v - | tar -tv --numeric-owner | LC_ALL=C sort | awk '{print $1, $2, $3, $6, $8}'; docker rm $c >/dev/null",
];

fn look(scene: &Scene) -> Result<Look> {
    scene.look(LOOK)
}
