// PostgreSQL for tests: a cluster of its own, in which every acknowledged commit outlives a crash.
import { execFile, spawnSync } from "node:child_process";
import fs, { chownSync, existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findOnPath } from "./binaries.mjs";
import { startServer } from "./server.mjs";

/** Where Debian keeps what it has not got on PATH, the newest version first. */
const folders = () =>
  fs.globSync("/usr/lib/postgresql/*/bin").sort((a, b) => b.localeCompare(a, undefined, { numeric: true }));

const find = (/** @type {string} */ name) => findOnPath([name], { folders: folders() });

export const findPostgres = () => find("postgres");

/** PostgreSQL refuses to run as root: whom it runs as instead. */
function postgresUser() {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ["-u", "-g"].map((flag) => spawnSync("id", [flag, "postgres"], { encoding: "utf8" }));
  if (uid?.status !== 0 || gid?.status !== 0) {
    throw new Error(
      'Expected a user "postgres", since PostgreSQL refuses to run as root. Create it: useradd postgres.',
    );
  }
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/**
 * @param {import("./server.mjs").ServerOptions} [options]
 * @returns {Promise<import("./server.mjs").Server>}
 */
export async function startPostgres(options) {
  const postgres = findPostgres();
  const initdb = find("initdb");
  if (postgres === undefined || initdb === undefined) {
    throw new Error(
      "Expected postgres and initdb, found none. Install PostgreSQL (Debian, Ubuntu: postgresql).",
    );
  }
  const user = postgresUser();
  return startServer(
    {
      name: "postgres",
      url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
      prepare: (dir) => initialise(initdb, dir, user),
      command: ({ port, dir }) => [
        postgres,
        ...["-D", join(dir, "data"), "-k", dir, "-h", "127.0.0.1", "-p", String(port)],
        ...["-c", "synchronous_commit=on", "-c", "max_connections=300"],
      ],
      isReady,
      // "Fast": it does not wait for its clients to leave.
      stopSignal: "SIGINT",
      // "Immediate". A kill would leave its shared memory behind, which only the next start on the same data removes.
      closeSignal: "SIGQUIT",
      ...(user && { user }),
    },
    options,
  );
}

/** @param {string} initdb @param {string} dir @param {{ uid: number, gid: number } | undefined} user */
async function initialise(initdb, dir, user) {
  const data = join(dir, "data");
  if (existsSync(data)) return;
  if (user) chownSync(dir, user.uid, user.gid);
  const args = ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  await promisify(execFile)(initdb, args, { cwd: dir, ...user });
}

/** @param {number} port */
async function isReady(port) {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
