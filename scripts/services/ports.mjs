// Ports for servers of the tests, and waiting for one to be listened on.
import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const host = "127.0.0.1";

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * A free port of 127.0.0.1 below those that systems give to outgoing connections: none of these can take it while the
 * server is down between a kill and a restart.
 */
export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
  throw new Error("Expected a free port between 20000 and 32000, found none in 100 attempts.");
}

/**
 * Sends a text to a port of 127.0.0.1 and resolves to what comes back first, or to undefined if nothing does.
 *
 * @param {number} port
 * @param {string} text
 * @param {number} [patienceMs]
 * @returns {Promise<string | undefined>}
 */
export function ask(port, text, patienceMs = 1_000) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patienceMs });
    /** @param {string | undefined} answer */
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => socket.write(text));
    socket.once("data", (data) => end(data.toString()));
    socket.once("timeout", () => end(undefined)).once("error", () => end(undefined));
    socket.once("close", () => resolve(undefined));
  });
}

/** Whether something listens on a port of 127.0.0.1. @param {number} port @returns {Promise<boolean>} */
export function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    /** @param {boolean} answer */
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false)).once("error", () => end(false));
  });
}

/**
 * Resolves when something listens on a port of 127.0.0.1. It asks now and then, and leaves the processor to what starts.
 *
 * @param {number} port
 * @param {() => void} check called before each time it asks again; what it throws ends the wait
 */
export async function untilListening(port, check) {
  while (!(await isListening(port))) {
    check();
    await pause(20);
  }
}
