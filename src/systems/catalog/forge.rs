//! Registries and platforms: twine, heroku and their like.

use crate::model::{EffectClass as C, Reversibility as R};
use crate::systems::words::{Reader, Takes, Words};

/// Publishing tools and platforms.
pub fn registry(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&[
            "-a",
            "--app",
            "--confirm",
            "-r",
            "--repository",
            "--remote",
            "-u",
            "-p",
            "--repository-url",
            "-s",
        ]),
    );
    let verb = words.operand(0).to_owned();
    let app = words.text(&["-a", "--app", "--confirm"]).unwrap_or_else(|| "app".to_owned());
    match program {
        "twine" => {
            if verb == "upload" {
                out.add(C::Publish, "dyn:what twine upload sends", R::Compensating);
            }
        }
        "heroku" => {
            let name = words.operand(1).to_owned();
            match verb.as_str() {
                "pg:reset" => out.add(
                    C::Destroy,
                    format!("heroku:{app}:{}", if name.is_empty() { "DATABASE" } else { &name }),
                    R::Recreate,
                ),
                "apps:destroy" | "apps:delete" => {
                    out.add(C::Destroy, format!("heroku:{app}"), R::Irreversible)
                }
                "addons:destroy" => out.add(C::Destroy, format!("heroku:{app}:{name}"), R::Recreate),
                "config:set" | "config:unset" => out.add(C::Mutate, format!("heroku:{app}:config"), R::Exact),
                "ps:scale" | "ps:stop" | "restart" | "maintenance:on" | "ps:restart" => {
                    out.add(C::Disrupt, format!("heroku:{app}"), R::Exact)
                }
                "rollback" | "releases:rollback" => out.add(C::Overwrite, format!("heroku:{app}"), R::Exact),
                "logs" | "ps" | "config" | "apps" | "addons" | "releases" | "pg:info" | "status" | "info"
                | "apps:info" | "config:get" | "pg:backups" | "auth:whoami" | "" => {}
                other => out.opaque(&format!("heroku {other}")),
            }
        }
        // Without a verb vercel deploys the directory.
        "vercel" if verb.is_empty() => out.add(C::Publish, "dyn:vercel deploy", R::Compensating),
        _ => match deed(&words) {
            "destroy" | "rm" | "remove" | "delete" | "apps:destroy" => out.add(
                C::Destroy,
                format!("{program}:{}", words.operands.last().map(|w| w.text.lossy()).unwrap_or_default()),
                R::Irreversible,
            ),
            "deploy" | "publish" | "--prod" => {
                out.add(C::Publish, format!("dyn:{program} deploy"), R::Compensating)
            }
            "status" | "logs" | "list" | "ls" | "info" | "whoami" | "inspect" | "" => {}
            other => out.opaque(&format!("{program} {other}")),
        },
    }
}

/// The word that says what is done: `fly apps destroy x` names the kind of thing first.
fn deed<'w>(words: &'w Words<'_>) -> &'w str {
    match words.operand(0) {
        "apps" | "app" | "sites" | "volumes" | "volume" | "machine" | "machines" | "postgres"
        | "projects" | "project" | "domains" | "env" | "secrets" | "certs" | "ips" => words.operand(1),
        verb => verb,
    }
}
