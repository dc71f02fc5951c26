//! Simulated time: whole microseconds, so that native and wasm agree on every instant.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

/// An instant of simulated time, in microseconds since the start of the run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(pub u64);

/// A length of simulated time, in microseconds. Written as text with a unit: `250ms`, `1.5s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

impl Time {
    /// The start of every run.
    pub const ZERO: Time = Time(0);
    /// Later than any instant a run can reach.
    pub const NEVER: Time = Time(u64::MAX);

    /// The time since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the start, for display and metrics only.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of whole microseconds.
    pub const fn micros(n: u64) -> Span {
        Span(n)
    }

    /// A span of whole milliseconds.
    pub const fn millis(n: u64) -> Span {
        Span(n * 1_000)
    }

    /// A span of whole seconds.
    pub const fn secs(n: u64) -> Span {
        Span(n * 1_000_000)
    }

    /// The nearest whole microsecond to `micros`; negative and NaN become zero.
    pub fn from_micros_f64(micros: f64) -> Span {
        // A float to integer cast saturates, and NaN becomes zero.
        Span(libm::round(micros) as u64)
    }

    /// Seconds, for display and metrics only.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Milliseconds, for display and metrics only.
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// This span times `factor`, to the nearest microsecond.
    pub fn scale(self, factor: f64) -> Span {
        Span::from_micros_f64(self.0 as f64 * factor)
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        let whole = |unit: u64| n.is_multiple_of(unit);
        match n {
            0 => write!(f, "0s"),
            _ if n >= 3_600_000_000 && whole(3_600_000_000) => write!(f, "{}h", n / 3_600_000_000),
            _ if n >= 60_000_000 && whole(60_000_000) => write!(f, "{}m", n / 60_000_000),
            _ if n >= 1_000_000 => write!(f, "{}s", n as f64 / 1e6),
            _ if n >= 1_000 => write!(f, "{}ms", n as f64 / 1e3),
            _ => write!(f, "{n}us"),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}s", self.as_secs())
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let help = || {
            format!(
                "`{text}` is not a duration; write a number and a unit, as in `250ms`, `1.5s`, `2m`"
            )
        };
        let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(help)?;
        let (number, unit) = text.split_at(split);
        let micros = match unit {
            "us" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            "m" => 60e6,
            "h" => 3600e6,
            _ => return Err(help()),
        };
        let number: f64 = number.trim().parse().map_err(|_| help())?;
        if !number.is_finite() || number < 0.0 {
            return Err(help());
        }
        Ok(Span::from_micros_f64(number * micros))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Span, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_write_as_people_do() {
        for (text, micros) in
            [("250ms", 250_000), ("1.5s", 1_500_000), ("2m", 120_000_000), ("7us", 7), ("0s", 0)]
        {
            assert_eq!(text.parse::<Span>(), Ok(Span(micros)));
            assert_eq!(Span(micros).to_string(), text);
        }
        for wrong in ["", "5", "-1s", "1 parsec", "NaNs", "infs"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_span_survives_its_text() {
        for n in [1, 999, 1_001, 123_456, 7_654_321, 3_600_000_001, 86_400_000_000] {
            assert_eq!(Span(n).to_string().parse(), Ok(Span(n)));
        }
    }
}
