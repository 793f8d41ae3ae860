//! Comparing documents of runs that were repeated, one after the other.

use super::arguments::Settings;
use super::conclude;
use crate::cli::error::Error;
use crate::cli::run::tool;
use crate::plan::Plan;
use crate::result::compare::{Compare, ComparedPath};
use crate::result::{Document, Kind, TestResult, store};
use crate::target::guard::GuardReport;
use serde_json::Value;
use std::path::Path;

/// Brings the documents together as if their repeats had been rounds.
///
/// # Errors
/// [`Error`] when they have nothing to be compared by.
pub fn compare(settings: &Settings, command_line: Vec<String>) -> Result<Document, Error> {
    let mut documents = Vec::new();
    for path in &settings.from {
        let document = store::read(path).map_err(Error::failed)?;
        if document.kind != Kind::Run {
            return Err(Error::usage(format!("{} is not the document of a run", path.display())));
        }
        documents.push(document);
    }
    let mut paths: Vec<ComparedPath> = Vec::new();
    for (file, document) in settings.from.iter().zip(&documents) {
        let first = paths.iter().map(|path| path.targets.len()).sum();
        let targets = (first..first + document.targets.len()).collect();
        let name = name(file, &paths);
        paths.push(ComparedPath { name, targets, round_trip_ns: None, afterwards: None });
    }
    let reference = settings.reference_among(&paths)?;
    let plans: Vec<&Plan> = documents.iter().map(|document| &document.config).collect();
    if plans.iter().any(|plan| plan.arrivals.is_some() != plans[0].arrivals.is_some()) {
        return Err(Error::failed(
            "some of the runs were made at a --rate, and others in a closed loop: they measure different latencies",
        ));
    }
    let targets = documents.iter().flat_map(|document| document.targets.clone()).collect();
    let (plan, client) = (documents[0].config.clone(), documents[0].client.clone());
    let mut whole = Document::new(tool(), command_line, plan, client, targets, GuardReport::default());
    whole.kind = Kind::Compare;
    whole.compare = Some(Compare {
        paths,
        reference,
        primary: settings.primary,
        margin: settings.margin,
        is_interleaved: false,
        slice_ns: None,
        settle_ns: None,
        repeated: 0,
        borne: Vec::new(),
        differing: differing(&plans),
        comparisons: Vec::new(),
    });
    for title in titles(&documents) {
        let of_title: Vec<Vec<&TestResult>> = documents.iter().map(|document| of_title(document, &title)).collect();
        let rounds = of_title.iter().map(Vec::len).min().unwrap_or(0);
        let round = |round: usize| {
            let of_path =
                |(path, results): (usize, &Vec<&TestResult>)| TestResult { path: Some(path), ..results[round].clone() };
            of_title.iter().enumerate().map(of_path).collect()
        };
        conclude::add(&mut whole, &title, (0..rounds).map(round).collect());
    }
    match whole.results.is_empty() {
        true => Err(Error::failed("the documents have no test in common that ran to its end")),
        false => Ok(whole),
    }
}

/// What of a plan decides how much load it makes and of what kind, beside its tests, by the names of a document.
const LOAD: [&str; 18] = [
    "arrivals",
    "clients",
    "connect_rate",
    "data_bytes",
    "keep_alive",
    "key_count",
    "key_distribution",
    "pipeline",
    "pipeline_mode",
    "protocol",
    "reconnect_every",
    "think_time",
    "threads",
    "tracking",
    "ttl",
    "value_data",
    "value_size",
    "verify",
];

/// In what of that `plans` differ, with what each has.
fn differing(plans: &[&Plan]) -> Vec<String> {
    let kept: Vec<Value> = plans.iter().map(|plan| serde_json::to_value(plan).unwrap_or_default()).collect();
    let values = |name: &str| kept.iter().map(|plan| &plan[name]).collect::<Vec<_>>();
    let differs = |name: &&&str| values(name).iter().any(|value| *value != values(name)[0]);
    let told = |name: &&str| {
        let each: Vec<String> = values(name).into_iter().map(Value::to_string).collect();
        format!("{name} ({})", each.join(", "))
    };
    LOAD.iter().filter(differs).map(told).collect()
}

/// What a document goes by: the name of its file, and a number when another has that.
fn name(file: &Path, paths: &[ComparedPath]) -> String {
    let stem = file.file_stem().map_or_else(|| "document".into(), |stem| stem.to_string_lossy());
    let numbered = |number: u32| if number == 1 { stem.to_string() } else { format!("{stem}-{number}") };
    let is_free = |name: &String| !paths.iter().any(|path| path.name == *name);
    (1..).map(numbered).find(is_free).expect("numbers do not end")
}

/// The tests that all documents have, in the order of the first.
fn titles(documents: &[Document]) -> Vec<String> {
    let mut titles: Vec<String> = Vec::new();
    for result in &documents[0].results {
        if !titles.contains(&result.title) && documents.iter().all(|it| !of_title(it, &result.title).is_empty()) {
            titles.push(result.title.clone());
        }
    }
    titles
}

/// The results of a test that ran to its end.
fn of_title<'a>(document: &'a Document, title: &str) -> Vec<&'a TestResult> {
    document.results.iter().filter(|result| result.title == title && result.is_whole()).collect()
}
