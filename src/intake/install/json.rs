//! Hooks in JSON files, put in and taken out beside what people have there: comments, order of keys, indentation and
//! trailing commas stay, because the text is edited through its concrete syntax tree and never printed anew.

use std::collections::BTreeMap;

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstObjectProp, CstRootNode};
use serde_json::Value;

use super::agents::{Event, JsonShape, ON_FAILURE, Spec};
use super::line;
use crate::error::{Error, Result};

/// What is registered for one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// A line that `fr install` wrote.
    Ours(String),
    /// A line that somebody wrote by hand.
    ByHand(String),
}

/// The text with a hook for each event. Text that has them all comes back as it was.
pub fn insert(text: &str, spec: &Spec, shape: &JsonShape, line: &str) -> Result<String> {
    let (bom, text) = split_bom(text);
    let blank = text.trim().is_empty();
    let root = parse(if blank { "{}\n" } else { text }, shape)?;
    let top = top(&root)?;
    if shape.version && top.get("version").is_none() {
        top.append("version", CstInputValue::Number("1".to_string()));
    }
    let hooks = object(&top, "hooks")?;
    for event in spec.events {
        register(&array(&hooks, event.name)?, event, shape, line);
    }
    Ok(format!("{bom}{root}"))
}

/// The text without what [`insert`] put there. `before` is the text as it was before `fr` came, where that is known:
/// containers that were there already stay, even if they are empty now.
pub fn remove(text: &str, shape: &JsonShape, before: Option<&str>) -> Result<String> {
    let (bom, text) = split_bom(text);
    if text.trim().is_empty() {
        return Ok(format!("{bom}{text}"));
    }
    let root = parse(text, shape)?;
    let top = top(&root)?;
    let before = before.map(|text| value(text).unwrap_or_else(|_| Value::Object(serde_json::Map::new())));
    let was_there = |pointer: &str| before.as_ref().is_some_and(|value| value.pointer(pointer).is_some());
    let mut emptied = false;
    if let Some(hooks) = top.object_value("hooks") {
        for event in hooks.properties() {
            let Some(elements) = event.array_value() else { continue };
            let took = unregister(&elements);
            let name = event.decoded_name().unwrap_or_default();
            if took && elements.elements().is_empty() && !was_there(&format!("/hooks/{name}")) {
                event.remove();
                emptied = true;
            }
        }
        if emptied
            && hooks.properties().is_empty()
            && !was_there("/hooks")
            && let Some(prop) = top.get("hooks")
        {
            prop.remove();
        }
    }
    let only_version = top.properties().len() == 1 && top.get("version").is_some_and(|p| is_one(&p));
    if shape.version && emptied && only_version && !was_there("/version") {
        top.properties().into_iter().for_each(CstObjectProp::remove);
    }
    Ok(format!("{bom}{root}"))
}

/// What is registered in the text, by event.
pub fn registered(text: &str, shape: &JsonShape) -> Result<BTreeMap<String, Registered>> {
    let (_, text) = split_bom(text);
    let mut found = BTreeMap::new();
    if text.trim().is_empty() {
        return Ok(found);
    }
    let root = parse(text, shape)?;
    let Some(hooks) = top(&root)?.object_value("hooks") else { return Ok(found) };
    for event in hooks.properties() {
        let (Some(name), Some(elements)) = (event.decoded_name(), event.array_value()) else { continue };
        let lines: Vec<String> = handlers(&elements).iter().filter_map(command).collect();
        let ours = lines.iter().find(|line| line::is_ours(line)).map(|line| Registered::Ours(line.clone()));
        let by_hand =
            || lines.iter().find(|line| line::is_by_hand(line)).map(|line| Registered::ByHand(line.clone()));
        if let Some(what) = ours.or_else(by_hand) {
            found.insert(name, what);
        }
    }
    Ok(found)
}

/// The value of a text with comments.
pub fn value(text: &str) -> Result<Value> {
    let (_, text) = split_bom(text);
    let root = CstRootNode::parse(text, &options()).map_err(|e| Error::failure(e.to_string()))?;
    root.to_serde_value().ok_or_else(|| Error::failure("the file holds no JSON value"))
}

/// True where nothing is left in the text but what belongs to nobody: blanks, or an empty object.
pub fn holds_nothing(text: &str) -> bool {
    text.trim().is_empty()
        || (value(text).is_ok_and(|v| v.as_object().is_some_and(serde_json::Map::is_empty))
            && text.trim().chars().all(|c| matches!(c, '{' | '}') || c.is_whitespace()))
}

/// Where a line of ours stands in its event's array: the index of the element and of the handler in it, for every
/// event, with the element's value.
pub fn positions(text: &str) -> Vec<(String, usize, usize, Value)> {
    let mut found = Vec::new();
    let value = value(text).unwrap_or(Value::Null);
    let Some(hooks) = value.get("hooks").and_then(Value::as_object) else { return found };
    for (event, elements) in hooks {
        for (i, element) in elements.as_array().into_iter().flatten().enumerate() {
            let handlers = element.get("hooks").and_then(Value::as_array);
            for (j, handler) in handlers.into_iter().flatten().enumerate() {
                let command = handler.get("command").and_then(Value::as_str).unwrap_or_default();
                if line::is_ours(command) || line::is_by_hand(command) {
                    found.push((event.clone(), i, j, element.clone()));
                }
            }
        }
    }
    found
}

fn split_bom(text: &str) -> (&str, &str) {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    }
}

/// Comments and trailing commas are common in settings; what else JSON5 has, no agent reads.
fn options() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

fn parse(text: &str, shape: &JsonShape) -> Result<CstRootNode> {
    let root = CstRootNode::parse(text, &options()).map_err(|e| {
        Error::failure(format!("it is not JSON: {e}")).hint("mend the file, then run this again")
    })?;
    if shape.strict
        && let Err(e) = serde_json::from_str::<serde::de::IgnoredAny>(text)
    {
        return Err(Error::failure(format!("its agent reads strict JSON and will not load it: {e}"))
            .hint("take comments and trailing commas out of the file, then run this again"));
    }
    Ok(root)
}

fn top(root: &CstRootNode) -> Result<CstObject> {
    root.object_value().ok_or_else(|| Error::failure("its top is not a JSON object"))
}

/// The object of that name, made where there is none.
fn object(parent: &CstObject, name: &str) -> Result<CstObject> {
    once(parent, name)?;
    parent
        .object_value_or_create(name)
        .ok_or_else(|| Error::failure(format!("{name:?} in it is not an object")))
}

fn array(parent: &CstObject, name: &str) -> Result<CstArray> {
    once(parent, name)?;
    parent
        .array_value_or_create(name)
        .ok_or_else(|| Error::failure(format!("{name:?} in it is not an array")))
}

/// Of a name that stands twice, agents take the last: what we add to the first would do nothing.
fn once(parent: &CstObject, name: &str) -> Result<()> {
    let same = |prop: &&CstObjectProp| prop.decoded_name().as_deref() == Some(name);
    match parent.properties().iter().filter(same).count() {
        0 | 1 => Ok(()),
        _ => Err(Error::failure(format!("{name:?} stands in it more than once"))),
    }
}

/// One hook in an event's array: the object with the command, and the object around it that has a matcher, where the
/// agent has those.
struct Handler {
    object: CstObject,
    element: CstNode,
    /// How many handlers the element has.
    siblings: usize,
}

fn handlers(elements: &CstArray) -> Vec<Handler> {
    let mut found = Vec::new();
    for element in elements.elements() {
        let Some(outer) = element.as_object() else { continue };
        match outer.array_value("hooks") {
            Some(inner) => {
                let objects: Vec<CstObject> =
                    inner.elements().iter().filter_map(CstNode::as_object).collect();
                let siblings = inner.elements().len();
                let handler = |object| Handler { object, element: element.clone(), siblings };
                found.extend(objects.into_iter().map(handler));
            }
            None => found.push(Handler { object: outer, element, siblings: 1 }),
        }
    }
    found
}

/// The line that a handler runs.
fn command(handler: &Handler) -> Option<String> {
    ["command", "bash"].iter().find_map(|name| {
        let literal = handler.object.get(name)?.value()?.as_string_lit()?;
        literal.decoded_value().ok()
    })
}

/// An entry of ours that an older agent got lacks what the newer one knows.
fn add_on_failure(handler: &Handler, wanted: &Value) {
    let what = wanted.pointer("/hooks/0").and_then(|handler| handler.get(ON_FAILURE)).and_then(Value::as_str);
    if let Some(what) = what.filter(|_| handler.object.get(ON_FAILURE).is_none()) {
        handler.object.append(ON_FAILURE, CstInputValue::String(what.to_owned()));
    }
}

fn register(elements: &CstArray, event: &Event, shape: &JsonShape, line: &str) {
    let wanted = (shape.element)(event, line);
    let all = handlers(elements);
    let is = |test: fn(&str) -> bool| move |h: &&Handler| command(h).is_some_and(|line| test(&line));
    let mut ours = all.iter().filter(is(line::is_ours));
    let Some(first) = ours.next() else {
        // Somebody's own registration does the same work: a second one would report every command twice.
        if all.iter().all(|handler| !command(handler).is_some_and(|line| line::is_by_hand(&line))) {
            elements.append(input(&wanted));
        }
        return;
    };
    ours.for_each(take_out);
    if command(first).as_deref() != Some(line) {
        if first.siblings == 1 {
            if let Some(element) = first.element.as_object() {
                element.replace_with(input(&wanted));
            }
        } else {
            let name = if first.object.get("bash").is_some() { "bash" } else { "command" };
            if let Some(prop) = first.object.get(name) {
                prop.set_value(CstInputValue::String(line.to_string()));
            }
            add_on_failure(first, &wanted);
        }
    } else {
        add_on_failure(first, &wanted);
    }
}

/// Takes our lines out; true where there was one.
fn unregister(elements: &CstArray) -> bool {
    // One at a time: taking one out changes how many stand beside the next.
    let mut took = false;
    while let Some(ours) =
        handlers(elements).into_iter().find(|h| command(h).is_some_and(|line| line::is_ours(&line)))
    {
        take_out(&ours);
        took = true;
    }
    took
}

fn take_out(handler: &Handler) {
    if handler.siblings == 1 {
        handler.element.clone().remove();
    } else {
        handler.object.clone().remove();
    }
}

fn is_one(prop: &CstObjectProp) -> bool {
    prop.value().and_then(|value| value.to_serde_value()) == Some(Value::from(1))
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(b) => CstInputValue::Bool(*b),
        Value::Number(n) => CstInputValue::Number(n.to_string()),
        Value::String(s) => CstInputValue::String(s.clone()),
        Value::Array(all) => CstInputValue::Array(all.iter().map(input).collect()),
        Value::Object(all) => {
            // serde_json sorts by name; people expect the matcher before what it selects.
            let mut all: Vec<_> = all.iter().map(|(name, value)| (name.clone(), input(value))).collect();
            all.sort_by_key(|(name, _)| match name.as_str() {
                "matcher" | "type" => 0,
                "command" | "bash" => 1,
                _ => 2,
            });
            CstInputValue::Object(all)
        }
    }
}
