import type { PageSocket } from "socket-session/client";
import { endEvent, type StateMessage, stateEvent } from "socket-session/protocol";

type Listener = (...args: unknown[]) => void;

/** Stands for a socket of the stock client: tests do what the network and the server do to it. */
export class FakeSocket implements PageSocket {
  connected = false;
  active = true;
  /** What was called of it, in order. */
  readonly calls: string[] = [];
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #outgoing = new Set<() => void>();
  readonly io = { engine: undefined as unknown, _close: () => this.#close() };

  get listeners(): number {
    return [...this.#listeners.values(), this.#outgoing].reduce((sum, { size }) => sum + size, 0);
  }

  on(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event = "", listener: Listener = () => {}): void {
    this.#listeners.get(event)?.delete(listener);
  }

  onAnyOutgoing(listener: () => void): void {
    this.#outgoing.add(listener);
  }

  offAnyOutgoing(listener: () => void): void {
    this.#outgoing.delete(listener);
  }

  connect(): void {
    this.calls.push("connect");
    this.active = true;
  }

  disconnect(): void {
    this.calls.push("disconnect");
    this.active = false;
    if (!this.connected) return;
    this.connected = false;
    this.receive("disconnect", "io client disconnect");
  }

  #close(): void {
    this.calls.push("close");
    if (this.active) this.lose("forced close");
  }

  emit(event: string): void {
    this.calls.push(`emit ${event}`);
    for (const listener of this.#outgoing) listener();
  }

  receive(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...args);
  }

  /** The server lets it in, and says what it shares, if it shares something. */
  welcome(state?: StateMessage): void {
    this.connected = this.active = true;
    this.receive("connect");
    if (state) this.receive(stateEvent, state);
  }

  /** The transport closes. */
  lose(reason = "transport close"): void {
    this.connected = false;
    this.receive("disconnect", reason);
  }

  /** The server disconnects it, after saying why, if it does. */
  dismiss(end?: object): void {
    if (end) this.receive(endEvent, end);
    this.active = false;
    this.lose("io server disconnect");
  }

  /** The server refuses it by a packet: it stays away. */
  refuse(data: unknown, message = "no"): void {
    this.active = false;
    this.receive("connect_error", Object.assign(new Error(message), { data }));
  }

  /** An attempt to connect fails: it tries again. */
  fail(responseText?: string): void {
    this.receive("connect_error", Object.assign(new Error("xhr poll error"), { context: { responseText } }));
  }
}

export const live = (more: Partial<Extract<StateMessage, { state: "live" }>> = {}): StateMessage => ({
  state: "live",
  publicId: "a".repeat(22),
  leftMs: 3_600_000,
  data: { name: "ada" },
  ...more,
});

export const guest: StateMessage = { state: "guest" };
