import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, untilListening } from "../../scripts/services/ports.mjs";
import { documentAt } from "./markdown.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** The certificate of localhost that proxies of tests have. */
export const certificate = fixture("localhost.pem");
export const certificateKey = fixture("localhost.key");

export interface RunningProxy {
  /** The address that visitors use. */
  readonly url: string;
  /** The same without TLS. */
  readonly plainUrl: string;
  close(): Promise<void>;
}

/** Where a proxy listens, and has its files. */
export interface Place {
  readonly folder: string;
  readonly port: number;
  readonly plainPort: number;
}

/** How a proxy is started: with what arguments, in what environment. */
export interface Command {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a proxy in the foreground with a folder of its own, until it listens. `prepare` writes its configuration. */
export async function startProxy(binary: string, prepare: (place: Place) => Command): Promise<RunningProxy> {
  const place: Place = {
    folder: mkdtempSync(join(tmpdir(), "proxy-")),
    port: await freePort(),
    plainPort: await freePort(),
  };
  const { args, env } = prepare(place);
  const child = spawn(binary, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  await ready(child, [place.port, place.plainPort]);
  return {
    url: `https://localhost:${place.port}`,
    plainUrl: `http://localhost:${place.plainPort}`,
    async close() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(place.folder, { recursive: true, force: true });
    },
  };
}

/** A configuration that a guide shows, by its place among the blocks of that language. */
export function documented(file: string, language: string, index = 0): string {
  const block = documentAt(file).blocks.filter((one) => one.language === language)[index];
  if (!block) throw new Error(`${file} has no block ${index} of ${language}.`);
  return block.code;
}

/** Puts what this machine has in the place of what a configuration names. */
export function replaceAll(text: string, others: Readonly<Record<string, string>>): string {
  return Object.entries(others).reduce((result, [own, other]) => {
    if (!text.includes(own)) throw new Error(`The configuration of the guide has no "${own}".`);
    return result.replaceAll(own, other);
  }, text);
}

/** The nodes of the guides, 127.0.0.1:3001 and so on, and those that take their places. */
export const nodesOfGuide = (nodes: readonly string[]) =>
  Object.fromEntries(nodes.map((node, index) => [`127.0.0.1:300${index + 1}`, node]));

async function ready(child: ChildProcess, ports: readonly number[]): Promise<void> {
  let said = "";
  child.stderr?.on("data", (data) => {
    said += data;
  });
  const check = () => {
    if (child.exitCode !== null) throw new Error(`The proxy ended with ${child.exitCode}: ${said}`);
  };
  for (const port of ports) await untilListening(port, check);
}
