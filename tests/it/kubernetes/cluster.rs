//! The cluster that all tests of this process share, and a namespace of it for each test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::env::{Output, TestEnv, run};

/// A test's own namespace, and an agent that works in it. It stays: the cluster ends with the process, and removing a
/// namespace takes the server more time than most tests.
pub struct Scene {
    /// Its world, whose kubeconfig leads to the cluster.
    pub env: TestEnv,
    /// Its namespace.
    pub ns: String,
}

/// The kubeconfig of the shared cluster; `None`, with a line that says so, where there is none.
pub fn kubeconfig() -> Option<&'static Path> {
    static SHARED: OnceLock<Option<(Child, PathBuf)>> = OnceLock::new();
    let there = SHARED.get_or_init(|| {
        let (server, path) = started()?;
        define_fleets(&path);
        Some((server, path))
    });
    if there.is_none() {
        let why = "no kube-apiserver; tests/testbed/kubernetes setup builds one";
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
        eprintln!("skipped: {why}");
    }
    there.as_ref().map(|(_, path)| path.as_path())
}

/// A cluster of its own, which serves until its process is dropped, and its kubeconfig.
fn started() -> Option<(Child, PathBuf)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/kubernetes");
    let mut server = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut path = String::new();
    BufReader::new(server.stdout.take()?).read_line(&mut path).ok()?;
    let path = Some(PathBuf::from(path.trim())).filter(|path| !path.as_os_str().is_empty())?;
    Some((server, path))
}

/// A kind of our own. The garbage collector looks for new kinds every 30 s, so it is there before a test waits for that.
fn define_fleets(config: &Path) {
    const FLEETS: &str = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: fleets.fr.fleet}, spec: {group: fr.fleet, scope: Cluster,\n\
         names: {plural: fleets, singular: fleet, kind: Fleet}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}";
    let mut apply = Command::new("kubectl");
    apply.env("KUBECONFIG", config).args(["apply", "-f", "-"]);
    run(apply, format!("---\n{FLEETS}\n").as_bytes()).ok();
}

impl Scene {
    /// A new namespace; `None` where there is no cluster.
    #[track_caller]
    pub fn new() -> Option<Scene> {
        Some(Scene::of(kubeconfig()?))
    }

    /// The same in a cluster that no other test has: for what would be in their way. It ends with the process that is given.
    #[track_caller]
    pub fn alone() -> Option<(Scene, Child)> {
        kubeconfig()?;
        let (server, path) = started().expect("a second cluster");
        Some((Scene::of(&path), server))
    }

    #[track_caller]
    fn of(config: &Path) -> Scene {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut env = TestEnv::new();
        env.vars.push(("KUBECONFIG".to_owned(), config.to_str().unwrap().to_owned()));
        let ns = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let scene = Scene { env, ns };
        scene.kubectl(&format!("create namespace {}", scene.ns)).ok();
        scene
    }

    /// Somebody runs kubectl, unseen by the recorder; `NS` is the namespace.
    pub fn kubectl(&self, args: &str) -> Output {
        self.env.sh(&format!("kubectl {}", self.named(args)))
    }

    /// The agent runs a line, as Claude would.
    pub fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(&self.named(line))
    }

    fn named(&self, text: &str) -> String {
        text.replace("NS", &self.ns)
    }

    /// Somebody applies a manifest.
    #[track_caller]
    pub fn apply(&self, manifest: &str) {
        let mut apply = self.env.command("kubectl");
        apply.args(["-n", &self.ns, "apply", "-f", "-"]);
        // What begins with a brace is JSON to kubectl.
        run(apply, format!("---\n{}", self.named(manifest)).as_bytes()).ok();
    }

    /// An object; `None` where it is not there.
    #[track_caller]
    pub fn get(&self, what: &str) -> Option<Value> {
        let out = self.kubectl(&format!("-n NS get {what} -o json --ignore-not-found"));
        if out.stdout.trim().is_empty() {
            assert_eq!(out.code, 0, "{out:?}");
            return None;
        }
        Some(out.ok().json())
    }

    /// Whether it is there.
    pub fn has(&self, what: &str) -> bool {
        self.get(what).is_some()
    }

    /// The names of all objects of these kinds, `kind/name`.
    #[track_caller]
    pub fn names(&self, kinds: &str) -> Vec<String> {
        let out = self.kubectl(&format!("-n NS get {kinds} -o name")).ok();
        let mut names: Vec<String> = out.stdout.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Waits until the controllers have done something.
    #[track_caller]
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The latest event.
    #[track_caller]
    pub fn event(&self) -> Value {
        self.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
    }

    /// Takes the latest event back.
    pub fn undo(&self) -> Output {
        self.undo_by(&[])
    }

    /// Takes the agent's latest event back, with these options.
    pub fn undo_by(&self, options: &[&str]) -> Output {
        let id = self.agents_event()["id"].to_string();
        let args: Vec<&str> = ["undo", "--yes", &id].iter().chain(options).copied().collect();
        self.env.fr(&args)
    }

    /// The agent's latest event.
    #[track_caller]
    fn agents_event(&self) -> Value {
        let all = self.env.fr(&["timeline", "--json", "-n", "50"]).ok().json();
        let of_agent = |event: &&Value| event["kind"]["kind"] != "undo" && event["command"]["tool"] != "fr";
        all.as_array().unwrap().iter().find(of_agent).unwrap().clone()
    }
}

/// An object without what its server sets: identity, versions, times, status.
pub fn meant(mut object: Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    fields.remove("status");
    let metadata = fields["metadata"].as_object_mut().unwrap();
    for set in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"] {
        metadata.remove(set);
    }
    // A Deployment counts its templates, a Job marks its pods with its own uid.
    for (field, set) in [
        ("annotations", "deployment.kubernetes.io/revision"),
        ("annotations", "autoscaling.alpha.kubernetes.io/conditions"),
        ("labels", "controller-uid"),
    ] {
        if let Some(fields) = metadata.get_mut(field).and_then(Value::as_object_mut) {
            fields.remove(set);
        }
    }
    object
}
