/** The clients of one node that come by Socket.IO: how each connects is drawn from the habits of the layer. */
import type { ClientNetwork } from "../clients/client-network.ts";
import type { TransportPlan } from "../clients/engine-client.ts";
import { Intruder } from "../clients/intruder.ts";
import type { Sender } from "../clients/pages.ts";
import { cookieOf, forgedCookieOf } from "../clients/session-cookies.ts";
import type { Showing, SimulatedSocket } from "../node.ts";
import type { NodeContext } from "../node-context.ts";
import { Failure } from "../operations.ts";
import type { Values } from "../trace.ts";
import type { Random } from "../world/random.ts";
import type { Chat } from "./chat.ts";
import { type AppendOutcome, Client } from "./client.ts";
import { EarlierSockets } from "./earlier-sockets.ts";
import { SocketRecord } from "./socket-record.ts";

/** Each client draws one of each. */
export interface Habits {
  /** The probability that a node has connection state recovery on. */
  readonly recoveries: number;
  readonly plans: readonly TransportPlan[];
  readonly namespaces: readonly (readonly string[])[];
}

/** The probability that an intruder tries to get in beside a client. */
const intrusions = 0.15;

export class Clients {
  readonly #context: NodeContext;
  readonly #network: ClientNetwork;
  readonly #chat: Chat;
  readonly #habits: Habits;
  readonly #random: Random;
  readonly #earlier: EarlierSockets;
  readonly #clientsBySid = new Map<string, Client[]>();

  constructor(context: NodeContext, network: ClientNetwork, chat: Chat, habits: Habits) {
    this.#context = context;
    this.#network = network;
    this.#chat = chat;
    this.#habits = habits;
    this.#random = context.random.fork("clients");
    this.#earlier = new EarlierSockets(context.random.fork("earlier sockets"));
  }

  connect(sid: string, by?: Showing): SimulatedSocket {
    if (!by) return this.#connectByCookie(sid);
    const [other] = by.cookie === "another" ? this.#othersThan(sid) : [];
    if (other !== undefined) return this.#connectBeside(other, sid, by);
    return by.cookie === "own" ? this.#connectBeside(sid, sid, by) : this.#connectByTicket(sid, by);
  }

  /** The client sends the ticket for each of its sockets, or only for the first. */
  #connectByTicket(sid: string, by: Showing): Client {
    const records = this.#records(this.#random.pick(this.#habits.namespaces), () => sid);
    const isSentOnce = this.#random.chance(0.5);
    for (const [place, record] of records.entries())
      record.show({ ...by, cookie: "none" }, records[0]?.name ?? "", place === 0 || !isSentOnce);
    return this.#connect(sid, records, { cookie: undefined, page: by.page });
  }

  /** The client has the cookie of a session, and a ticket for the last of its sockets. */
  #connectBeside(cookieSid: string, sid: string, by: Showing): Client {
    const namespaces = this.#random.pick(this.#habits.namespaces);
    const records = this.#records(namespaces, (isLast) => (isLast ? sid : cookieSid));
    records.at(-1)?.show(by, records[0]?.name ?? "", true);
    return this.#connect(cookieSid, records, { cookie: cookieOf(cookieSid), page: by.page });
  }

  #connectByCookie(sid: string): Client {
    const namespaces = this.#random.pick(this.#habits.namespaces);
    const come = () => {
      const records = this.#records(namespaces, () => sid);
      const client = this.#connect(sid, records, { cookie: cookieOf(sid), page: "own" });
      return { client, isResuming: records.some(({ isResuming }) => isResuming) };
    };
    const { client, isResuming } = come();
    if (isResuming && this.#random.chance(0.2)) {
      const double = come().client; // with the same pids
      this.#context.world.after(this.#random.int(1_000, 20_000), () => double.leave());
    }
    return client;
  }

  #records(namespaces: readonly string[], sidOf: (isLast: boolean) => string): SocketRecord[] {
    const { world, process, ledger } = this.#context;
    return namespaces.map((namespace, place) => {
      const sid = sidOf(place === namespaces.length - 1);
      const record = new SocketRecord(world.trace, ledger, process, sid, namespace);
      this.#earlier.resume(record);
      this.#chat.expect(record);
      return record;
    });
  }

  #connect(sid: string, records: readonly SocketRecord[], sender: Sender): Client {
    const { world, process } = this.#context;
    const client = new Client(this.#network, this.#random, records, {
      plan: this.#random.pick(this.#habits.plans),
      sender,
      upgradeMs: this.#random.pick([0, 0, 50, 500]),
      joinMs: this.#random.pick([0, 0, 20, 1_000]),
      tell: (record) => void world.after(0, () => this.#chat.tell(record), process),
    });
    const isOfOne = records.every((record) => record.sid === sid);
    if (isOfOne) this.#clientsBySid.set(sid, [...this.#openOf(sid), client]);
    if (this.#random.chance(intrusions)) this.#intrude(sid, client, sender);
    return client;
  }

  /** Appends by a socket of the session; false, and nothing is done, if none is connected. */
  async append(sid: string, list: string): Promise<boolean> {
    const client = this.#openOf(sid).find(({ state }) => state === "open");
    if (!client) return false;
    const { operations, process } = this.#context;
    const run = async (op: string) => sawOf(await client.append(list, op));
    await operations.run("append", process, sid, run, list);
    return true;
  }

  /** An intruder who knows the connection's id. */
  #intrude(sid: string, victim: Client, { cookie, page }: Sender): void {
    const { world, process, ledger } = this.#context;
    world.after(this.#random.int(1, 10_000), () => {
      const { connection } = victim;
      if (connection === undefined || process.isDead) return;
      const stranger = { cookie: this.#random.pick(["", forgedCookieOf(sid)]), page };
      const others = this.#othersThan(sid).slice(0, 1);
      const intruders: Sender[] = others.map((other) => ({ cookie: cookieOf(other), page }));
      // where a ticket has proven the session, a request without a cookie is an intruder's if it comes from another page
      if (cookie !== undefined) intruders.push(stranger);
      else if (victim.state === "open" && page === "own") intruders.push({ cookie, page: "listed" });
      if (intruders.length === 0) return;
      const about = { node: process.name, session: ledger.nameOf(sid) };
      const sender = this.#random.pick(intruders);
      const isBare = !sender.cookie;
      new Intruder(this.#network, this.#random, { connection, sender, stranger }, (what, isLetIn) =>
        world.trace.add({ kind: "intruder", ...about, what, isBare, isLetIn }),
      ).try();
    });
  }

  /** Other sessions whose clients have come here, the latest first. */
  #othersThan(sid: string): string[] {
    return [...this.#clientsBySid.keys()].filter((other) => other !== sid).reverse();
  }

  #openOf(sid: string): Client[] {
    return (this.#clientsBySid.get(sid) ?? []).filter(({ state }) => state !== "closed");
  }
}

/** The node's answer; rejects if the update has failed. */
function sawOf(outcome: AppendOutcome): Values {
  if ("code" in outcome) throw new Failure(outcome.code);
  return outcome.saw;
}
