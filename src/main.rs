//! Parse, dispatch to one verb, print one error, return one exit code.

use rbench::cli::{self, Error, Exit, Verb};
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = cli::parse(std::env::args_os()).and_then(|verb| match verb {
        Verb::Run(arguments) => cli::run::run(*arguments),
        Verb::Calibrate(arguments) => cli::calibrate::run(*arguments),
        Verb::Compare(arguments) => cli::compare::run(*arguments),
        Verb::Capacity(arguments) => cli::capacity::run(*arguments),
        Verb::Doctor(arguments) => cli::doctor::run(&arguments),
        Verb::Report(arguments) => cli::report::run(&arguments),
        Verb::Serve(arguments) => cli::serve::run(&arguments),
        #[cfg(target_os = "linux")]
        Verb::Lab(arguments) => cli::lab::run(arguments),
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => say(&error).into(),
    }
}

/// Says why rbench stops: to whoever asked for help, or to whoever looks for errors.
fn say(error: &Error) -> Exit {
    if let Some(message) = &error.message {
        match error.exit {
            // Whoever has read enough of it has hung up.
            Exit::Done => drop(writeln!(io::stdout(), "{message}")),
            _ => drop(writeln!(io::stderr(), "rbench: {message}")),
        }
    }
    error.exit
}
