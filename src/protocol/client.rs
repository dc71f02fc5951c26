//! A population of clients as one process: a million clients are a few flat lists.

use super::caller::{CallSettings, Caller, Ended, Want};
use super::load::{Arrivals, Arriving, Profile, Surge};
use super::note::Note;
use super::rpc::{Answer, Ending, Op, Outcome, Reply};
use super::{Cx, Message, Timer};
use crate::base::dist::{Dist, Zipf};
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::{Chance, Rate};
use crate::sim::process::Input;
use serde::{Deserialize, Serialize};

/// What clients are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientSettings {
    /// How many there are.
    pub clients: u32,
    /// When they want something.
    pub load: Load,
    /// What they want, by weight.
    pub mix: Vec<(u32, Op)>,
    /// How many items or accounts there are.
    pub items: u32,
    /// So many different members clients put into sets and take out.
    pub members: u8,
    /// Whether they remember what they have seen, to see nothing older.
    pub sessions: bool,
    /// Zipf exponent of the popularity of items; zero is uniform.
    pub skew: f64,
    /// How often a client wrongly uses the idempotency key of its last request again.
    pub key_reuse: Chance,
    /// How many intents each client has in all; without, no end.
    pub intents: Option<u32>,
    /// Whether each client has a breaker, budget, limiter and bulkhead of its own.
    pub own_policies: bool,
    /// How they call.
    pub calls: CallSettings,
}

/// When clients want something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Load {
    /// Whether or not earlier requests have been answered.
    Open {
        /// Of each client.
        rate: Rate,
        /// How arrivals are spaced.
        arrivals: Arrivals,
        /// How the rate changes.
        profile: Profile,
    },
    /// After the last request has ended, and a time to think.
    Closed {
        /// The time to think.
        think: Dist,
    },
}

impl ClientSettings {
    /// The rate of all clients together, or of one herd.
    fn rate(&self) -> Option<(f64, &Profile)> {
        match &self.load {
            Load::Open { rate, arrivals: Arrivals::Together, profile } => {
                Some((rate.as_f64(), profile))
            }
            Load::Open { rate, profile, .. } => {
                Some((rate.as_f64() * f64::from(self.clients), profile))
            }
            Load::Closed { .. } => None,
        }
    }
}

/// What a client does, as a picture shows it; numbered as `observe::frame::ClientState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Doing {
    /// Nothing.
    Idle = 0,
    /// Waits for the answer to a first attempt.
    Waiting = 1,
    /// Waits for the answer to a later attempt.
    Retrying = 2,
    /// Waits before the next attempt.
    BackingOff = 3,
    /// Its last intent ended well.
    Served = 4,
    /// Its last intent ended with something missing.
    Degraded = 5,
    /// Its last intent did not end well.
    Failed = 6,
}

/// What clients are reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientTimer {
    /// The next arrival of an open load; void if the plan has changed since.
    Arrival {
        /// The plan it belongs to.
        plan: u32,
    },
    /// A client has thought long enough.
    Thought {
        /// Which.
        client: u32,
    },
}

/// A population of clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Population {
    /// What they are like.
    pub settings: ClientSettings,
    /// Their calls.
    pub caller: Caller,
    /// What each client does: a [`Doing`] as a number.
    pub doing: Vec<u8>,
    /// Surges given by hand.
    pub surges: Vec<Surge>,
    node: NodeId,
    intents: u64,
    left: Vec<u32>,
    last_key: Vec<u64>,
    /// How far in the log of a store each client has seen, where reads keep to sessions.
    seen: Vec<u64>,
    next_client: u32,
    plan: u32,
    arriving: Arriving,
    zipf: Zipf,
    who: Stream,
    what: Stream,
    item: Stream,
    other: Stream,
    thinking: Stream,
    reuse: Stream,
    member: Stream,
}

impl Population {
    /// Clients that have not begun.
    pub fn new(settings: ClientSettings, seed: u64, node: NodeId) -> Population {
        let number = u64::from(node.0);
        let stream = |name| Stream::new(seed, name, number);
        let arrivals = match &settings.load {
            Load::Open { arrivals, .. } => *arrivals,
            Load::Closed { .. } => Arrivals::Poisson,
        };
        let clients = settings.clients as usize;
        Population {
            caller: Caller::new(settings.calls.clone(), seed, node, 0, guards(&settings)),
            doing: vec![Doing::Idle as u8; clients],
            surges: Vec::new(),
            node,
            intents: 0,
            left: settings.intents.map_or(Vec::new(), |n| vec![n; clients]),
            last_key: if settings.key_reuse.0 > 0 { vec![0; clients] } else { Vec::new() },
            seen: sessions(&settings),
            next_client: 0,
            plan: 0,
            arriving: Arriving::new(arrivals, stream("arrivals")),
            zipf: Zipf::new(settings.items, settings.skew),
            who: stream("client"),
            what: stream("operation"),
            item: stream("item"),
            other: stream("other account"),
            thinking: stream("think time"),
            member: stream("member"),
            reuse: stream("key reuse"),
            settings,
        }
    }

    /// Takes new settings. The number of clients stays.
    pub fn configure(&mut self, settings: ClientSettings, cx: &mut Cx<'_>) {
        self.settle(cx.now());
        let clients = self.settings.clients;
        self.settings = ClientSettings { clients, ..settings };
        self.zipf = Zipf::new(self.settings.items, self.settings.skew);
        if self.seen.is_empty() {
            self.seen = sessions(&self.settings);
        }
        if self.settings.key_reuse.0 > 0 && self.last_key.is_empty() {
            self.last_key = vec![0; clients as usize];
        }
        let (calls, guards) = (self.settings.calls.clone(), guards(&self.settings));
        self.caller.configure(calls, guards, cx.now());
        self.plan_arrival(cx);
    }

    /// Multiplies the load for a while.
    pub fn surge(&mut self, factor: f64, lasts: Span, cx: &mut Cx<'_>) {
        self.settle(cx.now());
        let from = cx.now();
        self.surges.retain(|s| s.until > from);
        self.surges.push(Surge { from, until: from + lasts, factor });
        self.plan_arrival(cx);
    }

    /// Forgets what is outstanding.
    pub fn crash(&mut self) {
        self.caller.crash(Time::ZERO);
        self.doing.fill(Doing::Idle as u8);
    }

    /// How many intents there have been.
    pub fn intents(&self) -> u64 {
        self.intents
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<super::Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Start | Input::Restart => self.start(cx),
            Input::Timer(Timer::Client(ClientTimer::Arrival { plan })) => {
                if plan == self.plan {
                    self.arrival(cx);
                }
            }
            Input::Timer(Timer::Client(ClientTimer::Thought { client })) => self.begin(client, cx),
            Input::Timer(Timer::Call { what, .. }) => {
                let ended = self.caller.timer(what, cx);
                self.called(call_of(what), ended, cx);
            }
            Input::Message { source, message: Message::Reply(reply) } => {
                self.reply(source, &reply, cx);
            }
            Input::Message { message: Message::Resolved { resolver, place, .. }, .. } => {
                self.caller.resolved(resolver, place, cx.now());
            }
            Input::Message { .. } | Input::Timer(_) | Input::Persisted(_) => {}
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        match &self.settings.load {
            Load::Open { .. } => {
                self.settle(cx.now());
                self.plan_arrival(cx);
            }
            Load::Closed { think } => {
                let think = think.clone();
                for client in 0..self.settings.clients {
                    let span = think.sample(&mut self.thinking);
                    cx.set_timer(span, Timer::Client(ClientTimer::Thought { client }));
                }
            }
        }
    }

    fn settle(&mut self, now: Time) {
        if let Some((rate, profile)) = self.settings.rate() {
            self.arriving.settle(now, rate, profile, &self.surges);
        }
    }

    fn arrived(&mut self, now: Time) {
        if let Some((rate, profile)) = self.settings.rate() {
            self.arriving.arrived(now, rate, profile, &self.surges);
        }
    }

    fn plan_arrival(&mut self, cx: &mut Cx<'_>) {
        self.plan += 1;
        let Some((rate, profile)) = self.settings.rate() else { return };
        let at = self.arriving.next(rate, profile, &self.surges);
        if at < Time::NEVER {
            cx.set_timer_at(at, Timer::Client(ClientTimer::Arrival { plan: self.plan }));
        }
    }

    fn arrival(&mut self, cx: &mut Cx<'_>) {
        self.arrived(cx.now());
        let Load::Open { arrivals, .. } = &self.settings.load else { return };
        match arrivals {
            Arrivals::Poisson => {
                let client = self.who.below(self.settings.clients);
                self.begin(client, cx);
            }
            Arrivals::Even => {
                let client = self.next_client;
                self.next_client = (client + 1) % self.settings.clients.max(1);
                self.begin(client, cx);
            }
            Arrivals::Together => {
                for client in 0..self.settings.clients {
                    self.begin(client, cx);
                }
            }
        }
        self.plan_arrival(cx);
    }

    fn begin(&mut self, client: u32, cx: &mut Cx<'_>) {
        if let Some(left) = self.left.get_mut(client as usize) {
            if *left == 0 {
                return;
            }
            *left -= 1;
        }
        self.intents += 1;
        // Numbers are the same in a twin run: they count this population's intents.
        let intent = (u64::from(self.node.0) << 40) | self.intents;
        let mut op = self.choose();
        let item = if self.settings.items > 1 { self.zipf.sample(&mut self.item) } else { 0 };
        if let Op::Transfer { to, .. } = &mut op
            && self.settings.items > 1
        {
            *to = self.zipf.sample(&mut self.other);
            if *to == item {
                *to = (item + 1) % self.settings.items;
            }
        }
        if let Op::Insert { member } | Op::Remove { member } = &mut op {
            *member = self.member.below(u32::from(self.settings.members)) as u8;
        }
        cx.note(Note::Began { intent, client, op, item });
        let key = self.key(client, intent);
        let want = Want {
            owner: u64::from(client),
            guard: if self.settings.own_policies { client } else { 0 },
            intent,
            op,
            item,
            key,
            deadline: Time::NEVER,
            after: self.seen.get(client as usize).copied().unwrap_or(0),
        };
        self.set(client, Doing::Waiting);
        if let Some(ended) = self.caller.begin(want, cx) {
            self.ended(ended, cx);
        }
    }

    fn choose(&mut self) -> Op {
        let mix = &self.settings.mix;
        let total: u32 = mix.iter().map(|(weight, _)| weight).sum();
        if mix.len() < 2 || total == 0 {
            return mix.first().map_or(Op::Read, |&(_, op)| op);
        }
        let mut left = self.what.below(total);
        for &(weight, op) in mix {
            if left < weight {
                return op;
            }
            left -= weight;
        }
        Op::Read
    }

    fn key(&mut self, client: u32, intent: u64) -> u64 {
        let Some(last) = self.last_key.get_mut(client as usize) else { return intent };
        if *last > 0 && self.reuse.chance(self.settings.key_reuse) {
            return *last;
        }
        *last = intent;
        intent
    }

    fn reply(&mut self, source: NodeId, reply: &Reply, cx: &mut Cx<'_>) {
        let call = reply.ticket.call;
        let ended = self.caller.reply(source, reply, cx);
        self.called(Some(call), ended, cx);
    }

    fn called(
        &mut self,
        call: Option<crate::base::slab::Key>,
        ended: Option<Ended>,
        cx: &mut Cx<'_>,
    ) {
        if let Some(ended) = ended {
            return self.ended(ended, cx);
        }
        if let Some(call) = call
            && let Some(client) = self.caller.owner(call)
        {
            let waits = self.caller.is_backing_off(call);
            let doing = match (waits, self.caller.attempts(call)) {
                (true, _) => Doing::BackingOff,
                (false, 0 | 1) => Doing::Waiting,
                (false, _) => Doing::Retrying,
            };
            self.set(client as u32, doing);
        }
    }

    fn ended(&mut self, ended: Ended, cx: &mut Cx<'_>) {
        let client = ended.owner as u32;
        let took = cx.now().since(ended.began);
        if let Outcome::Answered(Answer::Done { version, .. }) = ended.outcome
            && let Some(seen) = self.seen.get_mut(client as usize)
        {
            *seen = version.max(*seen);
        }
        let (intent, op, ending, attempts) = (ended.intent, ended.op, ended.ending, ended.attempts);
        cx.note(Note::Ended { intent, client, op, ending, attempts, took });
        self.set(
            client,
            match ending {
                Ending::Ok => Doing::Served,
                Ending::Degraded => Doing::Degraded,
                Ending::Rejected | Ending::Failed | Ending::Unknown => Doing::Failed,
            },
        );
        if let Load::Closed { think } = &self.settings.load {
            let span = think.sample(&mut self.thinking);
            cx.set_timer(span, Timer::Client(ClientTimer::Thought { client }));
        }
    }

    fn set(&mut self, client: u32, doing: Doing) {
        if let Some(now) = self.doing.get_mut(client as usize) {
            // Written blindly: among a million clients, looking at what it was is a cache miss.
            *now = doing as u8;
        }
    }
}

fn sessions(settings: &ClientSettings) -> Vec<u64> {
    if settings.sessions { vec![0; settings.clients as usize] } else { Vec::new() }
}

fn guards(settings: &ClientSettings) -> u32 {
    if settings.own_policies { settings.clients } else { 1 }
}

fn call_of(timer: super::caller::CallTimer) -> Option<crate::base::slab::Key> {
    use super::caller::CallTimer::{Hedge, Retry, Timeout};
    match timer {
        Timeout { call, .. } | Retry { call } | Hedge { call, .. } => Some(call),
    }
}
