//! bq: verbs by table.

use crate::model::{EffectClass as C, Reversibility as R};
use crate::systems::words::{Reader, Takes, Words};

/// `bq`
pub fn bq(out: &mut Reader<'_>) {
    let words =
        Words::split(out.inv.args(), Takes::One(&["--project_id", "--dataset_id", "--location", "--format"]));
    match words.operand(0) {
        "rm" => out.each(C::Destroy, "gcp:bq:", words.from(1), R::Recreate),
        "mk" => out.each(C::Create, "gcp:bq:", words.from(1), R::Exact),
        "load" | "cp" => out.add(C::Overwrite, "dyn:bq table", R::Exact),
        "update" => out.add(C::Mutate, "dyn:bq table", R::Exact),
        "query" => super::sql::statements(out, words.operand(1)),
        _ => {}
    }
}
