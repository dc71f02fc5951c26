use super::script::Act;
use super::*;
use crate::base::diagnostics::Problem;
use crate::base::unit::Chance;
use crate::scenario::v1;
use proptest::prelude::*;
use serde_json::json;

/// A preset that stays, with people who call an api; the tests know nothing else of it.
const STORM: &str = "retry-storm";

fn storm() -> Scenario {
    let mut scenario = presets::find(STORM).map(|p| p.scenario.clone()).unwrap_or_default();
    compile::set(&mut scenario, "api.replicas", &json!(4)).unwrap_or_else(|p| panic!("{p}"));
    scenario
}

fn opens(fragment: &str) -> Opened {
    let (opened, problems) = open(Some(STORM), fragment);
    assert!(problems.is_empty(), "{fragment}: {problems}");
    opened
}

fn warns(preset: Option<&str>, fragment: &str, words: &str) {
    let (opened, problems) = open(preset, fragment);
    assert!(problems.to_string().contains(words), "{fragment}: {problems}\nshould say: {words}");
    assert!(!problems.has_errors(), "{problems}");
    assert!(compile(&opened.scenario).is_ok());
}

#[test]
fn readable_pairs_change_the_preset() {
    let opened = opens("seed=42&people.retry.backoff=exp&people.retry.jitter=full&api.queue=50");
    assert_eq!(opened.preset.as_deref(), Some(STORM));
    assert_eq!(opened.scenario.seed, 42);
    let v1::node::Node::Clients(people) = &opened.scenario.nodes.0[0].1 else { panic!("clients") };
    assert_eq!(people.retry.backoff, v1::policy::Backoff::Exponential);
    let (preset, fragment) = encode(&opened);
    assert_eq!(preset, STORM);
    assert_eq!(
        fragment,
        "api.queue=50&people.retry.backoff=exponential&people.retry.jitter=full&seed=42&v=3"
    );
}

#[test]
fn a_region_is_all_that_is_in_it_and_a_clock_is_ahead_or_behind_and_drifts() {
    let script = "at=1s:region:eu-a,2s:clock:db-one-1+500ms,3s:clock:db-one-1+-20ms+-200ppm";
    let (opened, problems) = open(Some("availability-zones"), script);
    assert!(problems.is_empty(), "{problems}");
    let acts: Vec<&Act> = opened.script.iter().map(|step| &step.act).collect();
    let clock =
        |offset_us, drift_ppm| Act::Clock { node: "db-one-1".to_owned(), offset_us, drift_ppm };
    let kill = Act::Kill("eu-a".to_owned());
    assert_eq!(acts, [&kill, &clock(500_000, 0), &clock(-20_000, -200)]);
}

#[test]
fn the_rest_of_a_link_is_understood() {
    let (opened, problems) = open(
        Some(STORM),
        "#api.replicas=4&t=12.4s&speed=0.5&d=00ff&v=3&view=0.5,0.5,2&b.people.retry.jitter=full\
         &at=12s:kill:api-1,30s:start:api-1,5s:part:api-1+api-2~people,6s:heal,7s:slow:api-3+2.5,\
         8s:cut:people~~api-1,9s:loss:people~api+20pct,9s:delay:people~api+200ms,\
         10s:surge:people+3+10s,11s:set:api.queue+50,11s:set:api.time.uniform+5ms+10ms",
    );
    // That there is another side is told; nothing else is wrong.
    assert!(problems.problems.iter().all(|problem| problem.path == "b"), "{problems}");
    assert_eq!(opened.t, Some(Time(12_400_000)));
    assert_eq!((opened.speed, opened.digest, opened.engine), (Some(0.5), Some(255), Some(ENGINE)));
    assert_eq!(opened.b, [("people.retry.jitter".to_owned(), "full".to_owned())]);
    let acts: Vec<&Act> = opened.script.iter().map(|step| &step.act).collect();
    assert_eq!(acts.len(), 11);
    let sides = vec![vec!["api-1".to_owned(), "api-2".to_owned()], vec!["people".to_owned()]];
    assert_eq!(acts[0], &Act::Part(sides));
    assert_eq!(acts[1], &Act::HealAll);
    assert_eq!(acts[2], &Act::Slow("api-3".to_owned(), 2_500));
    let (link, loss) = ("people~api".to_owned(), Chance(200_000));
    assert_eq!(acts[4], &Act::Gray { link, latency: Span::ZERO, loss });
    assert_eq!(acts[7], &Act::Set { path: "api.queue".to_owned(), value: json!(50) });
    let value = json!("5ms,10ms");
    assert_eq!(acts[8], &Act::Set { path: "api.time.uniform".to_owned(), value });
    assert_eq!(open(Some(STORM), &encode(&opened).1).0, opened);
}

#[test]
fn a_topology_of_ones_own_travels_whole() {
    let scenario = read::value(json!({
        "seed": 9,
        "nodes": {
            "web": { "clients": { "to": "shop" } },
            "shop": { "service": { "time": "5ms" } },
        }
    }));
    let opened = Opened::new(scenario.unwrap_or_else(|p| panic!("{p}")));
    let (preset, fragment) = encode(&opened);
    assert_eq!(preset, CUSTOM);
    assert!(fragment.contains("z=1."), "{fragment}");
    let (again, problems) = open(Some(CUSTOM), &fragment);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!((again.scenario, again.preset), (opened.scenario.clone(), None));
    // A node more than the preset has.
    let mut more = storm();
    more.nodes.0.push(("web".to_owned(), opened.scenario.nodes.0[0].1.clone()));
    more.nodes.0.push(("shop".to_owned(), opened.scenario.nodes.0[1].1.clone()));
    let more = Opened { preset: Some(STORM.to_owned()), ..Opened::new(more) };
    let (_, fragment) = encode(&more);
    assert!(fragment.contains("z=1."), "{fragment}");
    assert_eq!(opens(&fragment).scenario, more.scenario);
    // Another order of nodes is another run: a patch cannot say it.
    let mut turned = more.clone();
    turned.scenario.nodes.0.reverse();
    let (_, fragment) = encode(&turned);
    assert!(fragment.contains("z=2."), "{fragment}");
    assert_eq!(opens(&fragment).scenario, turned.scenario);
}

#[test]
fn a_link_starts_from_a_scenario_elsewhere_as_long_as_it_can_be_said_against_it() {
    let address = "https://example.org/a file.json?x=1&y=2";
    let fragment = "src=https:%2F%2Fexample.org%2Fa%20file.json%3Fx%3D1%26y%3D2&seed=9&api.queue=7";
    assert_eq!(source_of(fragment).as_deref(), Some(address));
    assert_eq!(source_of(&format!("z=2.0.A&{fragment}")), None);
    assert_eq!(source_of("seed=9"), None);
    let own = || Source { address: address.to_owned(), scenario: storm() };
    let (opened, problems) = open_on(own(), fragment);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!((opened.scenario.seed, &opened.preset), (9, &None));
    let (preset, again) = encode(&opened);
    assert_eq!(preset, CUSTOM);
    assert_eq!(source_of(&again).as_deref(), Some(address));
    assert!(again.contains("api.queue=7&") && again.contains("&seed=9&"), "{again}");
    let reopened = open_on(own(), &again).0;
    assert_eq!(
        (reopened.scenario, reopened.source),
        (opened.scenario.clone(), opened.source.clone())
    );
    // A node more, and the source is of no use.
    let mut more = opened;
    let node = more.scenario.nodes.0[1].1.clone();
    more.scenario.nodes.0.push(("one-more".to_owned(), node));
    let (_, whole) = encode(&more);
    assert!(whole.contains("z=2.") && !whole.contains("src="), "{whole}");
    assert_eq!(open(Some(CUSTOM), &whole).0.scenario, more.scenario);
    // Nobody has fetched it.
    warns(Some(STORM), fragment, "warning: src: `https://example.org/a file.json?x=1&y=2` was not");
}

#[test]
fn what_cannot_be_used_names_itself() {
    let preset = Some(STORM);
    warns(
        Some("retry-strom"),
        "",
        "there is no preset `retry-strom` (did you mean `retry-storm`?)",
    );
    warns(
        preset,
        "api.qeue=5",
        "warning: api.qeue: set aside: nodes.api.service.qeue: unknown field",
    );
    warns(preset, "api.queue=many", "nodes.api.service.queue: `\"many\"` is not a whole number");
    warns(preset, "api.workers=0", "0 is outside its limits");
    warns(preset, "nonsense=1", "no node and no part of a scenario called `nonsense`");
    warns(preset, "nonsense", "`nonsense` is not a pair");
    warns(preset, "seed=1&seed=2", "it appears twice");
    warns(preset, "t=5", "`t=5` means nothing (write a duration, as in t=12.4s)");
    warns(preset, "t=5h", "is after the end of the run");
    warns(preset, "speed=fast", "`speed=fast` means nothing");
    for view in ["0.5,0.5", "0.5,0.5,0", "0.5,2,1", "-1,0.5,2", "0.5,0.5,9", "a,b,c", "0,0,NaN"] {
        let words = "write x,y,zoom: the middle of what is seen, from 0 to 1, and 1 to 8";
        warns(preset, &format!("view={view}"), words);
    }
    warns(preset, "v=99", "another version of the engine");
    warns(preset, "at=5s:eat:api", "nobody knows how to do that");
    warns(preset, "at=5s:kill:db", "there is no node `db`");
    warns(preset, "at=5s:region:api", "there is no domain `api`");
    warns(preset, "at=5s:clock:api", "the arguments do not fit");
    warns(preset, "at=5s:clock:api+soon", "soon");
    warns(preset, "at=5s:clock:api+1s+fast", "`fast` is not how a clock drifts");
    warns(preset, "at=soon:kill:api", "does not begin with an instant");
    warns(preset, "at=5s:cut:api~api", "there is no link `api~api`");
    warns(preset, "at=5s:slow:api", "the arguments do not fit");
    warns(preset, "b.api.workers=x", "b.api.workers: set aside");
    warns(preset, "z=1.0000.abc", "this link was cut off");
    warns(preset, "z=1", "this link was cut off");
    warns(preset, "z=7.1.a", "of a kind not known here");
    let empty = Scenario { seed: 5, ..Scenario::default() };
    let blob = blob::write(&empty, &Scenario::default());
    warns(Some(CUSTOM), &format!("z={blob}"), "there are no nodes");
    let long = "a".repeat(MOST_LINK + 1);
    warns(preset, &long, "bytes is the limit");
    let many: Vec<String> = (0..MOST_PAIRS + 5).map(|n| format!("x{n}=1")).collect();
    warns(preset, &many.join("&"), "only the first 400 changes were used");
}

#[test]
fn a_setting_that_makes_no_sense_in_its_time_is_set_aside() {
    let script = "at=3s:set:api.workers+0,4s:set:api.workers+3,5s:set:api.wrkers+3";
    let (opened, problems) = open(Some(STORM), script);
    let values: Vec<&Act> = opened.script.iter().map(|step| &step.act).collect();
    assert_eq!(values, [&Act::Set { path: "api.workers".to_owned(), value: json!(3) }]);
    let said = problems.to_string();
    let zero = "warning: at: `3s:set:api.workers+0`: set aside: nodes.api.service.workers: 0 is \
                outside its limits (choose";
    assert!(said.contains(zero), "{said}");
    assert!(said.contains("`5s:set:api.wrkers+3`: set aside: "), "{said}");
    assert!(said.contains("did you mean `workers`?"), "{said}");
    assert_eq!(problems.problems.len(), 2, "{said}");
    // A quorum that is impossible only for the number of replicas there are.
    let quorum = json!({ "nodes": {
        "people": { "clients": { "to": "db" } }, "db": { "quorum": { "replicas": 3 } } } });
    let scenario = read::value(quorum).unwrap_or_else(|p| panic!("{p}"));
    let (_, fragment) = encode(&Opened::new(scenario));
    let (opened, problems) = open(Some(CUSTOM), &format!("{fragment}&at=3s:set:db.read+4"));
    assert!(opened.script.is_empty(), "{problems}");
    assert!(problems.to_string().contains("`3s:set:db.read+4`: set aside: nodes.db"), "{problems}");
}

#[test]
fn what_is_hardly_meant_is_told() {
    let many = "b.api.workers=1&b.people.count=2000000000";
    warns(Some(STORM), many, "b: set aside: nodes.people.clients.count: 2000000000 is outside");
    let faults = blob::of_value(&json!([{ "at": "2h", "crash": "api-1" }]));
    warns(Some(STORM), &format!("faults=j.{faults}"), "faults[0].at: 2h is after the end");
    // Packed text that is no scenario: nobody can correct it.
    let deep = "[".repeat(1_000) + &"]".repeat(1_000);
    let bytes = miniz_oxide::deflate::compress_to_vec(deep.as_bytes(), 10);
    let deep = format!("z={}", blob::of_bytes(&bytes));
    warns(Some(STORM), &deep, "this link holds no scenario (make it again from its scenario)");
}

#[test]
fn what_a_file_does_not_hold_is_known() {
    let fragment = "at=12s:kill:api,30s:start:api&t=12.4s&speed=2&view=0,0,1&b.api.workers=3";
    let (opened, _) = open(Some(STORM), fragment);
    let left = ["at=12s:kill:api,30s:start:api", "t=12.4s", "speed=2", "view=0,0,1"];
    assert_eq!(left_out(&opened), [&left[..], &["b.api.workers=3"]].concat());
    assert!(left_out(&opens("seed=42&v=3&api.workers=3")).is_empty());
}

#[test]
fn an_address_names_its_preset_wherever_the_page_stands() {
    for (address, preset) in [
        ("https://x.github.io/labs/s/failover/", Some("failover")),
        ("https://example.org/s/failover", Some("failover")),
        ("/s/failover/index.html", Some("failover")),
        ("s/failover/", Some("failover")),
        ("https://example.org/netsplit/?preset=failover", Some("failover")),
        ("https://example.org/?embed&preset=failover&x=1", Some("failover")),
        ("failover", Some("failover")),
        ("https://example.org/labs/", None),
        ("https://example.org/", None),
        ("", None),
        ("/", None),
    ] {
        assert_eq!(preset_of(address), preset, "{address}");
    }
}

#[test]
fn a_cut_link_opens_its_preset_wherever_it_was_cut() {
    let whole = blob::write(&storm(), &Scenario::default());
    for length in 0..whole.len() {
        let (opened, problems) = open(Some(STORM), &format!("z={}", &whole[..length]));
        assert_eq!(opened.preset.as_deref(), Some(STORM));
        assert!(problems.to_string().contains("cut off"), "{length}: {problems}");
    }
}

#[test]
fn a_good_change_survives_a_bad_neighbour() {
    let text = "api.workers=3&api.queue=7&api.workers.=0&people.count=0&people.to=moon";
    let (opened, problems) = open(Some(STORM), text);
    assert_eq!(problems.problems.len(), 3, "{problems}");
    let v1::node::Node::Service(api) = &opened.scenario.nodes.0[1].1 else { panic!("a service") };
    assert_eq!((api.queue, api.workers), (Some(7), 3));
}

/// Changes that can be made to the preset, with values that can be taken.
fn change() -> impl Strategy<Value = (String, Value)> {
    let number = |path: &'static str| (1u32..1_000).prop_map(move |n| (path.to_owned(), json!(n)));
    let text = |path: &'static str, values: &'static [&'static str]| {
        proptest::sample::select(values).prop_map(move |v| (path.to_owned(), json!(v)))
    };
    prop_oneof![
        number("api.queue"),
        number("api.workers"),
        number("people.count"),
        number("seed"),
        text("people.retry.backoff", &["immediate", "fixed", "exp", "decorrelated", "polly"]),
        text("people.retry.jitter", &["none", "full", "equal", "plus_minus"]),
        text("people.budget", &["none", "token_bucket", "aws", "envoy"]),
        text("people.breaker", &["none", "consecutive", "resilience4j", "hystrix"]),
        text("people.load.open.rate", &["0.1/s", "2ps", "30/m"]),
        text("people.load.closed.think", &["1s", "2s"]),
        text("people.timeout", &["none", "250ms", "1.5s"]),
        text("api.time", &["7ms", "default"]),
        text("api.time.uniform", &["1ms,2ms", "5ms,50ms"]),
        text("network.loss", &["1%", "0.01%"]),
        text("people~api.latency", &["3ms", "none"]),
        text("people~~api-2.loss", &["3%"]),
        text("title", &["A & B = C", "nächste", "50", "none", ""]),
        Just((
            "api.time".to_owned(),
            json!({"mixture": [[1.0, "1ms"], [3.0, {"exponential": "9ms"}]]})
        )),
        Just(("faults".to_owned(), json!([]))),
        Just(("faults".to_owned(), json!([{"at": "1s", "for": "2s", "crash": "api-1"}]))),
        Just(("checks".to_owned(), json!([{"availability": {"at_least": "90%"}}]))),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let node =
        || proptest::sample::select(&["api", "api-2", "people", "a*"][..]).prop_map(str::to_owned);
    let link =
        || proptest::sample::select(&["people~api", "api-1~~people"][..]).prop_map(str::to_owned);
    prop_oneof![
        node().prop_map(Act::Kill),
        node().prop_map(Act::Resume),
        (node(), 1u32..10_000_000).prop_map(|(node, factor)| Act::Slow(node, factor)),
        (node(), -9_000_000i64..9_000_000, -1_000i64..1_000)
            .prop_map(|(node, offset_us, ppm)| { Act::Clock { node, offset_us, drift_ppm: ppm } }),
        link().prop_map(Act::Cut),
        link().prop_map(Act::Heal),
        Just(Act::HealAll),
        (node(), node()).prop_map(|(a, b)| Act::Part(vec![vec![a.clone(), b], vec![a]])),
        (link(), 0u64..10_000_000, 0u32..=1_000_000).prop_map(|(link, l, p)| Act::Gray {
            link,
            latency: Span(l),
            loss: Chance(p)
        }),
        (node(), 1u32..10_000, 0u64..90_000_000).prop_map(|(node, factor, l)| Act::Surge {
            node,
            factor,
            lasts: Span(l)
        }),
        change().prop_map(|(path, value)| Act::Set { path, value }),
    ]
}

/// Keys and values that nearly mean something.
const KEY: &str = "(api|people|seed|at|t|z|b\\.api|people~api|faults|nodes|links|network)\
                   (\\.[a-z_]{1,8}){0,3}(\\[[0-9]\\])?";
const VALUE: &str = "(\\PC{0,12}|[0-9]{1,9}(ms|s|pct|ps|h)?|j\\.[A-Za-z0-9_-]{0,20}\
                     |1\\.[0-9a-f]{4}\\.[A-Za-z0-9_-]{0,30}|[0-9]s:[a-z]{3,5}:[a-z0-9~+]{0,12})";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_is_read_back(
        changes in proptest::collection::vec(change(), 0..8),
        acts in proptest::collection::vec((0u64..60_000_000, act()), 0..6),
        custom in any::<bool>(),
        at in proptest::option::of(0u64..60_000_000),
        digest in proptest::option::of(any::<u64>()),
        speed in proptest::option::of(0.001f64..1_000.0),
        view in proptest::option::of((0.0f64..1.0, 0.0f64..1.0, 1.0f64..8.0)),
    ) {
        let mut scenario = storm();
        for (path, value) in &changes {
            let set = compile::set(&mut scenario, path, value);
            set.map_err(|p| TestCaseError::fail(format!("{path}: {p}")))?;
        }
        let mut script: Vec<Step> =
            acts.into_iter().map(|(at, act)| Step { at: Time(at), act }).collect();
        script.sort_by_key(|step| step.at);
        let opened = Opened {
            preset: (!custom).then(|| STORM.to_owned()),
            script,
            t: at.map(Time),
            speed,
            view,
            engine: Some(ENGINE),
            digest,
            b: vec![("people.retry.jitter".to_owned(), "full".to_owned())],
            ..Opened::new(scenario)
        };
        let (preset, fragment) = encode(&opened);
        prop_assert!(fragment.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b'"'));
        let (again, problems) = open(Some(preset), &fragment);
        let other = |problem: &Problem| problem.path != "b" && !problem.path.starts_with("faults");
        prop_assert!(!problems.problems.iter().any(other), "{}\n{}", fragment, problems);
        prop_assert_eq!(&again, &opened, "{}", fragment);
        prop_assert_eq!(encode(&again).1, fragment);
    }

    #[test]
    fn any_text_opens_something(text in "\\PC{0,200}") {
        let (opened, _) = open(Some(STORM), &text);
        prop_assert!(compile(&opened.scenario).is_ok());
    }

    #[test]
    fn any_pairs_open_something(
        pairs in proptest::collection::vec((KEY, VALUE), 0..12)
    ) {
        let text: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let (opened, _) = open(Some(STORM), &text.join("&"));
        prop_assert!(compile(&opened.scenario).is_ok());
    }

    #[test]
    fn any_bytes_behind_a_good_checksum_open_something(
        bytes in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        let blob = blob::of_bytes(&bytes);
        let (opened, problems) = open(Some(STORM), &format!("z={blob}"));
        prop_assert!(compile(&opened.scenario).is_ok());
        prop_assert!(!problems.to_string().contains("cut off"));
    }
}

/// A blob of a few bytes that would fill memory if nobody looked at the size.
#[test]
fn a_bomb_does_not_go_off() {
    let bytes = miniz_oxide::deflate::compress_to_vec(&vec![b' '; 50_000_000], 10);
    warns(Some(STORM), &format!("z={}", blob::of_bytes(&bytes)), "256 kB of text is the limit");
}
