//! Reading everything: the coordinator asks every replica for all it holds, and answers when as
//! many homes of every item have answered as a read needs. A stand-in counts for no home here: it
//! holds some of what that home would have been sent, and nobody knows that it is all.

use super::cell::Cell;
use super::messages::{QuorumMessage, QuorumTimer};
use super::{Answer, Cx, Key, NodeId, QuorumStore, Refusal, ring};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scan under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Scan {
    // Who waits for it; nobody once it is answered.
    job: Option<Key>,
    heard: Vec<NodeId>,
    items: BTreeMap<u32, Cell>,
}

impl QuorumStore {
    /// Begins to read everything.
    pub(super) fn scan(&mut self, job: Key, cx: &mut Cx<'_>) {
        let (me, members) = (self.me, self.settings.members.clone());
        let there = |member: &NodeId| !self.suspected.contains(member);
        let up: Vec<NodeId> = members.iter().copied().filter(there).collect();
        if !self.suffice(&up) {
            return self.station.finish(job, Answer::Refused(Refusal::NoQuorum), cx);
        }
        self.station.release(job, cx);
        self.round += 1;
        let round = self.round;
        let scan = Scan { job: Some(job), heard: Vec::new(), items: BTreeMap::new() };
        self.scans.insert(round, scan);
        self.remind(self.settings.timeout, QuorumTimer::GiveUp { round }, cx);
        // Itself last: alone it may be enough.
        for member in members.into_iter().filter(|member| *member != me).chain([me]) {
            self.tell(member, QuorumMessage::GetAll { round }, cx);
        }
    }

    /// Whether every item has as many homes among these replicas as a read needs.
    fn suffice(&self, replicas: &[NodeId]) -> bool {
        let (copies, read) = (self.settings.copies, self.sizes().read);
        let here = |homes: Vec<NodeId>| homes.iter().filter(|home| replicas.contains(home)).count();
        ring::lists(&self.settings.members, copies).all(|homes| here(homes) >= read)
    }

    /// All that is held here, what is kept for other homes included.
    pub(super) fn everything(&self) -> Vec<(u32, Cell)> {
        let own = self.cells().map(|(item, cell)| (item, cell.clone()));
        own.chain(self.hints().map(|(_, item, cell)| (item, cell.clone()))).collect()
    }

    /// A replica says what it holds.
    pub(super) fn got_all(
        &mut self,
        number: u64,
        source: NodeId,
        items: Vec<(u32, Cell)>,
        cx: &mut Cx<'_>,
    ) {
        let (merge, all) = (self.settings.merge, self.settings.members.len());
        let Some(scan) = self.scans.get_mut(&number) else { return };
        if scan.heard.contains(&source) {
            return;
        }
        scan.heard.push(source);
        let (heard, over) = (scan.heard.clone(), scan.heard.len() >= all);
        if scan.job.is_some() {
            for (item, cell) in items {
                scan.items.entry(item).or_default().join(&cell, merge);
            }
            if self.suffice(&heard) {
                self.answer_scan(number, cx);
            }
        }
        if over {
            self.scans.remove(&number);
        }
    }

    /// Adds up what items hold more than in the beginning.
    fn answer_scan(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(scan) = self.scans.get_mut(&number) else { return };
        let (job, items) = (scan.job.take(), std::mem::take(&mut scan.items));
        let Some(job) = job else { return };
        let gain = |cell: &Cell| match self.read(cell) {
            Answer::Done { value, .. } => value.saturating_sub(self.settings.balance),
            _ => 0,
        };
        let value = items.values().map(gain).fold(0, i64::saturating_add);
        self.station.finish(job, Answer::Done { version: 0, value }, cx);
    }

    /// The time of a scan is over, if the number is that of one.
    pub(super) fn give_up_scan(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(scan) = self.scans.remove(&number) else { return };
        let members = self.settings.members.clone();
        for member in members.into_iter().filter(|member| !scan.heard.contains(member)) {
            self.suspect(member, cx);
        }
        if let Some(job) = scan.job {
            self.station.finish(job, Answer::Refused(Refusal::NoQuorum), cx);
        }
    }
}
