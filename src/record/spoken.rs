//! kubectl by other names: `minikube kubectl -- delete ns x`, and plugins called as the programs that they are
//! (`kubectl-modify_secret x`). They are read as the kubectl command that they come to.

use crate::model::{Bytes, Invocation, Word};
use crate::systems::{AssessCx, kubernetes};

/// The largest settings file of minikube that is read.
const LARGEST: u64 = 1 << 20;
/// The profile that minikube takes where nothing names one.
const DEFAULT: &str = "minikube";
/// Flags of minikube that take the next word as their value (`minikube options`).
const VALUED: &[&str] =
    &["-p", "--profile", "-b", "--bootstrapper", "-v", "--v", "--vmodule", "--log_dir", "--log_file"];

/// The kubectl command that an invocation comes to; `None` where it is what it is.
pub fn as_kubectl(inv: &Invocation, cx: &AssessCx<'_>) -> Option<Invocation> {
    let program = inv.program()?;
    if program == "minikube" {
        return minikube(inv, cx);
    }
    // `kubectl-foo-bar` is `kubectl foo bar`, and `_` in it stands for a dash of the name.
    let words: Vec<String> =
        program.strip_prefix("kubectl-")?.split('-').map(|w| w.replace('_', "-")).collect();
    let known = words.as_slice();
    if !matches!(known, [name] if kubernetes::knows_plugin(name)) {
        return None;
    }
    let front = std::iter::once("kubectl".to_owned()).chain(words).map(Word::literal);
    Some(Invocation { argv: front.chain(inv.args().iter().cloned()).collect(), ..inv.clone() })
}

/// `minikube [-p PROFILE] kubectl [--] …` starts a kubectl with `--cluster PROFILE` (minikube's `cmd/kubectl.go`). With
/// `--ssh` that happens inside of its machine, whose files and kubeconfig are not ours.
fn minikube(inv: &Invocation, cx: &AssessCx<'_>) -> Option<Invocation> {
    let (mut profile, mut verb, mut rest) = (None, None, Vec::new());
    let mut words = inv.args().iter();
    while let Some(word) = words.next() {
        let text = word.text.as_slice();
        match text {
            b"--" => {
                rest.extend(words.by_ref().cloned());
                break;
            }
            b"-p" | b"--profile" => profile = words.next().cloned(),
            b"--ssh" | b"--ssh=true" => return None,
            _ if VALUED.iter().any(|flag| flag.as_bytes() == text) => drop(words.next()),
            _ if text.starts_with(b"--profile=") => {
                profile = text.get(10..).map(|name| Word { text: name.into(), ..word.clone() });
            }
            _ if text.starts_with(b"-p") => {
                profile = text.get(2..).map(|name| Word { text: name.into(), ..word.clone() });
            }
            b"--help" | b"-h" => return None,
            _ if text.starts_with(b"-") => {}
            _ if verb.is_none() => verb = Some(word),
            _ => rest.push(word.clone()),
        }
    }
    verb.filter(|verb| verb.as_str() == Some("kubectl"))?;
    let profile = profile.unwrap_or_else(|| chosen_profile(inv, cx));
    let front = [Word::literal("kubectl"), Word::literal("--cluster"), profile];
    Some(Invocation { argv: front.into_iter().chain(rest).collect(), ..inv.clone() })
}

/// `MINIKUBE_PROFILE`, else what `minikube profile NAME` has written, else the name that it has by itself.
fn chosen_profile(inv: &Invocation, cx: &AssessCx<'_>) -> Word {
    let set = |name: &str| match inv.env.iter().rev().find(|(known, _)| known == name) {
        Some((_, value)) => Some(value.clone()),
        None => cx.env.get(name).cloned().map(Some),
    };
    match set("MINIKUBE_PROFILE") {
        Some(Some(name)) if !name.as_slice().is_empty() => return Word { text: name, ..Word::literal("") },
        Some(None) => return Word { certain: false, ..Word::literal("$MINIKUBE_PROFILE") },
        _ => {}
    }
    let home = match set("MINIKUBE_HOME") {
        Some(Some(dir)) if dir.as_path().ends_with(".minikube") => Some(dir.as_path().to_path_buf()),
        Some(Some(dir)) => Some(dir.as_path().join(".minikube")),
        _ => cx.home.map(|home| home.join(".minikube")),
    };
    let written = home
        .map(|home| home.join("config/config.json"))
        .filter(|file| std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST));
    let text = written.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let settings: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let name = settings.get("profile").and_then(serde_json::Value::as_str).unwrap_or(DEFAULT);
    Word { text: Bytes::from(name), ..Word::literal("") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[track_caller]
    fn spoken(line: &str, env: &[(&str, &str)], home: &std::path::Path) -> String {
        let env: BTreeMap<String, Bytes> =
            env.iter().map(|(n, v)| ((*n).to_owned(), Bytes::from(*v))).collect();
        let argv = line.split(' ').map(Word::literal).collect();
        let inv = Invocation { argv, ..Invocation::default() };
        let made = as_kubectl(&inv, &AssessCx { env: &env, home: Some(home) }).unwrap_or(inv);
        made.argv.iter().map(|w| w.text.lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn minikube_starts_a_kubectl_for_its_profile() {
        let home = tempfile::tempdir().unwrap();
        let by = |line: &str, env: &[(&str, &str)]| spoken(line, env, home.path());
        let (line, want) = ("minikube kubectl -- delete ns x", "kubectl --cluster minikube delete ns x");
        assert_eq!(by(line, &[]), want);
        assert_eq!(by("minikube kubectl delete ns x", &[]), want);
        let dev = "kubectl --cluster dev delete ns x";
        for line in [
            "minikube -p dev kubectl -- delete ns x",
            "minikube kubectl -pdev -- delete ns x",
            "minikube --profile=dev kubectl --alsologtostderr -- delete ns x",
            "/usr/bin/minikube -v 3 kubectl --profile dev -- delete ns x",
        ] {
            assert_eq!(by(line, &[("MINIKUBE_PROFILE", "other")]), dev, "{line}");
        }
        assert_eq!(by(line, &[("MINIKUBE_PROFILE", "dev")]), dev);
        std::fs::create_dir_all(home.path().join(".minikube/config")).unwrap();
        std::fs::write(home.path().join(".minikube/config/config.json"), "{\"profile\": \"dev\"}").unwrap();
        assert_eq!(by(line, &[]), dev);
        assert_eq!(by(line, &[("MINIKUBE_HOME", "/nowhere")]), want);
        for own in
            ["minikube delete --all", "minikube kubectl --ssh -- delete ns x", "minikube -p kubectl stop"]
        {
            assert_eq!(by(own, &[]), own);
        }
    }

    #[test]
    fn a_known_plugin_is_the_command_of_its_name() {
        let by = |line: &str| spoken(line, &[], std::path::Path::new("/"));
        assert_eq!(by("kubectl-modify_secret keys -n x"), "kubectl modify-secret keys -n x");
        assert_eq!(by("kubectl-ns prod"), "kubectl ns prod");
        assert_eq!(by("kubectl-neat get pod x"), "kubectl neat get pod x");
        assert_eq!(by("kubectl-anything x"), "kubectl-anything x", "it is any program");
        assert_eq!(by("kubectl-create-thing x"), "kubectl-create-thing x");
    }
}
