/** A folder as a newcomer has it after `npm install`, and programs that run there by the commands of the documents. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { freePort, untilListening } from "../../scripts/services/ports.mjs";
import { execArgv } from "../support/node-process.ts";
import { root } from "./markdown.ts";

export type ExpressVersion = "5" | "4";

export class Project {
  readonly #folder = mkdtempSync(join(tmpdir(), "socket-session-project-"));
  #child: ChildProcess | undefined;
  #port = 0;
  /** What the program has printed. */
  output = "";

  constructor(express: ExpressVersion) {
    this.write("package.json", JSON.stringify({ type: "commonjs" })); // as `npm init` writes it
    mkdirSync(join(this.#folder, "node_modules"));
    const packages = {
      express: express === "4" ? "express4" : "express",
      redis: "redis",
      "socket.io": "socket.io",
      "socket-session": "socket-session",
    };
    for (const [name, installed] of Object.entries(packages)) {
      symlinkSync(join(root, "node_modules", installed), join(this.#folder, "node_modules", name), "dir");
    }
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.#folder, file)), { recursive: true });
    writeFileSync(join(this.#folder, file), text);
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<void> {
    const child = this.#spawn(command, {});
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${this.output}`);
  }

  /** The port that its server will listen on. */
  async choosePort(): Promise<number> {
    this.#port ||= await freePort();
    return this.#port;
  }

  /** Runs a command that starts a server. Resolves when that listens; on its old port, if it is started again. */
  async start(command: string): Promise<void> {
    await this.choosePort();
    // The program finds the package's sources by its name, so that nothing has to be built.
    const NODE_OPTIONS = execArgv.join(" ");
    const child = this.#spawn(command, { NODE_OPTIONS, PORT: String(this.#port) });
    await untilListening(this.#port, () => {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}: ${this.output}`);
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, "exit");
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** With this Node first on the path, and of the variables that the tests were given only what saves time. */
  #spawn(command: string, variables: NodeJS.ProcessEnv): ChildProcess {
    const { NODE_COMPILE_CACHE } = process.env;
    const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
    const env = { PATH, NODE_COMPILE_CACHE, ...variables };
    const child = spawn("sh", ["-c", `exec ${command}`], { cwd: this.#folder, env });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.output += text;
      });
    }
    this.#child = child;
    return child;
  }
}
