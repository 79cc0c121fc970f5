/**
 * Updates of sessions through whatever happens, and how many were acknowledged: what is stored afterwards must be at least
 * that many, and no more than were attempted.
 */
import type { Socket } from "socket.io-client";
import { expect } from "vitest";
import type { NodeProcess } from "../support/node-process.ts";
import { backAgain, type Client } from "./clients.ts";

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
  const over = Promise.withResolvers<false>();

  async function run({ socket }: Client): Promise<void> {
    while (!isOver) {
      // One that stays away has done its part; whether it may is for the story to say.
      const isBack = backAgain(socket).then(
        () => true,
        () => false,
      );
      if (!(await Promise.race([isBack, over.promise]))) return;
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
      over.resolve(false);
      await Promise.all(running);
    },
    async expectKept(nodes) {
      for (const node of nodes) {
        const browser = node.browser();
        browser.cookie = cookie;
        const { n } = JSON.parse(await browser.get("/session")).data;
        expect(n).toBeGreaterThanOrEqual(acknowledged);
        expect(n).toBeLessThanOrEqual(attempted);
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
