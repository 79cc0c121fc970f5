/**
 * Nodes of one application, each in a process of its own, as they run in earnest: they share nothing but their store.
 *
 * ```ts
 * const node = await startNode({ store: address, options: { revalidateIntervalMs: 1_000 } });
 * const ada = await node.visitor({ name: "ada" });
 * await node.close();
 * ```
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LiveSessionsOptions } from "socket-session";
import { Browser } from "./browser.ts";
import type { StoreAddress } from "./store-address.ts";

export interface NodeSetting {
  readonly store: StoreAddress;
  /** With `sessionsPerUser`, the user is `data.userId`. */
  readonly options?: Pick<
    LiveSessionsOptions,
    "absoluteMs" | "nodeName" | "revalidateIntervalMs" | "staleMs" | "storeTimeoutMs" | "sessionsPerUser"
  >;
}

/** The messages from a node to the process that started it. */
export type FromNode = { url: string } | { error: string; text: string } | { warning: string };

export interface NodeProcess {
  readonly url: string;
  /** The errors it reported as `error`, each as its code and message. */
  readonly errors: readonly string[];
  /** Unexpected output: warnings, and the exit, if it was not by `close` or `kill`. */
  readonly complaints: readonly string[];
  browser(): Browser;
  /** Another node's visitor, here: with the same cookie. */
  guest(of: Browser): Browser;
  /** A browser that has logged in. */
  visitor(data?: Record<string, unknown>): Promise<Browser>;
  /** The feed's state in `sessions.stats()`. */
  feed(): Promise<string>;
  /** False if it has ended. */
  signal(name: NodeJS.Signals): boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** The same, with all its browsers. */
  close(): Promise<void>;
}

/** A store's limits are reported at the start. */
const isLimit = /^SocketSessionWarning: Over the /;

const fixture = (name: string) => new URL(`fixtures/${name}.ts`, import.meta.url);

/** How a script in TypeScript is run that imports the package by its name. */
export const execArgv = [
  "--experimental-strip-types", // for releases of Node that ask for the flag
  "--disable-warning=ExperimentalWarning",
  "--conditions=socket-session-source",
];

/** Ended with this process at the latest; a frozen one would not notice. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs a script that sends `{ url }` when it listens, and possibly more messages. */
export async function startProcess(script: URL, argument: object, hear: (message: FromNode) => void) {
  const stdio = ["ignore", "inherit", "pipe", "ipc"] as const;
  const child = fork(fileURLToPath(script), [JSON.stringify(argument)], { execArgv, stdio: [...stdio] });
  running.add(child);
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  let isWanted = true;
  const gone: Promise<unknown> = once(child, "close").then(([code, signal]) => {
    running.delete(child);
    if (isWanted) hear({ warning: `It has ended with ${code ?? signal}: ${said}` });
  });
  const kill = async () => {
    isWanted = false;
    child.kill("SIGKILL");
    await gone;
  };
  const url = await new Promise<string>((resolve, reject) => {
    child.on("message", (message: FromNode) => ("url" in message ? resolve(message.url) : hear(message)));
    void gone.then(() => reject(new Error(`Expected ${script} to listen, but it has ended: ${said}`)));
  });
  return { url, kill, signal: (name: NodeJS.Signals) => child.kill(name) };
}

export async function startNode(setting: NodeSetting): Promise<NodeProcess> {
  const errors: string[] = [];
  const complaints: string[] = [];
  const { url, kill, signal } = await startProcess(fixture("node-process"), setting, (message) => {
    if ("error" in message) errors.push(`${message.error}: ${message.text}`);
    else if ("warning" in message && !isLimit.test(message.warning)) complaints.push(message.warning);
  });
  const browsers: Browser[] = [];
  const browser = () => {
    const one = new Browser(url);
    browsers.push(one);
    return one;
  };
  return {
    url,
    errors,
    complaints,
    browser,
    guest({ cookie }) {
      const one = browser();
      one.cookie = cookie;
      return one;
    },
    async visitor(data = { name: "ada" }) {
      const one = browser();
      const { status } = await one.request("/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(data),
      });
      if (status !== 200) throw new Error(`Expected to be logged in, but was answered ${status}.`);
      return one;
    },
    async feed() {
      const response = await fetch(new URL("/stats", url));
      const { store }: { store: { feed: string } } = JSON.parse(await response.text());
      return store.feed;
    },
    signal,
    kill,
    async close() {
      for (const one of browsers) one.close();
      await kill();
    },
  };
}

/** Nodes that are started at the same time; all or none. */
export async function startNodes(settings: readonly NodeSetting[]): Promise<NodeProcess[]> {
  const started = await Promise.allSettled(settings.map(startNode));
  const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  for (const one of started) {
    if (one.status === "fulfilled") continue;
    await Promise.all(nodes.map((node) => node.close()));
    throw one.reason;
  }
  return nodes;
}
