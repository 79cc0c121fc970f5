/** The clients of one node that come by Socket.IO: how each connects is drawn from the habits of the layer. */
import type { ClientNetwork } from "../clients/client-network.ts";
import type { TransportPlan } from "../clients/engine-client.ts";
import { Intruder } from "../clients/intruder.ts";
import { cookieOf, forgedCookieOf } from "../clients/session-cookies.ts";
import type { SimulatedSocket } from "../node.ts";
import type { NodeContext } from "../node-context.ts";
import { Failure } from "../operations.ts";
import type { Values } from "../trace.ts";
import type { Random } from "../world/random.ts";
import type { Chat } from "./chat.ts";
import { type AppendOutcome, Client } from "./client.ts";
import { SocketRecord } from "./socket-record.ts";

/** Each client draws one of each. */
export interface Habits {
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
  readonly #clientsBySid = new Map<string, Client[]>();

  constructor(context: NodeContext, network: ClientNetwork, chat: Chat, habits: Habits) {
    this.#context = context;
    this.#network = network;
    this.#chat = chat;
    this.#habits = habits;
    this.#random = context.random.fork("clients");
  }

  connect(sid: string): SimulatedSocket {
    const { world, process, ledger } = this.#context;
    const records = this.#random.pick(this.#habits.namespaces).map((namespace) => {
      const record = new SocketRecord(world.trace, ledger, process, sid, namespace);
      this.#chat.expect(record);
      return record;
    });
    const client = new Client(this.#network, this.#random, records, {
      plan: this.#random.pick(this.#habits.plans),
      cookie: cookieOf(sid),
      upgradeMs: this.#random.pick([0, 0, 50, 500]),
      joinMs: this.#random.pick([0, 0, 20, 1_000]),
      tell: (record) => void world.after(0, () => this.#chat.tell(record), process),
    });
    this.#clientsBySid.set(sid, [...this.#openOf(sid), client]);
    if (this.#random.chance(intrusions)) this.#intrude(sid, client);
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

  /** An intruder who knows the connection's id, and has the cookie of another session, or none that is valid. */
  #intrude(sid: string, victim: Client): void {
    const { world, process, ledger } = this.#context;
    world.after(this.#random.int(1, 10_000), () => {
      const { connection } = victim;
      if (connection === undefined || process.isDead) return;
      const others = [...this.#clientsBySid.keys()].filter((other) => other !== sid);
      const badCookie = this.#random.pick(["", forgedCookieOf(sid)]);
      const cookie = this.#random.pick([badCookie, ...others.slice(-1).map(cookieOf)]);
      const about = { node: process.name, session: ledger.nameOf(sid) };
      new Intruder(this.#network, this.#random, { connection, cookie, badCookie }, (what, isLetIn) =>
        world.trace.add({ kind: "intruder", ...about, what, isLetIn }),
      ).try();
    });
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
