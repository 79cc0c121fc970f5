/**
 * A node that runs the whole product: Express with the real `express-session`, and a real Socket.IO server, over a server
 * of `node:http` whose sockets are simulated.
 */
import { createServer } from "node:http";
import { liveSessions } from "socket-session";
import { ClientNetwork } from "./clients/client-network.ts";
import type { TransportPlan } from "./clients/engine-client.ts";
import { cookieOf, secret } from "./clients/session-cookies.ts";
import { traceReports } from "./crashes.ts";
import type { SimulatedNode } from "./node.ts";
import type { NodeContext } from "./node-context.ts";
import { application, LateFailures } from "./requests/application.ts";
import { Visits } from "./requests/visits.ts";
import { Chat } from "./sockets/chat.ts";
import { Client } from "./sockets/client.ts";
import { SocketRecord } from "./sockets/socket-record.ts";

/** How clients connect: each draws of these. */
export interface Habits {
  readonly plans: readonly TransportPlan[];
  readonly namespaces: readonly (readonly string[])[];
}

const latencyMs = [1, 30] as const;
const losses = 0.05;
const aborts = 0.03;

export function applicationNode(context: NodeContext, habits: Habits): SimulatedNode {
  const { process, world, store, settings } = context;
  const { maxAgeMs, ...times } = settings;
  const { clock } = process;
  const sessions = liveSessions({ store, secret, clock, cookie: { maxAge: maxAgeMs }, ...times });
  traceReports(world, process, sessions);
  const failures = new LateFailures(sessions);
  const server = createServer(application(sessions, failures));
  const chat = new Chat(context, server);
  sessions.attach(chat.io);
  chat.start();
  const watch = (bytes: Buffer) => chat.leaves(bytes);
  const network = new ClientNetwork(world, process, server, { latencyMs, losses }, watch);
  const visits = new Visits(context, network, failures, aborts);
  const connect = connector(context, network, chat, habits);
  return {
    process,
    get live() {
      return sessions.stats().live;
    },
    create: () => visits.create(),
    append: (sid, list) => visits.append(sid, list),
    save: (sid, register) => visits.save(sid, register),
    load: (sid) => visits.load(sid),
    end: (sid) => visits.end(sid),
    regenerate: (sid) => visits.regenerate(sid),
    connect,
    heal() {
      network.heal();
      visits.heal();
    },
  };
}

function connector(
  { world, process, ledger, random }: NodeContext,
  network: ClientNetwork,
  chat: Chat,
  { plans, namespaces }: Habits,
): SimulatedNode["connect"] {
  const habits = random.fork("clients");
  return (sid, client) => {
    const records = habits.pick(namespaces).map((namespace) => {
      const record = new SocketRecord(world.trace, ledger, process, { sid, namespace, client });
      chat.expect(record);
      return record;
    });
    return new Client(network, habits, records, {
      plan: habits.pick(plans),
      cookie: cookieOf(sid),
      upgradeMs: habits.pick([0, 0, 50, 500]),
      joinMs: habits.pick([0, 0, 20, 1_000]),
      tell: (record) => void world.after(0, () => chat.tell(record), process),
    });
  };
}
