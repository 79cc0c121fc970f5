/**
 * One of two nodes that share a database. The first ends sessions; the second closes sockets and
 * receives ids. Times are of the machine's monotonic clock, which its processes share.
 */
import { isDeepStrictEqual } from "node:util";
import type { Socket } from "socket.io-client";
import { disconnected, refused } from "../../test/support/browser.ts";
import { installHandlers } from "../../test/support/handlers.ts";
import { startWorld } from "../../test/support/world.ts";
import { answerTo, argumentOf } from "../run/worker.ts";
import { type BareSessions, bareFeedOf } from "./bare-feeds.ts";
import { type Place, storeAt } from "./places.ts";

export interface NodeSetting {
  readonly place: Place;
  readonly role: "first" | "second";
}

interface Closing {
  /** On the server's side, in nanoseconds. */
  readonly at: string;
  /** The events that the client received, and how it saw the end. */
  readonly told: unknown;
  readonly reason: string;
}

const { place, role } = argumentOf<NodeSetting>();
const now = () => String(process.hrtime.bigint());
const closedAt = new Map<string, PromiseWithResolvers<string>>();
const heardAt = new Map<string, PromiseWithResolvers<string>>();
const clients: Socket[] = [];
const closings: Promise<Closing>[] = [];

function entry(entries: typeof heardAt, key: string): PromiseWithResolvers<string> {
  const known = entries.get(key) ?? Promise.withResolvers<string>();
  entries.set(key, known);
  return known;
}

const world = await startWorld({ store: await storeAt(place), sockets: (io) => installHandlers(io) });
world.io.on("connection", (socket) => {
  socket.on("disconnect", () => entry(closedAt, socket.id).resolve(now()));
});
const bare = bareFeedOf(place);
let bareSessions: BareSessions | undefined;
if (role === "first") bareSessions = await bare.open(place);
else await bare.subscribe(place, (text) => entry(heardAt, text).resolve(now()));

async function closingOf(client: Socket): Promise<Closing> {
  const { id = "" } = client;
  let told: unknown;
  client.on("session:end", (message) => {
    told = message;
  });
  const reason = await disconnected(client);
  return { at: await entry(closedAt, id).promise, told, reason };
}

const browserOf = (cookie: string) => {
  const browser = world.browser();
  browser.cookie = cookie;
  return browser;
};
const websocket = { transports: ["websocket"], reconnection: false };

const answers = {
  async isReady() {
    const { feed } = world.sessions.stats().store;
    return feed === "whole" && world.errors.length === 0;
  },
  async logIn() {
    const visitor = await world.visitor({ name: "ada" });
    const { id }: { id: string } = JSON.parse(await visitor.get("/session"));
    return { sid: id, cookie: visitor.cookie };
  },
  /** Resolves to the number of the socket. */
  async connect(cookie: string) {
    const client = await browserOf(cookie).connect("/", websocket);
    closings.push(closingOf(client));
    return clients.push(client) - 1;
  },
  async end(sid: string) {
    const at = now();
    if (!(await world.sessions.end(sid))) throw new Error("Expected a session to end.");
    return at;
  },
  async createBare(id: string) {
    await bareSessions?.create(id);
  },
  async endBare(id: string) {
    const at = now();
    if (!bareSessions) throw new Error("Expected the first node to end sessions.");
    await bareSessions.end(id);
    return at;
  },
  async closed(number: number) {
    const closing = closings[number];
    if (!closing) throw new Error(`There is no socket ${number}.`);
    return closing;
  },
  heard: async (text: string) => entry(heardAt, text).promise,
  /** Whether the socket still has its session. */
  async holds(number: number) {
    const socket = clients[number];
    return socket?.connected === true && isDeepStrictEqual(await socket.emitWithAck("read"), { name: "ada" });
  },
  refusal: async (cookie: string) => (await refused(browserOf(cookie).socket("/", websocket))).data?.code,
};
export type NodeAnswers = typeof answers;

answerTo(answers);
