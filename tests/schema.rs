//! Every document that the program writes is what `docs/result.schema.json` says, and nothing else.

mod support;

use serde_json::Value;
use std::process::Command;
use support::{RedisServer, Scratch, rbench};

/// The documents of a variety of runs against the embedded server.
fn documents() -> Vec<Value> {
    [
        "-n 50 -c 3",
        "-n 1 -t set,mget -r 100 -d 100 -P 16 --threads 2 -3 --precision 4",
        "-n 20 -k 0 -c 2 --dbnum 1 --seed 18446744073709551615 -t get",
        "-n 30 set k:__rand_1st__ __data__ ; 2 get k:__rand_1st__",
        "-n 30 set onlykey",
        "-n 100 -t set,get --repeat 2",
        "-n 300 -r 100 --mix get:8,set:1 --prefill 50% --keys zipf --value-size 32:9,1024:1 --verify",
        "-n 300 -r 100 --command XADD\\ s\\ *\\ f\\ __data__ --keys hotspot:0.9:0.1 --value-data compressible:0.5",
        "-t set --rate 2000 --duration 100ms --warmup 50ms --cooldown 50ms --interval 20ms --ttl 10-20",
        "-t ping --ramp 100:2000 --duration 100ms --arrivals constant --pipeline-mode window -P 4",
        "compare --path a=embedded --path b=embedded --different-servers -t set -c 2 --slice 30ms --settle 1ms --rounds 6",
        "-t ping --steps 100,2000 --duration 100ms --latency-limit 1s --spin",
    ]
    .into_iter()
    .map(|line| {
        let arguments = shlex::split(line).expect("a line");
        let output = Command::new(env!("CARGO_BIN_EXE_rbench"))
            .args(if arguments[0] == "compare" { &arguments[..1] } else { &[] })
            .args(if arguments[0] == "compare" { &["--format", "json"][..] } else { &["--embedded", "--format", "json"] })
            .args(&arguments[usize::from(arguments[0] == "compare")..])
            .output()
            .expect("rbench can be started");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {}", String::from_utf8_lossy(&output.stderr)))
    })
    .collect()
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../docs/result.schema.json")).expect("the schema is JSON")
}

#[test]
fn every_document_keeps_to_the_schema() {
    let validator = jsonschema::draft202012::new(&schema()).expect("the schema is a schema");
    for document in documents() {
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path)).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", document["command_line"]);
    }
}

/// The schema refuses what it should: a schema that takes everything would pass the test above.
#[test]
fn the_schema_refuses_what_is_missing_and_what_it_does_not_know() {
    let validator = jsonschema::draft202012::new(&schema()).expect("the schema is a schema");
    let good = documents().remove(0);
    let without = |path: &str| {
        let mut document = good.clone();
        let (parent, key) = path.rsplit_once('/').expect("a pointer has a slash");
        document.pointer_mut(parent).and_then(Value::as_object_mut).expect("the parent is there").remove(key);
        document
    };
    for path in ["/seed", "/config/clients", "/results/0/service_time", "/results/0/service_time/hdr_v2_deflate_base64"]
    {
        assert!(good.pointer(path).is_some(), "{path}");
        assert!(!validator.is_valid(&without(path)), "{path} can be missing");
    }
    let mut more = good.clone();
    more["results"][0]["password"] = Value::from("x");
    assert!(!validator.is_valid(&more));
    let mut infinite = good;
    infinite["results"][0]["requests_per_second"] = Value::Null;
    assert!(!validator.is_valid(&infinite));
}

/// Documents of the version before are read as they were: what they do not say is what could not be asked for.
#[test]
fn a_document_of_version_1_0_is_told_as_it_was() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let ran = rbench(&server.arguments(&format!("-n 500 -t set,get -q --json {}", json.display()))).succeeded();
    let mut old = support::document(&json);
    old["schema_version"] = "1.0.0".into();
    let without = |value: &mut serde_json::Value, names: &[&str]| {
        let fields = value.as_object_mut().expect("an object");
        names.iter().for_each(|name| drop(fields.remove(*name).unwrap_or_else(|| panic!("no {name}"))));
    };
    without(&mut old, &["guard"]);
    let of_config = ["reconnect_every", "connect_rate", "think_time_ns", "on_error", "give_up_ns", "guard"];
    without(&mut old["config"], &[&of_config[..], &["key_prefix", "cleanup"]].concat());
    without(&mut old["config"]["server"], &["addresses", "cluster", "tls", "sockets"]);
    without(&mut old["targets"][0], &["path"]);
    for result in old["results"].as_array_mut().expect("results") {
        without(result, &["target", "connections", "unknown", "tls_handshake_time"]);
    }
    std::fs::write(&json, old.to_string()).expect("a directory of our own");
    let report = rbench(&["report".as_ref(), json.as_os_str(), "-q".as_ref()]).succeeded();
    let line = |text: &str| text.lines().next().unwrap().rsplit('\r').next().unwrap().to_owned();
    assert_eq!(line(&report.stdout), line(&ran.stdout));
}
