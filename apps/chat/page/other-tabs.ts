/**
 * A login happens in one tab, but all tabs share the cookie. A tab that gets a new session notifies the others, and
 * those without a session connect again. Each session is announced only once, so tabs never trigger each other in
 * circles.
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
