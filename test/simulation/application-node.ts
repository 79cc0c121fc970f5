/**
 * A node that runs the whole product: Express with the real `express-session`, and a real Socket.IO server, over a server
 * of `node:http` whose sockets are simulated.
 */
import { createServer } from "node:http";
import { type EndReceipt, liveSessions } from "socket-session";
import { ClientNetwork } from "./clients/client-network.ts";
import { listedOrigin } from "./clients/pages.ts";
import { secret } from "./clients/session-cookies.ts";
import { traceReport } from "./crashes.ts";
import type { SimulatedNode } from "./node.ts";
import type { NodeContext } from "./node-context.ts";
import { traceReceipt } from "./receipts.ts";
import { application, LateFailures } from "./requests/application.ts";
import { Visits } from "./requests/visits.ts";
import { Chat } from "./sockets/chat.ts";
import { Clients, type Habits } from "./sockets/clients.ts";

const latencyMs = [1, 30] as const;
const losses = 0.05;
const aborts = 0.03;

export function applicationNode(context: NodeContext, habits: Habits): SimulatedNode {
  const { process, world, store, settings } = context;
  const { maxAgeMs, ...times } = settings;
  const { clock } = process;
  const origins = [listedOrigin];
  const sessions = liveSessions({
    ...{ store, secret, clock, origins, nodeName: process.name },
    ...{ cookie: { maxAge: maxAgeMs }, ...times },
  });
  sessions.on("error", (error) => traceReport(world, process, error));
  const failures = new LateFailures(sessions);
  const pause = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const onReceipt = (sid: string, receipt: EndReceipt) => traceReceipt(context, sid, receipt);
  const server = createServer(application(sessions, failures, { pause, onReceipt }));
  const chat = new Chat(context, server, habits.recoveries);
  sessions.attach(chat.io);
  chat.start();
  const watch = (bytes: Buffer) => chat.leaves(bytes);
  const network = new ClientNetwork(world, process, server, { latencyMs, losses }, watch);
  const visits = new Visits(context, network, failures, aborts);
  const clients = new Clients(context, network, chat, habits);
  const random = context.random.fork("appends");
  return {
    process,
    get live() {
      return sessions.stats().live;
    },
    create: () => visits.create(),
    async append(sid, list) {
      const isDone = random.chance(0.5) && (await clients.append(sid, list));
      if (!isDone) await visits.append(sid, list);
    },
    save: (sid, register) => visits.save(sid, register),
    load: (sid) => visits.load(sid),
    end: (sid) => visits.end(sid),
    regenerate: (sid) => visits.regenerate(sid),
    connect: (sid, by) => clients.connect(sid, by),
    ticket: (sid, page) => visits.ticket(sid, page),
    heal() {
      network.heal();
      visits.heal();
    },
  };
}
