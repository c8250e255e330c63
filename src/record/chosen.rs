//! Lines that choose where they act and then act there: `kubectl config use-context prod && kubectl delete namespace shop`.
//! When the line is read the choice is not made, so the later words alone would be looked up, captured and compared with
//! what is marked as production in the place that is current now. This tells the later parts what was chosen. A plan that
//! the line saves and applies is such a choice too: the file is not there yet, and what it will do was said to `plan`. So is a
//! remote that the line adds and pushes to: `git remote add backup URL && git push backup --all`.
//!
//! Not seen here: choices that scripts make, and those of `az account set` and `aws configure`, for which no flag stands.

use crate::model::{Bytes, Invocation, Word};

/// Programs that kubectl's current context and namespace count for.
const KUBECTL: &[&str] = &["kubectl", "k", "oc", "kubecolor"];

/// What the commands of a line, so far, have chosen.
#[derive(Default)]
pub struct Chosen {
    cluster: Cluster,
    variables: Vec<Variable>,
    plans: Vec<Plan>,
    remotes: Vec<Remote>,
}

/// A git remote that the line sets up, and where.
struct Remote {
    place: Place,
    name: String,
    url: Word,
    /// It was there before, with another URL.
    is_changed: bool,
}

/// A plan that the line makes and saves. Applying it does what was asked for when it was made.
struct Plan {
    place: Place,
    file: Word,
    /// What `terraform plan` was given, without the file.
    args: Vec<Word>,
    env: Vec<(String, Option<Bytes>)>,
}

/// A kubeconfig's current context and namespace.
#[derive(Default)]
struct Cluster {
    /// Which kubeconfig, as its variable says.
    file: Option<Bytes>,
    context: Option<Word>,
    namespace: Option<Word>,
}

/// A variable that stands for a choice.
struct Variable {
    programs: &'static [&'static str],
    name: &'static str,
    value: Word,
    /// Where the choice counts, if not everywhere.
    place: Option<Place>,
}

/// The directory that a command runs in, and where its first option (terraform's `-chdir`, git's `-C`) moves it.
type Place = (Option<Bytes>, Option<Bytes>);

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
        // `kubectl --kubeconfig FILE config …` chooses in that file only.
        let is_kubectl = KUBECTL.contains(&program) && !has(inv, "--kubeconfig", "");
        match (program, text.as_slice()) {
            (_, ["config", "use-context" | "use", _, ..]) if is_kubectl => self.cluster(inv, value(2), None),
            (_, ["config", "set-context", ..]) if is_kubectl && has(inv, "--current", "") => {
                self.namespace(inv, of_option(inv, "--namespace"));
            }
            ("oc", ["project", _]) if is_kubectl => self.namespace(inv, value(1)),
            ("kubectx", [name]) if *name != "-" => self.cluster(inv, value(0), None),
            ("kubens", [name]) if *name != "-" => self.namespace(inv, value(0)),
            (_, ["ctx", name]) if is_kubectl && *name != "-" => self.cluster(inv, value(1), None),
            (_, ["ns", name]) if is_kubectl && *name != "-" => self.namespace(inv, value(1)),
            ("terraform", ["workspace", "select", _, ..]) => {
                self.set(&["terraform"], "TF_WORKSPACE", value(2), Some(root_module(inv)));
            }
            ("tofu", ["workspace", "select", _, ..]) => {
                self.set(&["tofu"], "TF_WORKSPACE", value(2), Some(root_module(inv)));
            }
            ("terraform" | "tofu", ["plan", ..]) => self.plan(inv),
            ("docker", ["context", "use", _]) => {
                self.set(&["docker", "docker-compose"], "DOCKER_CONTEXT", value(2), None);
            }
            ("gcloud", ["config", "set", "project" | "core/project", _]) => {
                self.set(&["gcloud"], "CLOUDSDK_CORE_PROJECT", value(3), None);
            }
            ("git", _) => self.remote(inv),
            ("gh", ["repo", "set-default", _]) => self.set(&["gh"], "GH_REPO", value(2), None),
            _ => {}
        }
    }

    fn remote(&mut self, inv: &Invocation) {
        let (place, words) = git_words(inv);
        let text: Vec<&str> = words.iter().map(|word| word.as_str().unwrap_or_default()).collect();
        let (name, url, is_changed) = match text.as_slice() {
            // What stands before the name are values of options (`-t main`).
            ["remote", "add", .., name, _] => (*name, words.last(), false),
            ["remote", "set-url", name, _] => (*name, words.get(3), true),
            ["config", key, _] | ["config", "set", key, _] => {
                let name = key.strip_prefix("remote.").and_then(|rest| rest.strip_suffix(".url"));
                let Some(name) = name else { return };
                (name, words.last(), true)
            }
            _ => return,
        };
        let Some(url) = url.filter(|_| !name.is_empty()) else { return };
        self.remotes.retain(|known| known.name != name || known.place != place);
        self.remotes.push(Remote { place, name: name.to_owned(), url: (*url).clone(), is_changed });
    }

    /// A conversation of git with a remote that the line has set up: where that is, as a setting of the command.
    fn reached(&self, inv: &mut Invocation) {
        let (place, words) = git_words(inv);
        if !matches!(words.first().and_then(|word| word.as_str()), Some("push" | "fetch" | "pull")) {
            return;
        }
        for remote in self.remotes.iter().filter(|remote| remote.place == place && remote.url.certain) {
            let key = format!("remote.{}.url=", remote.name);
            let set = |value: &[u8]| [Word::literal("-c"), Word::literal([key.as_bytes(), value].concat())];
            // An empty value ends the list of those before it (git-config(1), `remote.<name>.url`).
            let cleared = remote.is_changed.then(|| set(b"")).into_iter().flatten();
            let words: Vec<Word> = cleared.chain(set(remote.url.text.as_slice())).collect();
            inv.argv.splice(1..1, words);
        }
    }

    fn plan(&mut self, inv: &Invocation) {
        let Some(file) = of_option(inv, "-out").or_else(|| of_option(inv, "--out")) else { return };
        let verb = inv.argv.iter().position(|word| word.as_str() == Some("plan")).unwrap_or_default();
        let mut args = Vec::new();
        let mut rest = inv.argv.iter().skip(verb + 1);
        while let Some(word) = rest.next() {
            match word.text.as_slice() {
                b"-out" | b"--out" => drop(rest.next()),
                text if text.starts_with(b"-out=") || text.starts_with(b"--out=") => {}
                _ => args.push(word.clone()),
            }
        }
        let place = root_module(inv);
        self.plans.retain(|known| known.file != file || known.place != place);
        self.plans.push(Plan { place, file, args, env: inv.env.clone() });
    }

    /// `terraform apply FILE` as what the plan in that file was asked for.
    fn planned(&self, inv: &mut Invocation) {
        let place = root_module(inv);
        let Some(verb) = inv.argv.iter().position(|word| word.as_str() == Some("apply")) else { return };
        let named = |word: &Word| {
            self.plans.iter().find(|plan| plan.place == place && plan.file.certain && plan.file == *word)
        };
        let found =
            inv.argv.iter().enumerate().skip(verb + 1).find_map(|(at, word)| Some((at, named(word)?)));
        let Some((at, plan)) = found else { return };
        inv.argv.splice(at..=at, plan.args.iter().cloned());
        let is_set = |name: &String| inv.env.iter().any(|(known, _)| known == name);
        let more: Vec<_> = plan.env.iter().filter(|(name, _)| !is_set(name)).cloned().collect();
        inv.env.extend(more);
    }

    fn cluster(&mut self, inv: &Invocation, context: Option<Word>, namespace: Option<Word>) {
        self.cluster = Cluster { file: inv.env_value("KUBECONFIG").cloned(), context, namespace };
    }

    fn namespace(&mut self, inv: &Invocation, namespace: Option<Word>) {
        let is_same = self.cluster.file.as_ref() == inv.env_value("KUBECONFIG");
        let context = self.cluster.context.take().filter(|_| is_same);
        if namespace.is_some() {
            self.cluster(inv, context, namespace);
        }
    }

    fn set(
        &mut self,
        programs: &'static [&'static str],
        name: &'static str,
        value: Option<Word>,
        place: Option<Place>,
    ) {
        if let Some(value) = value {
            self.variables.retain(|known| known.name != name || known.place != place);
            self.variables.push(Variable { programs, name, value, place });
        }
    }

    /// The invocation as it acts once these choices are made; `None` where that makes no difference.
    pub fn made(&self, inv: &Invocation) -> Option<Invocation> {
        let program = inv.program()?;
        let mut new = inv.clone();
        let context = match program {
            "helm" => Some("--kube-context"),
            _ if KUBECTL.contains(&program) => Some("--context"),
            _ => None,
        };
        let first = plain(inv).first().and_then(|word| word.as_str()).unwrap_or_default();
        let is_same = self.cluster.file.as_ref() == inv.env_value("KUBECONFIG");
        if let Some(context) =
            context.filter(|_| is_same && first != "config" && !has(inv, "--kubeconfig", ""))
        {
            let chosen =
                [("--namespace", "-n", &self.cluster.namespace), (context, "", &self.cluster.context)];
            for (option, short, value) in chosen {
                let Some(value) = value.as_ref().filter(|_| !has(inv, option, short)) else { continue };
                new.argv.splice(1..1, [Word::literal(option), value.clone()]);
            }
        }
        for known in self.variables.iter().filter(|known| known.programs.contains(&program)) {
            let is_here =
                known.place.as_ref().is_none_or(|place| *place == root_module(inv) && first != "workspace");
            if is_here && !inv.env.iter().any(|(name, _)| name == known.name) {
                let value = known.value.certain.then(|| known.value.text.clone());
                new.env.push((known.name.to_owned(), value));
            }
        }
        if matches!(program, "terraform" | "tofu") {
            self.planned(&mut new);
        }
        if program == "git" {
            self.reached(&mut new);
        }
        (new != *inv).then_some(new)
    }
}

/// Where a git command runs, and its words from the sub-command on that are no options.
fn git_words(inv: &Invocation) -> (Place, Vec<&Word>) {
    let mut moved = None;
    let mut rest = inv.args().iter();
    let mut words = Vec::new();
    while let Some(word) = rest.next() {
        match word.text.as_slice() {
            b"-C" if words.is_empty() => moved = rest.next().map(|to| to.text.clone()),
            b"-c" | b"--git-dir" | b"--work-tree" if words.is_empty() => drop(rest.next()),
            text if text.starts_with(b"-") => {}
            _ => words.push(word),
        }
    }
    ((inv.cwd.clone(), moved), words)
}

fn root_module(inv: &Invocation) -> Place {
    let chdir = inv.args().iter().find(|word| word.text.as_slice().starts_with(b"-chdir="));
    (inv.cwd.clone(), chdir.map(|word| word.text.clone()))
}

/// The words that are no options; values that stand behind an option are among them.
fn plain(inv: &Invocation) -> Vec<&Word> {
    inv.args().iter().filter(|word| !word.text.as_slice().starts_with(b"-")).collect()
}

/// True where an option is given: `--context x`, `--context=x`, `-nx`.
fn has(inv: &Invocation, option: &str, short: &str) -> bool {
    inv.args().iter().any(|word| is_option(word, option, short))
}

fn is_option(word: &Word, option: &str, short: &str) -> bool {
    let text = word.text.as_slice();
    let rest = text.strip_prefix(option.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
        || (!short.is_empty() && text.starts_with(short.as_bytes()))
}

fn of_option(inv: &Invocation, option: &str) -> Option<Word> {
    let at = inv.args().iter().position(|word| is_option(word, option, ""))?;
    let word = inv.args().get(at)?;
    match word.text.as_slice().iter().position(|byte| *byte == b'=') {
        Some(end) => Some(Word { text: word.text.as_slice().get(end + 1..)?.into(), ..word.clone() }),
        None => inv.args().get(at + 1).cloned(),
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
        let plan = &["terraform -chdir=a plan -destroy -out p -var size=3 -target=x.y"];
        assert_eq!(
            after(plan, "terraform -chdir=a apply -auto-approve p"),
            "terraform -chdir=a apply -auto-approve -destroy -var size=3 -target=x.y"
        );
        assert_eq!(after(plan, "terraform apply p"), "terraform apply p");
        assert_eq!(after(plan, "terraform -chdir=a apply q"), "terraform -chdir=a apply q");
    }

    #[test]
    fn a_remote_that_the_line_sets_up_is_known_to_its_push() {
        let added = &["git remote add -t main backup ../b.git"];
        assert_eq!(
            after(added, "git push backup --all"),
            "git -c remote.backup.url=../b.git push backup --all"
        );
        assert_eq!(after(added, "git -C sub push backup"), "git -C sub push backup");
        assert_eq!(after(added, "git commit -m x"), "git commit -m x");
        let moved = &["git -C sub remote set-url origin u"];
        assert_eq!(
            after(moved, "git -C sub push"),
            "git -c remote.origin.url= -c remote.origin.url=u -C sub push"
        );
        let set = &["git config remote.up.url u"];
        assert_eq!(after(set, "git push up"), "git -c remote.up.url= -c remote.up.url=u push up");
    }

    /// A choice that does not count for a later part is not made for it.
    #[test]
    fn a_choice_somewhere_else_is_none_here() {
        assert_eq!(
            after(&["kubectl ns shop"], "kubectl delete cm a"),
            "kubectl --namespace shop delete cm a"
        );
        assert_eq!(after(&["kubectl ctx prod"], "kubectl delete cm a"), "kubectl --context prod delete cm a");
        let other = "kubectl config set-context other --namespace=shop";
        assert_eq!(after(&[other], "kubectl delete cm a"), "kubectl delete cm a");
        let chosen = &["kubectl config use-context prod"];
        assert_eq!(after(chosen, "kubectl --kubeconfig f delete cm a"), "kubectl --kubeconfig f delete cm a");
        let (mut line, mut own) = (Chosen::default(), inv("kubectl config use-context prod"));
        own.env.push(("KUBECONFIG".to_owned(), Some("/tmp/k".into())));
        line.learn(&own);
        assert_eq!(line.made(&inv("kubectl delete cm a")), None);
        let there = &["terraform -chdir=a workspace select prod"];
        assert_eq!(after(there, "terraform -chdir=b destroy"), "terraform -chdir=b destroy");
        assert_eq!(
            after(there, "terraform -chdir=a destroy"),
            "TF_WORKSPACE=prod terraform -chdir=a destroy"
        );
        assert_eq!(
            after(&["terraform workspace select prod"], "terraform workspace select b"),
            "terraform workspace select b"
        );
        assert_eq!(after(&["oc project shop"], "oc delete cm a"), "oc --namespace shop delete cm a");
    }
}
