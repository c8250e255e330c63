//! Whose account a command acts on, as its options and its environment say.

use crate::model::{Bytes, Invocation};
use crate::systems::AssessCx;
use crate::systems::aws::query::Access;
use crate::systems::aws::words::Words;

/// Global options that choose credentials, region and endpoint. They are passed on as given.
const CHOOSE: &[&str] = &["--region", "--profile", "--endpoint-url", "--ca-bundle"];

/// The same without a value.
const SWITCHES: &[&str] = &["--no-verify-ssl", "--no-sign-request"];

/// Variables that choose them (botocore/configprovider.py); none is a secret. Those of single services
/// (`AWS_ENDPOINT_URL_S3`) are found by their beginning.
const VARIABLES: &[&str] = &[
    "HOME",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
];
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Variables that are credentials: used for the capture where the command sets them, and not recorded.
const SECRETS: &[&str] =
    &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];

/// How the command reaches its account.
///
/// # Errors
/// Where we could not reach the same one: the reason, for people.
pub fn read(words: &Words<'_>, inv: &Invocation, cx: &AssessCx<'_>) -> Result<Access, String> {
    let mut access = Access::default();
    let of_command = inv.env.iter().map(|(name, _)| name.as_str());
    let of_world = cx.env.keys().map(String::as_str);
    let endpoints = of_command.chain(of_world).filter(|name| name.starts_with(ENDPOINT));
    for name in VARIABLES.iter().copied().chain(endpoints) {
        match value(name, inv, cx) {
            Some(Some(value)) => drop(access.env.insert(name.to_owned(), value.clone())),
            Some(None) => return Err(format!("the value of {name} is not known before it runs")),
            None => {}
        }
    }
    for name in SECRETS {
        match inv.env.iter().rev().find(|(n, _)| n == name) {
            Some((_, Some(value))) => drop(access.secrets.insert((*name).to_owned(), value.clone())),
            Some((_, None)) => return Err(format!("the value of {name} is not known before it runs")),
            None => {}
        }
    }
    let is_root = access.env.get("HOME").is_some_and(|home| home.as_slice() == b"/root");
    let other_user = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    if !is_root && inv.wrappers.iter().any(other_user) {
        return Err("it runs as another user, whose credentials are not ours to use".to_owned());
    }
    for (name, word) in words.globals.iter().filter(|(name, _)| CHOOSE.contains(name)) {
        let value =
            word.as_str().ok_or_else(|| format!("the value of {name} is not known before it runs"))?;
        if *name == "--endpoint-url" && value.contains('@') {
            return Err("its endpoint holds credentials, which the record does not keep".to_owned());
        }
        access.flags.extend([(*name).to_owned(), value.to_owned()]);
    }
    let switches = words.switches.iter().filter(|name| SWITCHES.contains(name));
    access.flags.extend(switches.map(|name| (*name).to_owned()));
    access.cwd = inv.cwd.clone().ok_or("the directory that it runs in is not known")?;
    Ok(access)
}

fn value<'v>(name: &str, inv: &'v Invocation, cx: &'v AssessCx<'_>) -> Option<Option<&'v Bytes>> {
    match inv.env.iter().rev().find(|(n, _)| n == name) {
        Some((_, value)) => Some(value.as_ref()),
        None => cx.env.get(name).map(Some),
    }
}
