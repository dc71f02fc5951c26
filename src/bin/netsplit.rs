//! The native commands. `netsplit help` lists them.

#[path = "netsplit/check.rs"]
mod check;

use check::{Asked, check};
use clap::{Parser, Subcommand};
use netsplit::base::diagnostics::Diagnostics;
use netsplit::base::time::Span;
use netsplit::check::history::jepsen::{self, Language};
use netsplit::check::history::linearizable;
use netsplit::check::history::model::Named;
use netsplit::check::{State, Verdict};
use netsplit::conform;
use netsplit::observe::line::Line;
use netsplit::scenario::compile::remarks::remarks;
use netsplit::scenario::compile::whole;
use netsplit::scenario::link::{self, Opened};
use netsplit::scenario::redundancy::report::Report as Losses;
use netsplit::scenario::{compile, pages, presets, schema};
use netsplit::session::Session;
use netsplit::session::report::Report;
use netsplit::session::sweep;
use netsplit::swarm;
use serde_json::Value;
use std::cell::RefCell;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A laboratory for the hard truths of distributed systems.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a preset, a scenario file or a link to its end and print what happened.
    Run {
        /// A preset's name, a path to a scenario file, `-` for standard input, or a link.
        what: String,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
        /// Print so many of the newest lines of the log before it.
        #[arg(long, value_name = "LINES", default_value_t = 0)]
        log: usize,
        /// Use this seed instead of the scenario's.
        #[arg(long)]
        seed: Option<u64>,
        /// Change a setting, as in `--set api.queue=50`. May be given several times.
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
        /// Write what clients did into a file as Jepsen does: as JSON if its name ends so, else
        /// as EDN.
        #[arg(long, value_name = "FILE")]
        history: Option<PathBuf>,
        /// Tell the lives of the requests that prove what does not hold.
        #[arg(long)]
        why: bool,
    },
    /// Replay case files against the models and print each case that differs.
    Conform {
        /// Case files in the formats of tests/cases.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Run the scenarios of statistical cases for seconds instead of minutes.
        #[arg(long)]
        brief: bool,
        /// Tell how long each history took that was judged, and each case that takes long.
        #[arg(long)]
        times: bool,
    },
    /// Judge a history in the form of Jepsen, EDN or JSON: is it linearizable, or sequentially
    /// consistent; or, of transactions, serializable?
    Check {
        /// A path to a history, or `-` for standard input.
        file: String,
        /// What the items are; guessed from the operations when absent.
        #[arg(long, value_parser = Named::NAMES)]
        model: Option<String>,
        /// So many steps are tried before the verdict is unknown.
        #[arg(long, default_value_t = linearizable::BUDGET)]
        steps: u64,
        /// Ask only for sequential consistency: time counts within each client alone.
        #[arg(long)]
        sequential: bool,
        /// Draw what proves the verdict into an SVG file.
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
    /// Run random scenarios in random trouble; what breaks a promise is printed as a link.
    Swarm {
        /// How long.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Only this subject; all of them in turn when absent.
        #[arg(long)]
        of: Option<String>,
        /// Change a setting of every run, as in `--set db.fencing=false`: a mistake to be found.
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
        /// Go on after the first failure.
        #[arg(long)]
        all: bool,
    },
    /// Run a scenario with many seeds and print how recovery points and times, lost writes and
    /// availability are distributed, and how often each check held.
    Sweep {
        /// A preset's name, a path to a scenario file, `-` for standard input, or a link.
        what: String,
        /// How many seeds.
        #[arg(long, default_value_t = 20)]
        seeds: u64,
        /// The first of them.
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// Change a setting, as in `--set archive.every=5s`. May be given several times.
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
        /// Print it as JSON, with every value.
        #[arg(long)]
        json: bool,
    },
    /// Make a run smaller in which something does not hold: fewer faults, nodes, clients, and less
    /// time.
    Shrink {
        /// A preset's name, a path to a scenario file, or a link.
        what: String,
        /// Change a setting first.
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
        /// So many runs are tried.
        #[arg(long, default_value_t = 1_000)]
        runs: u32,
    },
    /// Find every single thing, and every pair, whose loss stops what clients want.
    Redundancy {
        /// A preset's name, a path to a scenario file, or a link.
        what: String,
        /// Change a setting first.
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
        /// Print what was found as JSON.
        #[arg(long)]
        json: bool,
        /// Run the loss of each single thing, too, and count what still succeeds so long after it.
        #[arg(long, value_name = "SECONDS")]
        prove: Option<u64>,
    },
    /// Turn a preset or a scenario file into a link, or a link into the scenario it holds.
    Link {
        /// A preset's name, a path to a scenario file, or a link.
        what: String,
        /// What the link begins with.
        #[arg(long, default_value = "")]
        base: String,
    },
    /// List the presets.
    Presets,
    /// Print the JSON Schema of scenario files.
    Schema,
    /// Write a static page for each preset beside a built page.
    Pages {
        /// The folder that holds the built index.html.
        dist: PathBuf,
    },
}

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let result = match Arguments::parse().command {
        Command::Run { what, json, log, seed, sets, history, why } => {
            let tell = Tell { json, log, why, history };
            with(&what, seed, &sets).and_then(|opened| run(&mut out, opened, &tell))
        }
        Command::Conform { files, brief, times } => conform(&mut out, &files, brief, times),
        Command::Check { file, model, steps, sequential, svg } => {
            check(&mut out, &file, &Asked { model, steps, sequential, svg })
        }
        Command::Swarm { seconds, seed, of, sets, all } => {
            let (until, of) = (clock() + Duration::from_secs(seconds), of.as_deref());
            swarm(&mut out, &Hunt { until, seed, of, all }, &sets)
        }
        Command::Sweep { what, seeds, first, sets, json } => {
            with(&what, None, &sets).and_then(|opened| {
                let sweep = sweep::sweep(&opened, first, seeds);
                print(&mut out, &if json { as_json(&sweep)? } else { sweep.to_string() })
            })
        }
        Command::Shrink { what, sets, runs } => {
            with(&what, None, &sets).and_then(|opened| shrink(&mut out, &opened, runs))
        }
        Command::Redundancy { what, sets, json, prove } => with(&what, None, &sets)
            .and_then(|opened| redundancy(&mut out, &opened, json, prove.map(Span::secs))),
        Command::Link { what, base } => link(&mut out, &what, base.trim_end_matches('/')),
        Command::Presets => list(&mut out),
        Command::Schema => print(&mut out, &schema::schema()),
        Command::Pages { dist } => pages(&mut out, &dist),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

type Answer = Result<ExitCode, String>;

fn print(out: &mut impl Write, text: &str) -> Answer {
    match writeln!(out, "{text}") {
        // A reader that has seen enough, such as `head`, is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// What a word stands for, with another seed and other settings.
fn with(what: &str, seed: Option<u64>, sets: &[String]) -> Result<Opened, String> {
    let mut opened = find(what)?;
    opened.scenario.seed = seed.unwrap_or(opened.scenario.seed);
    for (path, value) in settings(sets)? {
        compile::set(&mut opened.scenario, &path, &value).map_err(say)?;
    }
    Ok(opened)
}

fn settings(sets: &[String]) -> Result<Vec<(String, Value)>, String> {
    let setting = |one: &String| {
        let (path, value) =
            one.split_once('=').ok_or_else(|| format!("`{one}` is not PATH=VALUE"))?;
        Ok((path.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
    };
    sets.iter().map(setting).collect()
}

fn redundancy(out: &mut impl Write, opened: &Opened, json: bool, patience: Option<Span>) -> Answer {
    let report = Losses::of(&opened.scenario, patience).map_err(say)?;
    let text = match json {
        true => serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?,
        false => report.to_string(),
    };
    print(out, &text)
}

/// What to tell of a run.
struct Tell {
    json: bool,
    log: usize,
    why: bool,
    history: Option<PathBuf>,
}

fn run(out: &mut impl Write, mut opened: Opened, tell: &Tell) -> Answer {
    let linked = opened.digest;
    if tell.history.is_some() {
        // What happened before the instant of a link counts as well.
        opened.t = None;
    }
    let mut session = Session::open(opened);
    if tell.history.is_some() {
        session.keep_history();
    }
    if linked.is_some() && session.is_as_linked() == Some(false) {
        eprintln!("note: this is not the run that the link was made from: the engine has changed");
    }
    session.seek(session.end());
    if let Some(path) = &tell.history {
        let is_json = path.extension().is_some_and(|end| end == "json");
        let language = if is_json { Language::Json } else { Language::Edn };
        save(path, &jepsen::write(&session.history(), language))?;
    }
    lines(out, session.log(tell.log).iter().rev())?;
    let verdicts = session.verdicts();
    let proofs = session.proofs().into_iter().chain(std::iter::repeat(None));
    let wrong = |(v, _): &(&Verdict, _)| tell.why && v.state == State::Violated;
    for (verdict, proof) in verdicts.iter().zip(proofs).filter(wrong) {
        print(out, &format!("{}: {}", verdict.name, verdict.sentence))?;
        if let Some(proof) = proof {
            print(out, &format!("proof: {}", proof.sentence))?;
            for row in proof.figure().rows {
                print(out, &format!("  {row}"))?;
            }
        }
        for story in verdict.intents.iter().filter_map(|intent| session.intent_story(*intent)) {
            print(out, &story.title)?;
            lines(out, story.life.iter())?;
        }
    }
    let report = Report::of(&session);
    if tell.json {
        return print(out, &as_json(&report)?);
    }
    print(out, &report.to_string())
}

fn as_json(what: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(what).map_err(|error| error.to_string())
}

fn lines<'a>(out: &mut impl Write, lines: impl Iterator<Item = &'a Line>) -> Result<(), String> {
    for line in lines {
        print(out, &format!("{:>9} {}", line.at.to_string(), line.text))?;
    }
    Ok(())
}

fn save(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// What a word stands for: a preset, a link, a file.
fn find(what: &str) -> Result<Opened, String> {
    if let Some(preset) = presets::find(what) {
        return Ok(link::open(Some(&preset.id), "").0);
    }
    let linked = what.split_once('#').map(|(address, rest)| (link::preset_of(address), rest));
    // Without anything behind it, an address is a link if it names a preset and is no file.
    let bare = || link::preset_of(what).filter(|_| what.contains(['/', '?']));
    let bare = || bare().filter(|_| !Path::new(what).exists()).map(|preset| (Some(preset), ""));
    if let Some((preset, fragment)) = linked.or_else(bare) {
        if let Some(address) = link::source_of(fragment) {
            return Err(format!(
                "the link starts from a file that is somewhere else, and nothing is fetched here: \
                 save {address:?} and give the name of that file, with --set for the settings"
            ));
        }
        let (opened, problems) = link::open(preset, fragment);
        if !problems.is_empty() {
            eprintln!("{problems}");
        }
        return Ok(opened);
    }
    let text = read_text(what).map_err(|error| match error {
        Unread::Missing(error) if what != "-" => {
            let known: Vec<&str> = presets::all().iter().map(|p| p.id.as_str()).collect();
            let known = known.join(", ");
            format!("{what}: neither a preset ({known}), a link, nor a file: {error}")
        }
        other => format!("{what}: {other}"),
    })?;
    let scenario = whole::text(&text).map_err(say)?;
    let remarks = remarks(&scenario);
    if !remarks.is_empty() {
        eprintln!("{remarks}");
    }
    Ok(Opened::new(scenario))
}

/// Why a file could not be read.
enum Unread {
    Missing(std::io::Error),
    /// It has another encoding from this line on.
    Encoding(usize),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unread::Missing(error) => write!(f, "{error}"),
            Unread::Encoding(line) => {
                write!(f, "line {line}: is not UTF-8 (save the file in that encoding)")
            }
        }
    }
}

/// The text of a file, or, for `-`, of standard input.
fn read_text(file: &str) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => std::io::stdin().read_to_end(&mut bytes).map(drop),
        _ => std::fs::read(file).map(|read| bytes = read),
    };
    read.map_err(Unread::Missing)?;
    String::from_utf8(bytes).map_err(|error| {
        let sound = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        Unread::Encoding(1 + sound.iter().filter(|byte| **byte == b'\n').count())
    })
}

fn link(out: &mut impl Write, what: &str, base: &str) -> Answer {
    let opened = find(what)?;
    if what.contains('#') {
        for pair in link::left_out(&opened) {
            eprintln!("note: a scenario file has no place for `{pair}`: it is only in the link");
        }
        return print(out, &as_json(&opened.scenario)?);
    }
    let (preset, fragment) = link::encode(&opened);
    print(out, &format!("{base}/s/{preset}/#{fragment}"))
}

fn say(problems: Diagnostics) -> String {
    problems.to_string()
}

fn conform(out: &mut impl Write, files: &[PathBuf], brief: bool, times: bool) -> Answer {
    let effort = if brief { conform::Effort::Brief } else { conform::Effort::Full };
    let mut report = conform::Report::default();
    // What was begun, and when.
    let begun: RefCell<Option<(String, Instant)>> = RefCell::default();
    let next = |what: Option<&str>| {
        let next = what.map(|what| (what.to_owned(), clock()));
        if let Some((what, since)) = begun.replace(next) {
            eprintln!("{:>10.3} ms  {what}", since.elapsed().as_secs_f64() * 1e3);
        }
    };
    let run = if times { conform::run_telling } else { conform::run_with };
    let tell = |what: &str| if times { next(Some(what)) } else { eprintln!("{what}") };
    for path in files {
        let name = path.display().to_string();
        let more = match read_text(&name) {
            Ok(text) => run(&[(name, text)], effort, &tell),
            Err(error) => {
                let lines = vec![format!("{name}: cannot be read: {error}")];
                conform::Report { lines, passed: 0, failed: 1 }
            }
        };
        next(None);
        report.lines.extend(more.lines);
        (report.passed, report.failed) = (report.passed + more.passed, report.failed + more.failed);
    }
    print(out, &report.to_string())?;
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long to look for failures is a person's time, not that of a run"
)]
fn clock() -> Instant {
    Instant::now()
}

/// How long to look for failures, and where.
struct Hunt<'a> {
    until: Instant,
    seed: u64,
    of: Option<&'a str>,
    all: bool,
}

fn swarm(out: &mut impl Write, hunt: &Hunt<'_>, sets: &[String]) -> Answer {
    let sets = settings(sets)?;
    let mut subjects = swarm::subjects();
    if let Some(name) = hunt.of {
        let known: Vec<&str> = subjects.iter().map(|s| s.name).collect();
        let known = known.join(", ");
        subjects.retain(|s| s.name == name);
        if subjects.is_empty() {
            return Err(format!("there is no subject {name}; there are {known}"));
        }
    }
    let (mut runs, mut events, mut judged, mut failures) = (0_u64, 0, 0, 0_u32);
    let each = (hunt.seed..).flat_map(|seed| subjects.iter().map(move |subject| (seed, subject)));
    for (seed, subject) in each {
        if clock() > hunt.until || (failures > 0 && !hunt.all) {
            break;
        }
        let opened = subject.draw(seed, &sets).map_err(say)?;
        let outcome = swarm::judge(&opened);
        (runs, events, judged) = (runs + 1, events + outcome.events, judged + outcome.judged);
        if let Some(verdict) = outcome.broken.first() {
            failures += 1;
            let (name, said) = (&verdict.name, &verdict.sentence);
            print(out, &format!("{}, seed {seed}: not so: {name}: {said}", subject.name))?;
            print(out, &format!("/#{}", link::encode(&opened).1))?;
        }
    }
    let text =
        format!("{runs} runs, {events} events, {judged} operations judged, {failures} failures");
    print(out, &text)?;
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shrink(out: &mut impl Write, opened: &Opened, runs: u32) -> Answer {
    let Some(left) = swarm::shrink::shrink(opened, runs) else {
        return Err("everything holds in this run: there is nothing to make smaller".to_owned());
    };
    for gone in &left.gone {
        print(out, &format!("  gone: {gone}"))?;
    }
    let (scenario, broken) = (&left.opened.scenario, &left.broken);
    let (faults, lasts) = (scenario.faults.len(), scenario.duration);
    print(out, &format!("{} runs; {faults} faults and {lasts} are left", left.runs))?;
    print(out, &format!("not so: {}: {}", broken.name, broken.sentence))?;
    print(out, &format!("/#{}", link::encode(&left.opened).1))?;
    Ok(ExitCode::SUCCESS)
}

fn pages(out: &mut impl Write, dist: &Path) -> Answer {
    let say = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let index = dist.join("index.html");
    let html = std::fs::read_to_string(&index).map_err(|error| say(&index, error))?;
    let pages = pages::pages(&html);
    for (path, text) in &pages {
        let path = dist.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| say(folder, error))?;
        }
        std::fs::write(&path, text).map_err(|error| say(&path, error))?;
    }
    let schema = dist.join("scenario.schema.json");
    std::fs::write(&schema, schema::schema()).map_err(|error| say(&schema, error))?;
    print(out, &format!("{} files beside {}", pages.len() + 1, index.display()))
}

fn list(out: &mut impl Write) -> Answer {
    let lines: Vec<String> =
        presets::all().iter().map(|p| format!("{:<22} {}", p.id, p.summary)).collect();
    print(out, &lines.join("\n"))
}
