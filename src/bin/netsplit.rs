//! The native commands. `netsplit help` lists them.

use clap::{Parser, Subcommand};
use netsplit::base::diagnostics::Diagnostics;
use netsplit::conform;
use netsplit::scenario::v1::Scenario;
use netsplit::scenario::{compile, presets, read, schema};
use netsplit::session::Session;
use netsplit::session::report::Report;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

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
        /// Use this seed instead of the scenario's.
        #[arg(long)]
        seed: Option<u64>,
        /// Change a setting, as in `--set api.queue=50`. May be given several times.
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
    },
    /// Replay case files against the models and print each case that differs.
    Conform {
        /// Case files in the formats of tests/cases.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// List the presets.
    Presets,
    /// Print the JSON Schema of scenario files.
    Schema,
}

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let result = match Arguments::parse().command {
        Command::Run { what, json, seed, sets } => run(&mut out, &what, json, seed, &sets),
        Command::Conform { files } => conform(&mut out, &files),
        Command::Presets => list(&mut out),
        Command::Schema => print(&mut out, &schema::schema()),
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

fn run(out: &mut impl Write, what: &str, json: bool, seed: Option<u64>, sets: &[String]) -> Answer {
    let mut scenario = find(what)?;
    scenario.seed = seed.unwrap_or(scenario.seed);
    for one in sets {
        let (path, value) =
            one.split_once('=').ok_or_else(|| format!("`{one}` is not PATH=VALUE"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        compile::set(&mut scenario, path, &value).map_err(say)?;
    }
    let mut session = Session::start(scenario).map_err(say)?;
    session.seek(session.end());
    let report = Report::of(&session);
    if json {
        let text = serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?;
        return print(out, &text);
    }
    print(out, &report.to_string())
}

/// The scenario that a word stands for.
fn find(what: &str) -> Result<Scenario, String> {
    if let Some(preset) = presets::find(what) {
        return Ok(preset.scenario.clone());
    }
    let text = if what == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|e| e.to_string())?;
        text
    } else {
        std::fs::read_to_string(what).map_err(|error| {
            let known: Vec<&str> = presets::all().iter().map(|p| p.id).collect();
            format!("{what}: neither a preset ({}) nor a file: {error}", known.join(", "))
        })?
    };
    read::text(&text).map_err(say)
}

fn say(problems: Diagnostics) -> String {
    problems.to_string()
}

fn conform(out: &mut impl Write, files: &[PathBuf]) -> Answer {
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        Ok((name, text))
    };
    let files = files.iter().map(read).collect::<Result<Vec<_>, String>>()?;
    let report = conform::run(&files);
    print(out, &report.to_string())?;
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn list(out: &mut impl Write) -> Answer {
    let lines: Vec<String> =
        presets::all().iter().map(|p| format!("{:<22} {}", p.id, p.summary)).collect();
    print(out, &lines.join("\n"))
}
