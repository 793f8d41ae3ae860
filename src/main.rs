//! Parse, dispatch to one verb, print one error, return one exit code.

use rbench::cli::{self, Error, Exit, Verb};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = cli::parse(std::env::args_os()).and_then(|verb| match verb {
        Verb::Run(arguments) => cli::run::run(*arguments),
        Verb::Report(arguments) => cli::report::run(&arguments),
        Verb::Serve(arguments) => cli::serve::run(&arguments),
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
            Exit::Done => println!("{message}"),
            _ => eprintln!("rbench: {message}"),
        }
    }
    error.exit
}
