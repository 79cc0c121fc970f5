/**
 * Between a Redis client and its server: counts the commands that go through, can lose an answer, and can hold answers
 * back until a number of commands has come, so that a client that waits between them would wait for ever.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface CountingProxy {
  readonly url: string;
  /** How many commands a function causes. */
  count(run: () => Promise<unknown>): Promise<number>;
  /**
   * The next answer is lost, and the connection with it; the next to that command, if one is named. `before`: what happens
   * before the connection breaks.
   */
  loseNextAnswer(to?: string, before?: () => Promise<unknown>): void;
  /** Runs with all answers held back until that many commands have come. */
  holdUntil<T>(commands: number, run: () => Promise<T>): Promise<T>;
}

/** An array of bulk strings begins a command; session data of these tests hold none. */
const commandStart = /\*\d+\r\n\$/g;

export async function countingProxy(serverUrl: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let seen = 0;
  let release = 0;
  let losesNext = false;
  let lostCommand: string | undefined;
  let beforeLoss: () => Promise<unknown> = async () => {};
  let held: (() => void)[] = [];
  const forward = () => {
    if (seen < release) return;
    for (const write of held.splice(0)) write();
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {}); // the test ends both
    }
    let losesAnswer = false;
    client.on("data", (data) => {
      if (lostCommand !== undefined && data.toString("latin1").toUpperCase().includes(lostCommand)) {
        lostCommand = undefined;
        losesAnswer = true;
      }
      seen += data.toString("latin1").match(commandStart)?.length ?? 0;
      upstream.write(data);
      forward();
    });
    upstream.on("data", (data) => {
      if (losesNext || losesAnswer) {
        losesNext = false;
        void beforeLoss().finally(() => {
          client.destroy();
          upstream.destroy();
        });
        return;
      }
      held.push(() => client.write(data));
      forward();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async count(run) {
      const before = seen;
      await run();
      return seen - before;
    },
    loseNextAnswer(to, before = async () => {}) {
      beforeLoss = before;
      if (to === undefined) losesNext = true;
      else lostCommand = to.toUpperCase();
    },
    async holdUntil(commands, run) {
      release = seen + commands;
      held = [];
      return run();
    },
  };
}
