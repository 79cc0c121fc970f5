/**
 * Engine.IO as its stock client speaks it: by long polling, by WebSocket, or by polling that is upgraded. It answers
 * heartbeats, and gives up when they stay away.
 */
import type { World } from "../world/world.ts";
import type { ClientNetwork } from "./client-network.ts";
import type { Answer } from "./http-request.ts";
import type { Sender } from "./pages.ts";
import { Polling } from "./polling.ts";
import { ClientWebSocket } from "./web-socket.ts";

export type TransportPlan = "polling" | "websocket" | "upgrade";

export interface EngineEvents {
  opened(): void;
  message(text: string): void;
  /** `answer`: the handshake was refused. */
  closed(answer?: Answer): void;
}

export interface EngineClientOptions {
  readonly plan: TransportPlan;
  readonly sender: Sender;
  /** How long after the handshake the upgrade begins. */
  readonly upgradeMs: number;
}

/** A stock client waits so long for its connection. */
const connectMs = 20_000;

export class EngineClient {
  readonly #world: World;
  readonly #network: ClientNetwork;
  readonly #options: EngineClientOptions;
  readonly #events: EngineEvents;
  readonly #waiting: string[] = [];
  #sid: string | undefined;
  #polling: Polling | undefined;
  /** In use, or probed by an upgrade. */
  #webSocket: ClientWebSocket | undefined;
  #isWebSocket = false;
  #isOver = false;
  #patienceMs = connectMs;
  #stopWaiting: () => void;

  constructor(network: ClientNetwork, options: EngineClientOptions, events: EngineEvents) {
    this.#world = network.world;
    this.#network = network;
    this.#options = options;
    this.#events = events;
    this.#stopWaiting = this.#wait();
    if (options.plan === "websocket") this.#openWebSocket();
    else this.#openPolling();
  }

  /** That the node gave the connection, if it has. */
  get id(): string | undefined {
    return this.#sid;
  }

  send(message: string): void {
    if (this.#isOver) return;
    this.#waiting.push(`4${message}`);
    this.#flush();
  }

  /** The client closes the connection, and notifies the node if it is `polite`. `closed` is not called. */
  close(isPolite: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    this.#polling?.close(isPolite && !this.#isWebSocket);
    this.#webSocket?.close();
  }

  #end(answer?: Answer): void {
    if (this.#isOver) return;
    this.close(false);
    this.#events.closed(this.#sid === undefined ? answer : undefined);
  }

  #path(transport: "polling" | "websocket"): string {
    const sid = this.#sid === undefined ? "" : `&sid=${this.#sid}`;
    return `/socket.io/?EIO=4&transport=${transport}${sid}`;
  }

  #openPolling(): void {
    const polling = new Polling(this.#network, () => this.#path("polling"), this.#options.sender, {
      packet: (packet) => this.#receive(packet),
      drained: () => this.#flush(),
      failed: (answer) => this.#end(answer),
    });
    this.#polling = polling;
    polling.poll();
  }

  #openWebSocket(): void {
    this.#isWebSocket = true;
    this.#webSocket = new ClientWebSocket(this.#network, this.#path("websocket"), this.#options.sender, {
      opened: () => {},
      message: (packet) => this.#receive(packet),
      closed: (answer) => this.#end(answer),
    });
  }

  #upgrade(polling: Polling): void {
    if (this.#isOver) return;
    const probe = new ClientWebSocket(this.#network, this.#path("websocket"), this.#options.sender, {
      opened: () => probe.send("2probe"),
      message: (packet) => {
        if (this.#isWebSocket) this.#receive(packet);
        else if (packet === "3probe") polling.pause(() => this.#change(probe));
      },
      closed: () => this.#lost(polling),
    });
    this.#webSocket = probe;
  }

  #change(probe: ClientWebSocket): void {
    if (this.#isWebSocket) return;
    this.#isWebSocket = true;
    probe.send("5");
    this.#flush();
  }

  /** An upgrade that fails leaves a connection that polls. */
  #lost(polling: Polling): void {
    this.#webSocket = undefined;
    if (this.#isWebSocket || polling.isPaused) this.#end();
  }

  #flush(): void {
    if (this.#waiting.length === 0 || this.#isOver || this.#sid === undefined) return;
    if (this.#isWebSocket) for (const packet of this.#waiting.splice(0)) this.#webSocket?.send(packet);
    else if (this.#polling?.isWritable) this.#polling.send(this.#waiting.splice(0));
  }

  #receive(packet: string): void {
    const data = packet.slice(1);
    if (packet.startsWith("0")) this.#open(data);
    else if (packet.startsWith("1")) this.#end();
    else if (packet.startsWith("2")) this.#answerPing();
    else if (packet.startsWith("4")) this.#events.message(data);
  }

  #open(data: string): void {
    const { sid, pingInterval, pingTimeout } = JSON.parse(data);
    this.#sid = String(sid);
    this.#patienceMs = Number(pingInterval) + Number(pingTimeout);
    this.#restartWaiting();
    const polling = this.#polling;
    const { plan, upgradeMs } = this.#options;
    if (plan === "upgrade" && polling) this.#world.after(upgradeMs, () => this.#upgrade(polling));
    this.#events.opened();
  }

  #answerPing(): void {
    this.#waiting.push("3");
    this.#flush();
    this.#restartWaiting();
  }

  #restartWaiting(): void {
    this.#stopWaiting();
    if (!this.#isOver) this.#stopWaiting = this.#wait();
  }

  #wait(): () => void {
    return this.#world.after(this.#patienceMs, () => this.#end());
  }
}
