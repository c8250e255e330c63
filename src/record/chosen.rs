//! Lines that choose where they act and then act there: `kubectl config use-context prod && kubectl delete namespace shop`.
//! When the line is read the choice is not made, so the later words alone would be looked up, captured and compared with
//! what is marked as production in the place that is current now. This tells the later parts what was chosen.
//!
//! Not seen here: choices that scripts make, and those of `az account set` and `aws configure`, for which no flag stands.

use crate::model::{Invocation, Word};

/// Programs that kubectl's current context and namespace count for.
const KUBECTL: &[&str] = &["kubectl", "k", "oc", "kubecolor"];

/// What the commands of a line, so far, have chosen.
#[derive(Default)]
pub struct Chosen {
    context: Option<Word>,
    namespace: Option<Word>,
    /// Variables that stand for a choice, of which programs, and of `terraform workspace select` in which directory.
    variables: Vec<Variable>,
}

struct Variable {
    programs: &'static [&'static str],
    name: &'static str,
    value: Word,
    only_in: Option<Option<crate::model::Bytes>>,
}

impl Chosen {
    /// Remembers what an invocation chooses.
    pub fn learn(&mut self, inv: &Invocation) {
        if inv.remote.is_some() {
            return;
        }
        let words = plain(inv);
        let text: Vec<&str> = words.iter().map(|word| word.as_str().unwrap_or_default()).collect();
        let value = |at: usize| words.get(at).map(|word| (*word).clone());
        let program = inv.program().unwrap_or_default();
        match (program, text.as_slice()) {
            (p, ["config", "use-context" | "use", _, ..]) if KUBECTL.contains(&p) && !names_a_file(inv) => {
                (self.context, self.namespace) = (value(2), None);
            }
            (p, ["config", "set-context", ..]) if KUBECTL.contains(&p) && !names_a_file(inv) => {
                self.namespace = of_option(inv, "--namespace").or(self.namespace.take());
            }
            ("kubectx" | "kubectl-ctx", [name]) if *name != "-" => {
                (self.context, self.namespace) = (value(0), None);
            }
            ("kubens" | "kubectl-ns", [name]) if *name != "-" => self.namespace = value(0),
            ("terraform" | "tofu", ["workspace", "select", _, ..]) => {
                let programs: &[&str] = if program == "tofu" { &["tofu"] } else { &["terraform"] };
                self.set(programs, "TF_WORKSPACE", value(2), Some(inv.cwd.clone()));
            }
            ("docker", ["context", "use", _]) => {
                self.set(&["docker", "docker-compose"], "DOCKER_CONTEXT", value(2), None)
            }
            ("gcloud", ["config", "set", "project" | "core/project", _]) => {
                self.set(&["gcloud"], "CLOUDSDK_CORE_PROJECT", value(3), None);
            }
            ("gh", ["repo", "set-default", _]) => self.set(&["gh"], "GH_REPO", value(2), None),
            _ => {}
        }
    }

    fn set(
        &mut self,
        programs: &'static [&'static str],
        name: &'static str,
        value: Option<Word>,
        only_in: Option<Option<crate::model::Bytes>>,
    ) {
        if let Some(value) = value {
            self.variables.retain(|known| known.name != name || known.only_in != only_in);
            self.variables.push(Variable { programs, name, value, only_in });
        }
    }

    /// The invocation as it acts once these choices are made; `None` where that makes no difference.
    pub fn made(&self, inv: &Invocation) -> Option<Invocation> {
        let program = inv.program()?;
        let mut new = inv.clone();
        let (context, namespace) = match program {
            "helm" => ("--kube-context", "--namespace"),
            p if KUBECTL.contains(&p) => ("--context", "--namespace"),
            _ => ("", ""),
        };
        if !context.is_empty() && !is_config(inv) {
            for (option, short, value) in [(namespace, "-n", &self.namespace), (context, "", &self.context)] {
                let Some(value) = value.as_ref().filter(|_| !has(inv, option, short)) else { continue };
                new.argv.splice(1..1, [Word::literal(option), value.clone()]);
            }
        }
        for known in self.variables.iter().filter(|known| known.programs.contains(&program)) {
            let is_here = known.only_in.as_ref().is_none_or(|dir| *dir == inv.cwd);
            if is_here && !inv.env.iter().any(|(name, _)| name == known.name) {
                let value = known.value.certain.then(|| known.value.text.clone());
                new.env.push((known.name.to_owned(), value));
            }
        }
        (new != *inv).then_some(new)
    }
}

/// The words that are no options, as far as an option that takes the next word is written with `=` or stands behind them.
fn plain(inv: &Invocation) -> Vec<&Word> {
    inv.args().iter().filter(|word| !word.text.as_slice().starts_with(b"-")).collect()
}

/// `kubectl --kubeconfig FILE config …` chooses in that file only.
fn names_a_file(inv: &Invocation) -> bool {
    has(inv, "--kubeconfig", "")
}

fn is_config(inv: &Invocation) -> bool {
    plain(inv).first().is_some_and(|word| word.as_str() == Some("config"))
}

fn has(inv: &Invocation, option: &str, short: &str) -> bool {
    inv.args().iter().map(|word| word.text.as_slice()).any(|text| {
        let is = |name: &str| {
            !name.is_empty()
                && text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.is_empty() || rest[0] == b'=')
        };
        is(option) || (!short.is_empty() && text.starts_with(short.as_bytes()) && !text.starts_with(b"--"))
    })
}

fn of_option(inv: &Invocation, option: &str) -> Option<Word> {
    let args = inv.args();
    let at = args.iter().position(|word| {
        has(&Invocation { argv: vec![Word::literal("x"), word.clone()], ..Invocation::default() }, option, "")
    })?;
    let word = args.get(at)?;
    match word.text.as_slice().iter().position(|byte| *byte == b'=') {
        Some(end) => Some(Word { text: word.text.as_slice().get(end + 1..)?.into(), ..word.clone() }),
        None => args.get(at + 1).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inv(line: &str) -> Invocation {
        Invocation {
            argv: line.split(' ').map(Word::literal).collect(),
            cwd: Some("/w".into()),
            ..Invocation::default()
        }
    }

    fn after(first: &[&str], then: &str) -> String {
        let mut chosen = Chosen::default();
        first.iter().for_each(|line| chosen.learn(&inv(line)));
        let made = chosen.made(&inv(then)).unwrap_or_else(|| inv(then));
        let env =
            made.env.iter().map(|(n, v)| format!("{n}={} ", v.as_ref().map_or("?".into(), |v| v.lossy())));
        env.chain([made.argv.iter().map(|w| w.text.lossy()).collect::<Vec<_>>().join(" ")]).collect()
    }

    #[test]
    fn later_parts_act_where_the_line_has_chosen() {
        let chosen = &["kubectl config use-context prod"];
        assert_eq!(after(chosen, "kubectl delete ns x"), "kubectl --context prod delete ns x");
        assert_eq!(after(chosen, "helm uninstall shop"), "helm --kube-context prod uninstall shop");
        assert_eq!(after(chosen, "kubectl --context=dev delete ns x"), "kubectl --context=dev delete ns x");
        assert_eq!(after(chosen, "kubectl config view"), "kubectl config view");
        let both = &["kubectx prod", "kubectl config set-context --current --namespace=shop"];
        assert_eq!(after(both, "k delete cm a"), "k --context prod --namespace shop delete cm a");
        assert_eq!(after(both, "k delete cm a -nother"), "k --context prod delete cm a -nother");
        assert_eq!(
            after(&["kubectl --kubeconfig f config use-context prod"], "kubectl delete ns x"),
            "kubectl delete ns x"
        );
        assert_eq!(
            after(&["terraform workspace select prod"], "terraform destroy"),
            "TF_WORKSPACE=prod terraform destroy"
        );
        assert_eq!(
            after(&["docker context use far"], "docker volume rm v"),
            "DOCKER_CONTEXT=far docker volume rm v"
        );
        assert_eq!(
            after(&["gh repo set-default a/b"], "gh release delete v1"),
            "GH_REPO=a/b gh release delete v1"
        );
        assert_eq!(after(&["terraform workspace select prod"], "rm -rf x"), "rm -rf x");
    }
}
