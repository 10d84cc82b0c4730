// SPDX-License-Identifier: Apache-2.0
// The loops with nats.js, as its documentation shows them.
import { readFileSync } from "node:fs";
import { AckPolicy, jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const [program, ...rest] = process.argv.slice(2);
const words = Object.fromEntries(rest.map((word) => word.split(/=(.*)/s)));
const lane = words.lane ?? "bytes";
const count = Number(words.count ?? 100_000);
const outstanding = Number(words.outstanding ?? 1);
const body = new Uint8Array(Number(words.size ?? 128)).fill(120);

const open = () => connect({ servers: words.url });
const ready = () => console.log("ready");

function status(name) {
  const line = readFileSync("/proc/self/status", "utf8").split("\n").find((text) => text.startsWith(name));
  return Number(line?.split(/\s+/)[1] ?? 0);
}

class Measurement {
  begin = process.hrtime.bigint();
  cpu = process.cpuUsage();

  report(messages, latencies = []) {
    const used = process.cpuUsage(this.cpu);
    const row = {
      messages,
      seconds: Number(process.hrtime.bigint() - this.begin) / 1e9,
      cpu_seconds: (used.user + used.system) / 1e6,
      rss_mb: status("VmRSS:") / 1024,
      threads: status("Threads:"),
    };
    if (latencies.length > 0) {
      latencies.sort((a, b) => a - b);
      const at = (share) => latencies[Math.trunc((latencies.length - 1) * share)];
      Object.assign(row, { p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999) });
    }
    console.log(JSON.stringify(row));
  }
}

async function deliver() {
  const connection = await open();
  let measurement;
  let handled = 0;
  let seen = 0;
  await new Promise((finished) => {
    connection.subscribe("bench.x", {
      callback: (error, message) => {
        if (error) throw error;
        measurement ??= new Measurement();
        seen += lane === "bytes" ? message.data.length : message.json().lines.length;
        if (++handled === count) finished();
      },
    });
    connection.flush().then(ready);
  });
  measurement.report(count);
}

async function rpcService() {
  const connection = await open();
  connection.subscribe("bench.rpc", { callback: (_, message) => message.respond(message.data) });
  await connection.flush();
  ready();
  await connection.closed();
}

async function rpc() {
  const connection = await open();
  const ask = () => connection.request("bench.rpc", body, { timeout: 30_000 });
  await ask();
  const latencies = [];
  const each = Math.trunc(count / outstanding);
  ready();
  const measurement = new Measurement();
  const run = async () => {
    for (let i = 0; i < each; i++) {
      const begin = performance.now();
      await ask();
      latencies.push((performance.now() - begin) * 1e3);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, run));
  measurement.report(latencies.length, latencies);
}

async function renewStream(connection) {
  const manager = await jetstreamManager(connection);
  await manager.streams.delete("BENCH").catch(() => {});
  await manager.streams.add({ name: "BENCH", subjects: ["bench.js.>"], storage: StorageType.Memory });
  return { manager, context: jetstream(connection) };
}

async function publishAll(context, window) {
  let sent = 0;
  const run = async () => {
    while (sent < count) {
      sent++;
      await context.publish("bench.js.x", body, { timeout: 30_000 });
    }
  };
  await Promise.all(Array.from({ length: window }, run));
}

async function jsPublish() {
  const { context } = await renewStream(await open());
  ready();
  const measurement = new Measurement();
  await publishAll(context, outstanding);
  measurement.report(count);
}

async function jsPull() {
  const connection = await open();
  const { manager, context } = await renewStream(connection);
  await publishAll(context, 4096);
  ready();
  const measurement = new Measurement();
  await manager.consumers.add("BENCH", { durable_name: "bench", ack_policy: AckPolicy.Explicit, max_ack_pending: -1 });
  const consumer = await context.consumers.get("BENCH", "bench");
  let handled = 0;
  await new Promise((finished) => {
    consumer.consume({
      max_messages: 1000,
      callback: (message) => {
        message.ack();
        if (++handled === count) finished();
      },
    });
  });
  await connection.flush();
  measurement.report(count);
}

const programs = { deliver, rpc, rpc_service: rpcService, js_publish: jsPublish, js_pull: jsPull };
await programs[program]();
process.exit(0);
