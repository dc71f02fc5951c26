//! Copies, restores and what goes wrong with them, in small worlds: clients, a store of one or
//! three nodes, a store that takes its place, and the backup.

use super::library::Flaw;
use super::{Backup, BackupSettings, Order, Plan};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::slab::Slab;
use crate::base::time::{Span, Time};
use crate::base::unit::{Chance, Rate};
use crate::protocol::note::{Backed, Note};
use crate::protocol::rpc::{Op, Request, Ticket};
use crate::protocol::store::image::{Copied, Upkeep};
use crate::protocol::store::ledger::LedgerSettings;
use crate::protocol::store::primary_replica::ReplicaSettings;
use crate::protocol::store::raft::member::RaftSettings;
use crate::protocol::store::raft::node::RaftStoreSettings;
use crate::protocol::worlds::{calls, clients, run, station, world};
use crate::protocol::{Message, Role, Settings};
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::trace::What;
use crate::sim::world::World;

const PEOPLE: NodeId = NodeId(0);
const DB: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];
const SPARE: NodeId = NodeId(4);
const ARCHIVE: NodeId = NodeId(5);

/// A kind of store.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Ledger,
    Replica,
    Raft,
}

const KINDS: [Kind; 3] = [Kind::Ledger, Kind::Replica, Kind::Raft];

fn store(kind: Kind, upkeep: Upkeep) -> Settings {
    let (station, balance) = (station(1_000.0, 4, 1_000), 100);
    match kind {
        Kind::Ledger => {
            let sync = true;
            Settings::Ledger(LedgerSettings {
                station,
                balance,
                upkeep,
                sync,
                ..Default::default()
            })
        }
        Kind::Replica => Settings::Replica(ReplicaSettings {
            station,
            members: DB.to_vec(),
            primary: DB[0],
            acks: 1,
            apply: Dist::ZERO,
            heartbeat: Span::millis(100),
            failover: None,
            fencing: true,
            sync: true,
            keys: None,
            balance,
            upkeep,
        }),
        Kind::Raft => Settings::Raft(RaftStoreSettings {
            station,
            members: DB.to_vec(),
            leader: Some(DB[0]),
            raft: RaftSettings::default(),
            snapshot_every: 50,
            keys: None,
            balance,
            floor: None,
            upkeep,
        }),
    }
}

fn settings() -> BackupSettings {
    BackupSettings {
        of: DB.to_vec(),
        first: Span::secs(1),
        every: Span::secs(2),
        full_every: 1,
        logs: None,
        throughput: Rate(100_000_000),
        restore_throughput: Rate(100_000_000),
        keep: 100,
        tests: None,
        repair: None,
        fails: None,
        restores: Vec::new(),
        plan: None,
    }
}

fn order(into: &[NodeId], to: Option<Time>) -> Order {
    Order { into: into.to_vec(), to }
}

/// People write 40 times a second to 20 items.
fn stage(kind: Kind, op: Op, mut backup: BackupSettings, loss: Chance) -> World<Role> {
    if let Kind::Ledger = kind {
        backup.of = vec![DB[0]];
    }
    let mut people = clients(40.0, op, calls(DB[0], 1_000, 3));
    people.items = 20;
    let upkeep = Upkeep { journal: backup.logs.is_some(), closed: false };
    let spare = Upkeep { journal: false, closed: backup.plan.is_some() };
    let db = store(kind, upkeep);
    let nodes = [
        Settings::Clients(people),
        db.clone(),
        db.clone(),
        db,
        store(Kind::Ledger, spare),
        Settings::Backup(backup),
    ];
    world(&nodes, &LinkSettings { loss, ..LinkSettings::default() })
}

/// Runs until `secs`, and gives what the backup has said.
fn until(world: &mut World<Role>, secs: u64) -> Vec<Backed> {
    let mut said = Vec::new();
    let see = |record: &crate::sim::trace::Record<Role>| {
        if let What::Note { note: Note::Backup { did }, .. } = record.what {
            said.push(did);
        }
    };
    run(world, Time(secs * 1_000_000), Span::millis(100), see, |_| {});
    said
}

fn archive(world: &World<Role>) -> &Backup {
    match &world.processes[ARCHIVE.index()] {
        Role::Backup(backup) => backup,
        _ => panic!("a backup"),
    }
}

/// What the items of a store hold: its first 20, and whether it serves.
fn values(world: &World<Role>, node: NodeId) -> (Vec<i64>, bool) {
    let items = 0..20;
    match &world.processes[node.index()] {
        Role::Ledger(store) => {
            let base = store.base();
            let all: std::collections::BTreeMap<_, _> = store.changed(0).into_iter().collect();
            let value = |n: u32| all.get(&n).unwrap_or(&base).value;
            (items.map(value).collect(), !store.closed())
        }
        Role::Replica(store) => {
            (items.map(|n| store.machine.item(n).value).collect(), !store.closed())
        }
        Role::Raft(store) => {
            (items.map(|n| store.machine.item(n).value).collect(), !store.closed())
        }
        _ => panic!("a store"),
    }
}

/// Somebody deletes everything.
fn erase(world: &mut World<Role>) {
    let call = Slab::<u8>::default().insert(0);
    let ticket = Ticket { call, stack: 0, attempt: 1 };
    let (intent, op, item, key) = (9, Op::Erase, 0, 0);
    let request = Request { ticket, intent, op, item, key, deadline: Time::NEVER, after: 0 };
    world.with(ARCHIVE, |_, cx| cx.send(DB[0], Message::Request(request)));
}

const TRANSFER: Op = Op::Transfer { to: 0, amount: 3 };
const CHARGE: Op = Op::Charge { amount: 1 };

#[test]
fn a_copy_is_of_one_instant_however_long_it_takes_and_whatever_is_lost() {
    for kind in KINDS {
        let slow = BackupSettings { throughput: Rate(20_000_000), ..settings() };
        let mut world = stage(kind, TRANSFER, slow, Chance(30_000));
        until(&mut world, 60);
        let copies: Vec<_> = archive(&world).library.copies().collect();
        assert!(copies.len() > 5, "{kind:?}: {}", copies.len());
        for copy in copies {
            let (image, _) = archive(&world).library.image(copy.number, None);
            let sum: i64 = (0..20).map(|n| image.item(n).value).sum();
            assert_eq!(sum, 2_000, "{kind:?}: money is in the copy once");
            assert!(copy.took >= Span::millis(500), "{} items, {}", copy.items.len(), copy.took);
        }
    }
}

#[test]
fn what_changed_since_comes_to_the_same_as_everything() {
    for kind in KINDS {
        let some = BackupSettings { full_every: 4, ..settings() };
        let mut world = stage(kind, CHARGE, some, Chance::NEVER);
        until(&mut world, 9);
        // Nobody writes any more, so that the next copy is what the store holds.
        world.begin(Fault::Crash { node: PEOPLE }, None);
        until(&mut world, 12);
        let library = &archive(&world).library;
        let full: Vec<bool> = library.copies().map(|copy| copy.is_full()).collect();
        assert_eq!(full, [true, false, false, false, true, false], "{kind:?}");
        let (image, _) = library.image(4, None);
        let (later, _) = library.image(6, None);
        let of = |image: &crate::protocol::store::image::Image| -> Vec<i64> {
            (0..20).map(|n| image.item(n).value).collect()
        };
        assert_eq!(of(&later), values(&world, DB[0]).0, "{kind:?}");
        assert_ne!(of(&image), of(&later));
        assert!(library.newest().is_some_and(|copy| copy.items.is_empty()), "nothing was new");
    }
}

#[test]
fn the_shipped_log_stops_a_restore_just_before_a_deletion_on_every_replica() {
    for kind in KINDS {
        let restores = vec![(Time(8_000_000), order(&DB, Some(Time(7_000_000))))];
        let logs = Some(Span::millis(200));
        let backup = BackupSettings { restores, logs, every: Span::secs(60), ..settings() };
        let mut world = stage(kind, CHARGE, backup, Chance::NEVER);
        until(&mut world, 6);
        world.begin(Fault::Crash { node: PEOPLE }, None);
        until(&mut world, 7);
        let before = values(&world, DB[0]);
        erase(&mut world);
        until(&mut world, 8);
        for node in if let Kind::Ledger = kind { &DB[..1] } else { &DB[..] } {
            assert_eq!(values(&world, *node), (vec![0; 20], true), "{kind:?}: it is everywhere");
        }
        // The log since the first copy is replayed at its own pace.
        let said = until(&mut world, 12);
        assert!(said.iter().any(|did| matches!(did, Backed::Restored { copy: 1, .. })), "{said:?}");
        for node in if let Kind::Ledger = kind { &DB[..1] } else { &DB[..] } {
            assert_eq!(values(&world, *node), before, "{kind:?}");
        }
        assert!(before.0.iter().sum::<i64>() < 1_950, "something had been written");
    }
}

#[test]
fn a_plan_brings_another_store_up_when_nobody_answers_and_not_before() {
    let (decision, start_up) = (Span::secs(2), Span::secs(1));
    let plan = Some(Plan { decision, into: vec![SPARE], start_up });
    let backup = BackupSettings { plan, restore_throughput: Rate(10_000_000), ..settings() };
    let mut world = stage(Kind::Replica, CHARGE, backup, Chance::NEVER);
    let said = until(&mut world, 6);
    assert!(said.iter().all(|did| matches!(did, Backed::Copied { .. })), "{said:?}");
    assert!(!values(&world, SPARE).1, "it holds nothing and serves nothing");
    for node in DB {
        world.begin(Fault::Crash { node }, None);
    }
    let said = until(&mut world, 7);
    assert!(!said.contains(&Backed::Decides));
    let said = until(&mut world, 10);
    assert!(said.contains(&Backed::Decides) && !values(&world, SPARE).1, "{said:?}");
    let said = until(&mut world, 14);
    let took = said.iter().find_map(|did| match did {
        Backed::Restored { took, .. } => Some(*took),
        _ => None,
    });
    // 21 steps at 10 a second, and the network.
    assert!(took.is_some_and(|took| (2_100..2_200).contains(&(took.0 / 1_000))), "{took:?}");
    let (image, _) = archive(&world).library.image(3, None);
    let copied: Vec<i64> = (0..20).map(|n| image.item(n).value).collect();
    assert_eq!(values(&world, SPARE), (copied, true));
}

#[test]
fn silent_failures_show_at_a_restore_and_older_copies_cost_their_time_again() {
    let fails = |flaw| BackupSettings {
        fails: Some((Time(4_000_000), flaw)),
        restores: vec![(Time(8_500_000), order(&[SPARE], None))],
        ..settings()
    };
    let told = |flaw| {
        let mut world = stage(Kind::Ledger, CHARGE, fails(flaw), Chance::NEVER);
        let said = until(&mut world, 8);
        let well = said.iter().all(|did| matches!(did, Backed::Copied { .. }));
        assert!(well, "{flaw:?}: nobody hears of it: {said:?}");
        until(&mut world, 20)
    };
    let read = |said: &[Backed]| {
        let copy = |did: &Backed| match did {
            Backed::Unreadable { copy, .. } => Some(*copy),
            _ => None,
        };
        let bad: Vec<u32> = said.iter().filter_map(copy).collect();
        let good = said.iter().find_map(|did| match did {
            Backed::Restored { copy, took } => Some((*copy, took.0 / 100_000)),
            _ => None,
        });
        (bad, good, said.contains(&Backed::Lost))
    };
    // Copies are of 1, 3, 5 and 7 s; each takes 0.2 s to bring back.
    assert_eq!(read(&told(Flaw::Corrupt)), (vec![4, 3], Some((2, 6)), false));
    assert_eq!(read(&told(Flaw::Schema)), (vec![4, 3], Some((2, 2)), false), "it shows at once");
    assert_eq!(read(&told(Flaw::KeyLost)), (vec![4, 3, 2, 1], None, true));
    assert_eq!(read(&told(Flaw::Dead)), (vec![], Some((2, 2)), false), "the last before it died");
}

#[test]
fn tests_of_restores_find_what_nobody_hears_of_and_people_repair_it() {
    for flaw in [Flaw::Corrupt, Flaw::Schema, Flaw::KeyLost, Flaw::Dead] {
        let fails = Some((Time(4_000_000), flaw));
        let (tests, repair) = (Some(Span::secs(3)), Some(Span::secs(1)));
        let backup = BackupSettings { fails, tests, repair, ..settings() };
        let mut world = stage(Kind::Ledger, CHARGE, backup.clone(), Chance::NEVER);
        let said = until(&mut world, 30);
        let place = |wanted: &dyn Fn(&Backed) -> bool| said.iter().position(wanted);
        let passed = place(&|did| matches!(did, Backed::Passed { .. }));
        let found = Some(flaw);
        let alarm = place(&|did| matches!(did, Backed::Alarm { flaw, .. } if *flaw == found));
        let repaired = place(&|did| *did == Backed::Repaired);
        assert!(passed < alarm && alarm < repaired && passed.is_some(), "{flaw:?}: {said:?}");
        let rest = &said[repaired.unwrap_or(0)..];
        let well = |did: &&Backed| matches!(did, Backed::Passed { .. });
        assert!(rest.iter().filter(well).count() >= 3, "{flaw:?}: {rest:?}");
        assert_eq!(archive(&world).alarms, 1, "{flaw:?}");
        // Without people nothing becomes better.
        let backup = BackupSettings { repair: None, ..backup };
        let mut world = stage(Kind::Ledger, CHARGE, backup, Chance::NEVER);
        until(&mut world, 30);
        assert!(archive(&world).alarms > 3, "{flaw:?}");
    }
}

#[test]
fn a_deletion_that_was_not_on_disk_is_undone_by_a_crash() {
    let mut world = stage(Kind::Ledger, CHARGE, settings(), Chance::NEVER);
    until(&mut world, 3);
    world.begin(Fault::Crash { node: PEOPLE }, None);
    until(&mut world, 4);
    let before = values(&world, DB[0]);
    if let Role::Ledger(store) = &mut world.processes[DB[0].index()] {
        store.settings.sync = false;
    }
    erase(&mut world);
    until(&mut world, 5);
    assert_eq!(values(&world, DB[0]).0, [0; 20]);
    world.begin(Fault::Crash { node: DB[0] }, Some(Span::secs(1)));
    until(&mut world, 9);
    assert_eq!(values(&world, DB[0]), before);
    let (image, _) = archive(&world).library.image(4, None);
    let copied: Vec<i64> = (0..20).map(|n| image.item(n).value).collect();
    assert_eq!(copied, before.0, "the next copy knows of it");
}
