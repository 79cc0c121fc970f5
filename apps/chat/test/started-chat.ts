import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type OpenOptions, type Tab, Visitor } from "./visitors.ts";

const program = fileURLToPath(new URL("./chat-process.ts", import.meta.url));

export interface StartOptions {
  /** How `npm run start:cluster` or `npm run start:split` starts it. */
  flag: "--cluster" | "--split";
  pageDir: string;
  /** The working directory. */
  folder: string;
  variables: Readonly<Record<string, string>>;
}

/** The chat in processes of its own, and visitors for it. */
export class StartedChat {
  readonly primary: ChildProcess;
  readonly #visitors: Visitor[] = [];
  #url = "";
  /** All that it has printed. */
  output = "";

  constructor({ flag, pageDir, folder, variables }: StartOptions) {
    const env = {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      PORT: "0",
      SECRET: "a secret of thirty-two characters",
      ...variables,
    };
    const args = ["--conditions=socket-session-source", program, pageDir, flag];
    this.primary = spawn(process.execPath, args, { cwd: folder, env });
    for (const stream of [this.primary.stdout, this.primary.stderr]) {
      stream?.on("data", (data) => {
        this.output += data;
      });
    }
  }

  get url(): string {
    return this.#url;
  }

  /** Resolves when it serves. */
  async start(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.primary.stdout?.on("data", () => {
        const [, url] = /^Chat: (http:\S+\d)/m.exec(this.output) ?? [];
        if (url === undefined) return;
        this.#url = url;
        resolve();
      });
      this.primary.once("close", (code) => reject(new Error(`It ended with ${code}: ${this.output}`)));
    });
    return this;
  }

  /** Resolves to the exit code. */
  async end(): Promise<number | null> {
    if (this.primary.exitCode === null && this.primary.signalCode === null) await once(this.primary, "close");
    return this.primary.exitCode;
  }

  visitor(): Visitor {
    const one = new Visitor(this.#url);
    this.#visitors.push(one);
    return one;
  }

  async member(name: string): Promise<Visitor> {
    const one = this.visitor();
    await one.post("/login", { name });
    return one;
  }

  /** The processes of the nodes. */
  async workers(): Promise<number[]> {
    const { stdout } = await promisify(execFile)("pgrep", ["-P", String(this.primary.pid)]);
    return stdout.trim().split("\n").map(Number);
  }

  /** All its visitors do. */
  leave(): void {
    for (const one of this.#visitors.splice(0)) one.close();
  }

  async close(): Promise<void> {
    this.leave();
    this.primary.kill("SIGTERM");
    await this.end();
  }
}

/** A tab on another node than those; the balancer takes them in turn. */
export async function openElsewhere(
  visitor: Visitor,
  nodes: readonly string[],
  options?: OpenOptions,
): Promise<{ tab: Tab; node: string }> {
  for (;;) {
    const tab = await visitor.open(options);
    const node = await tab.until("node");
    if (!nodes.includes(node)) return { tab, node };
    tab.socket.disconnect();
  }
}
