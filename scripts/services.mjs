import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * What tests need beyond npm packages. Each is looked for in its environment variable, then among the binaries on PATH;
 * what `open` makes of a binary becomes the value of the variable for the tests.
 *
 * @typedef {object} Service
 * @property {string} name
 * @property {string} variable
 * @property {string[]} binaries in the order of preference
 * @property {string[]} debianPackages
 * @property {(binary: string) => Promise<OpenService>} open
 *
 * @typedef {{ value: string, close(): Promise<void> }} OpenService
 */

/** @type {Service[]} */
export const services = [
  {
    name: "chromium",
    variable: "CHROMIUM_PATH",
    binaries: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    debianPackages: ["chromium"],
    // Every test launches its own browser.
    open: async (binary) => ({ value: binary, close: async () => {} }),
  },
];

/**
 * The first binary on PATH that answers to `--version`: some distributions ship one that only says where to get it.
 *
 * @param {Service} service
 */
export function findBinary({ binaries }) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return binaries
    .flatMap((binary) => folders.map((folder) => join(folder, binary)))
    .find((path) => existsSync(path) && spawnSync(path, ["--version"], { timeout: 20_000 }).status === 0);
}

function canInstallPackages() {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return process.getuid?.() === 0 && /^ID=(debian|ubuntu)$/m.test(release);
}

/** @param {Service} service */
function installPackages({ name, debianPackages }) {
  console.log(
    `Installing ${name} for the tests: apt-get update && apt-get install -y ${debianPackages.join(" ")} ...`,
  );
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  /** @type {import("node:child_process").SpawnSyncOptions} */
  const options = { env, stdio: ["ignore", "ignore", "inherit"] };
  // An unreachable source must not keep the others from being used.
  spawnSync("apt-get", ["update"], options);
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...debianPackages], options);
}

/**
 * Opens every service that can be had on this machine.
 *
 * @returns {Promise<{ env: Record<string, string>, missing: Service[], close(): Promise<void> }>}
 */
export async function openServices() {
  /** @type {Record<string, string>} */
  const env = {};
  /** @type {Service[]} */
  const missing = [];
  /** @type {OpenService[]} */
  const opened = [];

  for (const service of services) {
    if (process.env[service.variable]) continue;
    let binary = findBinary(service);
    if (binary === undefined && canInstallPackages()) {
      installPackages(service);
      binary = findBinary(service);
    }
    if (binary === undefined) {
      missing.push(service);
      continue;
    }
    const open = await service.open(binary);
    opened.push(open);
    env[service.variable] = open.value;
  }

  return {
    env: { ...env, SOCKET_SESSION_MISSING: missing.map(({ name }) => name).join(",") },
    missing,
    close: async () => {
      for (const service of opened.reverse()) await service.close();
    },
  };
}

/** @param {Service} service */
export function howToGet({ variable, binaries, debianPackages }) {
  return [
    `set ${variable}, or put one of ${binaries.join(", ")} on PATH`,
    `(Debian, Ubuntu: apt-get install ${debianPackages.join(" ")}; as root the tests do that themselves)`,
  ].join(" ");
}
