//! From domains and placements as people write them to nested boxes with nodes in them.

use super::names::{Cast, check_name};
use crate::base::diagnostics::Diagnostics;
use crate::base::domain::{Distance, Domain, Domains, Tier};
use crate::base::id::NodeId;
use crate::base::order;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::dist::Dist;

/// Domains a scenario may have.
const MOST_DOMAINS: usize = 200;

/// The boxes, and where each node is.
pub fn compile(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) -> Domains {
    let mut domains = Domains { all: boxes(scenario, problems), of: Vec::new() };
    domains.of = vec![None; cast.nodes.len()];
    for domain in &domains.all {
        if cast.nodes.iter().any(|n| n.name == domain.name || n.group == domain.name) {
            let message = format!("`{}` is the name of a node, too", domain.name);
            problems.error(format!("domains.{}", domain.name), message, "rename one of them");
        }
    }
    // What is said of a replica goes before what is said of its group.
    let mut placed: Vec<_> = scenario.placement.iter().collect();
    order::by_key(&mut placed, |(name, _)| cast.nodes.iter().any(|n| n.name == *name));
    for (name, wanted) in placed {
        let path = format!("placement.{name}");
        let nodes = cast.known(name, &path, problems);
        let places = places(wanted, &path, &domains, problems);
        if places.is_empty() {
            continue;
        }
        for (place, node) in places.iter().cycle().zip(nodes) {
            domains.of[node.index()] = Some(*place);
        }
    }
    fill(&mut domains);
    domains
}

/// The boxes without what is in them.
fn boxes(scenario: &Scenario, problems: &mut Diagnostics) -> Vec<Domain> {
    let names: Vec<&str> = scenario.domains.names().collect();
    if names.len() > MOST_DOMAINS {
        let message = format!("there are {} domains", names.len());
        problems.error("domains", message, format!("{MOST_DOMAINS} is the limit"));
        return Vec::new();
    }
    let mut all = Vec::new();
    for (name, domain) in scenario.domains.iter() {
        check_name("domains", name, problems);
        let path = format!("domains.{name}.in");
        let inside = domain.r#in.as_deref().and_then(|outer| {
            let found = names.iter().position(|n| *n == outer);
            if found.is_none() {
                let message = format!("there is no domain `{outer}`");
                problems.error(&path, message, "name another domain, or leave it out");
            }
            found.map(|found| found as u32)
        });
        all.push(Domain { name: name.to_owned(), tier: Tier::Region, inside, nodes: Vec::new() });
    }
    for place in 0..all.len() {
        let inside = |at: &u32| all[*at as usize].inside;
        let depth = std::iter::successors(all[place].inside, inside).take(4).count();
        all[place].tier = match depth {
            0 => Tier::Region,
            1 => Tier::Zone,
            2 => Tier::Host,
            _ => {
                let path = format!("domains.{}.in", all[place].name);
                let message = "lies too deep: a host has nothing but nodes in it";
                problems.error(path, message, "name a region or a zone");
                return Vec::new();
            }
        };
    }
    all
}

/// The boxes that a list names.
fn places(
    wanted: &[String],
    path: &str,
    domains: &Domains,
    problems: &mut Diagnostics,
) -> Vec<u32> {
    let mut places = Vec::new();
    if wanted.is_empty() {
        problems.error(path, "no domain is named", "name one, or leave the line out");
    }
    for name in wanted {
        match domains.all.iter().position(|domain| domain.name == *name) {
            Some(place) => places.push(place as u32),
            None => {
                let known: Vec<&str> = domains.all.iter().map(|d| d.name.as_str()).collect();
                let remedy = match known.as_slice() {
                    [] => "list it in `domains`".to_owned(),
                    known => format!("name one of: {}", known.join(", ")),
                };
                problems.error(path, format!("there is no domain `{name}`"), remedy);
            }
        }
    }
    places
}

/// Notes in each box which nodes are in it, however deep.
fn fill(domains: &mut Domains) {
    for node in 0..domains.of.len() as u32 {
        let around: Vec<u32> = domains.around(NodeId(node)).collect();
        for domain in around {
            domains.all[domain as usize].nodes.push(NodeId(node));
        }
    }
}

/// How long a message takes between two nodes if nothing else is said of their link.
pub fn latency<'a>(
    scenario: &'a Scenario,
    cast: &Cast<'_>,
    one: NodeId,
    other: NodeId,
) -> &'a Dist {
    let distances = &scenario.distances;
    match cast.domains.distance(one, other) {
        Distance::SameHost => &distances.same_host,
        Distance::SameZone => &distances.same_zone,
        Distance::CrossZone => &distances.cross_zone,
        Distance::CrossRegion => &distances.cross_region,
        Distance::Outside => &scenario.network.latency,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, compile};
    use crate::base::dist;
    use crate::base::domain::Distance;
    use crate::protocol::Settings;
    use crate::scenario::read;
    use crate::sim::fault::Fault;
    use serde_json::{Value, json};

    fn spread() -> Value {
        json!({
            "nodes": {
                "people": { "clients": { "to": "site" } },
                "site": { "dns": { "to": ["lb-us", "lb-eu"], "tells": "nearest" } },
                "lb-us": { "balancer": { "to": "api-1" } },
                "lb-eu": { "balancer": { "to": "api-2" } },
                "api": { "service": { "replicas": 3, "calls": { "db": {} } } },
                "db": { "raft": {} },
            },
            "domains": {
                "eu": {}, "us": {}, "eu-a": { "in": "eu" }, "eu-b": { "in": "eu" },
                "us-a": { "in": "us" }, "box": { "in": "us-a" },
            },
            "placement": {
                "people": ["eu"], "api": ["us-a", "eu-a"], "db": ["eu-a", "eu-b", "us-a"],
                "db-3": ["box"], "lb-eu": ["eu-b"], "lb-us": ["us-a"],
            },
        })
    }

    fn plan(json: Value) -> Plan {
        let scenario = read::value(json).unwrap_or_else(|problems| panic!("{problems}"));
        compile(&scenario).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn problems(change: impl Fn(&mut Value)) -> Vec<String> {
        let mut json = spread();
        change(&mut json);
        let scenario = read::value(json).unwrap_or_else(|problems| panic!("{problems}"));
        let problems = compile(&scenario).err().unwrap_or_default();
        let told = problems.problems.iter();
        told.map(|p| format!("{}: {} ({})", p.path, p.message, p.remedy)).collect()
    }

    #[test]
    fn replicas_are_dealt_out_and_links_are_as_long_as_the_way() {
        let plan = plan(spread());
        let node = |name: &str| plan.find(name)[0];
        let place = |name: &str| {
            let place = plan.domains.of[node(name).index()];
            place.map_or("", |place| plan.domains.all[place as usize].name.as_str())
        };
        let places = ["api-1", "api-2", "api-3", "db-1", "db-3", "site"].map(place);
        assert_eq!(places, ["us-a", "eu-a", "us-a", "eu-a", "box", ""]);
        let latency = |one: &str, other: &str| {
            let ends = (node(one), node(other));
            let link = plan.links.iter().find(|l| (l.source, l.target) == ends);
            link.map(|l| match l.settings.latency {
                dist::Dist::Uniform { low, .. } => low as u64,
                _ => 0,
            })
        };
        assert_eq!(latency("api-2", "db-1"), Some(150), "one zone");
        assert_eq!(latency("db-1", "db-2"), Some(400), "one region");
        assert_eq!(latency("db-1", "db-3"), Some(35_000), "two regions");
        assert_eq!(latency("people", "lb-eu"), Some(400), "who is called by name has a link");
        assert_eq!(latency("people", "site"), Some(500), "what is placed nowhere is outside");
        assert_eq!(plan.domains.distance(node("api-1"), node("db-3")), Distance::SameZone);
    }

    #[test]
    fn whoever_asks_for_the_nearest_begins_with_it() {
        let plan = plan(spread());
        let Settings::Clients(people) = &plan.nodes[0].settings else { panic!("clients") };
        let resolver = people.calls.resolver.as_ref().expect("they ask");
        assert_eq!(plan.name(resolver.first), "lb-eu");
    }

    #[test]
    fn a_domain_fails_with_all_that_is_in_it_but_not_the_people() {
        let mut json = spread();
        json["faults"] = json!([{ "at": "1s", "crash": "eu" }]);
        let plan = plan(json);
        let node = |fault: &Fault| fault.node().map(|node| plan.name(node).to_owned());
        let down: Vec<_> = plan.faults.iter().filter_map(|f| node(&f.fault)).collect();
        assert_eq!(down, ["lb-eu", "api-2", "db-1", "db-2"]);
        assert_eq!(plan.find("eu").len(), 5, "a partition has the people on its side");
        assert_eq!(plan.find_breakable("eu").len(), 4);
    }

    #[test]
    fn what_breaks_again_and_again_breaks_together_in_a_domain_and_alone_by_name() {
        let mut json = spread();
        json["duration"] = json!("1000s");
        let breaks = json!({ "of": ["eu-a", "api"], "after": "10s", "repair": "2s" });
        json["faults"] = json!([{ "breaks": breaks }]);
        let plan = plan(json);
        let crashes = |name: &str| {
            let node = plan.find(name)[0];
            plan.faults.iter().filter(|f| f.fault.node() == Some(node)).count()
        };
        // Every 12 s: 10 s up, 2 s down. api-2 is in the zone as well.
        assert_eq!((crashes("db-1"), crashes("api-1"), crashes("api-2")), (83, 83, 166));
        assert_eq!(crashes("db-2"), 0);
    }

    #[test]
    fn boxes_and_places_that_make_no_sense_are_refused_with_a_remedy() {
        let one = |change: &dyn Fn(&mut Value), path: &str, says: &str| {
            let all = problems(change);
            assert!(all.iter().any(|p| p.starts_with(path) && p.contains(says)), "{path}: {all:?}");
        };
        let set = |path: &'static str, value: Value| {
            move |json: &mut Value| *json.pointer_mut(path).expect("a place") = value.clone()
        };
        one(&set("/domains/eu-a", json!({ "in": "mars" })), "domains.eu-a.in", "no domain `mars`");
        one(&set("/domains/eu", json!({ "in": "eu-a" })), "domains.", "too deep");
        one(&set("/placement/db", json!(["eu-c"])), "placement.db", "no domain `eu-c`");
        one(&set("/placement/db", json!([])), "placement.db", "no domain is named");
        one(&set("/nodes/site/dns/to", json!([])), "nodes.site.dns.to", "leads nowhere");
        one(&set("/nodes/lb-eu/balancer/to", json!("site")), "nodes.lb-eu", "is a name server");
        let add = |path: &'static str, key: &'static str, value: Value| {
            move |json: &mut Value| json[path][key] = value.clone()
        };
        one(&add("domains", "api", json!({})), "domains.api", "name of a node");
        one(&add("domains", "in box", json!({})), "domains.in box", "cannot be the name");
        one(&add("placement", "nobody", json!(["eu"])), "placement.nobody", "no node `nobody`");
        one(
            &|json| json["faults"] = json!([{ "breaks": { "of": ["mars"] } }]),
            "faults[0].breaks.of[0]",
            "no node `mars`",
        );
        let fast = json!({ "of": ["eu"], "after": "0s" });
        one(
            &|json| json["faults"] = json!([{ "breaks": fast }]),
            "faults[0].breaks.after",
            "faster",
        );
    }
}
