/** The measured application: the sessions of one subject over one store, and the sockets. */
import "../../test/support/session-data.ts";
import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { listen } from "../../test/support/listen.ts";
import { storeNamed } from "../stores/all.ts";
import type { StorePlace } from "../stores/store.ts";
import { subjectNamed } from "../subjects/all.ts";
import type { Ends, Installed, Times } from "../subjects/subject.ts";
import { counted, Operations } from "./counted-store.ts";
import { type Blocked, watchLoop } from "./loop-watch.ts";
import { installRoutes } from "./routes.ts";

export interface ServerSetting {
  readonly subject: string;
  readonly store: string;
  readonly place: StorePlace;
  readonly secrets: readonly string[];
  readonly checkout: string;
  readonly times: Times;
  readonly isCounted: boolean;
}

export async function startServer(setting: ServerSetting) {
  const app = express();
  const http = createServer(app);
  const io = new Server(http);
  const opened = await storeNamed(setting.store).open(setting.place);
  const operations = new Operations();
  const store = setting.isCounted ? counted(opened, operations) : opened;
  const installed = await subjectNamed(setting.subject).install({ ...setting, app, io, store });
  installRoutes(app);
  io.on("connection", (socket) => {
    socket.on("read", (done) => installed.read(socket, done));
    if (installed.increment)
      socket.on("increment", (done) => installed.increment?.(socket).then(() => done("done"), done));
  });
  const url = await listen(http);
  const close = async () => {
    http.closeAllConnections();
    await io.close();
    await installed.close?.();
    await store.close();
  };
  return { answers: answersOf(io, installed, operations, url), close };
}

function answersOf(io: Server, { ends, errors = [] }: Installed, operations: Operations, url: string) {
  let watched: (() => Promise<Blocked>) | undefined;
  let ids: readonly string[] = [];
  return {
    url: async () => url,
    /** Of this process so far, in microseconds. */
    async cpuUs() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    /** After a full collection of garbage. */
    async memory() {
      for (let time = 0; time < 3; time++) globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      return { heapBytes: heapUsed, rssBytes: rss };
    },
    connections: async () => io.engine.clientsCount,
    async broadcast(text: string) {
      io.emit("news", text);
    },
    /** The ids of the sessions to end: parsing many takes time that is not to be measured. */
    async prepareEnd(prepared: readonly string[]) {
      ids = prepared;
    },
    /** By one of the subject's ways. Resolves to the count. */
    async end({ by, user }: { by: keyof Ends; user: string }) {
      if (!ends) throw new Error("Expected a subject that can close many sockets.");
      if (by === "close") return ends.close();
      return by === "user" ? ends.user(user) : ends.each(ids);
    },
    async watchLoop() {
      watched = watchLoop();
    },
    /** Since `watchLoop`. */
    async blocked() {
      if (!watched) throw new Error("Expected the loop to be watched.");
      return watched();
    },
    errors: async () => errors.map(String),
    /** Since the last time. */
    operations: async () => operations.take(),
  };
}

export type ServerAnswers = ReturnType<typeof answersOf>;
