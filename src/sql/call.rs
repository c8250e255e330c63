//! What calling a function does. A function that is not known may do anything.

use super::{Act, Name, Touch, functions};
use crate::model::{EffectClass as C, Reversibility as R};

/// What calling a function does.
pub fn called(name: &str, args: &str) -> Option<Act> {
    let lower = name.to_lowercase();
    let bare = lower.strip_prefix("pg_catalog.").unwrap_or(&lower);
    if functions::is_harmless(bare) {
        return None;
    }
    let sequence = || {
        let text = args.trim_start_matches('(');
        let text = text.split([',', ')']).next().unwrap_or_default().trim_matches(['\'', ' ', '"']);
        text.split("'::").next().unwrap_or_default().to_owned()
    };
    let object = |name: String, touch: Touch| {
        Some(Act::new(C::Mutate, format!("sql:sequence:{name}"), R::Exact, touch))
    };
    match bare {
        "nextval" => object(sequence(), Touch::Nothing),
        "setval" => {
            let name = sequence();
            let parts = name.split('.').map(|p| (p.to_owned(), false)).collect();
            let touch = Touch::Object {
                kind: "sequence".into(),
                name: Name { parts },
                dropped: false,
                cascade: false,
            };
            object(name, touch)
        }
        "pg_terminate_backend" | "pg_cancel_backend" => {
            Some(Act::new(C::Disrupt, "sql:connection", R::Irreversible, Touch::Server))
        }
        "pg_reload_conf" | "pg_rotate_logfile" | "pg_promote" | "pg_switch_wal" => {
            Some(Act::new(C::Mutate, "sql:server", R::Irreversible, Touch::Server))
        }
        "pg_stat_reset" | "pg_stat_statements_reset" => {
            Some(Act::new(C::Destroy, "sql:statistics", R::Irreversible, Touch::Server))
        }
        "pg_drop_replication_slot" => {
            Some(Act::new(C::Destroy, "sql:replication-slot", R::Irreversible, Touch::Server))
        }
        "lo_unlink" => Some(Act::new(
            C::Destroy,
            "sql:large-object",
            R::Irreversible,
            Touch::Elsewhere("large objects".into()),
        )),
        _ => Some(Act::anything(&format!("function {name}"))),
    }
}
