//! The wire, without a socket: requests encoded, replies scanned and classified, requests parsed for the embedded server.
