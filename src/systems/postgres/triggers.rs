//! What a table's triggers may do beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::session::Psql;
use crate::error::Result;
use crate::model::{Bytes, Missing};
use crate::systems::tables::{Number, Relation};

/// Names the triggers of these tables whose functions may write elsewhere: nobody follows them.
pub fn missing(psql: &mut Psql, relations: &BTreeMap<Number, Relation>) -> Result<Vec<Missing>> {
    let oids: BTreeSet<Number> = relations.keys().copied().collect();
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let list: Vec<String> = oids.iter().map(ToString::to_string).collect();
    // Only the languages whose text is known can be looked at; a function that names no writing statement writes nothing.
    let query = format!(
        "SELECT t.tgrelid, t.tgname, p.proname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
         JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgrelid IN ({}) \
         AND (l.lanname NOT IN ('plpgsql', 'internal') OR (l.lanname = 'plpgsql' AND p.prosrc ~* \
         '\\m(insert|update|delete|truncate|merge|execute|perform|copy|call|dblink|notify|drop|create|alter)\\M')) ORDER BY 1, 2",
        list.join(",")
    );
    let mut out = Vec::new();
    for row in psql.table(&query)? {
        let value = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let Some(relation) = value(0).parse().ok().and_then(|oid: Number| relations.get(&oid)) else {
            continue;
        };
        out.push(Missing {
            what: Bytes::from(format!("sql:table:{}", relation.name)),
            why: format!(
                "its trigger {} runs {}: what that writes elsewhere is not kept",
                value(1),
                value(2)
            ),
        });
    }
    Ok(out)
}
