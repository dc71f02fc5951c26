//! What is left of each service when a domain is lost, and how busy that would be.

use super::run::Run;
use crate::base::id::NodeId;
use crate::protocol::Settings;
use serde::Serialize;
use std::collections::BTreeMap;

/// A service without the part of it that is in a domain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Left {
    /// The domain, with its kind: `zone eu-a`.
    pub domain: String,
    /// The service.
    pub group: String,
    /// Replicas left, and of how many.
    pub replicas: (u32, u32),
    /// The share of time for which workers are busy now.
    pub busy: f64,
    /// The same if those that are left did all of the work; none when nobody is left.
    pub after: Option<f64>,
}

impl Left {
    /// As a sentence.
    pub fn sentence(&self) -> String {
        let Left { domain, group, replicas: (left, of), busy, after } = self;
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let then = match after {
            None => "nobody is left".to_owned(),
            Some(after) if *after > 1.0 => {
                format!("{}, more than there is: not enough", percent(*after))
            }
            Some(after) => percent(*after),
        };
        let busy = percent(*busy);
        format!("Without {domain}, {left} of {of} {group} are left: {busy} busy would be {then}.")
    }
}

/// Every service of which a part is in a domain, by domain.
pub fn left(run: &Run) -> Vec<Left> {
    let mut groups: BTreeMap<&str, Vec<(NodeId, f64)>> = BTreeMap::new();
    for node in &run.plan.nodes {
        if let Settings::Service(service) = &node.settings {
            let workers = f64::from(service.station.workers);
            groups.entry(&node.group).or_default().push((node.id, workers));
        }
    }
    let elapsed = run.course.now().0.max(1) as f64;
    let mut all = Vec::new();
    for domain in &run.plan.domains.all {
        for (group, members) in &groups {
            let stays = |node: &NodeId| !domain.nodes.contains(node);
            let left: Vec<_> = members.iter().filter(|(node, _)| stays(node)).collect();
            if left.len() == members.len() {
                continue;
            }
            let total: f64 = members.iter().map(|(_, workers)| workers).sum();
            let work = members.iter().map(|(node, _)| {
                run.course.watch.metrics.nodes.get(node.index()).map_or(0, |n| n.work) as f64
            });
            let busy = work.sum::<f64>() / elapsed / total.max(1.0);
            let workers: f64 = left.iter().map(|(_, workers)| workers).sum();
            all.push(Left {
                domain: format!("{} {}", domain.tier.word(), domain.name),
                group: (*group).to_owned(),
                replicas: (left.len() as u32, members.len() as u32),
                busy,
                after: (workers > 0.0).then(|| busy * total / workers),
            });
        }
    }
    all
}
