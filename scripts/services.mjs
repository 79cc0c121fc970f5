// The services that the tests need beyond npm packages: how to find, install and start each for a run of tests.
//
//   node scripts/services.mjs    opens all of it, prints the variables for another terminal, and ends it on Ctrl-C
import "./needs-node.mjs";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { findOnPath } from "./services/binaries.mjs";
import { findMongo, findMongoReplica, startMongo, startMongoReplica } from "./services/mongodb.mjs";
import { findPostgres, startPostgres } from "./services/postgres.mjs";
import { findRedis, startRedis, startRedisCluster } from "./services/redis.mjs";

/**
 * Each is looked for in its environment variable, then among the programs of this machine; what `open` makes of such a
 * program becomes the value of the variable for the tests.
 *
 * @typedef {object} Service
 * @property {string} name
 * @property {string} variable
 * @property {string} needs what must be on PATH, for a person to read
 * @property {string[]} debianPackages
 * @property {boolean} [isBinary] whether the variable holds the path of a program, which the tests start themselves
 * @property {() => string | undefined} find
 * @property {(binary: string) => Promise<OpenService>} open
 *
 * @typedef {{ value: string, close(): Promise<void> }} OpenService
 *
 * @typedef {{ service: Service, reason?: string }} MissingService
 */

/** @param {string} binary */
const openBinary = async (binary) => ({ value: binary, close: async () => {} });

/** @param {import("./services/server.mjs").Server} server */
const openServer = ({ url, close }) => ({ value: url, close });

/** @type {Service[]} */
export const services = [
  {
    name: "chromium",
    variable: "CHROMIUM_PATH",
    needs: "chromium, chromium-browser, google-chrome or google-chrome-stable",
    debianPackages: ["chromium"],
    isBinary: true,
    find: () => findOnPath(["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]),
    open: openBinary,
  },
  {
    name: "nginx",
    variable: "NGINX_PATH",
    needs: "nginx",
    debianPackages: ["nginx-light"],
    isBinary: true,
    find: () => findOnPath(["nginx"], { versionArg: "-v" }),
    open: openBinary,
  },
  {
    name: "apache",
    variable: "APACHE_PATH",
    needs: "apache2 or httpd, 2.4.47 or later",
    debianPackages: ["apache2"],
    isBinary: true,
    find: () => findOnPath(["apache2", "httpd"], { versionArg: "-v" }),
    open: openBinary,
  },
  {
    name: "caddy",
    variable: "CADDY_PATH",
    needs: "caddy",
    debianPackages: ["caddy"],
    isBinary: true,
    find: () => findOnPath(["caddy"], { versionArg: "version" }),
    open: openBinary,
  },
  {
    name: "python-socketio",
    variable: "PYTHON_PATH",
    needs: "python3 with the modules socketio, requests and websocket",
    debianPackages: ["python3-socketio", "python3-requests", "python3-websocket"],
    isBinary: true,
    find: () => findOnPath(["python3"], { versionArg: "-cimport socketio, requests, websocket" }),
    open: openBinary,
  },
  {
    name: "redis",
    variable: "REDIS_URL",
    needs: "redis-server, 7 or later",
    debianPackages: ["redis-server"],
    find: findRedis,
    open: async () => openServer(await startRedis()),
  },
  {
    name: "redis-cluster",
    variable: "REDIS_CLUSTER_URLS",
    needs: "redis-server, 7 or later",
    debianPackages: ["redis-server"],
    find: findRedis,
    open: async () => {
      const { urls, close } = await startRedisCluster();
      return { value: urls.join(","), close };
    },
  },
  {
    name: "postgres",
    variable: "POSTGRES_URL",
    needs: "postgres and initdb",
    debianPackages: ["postgresql"],
    find: findPostgres,
    open: async () => openServer(await startPostgres()),
  },
  {
    name: "mongodb",
    variable: "MONGODB_URL",
    needs: "mongod, or Go 1.24 or later,",
    debianPackages: ["golang-go"],
    find: findMongo,
    open: async () => openServer(await startMongo()),
  },
  {
    name: "mongodb-replica",
    variable: "MONGODB_REPLICA_URL",
    needs: "mongod, or java, javac and mvn,",
    debianPackages: ["default-jdk-headless", "maven"],
    find: findMongoReplica,
    open: async () => openServer(await startMongoReplica()),
  },
];

/** The program on this machine that serves for a service. @param {Service} service */
export function findBinary(service) {
  return service.find();
}

function canInstallPackages() {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return process.getuid?.() === 0 && /^ID=(debian|ubuntu)$/m.test(release);
}

/** @param {Service[]} wanted */
function installPackages(wanted) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  /** @type {import("node:child_process").SpawnSyncOptions} */
  const options = { env, stdio: ["ignore", "ignore", "inherit"] };
  // An unreachable source must not keep the others from being used.
  spawnSync("apt-get", ["update"], options);
  for (const { name, debianPackages, find } of wanted) {
    if (find() !== undefined) continue;
    console.log(`Installing ${name} for the tests: apt-get install -y ${debianPackages.join(" ")} ...`);
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...debianPackages], options);
  }
}

/**
 * Opens one service. One that cannot be opened is missing, with the reason.
 *
 * @param {Service} service
 * @returns {Promise<{ service: Service, opened: OpenService } | MissingService>}
 */
async function openService(service) {
  const binary = service.find();
  if (binary === undefined) return { service };
  try {
    return { service, opened: await service.open(binary) };
  } catch (error) {
    return { service, reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Opens those that can be had on this machine and that no variable names, all at once.
 *
 * @param {Service[]} [asked]
 * @returns {Promise<{ env: Record<string, string>, missing: MissingService[], close(): Promise<void> }>}
 */
export async function openServices(asked = services) {
  const wanted = asked.filter(({ variable }) => !process.env[variable]);
  const absent = wanted.filter(({ find }) => find() === undefined);
  if (absent.length > 0 && canInstallPackages()) installPackages(absent);

  // Servers have process groups of their own, so a signal during the run must end this process in a way that ends them
  // too.
  const leave = () => process.exit(130);
  process.on("SIGINT", leave).on("SIGTERM", leave);
  const results = await Promise.all(wanted.map(openService));
  process.off("SIGINT", leave).off("SIGTERM", leave);

  /** @type {Record<string, string>} */
  const env = {};
  /** @type {MissingService[]} */
  const missing = [];
  /** @type {OpenService[]} */
  const open = [];
  for (const result of results) {
    if ("opened" in result) {
      env[result.service.variable] = result.opened.value;
      open.push(result.opened);
    } else {
      missing.push(result);
    }
  }
  return {
    env: { ...env, SOCKET_SESSION_MISSING: missing.map(({ service }) => service.name).join(",") },
    missing,
    close: async () => {
      await Promise.all(open.map((service) => service.close()));
    },
  };
}

/** @param {MissingService} missing */
export function howToGet({ service: { variable, needs, debianPackages }, reason }) {
  const cure = [
    `set ${variable}, or have ${needs} on PATH`,
    `(Debian, Ubuntu: apt-get install ${debianPackages.join(" ")}; as root the tests do that themselves)`,
  ].join(" ");
  return reason === undefined ? cure : `${cure}\n    Opening it failed: ${reason.replaceAll("\n", "\n    ")}`;
}

if (import.meta.main) {
  const { env, missing, close } = await openServices();
  for (const [name, value] of Object.entries(env)) if (value) console.log(`export ${name}='${value}'`);
  for (const one of missing) console.error(`# ${one.service.name} is missing: ${howToGet(one)}`);
  const keepAlive = setInterval(() => {}, 60_000);
  const end = async () => {
    clearInterval(keepAlive);
    await close();
  };
  process.once("SIGINT", end).once("SIGTERM", end);
}
