//! Amounts as Kubernetes writes them: `500m`, `1.5Gi`, `2e3` (apimachinery `pkg/api/resource/quantity.go`).

/// An amount in billionths, the finest that the server keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

const ONE: i128 = 1_000_000_000;

/// Suffixes with what they multiply by, in billionths.
const SUFFIXES: &[(&str, i128)] = &[
    ("Ki", ONE << 10),
    ("Mi", ONE << 20),
    ("Gi", ONE << 30),
    ("Ti", ONE << 40),
    ("Pi", ONE << 50),
    ("Ei", ONE << 60),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", ONE * 1_000),
    ("M", ONE * 1_000_000),
    ("G", ONE * 1_000_000_000),
    ("T", ONE * 1_000_000_000_000),
    ("P", ONE * 1_000_000_000_000_000),
    ("E", ONE * 1_000_000_000_000_000_000),
];

impl Quantity {
    /// So many whole ones.
    pub fn whole(count: usize) -> Quantity {
        Quantity(i128::try_from(count).unwrap_or(i128::MAX / ONE).saturating_mul(ONE))
    }

    /// Reads one; `None` where it is none.
    pub fn parse(text: &str) -> Option<Quantity> {
        let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, suffix) = text.split_at_checked(end)?;
        let unit = match suffix {
            "" => ONE,
            _ => SUFFIXES.iter().find(|(name, _)| *name == suffix).map(|(_, by)| *by).or_else(|| {
                let exponent: u32 = suffix.strip_prefix(['e', 'E'])?.trim_start_matches('+').parse().ok()?;
                10i128.checked_pow(exponent)?.checked_mul(ONE)
            })?,
        };
        let is_negative = number.starts_with('-');
        let number = number.trim_start_matches(['+', '-']);
        let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && rest.is_empty() {
            return None;
        }
        let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i128>().ok() };
        // What is finer than billionths of a unit counts for nothing in any quota.
        let rest = rest.get(..9).unwrap_or(rest);
        let part = digits(rest)?.checked_mul(unit)? / 10i128.checked_pow(u32::try_from(rest.len()).ok()?)?;
        let amount = digits(whole)?.checked_mul(unit)?.checked_add(part)?;
        Some(Quantity(if is_negative { -amount } else { amount }))
    }

    /// Both together.
    pub fn plus(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_add(other.0))
    }

    /// What is left, and never less than nothing.
    pub fn minus(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_sub(other.0).max(0))
    }

    /// For people: the largest binary unit that says it exactly from 1 Ki on, else a whole number, else thousandths.
    pub fn shown(self) -> String {
        if self.0 % ONE != 0 {
            return format!("{}m", self.0 / 1_000_000);
        }
        let binary = SUFFIXES.iter().take(6).rev();
        let fits = |(_, by): &&(&str, i128)| self.0 != 0 && self.0 % by == 0;
        match binary.into_iter().find(fits) {
            Some((name, by)) => format!("{}{name}", self.0 / by),
            None => (self.0 / ONE).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_the_server_reads_them() {
        for (text, same) in [
            ("1Gi", "1024Mi"),
            ("1.5Gi", "1536Mi"),
            ("0.5", "500m"),
            ("2e3", "2k"),
            ("1E", "1000P"),
            ("100M", "100000000"),
            (".5", "500m"),
            ("1000000000n", "1"),
        ] {
            assert_eq!(Quantity::parse(text), Quantity::parse(same), "{text}");
            assert!(Quantity::parse(text).is_some(), "{text}");
        }
        for text in ["", "Gi", "1Xi", "one", "1e", "9999999999999999999999999999999999999999", "."] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_as_people_write_them() {
        for (text, shown) in
            [("3072Mi", "3Gi"), ("1500m", "1500m"), ("7", "7"), ("0", "0"), ("2048", "2Ki"), ("1k", "1000")]
        {
            assert_eq!(Quantity::parse(text).unwrap().shown(), shown);
        }
        let gi = |n: usize| Quantity::parse(&format!("{n}Gi")).unwrap();
        assert_eq!((gi(1).plus(gi(2)), gi(3).minus(gi(5))), (gi(3), Quantity::default()));
        assert_eq!(Quantity::whole(3), Quantity::parse("3").unwrap());
    }
}
