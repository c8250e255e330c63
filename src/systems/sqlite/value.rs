//! Values as fields of a row: their type goes with them, since a column of SQLite may hold any.

use rusqlite::types::{Value, ValueRef};

use crate::systems::tables::{escape, unescape};

/// A value as a field.
pub fn field(value: ValueRef<'_>) -> Vec<u8> {
    let text = match value {
        ValueRef::Null => return escape(None),
        ValueRef::Integer(i) => format!("i{i}").into_bytes(),
        ValueRef::Real(r) => format!("r{:016x}", r.to_bits()).into_bytes(),
        ValueRef::Text(t) => [b"t", t].concat(),
        ValueRef::Blob(b) => {
            let hex: String = b.iter().map(|b| format!("{b:02x}")).collect();
            format!("b{hex}").into_bytes()
        }
    };
    escape(Some(&text))
}

/// A field as a value.
pub fn value(field: &[u8]) -> Value {
    let Some(text) = unescape(field) else { return Value::Null };
    let (kind, rest) = text.split_first().unwrap_or((&b't', &[]));
    let plain = || String::from_utf8_lossy(rest).into_owned();
    match kind {
        b'i' => Value::Integer(plain().parse().unwrap_or_default()),
        b'r' => Value::Real(f64::from_bits(u64::from_str_radix(&plain(), 16).unwrap_or_default())),
        b'b' => {
            let digits = plain();
            let byte =
                |at: usize| u8::from_str_radix(digits.get(at..at + 2).unwrap_or("0"), 16).unwrap_or_default();
            Value::Blob((0..digits.len() / 2).map(|i| byte(i * 2)).collect())
        }
        _ => Value::Text(plain()),
    }
}

#[cfg(test)]
mod tests {
    use super::{field, value};
    use rusqlite::types::{Value, ValueRef};

    #[test]
    fn every_type_comes_back() {
        for v in [
            Value::Null,
            Value::Integer(-3),
            Value::Real(0.1 + 0.2),
            Value::Text("tab\there\\N".to_owned()),
            Value::Blob(vec![0, 255, 10]),
        ] {
            assert_eq!(value(&field(ValueRef::from(&v))), v);
        }
    }
}
