/** What has to be written besides, so that a change stream tells of ends what it could not tell by itself. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { MongodbCollection, MongodbWriteOptions } from "./mongodb-client.ts";
import { attempt } from "./mongodb-cursors.ts";

/** Removes a session that bears the mark of its end. It is over already; where this fails, the server removes it in time. */
export async function removeEnded(
  collection: MongodbCollection,
  _id: string,
  options: MongodbWriteOptions,
  clock: Clock,
): Promise<void> {
  const ended = { _id, "socketSession.ended": { $exists: true } };
  await attempt(clock, () => collection.deleteOne(ended, options), "removing a session that has ended");
}

/** After all sessions were removed: an event is told of each, but only one after the last says that this was all. */
export async function markCleared(
  collection: MongodbCollection,
  empty: unknown,
  options: MongodbWriteOptions,
  clock: Clock,
): Promise<void> {
  const _id = `~cleared~${randomUUID()}`;
  const mark = { _id, session: empty, expires: new Date(0), socketSession: { cleared: true } };
  await collection.insertOne(mark, options);
  await attempt(clock, () => collection.deleteOne({ _id }, options), "removing the mark of a clearing");
}
