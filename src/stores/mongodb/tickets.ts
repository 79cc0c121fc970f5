/** Tickets, in a collection next to the sessions' one: `{ _id, value, expires }`. */
import type { Clock } from "../../base/clock.ts";
import type { MongodbCollection, MongodbDatabase, MongodbWriteOptions } from "./client.ts";
import { plainValues } from "./place.ts";
import { MongodbUpkeep, type MongodbUpkeepOptions } from "./upkeep.ts";

export class MongodbTickets {
  readonly #collection: MongodbCollection;
  readonly #writeOptions: MongodbWriteOptions;
  readonly #clock: Clock;
  readonly #upkeep: MongodbUpkeep;

  /** Tickets have the sessions' write concern: if a failover undid a take, the ticket could be taken again. */
  constructor(
    database: MongodbDatabase,
    { collectionName, writeConcern }: MongodbCollection,
    writeOptions: MongodbWriteOptions,
    options: MongodbUpkeepOptions,
  ) {
    const concern = writeConcern && { writeConcern };
    this.#collection = database.collection(`${collectionName}_tickets`, { ...plainValues, ...concern });
    this.#writeOptions = writeOptions;
    this.#clock = options.clock;
    this.#upkeep = new MongodbUpkeep(this.#collection, options);
  }

  async put(id: string, value: string, expiresAt: number): Promise<void> {
    this.#upkeep.begin();
    const ticket = { _id: id, value, expires: new Date(expiresAt) };
    await this.#collection.insertOne(ticket, this.#writeOptions);
  }

  async take(id: string): Promise<string | null> {
    const valid = { _id: id, expires: { $gt: new Date(this.#clock.now()) } };
    const ticket = await this.#collection.findOneAndDelete(valid, this.#writeOptions);
    return ticket ? String(ticket.value) : null;
  }

  close(): Promise<void> {
    return this.#upkeep.close();
  }
}
