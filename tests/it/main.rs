//! The native integration tests, one binary.

mod caches;
mod conform;
mod golden;
mod links;
mod presets;
mod redundancy;
mod script;
mod session;
mod shards;
mod tidy;
mod verdicts;

#[test]
fn draws_keep_their_bits() {
    golden::draws_keep_their_bits();
}

#[test]
fn runs_agree_with_the_analysis_of_losses() {
    redundancy::runs_agree_with_the_analysis();
}

#[test]
fn every_recorded_case_agrees() {
    conform::every_recorded_case_agrees();
}

#[test]
fn a_false_record_is_noticed() {
    conform::a_false_record_is_noticed();
}

#[test]
fn published_statistics_of_load_balancing_agree() {
    conform::published_statistics_agree("load_balancing");
}

#[test]
fn published_statistics_of_queueing_agree() {
    conform::published_statistics_agree("queueing_more");
}

#[test]
fn closed_forms_of_queueing_agree() {
    conform::published_statistics_agree("queueing_oracles");
}

#[test]
fn published_statistics_of_metastable_states_agree() {
    conform::published_statistics_agree("metastable");
}

#[test]
fn published_statistics_of_backoff_agree() {
    conform::published_statistics_agree("backoff_occ");
}

#[test]
fn published_statistics_of_sharding_agree() {
    conform::published_statistics_agree("sharding_oracles");
}

#[test]
fn published_facts_of_raft_agree() {
    conform::published_statistics_agree("raft_cases");
}

#[test]
fn published_staleness_of_quorums_agrees() {
    conform::published_statistics_agree("pbs");
    conform::false_staleness_is_refused();
}

#[test]
fn a_wrong_model_is_refused() {
    conform::a_wrong_model_is_refused();
}

#[test]
fn what_is_not_understood_fails_and_says_where() {
    conform::what_is_not_understood_fails_and_says_where();
}

#[test]
fn no_file_is_too_strange() {
    conform::no_file_is_too_strange();
}

#[test]
fn presets_keep_their_digests() {
    golden::presets_keep_their_digests();
}

#[test]
fn every_preset_is_whole() {
    presets::every_preset_is_whole();
}

/// Tests of the facts of each preset; the presets are independent, so their tests are too.
macro_rules! facts {
    ($($name:ident = $id:literal;)*) => {
        $(#[test]
        fn $name() {
            presets::hold($id);
        })*

        #[test]
        fn facts_of_every_preset_are_tried() {
            let tried = [$($id),*];
            let presets = netsplit::scenario::presets::all();
            let all: Vec<&str> = presets.iter().map(|p| p.id.as_str()).collect();
            assert_eq!(all, tried, "in the order of the gallery");
        }
    };
}

facts! {
    facts_of_four_fates = "four-fates";
    facts_of_double_charge = "double-charge";
    facts_of_retry_storm = "retry-storm";
    facts_of_thundering_herd = "thundering-herd";
    facts_of_metastable = "metastable";
    facts_of_breaker_cascade = "breaker-cascade";
    facts_of_graceful_degradation = "graceful-degradation";
    facts_of_autoscaling = "autoscaling";
    facts_of_cache_stampede = "cache-stampede";
    facts_of_scale_in_order = "scale-in-order";
    facts_of_stale_read = "stale-read";
    facts_of_read_replicas = "read-replicas";
    facts_of_failover = "failover";
    facts_of_split_brain = "split-brain";
    facts_of_raft_election = "raft-election";
    facts_of_raft_partition = "raft-partition";
    facts_of_quorum = "quorum";
    facts_of_clock_skew = "clock-skew";
    facts_of_like_count = "like-count";
    facts_of_cap = "cap";
    facts_of_bank_balance = "bank-balance";
    facts_of_hot_shard = "hot-shard";
    facts_of_cross_shard = "cross-shard";
    facts_of_single_point_of_failure = "single-point-of-failure";
    facts_of_store_without_recommendations = "store-without-recommendations";
    facts_of_availability_zones = "availability-zones";
    facts_of_multi_region = "multi-region";
    facts_of_rolling_deploy = "rolling-deploy";
    facts_of_bad_deploy = "bad-deploy";
    facts_of_untested_backup = "untested-backup";
    facts_of_disaster = "disaster";
    facts_of_at_least_once = "at-least-once";
    facts_of_dead_letter = "dead-letter";
    facts_of_outbox = "outbox";
    facts_of_black_friday = "black-friday";
}
