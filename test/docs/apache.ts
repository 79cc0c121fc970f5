import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  certificate,
  certificateKey,
  documented,
  nodesOfGuide,
  type Place,
  type RunningProxy,
  replaceAll,
  startProxy,
} from "./proxy.ts";

const guide = "docs/guide/apache.md";

/** Runs Apache with the configuration of its guide before the nodes: only ports and files of this machine take others' places. */
export function startApache(binary: string, nodes: readonly string[]): Promise<RunningProxy> {
  return startProxy(binary, (place) =>
    prepare(
      place,
      replaceAll(documented(guide, "apache"), {
        "*:80": `127.0.0.1:${place.plainPort}`,
        "*:443": `127.0.0.1:${place.port}`,
        "/etc/ssl/chat.example.pem": certificate,
        "/etc/ssl/chat.example.key": certificateKey,
        ...nodesOfGuide(nodes),
      }),
      documented(guide, "sh").split(" ").slice(1),
    ),
  );
}

/** The same with the guide's configuration for one node, without TLS; `configure` may change it. */
export function startSingleApache(
  binary: string,
  node: string,
  configure = (text: string) => text,
): Promise<RunningProxy> {
  return startProxy(binary, (place) => {
    const text = replaceAll(documented(guide, "apache", 1), {
      "*:80": `127.0.0.1:${place.plainPort}`,
      ...nodesOfGuide([node]),
    });
    return prepare(place, configure(text), ["rewrite", "proxy", "proxy_http", "proxy_wstunnel"]);
  });
}

function prepare(place: Place, configuration: string, modules: readonly string[]) {
  const file = join(place.folder, "apache.conf");
  writeFileSync(file, around(place, configuration, modules));
  return { args: ["-D", "FOREGROUND", "-f", file] };
}

/** Enabled in every Apache, or by a2enmod for the modules that need them. */
const standardModules = "mpm_event unixd authz_core alias setenvif mime socache_shmcb slotmem_shm".split(" ");

const moduleFolders = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules"];

/** What stands in apache2.conf around the sites, so that it needs nothing but its folder. */
function around({ folder, port, plainPort }: Place, configuration: string, modules: readonly string[]) {
  const found = moduleFolders.find((one) => existsSync(one));
  if (found === undefined) throw new Error(`Apache's modules are in none of ${moduleFolders.join(", ")}.`);
  // Some are built in, and have no file.
  const files = [...standardModules, ...modules].filter((name) => existsSync(`${found}/mod_${name}.so`));
  return `
    ServerRoot ${folder}
    DefaultRuntimeDir ${folder}
    PidFile ${folder}/apache.pid
    ErrorLog ${folder}/error.log
    ServerName localhost
    User #65534
    Group #65534
    Listen 127.0.0.1:${port}
    Listen 127.0.0.1:${plainPort}
    ${files.map((name) => `LoadModule ${name}_module ${found}/mod_${name}.so`).join("\n")}
    TypesConfig /dev/null
    ${configuration}
  `;
}
