//! `aws s3`: places instead of operations.

use super::Reader;
use crate::model::{EffectClass as C, Reversibility as R, Word};

/// Reads one of its commands.
pub fn read(op: &str, out: &mut Reader<'_>) {
    let places: Vec<Word> = out.words.from(2).iter().map(|w| (*w).clone()).collect();
    match op {
        "ls" | "presign" => {}
        "rb" => remove_bucket(&places, out),
        "mb" => places
            .first()
            .into_iter()
            .for_each(|bucket| out.add(C::Create, format!("aws:s3:bucket:{}", key(bucket)), R::Exact)),
        "rm" => remove(&places, out),
        "cp" | "mv" => copy(op, &places, out),
        "sync" => {
            let class = if out.words.has(&["--delete"]) { C::Destroy } else { C::Overwrite };
            let to = places.get(1).map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            if places.get(1).is_some_and(|to| !is_s3(to)) {
                out.not_kept("it writes files of this machine, which its words do not name");
            }
            out.add(class, format!("dyn:what s3 sync --dryrun lists for {to}"), R::Exact);
        }
        "website" => places
            .first()
            .into_iter()
            .for_each(|bucket| out.add(C::Mutate, format!("aws:s3:bucket:{}", key(bucket)), R::Exact)),
        other => out.opaque(&format!("aws s3 {other}")),
    }
}

fn key(word: &Word) -> String {
    word.text.lossy().trim_start_matches("s3://").to_owned()
}

fn is_s3(word: &Word) -> bool {
    word.text.as_slice().starts_with(b"s3://")
}

fn remove_bucket(places: &[Word], out: &mut Reader<'_>) {
    let Some(bucket) = places.first() else { return };
    if !bucket.certain {
        return out.add(C::Destroy, format!("dyn:{}", bucket.text.lossy()), R::Recreate);
    }
    out.add(C::Destroy, format!("aws:s3:bucket:{}", key(bucket).trim_end_matches('/')), R::Recreate);
    if out.words.has(&["--force"]) {
        out.add(C::Destroy, "dyn:all objects of the bucket", R::Recreate);
    }
}

fn remove(places: &[Word], out: &mut Reader<'_>) {
    let recursive = out.words.has(&["--recursive"]);
    match places.first() {
        Some(place) if !recursive && place.certain => {
            out.add(C::Destroy, format!("aws:s3:object:{}", key(place)), R::Exact)
        }
        Some(place) => out.add(C::Destroy, format!("dyn:{}", place.text.lossy()), R::Exact),
        None => {}
    }
}

fn copy(op: &str, places: &[Word], out: &mut Reader<'_>) {
    let [from, to, ..] = places else { return };
    if out.words.has(&["--recursive"]) {
        if op == "mv" {
            out.add(C::Destroy, format!("dyn:{}", from.text.lossy()), R::Exact);
        }
        if !is_s3(to) {
            out.not_kept("it writes files of this machine, which its words do not name");
        }
        return out.add(C::Overwrite, format!("dyn:{}", to.text.lossy()), R::Exact);
    }
    if op == "mv" && is_s3(from) {
        out.add(C::Destroy, format!("aws:s3:object:{}", key(from)), R::Exact);
    } else if op == "mv" {
        out.file(C::Destroy, from);
    }
    // `-` is standard output.
    if to.as_str() != Some("-") {
        put(from, to, out);
    }
}

/// What a copy of one object writes: a name is added where the target is a directory.
fn put(from: &Word, to: &Word, out: &mut Reader<'_>) {
    let base = from.text.lossy().rsplit('/').next().unwrap_or_default().to_owned();
    let target = to.text.lossy().into_owned();
    if !to.certain {
        return out.add(C::Overwrite, format!("dyn:{target}"), R::Exact);
    }
    if is_s3(to) {
        out.add(C::Overwrite, format!("aws:s3:object:{}", destination(&target, &base)), R::Exact);
    } else if target == "." || target.ends_with('/') {
        let path = format!("{}/{base}", target.trim_end_matches('/'));
        out.file(C::Overwrite, &Word { text: path.as_str().into(), ..to.clone() });
    } else {
        out.file(C::Overwrite, to);
    }
}

/// `BUCKET/KEY` of what a copy to a place writes.
pub fn destination(place: &str, base: &str) -> String {
    let key = place.trim_start_matches("s3://");
    let bare = key.ends_with('/') || !key.contains('/');
    if bare { format!("{}/{base}", key.trim_end_matches('/')) } else { key.to_owned() }
}
