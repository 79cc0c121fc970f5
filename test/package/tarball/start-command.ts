import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ask } from "../../../scripts/services/ports.mjs";

export interface StartedCommand {
  /** What the command has written so far. */
  readonly said: string;
  /**
   * Resolves when a server of the command answers on the port; rejects if the command ends first. Vite listens for a moment to
   * learn whether the port is free, and resets who has connected then.
   */
  answering(port: number): Promise<void>;
  /** Ends the command, and what it has started. */
  close(): Promise<void>;
}

/** Some compile their page before they answer. */
const longestStartMs = 60_000;

/** Starts a command as in a terminal, with this Node first on the path. */
export function startCommand(
  command: string,
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): StartedCommand {
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  const { NODE_OPTIONS: _, ...own } = process.env;
  // A group of processes of its own: npm starts a shell, which starts the program.
  const child = spawn("sh", ["-c", command], { cwd, env: { ...own, ...env, PATH }, detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  const gone = once(child, "close");
  return {
    get said() {
      return said;
    },
    async answering(port) {
      const answer = () => ask(port, "HEAD / HTTP/1.0\r\n\r\n", longestStartMs);
      while (!(await answer())?.startsWith("HTTP/")) {
        if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}: ${said}`);
        await pause(20);
      }
    },
    async close() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
      await gone;
    },
  };
}
