//! Quantities people write as text: a chance (`1%`), a rate (`20/s`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A probability in parts per million, written as a percentage: `1%`, `0.5%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chance(pub u32);

/// Events per second, held as events per million seconds; written `20/s`, `0.5/s`, `30/m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub u64);

impl Chance {
    /// Never.
    pub const NEVER: Chance = Chance(0);
    /// Always.
    pub const ALWAYS: Chance = Chance(1_000_000);

    /// As a number between 0 and 1.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// The chance that this or `other` happens, if they are independent.
    pub fn or(self, other: Chance) -> Chance {
        let both = u64::from(self.0) * u64::from(other.0) / 1_000_000;
        Chance(u32::try_from(u64::from(self.0) + u64::from(other.0) - both).unwrap_or(1_000_000))
    }
}

impl Rate {
    /// From events per second.
    pub fn per_second(n: f64) -> Rate {
        Rate(libm::round(n * 1e6) as u64)
    }

    /// Events per second.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 1e4)
    }
}

impl FromStr for Chance {
    type Err = String;
    fn from_str(text: &str) -> Result<Chance, String> {
        let help = || format!("`{text}` is not a chance; write a percentage from `0%` to `100%`");
        let number =
            text.strip_suffix('%').or_else(|| text.strip_suffix("pct")).ok_or_else(help)?;
        let percent: f64 = number.trim().parse().map_err(|_| help())?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(help());
        }
        Ok(Chance(libm::round(percent * 1e4) as u32))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.as_f64())
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Rate, String> {
        let help = || {
            format!(
                "`{text}` is not a rate; write a number per second or minute, as in `20/s`, `30/m`"
            )
        };
        let (number, per) = match text.split_once('/') {
            Some((number, "s")) => (number, 1.0),
            Some((number, "m")) => (number, 60.0),
            Some((number, "h")) => (number, 3600.0),
            Some(_) => return Err(help()),
            None => (text.strip_suffix("ps").ok_or_else(help)?, 1.0),
        };
        let number: f64 = number.trim().parse().map_err(|_| help())?;
        if !number.is_finite() || number < 0.0 {
            return Err(help());
        }
        Ok(Rate::per_second(number / per))
    }
}

macro_rules! as_text {
    ($($unit:ty),*) => {$(
        impl Serialize for $unit {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<$unit, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_text!(Chance, Rate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_read_and_write_as_people_do() {
        assert_eq!("1%".parse(), Ok(Chance(10_000)));
        assert_eq!("2pct".parse(), Ok(Chance(20_000)));
        assert_eq!(Chance(5_000).to_string(), "0.5%");
        assert_eq!("20/s".parse(), Ok(Rate(20_000_000)));
        assert_eq!("30/m".parse(), Ok(Rate(500_000)));
        assert_eq!(Rate(500_000).to_string(), "0.5/s");
        for wrong in ["1", "101%", "-1%", "x%", ""] {
            assert!(wrong.parse::<Chance>().is_err(), "{wrong}");
        }
        for wrong in ["1", "1/y", "-1/s", "inf/s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn independent_chances_combine() {
        assert_eq!(Chance(500_000).or(Chance(500_000)), Chance(750_000));
        assert_eq!(Chance::ALWAYS.or(Chance(10)), Chance::ALWAYS);
    }
}
