//! Fills a frame from a world: what is, at this instant.

use super::cast::Cast;
use super::frame::{
    BreakerView, Condition, Crowd, FaultView, Frame, Gauge, Kind, LinkView, NodeView, PacketKind,
    Packets,
};
use crate::base::id::{LinkId, NodeId};
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::protocol::caller::Caller;
use crate::protocol::dns::Dns;
use crate::protocol::fleet::duty::State;
use crate::protocol::meaning::phase;
use crate::protocol::note::Phase;
use crate::protocol::rpc::{Answer, Reply, Request};
use crate::protocol::station::Station;
use crate::protocol::store::{Lead, Standing};
use crate::protocol::{Message, Role};
use crate::sim::fault::{Active, Fault};
use crate::sim::world::{Packet, Place, World};
use std::collections::BTreeMap;

/// More messages than this are not drawn one by one.
const DRAWN_MAX: u32 = 20_000;
/// More clients than this are shown by a sample.
const CROWD_MAX: usize = 2_500;

/// Fills `frame` with what `world` is like now; `ends` is left to whoever follows events.
pub fn fill(world: &World<Role>, cast: &Cast, frame: &mut Frame) {
    frame.at = world.shared.now;
    frame.nodes.clear();
    let nodes = 0..world.processes.len() as u32;
    frame.nodes.extend(nodes.map(|n| node_view(world, cast, NodeId(n))));
    frame.links.clear();
    frame.links.extend((0..).zip(&world.shared.network.links).map(|(n, link)| LinkView {
        id: LinkId(n),
        source: link.source,
        target: link.target,
        cut: link.trouble.cut,
        slow: link.trouble.latency,
        loss_ppm: link.settings.loss.or(link.trouble.loss).0,
        in_flight: link.in_flight,
        traffic: link.lately.per_second(world.shared.now),
    }));
    packets(world, &mut frame.packets);
    frame.sides = sides(&world.shared.active);
    frame.faults = broken(world, cast);
}

/// What is broken. Nodes that are down from one instant to another fell together, as those of a
/// zone do, and are told of together.
fn broken(world: &World<Role>, cast: &Cast) -> Vec<FaultView> {
    let mut views = Vec::new();
    let mut together: BTreeMap<(Time, Option<Time>), Vec<NodeId>> = BTreeMap::new();
    for Active { fault, since, until, .. } in &world.shared.active {
        let (since, until) = (*since, *until);
        match fault {
            Fault::Crash { node } => together.entry((since, until)).or_default().push(*node),
            other => views.push(FaultView { sentence: sentence(other, cast), since, until }),
        }
    }
    views.extend(together.into_iter().map(|((since, until), mut nodes)| {
        order::up(&mut nodes);
        FaultView { sentence: cast.down(&nodes), since, until }
    }));
    order::by_key(&mut views, |view| view.since);
    views
}

fn packets(world: &World<Role>, out: &mut Packets) {
    let total = world.shared.packets.len();
    let every = u64::from(total / DRAWN_MAX + 1);
    out.total = total;
    out.id.clear();
    out.link.clear();
    out.progress.clear();
    out.kind.clear();
    out.attempt.clear();
    out.copy.clear();
    for (_, packet) in world.shared.packets.iter() {
        // By its number, so that a message that is drawn stays drawn.
        if !packet.id.is_multiple_of(every) {
            continue;
        }
        out.id.push(packet.id);
        out.link.push(packet.link.0);
        out.progress.push(progress(packet, world.shared.now));
        out.kind.push(kind(world, packet) as u8);
        out.attempt.push(match &packet.message {
            Message::Request(request) => request.ticket.attempt.max(1),
            _ => 0,
        });
        out.copy.push(packet.copy);
    }
}

fn progress(packet: &Packet<Message>, now: Time) -> f32 {
    if now > packet.due_at {
        // It waits at a cut that holds messages back.
        return 0.5;
    }
    let way = packet.due_at.since(packet.sent_at).0.max(1);
    (now.since(packet.sent_at).0 as f64 / way as f64) as f32
}

fn kind(world: &World<Role>, packet: &Packet<Message>) -> PacketKind {
    let link = &world.shared.network.links[packet.link.index()];
    match &packet.message {
        Message::Request(request) => request_kind(&world.processes[link.source.index()], request),
        Message::Reply(reply) => reply_kind(&world.processes[link.target.index()], reply),
        Message::Forward { .. } => PacketKind::Request,
        _ => PacketKind::Probe,
    }
}

fn request_kind(sender: &Role, request: &Request) -> PacketKind {
    match request.ticket.attempt {
        _ if !sender.awaits(request.ticket) => PacketKind::Orphan,
        0 | 1 => PacketKind::Request,
        _ => PacketKind::Retry,
    }
}

fn reply_kind(receiver: &Role, reply: &Reply) -> PacketKind {
    match reply.answer {
        _ if !receiver.awaits(reply.ticket) => PacketKind::Orphan,
        Answer::Done { .. } => PacketKind::Reply,
        Answer::Degraded | Answer::Stale { .. } => PacketKind::DegradedReply,
        Answer::Refused(_)
        | Answer::Error
        | Answer::Conflict
        | Answer::KeyReused
        | Answer::Unsure => PacketKind::ErrorReply,
    }
}

/// What a message in flight is, for one that has just been lost.
pub fn kind_of(
    world: &World<Role>,
    source: NodeId,
    target: NodeId,
    message: &Message,
) -> PacketKind {
    match message {
        Message::Request(request) => request_kind(&world.processes[source.index()], request),
        Message::Reply(reply) => reply_kind(&world.processes[target.index()], reply),
        Message::Forward { .. } => PacketKind::Request,
        _ => PacketKind::Probe,
    }
}

fn node_view(world: &World<Role>, cast: &Cast, id: NodeId) -> NodeView {
    let member = &cast.members[id.index()];
    let place = &world.shared.places[id.index()];
    let role = &world.processes[id.index()];
    let condition = condition(place);
    let view = NodeView {
        id,
        name: member.name.clone(),
        group: member.group.clone(),
        kind: member.kind,
        condition,
        since: place.since,
        place: member.place,
        queue: queue(role),
        workers: workers(role),
        in_flight: in_flight(role),
        breakers: role.callers().iter().filter_map(|c| breaker(c, cast)).collect(),
        replica: role.standing(),
        locks: role.holds().map_or(0, |holds| holds.locks().count() as u32),
        keeps: keeps(role, world.shared.now),
        duty: duty(role),
        crowd: crowd(role),
        line: String::new(),
    };
    let line = match role {
        Role::Dns(dns) if !place.down => answers(dns),
        _ => line(&view),
    };
    NodeView { line, ..view }
}

/// Whether a node runs.
pub fn condition(place: &Place<Role>) -> Condition {
    match (place.down, place.paused, place.slowness) {
        (true, _, _) => Condition::Down,
        (_, true, _) => Condition::Paused,
        (_, _, 1_000) => Condition::Up,
        (_, _, factor) => Condition::Slow(factor),
    }
}

/// The queue and workers of a node that has them.
pub fn station(role: &Role) -> Option<&Station> {
    match role {
        Role::Router(router) => Some(&router.station),
        Role::Cache(cache) => Some(&cache.station),
        Role::Service(service) => Some(&service.station),
        Role::Ledger(ledger) => Some(&ledger.station),
        Role::Replica(replica) => Some(&replica.station),
        Role::Raft(member) => Some(&member.station),
        Role::Quorum(store) => Some(&store.station),
        Role::Clients(_)
        | Role::Balancer(_)
        | Role::Dns(_)
        | Role::Broker(_)
        | Role::Backup(_)
        | Role::Fleet(_) => None,
    }
}

/// What waits at a node, and how much may.
pub fn queue(role: &Role) -> Option<Gauge> {
    if let Role::Broker(broker) = role {
        return Some(Gauge { level: broker.waiting(), limit: broker.settings.capacity });
    }
    station(role).map(|s| Gauge { level: s.waiting(), limit: s.settings.queue })
}

/// What a node works on, or has with those who do, and how much can be.
fn workers(role: &Role) -> Option<Gauge> {
    if let Role::Broker(broker) = role {
        let limit = broker.groups.iter().map(|g| g.most_out()).fold(0, u32::saturating_add);
        return Some(Gauge { level: broker.out(), limit });
    }
    station(role).map(|s| Gauge { level: s.busy(), limit: s.settings.workers })
}

/// What a replica does at the command of a fleet, and which version it runs.
pub fn duty(role: &Role) -> Option<(State, u8)> {
    let Role::Service(service) = role else { return None };
    service.duty.as_ref().map(|duty| (duty.state, duty.version))
}

/// Calls that a node has made and that have not ended.
pub fn in_flight(role: &Role) -> u32 {
    match role {
        Role::Balancer(balancer) => balancer.outstanding(),
        Role::Backup(backup) => {
            u32::from(backup.copying().is_some()) + u32::from(backup.bringing_back().is_some())
        }
        Role::Broker(broker) => broker.out(),
        Role::Clients(_)
        | Role::Dns(_)
        | Role::Router(_)
        | Role::Cache(_)
        | Role::Service(_)
        | Role::Ledger(_)
        | Role::Replica(_)
        | Role::Raft(_)
        | Role::Quorum(_)
        | Role::Fleet(_) => role.callers().iter().map(Caller::outstanding).sum(),
    }
}

fn breaker(caller: &Caller, cast: &Cast) -> Option<BreakerView> {
    let mut view = BreakerView {
        target: cast.name_all(&caller.settings.targets),
        closed: 0,
        open: 0,
        half_open: 0,
        probe_at: None,
        cooldown: Span::ZERO,
        probes: None,
    };
    for breaker in caller.breakers() {
        match phase(breaker.state()) {
            Phase::Closed => view.closed += 1,
            Phase::HalfOpen => {
                view.half_open += 1;
                view.probes = view.probes.or(breaker.probes());
            }
            Phase::Open => {
                view.open += 1;
                let at = breaker.retry_at();
                view.probe_at = match (view.probe_at, at) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
    }
    view.cooldown = caller.settings.breaker.as_ref().map_or(Span::ZERO, |b| b.cooldown());
    (view.closed + view.open + view.half_open > 0).then_some(view)
}

fn crowd(role: &Role) -> Option<Crowd> {
    let Role::Clients(population) = role else { return None };
    let every = population.doing.len().div_ceil(CROWD_MAX).max(1);
    let mut counts = [0; 7];
    for &doing in &population.doing {
        counts[usize::from(doing)] += 1;
    }
    Some(Crowd {
        clients: population.settings.clients,
        counts,
        sample: population.doing.iter().step_by(every).copied().collect(),
    })
}

/// What a name server believes of its places.
fn answers(dns: &Dns) -> String {
    let dead = (0..dns.settings.places.len()).filter(|place| !dns.health.is_healthy(*place));
    match dead.count() {
        0 => "every place answers".to_owned(),
        n => format!("{n} of {} places do not answer", dns.settings.places.len()),
    }
}

/// What a backup keeps, or that it brings something back.
fn keeps(role: &Role, now: Time) -> Option<String> {
    let Role::Backup(backup) = role else { return None };
    if let Some((there, all)) = backup.bringing_back() {
        return Some(format!("restoring {there}/{all}"));
    }
    let copies = match backup.library.copies().count() {
        0 => "no copy".to_owned(),
        1 => "1 copy".to_owned(),
        n => format!("{n} copies"),
    };
    let age = backup.library.until().map(|at| format!(", {:.0} s old", now.since(at).as_secs()));
    Some(copies + &age.unwrap_or_default())
}

fn line(view: &NodeView) -> String {
    let state = match view.condition {
        Condition::Up => String::new(),
        Condition::Slow(factor) => format!("{}× slower, ", f64::from(factor) / 1_000.0),
        Condition::Paused => "paused, ".to_owned(),
        Condition::Down => return "down".to_owned(),
    };
    let of = |gauge: Gauge| match gauge.limit {
        u32::MAX => gauge.level.to_string(),
        limit => format!("{} of {limit}", gauge.level),
    };
    let state = match view.duty {
        Some((duty @ (State::Off | State::Starting), _)) => {
            return format!("{state}{}", duty.word());
        }
        Some((State::Draining, _)) => format!("{state}draining, "),
        Some((State::Serving, _)) | None => state,
    };
    let state = match &view.replica {
        Some(standing) => format!("{state}{}, ", stands(standing)),
        None => state,
    };
    if let Some(keeps) = &view.keeps {
        return format!("{state}{keeps}");
    }
    match (&view.crowd, view.queue, view.workers) {
        (Some(crowd), _, _) => {
            format!("{state}{} clients, {} calls open", crowd.clients, view.in_flight)
        }
        (None, Some(queue), Some(workers)) => {
            let locks = match view.locks {
                0 => String::new(),
                n => format!(", {n} locked"),
            };
            let doing = if view.kind == Kind::Broker { "with consumers" } else { "working" };
            format!("{state}{} waiting, {} {doing}{locks}", of(queue), of(workers))
        }
        (None, _, _) if view.kind == Kind::Fleet => format!("{state}decides how many run"),
        (None, _, _) => format!("{state}{} passed on", view.in_flight),
    }
}

/// What a replica is to the others and how far behind, in as few words as fit under its name.
pub fn rank(standing: &Standing) -> String {
    let behind = standing.last.saturating_sub(standing.applied);
    match (standing.lead, behind) {
        (Lead::Leader, _) => format!("★ leads, term {}", standing.term),
        (Lead::Candidate, _) => "asks who can lead".to_owned(),
        (Lead::Follower, 0) => "follows".to_owned(),
        (Lead::Follower, behind) => format!("follows, {behind} to apply"),
    }
}

/// How a replica stands, in a few words.
pub fn stands(standing: &Standing) -> String {
    let Standing { term, last, committed, .. } = standing;
    let votes = match standing.votes {
        Some(1) => ", 1 vote".to_owned(),
        Some(votes) => format!(", {votes} votes"),
        None => String::new(),
    };
    let apply = match last.saturating_sub(standing.applied) {
        0 => String::new(),
        behind => format!(", {committed} committed, {behind} to apply"),
    };
    format!("{}{votes} · term {term} · log {last}{apply}", standing.lead.word())
}

fn sides(active: &[Active]) -> Vec<Vec<NodeId>> {
    let partition = active.iter().rev().find_map(|a| match &a.fault {
        Fault::Partition { sides } => Some(sides.clone()),
        _ => None,
    });
    partition.unwrap_or_default()
}

/// A fault in words.
pub fn sentence(fault: &Fault, cast: &Cast) -> String {
    let ways = |links: &[(NodeId, NodeId)]| links_in_words(links, cast);
    match fault {
        Fault::Cut { links, hold: false } => format!("{} is cut", ways(links)),
        Fault::Cut { links, hold: true } => {
            format!("{} is cut and holds messages back", ways(links))
        }
        Fault::Partition { sides } => {
            let sides: Vec<String> = sides.iter().map(|side| cast.name_all(side)).collect();
            format!("partition: {}", sides.join(" | "))
        }
        Fault::Gray { links, latency, loss, duplication } => {
            let mut parts = Vec::new();
            if *latency > Span::ZERO {
                parts.push(format!("{latency} slower"));
            }
            if loss.0 > 0 {
                parts.push(format!("loses {loss}"));
            }
            if duplication.0 > 0 {
                parts.push(format!("duplicates {duplication}"));
            }
            format!("{} {}", ways(links), parts.join(", "))
        }
        Fault::Flap { links, down, up } => {
            format!("{} flaps: {down} down, {up} up", ways(links))
        }
        Fault::Crash { node } => format!("{} is down", cast.name(*node)),
        Fault::Pause { node } => format!("{} is paused", cast.name(*node)),
        Fault::Slow { node, factor } => {
            format!("{} is {}× slower", cast.name(*node), f64::from(*factor) / 1_000.0)
        }
        Fault::Clock { node, offset_us, drift_ppm } => format!(
            "the clock of {} is {}s off and drifts by {drift_ppm} ppm",
            cast.name(*node),
            *offset_us as f64 / 1e6
        ),
        Fault::SlowDisk { node, extra } => {
            format!("the disk of {} takes {extra} longer", cast.name(*node))
        }
    }
}

fn links_in_words(links: &[(NodeId, NodeId)], cast: &Cast) -> String {
    let name = |node: NodeId| cast.name(node);
    match links {
        [] => "nothing".to_owned(),
        [(a, b)] => format!("{} → {}", name(*a), name(*b)),
        [(a, b), (c, d)] if (a, b) == (d, c) => format!("{} ↔ {}", name(*a), name(*b)),
        [(a, b), rest @ ..] => format!("{} → {} and {} more", name(*a), name(*b), rest.len()),
    }
}
