//! Before a command: the keys that it is about to change.

use std::time::{Duration, Instant};

use super::ID;
use super::client::Client;
use super::query::{self, Access, Ask};
use super::state::Keys;
use super::text::unquoted;
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Missing, StateRef, SystemId};
use crate::systems::CaptureCx;

/// Stores the keys that a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    let ask = query::ask(locator)?;
    let access = Access::of(locator);
    let client = Client::of(&access, limit(cx));
    let mut missing = Vec::new();
    let again_of = query::state(locator);
    let keys = match again_of {
        // The present of what an earlier capture covers: an undo is about to write it.
        Some(id) => {
            again(&client, &Keys::load(&StateRef { digest: id, object: Some(id) }, cx.source)?, true)?
        }
        None => read(&client, &access, &ask, Some(&mut missing), cx)?,
    };
    if let Some(besides) = ask.besides.as_ref().filter(|_| again_of.is_none()) {
        missing.push(Missing {
            what: Bytes::from(besides.as_str()),
            why: "what else it touches is not known before it runs".to_owned(),
        });
    }
    if keys.records.is_empty() && keys.config.is_empty() && missing.is_empty() {
        return Ok(Vec::new());
    }
    let state = keys.store(cx.sink)?;
    let mut place = query::locator(&Access { password: None, ..access.clone() }, &ask);
    place.unsaid.clear();
    query::note_state(&mut place, state.object);
    Ok(vec![Capture {
        system: SystemId::new(ID),
        resource: Bytes::from(resource_of(&access, &ask, &keys)),
        locator: place,
        state,
        missing,
        items: keys.count(),
        bytes: keys.bytes,
    }])
}

fn resource_of(access: &Access, ask: &Ask, keys: &Keys) -> String {
    const NAMED: usize = 3;
    let server = access.server();
    let names: Vec<String> = keys.records.keys().map(|(db, key)| named(*db, key)).collect();
    match names.as_slice() {
        _ if ask.all => format!("redis:{server}: all {} keys", keys.records.len()),
        _ if !ask.whole.is_empty() => {
            let list = ask.whole.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            format!("redis:{server}: all {} keys of database {list}", keys.records.len())
        }
        [] => format!("redis:{server}: its configuration"),
        few if few.len() <= NAMED => few.join(" "),
        [first, ..] => format!("{first} and {} more", names.len() - 1),
    }
}

/// A key as a resource.
pub fn named(db: u32, key: &[u8]) -> String {
    let key = String::from_utf8_lossy(key);
    if db == 0 { format!("redis:{key}") } else { format!("redis:{db}/{key}") }
}

/// The keys of a capture as they are now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Keys::load(&captured.state, cx.source)?;
    let access = Access::of(&captured.locator);
    let client = Client::of(&access, limit(cx));
    again(&client, &earlier, cx.contents)?.store(cx.sink)
}

/// The same keys once more. What was made since is none of them.
pub fn again(client: &Client, earlier: &Keys, contents: bool) -> Result<Keys> {
    let mut now = Keys { server: earlier.server.clone(), ..Keys::default() };
    let mut dbs: Vec<u32> = earlier.records.keys().map(|(db, _)| *db).collect();
    dbs.dedup();
    for db in dbs {
        let keys: Vec<Vec<u8>> =
            earlier.records.keys().filter(|(own, _)| *own == db).map(|(_, key)| key.clone()).collect();
        client.values(db, &keys, &mut |key, value| {
            now.note(db, key, value, contents);
            Ok(())
        })?;
    }
    config(client, earlier.config.keys(), &mut now)?;
    Ok(now)
}

fn read(
    client: &Client,
    access: &Access,
    ask: &Ask,
    mut missing: Option<&mut Vec<Missing>>,
    cx: &CaptureCx<'_>,
) -> Result<Keys> {
    let mut found = Keys { server: access.server(), ..Keys::default() };
    let whole = if ask.all { client.databases()? } else { ask.whole.clone() };
    let mut wanted: Vec<(u32, Vec<Vec<u8>>)> = Vec::new();
    for db in whole {
        wanted.push((db, client.keys(db)?));
    }
    for (db, keys) in &ask.keys {
        wanted.push((*db, keys.iter().map(|key| key.0.clone()).collect()));
    }
    let mut left_out = 0u64;
    for (db, keys) in &wanted {
        client.values(*db, keys, &mut |key, value| {
            let size = value.as_ref().map_or(0, |value| value.dump.len() as u64);
            if value.is_some() && found.bytes + size > cx.caps.redis_bytes {
                left_out += 1;
            } else {
                found.note(*db, key, value, true);
            }
            Ok(())
        })?;
    }
    if left_out > 0
        && let Some(missing) = missing.as_mut()
    {
        missing.push(Missing {
            what: Bytes::from(format!("{left_out} keys of {}", access.server())),
            why: format!("over the cap of {} bytes (caps.redis_bytes)", cx.caps.redis_bytes),
        });
    }
    config(client, ask.config.iter(), &mut found)?;
    Ok(found)
}

fn config<'n>(client: &Client, names: impl Iterator<Item = &'n String>, found: &mut Keys) -> Result<()> {
    for name in names {
        let answer = client.ask(0, &[b"CONFIG", b"GET", name.as_bytes()])?;
        let strings: Vec<String> = answer
            .iter()
            .filter_map(|line| unquoted(line))
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .collect();
        for pair in strings.chunks_exact(2) {
            if let [name, value] = pair {
                found.config.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(())
}

fn limit(cx: &CaptureCx<'_>) -> Instant {
    let own = Instant::now() + Duration::from_secs(cx.caps.redis_seconds);
    cx.deadline.map_or(own, |deadline| deadline.min(own))
}
