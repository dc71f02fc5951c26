//! Budgets against their sources' own figures.

use super::*;

/// Calls at a service that fails each attempt independently, up to three retries: success
/// and load per call, over 100 callers with a budget each (Brooker's retry simulator).
fn run(settings: &BudgetSettings, failure: Chance, calls: u32) -> (f64, f64) {
    let mut stream = Stream::new(1, "test", 0);
    let (mut good, mut load) = (0, 0);
    for _ in 0..100 {
        let mut budget = Budget::new(settings);
        for _ in 0..calls {
            budget.first_try(Time::ZERO, &mut stream);
            for retries in 0..4 {
                load += 1;
                if !stream.chance(failure) {
                    good += 1;
                    budget.succeeded(Time::ZERO, retries);
                    break;
                }
                budget.failed(Time::ZERO, FailureKind::Error);
                if retries == 3 || !budget.allow_retry(Time::ZERO, FailureKind::Error, 1) {
                    break;
                }
            }
        }
    }
    let all = f64::from(100 * calls);
    (f64::from(good) / all, f64::from(load) / all)
}

#[test]
fn a_token_bucket_bounds_the_load() {
    let bucket = BudgetSettings::default();
    let (success, load) = run(&bucket, Chance(500_000), 1000);
    // 1 + 0.1 per first try + 4 usable of 5 initial tokens per 1000 first tries.
    assert!((load - 1.104).abs() < 0.002, "{load}");
    assert!((success - 0.551).abs() < 0.005, "{success}");
    let (success, _) = run(&bucket, Chance(200_000), 1000);
    assert!((success - 0.883).abs() < 0.005, "{success}");
}

#[test]
fn a_retry_breaker_gives_up_retries_as_failures_rise() {
    let ratio = BudgetSettings::Ratio { limit: Chance(100_000) };
    let (success, load) = run(&ratio, Chance(50_000), 1000);
    assert!((success - 0.9985).abs() < 0.003 && (load - 1.051).abs() < 0.005, "{load}");
    let (success, load) = run(&ratio, Chance(200_000), 1000);
    assert!((success - 0.801).abs() < 0.005 && load < 1.005, "{success} {load}");
}

#[test]
fn the_aws_quota_takes_and_gives_back() {
    let mut quota = Budget::new(&BudgetSettings::AWS);
    let left = |quota: &Budget| (quota.fill(Time::ZERO).unwrap_or(-1.0) * 500.0).round() as i32;
    assert!(quota.allow_retry(Time::ZERO, FailureKind::Timeout, 1));
    assert_eq!(left(&quota), 490);
    quota.succeeded_after(Time::ZERO, Some(FailureKind::Timeout));
    quota.succeeded(Time::ZERO, 0);
    assert_eq!(left(&quota), 500, "never more than at the start");
    let retries =
        (0..1000).take_while(|_| quota.allow_retry(Time::ZERO, FailureKind::Error, 1)).count();
    assert_eq!((retries, left(&quota)), (100, 0));
    (0..5).for_each(|_| quota.succeeded(Time::ZERO, 0));
    assert!(quota.allow_retry(Time::ZERO, FailureKind::Error, 1));
}

#[test]
fn deposits_of_finagle_expire() {
    let mut budget = Budget::new(&BudgetSettings::Finagle {
        ttl: Span::secs(10),
        min_per_second: 0,
        percent: Chance(200_000),
    });
    let mut stream = Stream::new(1, "test", 0);
    (0..100).for_each(|_| {
        budget.first_try(Time::ZERO, &mut stream);
    });
    let mut retries = |at: u64| {
        let allowed = |_: &u32| budget.allow_retry(Time(at), FailureKind::Error, 1);
        (0..1000).take_while(allowed).count()
    };
    assert_eq!(retries(0), 20);
    assert_eq!(retries(11_000_000), 0);
}

#[test]
fn envoy_counts_retries_under_way() {
    let mut budget = Budget::new(&BudgetSettings::ENVOY);
    let retry = |budget: &mut Budget| budget.allow_retry(Time::ZERO, FailureKind::Error, 20);
    assert_eq!([0; 5].map(|_| retry(&mut budget)), [true, true, true, true, false]);
    budget.retry_ended();
    assert_eq!([0; 2].map(|_| retry(&mut budget)), [true, false]);
}

#[test]
fn a_throttling_caller_turns_its_own_calls_away() {
    let mut budget = Budget::new(&BudgetSettings::SRE);
    let mut stream = Stream::new(1, "test", 0);
    for _ in 0..1000 {
        budget.first_try(Time::ZERO, &mut stream);
        budget.failed(Time::ZERO, FailureKind::Refused);
    }
    assert!(!budget.allow_retry(Time::ZERO, FailureKind::Refused, 1));
    let sent = (0..1000).filter(|_| budget.first_try(Time::ZERO, &mut stream)).count();
    assert!(sent < 5, "{sent}");
    let later = Time::ZERO + Span::secs(200);
    assert!(budget.first_try(later, &mut stream), "two minutes later all is forgotten");
}
