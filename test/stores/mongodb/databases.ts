/** Databases of a MongoDB server for tests: each test has its own, and drops it. */
import type MongoStore from "connect-mongo";
import type { SessionData } from "express-session";
import { MongoClient } from "mongodb";
import { onTestFinished } from "vitest";

let databases = 0;

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  readonly client: MongoClient;
  drop(): Promise<void>;
}

export async function newDatabase(url: string): Promise<TestDatabase> {
  databases += 1;
  const client = await new MongoClient(url, { monitorCommands: true }).connect();
  const name = `socket_session_${process.pid}_${Date.now()}_${databases}`;
  return {
    url,
    name,
    client,
    async drop() {
      await client.db(name).dropDatabase();
      await client.close();
    },
  };
}

/** The same, dropped after the test. */
export async function databaseOfTest(url: string): Promise<TestDatabase> {
  const database = await newDatabase(url);
  onTestFinished(() => database.drop());
  return database;
}

type Settled<T> = (error?: unknown, value?: T | null) => void;

/** connect-mongo's methods as promises. Its `close` would close the client. */
export function promisedPeer(peer: MongoStore) {
  const settle = <T>(call: (done: Settled<T>) => void) =>
    new Promise<T | null | undefined>((resolve, reject) =>
      call((error, value) => (error ? reject(error) : resolve(value))),
    );
  return {
    get: (sid: string) => settle<SessionData>((done) => peer.get(sid, done)),
    set: (sid: string, data: object) => settle((done) => peer.set(sid, data as SessionData, done)),
    touch: (sid: string, data: object) => settle((done) => peer.touch(sid, data as SessionData, done)),
    destroy: (sid: string) => settle((done) => peer.destroy(sid, done)),
    all: () => settle<unknown>((done) => peer.all(done)),
    length: () => settle<number>((done) => peer.length(done)),
  };
}
