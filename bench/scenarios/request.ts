/** Requests of logged-in visitors that read or change their session. */
import { rawRequest } from "../../test/support/raw-client.ts";
import { assertEqual, inParallel, type Sample, timed, visitor } from "../run/sample.ts";
import { signedByLast } from "../run/session-cookie.ts";
import { sessionOf } from "../run/session-of.ts";
import { over, type Scenario, type Variant } from "./scenario.ts";

const cases = [
  ...over("limit", "redis"),
  ...over("limit-session", "redis"),
  ...over("least", "redis"),
  ...over("plain", "memory", "redis", "postgres", "mongodb", "mongodb-replica"),
  ...over("socket-session", "memory", "wrapped", "sqlite", "redis", "ioredis", "postgres"),
  ...over("socket-session", "mongodb", "mongodb-replica"),
];

/** Each visitor has one request at a time, so that no write is lost to another. */
async function measure(sample: Sample, kind: "read" | "write", bytes: number) {
  const visitors = await Promise.all(
    Array.from({ length: sample.count(8, 2) }, async () => {
      const { cookie } = await visitor(sample, sessionOf(bytes));
      return sample.secrets.length > 1 ? signedByLast(cookie, sample.secrets) : cookie;
    }),
  );
  const method = kind === "read" ? "GET" : "POST";
  const writes = visitors.map(() => 0);
  const requests = (times: number) =>
    inParallel(times, visitors.length, async (worker) => {
      const { body } = await rawRequest(`${sample.url}/${kind}`, method, { cookie: visitors[worker] ?? "" });
      const n = (writes[worker] ?? 0) + 1;
      writes[worker] = n;
      assertEqual("the answer", body, kind === "read" ? "ada" : String(n));
    });
  const large = Math.max(1, bytes / 4_000); // fewer of what takes longer
  return timed(sample, { times: sample.count(Math.round(3_000 / large), 8) }, requests);
}

const sizes = { "200 B": 200, "20 KB": 20_000, "200 KB": 200_000 };

function variant(kind: "read" | "write", size: keyof typeof sizes, more: Partial<Variant> = {}): Variant {
  const title = `${kind}s ${size}`;
  return {
    name: `${kind}-${size.replace(" ", "").toLowerCase()}`,
    title,
    cases,
    bars: ["plain", "limit", "least"],
    compare: "ratio",
    measure: (sample) => measure(sample, kind, sizes[size]),
    ...more,
  };
}

/** For what depends on the size alone. */
const fewer = { cases: cases.filter(({ store }) => ["memory", "redis"].includes(store)) };
const redisOnly = { cases: cases.filter(({ store }) => store === "redis") };

export const request: Scenario = {
  name: "request",
  title: "Request: one that reads its session, and one that changes it",
  about:
    "8 logged-in visitors, one request at a time each, over connections that stay open. A request that " +
    "reads answers with the name in its session; one that writes adds one to a number in it. Plain " +
    "`express-session` extends the session in the store at every request; this library once a minute. The limit " +
    "writes if nothing else did since it read, and publishes that; by `express-session` it is a store of that, without a touch. " +
    "The least that keeps the promises merges what it writes, and receives what it publishes.",
  metrics: [
    { name: "cpuUs", title: "CPU, µs", digits: 0 },
    { name: "wallUs", title: "time, µs", digits: 0 },
  ],
  variants: [
    variant("read", "200 B"),
    variant("write", "200 B"),
    variant("read", "20 KB", fewer),
    variant("write", "20 KB", fewer),
    variant("read", "200 KB", redisOnly),
    variant("write", "200 KB", redisOnly),
    variant("read", "200 B", {
      name: "second-secret",
      ...fewer,
      title: "reads 200 B, cookie of the second of two secrets",
      secrets: 2,
    }),
  ],
};
