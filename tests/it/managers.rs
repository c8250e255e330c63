//! What package managers have installed: the list is read before, the way back is named, and gone where somebody asks for it. By
//! the real pip, in a venv, and the real npm, against a registry on loopback.

use serde_json::Value;

use crate::env::{Output, TestEnv};
use crate::registries;

fn event(env: &TestEnv) -> Value {
    env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
}

fn undo(env: &TestEnv, more: &[&str]) -> Output {
    let id = event(env)["id"].to_string();
    env.fr(&[&["undo", "--yes", id.as_str()], more].concat())
}

/// A project with a venv, and wheels of a few small packages instead of a registry.
fn with_venv() -> Option<TestEnv> {
    let mut env = TestEnv::new();
    let wheels = env.root().join("wheels");
    env.write(
        "../wheel.py",
        "import sys, zipfile\nwhere, *all = sys.argv[1:]\nfor one in all:\n    name, version = one.split('-')\n    info = f'{name}-{version}.dist-info'\n    \
         with zipfile.ZipFile(f'{where}/{one}-py3-none-any.whl', 'w') as z:\n        z.writestr(f'{name}.py', f'version = {version!r}')\n        \
         z.writestr(info + '/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')\n        \
         z.writestr(info + '/WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n        \
         z.writestr(info + '/RECORD', '')\n",
    );
    std::fs::create_dir(&wheels).unwrap();
    env.vars.push(("PIP_NO_INDEX".to_owned(), "1".to_owned()));
    env.vars.push(("PIP_FIND_LINKS".to_owned(), wheels.display().to_string()));
    env.vars.push(("PIP_DISABLE_PIP_VERSION_CHECK".to_owned(), "1".to_owned()));
    env.sh("python3 ../wheel.py ../wheels alpha-1.0 alpha-2.0 beta-1.0 gamma-1.0").ok();
    if env.sh("python3 -m venv ../venv").code != 0 {
        assert!(std::env::var("CI").is_err(), "tests/run installs python3-venv");
        eprintln!("skipped: no venv here");
        return None;
    }
    env.sh("../venv/bin/pip install -q alpha==1.0 beta").ok();
    Some(env)
}

fn installed(env: &TestEnv) -> String {
    env.sh("../venv/bin/python -m pip freeze").ok().stdout
}

#[test]
fn what_pip_removed_or_upgraded_is_named_with_its_version_and_installed_again_on_request() {
    let Some(env) = with_venv() else { return };
    env.write("requirements.txt", "alpha\nbeta\n");
    let before = installed(&env);
    for (line, named) in [
        (
            "source ../venv/bin/activate && pip uninstall -y alpha beta",
            "install --no-deps alpha==1.0 beta==1.0`",
        ),
        ("../venv/bin/pip uninstall -y -r requirements.txt", "install --no-deps alpha==1.0 beta==1.0`"),
        ("../venv/bin/python -m pip install -q --upgrade alpha gamma", "uninstall -y gamma`"),
    ] {
        env.claude_runs(line).ok();
        let after = installed(&env);
        assert_ne!(after, before, "{line}");
        let told = undo(&env, &[]);
        assert_eq!(told.code, 3, "{line}: packages come from outside: {told:?}");
        assert!(told.stdout.contains(named), "{line}: {told:?}");
        assert_eq!(installed(&env), after, "{line}: nothing is installed that nobody asked for");
        let out = undo(&env, &["--apply-infra"]);
        assert_eq!((out.code, installed(&env)), (0, before.clone()), "{line}: {out:?}");
    }
}

#[test]
fn what_somebody_installed_since_stays_and_a_list_that_cannot_be_read_is_not_called_kept() {
    let Some(env) = with_venv() else { return };
    env.claude_runs("../venv/bin/pip uninstall -y alpha").ok();
    env.sh("../venv/bin/pip install -q gamma").ok();
    let out = undo(&env, &["--apply-infra"]);
    assert_eq!(out.code, 4, "{out:?}");
    assert!(installed(&env).contains("gamma") && !installed(&env).contains("alpha"), "{out:?}");
    for (line, why) in [
        (
            "PATH=$PWD/../venv/bin:$PATH pip --version >/dev/null; PATH=/nowhere pip uninstall -y alpha",
            "the line sets PATH",
        ),
        ("nowhere/bin/pip uninstall -y alpha", "nowhere/bin/pip"),
        ("../venv/bin/pip install -q --target lib beta", "--target names another place"),
    ] {
        env.claude_runs(line);
        let text = event(&env).to_string();
        assert!(text.contains(why), "{line}: {:#}", event(&env));
    }
}

#[test]
fn what_npm_removed_for_all_projects_is_named_and_installed_again_on_request() {
    let mut env = registries::scene("globals");
    env.vars.push(("npm_config_prefix".to_owned(), env.root().join("global").display().to_string()));
    env.write(
        "tool/package.json",
        r#"{"name": "globaltool", "version": "1.2.3", "bin": {"globaltool": "run.js"}}"#,
    );
    env.write("tool/run.js", "#!/usr/bin/env node\nconsole.log('works')\n");
    env.write("own/package.json", r#"{"name": "own", "version": "0.1.0"}"#);
    env.sh("cd tool && npm publish && npm install -g globaltool@1.2.3 && cd .. && npm install -g ./own").ok();
    let works = || env.sh("../global/bin/globaltool").stdout;
    assert_eq!(works(), "works\n");
    env.claude_runs("npm uninstall -g globaltool own").ok();
    assert_eq!(works(), "");
    let told = undo(&env, &[]);
    assert_eq!(told.code, 3, "{told:?}");
    assert!(told.stdout.contains("npm install -g globaltool@1.2.3"), "{told:?}");
    let out = undo(&env, &["--apply-infra"]);
    assert_eq!(
        (works().as_str(), out.code),
        ("works\n", 3),
        "what came from a directory is not back: {out:?}"
    );
    assert!(out.stdout.contains("own 0.1.0, which was installed from file:"), "{out:?}");
}
