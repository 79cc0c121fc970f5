import cluster, { type Worker as Process } from "node:cluster";
import { readClusterMessage } from "./cluster-messages.ts";

/** The pause before a worker that failed to start is restarted; doubled each time. */
const leastPauseMs = 500;
const mostPauseMs = 30_000;
/** How long a worker may take to close everything before it is killed. */
const patienceMs = 10_000;

export interface WorkerEvents {
  /** A visitor of this worker asks to stop the node of this name. */
  readonly onStopAsked: (node: string) => void;
  /** It has been stopped for a while, or is back: in words. */
  readonly onStory: (words: string) => void;
}

/** One node of the cluster: a process, and after its death a new one with the same name. */
export class Worker {
  readonly name: string;
  readonly #events: WorkerEvents;
  #process: Process | undefined;
  #pauseMs = leastPauseMs;
  /** How long it stays away after it was stopped for a while; 0 while it is not. */
  #awayMs = 0;
  #isReady = false;
  #restarting: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(name: string, events: WorkerEvents) {
    this.name = name;
    this.#events = events;
  }

  get isReady(): boolean {
    return this.#isReady && this.#awayMs === 0;
  }

  tell(words: string): void {
    if (this.isReady) this.#process?.send({ type: "chat:story", words });
  }

  /** Stops the process, which is started again after `awayMs`. */
  stopFor(awayMs: number): void {
    if (!this.isReady) return;
    this.#awayMs = awayMs;
    this.#endProcess();
  }

  /** Resolves to the worker's notes once it is ready. Rejects if it ends before; the worker itself logs why. */
  async start(): Promise<readonly string[]> {
    const notes = await this.#run();
    if (!notes) throw new Error(`The cluster is not started, as ${this.name} could not.`);
    return notes;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#restarting);
    this.#endProcess();
  }

  #endProcess(): void {
    const child = this.#process;
    child?.kill("SIGTERM");
    setTimeout(() => child?.process.kill("SIGKILL"), patienceMs).unref();
  }

  /** Resolves when the process is ready; to undefined if it ends before. */
  #run(): Promise<readonly string[] | undefined> {
    return new Promise((resolve) => {
      if (this.#isStopped) return resolve(undefined);
      this.#isReady = false;
      const child = cluster.fork({ NODE_NAME: this.name });
      const release = holdMessages(child);
      this.#process = child;
      child.on("message", (received: unknown) => {
        const message = readClusterMessage(received);
        if (message?.type === "chat:stop") this.#events.onStopAsked(message.node);
        if (message?.type !== "chat:ready") return;
        this.#isReady = true;
        this.#pauseMs = leastPauseMs;
        release();
        resolve(message.notes);
      });
      child.once("exit", (code, signal) => {
        this.#process = undefined;
        release();
        resolve(undefined);
        if (this.#isReady && !this.#isStopped) this.#restart(signal ?? `code ${code}`);
        this.#isReady = false;
      });
    });
  }

  #restart(how: string): void {
    if (this.#awayMs > 0) {
      this.#events.onStory(`${this.name} was stopped by a visitor. Its visitors go on elsewhere.`);
      this.#restarting = setTimeout(() => void this.#again(), this.#awayMs);
      this.#awayMs = 0;
      return;
    }
    console.error(`${this.name} has ended (${how}). Starting it again.`);
    void this.#again();
  }

  async #again(): Promise<void> {
    const notes = await this.#run();
    if (this.#isStopped) return;
    if (notes) return this.#events.onStory(`${this.name} is back.`);
    this.#restarting = setTimeout(() => void this.#again(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, mostPauseMs);
  }
}

/**
 * A process drops what it is sent before it is ready, and with it the connections that the balancer hands over: the
 * visitors would wait for ever. So everything is held back until the returned function is called. If the process has
 * died by then, the send fails, and the balancer closes the connection.
 */
function holdMessages(child: Process): () => void {
  const held: unknown[][] = [];
  const send = child.send;
  Reflect.set(child, "send", (...message: unknown[]) => {
    held.push(message);
    return true;
  });
  return () => {
    child.send = send;
    for (const message of held.splice(0)) Reflect.apply(send, child, message);
  };
}
