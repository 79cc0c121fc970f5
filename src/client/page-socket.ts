/** What is used of a socket of socket.io-client 4.5 or later. Any stock `Socket` fits, whatever the types of its events. */
export interface PageSocket {
  readonly connected: boolean;
  /** Whether it connects by itself, at first or again. */
  readonly active: boolean;
  readonly io: PageManager;
  connect(): unknown;
  disconnect(): unknown;
  emit(event: string): unknown;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event?: string, listener?: (...args: unknown[]) => void): unknown;
  onAnyOutgoing(listener: () => void): unknown;
  offAnyOutgoing(listener: () => void): unknown;
}

/** The connection that all namespaces of a page share. */
interface PageManager {
  /** Undefined until the first attempt to connect. */
  readonly engine?: unknown;
  /**
   * Closes the connection, or gives up the attempt or the pause before the next. Not in the client's documentation, though in 4.5
   * as in 4.8: `socket.disconnect()` alone leaves the connection to the other namespaces.
   */
  _close(): void;
}
