/** A node that serves requests: Express, the real `express-session` over the sessions, on a real server of `node:http`. */
import { createServer } from "node:http";
import { liveSessions } from "socket-session";
import { ClientNetwork } from "../clients/client-network.ts";
import { secret } from "../clients/session-cookies.ts";
import { traceReports } from "../crashes.ts";
import type { SimulatedNode } from "../node.ts";
import type { NodeContext } from "../node-context.ts";
import { application, LateFailures } from "./application.ts";
import { Visits } from "./visits.ts";

export function requestNode(context: NodeContext): SimulatedNode {
  const { world, process, store, settings } = context;
  const { maxAgeMs, ...times } = settings;
  const { clock } = process;
  const sessions = liveSessions({ store, secret, clock, cookie: { maxAge: maxAgeMs }, ...times });
  traceReports(world, process, sessions);
  const failures = new LateFailures(sessions);
  const server = createServer(application(sessions, failures));
  const network = new ClientNetwork(world, process, server, { latencyMs: [1, 30], losses: 0.05 });
  const visits = new Visits(context, network, failures, 0.03);
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
    connect: () => ({ state: "closed", isFinal: false, say() {}, tell() {}, leave() {} }),
    heal() {
      network.heal();
      visits.heal();
    },
  };
}
