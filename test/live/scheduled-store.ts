/**
 * A store over a network, in the hand of the test: an operation is on its way to the database, is done there, and its answer
 * is on its way back, each as long as the test likes; so are the messages of the feed, which come in order.
 *
 * ```ts
 * const store = new ScheduledStore(memoryStore({ clock }));
 * const reading = store.read(key);
 * store.do("read");      // the database has answered
 * store.answer("read");  // and now the answer is here
 * ```
 */
import type {
  CookieDocument,
  FeedListener,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
  Unsubscribe,
} from "../../src/session-store.ts";
import { settle } from "../support/manual-clock.ts";

interface Step {
  readonly operation: string;
  readonly at: "database" | "node";
  run(): void | Promise<void>;
}

export class ScheduledStore implements SessionStore {
  readonly name = "scheduled";
  readonly atomic = true;
  /** What other nodes see and write at once. */
  readonly database: SessionStore;
  /** Off while other nodes, or the test, go to the database by `database`. */
  isScheduled = true;
  readonly #steps: Step[] = [];
  readonly #messages: (() => void)[] = [];

  constructor(database: SessionStore) {
    this.database = database;
  }

  read(key: SessionKey): Promise<StoredSession | null> {
    return this.#operation("read", () => this.database.read(key));
  }

  create(key: SessionKey, document: SessionDocument, expiresAt: number): Promise<Revision | null> {
    return this.#operation("create", () => this.database.create(key, document, expiresAt));
  }

  replace(...args: Parameters<SessionStore["replace"]>): Promise<Revision | null> {
    return this.#operation("replace", () => this.database.replace(...args));
  }

  touch(key: SessionKey, expiresAt: number, cookie: CookieDocument): Promise<boolean> {
    return this.#operation("touch", () => this.database.touch(key, expiresAt, cookie));
  }

  destroy(key: SessionKey, reason: StoredEndReason): Promise<boolean> {
    return this.#operation("destroy", () => this.database.destroy(key, reason));
  }

  async changes(listener: FeedListener): Promise<Unsubscribe> {
    const later = (message: () => void) => void this.#messages.push(message);
    return (
      (await this.database.changes?.(
        {
          changed: (change) => later(() => listener.changed(change)),
          broken: (error) => later(() => listener.broken(error)),
          missed: () => later(() => listener.missed()),
        },
        { heartbeatMs: 10_000 },
      )) ?? (async () => {})
    );
  }

  async close(): Promise<void> {}

  /** How many steps can be taken: any operation's next one, or the delivery of the next message. */
  get choices(): number {
    return this.#steps.length + (this.#messages.length > 0 ? 1 : 0);
  }

  /** Takes the step of this number. */
  async take(choice: number): Promise<void> {
    const [step] = this.#steps.splice(choice, 1);
    if (step) await step.run();
    else this.#messages.shift()?.();
    await settle();
  }

  /** The oldest operation of this kind is done in the database. */
  do(operation: string): Promise<void> {
    return this.#take(operation, "database");
  }

  /** The oldest answer of this kind arrives. */
  answer(operation: string): Promise<void> {
    return this.#take(operation, "node");
  }

  /** The oldest messages that were published so far arrive; all of them unless told how many. */
  async deliver(count = this.#messages.length): Promise<void> {
    for (const message of this.#messages.splice(0, count)) message();
    await settle();
  }

  /** Everything happens, until nothing is left to happen. */
  async finish(): Promise<void> {
    while (this.choices > 0) await this.take(0);
  }

  #take(operation: string, at: Step["at"]): Promise<void> {
    const choice = this.#steps.findIndex((step) => step.operation === operation && step.at === at);
    if (choice < 0) throw new Error(`Expected a ${operation} on its way to the ${at}.`);
    return this.take(choice);
  }

  #operation<T>(operation: string, run: () => Promise<T>): Promise<T> {
    if (!this.isScheduled) return run();
    return new Promise<T>((resolve, reject) => {
      const arrive = (answer: () => void) => void this.#steps.push({ operation, at: "node", run: answer });
      this.#steps.push({
        operation,
        at: "database",
        run: () =>
          run().then(
            (value) => arrive(() => resolve(value)),
            (error: unknown) => arrive(() => reject(error)),
          ),
      });
    });
  }
}
