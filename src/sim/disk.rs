//! A node's disk: writes take time, complete in order, and are lost in a crash until synced.

use crate::base::dist::Dist;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How a disk behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiskSettings {
    /// How long a synced write takes.
    pub latency: Dist,
    /// How long an unsynced write stays in memory before it is durable.
    pub flush: Span,
}

impl Default for DiskSettings {
    fn default() -> Self {
        DiskSettings { latency: Dist::ZERO, flush: Span::secs(5) }
    }
}

/// A disk and the writes it has not finished.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disk {
    /// How it behaves.
    pub settings: DiskSettings,
    /// Extra latency by a fault.
    pub extra: Span,
    stream: Stream,
    written: u64,
    durable: u64,
    pending: VecDeque<(u64, Time)>,
    busy_until: Time,
}

impl Disk {
    pub(super) fn new(settings: DiskSettings, stream: Stream) -> Disk {
        Disk {
            settings,
            extra: Span::ZERO,
            stream,
            written: 0,
            durable: 0,
            pending: VecDeque::new(),
            busy_until: Time::ZERO,
        }
    }

    /// Begins a write: its number, and when the writer is told that it is done.
    pub(super) fn write(&mut self, now: Time, sync: bool) -> (u64, Time) {
        self.settle(now);
        self.written += 1;
        let (told, durable) = if sync {
            let latency = self.settings.latency.sample(&mut self.stream) + self.extra;
            let done = (now + latency).max(self.busy_until);
            (done, done)
        } else {
            (now, (now + self.settings.flush).max(self.busy_until))
        };
        self.busy_until = durable;
        self.pending.push_back((self.written, durable));
        (self.written, told)
    }

    /// The number of the last durable write; the others are gone.
    pub(super) fn crash(&mut self, now: Time) -> u64 {
        self.settle(now);
        self.pending.clear();
        self.written = self.durable;
        self.busy_until = now;
        self.durable
    }

    fn settle(&mut self, now: Time) {
        while let Some(&(number, at)) = self.pending.front()
            && at <= now
        {
            self.durable = number;
            self.pending.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_keeps_what_was_synced_and_loses_the_rest() {
        let latency = Dist::Constant(100.0);
        let settings = DiskSettings { latency, flush: Span(1_000) };
        let mut disk = Disk::new(settings, Stream::new(0, "disk", 0));
        assert_eq!(disk.write(Time(0), true), (1, Time(100)));
        assert_eq!(disk.write(Time(10), true), (2, Time(110)));
        assert_eq!(disk.write(Time(20), false), (3, Time(20)));
        assert_eq!(disk.crash(Time(105)), 1);
        assert_eq!(disk.write(Time(200), false), (2, Time(200)));
        assert_eq!(disk.crash(Time(1_199)), 1);
        disk.write(Time(2_000), false);
        assert_eq!(disk.crash(Time(3_000)), 2);
    }
}
