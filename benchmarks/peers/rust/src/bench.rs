// SPDX-License-Identifier: Apache-2.0
//! What the programs of both crates share: the words of the runner, the figures for it.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
pub struct Line {
    pub sku: String,
    pub quantity: i32,
    pub price: f64,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
pub struct Order {
    pub id: String,
    pub customer: String,
    pub region: String,
    pub lines: Vec<Line>,
    pub total: f64,
    pub paid: bool,
}

pub struct Arguments {
    pub program: String,
    words: HashMap<String, String>,
}

impl Arguments {
    pub fn parse() -> Self {
        let mut arguments = std::env::args().skip(1);
        let program = arguments.next().expect("a program");
        let words = arguments
            .filter_map(|word| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect();
        Self { program, words }
    }
    pub fn text(&self, name: &str, default: &str) -> String {
        self.words.get(name).cloned().unwrap_or_else(|| default.to_owned())
    }
    pub fn number(&self, name: &str, default: usize) -> usize {
        self.words.get(name).map_or(default, |value| value.parse().expect("a number"))
    }
    pub fn url(&self) -> String {
        self.text("url", "nats://127.0.0.1:4222")
    }
    pub fn count(&self) -> usize {
        self.number("count", 100_000)
    }
    pub fn body(&self) -> Vec<u8> {
        vec![b'x'; self.number("size", 128)]
    }
}

pub fn say_ready() {
    use std::io::Write;
    println!("ready");
    std::io::stdout().flush().expect("stdout");
}

fn cpu() -> Duration {
    let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let time = |t: libc::timeval| Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn status(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

#[derive(Clone, Copy)]
pub struct Measurement {
    begin: Instant,
    cpu: Duration,
}

impl Measurement {
    pub fn begin() -> Self {
        Self { begin: Instant::now(), cpu: cpu() }
    }
    pub fn report(self, messages: usize, mut latencies: Vec<Duration>) {
        let seconds = self.begin.elapsed().as_secs_f64();
        let cpu = (cpu() - self.cpu).as_secs_f64();
        let mut percentiles = String::new();
        if !latencies.is_empty() {
            latencies.sort_unstable();
            let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
            percentiles = format!(r#", "p50_us": {:.1}, "p99_us": {:.1}, "p999_us": {:.1}"#, at(0.5), at(0.99), at(0.999));
        }
        println!(
            r#"{{"messages": {messages}, "seconds": {seconds:.6}, "cpu_seconds": {cpu:.6}, "rss_mb": {:.1}, "threads": {}{percentiles}}}"#,
            status("VmRSS:") / 1024.0,
            status("Threads:")
        );
    }
}
