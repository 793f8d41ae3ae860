//! Connections that outlive a run, for the next one to the same place: who compares two ways takes turns on both, and
//! does not measure connecting.

use super::stream::Stream;
use crate::target::Endpoint;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Connections by the number of the client that they belong to.
#[derive(Default)]
pub struct Standing(Mutex<HashMap<usize, Kept>>);

/// A connection with nothing under way on it.
pub struct Kept {
    pub stream: Stream,
    /// Where it leads.
    pub endpoint: Endpoint,
}

impl Standing {
    pub fn keep(&self, client: usize, connection: Kept) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client, connection);
    }

    pub fn take(&self, client: usize) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&client)
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let count = self.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Standing").field("connections", &count).finish()
    }
}
