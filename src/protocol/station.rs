//! Where work waits and is done: a bounded queue in front of workers. Services and stores are
//! built on it.

use super::note::Note;
use super::policy::concurrency::{Concurrency, ConcurrencySettings};
use super::policy::shed::{Shed, ShedSettings};
use super::rpc::{Answer, Refusal, Reply, Request};
use super::{Cx, Message, Timer};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How a station works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StationSettings {
    /// How many requests are worked on at once.
    pub workers: u32,
    /// How many may wait.
    pub queue: u32,
    /// Which one is next.
    pub order: Order,
    /// How long the work takes.
    pub time: Dist,
    /// How much longer for each request being worked on, this one included.
    pub contention: Span,
    /// The chance that the work fails.
    pub error: Chance,
    /// Drop requests that have waited too long.
    pub shed: Option<ShedSettings>,
    /// Refuse requests beyond a limit that adapts.
    pub limit: Option<ConcurrencySettings>,
}

impl Default for StationSettings {
    fn default() -> Self {
        StationSettings {
            workers: 1,
            queue: u32::MAX,
            order: Order::Fifo,
            time: Dist::ZERO,
            contention: Span::ZERO,
            error: Chance::NEVER,
            shed: None,
            limit: None,
        }
    }
}

/// Which waiting request is next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The oldest.
    #[default]
    Fifo,
    /// The newest: under overload, the one whose caller is most likely still there.
    Lifo,
}

/// A request in the house.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Who asked.
    pub source: NodeId,
    /// What for.
    pub request: Request,
    /// When it came.
    pub arrived: Time,
    /// When work on it began.
    pub started: Time,
    /// What the owner of the station keeps with it.
    pub progress: Progress,
}

/// What a service remembers of a job whose own work is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Calls not yet ended.
    pub pending: u8,
    /// The next dependency to call.
    pub next: u8,
    /// An optional dependency did not answer.
    pub degraded: bool,
    /// What a dependency answered is known to be out of date.
    pub stale: bool,
    /// A critical dependency did not answer; how.
    pub failed: Option<Answer>,
    /// Calls that may have changed something: all that were made for it but those known not to.
    pub changes: u8,
    /// The version the data had.
    pub version: u64,
    /// What the data was, as the last call was told.
    pub value: i64,
    /// The worker has been given back.
    pub released: bool,
}

/// What a station has done, for a fleet that asks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Meter {
    /// Requests answered since it began to serve.
    pub ended: u32,
    /// Of these, with an error.
    pub failed: u32,
    since: Time,
    at: Time,
    busy: u32,
    /// Time of busy workers since somebody asked, in worker-microseconds.
    work: u64,
}

impl Meter {
    /// From now on so many workers are busy.
    fn pass(&mut self, now: Time, busy: u32) {
        self.work += u64::from(self.busy) * now.since(self.at).0;
        (self.at, self.busy) = (now, busy);
    }

    /// The share of so many workers that were busy since this was asked last; none if no time has
    /// passed.
    pub fn read(&mut self, now: Time, workers: u32) -> Option<Chance> {
        self.pass(now, self.busy);
        let whole = now.since(self.since).0 * u64::from(workers);
        let work = std::mem::take(&mut self.work);
        self.since = now;
        let share = (u128::from(work) * 1_000_000).checked_div(u128::from(whole))?;
        Some(Chance(share.min(1_000_000) as u32))
    }

    /// It begins to serve.
    pub fn begin(&mut self, now: Time) {
        *self = Meter { since: now, at: now, busy: self.busy, ..Meter::default() };
    }
}

/// A queue, workers, and the requests in both.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Station {
    /// How it works.
    pub settings: StationSettings,
    waiting: VecDeque<Job>,
    jobs: Slab<Job>,
    busy: u32,
    /// It takes nothing new.
    pub closed: bool,
    /// What it has done of late.
    pub meter: Meter,
    shed: Option<Shed>,
    limit: Option<Concurrency>,
    times: Stream,
    errors: Stream,
}

impl Station {
    /// An empty station on a node.
    pub fn new(settings: StationSettings, seed: u64, node: NodeId) -> Station {
        let number = u64::from(node.0);
        Station {
            shed: settings.shed.as_ref().map(Shed::new),
            limit: settings.limit.as_ref().map(Concurrency::new),
            settings,
            waiting: VecDeque::new(),
            jobs: Slab::default(),
            busy: 0,
            closed: false,
            meter: Meter::default(),
            times: Stream::new(seed, "service time", number),
            errors: Stream::new(seed, "service error", number),
        }
    }

    /// Takes new settings; what waits goes on waiting.
    pub fn configure(&mut self, settings: StationSettings, cx: &mut Cx<'_>) {
        if settings.shed != self.settings.shed {
            self.shed = settings.shed.as_ref().map(Shed::new);
        }
        if settings.limit != self.settings.limit {
            self.limit = settings.limit.as_ref().map(Concurrency::new);
        }
        self.settings = settings;
        self.fill(cx);
    }

    /// Forgets all requests, as a crash does.
    pub fn crash(&mut self) {
        self.waiting.clear();
        self.jobs.clear();
        self.busy = 0;
        self.closed = false;
        self.meter = Meter::default();
        self.shed = self.settings.shed.as_ref().map(Shed::new);
        self.limit = self.settings.limit.as_ref().map(Concurrency::new);
    }

    /// How many requests wait.
    pub fn waiting(&self) -> u32 {
        self.waiting.len() as u32
    }

    /// How many workers are busy.
    pub fn busy(&self) -> u32 {
        self.busy
    }

    /// Requests in the house: waiting, worked on, or waiting for others.
    pub fn in_house(&self) -> u32 {
        self.waiting() + self.jobs.len()
    }

    /// The adaptive limit now, if there is one.
    pub fn limit_now(&self) -> Option<f64> {
        self.limit.as_ref().map(Concurrency::limit)
    }

    /// A job being worked on.
    pub fn job(&mut self, key: Key) -> Option<&mut Job> {
        self.jobs.get_mut(key)
    }

    /// Takes a request in, or turns it away.
    pub fn offer(&mut self, source: NodeId, request: Request, cx: &mut Cx<'_>) {
        let now = cx.now();
        cx.note(Note::Arrived { intent: request.intent });
        let progress = Progress::default();
        let job = Job { source, request, arrived: now, started: now, progress };
        if self.closed {
            return self.refuse(&job, Refusal::Draining, cx);
        }
        if let Some(limit) = &self.limit
            && !limit.may_start(self.in_house())
        {
            return self.refuse(&job, Refusal::Limit, cx);
        }
        if self.busy < self.settings.workers {
            return self.start(job, cx);
        }
        if self.waiting() >= self.settings.queue {
            return self.refuse(&job, Refusal::QueueFull, cx);
        }
        self.waiting.push_back(job);
    }

    /// Draws whether the work fails.
    pub fn fails(&mut self) -> bool {
        self.settings.error > Chance::NEVER && self.errors.chance(self.settings.error)
    }

    /// Gives the worker back while the job waits for others.
    pub fn release(&mut self, key: Key, cx: &mut Cx<'_>) {
        if let Some(job) = self.jobs.get_mut(key)
            && !job.progress.released
        {
            job.progress.released = true;
            self.occupy(self.busy - 1, cx);
            self.fill(cx);
        }
    }

    /// Answers a job and takes up the next.
    pub fn finish(&mut self, key: Key, answer: Answer, cx: &mut Cx<'_>) {
        let Some(job) = self.jobs.remove(key) else { return };
        let now = cx.now();
        if let Some(limit) = &mut self.limit {
            let dropped = matches!(answer, Answer::Error | Answer::Unsure | Answer::Refused(_));
            limit.completed(now, now.since(job.arrived), dropped);
        }
        self.meter.ended += 1;
        self.meter.failed += u32::from(matches!(answer, Answer::Error | Answer::Unsure));
        self.left(&job, cx);
        reply(&job, answer, cx);
        self.fill(cx);
    }

    /// Turns a request away before it comes in.
    pub fn turn_away(&self, source: NodeId, request: Request, why: Refusal, cx: &mut Cx<'_>) {
        let now = cx.now();
        let progress = Progress::default();
        self.refuse(&Job { source, request, arrived: now, started: now, progress }, why, cx);
    }

    /// Lets a job go without an answer.
    pub fn abandon(&mut self, key: Key, cx: &mut Cx<'_>) {
        let Some(job) = self.jobs.remove(key) else { return };
        self.left(&job, cx);
        self.fill(cx);
    }

    /// Ends everything in the house, as a process does that is stopped: whoever waits is turned
    /// away, and of what is being worked on nobody knows how far it came.
    pub fn clear_out(&mut self, cx: &mut Cx<'_>) {
        for job in std::mem::take(&mut self.waiting) {
            self.refuse(&job, Refusal::Draining, cx);
        }
        let keys: Vec<Key> = self.jobs.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.finish(key, Answer::Unsure, cx);
        }
    }

    /// So many workers are busy now.
    fn occupy(&mut self, busy: u32, cx: &Cx<'_>) {
        self.busy = busy;
        self.meter.pass(cx.now(), busy);
    }

    /// A job leaves the house.
    fn left(&mut self, job: &Job, cx: &mut Cx<'_>) {
        if !job.progress.released {
            self.occupy(self.busy - 1, cx);
        }
        let now = cx.now();
        let (span, stayed) = (now.since(job.started), now.since(job.arrived));
        cx.note(Note::Worked { intent: job.request.intent, span, stayed });
    }

    fn refuse(&self, job: &Job, why: Refusal, cx: &mut Cx<'_>) {
        let stayed = cx.now().since(job.arrived);
        cx.note(Note::Refused { intent: job.request.intent, why, stayed });
        reply(job, Answer::Refused(why), cx);
    }

    fn start(&mut self, mut job: Job, cx: &mut Cx<'_>) {
        self.occupy(self.busy + 1, cx);
        job.started = cx.now();
        let key = self.jobs.insert(job);
        let mut time = self.settings.time.sample(&mut self.times);
        if self.settings.contention > Span::ZERO {
            time = time + Span(self.settings.contention.0 * u64::from(self.busy));
        }
        cx.set_timer(cx.work(time), Timer::Work { job: key });
    }

    /// Puts free workers to work on what waits.
    fn fill(&mut self, cx: &mut Cx<'_>) {
        while self.busy < self.settings.workers {
            let next = match self.settings.order {
                Order::Fifo => self.waiting.pop_front(),
                Order::Lifo => self.waiting.pop_back(),
            };
            let Some(job) = next else { return };
            let now = cx.now();
            let waited = now.since(job.arrived);
            if job.request.deadline <= now {
                self.refuse(&job, Refusal::Expired, cx);
            } else if self.shed.as_mut().is_some_and(|shed| shed.should_drop(now, waited)) {
                self.refuse(&job, Refusal::Shed, cx);
            } else {
                self.start(job, cx);
            }
        }
    }
}

fn reply(job: &Job, answer: Answer, cx: &mut Cx<'_>) {
    let (ticket, intent) = (job.request.ticket, job.request.intent);
    cx.send(job.source, Message::Reply(Reply { ticket, intent, answer }));
}
