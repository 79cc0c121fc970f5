import { writeFileSync } from "node:fs";
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

/** Runs Caddy with the configuration of its guide before the nodes: only name, ports and certificate take others' places. */
export function startCaddy(binary: string, nodes: readonly string[]): Promise<RunningProxy> {
  return startProxy(binary, ({ folder, port, plainPort }) => {
    const site = replaceAll(documented("docs/guide/caddy.md", "caddy"), {
      "chat.example {": `localhost {\n\ttls ${certificate} ${certificateKey}`,
      ...nodesOfGuide(nodes),
    });
    const options = ["admin off", "skip_install_trust", `http_port ${plainPort}`, `https_port ${port}`];
    const file = join(folder, "Caddyfile");
    writeFileSync(file, `{\n\t${options.join("\n\t")}\n}\n${site}\n`);
    return {
      args: ["run", "--config", file, "--adapter", "caddyfile"],
      env: { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    };
  });
}
