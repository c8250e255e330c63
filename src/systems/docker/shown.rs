//! Descriptions fit for a terminal: without the values of environment variables, which are often secrets.

use serde_json::Value;

/// A description as text.
pub fn shown(name: &str, description: &[u8]) -> Option<String> {
    if name.starts_with("file/") {
        return None;
    }
    let mut value: Value = serde_json::from_slice(description).ok()?;
    let hide = |word: &mut Value| {
        if let Some((name, _)) = word.as_str().and_then(|text| text.split_once('=')) {
            *word = Value::from(format!("{name}=(not shown)"));
        }
    };
    for list in [
        "/Config/Env",
        "/Config/CreateCommand",
        "/ContainerConfig/Env",
        "/Spec/TaskTemplate/ContainerSpec/Env",
    ] {
        value.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten().for_each(hide);
    }
    if let Some(data) = value.pointer_mut("/Spec/Data") {
        *data = Value::from("(not shown)");
    }
    // Command lines too may have a secret behind an option.
    for field in
        ["State", "GraphDriver", "NetworkSettings", "LogPath", "ResolvConfPath", "HostnamePath", "HostsPath"]
    {
        if let Some(map) = value.as_object_mut() {
            map.remove(field);
        }
    }
    serde_json::to_string_pretty(&value).ok()
}
