//! The long sections of INFO: what is said of each command, and of each kind of error.

use crate::recording::observed::{CommandUse, ServerLatency};
use crate::target::guard::info::Info;
use std::collections::BTreeMap;

/// A number among `name=value,name=value`.
fn number<T: std::str::FromStr>(values: &str, name: &str) -> Option<T> {
    values.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?.parse().ok()
}

/// What was asked for between two looks, `cmdstat_get:calls=3,usec=…,rejected_calls=…`. Counts that fell were reset.
pub fn made(before: &Info, after: &Info) -> BTreeMap<String, CommandUse> {
    let each = after.fields().filter_map(|(field, now)| Some((field, field.strip_prefix("cmdstat_")?, now)));
    each.filter_map(|(field, name, now)| {
        let is_reset = |then: &&str| number::<u64>(then, "calls") > number::<u64>(now, "calls");
        let then = before.text(field).filter(|then| !is_reset(then)).unwrap_or_default();
        let since = |what: &str| Some(number::<u64>(now, what)?.saturating_sub(number(then, what).unwrap_or(0)));
        let (calls, usec) = (since("calls")?, since("usec"));
        let made = CommandUse {
            calls,
            usec_per_call: usec.filter(|_| calls > 0).map(|usec| usec as f64 / calls as f64),
            rejected: since("rejected_calls"),
            failed: since("failed_calls"),
        };
        (calls > 0 || made.rejected > Some(0)).then(|| (name.to_owned(), made))
    })
    .collect()
}

/// `latency_percentiles_usec_get:p50=1.003,p99=2.007,p99.9=2.007`
pub fn latencies(info: &Info) -> BTreeMap<String, ServerLatency> {
    let each =
        info.fields().filter_map(|(field, values)| Some((field.strip_prefix("latency_percentiles_usec_")?, values)));
    each.map(|(name, values)| {
        let latency = ServerLatency {
            p50_us: number(values, "p50"),
            p99_us: number(values, "p99"),
            p99_9_us: number(values, "p99.9"),
        };
        (name.to_owned(), latency)
    })
    .collect()
}

/// `errorstat_WRONGTYPE:count=5`, between two looks.
pub fn errors(before: &Info, after: &Info) -> BTreeMap<String, u64> {
    let each = after.fields().filter_map(|(field, now)| Some((field, field.strip_prefix("errorstat_")?, now)));
    each.filter_map(|(field, code, now)| {
        let now: u64 = number(now, "count")?;
        let then = before.text(field).and_then(|then| number(then, "count")).unwrap_or(0);
        let made = now.checked_sub(then).unwrap_or(now);
        (made > 0).then(|| (code.to_owned(), made))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart_from_what_was_before() {
        let before = Info::parse(
            "cmdstat_get:calls=10,usec=100,usec_per_call=10.00,rejected_calls=1,failed_calls=0\r\n\
             cmdstat_set:calls=9,usec=9,usec_per_call=1.00\r\ncmdstat_info:calls=3,usec=99,usec_per_call=33.00\r\n",
        );
        let after = Info::parse(
            "cmdstat_get:calls=30,usec=500,usec_per_call=16.67,rejected_calls=3,failed_calls=2\r\n\
             cmdstat_set:calls=4,usec=8,usec_per_call=2.00\r\ncmdstat_info:calls=3,usec=99,usec_per_call=33.00\r\n\
             cmdstat_config|get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=2,failed_calls=0\r\n",
        );
        let made = made(&before, &after);
        let get = CommandUse { calls: 20, usec_per_call: Some(20.0), rejected: Some(2), failed: Some(2) };
        let set = CommandUse { calls: 4, usec_per_call: Some(2.0), rejected: None, failed: None };
        let config = CommandUse { calls: 0, usec_per_call: None, rejected: Some(2), failed: Some(0) };
        let expected = [("get", get), ("set", set), ("config|get", config)];
        assert_eq!(made, expected.map(|(name, it)| (name.to_owned(), it)).into());
    }

    #[test]
    fn errors_and_latencies_go_by_their_names() {
        let before = Info::parse("errorstat_ERR:count=5\r\nerrorstat_OOM:count=7\r\n");
        let after = Info::parse(
            "errorstat_ERR:count=9\r\nerrorstat_OOM:count=7\r\nerrorstat_NOPERM:count=1\r\n\
             latency_percentiles_usec_get:p50=1.003,p99=2.007,p99.9=17.023\r\n",
        );
        assert_eq!(errors(&before, &after), [("ERR", 4), ("NOPERM", 1)].map(|(code, it)| (code.to_owned(), it)).into());
        let get = ServerLatency { p50_us: Some(1.003), p99_us: Some(2.007), p99_9_us: Some(17.023) };
        assert_eq!(latencies(&after)["get"], get);
    }
}
