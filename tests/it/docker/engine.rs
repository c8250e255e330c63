//! The engines that all tests of this process share, and a world of its own for each test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use crate::env::{Output, TestEnv};

/// A test's world, whose docker and podman lead to the shared engines. Names that hold `NS` are the test's own.
pub struct Scene {
    /// Its world.
    pub env: TestEnv,
    ns: String,
    _alone: Option<MutexGuard<'static, ()>>,
}

static PRUNING: Mutex<()> = Mutex::new(());

fn engines() -> Option<&'static (String, PathBuf)> {
    static SHARED: OnceLock<Option<(Child, (String, PathBuf))>> = OnceLock::new();
    let there = SHARED.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/docker");
        let mut server = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut line).ok()?;
        let (host, dir) = line.trim().split_once(' ')?;
        Some((server, (host.to_owned(), PathBuf::from(dir))))
    });
    if there.is_none() {
        let why = "no dockerd that may run; tests/testbed/docker setup installs one (root is needed)";
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
        eprintln!("skipped: {why}");
    }
    there.as_ref().map(|(_, place)| place)
}

impl Scene {
    /// A new one; `None` where there is no engine. Only one of these at a time: a prune takes what others have.
    #[track_caller]
    pub fn new() -> Option<Scene> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (host, dir) = engines()?;
        let alone = PRUNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut env = TestEnv::new();
        let conf = |name: &str| dir.join("podman").join(name).to_str().unwrap().to_owned();
        env.vars.push(("DOCKER_HOST".to_owned(), host.clone()));
        env.vars.push(("CONTAINERS_CONF".to_owned(), conf("containers.conf")));
        env.vars.push(("CONTAINERS_STORAGE_CONF".to_owned(), conf("storage.conf")));
        let ns = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let scene = Scene { env, ns, _alone: Some(alone) };
        // A prune may have taken it, where the undo of it is what was tested.
        let image = dir.join("image.tar");
        let import = format!("import -c 'CMD [\"/bin/sh\"]' {} base:1", image.display());
        scene.sh(&format!("docker image inspect base:1 || docker {import}")).ok();
        scene.sh(&format!(
            "podman image exists localhost/base:1 || podman {}",
            import.replace("base:1", "localhost/base:1")
        ));
        Some(scene)
    }

    fn named(&self, text: &str) -> String {
        text.replace("NS", &self.ns)
    }

    /// Somebody runs a line, unseen by the recorder.
    pub fn sh(&self, line: &str) -> Output {
        self.env.sh(&self.named(line))
    }

    /// The agent runs a line, as Claude would.
    pub fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(&self.named(line))
    }

    /// A volume with what is easily lost: owners, modes, links, a file of some size, a name with a space.
    #[track_caller]
    pub fn filled_volume(&self, program: &str, name: &str) {
        self.sh(&format!("{program} volume create --label keep=yes {name}")).ok();
        let dir = self.mountpoint(program, name);
        let fill = format!(
            "cd {dir} && mkdir -p pg/base && head -c 3000000 /dev/urandom >pg/base/16384 && echo 15 >pg/VERSION && \
             chown -R 70:70 pg && chmod 700 pg && chmod 4750 pg/VERSION && ln -s VERSION pg/current && \
             ln pg/VERSION pg/hard && touch 'pg/a b' && chmod 751 . && chown 12:34 . && mkdir empty"
        );
        self.sh(&fill).ok();
    }

    fn mountpoint(&self, program: &str, name: &str) -> String {
        let out = self.sh(&format!("{program} volume inspect -f '{{{{.Mountpoint}}}}' {name}")).ok();
        out.stdout.trim().to_owned()
    }

    /// What is in a volume, read on the engine's disk: not by the way that `fr` reads it.
    #[track_caller]
    pub fn contents(&self, program: &str, name: &str) -> String {
        let dir = self.mountpoint(program, name);
        let look = format!(
            "cd {dir} && find . -printf '%p %y %m %U %G %l %n\\n' | sort && find . -type f | sort | tr '\\n' '\\0' | xargs -0 sha256sum"
        );
        self.sh(&look).ok().stdout
    }

    /// An object's description; `None` where it is not there.
    pub fn inspect(&self, what: &str) -> Option<Value> {
        let out = self.sh(&format!("docker {}", what.replacen(' ', " inspect ", 1)));
        (out.code == 0).then(|| out.json()[0].clone())
    }

    /// The latest event.
    #[track_caller]
    pub fn event(&self) -> Value {
        self.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
    }

    /// Takes the latest event back.
    pub fn undo(&self) -> Output {
        self.env.fr(&["undo", "--yes", &self.event()["id"].to_string()])
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let away = "docker ps -aq | xargs -r docker rm -fv; docker volume ls -q | xargs -r docker volume rm; \
                    docker network ls -q --filter type=custom | xargs -r docker network rm; \
                    podman rm -af -t 0; podman volume prune -f";
        let _ = self.env.sh(away);
    }
}
