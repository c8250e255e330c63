//! A configuration that the command itself brings along may name programs: nothing is asked with it before the command may run.

use std::path::PathBuf;

use super::query::Access;
use crate::error::{Error, Result};

/// `credential_process`, plugins and aliases name programs.
pub fn refuse_programs(access: &Access) -> Result<()> {
    let is_new = |name: &str| {
        access.env.get(name).filter(|v| std::env::var_os(name).as_deref() != Some(v.as_path().as_os_str()))
    };
    let mut files: Vec<PathBuf> = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]
        .into_iter()
        .filter_map(is_new)
        .map(|v| access.cwd.join(v.as_slice()).as_path().to_path_buf())
        .collect();
    if let Some(home) = is_new("HOME") {
        let home = home.as_path();
        if home.join(".aws/cli/alias").symlink_metadata().is_ok() {
            return Err(Error::failure(
                "the home directory that the command names has aliases of aws, and the command is not allowed yet",
            ));
        }
        files.extend([home.join(".aws/config"), home.join(".aws/credentials")]);
    }
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if ["credential_process", "[plugins]", "cli_legacy_plugin_path"]
            .iter()
            .any(|part| text.contains(part))
        {
            let what = format!("{} runs a program for credentials", path.display());
            return Err(Error::failure(format!("{what}, and the command that names it is not allowed yet")));
        }
    }
    Ok(())
}
