// A server process for tests, with a port and data of its own, that can be killed, frozen and started again:
//
//   const server = await startRedis();
//   await server.kill();     // as a crash would
//   await server.start();    // same port, same data
//   await server.close();    // ends it and removes its data
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./ports.mjs";

/**
 * @typedef {object} ServerOptions
 * @property {number} [port] of 127.0.0.1; a free one if left out
 * @property {string} [dir] an existing folder for the data, which `close` then keeps; a temporary one if left out
 * @property {string[]} [extraArgs] appended to the command line
 *
 * @typedef {object} Server
 * @property {string} url what a client connects to
 * @property {number} port
 * @property {string} dir
 * @property {number | undefined} pid while it runs
 * @property {() => Promise<void>} start on the same port and data; resolves once the server answers
 * @property {() => Promise<void>} stop an orderly end; resolves once the process is gone
 * @property {() => Promise<void>} kill SIGKILL, as a crash would; resolves once the process is gone
 * @property {() => Promise<void>} restart `stop` and `start`
 * @property {() => void} freeze SIGSTOP: connections stay, nothing answers
 * @property {() => void} thaw
 * @property {() => Promise<void>} close ends it at once and removes its temporary folder
 *
 * @typedef {object} ServerKind
 * @property {string} name
 * @property {(port: number) => string} url
 * @property {(place: { port: number, dir: string }) => [command: string, ...args: string[]]} command
 * @property {(port: number) => Promise<boolean>} isReady asked again and again until it says so
 * @property {(dir: string) => Promise<void>} [prepare] the folder, once
 * @property {NodeJS.Signals} [stopSignal] SIGTERM if left out
 * @property {NodeJS.Signals} [closeSignal] for a server whose data is thrown away; SIGKILL if left out
 * @property {{ uid: number, gid: number }} [user] whom the server runs as, where that is not who started it
 */

/** Where they are supported, servers end with the process that started them, however that ends. */
const setpriv = "/usr/bin/setpriv";
const canFollowParent = process.platform === "linux" && existsSync(setpriv);

/** @type {Set<() => void>} */
const running = new Set();
process.on("exit", () => {
  for (const end of running) end();
});

/** The process and what it started: PostgreSQL has one for each connection. @param {number} pid */
function family(pid) {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  return [pid, ...(stdout ?? "").split("\n").filter(Boolean).map(Number)];
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function sendSignal(pid, signal) {
  for (const member of family(pid)) {
    try {
      process.kill(member, signal);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** @param {string} command @param {string[]} args @param {{ uid: number, gid: number }} [user] */
function commandLine(command, args, user) {
  if (!canFollowParent) return { command, args };
  const identity = user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"] : [];
  return { command: setpriv, args: [...identity, "--pdeathsig=KILL", "--", command, ...args] };
}

/**
 * @param {ServerKind} kind
 * @param {ServerOptions} [options]
 * @returns {Promise<Server>}
 */
export async function startServer(kind, { port: wanted, dir: given, extraArgs = [] } = {}) {
  const port = wanted ?? (await freePort());
  const dir = given ?? mkdtempSync(join(tmpdir(), `socket-session-${kind.name}-`));
  const log = join(dir, "server.log");
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;
  /** @type {Promise<unknown>} */
  let gone = Promise.resolve();

  const removeData = () => {
    if (given === undefined) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const endNow = () => {
    if (child?.pid !== undefined) sendSignal(child.pid, "SIGKILL");
    removeData();
  };

  async function launch() {
    const [program, ...args] = kind.command({ port, dir });
    const line = commandLine(program, [...args, ...extraArgs], kind.user);
    const output = openSync(log, "a");
    // A process group of its own: Ctrl-C in the terminal ends the tests first, then the servers.
    const started = spawn(line.command, line.args, {
      cwd: dir,
      detached: true,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    child = started;
    gone = new Promise((resolve) => {
      started.once("error", resolve);
      started.once("exit", resolve);
    }).then(() => {
      if (child === started) child = undefined;
    });
    const deadlineMs = Date.now() + 30_000;
    while (child === started && Date.now() < deadlineMs) {
      if (await kind.isReady(port)) return child === started;
      await pause(20);
    }
    return false;
  }

  async function start() {
    if (child !== undefined) return;
    // Resources of a killed server, such as shared memory, may take a moment to be free.
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await launch()) return;
      if (child !== undefined) break;
      await pause(100);
    }
    await end("SIGKILL");
    const said = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-15).join("\n") : "";
    throw new Error(`Expected ${kind.name} to answer on port ${port} within 30 s. It said:\n${said}`);
  }

  /** @param {NodeJS.Signals} signal */
  async function end(signal) {
    const pid = child?.pid;
    if (pid === undefined) return;
    if (signal === "SIGKILL") sendSignal(pid, signal);
    else {
      sendSignal(pid, "SIGCONT"); // a frozen process would not receive the signal
      process.kill(pid, signal);
    }
    const patience = setTimeout(() => sendSignal(pid, "SIGKILL"), 10_000);
    await gone;
    clearTimeout(patience);
  }

  /** @type {Server} */
  const server = {
    url: kind.url(port),
    port,
    dir,
    get pid() {
      return child?.pid;
    },
    start,
    stop: () => end(kind.stopSignal ?? "SIGTERM"),
    kill: () => end("SIGKILL"),
    restart: async () => {
      await server.stop();
      await start();
    },
    freeze: () => {
      if (child?.pid !== undefined) sendSignal(child.pid, "SIGSTOP");
    },
    thaw: () => {
      if (child?.pid !== undefined) sendSignal(child.pid, "SIGCONT");
    },
    close: async () => {
      await end(kind.closeSignal ?? "SIGKILL");
      running.delete(endNow);
      removeData();
    },
  };

  running.add(endNow);
  try {
    await kind.prepare?.(dir);
    await start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}
