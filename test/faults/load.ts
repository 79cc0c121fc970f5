/**
 * Updates of sessions through whatever happens, and how many were acknowledged: what is stored afterwards must be at least
 * that many, and no more than were attempted.
 */
import type { Socket } from "socket.io-client";
import { expect } from "vitest";
import type { NodeProcess } from "../support/node-process.ts";
import { type Client, patience } from "./clients.ts";

export interface Load {
  readonly acknowledged: number;
  stop(): Promise<void>;
  /** What is stored, read on each of these nodes, is what was acknowledged. To be asked after `stop`. */
  expectKept(nodes: readonly NodeProcess[]): Promise<void>;
}

/** All clients are of one session. */
export function startLoad(cookie: string, clients: readonly Client[]): Load {
  let attempted = 0;
  let acknowledged = 0;
  let isOver = false;
  const over = Promise.withResolvers<void>();

  async function run({ socket }: Client): Promise<void> {
    while (!isOver) {
      if (!socket.connected) {
        await Promise.race([new Promise<void>((resolve) => socket.once("connect", resolve)), over.promise]);
        continue;
      }
      attempted++;
      if (await add(socket)) acknowledged++;
      else await new Promise((resolve) => setTimeout(resolve, pauseMs)); // the store is gone: no use in hurrying
    }
  }

  const running = clients.map(run);
  return {
    get acknowledged() {
      return acknowledged;
    },
    async stop() {
      isOver = true;
      over.resolve();
      await Promise.all(running);
    },
    async expectKept(nodes) {
      for (const node of nodes) {
        const browser = node.browser();
        browser.cookie = cookie;
        const stored = async () => JSON.parse(await browser.get("/session")).data.n;
        await expect.poll(stored, patience).toBeGreaterThanOrEqual(acknowledged);
        expect(await stored()).toBeLessThanOrEqual(attempted);
      }
    },
  };
}

const pauseMs = 50;

/** Whether the update was acknowledged. */
async function add(socket: Socket): Promise<boolean> {
  try {
    const answer: unknown = await socket.emitWithAck("add");
    return typeof answer === "object" && answer !== null && "n" in answer;
  } catch {
    return false; // disconnected: nobody knows
  }
}
