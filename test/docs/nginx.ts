import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  certificate,
  certificateKey,
  documented,
  nodesOfGuide,
  type RunningProxy,
  replaceAll,
  startProxy,
} from "./proxy.ts";

/** Runs nginx with the configuration of its guide before the nodes: only ports and files of this machine take others' places. */
export function startNginx(binary: string, nodes: readonly string[]): Promise<RunningProxy> {
  return startProxy(binary, ({ folder, port, plainPort }) => {
    const configuration = replaceAll(documented("docs/guide/nginx.md", "nginx"), {
      "listen 80;": `listen 127.0.0.1:${plainPort};`,
      "listen 443 ssl;": `listen 127.0.0.1:${port} ssl;`,
      "/etc/ssl/chat.example.pem": certificate,
      "/etc/ssl/chat.example.key": certificateKey,
      ...nodesOfGuide(nodes),
    });
    const file = join(folder, "nginx.conf");
    writeFileSync(file, around(folder, configuration));
    return { args: ["-c", file, "-p", folder, "-e", "stderr"] };
  });
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
