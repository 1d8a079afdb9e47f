// How fast does emmett append, through its own client? One process of a cell.
// Reads a line of options, answers "ready", waits for a line, and answers with what it measured.
import { randomBytes, randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import pg from "pg";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { database, url, writers, warmUpMs, measuredMs, bytes } = JSON.parse((await lines.next()).value);
const pool = new pg.Pool({ ...database, max: Math.max(writers, 1) });
const store = getPostgreSQLEventStore(url, {
  schema: { autoMigration: "None" },
  connectionOptions: { pooled: true, pool },
});
const event = { type: "AddendumAdded", data: { body: randomBytes(bytes / 2).toString("hex") } };
const append = () =>
  store.appendToStream(`note-${randomUUID()}`, [event], {
    expectedStreamVersion: "STREAM_DOES_NOT_EXIST",
  });

if (writers === 0) await store.schema.migrate();
await Promise.all(Array.from({ length: writers }, append));
console.log("ready");
await lines.next();

const begin = performance.now() + warmUpMs;
const end = begin + measuredMs;
const latencies = [];
const write = async () => {
  for (let started = performance.now(); started < end; started = performance.now()) {
    await append();
    if (started >= begin) latencies.push((performance.now() - started) / 1000);
  }
};
await Promise.all(Array.from({ length: writers }, write));
// Whoever ends before a long line has left the process cuts it off.
await new Promise((told) => process.stdout.write(`${JSON.stringify(latencies)}\n`, told));
await store.close();
await pool.end();
process.exit(0);
