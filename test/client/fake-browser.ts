import { vi } from "vitest";

interface Lock {
  readonly name: string;
}

/** What all tabs of a browser share, and one page has: without it, Node has neither page nor storage. */
export class FakeBrowser {
  readonly storage = new Map<string, string>();
  /** The channels that are open, by name. */
  readonly channels: FakeChannel[] = [];
  readonly #locked = new Set<string>();
  readonly window = new EventTarget();
  readonly document = new EventTarget();

  /** `without`: what the browser does not have; `forbidden`: what throws when it is used. */
  install({
    without = [],
    forbidden = [],
  }: {
    without?: readonly string[];
    forbidden?: readonly string[];
  } = {}): void {
    const { storage, channels, window } = this;
    const globals: Record<string, unknown> = {
      BroadcastChannel: class extends FakeChannel {
        constructor(name: string) {
          super(name, channels);
        }
      },
      localStorage: {
        getItem: (key: string) => storage.get(key) ?? null,
        setItem: (key: string, value: string) => void storage.set(key, value),
      },
      navigator: { locks: { request: this.#request } },
      document: this.document,
      addEventListener: window.addEventListener.bind(window),
    };
    for (const name of without) globals[name] = undefined;
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    for (const name of forbidden) vi.stubGlobal(name, forbiddenObject());
  }

  /** An event of the window, such as `pageshow`. */
  emit(event: string, fields: object = {}): void {
    this.window.dispatchEvent(Object.assign(new Event(event), fields));
  }

  readonly #request = async (
    name: string,
    { ifAvailable }: { ifAvailable: boolean },
    callback: (lock: Lock | null) => unknown,
  ): Promise<unknown> => {
    if (!ifAvailable) throw new Error("expected a request that does not wait");
    if (this.#locked.has(name)) return callback(null);
    this.#locked.add(name);
    try {
      return await callback({ name });
    } finally {
      this.#locked.delete(name);
    }
  };
}

/** Delivers at once. */
export class FakeChannel {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly name: string;
  readonly #all: FakeChannel[];

  constructor(name: string, all: FakeChannel[]) {
    this.name = name;
    this.#all = all;
    all.push(this);
  }

  postMessage(data: unknown): void {
    for (const other of [...this.#all])
      if (other !== this && other.name === this.name) other.onmessage?.({ data });
  }

  close(): void {
    this.#all.splice(this.#all.indexOf(this), 1);
  }
}

/** As browsers do where storage is blocked: each use is an error. */
function forbiddenObject(): object {
  const refuse = () => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  };
  return new Proxy(class {}, { get: refuse, construct: refuse });
}
