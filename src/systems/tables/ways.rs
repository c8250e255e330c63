//! Rows that somebody changed since: what each policy of `fr undo --on-conflict` would do about them. The rows and how they
//! are to be are written into the step, so that the plan that was shown is the one that is carried out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::steps::States;
use super::{Index, Move, Moves, Payload, State, Table, fields, hash_of};
use crate::error::{Error, Result};
use crate::model::{ObjectKind, ObjectSink, ObjectSource, Policy, StepVerdict, Way};
use crate::systems::PlanCx;

/// The most rows of a table that a policy writes.
const MOST: usize = 2_000;

/// Something in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// Of what, in the target grammar.
    pub what: String,
    /// Why, for people.
    pub why: String,
    /// The rows of a table, where it is about rows.
    pub rows: Option<(String, Vec<Vec<u8>>)>,
}

impl Clash {
    /// About something as a whole.
    pub fn plain(what: impl Into<String>, why: &str) -> Clash {
        Clash { what: what.into(), why: why.to_owned(), rows: None }
    }

    /// About rows of a table.
    pub fn rows(name: &str, keys: &[Vec<u8>]) -> Clash {
        let (count, some) = (keys.len(), shown(keys));
        let rows = if count == 1 { "1 row was".to_owned() } else { format!("{count} rows were") };
        let what = format!("sql:{name}[{count} rows]");
        Clash {
            what,
            why: format!("{rows} changed since{some}"),
            rows: Some((name.to_owned(), keys.to_vec())),
        }
    }
}

/// Keys are shown where they are numbers: others may be names or addresses of people.
fn shown(keys: &[Vec<u8>]) -> String {
    let plain = |key: &&Vec<u8>| {
        key.iter().all(|b| b.is_ascii_digit() || matches!(b, b'\t' | b'-')) && key.len() < 20
    };
    let some: Vec<String> =
        keys.iter().filter(plain).take(5).map(|k| String::from_utf8_lossy(k).replace('\t', "/")).collect();
    if some.is_empty() { String::new() } else { format!(" (key {})", some.join(", ")) }
}

/// Rows that a policy writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aimed {
    /// The table.
    pub table: String,
    /// The old rows are put into this table instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// The rows.
    pub rows: Vec<Aim>,
}

/// A row that a policy writes. Rows may be secret: hashes tell them apart, and which columns are taken from where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aim {
    key: String,
    /// The hash of the row that must be there; empty: none.
    now: String,
    /// The hash of what is to be there; empty: none.
    then: String,
    /// The columns whose old values are taken, the others stay; empty: the whole old row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<usize>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| text.get(at..at + 2).and_then(|d| u8::from_str_radix(d, 16).ok());
    (0..text.len()).step_by(2).filter_map(byte).collect()
}

/// Rows by key, of those that are wanted.
fn lines(table: &Table, keys: &[Vec<u8>], source: &dyn ObjectSource) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut out = BTreeMap::new();
    table.each_row(source, &mut |line| {
        let key = super::Row(line).key(&table.key);
        if keys.contains(&key) {
            out.insert(key, line.to_vec());
        }
        Ok(())
    })?;
    Ok(out)
}

/// What each policy would do about a conflict.
pub fn ways(clash: &Clash, payload: &Payload, states: &States, cx: &PlanCx<'_>) -> Result<Vec<Way>> {
    let Some((table, keys)) = &clash.rows else { return Ok(Vec::new()) };
    let all = [Policy::Merge, Policy::SideBySide, Policy::Force];
    let closed = |why: &str| all.map(|policy| Way::closed(policy, why)).to_vec();
    let (Some(b), Some(n)) = (states.before.read.get(table), states.now.read.get(table)) else {
        return Ok(closed("the table is not there"));
    };
    if b.key.is_empty() {
        return Ok(closed("the table has no key that tells its rows apart"));
    }
    if keys.len() > MOST {
        return Ok(closed(&format!("more than {MOST} rows are in conflict")));
    }
    let (old, present) = (b.index(cx.source)?, n.index(cx.source)?);
    let hash = |index: &Index, key: &Vec<u8>| index.0.get(key).map(|h| hex(h)).unwrap_or_default();
    let whole = |key: &Vec<u8>| Aim {
        key: hex(key),
        now: hash(&present, key),
        then: hash(&old, key),
        columns: Vec::new(),
    };
    let rows = |count: usize| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let way = |policy: Policy, action: String, aimed: Aimed| -> Result<Way> {
        let payload = Payload { aimed: Some(aimed), ..payload.clone() }.value()?;
        Ok(Way { policy, action, verdict: StepVerdict::Restore, locator: None, payload })
    };
    let force: Vec<Aim> = keys.iter().map(whole).collect();
    let mut out = vec![way(
        Policy::Force,
        format!("overwrite {} of {table} with the old values", rows(keys.len())),
        Aimed { table: table.clone(), beside: None, rows: force },
    )?];
    let there: Vec<&Vec<u8>> = keys.iter().filter(|key| old.0.contains_key(*key)).collect();
    out.push(match there.is_empty() {
        true => Way::closed(Policy::SideBySide, "the rows were not there before"),
        false => {
            let beside = super::beside_name(table, &format!("fr_{}", cx.event));
            let aimed = Aimed {
                table: table.clone(),
                beside: Some(beside.clone()),
                rows: there.iter().map(|key| whole(key)).collect(),
            };
            way(Policy::SideBySide, format!("put {} as they were into {beside}", rows(there.len())), aimed)?
        }
    });
    out.push(match merged((table, keys), (b, n), states, cx.source)? {
        Err(why) => Way::closed(Policy::Merge, why),
        Ok(merged) => way(
            Policy::Merge,
            format!(
                "give {} of {table} the old values of the columns that the command changed",
                rows(merged.len())
            ),
            Aimed { table: table.clone(), beside: None, rows: merged },
        )?,
    });
    Ok(out)
}

/// Column by column: what the command changed goes back, what others changed stays.
fn merged(
    (name, keys): (&str, &[Vec<u8>]),
    (b, n): (&Table, &Table),
    states: &States,
    source: &dyn ObjectSource,
) -> Result<std::result::Result<Vec<Aim>, String>> {
    let Some(a) = states.after.as_ref().and_then(|after| after.read.get(name)) else {
        return Ok(Err("how the command left the rows is not known".to_owned()));
    };
    let (was, left, is) = (lines(b, keys, source)?, lines(a, keys, source)?, lines(n, keys, source)?);
    let mut out = Vec::new();
    let mut same = 0;
    for key in keys {
        let (Some(was), Some(is)) = (was.get(key), is.get(key)) else {
            return Ok(Err("a row was made anew or taken out since".to_owned()));
        };
        let Some(left) = left.get(key) else {
            return Ok(Err("how the command left the rows was not kept".to_owned()));
        };
        let (was_all, is_all): (Vec<&[u8]>, Vec<&[u8]>) = (fields(was).collect(), fields(is).collect());
        let left_all: Vec<&[u8]> = fields(left).collect();
        let columns: Vec<usize> =
            (0..was_all.len()).filter(|at| was_all.get(*at) != left_all.get(*at)).collect();
        let settable = |at: &usize| b.columns.get(*at).is_some_and(|c| !c.computed);
        let columns: Vec<usize> = columns.into_iter().filter(settable).collect();
        same += usize::from(columns.iter().any(|at| is_all.get(*at) != left_all.get(*at)));
        let line = overlaid(was, is, &columns);
        let then = hash_of(&line);
        out.push(Aim { key: hex(key), now: hex(&hash_of(is)), then: hex(&then), columns });
    }
    if b.columns.iter().any(|c| c.computed) {
        return Ok(Err("the table has columns that are computed".to_owned()));
    }
    Ok(match same {
        0 => Ok(out),
        1 => Err("1 row was changed in the same columns".to_owned()),
        n => Err(format!("{n} rows were changed in the same columns")),
    })
}

/// The present row with the old values of some columns.
fn overlaid(was: &[u8], is: &[u8], columns: &[usize]) -> Vec<u8> {
    let was: Vec<&[u8]> = fields(was).collect();
    let of = |(at, field)| if columns.contains(&at) { was.get(at).copied().unwrap_or(field) } else { field };
    fields(is).enumerate().map(of).collect::<Vec<&[u8]>>().join(&b'\t')
}

impl Aimed {
    /// The state that the table is to have, and what is to be written of it. `now` is the present, read with its rows.
    ///
    /// # Errors
    /// The reason, where the present is not the one that the step was planned on.
    pub fn resolve(
        &self,
        before: &State,
        now: &State,
        objects: &(impl ObjectSource + ObjectSink),
    ) -> Result<std::result::Result<(State, Moves), String>> {
        let moved = || Ok(Err("somebody changed it between plan and undo".to_owned()));
        let (Some(b), Some(n)) = (before.read.get(&self.table), now.read.get(&self.table)) else {
            return moved();
        };
        let present = n.index(objects)?;
        let keys: Vec<Vec<u8>> = self.rows.iter().map(|row| unhex(&row.key)).collect();
        let (was, is) = (lines(b, &keys, objects)?, lines(n, &keys, objects)?);
        let (mut text, mut index, mut moves) = (Vec::new(), Index::default(), Moves::default());
        for (aim, key) in self.rows.iter().zip(&keys) {
            if present.0.get(key).map(|h| hex(h)).unwrap_or_default() != aim.now {
                return moved();
            }
            if aim.then.is_empty() {
                moves.rows.push((key.clone(), Move::Remove));
                continue;
            }
            let old = was.get(key).ok_or_else(|| Error::corrupt("an old row is not in the store"))?;
            let line = match (aim.columns.is_empty(), is.get(key)) {
                (true, _) => old.clone(),
                (false, Some(is)) => overlaid(old, is, &aim.columns),
                (false, None) => return moved(),
            };
            if hex(&hash_of(&line)) != aim.then {
                return moved();
            }
            index.add(key.clone(), hash_of(&line), false);
            text.extend_from_slice(&line);
            text.push(b'\n');
            moves.rows.push((key.clone(), if aim.now.is_empty() { Move::Insert } else { Move::Update }));
        }
        let rows = if text.is_empty() { Vec::new() } else { vec![objects.put(ObjectKind::Blob, &text)?] };
        let table = Table { rows, index: index.store(objects)?, digest: index.digest(), ..b.clone() };
        let mut state = before.clone();
        state.read = BTreeMap::from([(self.table.clone(), table)]);
        (state.defined, state.definitions, state.databases) = (None, Vec::new(), BTreeMap::new());
        state.sequences = BTreeMap::new();
        Ok(Ok((state, moves)))
    }

    /// The keys, and the hashes of what is to be there; `None`: nothing.
    pub fn keys(&self) -> impl Iterator<Item = (Vec<u8>, Option<[u8; 16]>)> + '_ {
        self.rows.iter().map(|row| (unhex(&row.key), unhex(&row.then).try_into().ok()))
    }

    /// How many of the rows are not as they were to be.
    pub fn differing(&self, now: &State, source: &dyn ObjectSource) -> Result<usize> {
        let index = match now.read.get(&self.table) {
            Some(table) => table.index(source)?,
            None => Index::default(),
        };
        let is = |row: &&Aim| index.0.get(&unhex(&row.key)).map(|h| hex(h)).unwrap_or_default() != row.then;
        Ok(self.rows.iter().filter(is).count())
    }
}

#[cfg(test)]
mod tests {
    use super::{overlaid, unhex};

    #[test]
    fn only_the_columns_that_the_command_changed_go_back() {
        assert_eq!(overlaid(b"1\told\tx", b"1\tnew\ttheirs", &[1]), b"1\told\ttheirs");
        assert_eq!(unhex("00ff0a"), [0, 255, 10]);
    }
}
