/** A client connects, joins the main namespace and disconnects. */
import type { Socket } from "socket.io-client";
import { Browser, refused } from "../../test/support/browser.ts";
import { closeCrowd, logIns, openCrowd } from "../run/crowd.ts";
import { assertEqual, emptied, inParallel, type Sample, timed, visitor } from "../run/sample.ts";
import { signedByLast } from "../run/session-cookie.ts";
import { over, type Scenario, type Variant } from "./scenario.ts";

const cases = [
  ...over("bare", "memory"),
  ...over("limit", "redis", "postgres", "mongodb", "mongodb-replica"),
  ...over("least", "redis"),
  ...over("recipe", "redis", "postgres"),
  ...over("express-socket.io-session", "redis"),
  ...over("store-get", "redis"),
  ...over("socket-session", "memory", "wrapped", "sqlite", "redis", "ioredis", "postgres"),
  ...over("socket-session", "mongodb", "mongodb-replica"),
];

/** The subjects that let only sessions in. */
const refusing = ["limit", "least", "store-get", "before", "socket-session"];

/** For what does not depend on the store. */
const fewer = cases.filter(({ store }) => ["memory", "redis"].includes(store));

async function connect(browser: Browser, transports: string[]): Promise<Socket> {
  const socket = await browser.connect("/", { transports, reconnection: false });
  const { engine } = socket.io;
  if (transports.length > 1 && engine.transport.name === "polling")
    await new Promise((resolve) => engine.once("upgrade", resolve));
  return socket;
}

async function measure(sample: Sample, transports: string[]) {
  const browser = await visitor(sample);
  if (sample.secrets.length > 1) browser.cookie = signedByLast(browser.cookie, sample.secrets);
  const first = await connect(browser, transports);
  assertEqual("the session's name", await first.emitWithAck("read"), "ada");
  assertEqual("the transport", first.io.engine.transport.name, transports.at(-1));
  first.disconnect();
  if (refusing.includes(sample.subject))
    await refused(new Browser(sample.url).socket("/", { transports, reconnection: false }));
  const handshakes = async (times: number) => {
    await inParallel(times, 20, async () => (await connect(browser, transports)).disconnect());
    await emptied(sample);
  };
  return timed(sample, { times: sample.count(2_000, 5) }, handshakes);
}

/** Of light clients, all at the same time. */
async function measureBurst(sample: Sample) {
  const count = sample.count(200, 4);
  const cookies = await logIns(sample, count);
  const bursts = async (times: number) => {
    for (let time = 0; time < times; time++) {
      const crowd = await openCrowd(sample, count, cookies, count);
      assertEqual("the connections", await sample.server.ask("connections"), count);
      closeCrowd(crowd);
      await emptied(sample);
    }
  };
  return timed(sample, { times: sample.count(10, 1), each: count }, bursts);
}

const variant = (title: string, transports: string[], more: Partial<Variant> = {}): Variant => ({
  name: title.toLowerCase(),
  title,
  cases,
  bars: ["limit", "bare", "least"],
  compare: "ratio",
  measure: (sample) => measure(sample, transports),
  ...more,
});

export const handshake: Scenario = {
  name: "handshake",
  title: "Handshake: a client connects and disconnects",
  about:
    "A stock client connects, joins the main namespace and disconnects; 20 at a time, all with the " +
    "cookie of one session, or 200 light clients at once, of a session each. The cost is that of all three, with the " +
    "end of the connection.",
  metrics: [
    { name: "cpuUs", title: "CPU, µs", digits: 0 },
    { name: "wallUs", title: "time, µs", digits: 0 },
  ],
  variants: [
    variant("WebSocket", ["websocket"]),
    {
      ...variant("WebSocket, 200 at once of a session each", []),
      name: "burst",
      measure: measureBurst,
    },
    variant("polling", ["polling"], { cases: fewer }),
    variant("polling upgraded to WebSocket", ["polling", "websocket"], { name: "upgrade", cases: fewer }),
    variant("WebSocket, cookie of the second of two secrets", ["websocket"], {
      name: "second-secret",
      cases: fewer,
      secrets: 2,
    }),
  ],
};
