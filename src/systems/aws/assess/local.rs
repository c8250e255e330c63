//! Commands that write files of this machine, and those that have nothing behind them.

use super::Reader;
use crate::model::{EffectClass as C, Reversibility as R};

/// True where the command was one of these.
pub fn read(service: &str, op: &str, out: &mut Reader<'_>) -> bool {
    match (service, op) {
        ("configure", "list" | "get" | "list-profiles" | "export-credentials") => {}
        ("configure", _) => config(out),
        ("sso", "login" | "logout") | ("login" | "logout", _) => login(out),
        ("eks", "update-kubeconfig") => kubeconfig(out),
        ("lambda", "invoke")
        | ("polly", "synthesize-speech")
        | ("glacier", "get-job-output")
        | ("apigateway", "get-export" | "get-sdk")
        | ("kinesis-video-media", "get-media") => {
            if service == "lambda" {
                let name = out.words.text("--function-name").unwrap_or_default();
                out.add(C::Opaque, format!("aws:lambda:function:{name}"), R::Irreversible);
            }
            out_file(out);
        }
        _ => return false,
    }
    true
}

/// `aws configure` writes the configuration, and with keys the credentials beside it.
pub fn config(out: &mut Reader<'_>) {
    home(C::Mutate, ".aws/config", out);
}

/// Tokens of a login lie below the home directory; the login itself cannot be taken back.
pub fn login(out: &mut Reader<'_>) {
    home(C::Access, ".aws/sso", out);
    if let Some(effect) = out.effects.last_mut() {
        effect.reversibility = R::Compensating;
        effect.locator = None;
    }
}

fn kubeconfig(out: &mut Reader<'_>) {
    if out.words.has(&["--kubeconfig"]) {
        let file = out.words.named("--kubeconfig").and_then(|v| v.first().map(|w| (*w).clone()));
        return file.into_iter().for_each(|file| out.file(C::Mutate, &file));
    }
    home(C::Mutate, ".kube/config", out);
}

fn home(class: C, name: &str, out: &mut Reader<'_>) {
    let at = out.cx.home.map(|home| crate::model::Bytes::from(home.join(name)));
    out.path(class, format!("path:~/{name}"), at);
}

/// What these fetch goes into the file that their last word names: after the operation, or the word that the last option
/// did not take.
pub fn out_file(out: &mut Reader<'_>) {
    let stray = out.words.options.last().filter(|(_, values)| values.len() > 1).and_then(|(_, v)| v.last());
    let file = out.words.operands.get(2).map(|w| (*w).clone()).or_else(|| stray.cloned());
    file.into_iter().for_each(|file| out.file(C::Overwrite, &file));
}
