/** The measured application: the sessions of one subject over one store, and the sockets. */
import "../../test/support/session-data.ts";
import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { listen } from "../../test/support/listen.ts";
import { storeNamed } from "../stores/all.ts";
import type { StorePlace } from "../stores/store.ts";
import { subjectNamed } from "../subjects/all.ts";
import { installRoutes } from "./routes.ts";

export interface ServerSetting {
  readonly subject: string;
  readonly store: string;
  readonly place: StorePlace;
  readonly secrets: readonly string[];
  readonly checkout: string;
}

export async function startServer(setting: ServerSetting) {
  const app = express();
  const http = createServer(app);
  const io = new Server(http);
  const store = await storeNamed(setting.store).open(setting.place);
  const installed = await subjectNamed(setting.subject).install({ ...setting, app, io, store });
  installRoutes(app);
  io.on("connection", (socket) => {
    socket.on("read", (done) => installed.read(socket, done));
  });
  const url = await listen(http);
  const close = async () => {
    http.closeAllConnections();
    await io.close();
    await installed.close?.();
    await store.close();
  };
  return { answers: answersOf(io, url), close };
}

function answersOf(io: Server, url: string) {
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
    async broadcast({ times, text }: { times: number; text: string }) {
      for (let time = 0; time < times; time++) io.emit("news", text);
    },
  };
}

export type ServerAnswers = ReturnType<typeof answersOf>;
