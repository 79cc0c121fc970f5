/** Databases of a MongoDB server for tests: each test has its own, and drops it. */
import type MongoStore from "connect-mongo";
import { MongoClient } from "mongodb";
import { onTestFinished } from "vitest";
import { promised, settle } from "../promised-peer.ts";

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

/** connect-mongo's methods as promises. Its `close` would close the client. */
export function promisedPeer(peer: MongoStore) {
  return {
    ...promised(peer),
    all: () => settle<unknown>((done) => peer.all(done)),
    length: () => settle<number>((done) => peer.length(done)),
  };
}
