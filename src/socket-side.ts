import type { Core } from "./core.ts";
import { firstContacts } from "./first-contact.ts";
import { exemptionsOfAttach } from "./options/options.ts";
import type { RequestSide } from "./request-side.ts";
import { Share } from "./session/share.ts";
import { type AttachOptions, openGateway, type SocketServer } from "./socket/open-gateway.ts";
import type { GatewayOptions, SocketGateway } from "./socket/socket-gateway.ts";
import { SocketLimit } from "./socket/socket-limit.ts";
import { type OnForbidden, SocketRules } from "./socket/socket-rules.ts";
import { corsOf } from "./socket/upstream-pages.ts";
import { corsWarnings } from "./warnings/cors.ts";
import { socketWarnings, warn } from "./warnings/start-checks.ts";

interface SocketEvents extends Pick<GatewayOptions, "onRefusal" | "onExpressSession"> {
  /** A handshake made a session whose `secure` cookie it can't set. */
  readonly onInsecureCookie: () => void;
  readonly onForbidden: OnForbidden;
}

/** Sessions as sockets use them: one gateway before each Socket.IO server. */
export class SocketSide {
  readonly #core: Core;
  readonly #requests: Pick<RequestSide, "middleware">;
  readonly #events: SocketEvents;
  readonly rules: SocketRules;
  readonly #limit: SocketLimit;
  readonly #gateways: SocketGateway[] = [];
  #share: Share | undefined;

  constructor(core: Core, requests: Pick<RequestSide, "middleware">, events: SocketEvents) {
    this.#core = core;
    this.#requests = requests;
    this.#events = events;
    this.rules = new SocketRules(core.hub, events.onForbidden);
    this.#limit = new SocketLimit(core.options.socketsPerSession, core.hub.clock);
  }

  attach(io: SocketServer, attachOptions: AttachOptions): void {
    const { options, handles, ...core } = this.#core;
    const exemptions = exemptionsOfAttach(attachOptions);
    const { share: fn } = attachOptions;
    const share = fn === undefined ? undefined : new Share(fn, core.hub.report);
    const middleware = this.#requests.middleware.bind(this.#requests);
    const gateway = openGateway(io, {
      ...options,
      ...core,
      ...handles,
      ...this.#events,
      rules: this.rules,
      limit: this.#limit,
      cookieName: options.name,
      makeSession: firstContacts(options, middleware, this.#events.onInsecureCookie),
      exemptions,
      share,
    });
    this.#share = share ?? this.#share;
    const allowed = [options.origins, ...exemptions.map(({ origins }) => origins)];
    warn([...socketWarnings(options, io.path()), ...corsWarnings(corsOf(io), allowed)]);
    this.#gateways.push(gateway);
  }

  /** Of the last server that was attached with one. */
  get share(): Share | undefined {
    return this.#share;
  }

  get isAttached(): boolean {
    return this.#gateways.length > 0;
  }

  /** How many connections hold a session or are guests. */
  get size(): number {
    return this.#gateways.reduce((sum, { size }) => sum + size, 0);
  }

  async close(overMs: number): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway.close(overMs)));
  }
}
