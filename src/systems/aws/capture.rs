//! Before a command: what it is about to change, read by the same account, region and endpoint.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cli::Cli;
use super::kinds::{self, With};
use super::params::Params;
use super::query::{Access, Query};
use super::read::{self, ANY, Found};
use super::snapshot::{Account, Key, Part, Snapshot};
use super::{rows, s3, saving, shape, sibling};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Capture, Effect, EffectClass, Locator, Missing, ObjectId, ObjectKind, ObjectSink, ObjectSource,
    StateRef, SystemId,
};
use crate::systems::{CaptureCx, Held, Taken};

/// Option of a capture's locator: its own stored state, which knows the things.
const STATE: &str = "state";
/// How long AWS is waited for where somebody waits for the answer and nothing is about to be lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many things are asked for that others lead to (target groups of an account).
const MOST_MORE: usize = 400;

/// What was found, and what was not.
pub struct Gathered {
    /// The state.
    pub snapshot: Snapshot,
    /// How many bytes it has.
    pub bytes: u64,
    /// What is not in it.
    pub missing: Vec<Missing>,
    /// What was made in the account to save it, for people.
    pub saved: Vec<String>,
}

impl Gathered {
    /// Nothing yet.
    pub fn new(account: Account, operation: &str) -> Gathered {
        Gathered {
            snapshot: Snapshot::new(account, operation),
            bytes: 0,
            missing: Vec::new(),
            saved: Vec::new(),
        }
    }

    /// Notes what was found of a thing.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn add(&mut self, key: &Key, found: &Found, sink: &dyn ObjectSink) -> Result<()> {
        match found {
            Found::There(value) => {
                let (part, bytes) = stored(key, value, sink)?;
                self.bytes += bytes;
                self.snapshot.set(key, Some(part));
            }
            Found::Absent => self.snapshot.set(key, None),
            Found::Unknown(why) => self.miss(key.shown(), why),
        }
        Ok(())
    }

    /// Names what is not in it.
    pub fn miss(&mut self, what: impl Into<String>, why: &str) {
        self.missing.push(Missing { what: Bytes::from(what.into()), why: why.to_owned() });
    }
}

/// A value as it is kept.
fn stored(key: &Key, value: &Value, sink: &dyn ObjectSink) -> Result<(Part, u64)> {
    let text = value.to_string();
    let any = kinds::Kind::default();
    let digest = shape::digest(kinds::by_id(&key.kind).unwrap_or(&any), value);
    let json = sink.put(ObjectKind::Blob, text.as_bytes())?;
    Ok((Part { digest, json, listed: None, body: None }, text.len() as u64))
}

/// Stores what a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    if locator.opts.contains_key(STATE) {
        return capture_again(&effect.resource, locator, cx);
    }
    let query = Query::of(locator)?;
    let params = Params::of(&query.args, &query.access.cwd);
    let is_s3 = matches!(params.service.as_str(), "s3" | "s3api");
    let seconds = if is_s3 { cx.caps.aws_bucket_seconds } else { cx.caps.aws_seconds };
    if effect.class == EffectClass::Create
        && !is_s3
        && kinds::of_operation(&params.service, &params.op).is_empty()
    {
        return Err(Error::failure(
            "what it makes is named by its answer, which is not known before it runs",
        ));
    }
    let own = Instant::now() + Duration::from_secs(seconds);
    let until = cx.deadline.map_or(own, |deadline| deadline.min(own));
    let cli = Cli::of(&query.access, until)?;
    let gathered = match is_s3 {
        true => s3::gather(&cli, &params, &query, cx)?,
        false => gather(&cli, &params, cx)?,
    };
    if gathered.snapshot.is_empty() && gathered.missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut resource = resource_of(&gathered.snapshot, &effect.resource);
    if !gathered.saved.is_empty() {
        resource = Bytes::from(format!("{} ({})", resource.lossy(), gathered.saved.join("; ")));
    }
    let access = pinned(&query.access, &gathered.snapshot.account);
    Ok(vec![finished(gathered, resource, &access, cx)?])
}

fn gather(cli: &Cli, params: &Params, cx: &CaptureCx<'_>) -> Result<Gathered> {
    let operation = format!("{} {}", params.service, params.op);
    let mut keys: Vec<Key> = kinds::of_operation(&params.service, &params.op)
        .into_iter()
        .flat_map(|kind| params.keys(kind))
        .collect();
    if keys.is_empty() {
        keys = rows::keys(cli, params)?;
    }
    if keys.is_empty() {
        return sibling::gather(cli, params, &operation, cx);
    }
    // Those that are named by the same ids are asked for at once.
    for key in keys.clone() {
        for with in with_it(&key, params) {
            keys.extend(followed(&key, &with, None));
        }
    }
    keys.dedup();
    let looked = read::read(cli, &keys)?;
    let mut out = Gathered::new(looked.account, &operation);
    let mut more = Vec::new();
    for (key, found) in keys.iter().zip(&looked.found) {
        if is_empty_handed(key, found) {
            continue;
        }
        out.add(key, found, cx.sink)?;
        if let Found::There(value) = found {
            // It goes into a request as text.
            let data =
                value.get("Value").and_then(Value::as_str).filter(|_| key.kind == "ec2:instance-user-data");
            if data.is_some_and(|data| shape::unbase64(data).is_none()) {
                out.miss(key.shown(), "it is not text: it is kept, and a new instance starts without it");
            }
            for missed in misses(key, params) {
                out.miss(format!("{}: {missed}", key.shown()), "the AWS command line does not give it");
            }
            for with in with_it(key, params) {
                more.extend(followed(key, &with, Some(value)));
            }
        }
    }
    more.retain(|key| !out.snapshot.covers(key));
    for key in more.split_off(more.len().min(MOST_MORE)) {
        out.miss(key.shown(), &format!("more than {MOST_MORE} things would have to be asked for"));
    }
    if !more.is_empty() {
        match read::read(cli, &more) {
            Ok(looked) => {
                for (key, found) in more.iter().zip(&looked.found) {
                    if !is_empty_handed(key, found) {
                        out.add(key, found, cx.sink)?;
                    }
                }
            }
            Err(e) => more.iter().for_each(|key| out.miss(key.shown(), &e.what)),
        }
    }
    saving::save(cli, params, cx, &mut out)?;
    Ok(out)
}

/// Nothing of this kind hangs on the instance.
fn is_empty_handed(key: &Key, found: &Found) -> bool {
    *found == Found::Absent && kinds::by_id(&key.kind).is_some_and(|kind| kind.of_instance)
}

/// What no reading shows of what an operation removes or replaces.
fn misses(key: &Key, params: &Params) -> Vec<String> {
    let loses = params.removes()
        || params.op.starts_with("purge-")
        || params.op.ends_with("-code")
        || params.op.starts_with("batch-delete-");
    let kind = kinds::by_id(&key.kind).filter(|_| loses);
    kind.map(|kind| kind.misses.clone()).unwrap_or_default()
}

fn with_it(key: &Key, params: &Params) -> Vec<With> {
    let kind = kinds::by_id(&key.kind);
    kind.into_iter()
        .flat_map(|kind| kind.with.clone())
        .filter(|with| !with.removed || params.removes())
        .collect()
}

/// The keys of what goes with something. Without its values: where they only take its ids.
fn followed(key: &Key, with: &With, value: Option<&Value>) -> Vec<Key> {
    let by_value = with.ids.iter().any(|id| id.starts_with('/'));
    if by_value != value.is_some() {
        return Vec::new();
    }
    let Some(kind) = kinds::by_id(&key.kind) else { return Vec::new() };
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for id in &with.ids {
        let texts: Vec<String> = match (id.strip_prefix('$'), value) {
            (Some(name), _) => {
                let at = kind.parameters().position(|p| p.names.contains(&name));
                vec![at.map(|at| key.id(at).to_owned()).unwrap_or_default()]
            }
            (None, Some(value)) => match shape::all_at(value, id) {
                Some(Value::Array(list)) => {
                    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                Some(Value::String(text)) => vec![text],
                _ => Vec::new(),
            },
            (None, None) => Vec::new(),
        };
        let extend = |front: &Vec<String>| {
            texts
                .iter()
                .map(|t| front.iter().cloned().chain([t.clone()]).collect())
                .collect::<Vec<Vec<String>>>()
        };
        all = all.iter().flat_map(extend).collect();
    }
    all.into_iter().map(|ids| Key { kind: with.kind.clone(), ids }).collect()
}

/// Captures the present of what an earlier capture covers: an undo is about to write it.
fn capture_again(resource: &Bytes, locator: &Locator, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let id = locator.opts.get(STATE).and_then(Bytes::as_str).and_then(|hex| hex.parse::<ObjectId>().ok());
    let id = id.ok_or_else(|| Error::corrupt("a capture of an account that does not say what it covers"))?;
    let earlier = Snapshot::load(&StateRef { digest: id, object: Some(id) }, cx.source)?;
    let access = Access::of(locator);
    let cli = Cli::trusted(&access, patience(cx));
    let gathered = now(&cli, &earlier, true, cx)?;
    Ok(vec![finished(gathered, resource.clone(), &access, cx)?])
}

/// The things of a capture as they are now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Snapshot::load(&captured.state, cx.source)?;
    let access = Access::of(&captured.locator);
    let cli = Cli::trusted(&access, patience(cx));
    let gathered = now(&cli, &earlier, false, cx)?;
    match gathered.missing.first() {
        Some(missing) => Err(Error::failure(format!("{}: {}", missing.what.lossy(), missing.why))),
        None => gathered.snapshot.store(cx.sink),
    }
}

fn patience(cx: &CaptureCx<'_>) -> Instant {
    let own = Instant::now() + PATIENCE;
    cx.deadline.map_or(own, |deadline| deadline.min(own))
}

/// Looks at the same things again; `bodies`: contents that an undo is about to write over are kept too.
pub fn now(cli: &Cli, earlier: &Snapshot, bodies: bool, cx: &CaptureCx<'_>) -> Result<Gathered> {
    let (objects, keys): (Vec<Key>, Vec<Key>) = earlier.parts().map(|(key, _)| key).partition(s3::is_object);
    let looked = read::read(cli, &keys)?;
    same_account(&earlier.account, &looked.account)?;
    let account = Account { region: earlier.account.region.clone(), ..looked.account };
    let mut out = Gathered::new(account, &earlier.operation);
    for (key, found) in keys.iter().zip(&looked.found) {
        out.add(key, found, cx.sink)?;
    }
    if !objects.is_empty() {
        s3::look_again(cli, earlier, &objects, bodies, &mut out, cx)?;
    }
    Ok(out)
}

/// Checks that the credentials are still those of the recorded account.
///
/// # Errors
/// Where they are of another one: nothing there is what was captured.
pub fn same_account(recorded: &Account, now: &Account) -> Result<()> {
    if recorded.id.is_empty() || recorded.id == now.id {
        return Ok(());
    }
    let what = match now.id.is_empty() {
        true => format!(
            "the event was in account {}, and AWS does not say whose the credentials are",
            recorded.id
        ),
        false => format!("the credentials are of account {} now, the event was in {}", now.id, recorded.id),
    };
    Err(Error::failure(what).hint("use the profile of the recorded account"))
}

/// How it is reached later, when another region may be the configured one.
fn pinned(access: &Access, account: &Account) -> Access {
    let mut access = access.clone();
    access.secrets.clear();
    if !account.region.is_empty() && access.flag("--region").is_none() {
        access.flags.extend(["--region".to_owned(), account.region.clone()]);
    }
    access
}

fn finished(gathered: Gathered, resource: Bytes, access: &Access, cx: &CaptureCx<'_>) -> Result<Capture> {
    let Gathered { snapshot, bytes, missing, .. } = gathered;
    let state = snapshot.store(cx.sink)?;
    let mut locator = access.locator();
    locator.unsaid.clear();
    for (name, value) in [("account", &snapshot.account.id), ("arn", &snapshot.account.arn)] {
        if !value.is_empty() {
            locator.opts.insert(name.to_owned(), value.as_str().into());
        }
    }
    if let Some(id) = state.object {
        locator.opts.insert(STATE.to_owned(), Bytes::from(id.to_string()));
    }
    let items = snapshot.count();
    Ok(Capture { system: SystemId::new("aws"), resource, locator, items, bytes, state, missing })
}

/// What was captured, for people: by its names where they are few.
fn resource_of(snapshot: &Snapshot, asked: &Bytes) -> Bytes {
    const NAMED: usize = 3;
    let is_main = |key: &Key| !s3::is_object(key) && !key.kind.starts_with(ANY);
    let all: Vec<Key> = snapshot.parts().map(|(key, _)| key).collect();
    let objects: Vec<&Key> = all.iter().filter(|key| s3::is_object(key)).collect();
    if !asked.as_slice().starts_with(b"dyn:") && all.iter().filter(|k| is_main(k)).count() > NAMED {
        return asked.clone();
    }
    let mut names: Vec<String> = Vec::new();
    for name in all.iter().filter(|key| !s3::is_object(key)).map(Key::shown) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match objects.as_slice() {
        [] => {}
        few if few.len() <= NAMED => names.extend(few.iter().map(|key| key.shown())),
        many => names.push(format!(
            "{} objects of aws:s3:bucket:{}",
            many.len(),
            many.first().map_or("", |key| key.id(0))
        )),
    }
    if names.is_empty() || all.iter().any(|key| key.kind.starts_with(ANY)) {
        return asked.clone();
    }
    let rest = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    Bytes::from(format!("{}{rest}", names.join(" ")))
}

/// What an earlier capture holds of what a later one covers.
pub fn held(outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
    let (outer, inner) = (Snapshot::load(&outer.state, source)?, Snapshot::load(&inner.state, source)?);
    let same_place = outer.account.id == inner.account.id && outer.account.region == inner.account.region;
    if !same_place || !inner.parts().all(|(key, _)| outer.covers(&key)) {
        return Ok(Held::Nothing);
    }
    let digest = |part: Option<&Part>| part.map(|part| part.digest);
    let same = inner.parts().all(|(key, part)| digest(part) == digest(outer.part(&key)));
    Ok(if same { Held::Same } else { Held::Other })
}

/// Captures of the same things get the same locator: several events on them are one change then.
pub fn of_one_place(taken: &[Taken], source: &dyn ObjectSource) -> Result<Vec<Taken>> {
    let mut places: HashMap<(String, Vec<Key>), Locator> = HashMap::new();
    let mut out = Vec::new();
    for one in taken {
        let snapshot = Snapshot::load(&one.captured.before.state, source)?;
        let account = format!("{} {}", snapshot.account.id, snapshot.account.region);
        let mut one = one.clone();
        let locator = &mut one.captured.before.locator;
        let keys = snapshot.parts().map(|(key, _)| key).collect();
        let place = places.entry((account, keys)).or_insert_with(|| locator.clone());
        locator.clone_from(place);
        out.push(one);
    }
    Ok(out)
}
