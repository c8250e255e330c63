//! Tools that run a program in an environment that they make: `npx`, `poetry run`, `bundle exec`, `aws-vault exec`.

use super::super::state::Shell;
use super::super::walk::{Ready, Walker};
use super::table;
use crate::model::Word;

/// A runner: its name, the words that must follow, its options with a value, and how many operands precede the
/// command.
struct Runner {
    name: &'static str,
    verbs: &'static [&'static str],
    short: &'static str,
    long: &'static [&'static str],
    operands: usize,
    /// Options whose value is a text for a shell.
    texts: &'static [&'static str],
}

const fn runner(name: &'static str, verbs: &'static [&'static str]) -> Runner {
    Runner { name, verbs, short: "", long: &[], operands: 0, texts: &[] }
}

const NPM: &[&str] = &["--package", "--call", "--workspace", "--cache", "--registry"];
const UV: &[&str] = &[
    "--with",
    "--python",
    "--env-file",
    "--directory",
    "--project",
    "--package",
    "--extra",
    "--group",
    "--only-group",
    "--index-url",
    "--with-requirements",
    "--with-editable",
    "--from",
];

const RUNNERS: &[Runner] = &[
    Runner { short: "pcw", long: NPM, texts: &["-c", "--call"], ..runner("npx", &[]) },
    Runner { short: "pcw", long: NPM, texts: &["-c", "--call"], ..runner("npm", &["exec", "x"]) },
    Runner { short: "pw", long: NPM, ..runner("bunx", &[]) },
    Runner { short: "CF", long: &["--package", "--filter", "--dir"], ..runner("pnpm", &["exec", "dlx"]) },
    Runner { short: "p", long: NPM, ..runner("yarn", &["exec", "dlx"]) },
    Runner { short: "p", long: UV, ..runner("uv", &["run"]) },
    Runner { short: "p", long: UV, ..runner("uvx", &[]) },
    Runner { long: &["--spec", "--python", "--pip-args"], ..runner("pipx", &["run"]) },
    Runner { short: "PC", long: &["--project", "--directory"], ..runner("poetry", &["run"]) },
    runner("pipenv", &["run"]),
    Runner { short: "p", long: &["--project"], ..runner("pdm", &["run"]) },
    runner("rye", &["run"]),
    runner("bundle", &["exec"]),
    Runner { short: "np", long: &["--name", "--prefix", "--cwd"], ..runner("conda", &["run"]) },
    Runner { short: "np", long: &["--name", "--prefix", "--cwd"], ..runner("mamba", &["run"]) },
    runner("rbenv", &["exec"]),
    runner("pyenv", &["exec"]),
    runner("asdf", &["exec"]),
    Runner { short: "C", ..runner("mise", &["exec", "x"]) },
    Runner { long: &["--switch"], ..runner("opam", &["exec"]) },
    Runner { short: "pc", long: &["--project", "--config", "--command"], ..runner("doppler", &["run"]) },
    Runner { long: &["--env-file", "--account"], ..runner("op", &["run"]) },
    Runner { short: "f", long: &["--env-file"], ..runner("dotenvx", &["run"]) },
    Runner { short: "d", long: &["--duration", "--region"], operands: 1, ..runner("aws-vault", &["exec"]) },
    Runner { operands: 1, ..runner("chamber", &["exec"]) },
    Runner {
        long: &["--working-dir", "--config", "--log-level", "--tf-path"],
        ..runner("terragrunt", &["exec"])
    },
    Runner { short: "nfeps", long: &["--server-args", "--server-num"], ..runner("xvfb-run", &[]) },
    runner("entr", &[]),
    Runner {
        short: "pIA",
        long: &["--packages", "--run", "--command", "--arg"],
        texts: &["--run", "--command"],
        ..runner("nix-shell", &[])
    },
];

impl Walker<'_> {
    /// True where the command was a runner and has been walked.
    pub(super) fn runner(&mut self, sh: &mut Shell, base: &str, ready: &Ready) -> bool {
        let verb = ready.argv.get(1).and_then(Word::as_str).unwrap_or_default();
        let fits = |r: &&Runner| r.name == base && (r.verbs.is_empty() || r.verbs.contains(&verb));
        let Some(runner) = RUNNERS.iter().find(fits) else { return false };
        let skip = usize::from(!runner.verbs.is_empty());
        let words = ready.argv.get(skip..).unwrap_or_default();
        let own = table::Wrapper {
            operands: runner.operands,
            ..table::plain(runner.name, runner.short, runner.long, 0)
        };
        let peeled = table::peel(&own, words);
        if peeled.has(&["--help", "--version", "-h", "-v"]) {
            return true;
        }
        let text = runner.texts.iter().find_map(|option| peeled.value(&[option]).cloned());
        let rest = words.get(peeled.rest..).unwrap_or_default();
        let dashes = rest.first().is_some_and(|w| w.as_str() == Some("--"));
        let mut command = rest.get(usize::from(dashes)..).unwrap_or_default().to_vec();
        if text.is_none() && command.is_empty() {
            return false;
        }
        if let Some(first) = command.first_mut().filter(|w| w.certain) {
            // `npx rimraf@5` runs rimraf.
            let plain =
                first.as_str().and_then(|t| t.rfind('@').filter(|at| *at > 0).and_then(|at| t.get(..at)));
            if let Some(plain) = plain.map(str::to_owned) {
                *first = Word::literal(plain.as_str());
            }
        }
        self.inside(sh, base, ready.redirects.clone(), |w, sh| match text {
            Some(text) => w.word_script(sh, &text),
            None if base == "entr" && peeled_text(&command) => w.word_script(sh, &command.remove(0)),
            None => w.program(sh, command, Vec::new()),
        });
        true
    }
}

/// `entr -s 'text'`
fn peeled_text(command: &[Word]) -> bool {
    matches!(command, [only] if only.text.as_slice().contains(&b' '))
}
