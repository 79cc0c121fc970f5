/** The readers recognise each protocol's requests, however the bytes are split. */
import { BSON } from "mongodb";
import { describe, expect, test } from "vitest";
import { mongodbRequests } from "./mongodb-requests.ts";
import { postgresRequests } from "./postgres-requests.ts";
import { redisRequests } from "./redis-requests.ts";

const redis = "*2\r\n$3\r\nget\r\n$8\r\n*1\r\n$1\r\n\r\n*1\r\n$4\r\nPING\r\n";

function postgresMessage(type: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
}

const postgres = Buffer.concat([
  postgresMessage("", "\0\x03\0\0user\0ada\0\0"),
  postgresMessage("Q", "BEGIN\0"),
  postgresMessage("P", "\0WITH written AS (UPDATE session SET sess = $1) SELECT 1\0\0\0"),
  postgresMessage("B", "\0\0\0\0\0\0\0\0"),
  postgresMessage("E", "\0\0\0\0\0"),
  postgresMessage("S", ""),
]);

function mongodbMessage(body: object, documents: object[] = []): Buffer {
  const sequence = Buffer.concat([
    Buffer.from("documents\0"),
    ...documents.map((one) => BSON.serialize(one)),
  ]);
  const size = Buffer.alloc(5);
  size.writeUInt8(1);
  size.writeInt32LE(4 + sequence.length, 1);
  const sections = [Buffer.from([0]), BSON.serialize(body), ...(documents.length ? [size, sequence] : [])];
  const head = Buffer.alloc(20);
  const message = Buffer.concat([head, ...sections]);
  message.writeInt32LE(message.length);
  message.writeInt32LE(2013, 12);
  return message;
}

const mongodb = Buffer.concat([
  mongodbMessage({ hello: 1 }),
  mongodbMessage({ find: "sessions", filter: {} }),
  mongodbMessage({ find: "sessions_changes", tailable: true }),
  mongodbMessage({ getMore: 1n, collection: "sessions_changes", maxTimeMS: 1000 }),
  mongodbMessage({ getMore: 1n, collection: "sessions" }),
  mongodbMessage({ insert: "sessions_changes" }, [{ _id: "a mark" }]),
  mongodbMessage({ insert: "sessions_changes" }, [{ _id: "a message", message: "{}" }]),
]);

describe.each([
  { protocol: "Redis", open: redisRequests, sent: Buffer.from(redis), names: ["GET", "PING"] },
  { protocol: "PostgreSQL", open: postgresRequests, sent: postgres, names: ["BEGIN", "UPDATE"] },
  {
    protocol: "MongoDB",
    open: mongodbRequests,
    sent: mongodb,
    names: ["find sessions", "getMore", "insert sessions_changes"],
  },
])("the requests of a client of $protocol", ({ open, sent, names }) => {
  test.each([1, 2, 7, 100_000])("in pieces of %s bytes", (size) => {
    const read = open();
    const found: string[] = [];
    for (let at = 0; at < sent.length; at += size) found.push(...read(sent.subarray(at, at + size)));
    expect(found).toEqual(names);
  });
});
