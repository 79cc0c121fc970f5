/**
 * Counts on the wire how often requests and sockets access the database, compared with plain express-session for the
 * same requests. The counts do not depend on time: clocks stand still, so that heartbeats and upkeep are not included.
 *
 * ```ts
 * const counts = await countRoundTrips(store, url);
 * counts.read; // { ours: ["EVALSHA"], theirs: ["GET", "EXPIRE"] }
 * ```
 */
import { isDeepStrictEqual } from "node:util";
import type { Socket } from "socket.io-client";
import type { Browser } from "../browser.ts";
import { installHandlers } from "../handlers.ts";
import { ManualClock } from "../manual-clock.ts";
import { type PeerApplication, startPeer } from "../peer-application.ts";
import type { WireCounter } from "../wire/wire-counter.ts";
import { startWorld } from "../world.ts";
import type { CountedStore, OpenedStore } from "./counted-stores.ts";

interface Scenario {
  readonly title: string;
  /** The bound of a socket's cost; a request may cost as much as the peer's. */
  readonly bound?: number;
  /** Whether each request, handshake and event is to extend the session, as one in a minute does at most. */
  readonly isTouchDue?: true;
  /** Resolves to what is counted, which resolves to whether it did what it is for. */
  prepare(application: PeerApplication): Promise<() => Promise<() => Promise<boolean>>>;
}

const websocket = { transports: ["websocket"] };
const ada = { name: "ada" };

export const scenarios = {
  read: { title: "request that reads", prepare: reading },
  readAndTouch: { title: "request that reads, touch due", isTouchDue: true, prepare: reading },
  change: {
    title: "request that changes",
    prepare: async (application) => {
      const visitor = await loggedIn(application);
      return async () => {
        await visitor.post("/write", { name: "lovelace" });
        return () => holds(visitor, { name: "lovelace" });
      };
    },
  },
  login: { title: "login", prepare: async (application) => loggingIn(application.browser(), ada) },
  loginOfUser: {
    title: "login of a user in the index",
    prepare: async (application) => loggingIn(application.browser(), { userId: "ada" }),
  },
  loginAgain: {
    title: "login in place of a session",
    prepare: async (application) => loggingIn(await loggedIn(application), { name: "eve" }),
  },
  logout: {
    title: "logout",
    prepare: async (application) => {
      const visitor = await loggedIn(application);
      return async () => {
        await visitor.post("/logout");
        return () => holds(visitor, {});
      };
    },
  },
  handshake: { title: "handshake", bound: 1, prepare: connecting },
  handshakeAndTouch: { title: "handshake, touch due", bound: 2, isTouchDue: true, prepare: connecting },
  event: { title: "event that reads", bound: 0, prepare: (application) => emitting(application, 20) },
  eventAndTouch: {
    title: "event, touch due",
    bound: 1,
    isTouchDue: true,
    prepare: (application) => emitting(application, 1),
  },
  update: {
    title: "`update` without conflict",
    bound: 1,
    prepare: async (application) => {
      const socket = await connected(application);
      return async () => {
        const n: unknown = await socket.emitWithAck("increment");
        return async () => n === 1;
      };
    },
  },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

/** The requests to the database, by name and in order. `theirs` is undefined if the peer has no such scenario. */
export interface Asked {
  readonly ours: readonly string[];
  readonly theirs: readonly string[] | undefined;
}

const times = 3;
const cookie = { maxAge: 86_400_000 };

/** Each scenario once to warm up, then three times. Rejects if it did not do what it is for, or differed. */
export async function countRoundTrips(
  { open }: Pick<CountedStore, "open">,
  url: string,
): Promise<Record<ScenarioName, Asked>> {
  const clock = new ManualClock();
  const opened = await open(url, clock);
  const applications = await startApplications(opened, clock);
  try {
    const counts: [string, Asked][] = [];
    for (const name of scenarioNames) {
      const scenario: Scenario = scenarios[name];
      const world = scenario.isTouchDue ? applications.touching : applications.ours;
      const ours = await countOf(scenario, world, opened);
      const theirs =
        scenario.bound === undefined ? await countOf(scenario, applications.theirs, opened) : undefined;
      counts.push([name, { ours, theirs }]);
    }
    return Object.fromEntries(counts) as Record<ScenarioName, Asked>;
  } finally {
    await applications.close();
    await opened.close();
  }
}

export const scenarioNames = Object.keys(scenarios) as ScenarioName[];

/** How many a scenario may ask for: as many as the peer, or what a socket may; one more where the store says why. */
export function boundOf({ oneMore }: CountedStore, name: ScenarioName, { theirs }: Asked) {
  const { bound = theirs?.length ?? 0 }: Scenario = scenarios[name];
  return { bound, more: oneMore?.scenarios.includes(name) ? 1 : 0 };
}

async function countOf(
  scenario: Scenario,
  application: PeerApplication,
  { counter }: Pick<OpenedStore, "counter">,
): Promise<readonly string[]> {
  const seen: (readonly string[])[] = [];
  for (let time = 0; time <= times; time++) {
    const act = await scenario.prepare(application);
    await settled(counter);
    let isRight = async () => false;
    const asked = await counter.during(async () => {
      isRight = await act();
      await settled(counter);
    });
    if (!(await isRight())) throw new Error(`A ${scenario.title} did not do what it is for.`);
    if (time > 0) seen.push(asked);
  }
  const [first = []] = seen;
  if (!seen.every((one) => isDeepStrictEqual(one, first)))
    throw new Error(`A ${scenario.title} did not always ask the same: ${JSON.stringify(seen)}.`);
  return first;
}

async function startApplications({ store, peer }: OpenedStore, clock: ManualClock) {
  const options = {
    store,
    clock,
    cookie,
    userId: ({ userId }: { userId?: string }) => userId,
    sockets: (io: Parameters<typeof installHandlers>[0]) => installHandlers(io),
  };
  const ours = await startWorld(options);
  const touching = await startWorld({ ...options, touchIntervalMs: 0 });
  const theirs = await startPeer(peer, cookie);
  // Until then the feed reads what it may have missed.
  while ([ours, touching].some(({ sessions }) => sessions.stats().store.feed !== "whole")) await rest();
  return {
    ours,
    touching,
    theirs,
    async close() {
      await Promise.all([ours.close(), touching.close(), theirs.close()]);
    },
  };
}

/** Also what was sent in the background has come to the counter, and back. */
async function settled(counter: WireCounter): Promise<void> {
  do await rest();
  while (!counter.isIdle);
  await rest();
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function loggedIn(application: PeerApplication): Promise<Browser> {
  const visitor = application.browser();
  await visitor.post("/login", ada);
  return visitor;
}

async function holds(visitor: Browser, data: object): Promise<boolean> {
  return isDeepStrictEqual(JSON.parse(await visitor.get("/session")).data, data);
}

async function reading(application: PeerApplication) {
  const visitor = await loggedIn(application);
  return async () => {
    const isRight = await holds(visitor, ada);
    return async () => isRight;
  };
}

function loggingIn(visitor: Browser, data: object) {
  const before = visitor.cookie;
  return async () => {
    await visitor.post("/login", data);
    return async () => visitor.cookie !== before && (await holds(visitor, data));
  };
}

async function connected(application: PeerApplication): Promise<Socket> {
  const visitor = await loggedIn(application);
  return visitor.connect("/", websocket);
}

async function connecting(application: PeerApplication) {
  const visitor = await loggedIn(application);
  return async () => {
    const socket = await visitor.connect("/", websocket);
    return async () => isDeepStrictEqual(await socket.emitWithAck("read"), ada);
  };
}

async function emitting(application: PeerApplication, events: number) {
  const socket = await connected(application);
  return async () => {
    const read = Array.from({ length: events }, () => socket.emitWithAck("read"));
    const isRight = (await Promise.all(read)).every((data) => isDeepStrictEqual(data, ada));
    return async () => isRight;
  };
}
