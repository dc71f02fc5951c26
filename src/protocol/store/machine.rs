//! The state that a log adds up to: items and accounts, and the idempotency keys of the commands
//! that were done. It changes only by commands in order, so replicas with the same log agree.

use super::holds::{Effect, Holds};
use super::image::{Change, Journal, Upkeep};
use crate::base::time::Time;
use crate::protocol::policy::idempotency::{KeySettings, KeyTable, Seen};
use crate::protocol::rpc::{Answer, NONSENSE, Op, Refusal, Request};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something to be done, as a log holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The intent it serves. What a write writes, so that every value tells who wrote it.
    pub intent: u64,
    /// What is done.
    pub op: Op,
    /// To which item.
    pub item: u32,
    /// Its idempotency key; zero for none.
    pub key: u64,
}

impl Command {
    /// What a request asks for.
    pub fn of(request: &Request) -> Command {
        let Request { intent, op, item, key, .. } = *request;
        Command { intent, op, item, key }
    }
}

/// An item or account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The position in the log of its last change; zero before the first.
    pub version: u64,
    /// What it holds.
    pub value: i64,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What its client is told.
    pub answer: Answer,
    /// True if it changed anything: a repeated key or a lost race does not.
    pub changed: bool,
}

/// The state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// What is held back.
    pub holds: Holds,
    items: BTreeMap<u32, Item>,
    keys: Option<KeyTable<Answer>>,
    balance: i64,
    // What an item holds that is not listed: nothing has changed it since everything was.
    base: Item,
    floor: Option<i64>,
    applied: u64,
    // Nothing is served: a restore is under way, or waited for.
    closed: bool,
    journal: Option<Journal>,
}

impl Machine {
    /// A state in which nothing has happened: every item holds `balance`.
    pub fn new(balance: i64, keys: Option<&KeySettings>) -> Machine {
        Machine {
            holds: Holds::default(),
            items: BTreeMap::new(),
            keys: keys.map(KeyTable::new),
            balance,
            base: Item { version: 0, value: balance },
            floor: None,
            applied: 0,
            closed: false,
            journal: None,
        }
    }

    /// The same, with a journal for backups, or closed until it is restored.
    pub fn with_upkeep(self, upkeep: Upkeep) -> Machine {
        let journal = upkeep.journal.then(Journal::default);
        Machine { closed: upkeep.closed, journal, ..self }
    }

    /// The same, but a charge that would leave less than `floor` is refused.
    pub fn with_floor(self, floor: Option<i64>) -> Machine {
        Machine { floor, ..self }
    }

    /// The position up to which the log is in the state.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Begins a journal where it stands, or ends it.
    pub fn keep_journal(&mut self, keep: bool) {
        let begun = self.journal.take().unwrap_or_else(|| Journal::from(self.applied));
        self.journal = keep.then_some(begun);
    }

    /// True while it serves nothing, because it is restored or waits for that.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// What every item holds that is not among [`Machine::items`].
    pub fn base(&self) -> Item {
        self.base
    }

    /// What was done lately, if anybody copies it.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Items that were changed, in order of their numbers.
    pub fn items(&self) -> impl Iterator<Item = (u32, Item)> {
        self.items.iter().map(|(number, item)| (*number, *item))
    }

    /// How many keys are remembered.
    pub fn keys(&self) -> u32 {
        self.keys.as_ref().map_or(0, KeyTable::len)
    }

    /// An item.
    pub fn item(&self, number: u32) -> Item {
        self.items.get(&number).copied().unwrap_or(self.base)
    }

    /// The answer to a read.
    pub fn read(&self, number: u32) -> Answer {
        let Item { version, value } = self.item(number);
        Answer::Done { version, value }
    }

    /// The answer to a request that changes nothing.
    pub fn answer(&self, op: Op, number: u32) -> Answer {
        if self.closed {
            return Answer::Refused(Refusal::Restoring);
        }
        if op == Op::Scan {
            let here = self.items.iter().filter(|(number, _)| !self.holds.of(**number).left);
            let gains = here.map(|(_, item)| item.value.saturating_sub(self.balance));
            // The members of two sets may be more than a number holds.
            let value = gains.fold(0, i64::saturating_add);
            return Answer::Done { version: 0, value };
        }
        self.holds.refuses(op, number).unwrap_or_else(|| self.read(number))
    }

    /// Applies the entry at the next position: made at `at`, to do `command` or nothing.
    pub fn apply(&mut self, at: Time, command: Option<&Command>) -> Done {
        self.applied += 1;
        let nothing = |answer| Done { answer, changed: false };
        let Some(command) = command else { return nothing(Answer::Done { version: 0, value: 0 }) };
        if command.op.restores() {
            return nothing(self.restore(at, command));
        }
        if self.closed {
            return nothing(Answer::Refused(Refusal::Restoring));
        }
        if command.op.holds() {
            return self.hold(at, command);
        }
        if let Some(answer) = self.holds.refuses(command.op, command.item) {
            return nothing(answer);
        }
        if let Some(keys) = &mut self.keys
            && command.key != 0
        {
            let body = command.op.tag() ^ (u64::from(command.item) << 40);
            match keys.begin(at, command.key, body) {
                Seen::New => {}
                Seen::Done(answer) => return nothing(answer),
                Seen::OtherBody => return nothing(Answer::KeyReused),
                Seen::InFlight => return nothing(Answer::Conflict),
            }
        }
        let done = self.change(at, command);
        if let Some(keys) = &mut self.keys
            && command.key != 0
        {
            keys.finish(at, command.key, done.answer);
        }
        done
    }

    /// A step of a transaction or a move.
    fn hold(&mut self, at: Time, command: &Command) -> Done {
        let number = command.item;
        let before = self.item(number);
        let (value, changed) = match self.holds.step(at, command) {
            Effect::Refused(answer) => return Done { answer, changed: false },
            Effect::None => return Done { answer: self.read(number), changed: false },
            Effect::Add(delta) => (before.value.saturating_add(delta), true),
            Effect::Set(value) => (value, false),
        };
        self.put(at, number, value);
        Done { answer: self.read(number), changed }
    }

    /// A step of a restore. What it brings back is no change: it was made before.
    fn restore(&mut self, at: Time, command: &Command) -> Answer {
        match command.op {
            Op::Reset { value } => {
                self.closed = true;
                self.put_all(at, value);
            }
            Op::Load { value } => self.put(at, command.item, value),
            _ => self.closed = false,
        }
        self.read(command.item)
    }

    /// An item holds `value` from now on.
    fn put(&mut self, at: Time, number: u32, value: i64) {
        let version = self.applied;
        self.items.insert(number, Item { version, value });
        if let Some(journal) = &mut self.journal {
            let position = self.applied;
            journal.push(Change { position, at, item: Some(number), value, version });
        }
    }

    /// Every item holds `value` from now on.
    fn put_all(&mut self, at: Time, value: i64) {
        self.items.clear();
        let version = self.applied;
        self.base = Item { version, value };
        if let Some(journal) = &mut self.journal {
            journal.push(Change { position: self.applied, at, item: None, value, version });
        }
    }

    fn change(&mut self, at: Time, command: &Command) -> Done {
        let number = command.item;
        let before = self.item(number);
        let value = match command.op {
            Op::Read
            | Op::Update
            | Op::Scan
            | Op::Prepare { .. }
            | Op::Commit { .. }
            | Op::Abort
            | Op::Take
            | Op::Put { .. }
            | Op::Reset { .. }
            | Op::Load { .. }
            | Op::Open => {
                return Done { answer: self.read(number), changed: false };
            }
            Op::Erase => {
                self.put_all(at, 0);
                return Done { answer: self.read(number), changed: true };
            }
            Op::Corrupt => NONSENSE,
            Op::CompareAndSet { version } if version != before.version => {
                return Done { answer: Answer::Conflict, changed: false };
            }
            Op::Charge { amount } if below(self.floor, before.value, amount) => {
                return Done { answer: Answer::Refused(Refusal::NoFunds), changed: false };
            }
            Op::Write | Op::CompareAndSet { .. } => command.intent as i64,
            Op::Charge { amount } => before.value.saturating_sub(i64::from(amount)),
            Op::Increment { by } => before.value.saturating_add(i64::from(by)),
            Op::Leg { delta } => before.value.saturating_add(i64::from(delta)),
            Op::Insert { .. } | Op::Remove { .. } => {
                command.op.on_set(before.value).unwrap_or(before.value)
            }
            Op::Transfer { to, amount } => {
                let amount = i64::from(amount);
                let item = self.item(to);
                let value = item.value.saturating_add(if to == number { 0 } else { amount });
                self.put(at, to, value);
                before.value.saturating_sub(if to == number { 0 } else { amount })
            }
        };
        self.put(at, number, value);
        Done { answer: Answer::Done { version: self.applied, value }, changed: true }
    }
}

/// True if a charge would leave less than what is to be left.
pub fn below(floor: Option<i64>, value: i64, amount: u32) -> bool {
    floor.is_some_and(|floor| value.saturating_sub(i64::from(amount)) < floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Time = Time::ZERO;

    fn command(intent: u64, op: Op, item: u32) -> Command {
        Command { intent, op, item, key: 0 }
    }

    fn done(version: u64, value: i64) -> Answer {
        Answer::Done { version, value }
    }

    #[test]
    fn versions_are_positions_and_money_is_conserved() {
        let mut machine = Machine::new(100, None);
        assert_eq!(machine.read(7), done(0, 100));
        assert_eq!(machine.apply(AT, Some(&command(9, Op::Write, 7))).answer, done(1, 9));
        machine.apply(AT, None);
        let transfer = Op::Transfer { to: 2, amount: 30 };
        assert_eq!(machine.apply(AT, Some(&command(10, transfer, 1))).answer, done(3, 70));
        assert_eq!(machine.read(2), done(3, 130));
        let to_itself = Op::Transfer { to: 1, amount: 30 };
        machine.apply(AT, Some(&command(11, to_itself, 1)));
        assert_eq!(machine.item(1).value + machine.item(2).value, 200);
    }

    #[test]
    fn an_account_is_not_overdrawn() {
        let mut machine = Machine::new(100, None).with_floor(Some(0));
        let charge = |intent| command(intent, Op::Charge { amount: 60 }, 1);
        assert_eq!(machine.apply(AT, Some(&charge(1))).answer, done(1, 40));
        let refused = machine.apply(AT, Some(&charge(2)));
        assert_eq!(refused.answer, Answer::Refused(Refusal::NoFunds));
        assert_eq!((refused.changed, machine.item(1).value), (false, 40));
    }

    #[test]
    fn a_lost_race_changes_nothing() {
        let mut machine = Machine::new(0, None);
        machine.apply(AT, Some(&command(1, Op::Write, 5)));
        let late = machine.apply(AT, Some(&command(2, Op::CompareAndSet { version: 0 }, 5)));
        assert_eq!((late.answer, late.changed), (Answer::Conflict, false));
        let good = machine.apply(AT, Some(&command(3, Op::CompareAndSet { version: 1 }, 5)));
        assert_eq!((good.answer, good.changed), (done(3, 3), true));
    }

    #[test]
    fn a_key_makes_a_repetition_harmless() {
        let mut machine = Machine::new(100, Some(&KeySettings::default()));
        let charge = Command { intent: 1, op: Op::Charge { amount: 40 }, item: 0, key: 77 };
        let first = machine.apply(AT, Some(&charge));
        let again = machine.apply(AT, Some(&charge));
        assert_eq!((first.changed, again.changed), (true, false));
        assert_eq!(first.answer, again.answer);
        let other = Command { op: Op::Charge { amount: 41 }, ..charge };
        assert_eq!(machine.apply(AT, Some(&other)).answer, Answer::KeyReused);
        assert_eq!(machine.item(0).value, 60);
    }
}
