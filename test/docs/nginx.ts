import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, isListening } from "../../scripts/services/ports.mjs";
import { documentAt } from "./markdown.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

export interface Nginx {
  /** The address that visitors use. */
  readonly url: string;
  /** The same without TLS. */
  readonly plainUrl: string;
  close(): Promise<void>;
}

/** Runs nginx with the configuration of its guide before the nodes: only ports and files of this machine take others' places. */
export async function startNginx(binary: string, nodes: readonly string[]): Promise<Nginx> {
  const [port, plainPort] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), "nginx-"));
  const configuration = replaceAll(documented(), {
    "listen 80;": `listen 127.0.0.1:${plainPort};`,
    "listen 443 ssl;": `listen 127.0.0.1:${port} ssl;`,
    "/etc/ssl/chat.example.pem": fixture("localhost.pem"),
    "/etc/ssl/chat.example.key": fixture("localhost.key"),
    ...Object.fromEntries(nodes.map((node, index) => [`127.0.0.1:300${index + 1}`, node])),
  });
  const file = join(folder, "nginx.conf");
  writeFileSync(file, around(folder, configuration));
  const child = spawn(binary, ["-c", file, "-p", folder, "-e", "stderr"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await ready(child, port);
  return {
    url: `https://localhost:${port}`,
    plainUrl: `http://localhost:${plainPort}`,
    async close() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The configuration: the first block of the guide. */
function documented(): string {
  const [block] = documentAt("docs/guide/nginx.md").blocks.filter(({ language }) => language === "nginx");
  if (!block) throw new Error("docs/guide/nginx.md shows no configuration.");
  return block.code;
}

function replaceAll(text: string, others: Readonly<Record<string, string>>): string {
  return Object.entries(others).reduce((result, [own, other]) => {
    if (!text.includes(own)) throw new Error(`The configuration of the guide has no "${own}".`);
    return result.replaceAll(own, other);
  }, text);
}

/** What stands in nginx.conf around the files that it includes, so that it needs nothing but its folder. */
function around(folder: string, configuration: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  for (const name of temporary) mkdirSync(join(folder, name));
  return `
    daemon off;
    master_process off;
    pid ${folder}/nginx.pid;
    error_log stderr warn;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n")}
      ${configuration}
    }`;
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  let said = "";
  child.stderr?.on("data", (data) => {
    said += data;
  });
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}: ${said}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
