/**
 * A login happens in one tab, but the cookie is every tab's. The tab that finds itself with a new session tells the others,
 * and those without one connect again; each session is told once, so tabs never set each other off in circles.
 */
export class OtherTabs {
  readonly #channel = new BroadcastChannel("chat session");
  #known = "";

  constructor(onLogin: () => void) {
    this.#channel.addEventListener("message", ({ data }) => {
      this.#known = String(data);
      onLogin();
    });
  }

  tell(publicId: string): void {
    if (publicId === this.#known) return;
    this.#known = publicId;
    this.#channel.postMessage(publicId);
  }
}
