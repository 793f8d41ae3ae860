//! What goes out under one number: a request of a sequence, or all requests of a command of a mix.

use crate::workload::fillings::Fillings;
use crate::workload::prepared::Prepared;
use crate::workload::template::Template;
use crate::workload::test::{KeyAt, Test};
use std::ops::Range;

#[derive(Debug)]
pub struct Request {
    pub prepared: Prepared,
    /// Where the key that decides where it goes stands in the bytes. Empty when there is none.
    pub routing_key: Range<usize>,
}

impl Request {
    /// Everything that goes out under a number of its own: the requests of the sequence of `test`, or the commands of
    /// its mix.
    pub fn all_of(test: &Test, fillings: &Fillings) -> Vec<Request> {
        // Whoever does not know a cluster's nodes has nothing to decide.
        let key_of = |index: usize| test.commands[index].routing_key.filter(|_| fillings.in_cluster);
        if test.is_mix() {
            let commands = test.commands.iter().enumerate();
            return commands.map(|(index, command)| Request::new(&command.sequence, fillings, key_of(index))).collect();
        }
        let key = |request| key_of(0).filter(|key| key.request == request).map(|key| KeyAt { request: 0, ..key });
        let requests = test.commands[0].sequence.chunks(1).enumerate();
        requests.map(|(index, request)| Request::new(request, fillings, key(index))).collect()
    }

    fn new(templates: &[Template], fillings: &Fillings, routing_key: Option<KeyAt>) -> Request {
        let mut prepared = Prepared::default();
        let mut key = 0..0;
        for (index, template) in templates.iter().enumerate() {
            let arguments = prepared.push(template, fillings);
            if let Some(routing_key) = routing_key
                && routing_key.request == index
            {
                key = arguments.get(routing_key.argument).cloned().unwrap_or_default();
            }
        }
        prepared.finish();
        Request { prepared, routing_key: key }
    }
}
