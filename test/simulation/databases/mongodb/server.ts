/**
 * A MongoDB server with the collection of `mongodbStore`'s sessions: the primary of a replica set, or a standalone one with
 * a capped collection of their changes.
 *
 * - What a majority has acknowledged, no failover loses; the store writes sessions like that. So a failover is a restart.
 * - A crash takes the messages of the last moment along, unless they are journaled or a journaled write followed.
 * - A minute apart it removes what has expired by its own clock, once it has the index for that.
 */

import { unescaped } from "../../../../src/stores/common/ids.ts";
import type { MongodbDocument } from "../../../../src/stores/mongodb/client.ts";
import type { Ledger } from "../../ledger.ts";
import { DatabaseServer } from "../../world/database-server.ts";
import { epochMs } from "../../world/process.ts";
import { Unsupported } from "../../world/unsupported.ts";
import type { World } from "../../world/world.ts";
import { serverError } from "./errors.ts";
import { isRecord, matches, valueAt } from "./filters.ts";
import { Cursors, Log } from "./log.ts";
import { updateDescription, updated } from "./updates.ts";

/** So few that a process which is paused for a minute falls behind. */
const eventsKept = 300;
const messagesKept = 200;

const removalMs = 60_000;
/** The server writes its journal as often as that, if it is not asked for before. */
const journalMs = 100;

const isEnded = (document: MongodbDocument) => valueAt(document, "socketSession.ended") !== undefined;

export class MongodbServer extends DatabaseServer {
  readonly mayForget = false;
  readonly isReplicaSet: boolean;
  readonly events = new Log(eventsKept);
  /** Undefined until it has been created. */
  messages: Log | undefined;
  readonly cursors: Cursors;
  readonly ticketsById = new Map<unknown, MongodbDocument>();
  readonly #ledger: Ledger;
  readonly #documents = new Map<string, MongodbDocument>();
  /** The position of the last message that is in the journal. */
  #journaled = 0;
  #removesExpired = false;

  constructor(world: World, ledger: Ledger, isReplicaSet: boolean) {
    super(world);
    this.#ledger = ledger;
    this.isReplicaSet = isReplicaSet;
    this.cursors = new Cursors(this);
  }

  createMessages(): void {
    if (this.messages) throw serverError(48, "NamespaceExists");
    this.messages = new Log(messagesKept);
  }

  insertMessage(document: MongodbDocument, isJournaled: boolean): void {
    const log = this.messages;
    if (!log) throw new Unsupported("an insert into a collection that was not created");
    log.append(document);
    const { end } = log;
    if (isJournaled) this.#write();
    else
      this.world.after(journalMs, () => {
        this.#journaled = Math.max(this.#journaled, Math.min(end, log.end));
      });
  }

  /** Removes what has expired, from now on. */
  indexExpiry(): void {
    if (this.#removesExpired) return;
    this.#removesExpired = true;
    const remove = () => {
      const now = epochMs + this.world.now;
      const isOver = ({ expires }: MongodbDocument) => expires instanceof Date && expires.getTime() <= now;
      if (this.accepts) for (const [id, one] of [...this.#documents]) if (isOver(one)) this.#delete(id);
      this.world.after(removalMs, remove);
    };
    this.world.after(removalMs, remove);
  }

  /** For the process of that name, which reads `many` sessions. */
  find(filter: MongodbDocument, node: string, many?: number): MongodbDocument[] {
    const found = this.#find(filter);
    this.#ledger.read(node, many ?? found.length);
    return structuredClone(found);
  }

  count(filter: MongodbDocument): number {
    return this.#find(filter).length;
  }

  insertOne(document: MongodbDocument): void {
    this.#write();
    const id = String(document._id);
    if (this.#documents.has(id)) throw serverError(11_000, "DuplicateKey");
    this.#documents.set(id, structuredClone(document));
    this.#publish(id, { operationType: "insert", fullDocument: document });
  }

  /** For the process of that name. Returns how many it has found. */
  updateOne(filter: MongodbDocument, update: MongodbDocument, node: string): number {
    this.#write();
    const [before] = this.#find(filter);
    if (!before) return 0;
    const id = String(before._id);
    const after = updated(before, update);
    const changes = updateDescription(before, after);
    this.#documents.set(id, after);
    if (changes) this.#publish(id, { operationType: "update", updateDescription: changes });
    if (isEnded(after)) this.#ledger.removed(unescaped(id));
    else if (isRecord(update.$set) && "session" in update.$set) this.#stored(after);
    else this.#ledger.touched(unescaped(id), expiresAt(after), node);
    return 1;
  }

  /** Inserts it where there is nothing that fits. */
  upsert(filter: MongodbDocument, replacement: MongodbDocument): void {
    const [before] = this.#find(filter);
    const isNote = valueAt(replacement, "socketSession.note") !== undefined;
    if (before) {
      this.#write();
      this.#documents.set(String(before._id), structuredClone(replacement));
      this.#publish(String(before._id), { operationType: "replace", fullDocument: replacement });
    } else this.insertOne(replacement);
    if (!isNote) this.#stored(replacement);
  }

  /** Returns how many it has deleted, at most `most`. */
  delete(filter: MongodbDocument, most = Number.POSITIVE_INFINITY): number {
    this.#write();
    const found = this.#find(filter).slice(0, most);
    for (const document of found) {
      const id = String(document._id);
      this.#delete(id);
      const isSession = ["cleared", "note"].every(
        (mark) => valueAt(document, `socketSession.${mark}`) === undefined,
      );
      if (isSession && !isEnded(document)) this.#ledger.removed(unescaped(id));
    }
    return found.length;
  }

  protected override restarted(): void {
    this.cursors.clear();
    this.messages?.cutOff(this.#journaled);
  }

  protected override forget(): void {}

  #find(filter: MongodbDocument): MongodbDocument[] {
    const { _id: id } = filter;
    const one = typeof id === "string" ? this.#documents.get(id) : undefined;
    const candidates = typeof id === "string" ? (one ? [one] : []) : [...this.#documents.values()];
    return candidates.filter((document) => matches(document, filter));
  }

  /** Journaled, and all messages before it. */
  #write(): void {
    this.#journaled = this.messages?.end ?? 0;
  }

  #delete(id: string): void {
    this.#documents.delete(id);
    this.#publish(id, { operationType: "delete" });
  }

  #publish(id: string, event: MongodbDocument): void {
    if (this.isReplicaSet) this.events.append(structuredClone({ ...event, documentKey: { _id: id } }));
  }

  #stored(document: MongodbDocument): void {
    const { _id: id, session } = document;
    this.#ledger.stored(unescaped(String(id)), JSON.parse(String(session)), expiresAt(document));
  }
}

function expiresAt({ expires }: MongodbDocument): number {
  return expires instanceof Date ? expires.getTime() : Number.POSITIVE_INFINITY;
}
