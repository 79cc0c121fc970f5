/**
 * A table that is created when it is first needed. One that can't be created fails only the operations that need it, and
 * each of them tries again: another process or an administrator may create it.
 */
export class LazyTable {
  readonly #exists: () => Promise<boolean>;
  readonly #create: () => Promise<void>;
  #creating: Promise<void> | undefined;
  #isKnown = false;

  /** `create`: does nothing if the table exists, and rejects if it can't be created. */
  constructor(exists: () => Promise<boolean>, create: () => Promise<void>) {
    this.#exists = exists;
    this.#create = create;
  }

  /** Whether this process has seen the table. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Whether the table exists, whichever process created it. */
  async find(): Promise<boolean> {
    this.#isKnown ||= await this.#exists();
    return this.#isKnown;
  }

  /** Creates the table if it is missing. */
  async make(): Promise<void> {
    if (this.#isKnown) return;
    this.#creating ??= this.#create();
    try {
      await this.#creating;
      this.#isKnown = true;
    } finally {
      this.#creating = undefined;
    }
  }

  /** The table was dropped. */
  forget(): void {
    this.#isKnown = false;
  }
}
