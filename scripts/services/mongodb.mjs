// MongoDB for tests: a standalone server, and a replica set of one, which has change streams. A mongod on PATH is both;
// without it FerretDB is the first and mongo-java-server the second, built from .ci.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath, versionOf } from "./binaries.mjs";
import { cachedBuild, isBuilt } from "./cached-build.mjs";
import { isListening } from "./ports.mjs";
import { startServer } from "./server.mjs";

/**
 * @typedef {import("./server.mjs").Server} Server
 * @typedef {import("./server.mjs").ServerOptions} ServerOptions
 */

const findMongod = () => findOnPath(["mongod"]);

function findGo() {
  const go = findOnPath(["go"], { versionArg: "version", folders: ["/usr/local/go/bin"] });
  const [, major, minor] = /go(\d+)\.(\d+)/.exec((go && versionOf(go, "version")) ?? "") ?? [];
  return Number(major) * 1000 + Number(minor) >= 1024 ? go : undefined;
}

function findMaven() {
  return findOnPath(["javac"]) && findOnPath(["mvn"]);
}

/** The program for a standalone server: mongod, a FerretDB built before, or the Go that builds it. */
export const findMongo = () => findMongod() ?? (isBuilt("ferretdb") ? "ferretdb" : findGo());

/** The program for a replica set: mongod, or mongo-java-server, which `java` runs and Maven builds. */
export function findMongoReplica() {
  const mongod = findMongod();
  if (mongod !== undefined) return mongod;
  const java = findOnPath(["java"]);
  return java && (isBuilt("mongo-java-server") || findMaven()) ? java : undefined;
}

/**
 * @param {ServerOptions} [options]
 * @returns {Promise<Server>}
 */
export async function startMongo(options) {
  const mongod = findMongod();
  const ferretdb = mongod === undefined ? await buildFerretdb() : "";
  return startServer(
    {
      name: "mongodb",
      url: (port) => `mongodb://127.0.0.1:${port}/`,
      prepare,
      command: ({ port, dir }) =>
        mongod ? mongodCommand(mongod, port, dir) : [ferretdb, String(port), join(dir, "data")],
      isReady: async (port) => (await hello(port)) !== undefined,
    },
    options,
  );
}

/**
 * Its URL has `directConnection`, so that a proxy may stand in between; a client that wants `replicaSet=rs0` sees one too.
 * Without a mongod it keeps its data in memory only: what is started again is empty, and knows no resume token of before.
 *
 * @param {ServerOptions & { keptChanges?: number }} [options] `keptChanges`: after so many changes a stream that resumes
 *   from before them receives that its history is lost. Only where there is no mongod.
 * @returns {Promise<Server>}
 */
export async function startMongoReplica({ keptChanges, ...options } = {}) {
  const mongod = findMongod();
  const java = mongod === undefined ? await javaCommand() : undefined;
  return startServer(
    {
      name: "mongodb-replica",
      url: (port) => `mongodb://127.0.0.1:${port}/?directConnection=true`,
      prepare,
      command: ({ port, dir }) => {
        if (mongod) return [...mongodCommand(mongod, port, dir), "--replSet", "rs0"];
        const [program = "java", ...args] = java ?? [];
        return [program, ...args, String(port), ...(keptChanges === undefined ? [] : [String(keptChanges)])];
      },
      isReady: isPrimary,
    },
    options,
  );
}

/** @param {string} dir */
async function prepare(dir) {
  await mkdir(join(dir, "data"), { recursive: true });
}

/** @param {string} mongod @param {number} port @param {string} dir @returns {[string, ...string[]]} */
function mongodCommand(mongod, port, dir) {
  return [mongod, "--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", join(dir, "data")];
}

async function buildFerretdb() {
  const folder = await cachedBuild("ferretdb", (out) => {
    const go = findGo();
    if (go === undefined) throw new Error("Expected mongod or Go 1.24 or later on PATH, found neither.");
    return [go, "build", "-trimpath", "-o", join(out, "ferretdb"), "."];
  });
  return join(folder, "ferretdb");
}

async function javaCommand() {
  const folder = await cachedBuild("mongo-java-server", (out) => {
    const maven = findMaven();
    if (maven === undefined) throw new Error("Expected mongod, or javac and mvn, on PATH, found neither.");
    return [maven, "--quiet", "--batch-mode", `-Dout=${out}`, "compile"];
  });
  const quickStart = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"];
  const classPath = [join(folder, "classes"), join(folder, "lib", "*")].join(":");
  return [findOnPath(["java"]) ?? "java", ...quickStart, "-cp", classPath, "replica.Main"];
}

/**
 * A server's reply to `hello`, or undefined while it does not answer.
 *
 * @param {number} port
 * @param {(admin: import("mongodb").Db, hello: import("mongodb").Document) => Promise<void>} [use]
 */
async function hello(port, use) {
  if (!(await isListening(port))) return undefined;
  const { MongoClient } = await import("mongodb");
  const options = { directConnection: true, serverSelectionTimeoutMS: 2_000 };
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/`, options);
  try {
    const admin = client.db("admin");
    const answer = await admin.command({ hello: 1 });
    await use?.(admin, answer);
    return answer;
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}

/** Whether a server is the primary of a replica set; if it is in none, it is made to initiate one. @param {number} port */
async function isPrimary(port) {
  const answer = await hello(port, async (admin, { setName }) => {
    if (setName !== undefined) return;
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
    await admin.command({ replSetInitiate: { _id: "rs0", members } });
  });
  return answer?.isWritablePrimary === true && answer.setName !== undefined;
}
